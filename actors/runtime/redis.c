/* SPDX-License-Identifier: MPL-2.0
 *
 * redis - a connection to Redis that nobody waits for: what callers call
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/runtime/redis_state.h"

#define REDIS_OPEN_MAX       10000       /* commands under way */
#define REDIS_OPEN_BYTES_MAX (64u << 20) /* and their bytes */

static const stats_row_t s_rows[REDIS_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "redis_" name "_total", STATS_COUNTER, about }
    COUNTER(REDIS_COMMANDS, "commands", "Commands taken"),
    COUNTER(REDIS_REFUSALS, "refusals", "Commands not taken because Redis was away or too busy"),
    COUNTER(REDIS_ERRORS, "errors", "Commands that Redis answered with an error"),
    COUNTER(REDIS_TIMEOUTS, "timeouts", "Commands whose deadline passed"),
    COUNTER(REDIS_LOSSES, "losses", "Commands under way when the connection was lost"),
    COUNTER(REDIS_CONNECTIONS, "connections", "Connections made"),
    COUNTER(REDIS_FAILED_CONNECTIONS, "failed_connections", "Connections that could not be made"),
    COUNTER(REDIS_BREAKERS_OPENED, "breakers_opened",
            "Connections given up because Redis did not answer"),
#undef COUNTER
    [REDIS_COMMAND_TIME] = { "redis_command_duration_seconds", STATS_HISTOGRAM,
                             "Time from a command's sending to its reply" },
    [REDIS_UP] = { "redis_up", STATS_GAUGE, "Whether Redis is connected and answers" },
};

/* ---- commands ------------------------------------------------------------------------------- */

redis_word_t redis_text(const char *text)
{
    return (redis_word_t){ text, strlen(text) };
}

void redis_free(redis_command_t *command)
{
    atomic_fetch_sub(&command->redis->open_bytes, command->size);
    redisFreeCommand(command->bytes);
    mem_free(command);
}

void redis_end(redis_command_t *command, redis_outcome_t outcome, const redisReply *reply)
{
    redis_t *self = command->redis;
    command->has_ended = true;
    wheel_remove(&self->wheel, &command->timer);
    if (command->done)
        command->done(command->arg, outcome, reply);
    if (atomic_fetch_sub(&self->open_count, 1) == 1 && atomic_load(&self->is_draining)) {
        monitor_lock(&self->monitor);
        monitor_wake(&self->monitor);
        monitor_unlock(&self->monitor);
    }
}

static redis_command_t *s_new(redis_t *self, const redis_word_t *words, size_t count, redis_fn done,
                              void *arg)
{
    const char *bytes[REDIS_WORDS_MAX];
    size_t sizes[REDIS_WORDS_MAX];
    insist(count > 0 && count <= REDIS_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = words[i].bytes;
        sizes[i] = words[i].size;
    }
    redis_command_t *command = mem_zeroed(sizeof *command);
    int size = redisFormatCommandArgv(&command->bytes, (int)count, bytes, sizes);
    insist(size > 0);
    command->redis = self;
    command->size = (size_t)size;
    command->done = done;
    command->arg = arg;
    command->started_us = clock_us();
    return command;
}

bool redis_send(redis_t *self, const redis_word_t *words, size_t count, redis_fn done, void *arg)
{
    bool taken = redis_is_up(self) && !atomic_load(&self->is_draining) &&
                 atomic_load(&self->open_bytes) < REDIS_OPEN_BYTES_MAX;
    if (taken) {
        redis_command_t *command = s_new(self, words, count, done, arg);
        atomic_fetch_add(&self->open_count, 1);
        atomic_fetch_add(&self->open_bytes, command->size);
        if (queue_push(&self->queue, &command->item)) {
            redis_count(self, REDIS_COMMANDS);
            return true;
        }
        command->done = NULL; /* the caller hears of it by our answer */
        redis_end(command, REDIS_LOST, NULL);
        redis_free(command);
    }
    if (self)
        redis_count(self, REDIS_REFUSALS);
    return false;
}

/* ---- life ----------------------------------------------------------------------------------- */

redis_t *redis_open(const char *url, uint32_t deadline_ms, char *why, size_t why_size)
{
    redis_t *self = mem_zeroed(sizeof *self);
    if (!redis_url_parse(&self->url, url, why, why_size)) {
        mem_free(self);
        return NULL;
    }
    self->deadline_ms = deadline_ms;
    stats_init(&self->stats, s_rows);
    queue_init(&self->queue, REDIS_OPEN_MAX, true);
    monitor_init(&self->monitor);
    wheel_init(&self->wheel, clock_ms());
    insist(pthread_create(&self->thread, NULL, redis_run, self) == 0);
    return self;
}

void redis_drain(redis_t *self)
{
    atomic_store(&self->is_draining, true);
    queue_close(&self->queue);
    monitor_lock(&self->monitor);
    while (atomic_load(&self->open_count) > 0)
        monitor_wait_until(&self->monitor, clock_ms() + REDIS_SLEEP_MS);
    monitor_unlock(&self->monitor);
}

void redis_close(redis_t **self_p)
{
    redis_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    redis_drain(self);
    atomic_store(&self->is_stopping, true);
    queue_close(&self->queue); /* closed already; this wakes the thread */
    pthread_join(self->thread, NULL);
    queue_free(&self->queue);
    monitor_free(&self->monitor);
    stats_free(&self->stats);
    mem_wipe(&self->url, sizeof self->url);
    mem_free(self);
}

bool redis_is_up(const redis_t *self)
{
    return self && atomic_load_explicit(&self->is_up, memory_order_relaxed);
}

stats_t *redis_stats(redis_t *self)
{
    return &self->stats;
}

/* ---- health --------------------------------------------------------------------------------- */

typedef struct {
    monitor_t monitor;
    bool has_ended, good;
} ping_t;

static void s_on_ping(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    ping_t *ping = arg;
    (void)reply;
    monitor_lock(&ping->monitor);
    ping->has_ended = true;
    ping->good = outcome == REDIS_REPLIED;
    monitor_wake(&ping->monitor);
    monitor_unlock(&ping->monitor);
}

bool redis_ping(redis_t *self, uint64_t *latency_us)
{
    ping_t ping = { .has_ended = false };
    uint64_t started_us = clock_us();
    monitor_init(&ping.monitor);
    if (REDIS_SEND(self, s_on_ping, &ping, redis_text("PING"))) {
        monitor_lock(&ping.monitor);
        while (!ping.has_ended) /* every command ends */
            monitor_wait_until(&ping.monitor, clock_ms() + REDIS_SLEEP_MS);
        monitor_unlock(&ping.monitor);
    }
    monitor_free(&ping.monitor);
    *latency_us = clock_us() - started_us;
    return ping.good;
}
