/* SPDX-License-Identifier: MPL-2.0
 *
 * ledger_redis - what subjects have used lately, in a Redis that the instances share
 *
 * signalbox:limiter:<subject> is the epoch as eight hex digits and the state behind it, and goes by
 * itself when nothing of it counts any more. All commands of a batch are under way at once.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/monitor.h"
#include "actors/limiter/ledger.h"

#define PREFIX      "signalbox:limiter:"
#define EPOCH_BYTES 8

/* Eight digits of the same case compare like the numbers they are. */
static const char s_script[] = "local old = redis.call('GETRANGE', KEYS[1], 0, 7)"
                               " if old ~= '' and old > ARGV[1] then return 0 end"
                               " redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])"
                               " return 1";

/* Commands under way, and how they have ended so far. */
typedef struct {
    monitor_t monitor;
    size_t under_way;
    bool has_failed;
    const char *const *subjects; /* of a reading, in the order of its reply */
    size_t count;
    ledger_each_t each;
    void *arg;
} batch_t;

static void s_end_one(batch_t *self, bool good)
{
    monitor_lock(&self->monitor);
    self->has_failed |= !good;
    if (--self->under_way == 0)
        monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}

/* Each command ends, at the latest with its deadline. */
static db_status_t s_wait(batch_t *self)
{
    monitor_lock(&self->monitor);
    while (self->under_way > 0)
        (void)!monitor_wait_until(&self->monitor, UINT64_MAX / 2);
    bool has_failed = self->has_failed;
    monitor_unlock(&self->monitor);
    monitor_free(&self->monitor);
    return has_failed ? DB_UNAVAILABLE : DB_OK;
}

static void s_send(batch_t *self, redis_t *redis, const redis_word_t *words, size_t count,
                   redis_fn done)
{
    monitor_lock(&self->monitor);
    self->under_way++;
    monitor_unlock(&self->monitor);
    if (!redis_send(redis, words, count, done, self))
        s_end_one(self, false);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void s_on_written(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    (void)reply;
    s_end_one(arg, outcome == REDIS_REPLIED);
}

static void s_write(batch_t *self, redis_t *redis, const ledger_usage_t *usage, int64_t now_ms)
{
    char epoch[EPOCH_BYTES + 1], lasts[24];
    arena_t arena = { 0 };
    int64_t lasts_ms = usage->expires_ms > now_ms ? usage->expires_ms - now_ms : 1;
    snprintf(epoch, sizeof epoch, "%08x", usage->epoch);
    snprintf(lasts, sizeof lasts, "%lld", (long long)lasts_ms);
    const redis_word_t words[] = {
        redis_text("EVAL"), redis_text(s_script),
        redis_text("1"),    redis_text(arena_format(&arena, PREFIX "%s", usage->subject)),
        redis_text(epoch),  redis_bytes(usage->state, usage->size),
        redis_text(lasts),
    };
    s_send(self, redis, words, COUNT_OF(words), s_on_written);
    arena_free(&arena);
}

db_status_t ledger_write_redis(redis_t *redis, const ledger_usage_t *list, size_t count,
                               int64_t now_ms)
{
    batch_t batch = { 0 };
    monitor_init(&batch.monitor);
    for (size_t i = 0; i < count; i++)
        s_write(&batch, redis, &list[i], now_ms);
    return s_wait(&batch);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void s_take_value(const batch_t *self, const char *subject, const redisReply *value)
{
    unsigned epoch;
    char digits[EPOCH_BYTES + 1] = "";
    if (value->type != REDIS_REPLY_STRING || value->len <= EPOCH_BYTES)
        return;
    memcpy(digits, value->str, EPOCH_BYTES);
    if (sscanf(digits, "%8x", &epoch) == 1)
        self->each(self->arg, &(ledger_usage_t){ .subject = subject,
                                                 .epoch = epoch,
                                                 .state = (const uint8_t *)value->str + EPOCH_BYTES,
                                                 .size = value->len - EPOCH_BYTES });
}

static void s_on_read(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    batch_t *self = arg;
    bool good = outcome == REDIS_REPLIED && reply->type == REDIS_REPLY_ARRAY &&
                reply->elements == self->count;
    for (size_t i = 0; good && i < self->count; i++)
        s_take_value(self, self->subjects[i], reply->element[i]);
    s_end_one(self, good);
}

db_status_t ledger_read_redis(redis_t *redis, const char *const *subjects, size_t count,
                              ledger_each_t each, void *arg)
{
    batch_t batch = { .subjects = subjects, .count = count, .each = each, .arg = arg };
    redis_word_t words[LEDGER_BATCH + 1] = { redis_text("MGET") };
    arena_t arena = { 0 };
    _Static_assert(COUNT_OF(words) <= REDIS_WORDS_MAX, "one command");
    insist(count <= LEDGER_BATCH);
    for (size_t i = 0; i < count; i++)
        words[1 + i] = redis_text(arena_format(&arena, PREFIX "%s", subjects[i]));
    monitor_init(&batch.monitor);
    s_send(&batch, redis, words, 1 + count, s_on_read);
    db_status_t status = s_wait(&batch);
    arena_free(&arena);
    return status;
}
