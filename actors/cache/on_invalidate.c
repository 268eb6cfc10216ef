/* SPDX-License-Identifier: MPL-2.0
 *
 * on_invalidate - dropping what is void: in Redis, then in every instance, then by the event
 *
 * The instance that is asked carries the invalidation out for all. The order matters: were the
 * instances told first, they could read from Redis again what they have just dropped.
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/cache/gather.h"

typedef struct {
    cache_t *cache;
    call_t *call;
    drop_t *drop;
    uint64_t redis_dropped;
} invalidation_t;

static void s_publish(cache_t *self, const drop_t *drop)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    drop_write(drop, &pack);
    actor_publish(self->actor, topic_row(TOPIC_CACHE_INVALIDATE)->prefix, false, &body);
}

static uint64_t s_next_id(cache_t *self)
{
    do
        self->last_id = (self->last_id + 1) & CACHE_NUMBER_MASK;
    while (self->last_id == 0);
    return self->last_id;
}

/* ---- all instances -------------------------------------------------------------------------- */

/* The sum of a field over the answers. */
static int64_t s_sum(const gather_t *gather, const char *field)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    int64_t sum = 0;
    const uint8_t *at = gather->parts.bytes;
    for (size_t i = 0; i < gather->count; i++) {
        size_t size = value_skip(at);
        sum += value_get_int(value_parse(&arena, at, size, VALUE_LIMITS, &verdict), field, 0);
        at += size;
    }
    arena_free(&arena);
    return sum;
}

static void s_answer(invalidation_t *self, const gather_t *gather)
{
    const char *redis = "none";
    if (self->cache->redis)
        redis = self->drop->is_owed ? "owed" : "done";
    pack_t *pack = call_pack(self->call);
    pack_map(pack, 6);
    pack_pair_int(pack, "instances", (int64_t)gather->instances);
    pack_pair_int(pack, "answered", (int64_t)gather->count);
    pack_pair_int(pack, "dropped", s_sum(gather, "dropped"));
    pack_text(pack, "by_instance");
    pack_array(pack, gather->count);
    pack_raw(pack, gather->parts.bytes, gather->parts.size);
    pack_pair_text(pack, "redis", redis);
    pack_pair_int(pack, "redis_dropped", (int64_t)self->redis_dropped);
    LOG(LOG_INFO, "cache.invalidated", LOG_INT("instances", gather->instances),
        LOG_INT("answered", gather->count), LOG_TEXT("redis", redis));
    call_reply(self->call, 0);
}

static void s_on_gathered(call_t *call, void *arg, const gather_t *gather)
{
    invalidation_t *self = arg;
    if (gather->code == ERROR_CANCELLED) { /* this instance is leaving; the caller asks another */
        call_fail(call, ERROR_UNAVAILABLE, "The instance is leaving");
    } else {
        s_publish(self->cache, self->drop);
        s_answer(self, gather);
    }
    mem_free(self->drop);
    mem_free(self);
}

static void s_tell_instances(invalidation_t *self)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    drop_write(self->drop, &pack);
    gather_send(self->call, &cache_drop, &body, s_on_gathered, self);
}

static void s_on_purged(void *arg, bool good, uint64_t epoch, uint64_t removed)
{
    invalidation_t *self = arg;
    self->drop->is_owed = !good;
    self->drop->epoch = good ? epoch : 0;
    self->redis_dropped = removed;
    s_tell_instances(self);
}

void cache_on_invalidate(call_t *call, void *memory)
{
    cache_t *cache = memory;
    drop_t drop;
    drop_read(&drop, call_request(call));
    if (!drop_names_something(&drop)) {
        call_fail(call, ERROR_UNPROCESSABLE,
                  "Name what is to be dropped: `tags`, `prefix`, `keys` or `all`");
        return;
    }
    monitor_lock(&cache->monitor);
    drop.id = s_next_id(cache);
    monitor_unlock(&cache->monitor);
    invalidation_t *self = mem_zeroed(sizeof *self);
    *self = (invalidation_t){ .cache = cache, .call = call, .drop = drop_copy(&drop) };
    call_defer(call);
    if (cache->redis && shared_purge(cache->redis, self->drop, s_on_purged, self))
        return;
    self->drop->is_owed = cache->redis != NULL;
    s_tell_instances(self);
}

/* ---- this instance -------------------------------------------------------------------------- */

void cache_on_drop(call_t *call, void *memory)
{
    cache_t *self = memory;
    drop_t drop;
    size_t dropped, voided;
    drop_read(&drop, call_request(call));
    monitor_lock(&self->monitor);
    cache_apply(self, &drop, &dropped, &voided);
    monitor_unlock(&self->monitor);
    pack_t *pack = call_pack(call);
    pack_map(pack, 3);
    pack_pair_text(pack, "instance", actor_instance(self->actor));
    pack_pair_int(pack, "dropped", (int64_t)dropped);
    pack_pair_int(pack, "voided", (int64_t)voided);
    call_reply(call, 0);
}

static void s_on_deleted(void *arg, bool good, uint64_t epoch, uint64_t removed)
{
    invalidation_t *self = arg;
    (void)epoch;
    (void)removed;
    if (!good) {
        monitor_lock(&self->cache->monitor);
        owe(self->cache, self->drop);
        monitor_unlock(&self->cache->monitor);
    }
    mem_free(self->drop);
    mem_free(self);
}

/* Tells Redis, whose answer the caller does not wait for. */
static void s_delete_shared(cache_t *cache, const drop_t *drop)
{
    invalidation_t *self = mem_zeroed(sizeof *self);
    *self = (invalidation_t){ .cache = cache, .drop = drop_copy(drop) };
    if (!shared_purge(cache->redis, drop, s_on_deleted, self))
        s_on_deleted(self, false, 0, 0);
}

void cache_on_delete(call_t *call, void *memory)
{
    cache_t *self = memory;
    drop_t drop = { .key_count = 1 };
    size_t dropped, voided;
    if (!cache_require_key(call, &drop.keys[0]))
        return;
    if (redis_is_up(self->redis))
        s_delete_shared(self, &drop);
    monitor_lock(&self->monitor);
    drop.id = s_next_id(self);
    cache_apply(self, &drop, &dropped, &voided);
    monitor_unlock(&self->monitor);
    s_publish(self, &drop);
    pack_map(call_pack(call), 1);
    pack_pair_bool(call_pack(call), "deleted", dropped > 0);
    call_reply(call, 0);
}

/* What this instance has not heard of as a broadcast. After a gap nobody can say what is void. */
void cache_on_invalidated(void *memory, const client_event_t *event)
{
    cache_t *self = memory;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    size_t dropped, voided;
    drop_t drop;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    drop_read(&drop, body);
    if (event->missed || !body) {
        LOG(LOG_WARN, "cache.gap", LOG_INT("missed", event->missed));
        cache_count(self, CACHE_GAPS, 1);
        drop = (drop_t){ .is_all = true };
    }
    monitor_lock(&self->monitor);
    cache_apply(self, &drop, &dropped, &voided);
    monitor_unlock(&self->monitor);
    arena_free(&arena);
}
