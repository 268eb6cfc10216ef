/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter - the actor that counts: who has used how much, and who may not use more
 *
 * Promises: without a fault, no policy of the kind `window` ever lets more through than its limit
 * in any window, wherever it begins. When the owner of a subject changes without a word (its
 * process is killed), what it admitted in the last moments may not be known to the next one: at
 * most what is admitted in one flush (COPY_MS for the copy at the runner-up, `limiter.flush_ms` for
 * the store), and what comes to light of it afterwards is counted (limiter_overrun_total).
 *
 * Memory decides. Each subject has one owner, by its route key. The owner sends what it counts to
 * the runner-up, and writes it behind to the store; a subject that is not in memory is read from
 * the store before anything is decided about it. While the store cannot be reached the limiter goes
 * on with what memory holds.
 *
 *   engine    decides; pure                 backing  one thread: reads and writes the store
 *   peers     who is there; pure            copies   one thread: sends to the runner-up
 *   hot       who asks most; pure           on_*     the handlers, on the I/O thread
 *
 * All of it is under one lock, which nobody holds while waiting for anything.
 */
#ifndef SIGNALBOX_LIMITER_LIMITER_H
#define SIGNALBOX_LIMITER_LIMITER_H

#include "actors/base/monitor.h"
#include "actors/limiter/engine.h"
#include "actors/limiter/hot.h"
#include "actors/limiter/peers.h"
#include "actors/limiter/ledger.h"
#include "actors/runtime/actor.h"
#include "actors/runtime/breaker.h"

typedef struct {
    int64_t memory_mb;
    int64_t flush_ms;
    int64_t lease_ms;
} limiter_settings_t;

typedef enum {
    LIMITER_ALLOWED,
    LIMITER_REFUSED,
    LIMITER_REFUNDED,
    LIMITER_LENT,
    LIMITER_NO_ROOM,
    LIMITER_LOADED,
    LIMITER_LOAD_FAILURES,
    LIMITER_STORED,
    LIMITER_STORE_FAILURES,
    LIMITER_COPIES_SENT,
    LIMITER_COPIES_TAKEN,
    LIMITER_COPIES_LOST,
    LIMITER_EVICTED,
    LIMITER_OVERRUN,
    LIMITER_TAKEOVERS,
    LIMITER_SUBJECTS,
    LIMITER_BYTES,
    LIMITER_PEERS,
    LIMITER_FLUSH_TIME,
    LIMITER_STATS
} limiter_stat_t;

typedef void (*waiting_fn)(call_t *call, void *self);

/* A call that goes on later, on the backing thread. */
typedef struct waiting {
    TAILQ_ENTRY(waiting) entry;
    call_t *call;
    waiting_fn run;
    size_t size; /* of the subject that has to be loaded first; 0: none */
    char subject[];
} waiting_t;

typedef TAILQ_HEAD(waiting_list, waiting) waiting_list_t;

typedef struct {
    actor_t *actor;
    ledger_t ledger;
    uint64_t started_ms; /* monotonic */
    int64_t wall_ms;     /* what the wall clock said then */
    pthread_t backing, copier;
    monitor_t monitor; /* locks everything below; opened when a thread has something to do */
    bool is_leaving;   /* the others are told so */
    bool is_stopping;
    engine_t engine;
    hot_t hot;
    uint32_t ticks;
    waiting_list_t loads, orders; /* for the backing thread */
    bool is_outdated;             /* the store has other policies */
    breaker_t store_breaker;      /* of reading */
    uint64_t join_until_ms; /* how long loading waits for what others hand over; 0: nobody asked */
    peers_t peers;
    bool has_copies; /* something is in an outbox */
} limiter_t;

#define LIMITER_FULL "There is no memory for another subject (limiter.memory_mb)"

extern const actor_spec_t limiter_actor;
extern limiter_settings_t limiter_settings;

/* The wall clock at the start, carried on by the monotonic one: setting the clock opens no window
 * and freezes none. */
int64_t limiter_now_ms(const limiter_t *self);

static inline void limiter_count(limiter_t *self, limiter_stat_t row, int64_t amount)
{
    stats_add(actor_stats(self->actor), row, amount);
}

/* Publishes the policies in force. The lock is held. */
void limiter_publish_policies(limiter_t *self);

/* ---- handlers -------------------------------------------------------------------------------- */

void limiter_on_take(call_t *call, void *self);
void limiter_on_peek(call_t *call, void *self);
void limiter_on_refund(call_t *call, void *self);
void limiter_on_top(call_t *call, void *self);
void limiter_on_policies(call_t *call, void *self);
void limiter_on_policy_set(call_t *call, void *self);
void limiter_on_policy_delete(call_t *call, void *self);

/* ---- backing --------------------------------------------------------------------------------- */

/* Reads the policies before the first request. */
bool backing_read_policies(limiter_t *self, db_t *db) MUST_CHECK;

void backing_start(limiter_t *self);

/* Writes what is not written yet, and ends; calls that still wait are answered UNAVAILABLE. */
void backing_stop(limiter_t *self);

/* Lets a call go on once its subject is in memory, or (`subject` NULL) as soon as the backing
 * thread has time, where it may use the database. The lock is held. */
void backing_defer(limiter_t *self, call_t *call, waiting_fn run, const char *subject, size_t size);

/* ---- copies ---------------------------------------------------------------------------------- */

/* Subscribes to what brokers say about the instances, and to what these say to this one. */
void copies_subscribe(limiter_t *self, client_t *client);
void copies_start(limiter_t *self);
void copies_stop(limiter_t *self);

/* Tells the others that this instance leaves, and waits, not for ever, until they know. */
void copies_announce_leaving(limiter_t *self);

/* Sends on what was counted, or given back, at these times. The lock is held. */
void copies_add(limiter_t *self, subject_t *subject, const take_t *take, const int64_t *times,
                size_t time_count);

/* Each second. The lock is held. */
void copies_tick(limiter_t *self);

#endif
