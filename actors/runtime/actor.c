/* SPDX-License-Identifier: MPL-2.0
 *
 * actor - an actor's life: starting, its threads, leaving
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log.h"
#include "actors/base/process.h"
#include "actors/base/text.h"
#include "actors/runtime/state.h"

#define ACTOR_REGISTER_MS 10000 /* how long starting waits for a broker */
#define ACTOR_TICK_MS     1000
#define ACTOR_DRAINED_MS  2000 /* a broker that has not answered by then is not waited for */

#define ROW(field) offsetof(actor_settings_t, field)

const setting_t actor_setting_rows[] = {
    { "instance", SETTING_TEXT, ROW(instance), .max = ID_INSTANCE_SIZE - 1,
      .about = "Name of the instance; made up when empty." },
    { "threads", SETTING_INT, ROW(threads), "4", 1, 256, "threads",
      .about = "Threads that handle requests; each may have a database connection." },
    { "waiting", SETTING_INT, ROW(waiting), "256", 1, 100000, NULL,
      .about = "Requests that may wait for a thread." },
    { "drain_ms", SETTING_INT, ROW(drain_ms), "10000", 0, 600000, "ms",
      .about = "How long leaving may take." },
    { "slow_ms", SETTING_INT, ROW(slow_ms), "1000", 1, 600000, "ms", .reloadable = true,
      .about = "A call that takes longer is logged and counted." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[ACTOR_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "actor_" name "_total", STATS_COUNTER, about }
    COUNTER(ACTOR_CALLS, "calls", "Requests received"),
    COUNTER(ACTOR_FAILURES, "failures", "Requests answered with an error"),
    COUNTER(ACTOR_FAULTS, "faults", "Of them, those that were no fault of the caller's"),
    COUNTER(ACTOR_INVALID, "invalid", "Requests that did not fit their schema"),
    COUNTER(ACTOR_FORBIDDEN, "forbidden", "Requests whose caller may not make them"),
    COUNTER(ACTOR_EXPIRED, "expired", "Requests whose deadline passed before they were begun"),
    COUNTER(ACTOR_CANCELLED, "cancelled", "Requests given up before they were begun"),
    COUNTER(ACTOR_REFUSED, "refused", "Requests refused because too many waited"),
    COUNTER(ACTOR_SLOW, "slow", "Requests that took longer than actor.slow_ms"),
    COUNTER(ACTOR_BREAKERS_OPENED, "breakers_opened", "Times a failing service was given a rest"),
#undef COUNTER
    [ACTOR_ACTIVE] = { "actor_active", STATS_GAUGE, "Requests under way or waiting for a thread" },
    [ACTOR_CALL_TIME] = { "actor_call_duration_seconds{method}", STATS_HISTOGRAM,
                          "Time from a request's arrival to its answer" },
    [ACTOR_WAIT_TIME] = { "actor_wait_duration_seconds", STATS_HISTOGRAM,
                          "Time from a request's arrival to its handler" },
};

static const stats_row_t s_no_rows[] = { { 0 } };

/* ---- the bus's side: on the I/O thread ------------------------------------------------------ */

static void s_on_request(void *arg, worker_request_t *request)
{
    call_take(arg, request);
}

static void s_on_cancel(void *arg, uint32_t link, uint64_t id)
{
    actor_t *self = arg;
    call_t *call;
    monitor_lock(&self->monitor);
    TAILQ_FOREACH(call, &self->active, entry)
    if (call->message->link == link && call->message->frame.id == id)
        atomic_store(&call->is_cancelled, true);
    monitor_unlock(&self->monitor);
}

static void s_on_drain(void *arg)
{
    actor_t *self = arg;
    atomic_store(&self->is_draining, true);
}

static void s_on_registered(void *arg, const failure_t *failure)
{
    actor_t *self = arg;
    monitor_lock(&self->monitor);
    self->refusal = *failure;
    self->is_registered = failure->code == ERROR_NONE;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    if (failure->code != ERROR_NONE)
        LOG(LOG_WARN, "registration.refused", LOG_TEXT("why", failure->detail));
}

static uint32_t s_oldest_ms(void *arg)
{
    actor_t *self = arg;
    monitor_lock(&self->monitor);
    const call_t *oldest = TAILQ_FIRST(&self->active);
    uint64_t age_us = oldest ? clock_us() - oldest->started_us : 0;
    monitor_unlock(&self->monitor);
    return (uint32_t)(age_us / 1000);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void *s_run_pool_thread(void *arg)
{
    actor_t *self = arg;
    log_set_part(self->spec->service->name);
    call_run_waiting(self);
    return NULL;
}

snapshot_t actor_snapshot(actor_t *self)
{
    snapshot_t snapshot = { .part = self->spec->service->name,
                            .instance = self->instance,
                            .boot = self->boot_ms,
                            .interval_ms = (uint32_t)self->config->bus->snapshot_ms };
    snapshot_add(&snapshot, &self->stats);
    snapshot_add(&snapshot, &self->own_stats);
    snapshot_add(&snapshot, client_stats(self->client));
    snapshot_add(&snapshot, self->db ? db_stats(self->db) : NULL);
    snapshot_add(&snapshot, self->redis ? redis_stats(self->redis) : NULL);
    return snapshot;
}

static void s_publish_counters(actor_t *self, bool is_last)
{
    char topic[SNAPSHOT_TOPIC_BYTES];
    buf_t body = { 0 };
    pack_t pack;
    snapshot_t snapshot = actor_snapshot(self);
    snapshot.sequence = ++self->snapshots;
    snapshot.is_last = is_last;
    snapshot_add(&snapshot, process_stats(self));
    pack_init(&pack, &body);
    snapshot_write(&snapshot, &pack);
    client_publish(self->client, snapshot_topic(&snapshot, topic), false, &body);
}

/* Waits for the given moment; false when the actor stops before. */
static bool s_wait_until(actor_t *self, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (!self->is_stopping && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool goes_on = !self->is_stopping;
    monitor_unlock(&self->monitor);
    return goes_on;
}

/* All that is periodic in an actor happens here. */
static void *s_run_ticker(void *arg)
{
    actor_t *self = arg;
    uint64_t tick_ms = clock_ms() + ACTOR_TICK_MS, counted_ms = 0;
    log_set_part(self->spec->service->name);
    do {
        uint64_t now_ms = clock_ms();
        if (now_ms >= counted_ms) {
            s_publish_counters(self, false);
            counted_ms = now_ms + (uint64_t)self->config->bus->snapshot_ms;
        }
        if (now_ms >= tick_ms) {
            if (self->spec->tick)
                self->spec->tick(self, self->self);
            tick_ms = clock_ms() + ACTOR_TICK_MS;
        }
    } while (s_wait_until(self, tick_ms < counted_ms ? tick_ms : counted_ms));
    return NULL;
}

/* ---- starting ------------------------------------------------------------------------------- */

static uint32_t s_credit(const actor_t *self)
{
    for (const handler_t *at = self->spec->handlers; at->method; at++)
        if (at->mode == HANDLE_POOL)
            return (uint32_t)self->thread_count * 2 +
                   (self->spec->deferred ? self->spec->deferred(self->self) : 0);
    return ACTOR_INLINE_CREDIT;
}

static void s_start_threads(actor_t *self)
{
    self->threads = mem_array(self->thread_count, sizeof *self->threads);
    for (size_t i = 0; i < self->thread_count; i++)
        insist(pthread_create(&self->threads[i], NULL, s_run_pool_thread, self) == 0);
    insist(pthread_create(&self->ticker, NULL, s_run_ticker, self) == 0);
}

/* Registers and waits for a broker's word. A refusal that may pass (an older instance of the same
 * name is still being found dead) is waited for, too. */
static bool s_register(actor_t *self, void *zmq_context, char *why, size_t why_size)
{
    const client_worker_t worker = { .service = self->spec->service->name,
                                     .version = self->spec->service->version,
                                     .instance = self->instance,
                                     .descriptor = self->descriptor->bytes,
                                     .descriptor_size = self->descriptor->size,
                                     .credit = s_credit(self),
                                     .weight = 1,
                                     .boot = self->boot_ms,
                                     .arg = self,
                                     .on_request = s_on_request,
                                     .on_cancel = s_on_cancel,
                                     .on_drain = s_on_drain,
                                     .on_registered = s_on_registered,
                                     .oldest_ms = s_oldest_ms };
    /* a request may come before we have the client to answer it with: it waits for the lock */
    monitor_lock(&self->monitor);
    self->client = client_new(zmq_context, &(client_config_t){ .settings = self->config->bus,
                                                               .name = self->instance,
                                                               .part = self->spec->service->name,
                                                               .worker = &worker });
    monitor_unlock(&self->monitor);
    if (self->spec->connected)
        self->spec->connected(self, self->self);
    if (client_wait_ready(self->client, ACTOR_REGISTER_MS))
        return true;
    monitor_lock(&self->monitor);
    snprintf(why, why_size, "no broker at %.100s has registered the instance: %.100s",
             self->config->bus->brokers,
             self->refusal.code == ERROR_NONE ? "none answers" : self->refusal.detail);
    monitor_unlock(&self->monitor);
    return false;
}

static actor_t *s_new(const actor_spec_t *spec, const actor_config_t *config)
{
    actor_t *self = mem_zeroed(sizeof *self);
    self->spec = spec;
    self->config = config;
    self->boot_ms = (uint64_t)clock_wall_ms();
    self->self = mem_zeroed(spec->self_size);
    self->thread_count = (size_t)config->actor->threads;
    if (config->actor->instance[0])
        text_copy(self->instance, sizeof self->instance, config->actor->instance,
                  strlen(config->actor->instance));
    else
        id_instance(spec->service->name, self->instance);
    crash_add_life(spec->service->name, self->instance, self->boot_ms);
    stats_init(&self->stats, s_stats_rows);
    stats_init(&self->own_stats, spec->stats ? spec->stats : s_no_rows);
    queue_init(&self->waiting, (size_t)config->actor->waiting, false);
    TAILQ_INIT(&self->active);
    monitor_init(&self->monitor);
    return self;
}

actor_t *actor_start(void *zmq_context, const actor_spec_t *spec, const actor_config_t *config,
                     db_migrate_t migrate, char *why, size_t why_size)
{
    actor_t *self = s_new(spec, config);
    self->context = zmq_context;
    bool good = actor_describe(self, why, why_size);
    if (good && spec->migrations) {
        self->db =
            db_open(config->storage, spec->service->name, spec->migrations, migrate, why, why_size);
        good = self->db != NULL;
    }
    if (good && spec->uses_redis && config->storage->redis[0]) {
        self->redis =
            redis_open(config->storage->redis, (uint32_t)config->storage->redis_ms, why, why_size);
        good = self->redis != NULL;
    }
    good = good && (!spec->init || spec->init(self, self->self, why, why_size));
    if (good && s_register(self, zmq_context, why, why_size)) {
        if (spec->ready)
            spec->ready(self, self->self);
        s_start_threads(self);
        LOG(LOG_INFO, "actor.ready", LOG_TEXT("service", spec->service->name),
            LOG_TEXT("instance", self->instance));
        return self;
    }
    actor_stop(&self);
    return NULL;
}

/* ---- leaving -------------------------------------------------------------------------------- */

static void s_wait_idle(actor_t *self)
{
    const uint64_t until_ms = clock_ms() + (uint64_t)self->config->actor->drain_ms;
    monitor_lock(&self->monitor);
    while (self->active_count > 0 && monitor_wait_until(&self->monitor, until_ms))
        ;
    monitor_unlock(&self->monitor);
}

/* What still waits for a thread goes back to the caller, who may send it to another instance. */
static void s_hand_back(actor_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->waiting); item; item = next) {
        next = item->next;
        call_refuse(CONTAINER_OF(item, call_t, item), ERROR_UNAVAILABLE, "The instance is leaving");
    }
}

static void s_stop_threads(actor_t *self)
{
    if (!self->threads)
        return;
    monitor_lock(&self->monitor);
    self->is_stopping = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    queue_close(&self->waiting);
    for (size_t i = 0; i < self->thread_count; i++)
        pthread_join(self->threads[i], NULL);
    pthread_join(self->ticker, NULL);
    mem_free(self->threads);
}

static void s_free_targets(actor_t *self)
{
    target_t *target, *next;
    HASH_ITER(hh, self->targets, target, next)
    {
        HASH_DELETE(hh, self->targets, target);
        mem_free(target);
    }
}

void actor_stop(actor_t **self_p)
{
    actor_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    atomic_store(&self->is_draining, true);
    if (self->client) {
        if (self->spec->leave && client_is_ready(self->client))
            self->spec->leave(self, self->self);
        client_drain(self->client);
        client_wait_drained(self->client, ACTOR_DRAINED_MS);
        s_wait_idle(self);
        /* what took too long is handed back; whoever had begun is waited for */
        atomic_store(&self->is_closed, true);
        s_hand_back(self);
        s_wait_idle(self);
    }
    s_stop_threads(self);
    bool was_connected = self->client != NULL;
    if (self->spec->stop && was_connected)
        self->spec->stop(self, self->self);
    for (int i = 0; was_connected && i < SNAPSHOT_LAST_TIMES; i++)
        s_publish_counters(self, true);
    process_leave(self);
    crash_remove_life(self->spec->service->name, self->instance);
    redis_close(&self->redis);
    client_destroy(&self->client);
    if (self->spec->release && was_connected)
        self->spec->release(self, self->self);
    db_close(&self->db);
    descriptor_destroy(&self->descriptor);
    s_free_targets(self);
    stats_free(&self->stats);
    stats_free(&self->own_stats);
    queue_free(&self->waiting);
    monitor_free(&self->monitor);
    mem_free(self->self);
    mem_free(self);
}
