/* SPDX-License-Identifier: MPL-2.0
 *
 * state - the broker's own data; private to broker/
 *
 * Who owns what: the broker owns peers and services. A peer that registered has one worker; a
 * worker belongs to its peer and is listed in its service. A pending request lies in a slot; it is
 * listed by its client's peer, and by the queue it waits in or the worker it was given to.
 * Everything is touched by the broker's thread alone.
 *
 * Includes run one way: parcel, state <- peer <- events <- registry <- answer, service <- pending
 * <- dispatch <- request <- worker, inspect, counters <- native, majordomo <- broker, which alone
 * includes socket. What a lower file must tell a higher one goes through the `lost` list, which the
 * loop empties.
 */
#ifndef SIGNALBOX_BROKER_STATE_H
#define SIGNALBOX_BROKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <uthash.h>
#include <zmq.h>

#include "actors/base/id.h"
#include "actors/base/queue.h"
#include "actors/base/slots.h"
#include "actors/base/wheel.h"
#include "broker/broker.h"
#include "broker/parcel.h"
#include "proto/descriptor.h"
#include "proto/frame.h"
#include "proto/mdp.h"

#define BROKER_LIVENESS      4     /* missed beats that make a loss */
#define BROKER_PEER_IDLE_MS  60000 /* a client that is silent so long is forgotten */
#define BROKER_READS_A_ROUND 256

typedef struct peer peer_t;
typedef struct worker worker_t;
typedef struct broker_service broker_service_t;
typedef struct pending pending_t;

typedef enum { DOOR_PUBLIC, DOOR_TRUSTED, DOORS } door_t;

typedef enum { DIALECT_UNKNOWN, DIALECT_NATIVE, DIALECT_MDP } dialect_t;

TAILQ_HEAD(pending_list, pending);
TAILQ_HEAD(worker_list, worker);
typedef struct pending_list pending_list_t;
typedef struct worker_list worker_list_t;

struct peer {
    UT_hash_handle hh;
    TAILQ_ENTRY(peer) lost_entry;
    bool is_lost;    /* in the list of the lost; nothing is sent to it any more */
    uint8_t door;    /* door_t: which ROUTER it is behind */
    uint8_t dialect; /* dialect_t, of its first message and from then on */
    uint8_t mdp;     /* mdp_dialect_t, likewise */
    bool has_lead;   /* it sends an empty first frame, and gets one */
    uint64_t heard_ms;
    worker_t *worker;     /* NULL while it has not registered */
    pending_list_t asked; /* its requests */
    uint32_t asked_count;
    uint32_t key_size; /* door byte and routing id */
    uint8_t key[];
};

struct worker {
    TAILQ_ENTRY(worker) entry; /* in its service; the head was used longest ago */
    peer_t *peer;
    broker_service_t *service;
    struct version *version; /* its descriptor; NULL when it sent none */
    char instance[ID_INSTANCE_SIZE];
    uint64_t instance_hash;
    uint32_t credit, weight;
    uint32_t outstanding; /* requests it was given and has not answered */
    bool is_draining;
    uint32_t heartbeat_ms;
    uint32_t oldest_ms; /* age of its oldest request, by its last beat */
    uint64_t beaten_ms; /* when it was last sent anything */
    uint32_t missed;    /* beats it has missed since it was heard of */
    int64_t since_ms;   /* wall clock */
    int64_t boot_ms;    /* when it started, as it says; 0: it does not */
    wheel_timer_t timer;
    pending_list_t given; /* requests it works on */
    pending_list_t queue; /* requests whose route key makes them its own */
    uint64_t requests, failures, busy_us;
};

/* A descriptor and how many instances serve it. */
typedef struct version {
    struct version *next;
    descriptor_t *descriptor;
    uint32_t instances;
} version_t;

struct broker_service {
    UT_hash_handle hh;
    char name[FRAME_NAME_BYTES + 1];
    worker_list_t workers;
    uint32_t worker_count;
    version_t *versions;
    pending_list_t queues[FRAME_PRIORITIES];
    uint32_t queued; /* in these queues and those of its workers */
    size_t queued_bytes;
    int64_t empty_since_ms; /* wall clock; 0 while it has an instance */
    uint64_t requests, failures, dropped;
    uint64_t registry_sequence;
};

typedef enum {
    PENDING_LOOSE,  /* in no list: about to be placed, or a broadcast, whose parts are in them */
    PENDING_QUEUED, /* in the queue of its service, or of its worker when that owns its key */
    PENDING_GIVEN,  /* an instance works on it */
    PENDING_ENDED,  /* answered by us; the worker still holds a credit for it */
} pending_state_t;

struct pending {
    uint64_t id;                      /* on the worker's side */
    uint64_t client_id;               /* on the client's side */
    TAILQ_ENTRY(pending) asked_entry; /* in client->asked */
    TAILQ_ENTRY(pending) place_entry; /* in the queue or worker->given it stands in */
    wheel_timer_t timer;
    uint64_t due_ms;
    uint64_t started_us;
    peer_t *client; /* NULL once ended, or for the part of a broadcast */
    uint64_t group; /* id of the broadcast this is a part of, 0 */
    broker_service_t *service;
    worker_t *worker; /* given to, or queued for; NULL in a service's queue */
    uint8_t state;    /* pending_state_t */
    uint8_t priority;
    bool is_keyed, is_idempotent, was_resent, is_stamped, has_principal;
    uint64_t route_key, schema;
    size_t bytes;
    zmq_msg_t header; /* native; empty once it was sent */
    parcel_t parcel;  /* principal and body; kept behind sending only when idempotent */
    uint16_t header_size;
    uint8_t header_copy[FRAME_BYTES_MAX]; /* for sending again */
    uint8_t mdp;                          /* mdp_dialect_t the client asked in */
    char *asked;                          /* the service as an MDP client named it, else NULL */
    uint32_t group_left, group_parts, group_answered; /* of a broadcast */
};

typedef struct retained retained_t; /* events.c */

struct broker {
    const broker_settings_t *settings;
    char name[ID_INSTANCE_SIZE];
    void *doors[DOORS]; /* ROUTER sockets */
    void *events;       /* XPUB */
    pthread_t thread;
    queue_t stop; /* closed to end the loop: its descriptor wakes it */
    atomic_bool is_stopping;
    stats_t stats;
    wheel_t deadlines; /* of requests */
    wheel_t beats;     /* of instances */
    uint64_t now_ms;   /* read once a round */
    uint64_t awake_ms; /* when the broker had last stood still itself (clock_stalled) */
    peer_t *peers;
    broker_service_t *services;
    slots_t pending;
    TAILQ_HEAD(, peer) lost;
    uint64_t epoch;
    uint64_t registry_sequence; /* highest of a service that was forgotten */
    uint64_t swept_ms, counted_ms;
    retained_t *retained;
    size_t retained_bytes;
    buf_t retained_due; /* prefixes that were subscribed to and wait for retained values */
    uint64_t retained_at_ms;
    _Atomic uint64_t metrics_sequence;
    uint64_t levels_sequence;
    uint64_t refusals_ms; /* since when refused registrations are counted */
    uint32_t refusals;    /* since then */
};

static inline void broker_count(broker_t *self, broker_stat_t row)
{
    stats_add(&self->stats, row, 1);
}

#endif
