/* SPDX-License-Identifier: MPL-2.0
 *
 * The least recently used goes first, time ends values, tags and prefixes drop them, and every byte
 * is accounted for: by examples, and by comparing long random runs with a model of a few lines.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/base/id.h"
#include "actors/cache/lru.h"
#include "tests/tap.h"

static span_t s_span(const char *text)
{
    return (span_t){ text, strlen(text) };
}

static bool s_set(lru_t *lru, const char *key, const char *value, const char *tag, uint64_t now)
{
    span_t span = s_span(tag ? tag : "");
    lru_item_t item = { .key = s_span(key),
                        .value = s_span(value),
                        .tags = &span,
                        .tag_count = tag != NULL,
                        .born_ms = now,
                        .fresh_until_ms = now + 100,
                        .stale_until_ms = now + 150 };
    return lru_set(lru, &item);
}

static lru_state_t s_get(lru_t *lru, const char *key, uint64_t now)
{
    lru_item_t item;
    return lru_get(lru, s_span(key), now, &item);
}

static size_t s_cost(const char *key, const char *value)
{
    return lru_cost(&(lru_item_t){ .key = s_span(key), .value = s_span(value) });
}

static void test_time(void)
{
    static const struct {
        uint64_t at;
        lru_state_t state;
    } steps[] = { { 0, LRU_FRESH },   { 99, LRU_FRESH }, { 100, LRU_STALE },
                  { 149, LRU_STALE }, { 150, LRU_MISS }, { 0, LRU_MISS } };
    lru_t lru;
    lru_init(&lru, 10000);
    ok(s_set(&lru, "a", "1", NULL, 0));
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        is_int(s_get(&lru, "a", steps[i].at), steps[i].state);
    is_int(lru.expired, 1);
    is_int(lru.bytes, 0);
    lru_free(&lru);
}

static void test_room(void)
{
    lru_t lru;
    lru_init(&lru, 3 * s_cost("a", "1"));
    ok(s_set(&lru, "a", "1", NULL, 0));
    ok(s_set(&lru, "b", "1", NULL, 0));
    ok(s_set(&lru, "c", "1", NULL, 0));
    is_int(s_get(&lru, "a", 1), LRU_FRESH); /* now b is the one used least recently */
    ok(s_set(&lru, "d", "1", NULL, 0));
    is_int(s_get(&lru, "b", 1), LRU_MISS);
    is_int(s_get(&lru, "a", 1), LRU_FRESH);
    is_int(lru.evicted, 1);
    ok(s_set(&lru, "a", "2", NULL, 0)); /* in its own place */
    is_int(lru.count, 3);
    is_int(lru.bytes, 3 * s_cost("a", "1"));
    lru_free(&lru);
    is_int(lru.bytes, 0);
}

static void test_too_large(void)
{
    char large[500];
    lru_t lru;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    lru_init(&lru, 400);
    ok(s_set(&lru, "a", "1", NULL, 0));
    ok(s_set(&lru, "b", "1", NULL, 0));
    ok(!s_set(&lru, "a", large, NULL, 0));
    is_int(s_get(&lru, "a", 0), LRU_MISS); /* the old value is not the value any more */
    is_int(s_get(&lru, "b", 0), LRU_FRESH);
    lru_free(&lru);
}

static void s_count_dropped(void *arg, span_t key, uint64_t born_ms)
{
    (void)key;
    (void)born_ms;
    ++*(size_t *)arg;
}

static void test_drops(void)
{
    size_t heard = 0;
    lru_t lru;
    lru_init(&lru, 100000);
    ok(s_set(&lru, "acme:1", "x", "prices", 0));
    ok(s_set(&lru, "acme:2", "x", "prices", 0));
    ok(s_set(&lru, "acme:3", "x", "orders", 0));
    ok(s_set(&lru, "other:1", "x", "prices", 0));
    size_t full = lru.bytes;
    is_int(lru_drop_tag(&lru, s_span("nothing"), NULL, NULL), 0);
    is_int(lru_drop_tag(&lru, s_span("prices"), s_count_dropped, &heard), 3);
    is_int(lru_drop_prefix(&lru, s_span("acme:"), s_count_dropped, &heard), 1);
    is_int(heard, 4);
    is_int(lru.count, 0);
    is_int(lru.bytes, 0);
    ok(s_set(&lru, "acme:1", "x", "prices", 0));
    ok(s_set(&lru, "acme:1", "x", "orders", 0)); /* the tags are the new value's */
    is_int(lru_drop_tag(&lru, s_span("prices"), NULL, NULL), 0);
    ok(lru_delete(&lru, s_span("acme:1")));
    ok(!lru_delete(&lru, s_span("acme:1")));
    ok(full > 0 && lru.bytes == 0);
    lru_free(&lru);
}

static void test_sweep(void)
{
    char key[8];
    lru_t lru;
    lru_init(&lru, 100000);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        ok(s_set(&lru, key, "x", NULL, i % 2 ? 0 : 1000));
    }
    for (int i = 0; i < 10; i++)
        lru_sweep(&lru, 500, 11); /* ten times eleven: all of them, in pieces */
    is_int(lru.count, 50);
    is_int(lru.expired, 50);
    lru_free(&lru);
    lru_sweep(&lru, 500, 11);
}

/* ---- against a model ------------------------------------------------------------------------ */

#define MODEL_KEYS 40
#define MODEL_TAGS 6

typedef struct {
    bool is_there;
    uint64_t used, fresh_until, stale_until; /* `used` orders them */
    size_t size;
    unsigned tags; /* bits */
} model_entry_t;

typedef struct {
    model_entry_t entries[MODEL_KEYS];
    size_t bytes_max;
    uint64_t steps;
} model_t;

static const char *const s_tag_names[MODEL_TAGS] = { "a", "bb", "ccc", "dddd", "eeeee", "ffffff" };

static const char *s_key_name(size_t key)
{
    static char names[MODEL_KEYS][16];
    snprintf(names[key], sizeof names[key], "%c:%zu", (int)('a' + key % 3), key);
    return names[key];
}

static size_t s_tags_of(unsigned bits, span_t tags[MODEL_TAGS])
{
    size_t count = 0;
    for (size_t i = 0; i < MODEL_TAGS; i++)
        if (bits & 1u << i)
            tags[count++] = s_span(s_tag_names[i]);
    return count;
}

/* The cost of a tag is measured, not assumed: one value with and without it. */
static size_t s_tag_cost(size_t tag)
{
    lru_t lru;
    lru_init(&lru, 100000);
    ok_named(s_set(&lru, "k", "", s_tag_names[tag], 0), "set");
    span_t name = s_span(s_tag_names[tag]);
    size_t bytes =
        lru.bytes - lru_cost(&(lru_item_t){ .key = s_span("k"), .tags = &name, .tag_count = 1 });
    lru_free(&lru);
    return bytes;
}

static size_t s_model_bytes(const model_t *model, const size_t tag_costs[MODEL_TAGS])
{
    size_t bytes = 0;
    unsigned tags = 0;
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        const model_entry_t *entry = &model->entries[i];
        span_t names[MODEL_TAGS];
        if (!entry->is_there)
            continue;
        tags |= entry->tags;
        bytes += lru_cost(&(lru_item_t){ .key = s_span(s_key_name(i)),
                                         .value = { NULL, entry->size },
                                         .tag_count = s_tags_of(entry->tags, names) });
    }
    for (size_t i = 0; i < MODEL_TAGS; i++)
        if (tags & 1u << i)
            bytes += tag_costs[i];
    return bytes;
}

static void s_model_evict(model_t *model, const size_t tag_costs[MODEL_TAGS])
{
    while (s_model_bytes(model, tag_costs) > model->bytes_max) {
        model_entry_t *oldest = NULL;
        for (size_t i = 0; i < MODEL_KEYS; i++) {
            model_entry_t *entry = &model->entries[i];
            if (entry->is_there && (!oldest || entry->used < oldest->used))
                oldest = entry;
        }
        oldest->is_there = false;
    }
}

static uint64_t s_seed;

static size_t s_random(size_t below)
{
    s_seed = id_mix(s_seed, 0x5eed);
    return (size_t)(s_seed % below);
}

static bool s_step(lru_t *lru, model_t *model, const size_t tag_costs[MODEL_TAGS], uint64_t now)
{
    static const char bytes[512];
    size_t key = s_random(MODEL_KEYS), tag = s_random(MODEL_TAGS), expected = 0;
    model_entry_t *entry = &model->entries[key];
    span_t name = s_span(s_key_name(key)), tags[MODEL_TAGS];
    lru_item_t item;
    model->steps++;
    switch (s_random(12)) {
    case 0: /* a tag */
        for (size_t i = 0; i < MODEL_KEYS; i++)
            if (model->entries[i].is_there && model->entries[i].tags & 1u << tag) {
                model->entries[i].is_there = false;
                expected++;
            }
        return lru_drop_tag(lru, s_span(s_tag_names[tag]), NULL, NULL) == expected;
    case 1: /* a prefix, of which there are three */
        for (size_t i = key % 3; i < MODEL_KEYS; i += 3)
            if (model->entries[i].is_there) {
                model->entries[i].is_there = false;
                expected++;
            }
        name.size = 2;
        return lru_drop_prefix(lru, name, NULL, NULL) == expected;
    case 2: {
        bool was_there = entry->is_there;
        entry->is_there = false;
        return lru_delete(lru, name) == was_there;
    }
    case 3:
        lru_sweep(lru, now, MODEL_KEYS * 2);
        lru_sweep(lru, now, MODEL_KEYS * 2);
        for (size_t i = 0; i < MODEL_KEYS; i++)
            if (now >= model->entries[i].stale_until)
                model->entries[i].is_there = false;
        return true;
    case 4:
    case 5:
    case 6:
    case 7:
        *entry = (model_entry_t){ .is_there = true,
                                  .used = model->steps,
                                  .fresh_until = now + s_random(50),
                                  .size = s_random(sizeof bytes),
                                  .tags = (unsigned)s_random(1u << MODEL_TAGS) };
        entry->stale_until = entry->fresh_until + s_random(20);
        item = (lru_item_t){ .key = name,
                             .value = { bytes, entry->size },
                             .tags = tags,
                             .tag_count = s_tags_of(entry->tags, tags),
                             .fresh_until_ms = entry->fresh_until,
                             .stale_until_ms = entry->stale_until };
        s_model_evict(model, tag_costs);
        return lru_set(lru, &item);
    default: {
        lru_state_t state = LRU_MISS;
        if (entry->is_there && now < entry->stale_until) {
            state = now < entry->fresh_until ? LRU_FRESH : LRU_STALE;
            entry->used = model->steps;
        } else {
            entry->is_there = false;
        }
        return lru_get(lru, name, now, &item) == state &&
               (state == LRU_MISS || item.value.size == entry->size);
    }
    }
}

static void test_model(void)
{
    size_t tag_costs[MODEL_TAGS];
    bool good = true;
    for (size_t i = 0; i < MODEL_TAGS; i++)
        tag_costs[i] = s_tag_cost(i);
    for (uint64_t run = 0; run < 20 && good; run++) {
        model_t model = { .bytes_max = 3000 + (size_t)run * 500 };
        lru_t lru;
        lru_init(&lru, model.bytes_max);
        s_seed = run;
        for (uint64_t step = 0; step < 5000 && good; step++) {
            size_t count = 0;
            good = s_step(&lru, &model, tag_costs, step / 4);
            for (size_t i = 0; i < MODEL_KEYS; i++)
                count += model.entries[i].is_there;
            good &= lru.count == count && lru.bytes == s_model_bytes(&model, tag_costs);
            if (!good)
                note("run %d, step %d: %zu values, expected %zu; %zu bytes, expected %zu", (int)run,
                     (int)step, lru.count, count, lru.bytes, s_model_bytes(&model, tag_costs));
        }
        lru_free(&lru);
        good &= lru.bytes == 0 && lru.count == 0;
    }
    ok(good);
}

TESTS({ "time", test_time }, { "room", test_room }, { "too large", test_too_large },
      { "drops", test_drops }, { "sweep", test_sweep }, { "model", test_model })
