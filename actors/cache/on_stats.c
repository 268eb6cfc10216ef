/* SPDX-License-Identifier: MPL-2.0
 *
 * on_stats - the numbers of one instance, and of all together
 */
#include "config.h"

#include "actors/cache/gather.h"

/* The members of a report that are numbers to be added up. */
static const struct {
    const char *name;
    cache_stat_t row;
} s_numbers[] = {
    { "entries", CACHE_ENTRIES },
    { "bytes", CACHE_BYTES },
    { "bytes_max", CACHE_BYTES_MAX },
    { "gets", CACHE_GETS },
    { "hits", CACHE_HITS },
    { "redis_hits", CACHE_REDIS_HITS },
    { "stale_hits", CACHE_STALE_HITS },
    { "joined", CACHE_JOINED },
    { "misses", CACHE_MISSES },
    { "sets", CACHE_SETS },
    { "discarded", CACHE_DISCARDED },
    { "evicted", CACHE_EVICTED },
    { "expired", CACHE_EXPIRED },
    { "invalidated", CACHE_INVALIDATED },
    { "leases", CACHE_LEASES },
    { "waiting", CACHE_WAITING },
};

typedef struct {
    int64_t values[COUNT_OF(s_numbers)];
} numbers_t;

static double s_hit_rate(int64_t gets, int64_t misses)
{
    return gets > 0 && misses <= gets ? (double)(gets - misses) / (double)gets : 0;
}

/* The numbers as pairs of a map, and the hit rate behind them. */
static void s_pack_numbers(const numbers_t *numbers, pack_t *pack)
{
    int64_t gets = 0, misses = 0;
    for (size_t i = 0; i < COUNT_OF(s_numbers); i++) {
        pack_pair_int(pack, s_numbers[i].name, numbers->values[i]);
        if (s_numbers[i].row == CACHE_GETS)
            gets = numbers->values[i];
        if (s_numbers[i].row == CACHE_MISSES)
            misses = numbers->values[i];
    }
    pack_text(pack, "hit_rate");
    pack_double(pack, s_hit_rate(gets, misses));
}

void cache_on_report(call_t *call, void *memory)
{
    cache_t *self = memory;
    const char *redis = "none";
    numbers_t numbers;
    monitor_lock(&self->monitor);
    cache_refresh(self);
    bool is_degraded = self->redis && !owe_nothing(self);
    monitor_unlock(&self->monitor);
    if (self->redis)
        redis = is_degraded ? "away" : "up";
    for (size_t i = 0; i < COUNT_OF(s_numbers); i++)
        numbers.values[i] = stats_get(actor_stats(self->actor), s_numbers[i].row);
    pack_t *pack = call_pack(call);
    pack_map(pack, COUNT_OF(s_numbers) + 4);
    pack_pair_text(pack, "instance", actor_instance(self->actor));
    pack_pair_text(pack, "redis", redis);
    pack_pair_bool(pack, "degraded", is_degraded);
    s_pack_numbers(&numbers, pack);
    call_reply(call, 0);
}

static void s_on_gathered(call_t *call, void *arg, const gather_t *gather)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    numbers_t total = { { 0 } };
    bool is_degraded = false;
    const uint8_t *at = gather->parts.bytes;
    (void)arg;
    for (size_t i = 0; i < gather->count; i++) {
        size_t size = value_skip(at);
        const value_t *report = value_parse(&arena, at, size, VALUE_LIMITS, &verdict);
        for (size_t j = 0; j < COUNT_OF(s_numbers); j++)
            total.values[j] += value_get_int(report, s_numbers[j].name, 0);
        is_degraded |= value_get_bool(report, "degraded", false);
        at += size;
    }
    arena_free(&arena);
    pack_t *pack = call_pack(call);
    pack_map(pack, 3);
    pack_pair_bool(pack, "degraded", is_degraded);
    pack_text(pack, "total");
    pack_map(pack, COUNT_OF(s_numbers) + 1);
    s_pack_numbers(&total, pack);
    pack_text(pack, "instances");
    pack_array(pack, gather->count);
    pack_raw(pack, gather->parts.bytes, gather->parts.size);
    call_reply(call, 0);
}

void cache_on_stats(call_t *call, void *memory)
{
    buf_t body = { 0 };
    pack_t pack;
    (void)memory;
    pack_init(&pack, &body);
    pack_map(&pack, 0);
    call_defer(call);
    gather_send(call, &cache_report, &body, s_on_gathered, NULL);
}
