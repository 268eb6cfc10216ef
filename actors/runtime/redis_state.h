/* SPDX-License-Identifier: MPL-2.0
 *
 * redis_state - what the two files of the Redis connection share; private to them
 *
 * redis.c: what callers call, from any thread. redis_link.c: the thread that owns the connection.
 */
#ifndef SIGNALBOX_REDIS_STATE_H
#define SIGNALBOX_REDIS_STATE_H

#include <hiredis/async.h>

#include "actors/base/monitor.h"
#include "actors/base/queue.h"
#include "actors/base/wheel.h"
#include "actors/runtime/breaker.h"
#include "actors/runtime/redis.h"
#include "actors/runtime/redis_url.h"

#define REDIS_SLEEP_MS 1000 /* at most, of the thread and of whoever waits for it */

typedef struct {
    queue_item_t item;   /* on its way to the thread */
    wheel_timer_t timer; /* its deadline */
    redis_t *redis;
    redis_fn done; /* NULL once it has ended, or when nobody cares */
    void *arg;
    uint64_t started_us;
    bool has_ended;
    char *bytes; /* as the protocol wants them, hiredis' memory */
    size_t size;
} redis_command_t;

struct redis {
    redis_url_t url;
    uint32_t deadline_ms;
    stats_t stats;
    queue_t queue;
    monitor_t monitor; /* woken when the last command has ended while draining */
    pthread_t thread;
    atomic_bool is_up, is_draining, is_stopping;
    atomic_size_t open_count, open_bytes; /* commands that have not ended; that hiredis holds */

    /* the thread's own */
    redisAsyncContext *link; /* NULL: not connected */
    short events;            /* that hiredis waits for */
    bool is_greeted;         /* signed in, database chosen, and answering */
    bool was_told;           /* that it is away, in the log */
    uint32_t attempts;       /* to connect, in a row */
    uint64_t until_ms;       /* not connected: of the pause; not greeted: of the patience */
    breaker_t breaker;
    wheel_t wheel;
};

/* Ends a command for its caller; hiredis may hold it yet. */
void redis_end(redis_command_t *command, redis_outcome_t outcome, const redisReply *reply);
void redis_free(redis_command_t *command);

/* The thread: connects, writes what is sent, reads what is answered, until `is_stopping`. */
void *redis_run(void *redis);

static inline void redis_count(redis_t *self, redis_stat_t row)
{
    stats_add(&self->stats, row, 1);
}

#endif
