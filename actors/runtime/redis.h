/* SPDX-License-Identifier: MPL-2.0
 *
 * redis - a connection to Redis that nobody waits for
 *
 * One thread owns the connection. Any thread, an inline handler too, sends commands; they are
 * written together as they come (pipelining), and each ends exactly once by a callback: with the
 * reply, or because its deadline passed or the connection was lost. While Redis is away a command
 * is refused at once, so that the caller carries on without it.
 *
 * The connection is made in the background and again after a loss, with growing pauses. A Redis
 * that is connected but does not answer (several deadlines in a row) is a lost one (breaker.h).
 */
#ifndef SIGNALBOX_REDIS_H
#define SIGNALBOX_REDIS_H

#include <hiredis/hiredis.h>

#include "actors/base/stats.h"

typedef struct redis redis_t;

typedef enum {
    REDIS_COMMANDS,
    REDIS_COMMAND_TIME,
    REDIS_REFUSALS,
    REDIS_ERRORS,
    REDIS_TIMEOUTS,
    REDIS_LOSSES,
    REDIS_CONNECTIONS,
    REDIS_FAILED_CONNECTIONS,
    REDIS_BREAKERS_OPENED,
    REDIS_UP,
    REDIS_STATS
} redis_stat_t;

/* How a command ended. After the last two it may have been carried out or not. */
typedef enum {
    REDIS_REPLIED, /* with `reply` */
    REDIS_FAILED,  /* Redis refused it: `reply` is of type REDIS_REPLY_ERROR */
    REDIS_TIMEOUT, /* its deadline passed; `reply` is NULL, as in what follows */
    REDIS_LOST,    /* the connection was lost */
} redis_outcome_t;

/* Runs on the connection's thread and must not block; the reply is valid until it returns. It may
 * send further commands. */
typedef void (*redis_fn)(void *arg, redis_outcome_t outcome, const redisReply *reply);

/* A word of a command: text or any bytes. */
typedef struct {
    const void *bytes;
    size_t size;
} redis_word_t;

#define REDIS_WORDS_MAX 512 /* of one command */

/* Starts connecting. A Redis that is not there is no error; NULL with a sentence means that the URL
 * is none (redis_url.h says what it looks like). `deadline_ms` is each command's. */
redis_t *redis_open(const char *url, uint32_t deadline_ms, char *why, size_t why_size);

/* Takes no more commands and returns when all have ended: then no callback runs any more. */
void redis_drain(redis_t *self);

/* Drains, disconnects, frees. NULL is fine. */
void redis_close(redis_t **self_p);

/* Whether commands are taken now; false for NULL. */
bool redis_is_up(const redis_t *self);

stats_t *redis_stats(redis_t *self);

/* Sends a command; its words are copied. False when Redis is away, or too much is under way: it was
 * not sent, and `done` will not run. `done` may be NULL for whoever does not care. */
bool redis_send(redis_t *self, const redis_word_t *words, size_t count, redis_fn done,
                void *arg) MUST_CHECK;

#define REDIS_SEND(redis, done, arg, ...)                                                          \
    redis_send(redis, (const redis_word_t[]){ __VA_ARGS__ },                                       \
               COUNT_OF(((const redis_word_t[]){ __VA_ARGS__ })), done, arg)

redis_word_t redis_text(const char *text);

static inline redis_word_t redis_bytes(const void *bytes, size_t size)
{
    return (redis_word_t){ bytes, size };
}

/* A trivial command, for health; blocks until it has ended. Not from the connection's thread. */
bool redis_ping(redis_t *self, uint64_t *latency_us);

#endif
