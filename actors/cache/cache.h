/* SPDX-License-Identifier: MPL-2.0
 *
 * cache - the actor that keeps answers which need not be computed twice
 *
 * Two levels: the LRU of this instance, and Redis, which instances share. What only one of them has
 * is found; what Redis cannot be asked for is computed anew. An instance without Redis, by choice
 * or because Redis is away, works alone, and says so.
 *
 * A flight is what is known of a key that has no value: first it is looked up in Redis, then one
 * caller computes it with a lease, and others wait. Equal keys meet here because the broker routes
 * them to one instance.
 *
 * Invalidations: Redis first, so that nobody can read there what is gone, then a broadcast to all
 * instances, gathered, then the event. An instance that reads an event it has not carried out as a
 * broadcast carries it out then. What Redis could not be told every instance owes it, and reads
 * nothing there before it has paid.
 *
 * Threads: handlers run on the I/O thread, look-ups end on Redis' thread, the keeper ends what has
 * waited too long. One lock guards everything; nothing blocks under it.
 */
#ifndef SIGNALBOX_CACHE_CACHE_H
#define SIGNALBOX_CACHE_CACHE_H

#include <uthash.h>

#include "actors/base/monitor.h"
#include "actors/base/wheel.h"
#include "actors/cache/epochs.h"
#include "actors/cache/shared.h"
#include "actors/runtime/actor.h"

#define CACHE_SEEN_MAX 256 /* invalidations remembered, so that their events are not done again */
#define CACHE_OWED_MAX 64  /* invalidations that Redis must yet be told of */

typedef struct {
    int64_t memory_bytes, value_bytes;
    int64_t waiters;
    int64_t stale_s;
    int64_t short_s, medium_s, long_s, result_s, static_s, session_s;
} cache_settings_t;

extern cache_settings_t cache_settings;

typedef enum {
    CACHE_GETS,
    CACHE_HITS,
    CACHE_REDIS_HITS,
    CACHE_STALE_HITS,
    CACHE_JOINED,
    CACHE_MISSES,
    CACHE_CROWDED,
    CACHE_SETS,
    CACHE_DISCARDED,
    CACHE_LEASES_EXPIRED,
    CACHE_EVICTED,
    CACHE_EXPIRED,
    CACHE_INVALIDATED,
    CACHE_GAPS,
    CACHE_ENTRIES,
    CACHE_BYTES,
    CACHE_BYTES_MAX,
    CACHE_LEASES,
    CACHE_WAITING,
    CACHE_DEGRADED,
    CACHE_OPERATION_TIME,
    CACHE_STATS
} cache_stat_t;

typedef struct flight flight_t;
typedef struct waiter waiter_t;
typedef struct owed owed_t;

typedef struct {
    actor_t *actor;
    redis_t *redis; /* NULL: none configured */
    monitor_t monitor;
    lru_t lru;
    epochs_t epochs;
    uint64_t redis_epoch; /* the last one heard of */
    flight_t *flights;    /* by key */
    wheel_t leases_due, waits_due;
    size_t waiting, leases;
    uint64_t last_lease, last_id; /* numbers, from a random start: unlike other instances' */
    uint64_t seen[CACHE_SEEN_MAX];
    size_t seen_next;
    TAILQ_HEAD(cache_owed, owed) owed;
    size_t owed_count;
    bool is_paying, was_degraded;
    pthread_t keeper;
    bool is_stopping;
} cache_t;

/* ---- flight.c: under the lock --------------------------------------------------------------- */

/* Answers a look-up that found no fresh value in memory: with a lease, later, or without either. */
void flight_join(cache_t *self, call_t *call, span_t key, const lru_item_t *stale);

/* The flight that holds this lease; NULL when it is over. */
flight_t *flight_find(cache_t *self, span_t key, uint64_t lease);

/* Whether a value with these tags, computed under the flight's lease, may be kept. */
bool flight_allows(const cache_t *self, const flight_t *flight, const span_t *tags, size_t count);

/* The epoch in Redis at the flight's beginning. */
uint64_t flight_redis_epoch(const flight_t *flight);

/* Gives the value to all who wait for the key; whoever computes it yet goes on. */
void flight_answer(cache_t *self, const lru_item_t *item);

/* The lease is over: without a value the next who waits receives one. */
void flight_end_lease(cache_t *self, flight_t *flight);

/* What is named must not be kept when it comes; returns how many. */
size_t flight_void(cache_t *self, const drop_t *drop);

/* Ends what has waited too long. */
void flight_expire(cache_t *self, uint64_t now_ms);

/* Answers all who wait with a miss. */
void flight_end_waiters(cache_t *self);

/* The oldest epoch a flight began in; the present one when there are none. */
uint64_t flight_oldest_epoch(const cache_t *self);

void flight_free_all(cache_t *self);

/* ---- values.c: under the lock ---------------------------------------------------------------- */

/* Keeps a value in memory; false when it is too large. */
bool cache_keep(cache_t *self, const lru_item_t *item) MUST_CHECK;

/* Answers a get with a value, or with a miss (`item` is not looked at); `lease` 0: none. */
void cache_answer(cache_t *self, call_t *call, const lru_item_t *item, lru_state_t state,
                  uint64_t lease);

/* Takes an invalidation over; what it drops is dropped in Redis, too. */
void cache_apply(cache_t *self, const drop_t *drop, size_t *dropped, size_t *voided);

/* ---- owe.c: under the lock ------------------------------------------------------------------ */

struct owed {
    TAILQ_ENTRY(owed) entry;
    drop_t *drop;
};

/* Takes down what Redis must be told once it is back. */
void owe(cache_t *self, const drop_t *drop);

/* Tells Redis the next of it, when there is any and Redis is there. */
void owe_pay(cache_t *self);

/* Whether Redis may be read: it is there, and nothing is owed. */
bool owe_nothing(const cache_t *self);

void owe_free(cache_t *self);

/* ---- numbers -------------------------------------------------------------------------------- */

static inline void cache_count(cache_t *self, cache_stat_t row, int64_t amount)
{
    stats_add(actor_stats(self->actor), row, amount);
}

/* Brings the numbers that are not counted as they happen up to date; under the lock. */
void cache_refresh(cache_t *self);

/* A number for a lease or an invalidation, which JSON readers hold exactly. */
#define CACHE_NUMBER_MASK ((UINT64_C(1) << 53) - 1)

/* ---- handlers ------------------------------------------------------------------------------- */

void cache_on_get(call_t *call, void *self);
void cache_on_set(call_t *call, void *self);
void cache_on_release(call_t *call, void *self);
void cache_on_delete(call_t *call, void *self);
void cache_on_warm(call_t *call, void *self);
void cache_on_invalidate(call_t *call, void *self);
void cache_on_drop(call_t *call, void *self);
void cache_on_stats(call_t *call, void *self);
void cache_on_report(call_t *call, void *self);

/* Events of other instances' invalidations. */
void cache_on_invalidated(void *self, const client_event_t *event);

/* Reads the key of a request; when it is none, fails the call and returns false. */
bool cache_require_key(call_t *call, span_t *key) MUST_CHECK;

extern const actor_spec_t cache_actor;

#endif
