/* SPDX-License-Identifier: MPL-2.0
 *
 * client_state - what the files of the client share; private to proto/client*.c
 *
 * Includes run one way: client_state <- client_link <- client_calls, client_events, client_worker
 * <- client. Everything but the queue of orders and the atomics belongs to the I/O thread.
 */
#ifndef SIGNALBOX_CLIENT_STATE_H
#define SIGNALBOX_CLIENT_STATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <uthash.h>

#include "actors/base/monitor.h"
#include "actors/base/queue.h"
#include "actors/base/slots.h"
#include "actors/base/wheel.h"
#include "proto/client.h"
#include "proto/topic.h"

#define CLIENT_LIVENESS      4 /* missed beats that make a loss */
#define CLIENT_READS_A_ROUND 256
#define CLIENT_SEND_QUEUE    50000 /* messages a broker may have unread */
#define CLIENT_LINGER_MS     200
#define CLIENT_GRACE_MS      100  /* the broker's own 504 is more exact than ours: it goes first */
#define CLIENT_TOPICS_MAX    4096 /* topics published, and (topic, publisher) pairs seen */

typedef enum {
    LINK_CONNECTING, /* nothing heard yet */
    LINK_ALIVE,
    LINK_LOST, /* silent too long; tried again with a new connection */
} link_state_t;

typedef struct {
    const char *requests, *events; /* endpoints */
    void *dealer, *sub;
    void *watch; /* tells when the dealer's connection ends; NULL over inproc, where it does not */
    link_state_t state;
    uint32_t connection; /* counts the connections made */
    uint64_t heard_ms, beaten_ms, opened_ms;
    bool is_registered;
    bool is_drained;      /* the broker has promised to send no more requests */
    uint64_t ready_at_ms; /* when to register again after a refusal; 0: not */
} link_t;

/* What other threads ask of the I/O thread. */
typedef struct order order_t;
typedef void (*order_fn)(client_t *client, order_t *order);

struct order {
    queue_item_t item;
    order_fn run; /* on the I/O thread; owns the order */
};

/* A call under way. */
typedef struct {
    uint64_t id;
    wheel_timer_t timer;
    uint32_t link, connection;
    uint64_t ticket, started_us;
    answer_fn on_answer, on_part;
    void *arg, *part_arg;
} client_call_t;

/* The last event of one publisher within one topic, or the last one published by us. */
typedef struct {
    UT_hash_handle hh;
    uint64_t epoch, sequence;
    char key[]; /* topic, and for events seen a NUL and the publisher */
} topic_mark_t;

typedef struct subscription {
    struct subscription *next;
    char *prefix;
    event_fn on_event;
    void_fn on_void; /* NULL: does not follow */
    void *arg;
    topic_mark_t *seen; /* of its own: a later subscription sees retained values again */
} subscription_t;

struct client {
    const client_settings_t *settings;
    char *name, *part;
    void *context;
    pthread_t thread;
    queue_t orders;
    wheel_t wheel;
    slots_t calls;
    link_t links[CLIENT_BROKERS_MAX];
    uint32_t link_count, preferred;
    char *endpoints[2]; /* copies of the settings, cut at the commas */
    uint64_t now_ms, ticked_ms, epoch;
    uint64_t awake_ms; /* when the client had last stood still itself (clock_stalled) */
    subscription_t *subscriptions;
    topic_mark_t *published;
    spans_t *spans;
    client_worker_t worker; /* service NULL: none */
    uint32_t credit;
    bool is_draining;
    stats_t stats;
    atomic_uint alive;     /* links alive (for a worker: registered) */
    atomic_uint undrained; /* links over which requests may still come */
    atomic_ullong ticket;
    atomic_ullong faults_due_ms; /* proto/fault.c */
    atomic_bool is_stopping;
    monitor_t monitor; /* opened when one of them changes */
};

extern const stats_row_t client_stats_rows[CLIENT_STATS + 1];

static inline void client_count(client_t *self, client_stat_t row)
{
    stats_add(&self->stats, row, 1);
}

/* Gives an order to the I/O thread; runs it at once when called from there. */
void client_order(client_t *self, order_t *order, order_fn run);

#endif
