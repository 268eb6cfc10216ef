/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the cache: settings, counters, its keeper, and the table of handlers
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/cache/cache.h"

#define KEEPER_BUSY_MS 50  /* how late a lease or a waiter may be ended */
#define KEEPER_IDLE_MS 500 /* how late leaving may be noticed */
#define SWEEP_VALUES   5000

cache_settings_t cache_settings;

#define ROW(field) offsetof(cache_settings_t, field)
#define CLASS(word, field, preset)                                                                 \
    {                                                                                              \
        "ttl_" word "_s", SETTING_INT, ROW(field), preset, 1, CACHE_TTL_MAX_S, "s",                \
            .reloadable = true, .about = "How long values of the class " word " are fresh."        \
    }

static const setting_t s_setting_rows[] = {
    { "memory_bytes", SETTING_INT, ROW(memory_bytes), "67108864", 65536, INT64_C(1) << 40, "bytes",
      .about = "Most memory for values; those used least recently make room." },
    { "value_bytes", SETTING_INT, ROW(value_bytes), "1048576", 1, 64 << 20, "bytes",
      .about = "Largest value that is kept." },
    { "waiters", SETTING_INT, ROW(waiters), "500", 0, ACTOR_INLINE_CREDIT - 100, NULL,
      .about = "Most callers who may wait for somebody else's computation at once." },
    { "stale_s", SETTING_INT, ROW(stale_s), "30", 0, 86400, "s", .reloadable = true,
      .about = "How long a value is given out for which it is no longer fresh, while one caller "
               "computes the next." },
    CLASS("short", short_s, "60"),
    CLASS("medium", medium_s, "300"),
    CLASS("long", long_s, "1800"),
    CLASS("result", result_s, "600"),
    CLASS("static", static_s, "3600"),
    CLASS("session", session_s, "900"),
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[CACHE_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "cache_" name "_total", STATS_COUNTER, about }
#define GAUGE(row, name, about)   [row] = { "cache_" name, STATS_GAUGE, about }
#define HITS(row, from)                                                                            \
    [row] = { "cache_hits_total{from=\"" from "\"}", STATS_COUNTER,                                \
              "Look-ups answered with a value, by where it came from" }
    COUNTER(CACHE_GETS, "gets", "Look-ups answered"),
    HITS(CACHE_HITS, "memory"),
    HITS(CACHE_REDIS_HITS, "redis"),
    HITS(CACHE_STALE_HITS, "stale"),   /* no longer fresh */
    HITS(CACHE_JOINED, "computation"), /* another caller's */
    COUNTER(CACHE_MISSES, "misses", "Look-ups answered without a value"),
    COUNTER(CACHE_CROWDED, "crowded", "Look-ups that could not wait because too many did"),
    COUNTER(CACHE_SETS, "sets", "Values kept"),
    COUNTER(CACHE_DISCARDED, "discarded",
            "Values not kept: invalidated meanwhile, without a lease, too large"),
    COUNTER(CACHE_LEASES_EXPIRED, "leases_expired", "Computations that took longer than said"),
    COUNTER(CACHE_EVICTED, "evicted", "Values that had to make room"),
    COUNTER(CACHE_EXPIRED, "expired", "Values whose time was over"),
    COUNTER(CACHE_INVALIDATED, "invalidated", "Values dropped by invalidations and deletions"),
    COUNTER(CACHE_GAPS, "gaps", "Times that invalidations were missed and everything was dropped"),
    GAUGE(CACHE_ENTRIES, "entries", "Values in memory"),
    GAUGE(CACHE_BYTES, "bytes", "Memory that values take"),
    GAUGE(CACHE_BYTES_MAX, "bytes_max", "Memory that values may take"),
    GAUGE(CACHE_LEASES, "leases", "Computations under way"),
    GAUGE(CACHE_WAITING, "waiting", "Callers who wait for somebody else's computation"),
    GAUGE(CACHE_DEGRADED, "degraded", "Whether Redis is away and the instance carries on alone"),
    [CACHE_OPERATION_TIME] = { "cache_operation_duration_seconds{operation}", STATS_HISTOGRAM,
                               "Time an operation took, waiting for a computation included" },
#undef HITS
#undef GAUGE
#undef COUNTER
};

void cache_refresh(cache_t *self)
{
    stats_t *stats = actor_stats(self->actor);
    stats_set(stats, CACHE_EVICTED, (int64_t)self->lru.evicted);
    stats_set(stats, CACHE_EXPIRED, (int64_t)self->lru.expired);
    stats_set(stats, CACHE_ENTRIES, (int64_t)self->lru.count);
    stats_set(stats, CACHE_BYTES, (int64_t)self->lru.bytes);
    stats_set(stats, CACHE_BYTES_MAX, (int64_t)self->lru.bytes_max);
    stats_set(stats, CACHE_LEASES, (int64_t)self->leases);
    stats_set(stats, CACHE_WAITING, (int64_t)self->waiting);
    stats_set(stats, CACHE_DEGRADED, self->redis && !owe_nothing(self));
}

/* ---- the keeper ----------------------------------------------------------------------------- */

/* Ends leases and waiters in their time; when the instance leaves, all who wait. */
static void *s_keep(void *arg)
{
    cache_t *self = arg;
    log_set_part(cache_service.name);
    monitor_lock(&self->monitor);
    while (!self->is_stopping) {
        flight_expire(self, clock_ms());
        if (actor_is_draining(self->actor))
            flight_end_waiters(self);
        bool is_busy = self->leases_due.count + self->waits_due.count > 0;
        monitor_wait_until(&self->monitor,
                           clock_ms() + (is_busy ? KEEPER_BUSY_MS : KEEPER_IDLE_MS));
    }
    monitor_unlock(&self->monitor);
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    cache_t *self = memory;
    (void)why;
    (void)why_size;
    self->actor = actor;
    self->redis = actor_redis(actor);
    self->last_lease = id_random_u64() & CACHE_NUMBER_MASK;
    self->last_id = id_random_u64() & CACHE_NUMBER_MASK;
    monitor_init(&self->monitor);
    lru_init(&self->lru, (size_t)cache_settings.memory_bytes);
    epochs_init(&self->epochs);
    wheel_init(&self->leases_due, clock_ms());
    wheel_init(&self->waits_due, clock_ms());
    TAILQ_INIT(&self->owed);
    insist(pthread_create(&self->keeper, NULL, s_keep, self) == 0);
    return true;
}

static void s_connected(actor_t *actor, void *memory)
{
    client_subscribe(actor_client(actor), topic_row(TOPIC_CACHE_INVALIDATE)->prefix,
                     cache_on_invalidated, memory);
}

/* Said once when it begins and once when it ends. */
static void s_say_degraded(cache_t *self)
{
    bool is_degraded = self->redis && !owe_nothing(self);
    if (is_degraded == self->was_degraded)
        return;
    self->was_degraded = is_degraded;
    LOG(is_degraded ? LOG_WARN : LOG_INFO, is_degraded ? "cache.degraded" : "cache.recovered",
        LOG_INT("values", self->lru.count));
}

static void s_tick(actor_t *actor, void *memory)
{
    cache_t *self = memory;
    static const drop_t everything = { .is_all = true };
    size_t dropped, voided;
    monitor_lock(&self->monitor);
    if (!client_is_ready(actor_client(actor))) /* nobody tells us any more what is void */
        cache_apply(self, &everything, &dropped, &voided);
    lru_sweep(&self->lru, clock_ms(), SWEEP_VALUES);
    epochs_forget(&self->epochs, flight_oldest_epoch(self));
    owe_pay(self);
    s_say_degraded(self);
    cache_refresh(self);
    monitor_unlock(&self->monitor);
}

static void s_stop(actor_t *actor, void *memory)
{
    cache_t *self = memory;
    (void)actor;
    monitor_lock(&self->monitor);
    self->is_stopping = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    pthread_join(self->keeper, NULL);
    if (self->redis)
        redis_drain(self->redis); /* now no look-up ends any more */
    flight_free_all(self);
    owe_free(self);
    epochs_free(&self->epochs);
    lru_free(&self->lru);
    monitor_free(&self->monitor);
}

static const handler_t s_handlers[] = {
    { &cache_get, cache_on_get, HANDLE_INLINE },
    { &cache_set, cache_on_set, HANDLE_INLINE },
    { &cache_release, cache_on_release, HANDLE_INLINE },
    { &cache_delete, cache_on_delete, HANDLE_INLINE },
    { &cache_warm, cache_on_warm, HANDLE_INLINE },
    { &cache_invalidate, cache_on_invalidate, HANDLE_INLINE },
    { &cache_drop, cache_on_drop, HANDLE_INLINE },
    { &cache_stats, cache_on_stats, HANDLE_INLINE },
    { &cache_report, cache_on_report, HANDLE_INLINE },
    { 0 },
};

const actor_spec_t cache_actor = {
    .service = &cache_service,
    .settings = s_setting_rows,
    .settings_target = &cache_settings,
    .stats = s_stats_rows,
    .times_row = CACHE_OPERATION_TIME,
    .uses_redis = true,
    .self_size = sizeof(cache_t),
    .init = s_init,
    .connected = s_connected,
    .tick = s_tick,
    .stop = s_stop,
    .handlers = s_handlers,
};
