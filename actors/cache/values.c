/* SPDX-License-Identifier: MPL-2.0
 *
 * values - values: given out, kept, dropped
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/cache/cache.h"

/* A value stored longer ago than this was seen by the purge of Redis that came before the drop; one
 * stored since may have slipped in behind it. */
#define VALUE_RECENT_MS 60000

/* ---- common --------------------------------------------------------------------------------- */

bool cache_require_key(call_t *call, span_t *key)
{
    if (span_of(value_get(call_request(call), "key"), CACHE_KEY_BYTES, key))
        return true;
    call_fail(call, ERROR_VALIDATION_FAILED, "`key` must be text or bytes, 1 to %d bytes",
              CACHE_KEY_BYTES);
    return false;
}

void cache_answer(cache_t *self, call_t *call, const lru_item_t *item, lru_state_t state,
                  uint64_t lease)
{
    static const char *const states[] = {
        [LRU_MISS] = "miss", [LRU_FRESH] = "hit", [LRU_STALE] = "stale"
    };
    uint64_t now_ms = clock_ms();
    bool has_value = state != LRU_MISS;
    bool is_fresh = state == LRU_FRESH && item->fresh_until_ms > now_ms;
    pack_t *pack = call_pack(call);
    cache_count(self, CACHE_GETS, 1);
    if (!has_value)
        cache_count(self, CACHE_MISSES, 1);
    pack_map(pack, 5);
    pack_pair_text(pack, "state", states[state]);
    pack_text(pack, "value");
    if (has_value)
        pack_bytes(pack, item->value.bytes, item->value.size);
    else
        pack_nil(pack);
    pack_pair_int(pack, "age_ms",
                  has_value && now_ms > item->born_ms ? (int64_t)(now_ms - item->born_ms) : 0);
    pack_pair_int(pack, "ttl_ms", is_fresh ? (int64_t)(item->fresh_until_ms - now_ms) : 0);
    pack_pair_int(pack, "lease", (int64_t)lease);
    call_reply(call, 0);
}

bool cache_keep(cache_t *self, const lru_item_t *item)
{
    return item->value.size <= (size_t)cache_settings.value_bytes && lru_set(&self->lru, item);
}

/* ---- get ------------------------------------------------------------------------------------ */

void cache_on_get(call_t *call, void *memory)
{
    cache_t *self = memory;
    span_t key;
    lru_item_t item;
    if (!cache_require_key(call, &key))
        return;
    monitor_lock(&self->monitor);
    lru_state_t state = lru_get(&self->lru, key, clock_ms(), &item);
    if (state == LRU_FRESH) {
        cache_count(self, CACHE_HITS, 1);
        cache_answer(self, call, &item, state, 0);
    } else {
        if (state == LRU_STALE)
            cache_count(self, CACHE_STALE_HITS, 1);
        flight_join(self, call, key, state == LRU_STALE ? &item : NULL);
    }
    monitor_unlock(&self->monitor);
}

/* ---- set ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const int64_t *seconds;
} s_classes[] = {
    { "short", &cache_settings.short_s },   { "medium", &cache_settings.medium_s },
    { "long", &cache_settings.long_s },     { "result", &cache_settings.result_s },
    { "static", &cache_settings.static_s }, { "session", &cache_settings.session_s },
};

static uint64_t s_fresh_ms(const value_t *message)
{
    int64_t ttl_s = value_get_int(message, "ttl_s", 0);
    for (size_t i = 0; ttl_s == 0 && i < COUNT_OF(s_classes); i++)
        if (value_is(value_get(message, "class"), s_classes[i].name))
            ttl_s = *s_classes[i].seconds;
    return (uint64_t)(ttl_s ? ttl_s : cache_settings.medium_s) * 1000;
}

/* Tags of a message, each once; false when one is empty or too long. */
static bool s_read_tags(const value_t *list, span_t tags[CACHE_TAGS_MAX], size_t *count)
{
    const value_t *text;
    *count = 0;
    for (uint32_t i = 0; (text = value_item(list, i)); i++) {
        size_t same = 0;
        if (*count == CACHE_TAGS_MAX || !span_of(text, CACHE_TAG_BYTES, &tags[*count]))
            return false;
        while (!span_equal(tags[same], tags[*count]))
            same++;
        *count += same == *count;
    }
    return true;
}

/* What a message wants kept; the tags lie in `tags`. False when it is not well-formed. */
static bool s_read_item(const value_t *message, span_t tags[CACHE_TAGS_MAX], lru_item_t *item)
{
    const value_t *value = value_get(message, "value");
    uint64_t now_ms = clock_ms(), fresh_ms = s_fresh_ms(message);
    *item = (lru_item_t){ .tags = tags,
                          .born_ms = now_ms,
                          .fresh_until_ms = now_ms + fresh_ms,
                          .stale_until_ms =
                              now_ms + fresh_ms + (uint64_t)cache_settings.stale_s * 1000 };
    if (!value_is_type(value, VALUE_BINARY) && !value_is_type(value, VALUE_TEXT))
        return false;
    item->value = (span_t){ value->bytes, value->count };
    return span_of(value_get(message, "key"), CACHE_KEY_BYTES, &item->key) &&
           s_read_tags(value_get(message, "tags"), tags, &item->tag_count);
}

static void s_fail_item(call_t *call)
{
    call_fail(call, ERROR_VALIDATION_FAILED,
              "`key` must be text or bytes of 1 to %d bytes, `value` text or bytes, each of `tags` "
              "1 to %d bytes",
              CACHE_KEY_BYTES, CACHE_TAG_BYTES);
}

/* Keeps the value on both levels and gives it to whoever waits, even when it is too large to keep.
 */
static bool s_store(cache_t *self, const lru_item_t *item, uint64_t redis_epoch)
{
    record_t record = { .born_ms = clock_wall_ms(),
                        .fresh_ms = (uint32_t)(item->fresh_until_ms - item->born_ms),
                        .epoch = redis_epoch,
                        .tag_count = item->tag_count,
                        .value = item->value };
    flight_answer(self, item);
    if (!cache_keep(self, item)) {
        cache_count(self, CACHE_DISCARDED, 1);
        return false;
    }
    cache_count(self, CACHE_SETS, 1);
    for (size_t i = 0; i < item->tag_count; i++)
        record.tags[i] = item->tags[i];
    if (owe_nothing(self))
        shared_put(self->redis, item->key, &record);
    return true;
}

/* Why it is not kept; NULL: it is. */
static const char *s_set(cache_t *self, const lru_item_t *item, uint64_t lease)
{
    flight_t *flight = lease ? flight_find(self, item->key, lease) : NULL;
    const char *reason = NULL;
    if (lease && !flight) {
        reason = "no_lease";
    } else if (flight && !flight_allows(self, flight, item->tags, item->tag_count)) {
        reason = "invalidated";
    } else {
        uint64_t epoch = flight ? flight_redis_epoch(flight) : self->redis_epoch;
        bool kept = s_store(self, item, epoch);
        if (flight)
            flight_end_lease(self, flight);
        return kept ? NULL : "too_large";
    }
    cache_count(self, CACHE_DISCARDED, 1);
    if (flight)
        flight_end_lease(self, flight);
    return reason;
}

void cache_on_set(call_t *call, void *memory)
{
    cache_t *self = memory;
    span_t tags[CACHE_TAGS_MAX];
    lru_item_t item;
    if (!s_read_item(call_request(call), tags, &item)) {
        s_fail_item(call);
        return;
    }
    monitor_lock(&self->monitor);
    const char *reason = s_set(self, &item, (uint64_t)call_int(call, "lease"));
    monitor_unlock(&self->monitor);
    pack_t *pack = call_pack(call);
    pack_map(pack, 2);
    pack_pair_bool(pack, "stored", !reason);
    pack_pair_text(pack, "reason", reason);
    call_reply(call, 0);
}

void cache_on_release(call_t *call, void *memory)
{
    cache_t *self = memory;
    span_t key;
    if (!cache_require_key(call, &key))
        return;
    monitor_lock(&self->monitor);
    flight_t *flight = flight_find(self, key, (uint64_t)call_int(call, "lease"));
    if (flight)
        flight_end_lease(self, flight);
    monitor_unlock(&self->monitor);
    pack_map(call_pack(call), 1);
    pack_pair_bool(call_pack(call), "released", flight != NULL);
    call_reply(call, 0);
}

void cache_on_warm(call_t *call, void *memory)
{
    cache_t *self = memory;
    const value_t *entries = value_get(call_request(call), "entries"), *entry;
    int64_t stored = 0, refused = 0;
    for (uint32_t i = 0; (entry = value_item(entries, i)); i++) {
        span_t tags[CACHE_TAGS_MAX];
        lru_item_t item;
        bool good = s_read_item(entry, tags, &item);
        monitor_lock(&self->monitor);
        good = good && s_store(self, &item, self->redis_epoch);
        monitor_unlock(&self->monitor);
        stored += good;
        refused += !good;
    }
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "stored", stored);
    pack_pair_int(call_pack(call), "refused", refused);
    call_reply(call, 0);
}

/* ---- drop ----------------------------------------------------------------------------------- */

static bool s_has_seen(cache_t *self, uint64_t id)
{
    if (id == 0)
        return false;
    for (size_t i = 0; i < CACHE_SEEN_MAX; i++)
        if (self->seen[i] == id)
            return true;
    self->seen[self->seen_next++ % CACHE_SEEN_MAX] = id;
    return false;
}

static void s_on_dropped(void *arg, span_t key, uint64_t born_ms)
{
    cache_t *self = arg;
    if (born_ms + VALUE_RECENT_MS > clock_ms() && redis_is_up(self->redis))
        shared_remove(self->redis, key);
}

void cache_apply(cache_t *self, const drop_t *drop, size_t *dropped, size_t *voided)
{
    *dropped = *voided = 0;
    if (s_has_seen(self, drop->id))
        return;
    if (drop->epoch > self->redis_epoch)
        self->redis_epoch = drop->epoch;
    if (drop->is_all)
        epochs_change_all(&self->epochs);
    for (size_t i = 0; i < drop->tag_count; i++) {
        epochs_change_tag(&self->epochs, drop->tags[i]);
        *dropped += lru_drop_tag(&self->lru, drop->tags[i], s_on_dropped, self);
    }
    if (drop->is_all || drop->prefix.size)
        *dropped += lru_drop_prefix(&self->lru, drop->is_all ? (span_t){ "", 0 } : drop->prefix,
                                    s_on_dropped, self);
    for (size_t i = 0; i < drop->key_count; i++)
        *dropped += lru_delete(&self->lru, drop->keys[i]);
    *voided = flight_void(self, drop);
    cache_count(self, CACHE_INVALIDATED, (int64_t)*dropped);
    if (self->redis && (drop->is_owed || !redis_is_up(self->redis)))
        owe(self, drop);
}
