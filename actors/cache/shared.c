/* SPDX-License-Identifier: MPL-2.0
 *
 * shared - the second level: values in Redis, which instances share
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/cache/shared.h"

#define SHARED_VALUE "sbx:cache:v:"
#define SHARED_TAG   "sbx:cache:t:"
#define SHARED_EPOCH "sbx:cache:epoch"

#define SHARED_NAME_BYTES   (sizeof SHARED_VALUE + CACHE_KEY_BYTES)
#define SHARED_NUMBER_BYTES 24
/* A tag's epoch outlives every value computed before it: the longest life and a lease, twice. */
#define SHARED_TAG_TTL   "180000000"
#define SHARED_SCAN_STEP "1000"

/* KEYS: the epoch, then tags; ARGV: how long a tag is remembered. */
static const char s_invalidate_script[] =
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local last = tonumber(redis.call('GET', KEYS[1]) or '0') "
    "if now <= last then now = last + 1 end "
    "local text = string.format('%.0f', now) "
    "redis.call('SET', KEYS[1], text) "
    "for i = 2, #KEYS do redis.call('SET', KEYS[i], text, 'PX', ARGV[1]) end "
    "return text";

/* A name of ours: prefix and key. */
typedef struct {
    char bytes[SHARED_NAME_BYTES];
    size_t size;
} name_t;

static name_t s_name(const char *prefix, span_t key)
{
    name_t name = { .size = strlen(prefix) + key.size };
    insist(name.size <= sizeof name.bytes);
    memcpy(name.bytes, prefix, strlen(prefix));
    memcpy(name.bytes + strlen(prefix), key.bytes, key.size);
    return name;
}

static redis_word_t s_word(const name_t *name)
{
    return redis_bytes(name->bytes, name->size);
}

/* A number that Redis answered as text; 0 for anything else. */
static uint64_t s_number(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

/* ---- looking -------------------------------------------------------------------------------- */

typedef struct {
    redis_t *redis;
    shared_found_fn on_found;
    void *arg;
    buf_t bytes; /* of the record, while its tags are looked up */
    uint64_t epoch;
} look_t;

static void s_end_look(look_t *look, const record_t *record)
{
    look->on_found(look->arg, record, look->epoch);
    buf_free(&look->bytes);
    mem_free(look);
}

/* The epochs of the record's tags: none may be later than its own. */
static void s_on_tags(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    look_t *look = arg;
    record_t record;
    bool good = outcome == REDIS_REPLIED && reply->type == REDIS_REPLY_ARRAY &&
                record_read(&record, look->bytes.bytes, look->bytes.size);
    for (size_t i = 0; good && i < reply->elements; i++)
        good = s_number(reply->element[i]) <= record.epoch;
    s_end_look(look, good ? &record : NULL);
}

static bool s_ask_tags(look_t *look, const record_t *record)
{
    name_t names[CACHE_TAGS_MAX];
    redis_word_t words[CACHE_TAGS_MAX + 1] = { redis_text("MGET") };
    for (size_t i = 0; i < record->tag_count; i++) {
        names[i] = s_name(SHARED_TAG, record->tags[i]);
        words[i + 1] = s_word(&names[i]);
    }
    return redis_send(look->redis, words, record->tag_count + 1, s_on_tags, look);
}

static void s_on_value(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    look_t *look = arg;
    record_t record;
    if (outcome != REDIS_REPLIED || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        s_end_look(look, NULL);
        return;
    }
    const redisReply *value = reply->element[0];
    look->epoch = s_number(reply->element[1]);
    if (value->type != REDIS_REPLY_STRING || !record_read(&record, value->str, value->len)) {
        s_end_look(look, NULL);
    } else if (record.tag_count == 0) {
        s_end_look(look, &record);
    } else {
        buf_add(&look->bytes, value->str, value->len);
        if (!s_ask_tags(look, &record))
            s_end_look(look, NULL);
    }
}

bool shared_look(redis_t *redis, span_t key, shared_found_fn on_found, void *arg)
{
    name_t name = s_name(SHARED_VALUE, key);
    look_t *look = mem_zeroed(sizeof *look);
    *look = (look_t){ .redis = redis, .on_found = on_found, .arg = arg };
    if (REDIS_SEND(redis, s_on_value, look, redis_text("MGET"), s_word(&name),
                   redis_text(SHARED_EPOCH)))
        return true;
    mem_free(look);
    return false;
}

/* ---- keeping -------------------------------------------------------------------------------- */

bool shared_put(redis_t *redis, span_t key, const record_t *record)
{
    name_t name = s_name(SHARED_VALUE, key);
    char life[SHARED_NUMBER_BYTES];
    buf_t bytes = { 0 };
    snprintf(life, sizeof life, "%u", (unsigned)record->fresh_ms);
    record_write(record, &bytes);
    bool sent =
        REDIS_SEND(redis, NULL, NULL, redis_text("SET"), s_word(&name),
                   redis_bytes(bytes.bytes, bytes.size), redis_text("PX"), redis_text(life));
    buf_free(&bytes);
    return sent;
}

bool shared_remove(redis_t *redis, span_t key)
{
    name_t name = s_name(SHARED_VALUE, key);
    return REDIS_SEND(redis, NULL, NULL, redis_text("UNLINK"), s_word(&name));
}

/* ---- purging -------------------------------------------------------------------------------- */

/* An invalidation under way: its tags, then its keys, then its prefix, one step after another. */
typedef struct {
    redis_t *redis;
    drop_t *drop;
    shared_purged_fn on_purged;
    void *arg;
    uint64_t epoch, removed;
    bool scans;                       /* another step of the scan is to be made */
    char cursor[SHARED_NUMBER_BYTES]; /* of the scan */
} purge_t;

static void s_end_purge(purge_t *purge, bool good)
{
    purge->on_purged(purge->arg, good, purge->epoch, purge->removed);
    mem_free(purge->drop);
    mem_free(purge);
}

static bool s_scan(purge_t *purge);

static void s_go_on(purge_t *purge)
{
    if (!purge->scans)
        s_end_purge(purge, true);
    else if (!s_scan(purge))
        s_end_purge(purge, false);
}

static void s_on_unlinked(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    purge_t *purge = arg;
    if (outcome != REDIS_REPLIED || reply->type != REDIS_REPLY_INTEGER) {
        s_end_purge(purge, false);
        return;
    }
    purge->removed += (uint64_t)reply->integer;
    s_go_on(purge);
}

/* UNLINK takes a bounded number of words: what a step of the scan found is removed in pieces, of
 * which only the last one's answer is waited for (answers come in order). */
static bool s_unlink(purge_t *purge, const redisReply *keys)
{
    redis_word_t words[REDIS_WORDS_MAX] = { redis_text("UNLINK") };
    size_t count = 1;
    for (size_t i = 0; i < keys->elements; i++) {
        words[count++] = redis_bytes(keys->element[i]->str, keys->element[i]->len);
        bool is_last = i + 1 == keys->elements;
        if (!is_last && count < REDIS_WORDS_MAX)
            continue;
        if (!is_last)
            purge->removed += count - 1;
        if (!redis_send(purge->redis, words, count, is_last ? s_on_unlinked : NULL, purge))
            return false;
        count = 1;
    }
    return true;
}

static void s_on_scanned(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    purge_t *purge = arg;
    if (outcome != REDIS_REPLIED || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY) {
        s_end_purge(purge, false);
        return;
    }
    snprintf(purge->cursor, sizeof purge->cursor, "%s", reply->element[0]->str);
    purge->scans = strcmp(purge->cursor, "0") != 0;
    if (reply->element[1]->elements == 0)
        s_go_on(purge);
    else if (!s_unlink(purge, reply->element[1]))
        s_end_purge(purge, false);
}

/* The pattern of all keys with a prefix: what is special in a pattern is escaped. */
static void s_pattern(span_t prefix, buf_t *out)
{
    const char *bytes = prefix.bytes;
    buf_add_text(out, SHARED_VALUE);
    for (size_t i = 0; i < prefix.size; i++) {
        if (bytes[i] && strchr("*?[]\\", bytes[i]))
            buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)bytes[i]);
    }
    buf_add_byte(out, '*');
}

static bool s_scan(purge_t *purge)
{
    buf_t pattern = { 0 };
    s_pattern(purge->drop->is_all ? (span_t){ "", 0 } : purge->drop->prefix, &pattern);
    bool sent =
        REDIS_SEND(purge->redis, s_on_scanned, purge, redis_text("SCAN"), redis_text(purge->cursor),
                   redis_text("MATCH"), redis_bytes(pattern.bytes, pattern.size),
                   redis_text("COUNT"), redis_text(SHARED_SCAN_STEP));
    buf_free(&pattern);
    return sent;
}

static bool s_send_keys(purge_t *purge)
{
    const drop_t *drop = purge->drop;
    name_t *names = mem_array(drop->key_count, sizeof *names);
    redis_word_t words[CACHE_DROPS_MAX + 1] = { redis_text("UNLINK") };
    for (size_t i = 0; i < drop->key_count; i++) {
        names[i] = s_name(SHARED_VALUE, drop->keys[i]);
        words[i + 1] = s_word(&names[i]);
    }
    bool sent = redis_send(purge->redis, words, drop->key_count + 1, s_on_unlinked, purge);
    mem_free(names);
    return sent;
}

/* What follows the tags. */
static bool s_purge_keys(purge_t *purge)
{
    return purge->drop->key_count ? s_send_keys(purge) : s_scan(purge);
}

static void s_on_tags_changed(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    purge_t *purge = arg;
    purge->epoch = s_number(reply);
    bool good = outcome == REDIS_REPLIED && purge->epoch > 0;
    bool goes_on = purge->drop->key_count > 0 || purge->scans;
    if (!good || !goes_on || !s_purge_keys(purge))
        s_end_purge(purge, good && !goes_on);
}

static bool s_send_tags(purge_t *purge)
{
    const drop_t *drop = purge->drop;
    char count[SHARED_NUMBER_BYTES];
    name_t *names = mem_array(drop->tag_count + 1, sizeof *names);
    redis_word_t words[CACHE_DROPS_MAX + 5];
    size_t used = 0;
    snprintf(count, sizeof count, "%zu", drop->tag_count + 1);
    words[used++] = redis_text("EVAL");
    words[used++] = redis_text(s_invalidate_script);
    words[used++] = redis_text(count);
    words[used++] = redis_text(SHARED_EPOCH);
    for (size_t i = 0; i < drop->tag_count; i++) {
        names[i] = s_name(SHARED_TAG, drop->tags[i]);
        words[used++] = s_word(&names[i]);
    }
    words[used++] = redis_text(SHARED_TAG_TTL);
    bool sent = redis_send(purge->redis, words, used, s_on_tags_changed, purge);
    mem_free(names);
    return sent;
}

bool shared_purge(redis_t *redis, const drop_t *drop, shared_purged_fn on_purged, void *arg)
{
    purge_t *purge = mem_zeroed(sizeof *purge);
    *purge = (purge_t){ .redis = redis,
                        .drop = drop_copy(drop),
                        .on_purged = on_purged,
                        .arg = arg,
                        .scans = drop->is_all || drop->prefix.size,
                        .cursor = "0" };
    if (drop->tag_count ? s_send_tags(purge) : s_purge_keys(purge))
        return true;
    mem_free(purge->drop);
    mem_free(purge);
    return false;
}
