/* SPDX-License-Identifier: MPL-2.0
 *
 * flight - a key that is being looked up or computed, and who waits for it
 *
 * A flight begins with the first caller who finds no fresh value. LOOKING: Redis is asked; it ends
 * with the answer, which always comes. LEASED: one caller computes; it ends with the value, a
 * release, or the lease's time. Without a value the oldest caller who still waits computes next.
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/cache/cache.h"

typedef enum { FLIGHT_LOOKING, FLIGHT_LEASED } flight_phase_t;

struct flight {
    UT_hash_handle hh;
    cache_t *cache;
    flight_phase_t phase;
    bool is_void;         /* invalidated: what comes is not kept */
    uint64_t lease;       /* of the one who computes */
    wheel_timer_t timer;  /* of the lease */
    uint64_t epoch;       /* when the look-up began, or the lease was given */
    uint64_t redis_epoch; /* likewise in Redis */
    TAILQ_HEAD(flight_waiters, waiter) waiters;
    size_t key_size;
    uint8_t key[];
};

struct waiter {
    TAILQ_ENTRY(waiter) entry;
    flight_t *flight;
    call_t *call;
    wheel_timer_t timer;
    uint32_t wait_ms;  /* how long to wait for somebody else's computation */
    uint32_t lease_ms; /* how long the caller would compute; 0: not at all */
};

static span_t s_key(const flight_t *flight)
{
    return (span_t){ flight->key, flight->key_size };
}

static flight_t *s_find(const cache_t *self, span_t key)
{
    flight_t *flight;
    HASH_FIND(hh, self->flights, key.bytes, key.size, flight);
    return flight;
}

static flight_t *s_new(cache_t *self, span_t key)
{
    flight_t *flight = mem_zeroed(sizeof *flight + key.size);
    flight->cache = self;
    flight->epoch = self->epochs.now;
    flight->redis_epoch = self->redis_epoch;
    TAILQ_INIT(&flight->waiters);
    flight->key_size = key.size;
    memcpy(flight->key, key.bytes, key.size);
    HASH_ADD_KEYPTR(hh, self->flights, flight->key, flight->key_size, flight);
    return flight;
}

static void s_free(cache_t *self, flight_t *flight)
{
    insist(TAILQ_EMPTY(&flight->waiters));
    if (flight->phase == FLIGHT_LEASED)
        self->leases--;
    wheel_remove(&self->leases_due, &flight->timer);
    HASH_DELETE(hh, self->flights, flight);
    mem_free(flight);
}

/* ---- who waits ------------------------------------------------------------------------------ */

/* Takes the waiter away and returns its call, which is to be answered. */
static call_t *s_leave(cache_t *self, waiter_t *waiter)
{
    call_t *call = waiter->call;
    wheel_remove(&self->waits_due, &waiter->timer);
    TAILQ_REMOVE(&waiter->flight->waiters, waiter, entry);
    self->waiting--;
    mem_free(waiter);
    return call;
}

static void s_end_waiter(cache_t *self, waiter_t *waiter)
{
    cache_answer(self, s_leave(self, waiter), NULL, LRU_MISS, 0);
}

/* The caller's own deadline counts, too: an answer that comes too late is none. */
static uint32_t s_patience_ms(const call_t *call, uint32_t wait_ms)
{
    uint32_t left_ms = call_left_ms(call) / 10 * 9;
    return wait_ms < left_ms ? wait_ms : left_ms;
}

static void s_wake_keeper(cache_t *self)
{
    if (self->leases_due.count + self->waits_due.count == 0)
        monitor_wake(&self->monitor);
}

static void s_wait(cache_t *self, flight_t *flight, call_t *call, uint32_t wait_ms,
                   uint32_t lease_ms)
{
    waiter_t *waiter = mem_zeroed(sizeof *waiter);
    *waiter =
        (waiter_t){ .flight = flight, .call = call, .wait_ms = wait_ms, .lease_ms = lease_ms };
    TAILQ_INSERT_TAIL(&flight->waiters, waiter, entry);
    self->waiting++;
    if (wait_ms) { /* else it waits for Redis only, whose answer always comes */
        s_wake_keeper(self);
        wheel_add(&self->waits_due, &waiter->timer, clock_ms() + s_patience_ms(call, wait_ms));
    }
    call_defer(call);
}

/* ---- leases --------------------------------------------------------------------------------- */

static uint64_t s_lease(cache_t *self, flight_t *flight, uint32_t lease_ms)
{
    self->last_lease = (self->last_lease + 1) & CACHE_NUMBER_MASK;
    if (flight->phase == FLIGHT_LOOKING)
        self->leases++;
    flight->phase = FLIGHT_LEASED;
    flight->is_void = false;
    flight->lease = self->last_lease ? self->last_lease : ++self->last_lease;
    flight->epoch = self->epochs.now;
    flight->redis_epoch = self->redis_epoch;
    s_wake_keeper(self);
    wheel_add(&self->leases_due, &flight->timer, clock_ms() + lease_ms);
    return flight->lease;
}

/* Nobody computes the key now: the oldest caller who still waits and would, does. */
static void s_pass_on(cache_t *self, flight_t *flight)
{
    bool is_taken = false;
    waiter_t *next;
    for (waiter_t *waiter = TAILQ_FIRST(&flight->waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        bool is_gone = call_is_cancelled(waiter->call) || call_left_ms(waiter->call) == 0;
        if (!is_taken && !is_gone && waiter->lease_ms) {
            is_taken = true;
            uint64_t lease = s_lease(self, flight, waiter->lease_ms);
            cache_answer(self, s_leave(self, waiter), NULL, LRU_MISS, lease);
        } else if (is_gone || !waiter->wait_ms || !waiter->lease_ms) {
            s_end_waiter(self, waiter);
        }
    }
    if (!is_taken)
        s_free(self, flight);
}

/* ---- looking in Redis ----------------------------------------------------------------------- */

/* What a record is in memory. False when its time is over by our clock. */
static bool s_item_of(const flight_t *flight, const record_t *record, lru_item_t *item)
{
    uint64_t now_ms = clock_ms();
    int64_t age_ms = clock_wall_ms() - record->born_ms;
    if (age_ms < 0) /* made by a clock ahead of ours */
        age_ms = 0;
    if (age_ms >= record->fresh_ms)
        return false;
    uint64_t fresh_until_ms = now_ms + record->fresh_ms - (uint64_t)age_ms;
    *item =
        (lru_item_t){ .key = s_key(flight),
                      .value = record->value,
                      .tags = record->tags,
                      .tag_count = record->tag_count,
                      .born_ms = now_ms > (uint64_t)age_ms ? now_ms - (uint64_t)age_ms : 0,
                      .fresh_until_ms = fresh_until_ms,
                      .stale_until_ms = fresh_until_ms + (uint64_t)cache_settings.stale_s * 1000 };
    return true;
}

static void s_on_found(void *arg, const record_t *record, uint64_t epoch)
{
    flight_t *flight = arg;
    cache_t *self = flight->cache;
    lru_item_t item;
    monitor_lock(&self->monitor);
    self->redis_epoch = epoch;
    if (record && !flight->is_void && s_item_of(flight, record, &item) &&
        epochs_allow(&self->epochs, flight->epoch, record->tags, record->tag_count)) {
        flight_answer(self, &item);
        if (!cache_keep(self, &item))
            cache_count(self, CACHE_DISCARDED, 1);
    }
    s_pass_on(self, flight);
    monitor_unlock(&self->monitor);
}

/* ---- for the handlers ----------------------------------------------------------------------- */

static void s_join_flight(cache_t *self, flight_t *flight, call_t *call, uint32_t wait_ms,
                          uint32_t lease_ms)
{
    bool is_crowded = self->waiting >= (size_t)cache_settings.waiters;
    bool would_wait = flight->phase == FLIGHT_LOOKING || (wait_ms && lease_ms);
    if (would_wait && !is_crowded) {
        s_wait(self, flight, call, wait_ms, lease_ms);
        return;
    }
    if (would_wait)
        cache_count(self, CACHE_CROWDED, 1);
    cache_answer(self, call, NULL, LRU_MISS, 0);
}

static void s_begin(cache_t *self, span_t key, call_t *call, uint32_t wait_ms, uint32_t lease_ms)
{
    flight_t *flight = s_new(self, key);
    if (owe_nothing(self) && shared_look(self->redis, key, s_on_found, flight)) {
        s_join_flight(self, flight, call, wait_ms, lease_ms);
        return;
    }
    uint64_t lease = lease_ms ? s_lease(self, flight, lease_ms) : 0;
    if (!lease)
        s_free(self, flight);
    cache_answer(self, call, NULL, LRU_MISS, lease);
}

void flight_join(cache_t *self, call_t *call, span_t key, const lru_item_t *stale)
{
    uint32_t wait_ms = (uint32_t)call_int(call, "wait_ms");
    uint32_t lease_ms = (uint32_t)call_int(call, "lease_ms");
    flight_t *flight = s_find(self, key);
    if (stale) {
        bool computes = !flight && lease_ms;
        uint64_t lease = computes ? s_lease(self, s_new(self, key), lease_ms) : 0;
        cache_answer(self, call, stale, LRU_STALE, lease);
    } else if (flight) {
        s_join_flight(self, flight, call, wait_ms, lease_ms);
    } else {
        s_begin(self, key, call, wait_ms, lease_ms);
    }
}

flight_t *flight_find(cache_t *self, span_t key, uint64_t lease)
{
    flight_t *flight = s_find(self, key);
    return flight && flight->phase == FLIGHT_LEASED && flight->lease == lease ? flight : NULL;
}

bool flight_allows(const cache_t *self, const flight_t *flight, const span_t *tags, size_t count)
{
    return !flight->is_void && epochs_allow(&self->epochs, flight->epoch, tags, count);
}

uint64_t flight_redis_epoch(const flight_t *flight)
{
    return flight->redis_epoch;
}

void flight_answer(cache_t *self, const lru_item_t *item)
{
    waiter_t *waiter;
    flight_t *flight = s_find(self, item->key);
    if (!flight)
        return;
    bool is_looking = flight->phase == FLIGHT_LOOKING;
    while ((waiter = TAILQ_FIRST(&flight->waiters))) {
        cache_count(self, is_looking ? CACHE_REDIS_HITS : CACHE_JOINED, 1);
        cache_answer(self, s_leave(self, waiter), item, LRU_FRESH, 0);
    }
    flight->is_void |= is_looking; /* what Redis answers is older than this */
}

void flight_end_lease(cache_t *self, flight_t *flight)
{
    s_pass_on(self, flight);
}

size_t flight_void(cache_t *self, const drop_t *drop)
{
    size_t voided = 0;
    flight_t *flight, *next;
    HASH_ITER(hh, self->flights, flight, next)
    {
        if (flight->is_void || !drop_names_key(drop, s_key(flight)))
            continue;
        flight->is_void = true;
        voided += flight->phase == FLIGHT_LEASED;
    }
    return voided;
}

void flight_expire(cache_t *self, uint64_t now_ms)
{
    wheel_timer_t *timer;
    while ((timer = wheel_expired(&self->leases_due, now_ms))) {
        cache_count(self, CACHE_LEASES_EXPIRED, 1);
        s_pass_on(self, CONTAINER_OF(timer, flight_t, timer));
    }
    while ((timer = wheel_expired(&self->waits_due, now_ms)))
        s_end_waiter(self, CONTAINER_OF(timer, waiter_t, timer));
}

void flight_end_waiters(cache_t *self)
{
    flight_t *flight, *next;
    waiter_t *waiter;
    HASH_ITER(hh, self->flights, flight, next)
    {
        while ((waiter = TAILQ_FIRST(&flight->waiters)))
            s_end_waiter(self, waiter);
    }
}

uint64_t flight_oldest_epoch(const cache_t *self)
{
    uint64_t oldest = self->epochs.now;
    for (const flight_t *flight = self->flights; flight; flight = flight->hh.next)
        if (flight->epoch < oldest)
            oldest = flight->epoch;
    return oldest;
}

void flight_free_all(cache_t *self)
{
    flight_end_waiters(self);
    while (self->flights)
        s_free(self, self->flights);
}
