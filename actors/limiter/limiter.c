/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter - the actor that counts: settings, counters, life, and the table of handlers
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/limiter/limiter.h"

#define FADE_TICKS 60     /* seconds until what is hot counts half */
#define IDLE_MS    300000 /* after which a subject the store has leaves memory */
#define IDLE_MOST  2000   /* that leave each second */
#define MIB        (1u << 20)

limiter_settings_t limiter_settings;

#define ROW(field) offsetof(limiter_settings_t, field)

static const setting_t s_setting_rows[] = {
    { "memory_mb", SETTING_INT, ROW(memory_mb), "32", 1, 65536, "MiB",
      .about = "Memory for subjects; when it is full of what still counts, new ones are refused." },
    { "flush_ms", SETTING_INT, ROW(flush_ms), "200", 10, 60000, "ms",
      .about = "How often what was counted is written to the store; what a crash may lose." },
    { "lease_ms", SETTING_INT, ROW(lease_ms), "5000", 0, 60000, "ms",
      .about = "How long what is lent may be used at most; 0 lends nothing." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[LIMITER_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "limiter_" name "_total", STATS_COUNTER, about }
    COUNTER(LIMITER_ALLOWED, "allowed", "Takes that were counted"),
    COUNTER(LIMITER_REFUSED, "refused", "Takes that a policy refused"),
    COUNTER(LIMITER_REFUNDED, "refunded", "Uses given back"),
    COUNTER(LIMITER_LENT, "lent", "Uses lent for later"),
    COUNTER(LIMITER_NO_ROOM, "no_room", "Requests refused because memory was full"),
    COUNTER(LIMITER_LOADED, "loaded", "Subjects read from the store"),
    COUNTER(LIMITER_LOAD_FAILURES, "load_failures", "Reads of the store that failed"),
    COUNTER(LIMITER_STORED, "stored", "Subjects written to the store"),
    COUNTER(LIMITER_STORE_FAILURES, "store_failures", "Subjects that could not be written"),
    COUNTER(LIMITER_COPIES_SENT, "copies_sent", "Copies sent to other instances"),
    COUNTER(LIMITER_COPIES_TAKEN, "copies_taken", "Copies taken in from other instances"),
    COUNTER(LIMITER_COPIES_LOST, "copies_lost", "Bunches or copies that were lost on the way"),
    COUNTER(LIMITER_EVICTED, "evicted", "Subjects put out of memory that the store has"),
    COUNTER(LIMITER_OVERRUN, "overrun", "Uses beyond a policy that came to light afterwards"),
    COUNTER(LIMITER_TAKEOVERS, "takeovers", "Subjects taken over, also from a life before"),
#undef COUNTER
    [LIMITER_SUBJECTS] = { "limiter_subjects", STATS_GAUGE, "Subjects in memory" },
    [LIMITER_BYTES] = { "limiter_bytes", STATS_GAUGE, "Memory of them" },
    [LIMITER_PEERS] = { "limiter_peers", STATS_GAUGE, "Other instances" },
    [LIMITER_FLUSH_TIME] = { "limiter_flush_duration_seconds", STATS_HISTOGRAM,
                             "Time to write what was counted to the store" },
};

int64_t limiter_now_ms(const limiter_t *self)
{
    return self->wall_ms + (int64_t)(clock_ms() - self->started_ms);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void s_release(actor_t *actor, void *memory)
{
    limiter_t *self = memory;
    (void)actor;
    peers_free(&self->peers);
    engine_free(&self->engine);
    monitor_free(&self->monitor);
}

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    limiter_t *self = memory;
    uint8_t seed[16];
    id_random(seed, sizeof seed);
    self->actor = actor;
    self->ledger = (ledger_t){ .db = actor_db(actor), .redis = actor_redis(actor) };
    self->started_ms = clock_ms();
    self->wall_ms = clock_wall_ms();
    monitor_init(&self->monitor);
    TAILQ_INIT(&self->loads);
    TAILQ_INIT(&self->orders);
    engine_init(&self->engine, (size_t)limiter_settings.memory_mb * MIB, seed);
    self->engine.has_store = true;
    self->engine.lease_ms = limiter_settings.lease_ms;
    peers_init(&self->peers, actor_instance(actor));
    if (!backing_read_policies(self, actor_db(actor))) {
        snprintf(why, why_size, "the policies cannot be read from the database");
        s_release(actor, self);
        return false;
    }
    return true;
}

/* Whoever waits for a call's subject waits for what is subscribed to here. */
static void s_connected(actor_t *actor, void *memory)
{
    limiter_t *self = memory;
    copies_subscribe(self, actor_client(actor));
    monitor_lock(&self->monitor);
    limiter_publish_policies(self);
    monitor_unlock(&self->monitor);
    backing_start(self);
    copies_start(self);
}

static void s_show(limiter_t *self)
{
    stats_t *stats = actor_stats(self->actor);
    stats_set(stats, LIMITER_EVICTED, (int64_t)self->engine.evicted);
    stats_set(stats, LIMITER_OVERRUN, (int64_t)self->engine.overrun);
    stats_set(stats, LIMITER_TAKEOVERS, (int64_t)self->engine.takeover);
    stats_set(stats, LIMITER_SUBJECTS, (int64_t)self->engine.count);
    stats_set(stats, LIMITER_BYTES, (int64_t)self->engine.bytes);
    stats_set(stats, LIMITER_PEERS, (int64_t)self->peers.count);
}

static void s_tick(actor_t *actor, void *memory)
{
    limiter_t *self = memory;
    (void)actor;
    monitor_lock(&self->monitor);
    engine_evict_idle(&self->engine, limiter_now_ms(self), IDLE_MS, IDLE_MOST);
    if (++self->ticks % FADE_TICKS == 0)
        hot_fade(&self->hot);
    copies_tick(self);
    s_show(self);
    monitor_unlock(&self->monitor);
}

static void s_leave(actor_t *actor, void *memory)
{
    (void)actor;
    copies_announce_leaving(memory);
}

static void s_stop(actor_t *actor, void *memory)
{
    limiter_t *self = memory;
    (void)actor;
    monitor_lock(&self->monitor);
    self->is_stopping = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    copies_stop(self);
    backing_stop(self);
}

/* ---- the actor ------------------------------------------------------------------------------- */

static const handler_t s_handlers[] = {
    { &limiter_take, limiter_on_take, HANDLE_INLINE },
    { &limiter_peek, limiter_on_peek, HANDLE_INLINE },
    { &limiter_refund, limiter_on_refund, HANDLE_INLINE },
    { &limiter_top, limiter_on_top, HANDLE_INLINE },
    { &limiter_policies, limiter_on_policies, HANDLE_INLINE },
    { &limiter_policy_set, limiter_on_policy_set, HANDLE_INLINE },
    { &limiter_policy_delete, limiter_on_policy_delete, HANDLE_INLINE },
    { 0 },
};

const actor_spec_t limiter_actor = {
    .service = &limiter_service,
    .settings = s_setting_rows,
    .settings_target = &limiter_settings,
    .stats = s_stats_rows,
    .migrations = limiter_migrations,
    .uses_redis = true,
    .self_size = sizeof(limiter_t),
    .init = s_init,
    .connected = s_connected,
    .tick = s_tick,
    .leave = s_leave,
    .stop = s_stop,
    .release = s_release,
    .handlers = s_handlers,
};
