/* SPDX-License-Identifier: MPL-2.0
 *
 * What lies in Redis is read back as it was written, and nothing else is read at all; what an
 * invalidation names survives its message.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/cache/drop.h"
#include "actors/cache/record.h"
#include "tests/tap.h"

static span_t s_span(const char *text)
{
    return (span_t){ text, strlen(text) };
}

static void test_record(void)
{
    record_t record = { .born_ms = 1700000000123,
                        .fresh_ms = 60000,
                        .epoch = 1700000000123456,
                        .tag_count = 2,
                        .tags = { { "prices", 6 }, { "o", 1 } },
                        .value = { "a\0b", 3 } };
    record_t back;
    buf_t bytes = { 0 };
    record_write(&record, &bytes);
    ok(record_read(&back, bytes.bytes, bytes.size));
    is_int(back.born_ms, record.born_ms);
    is_int(back.fresh_ms, record.fresh_ms);
    is_int(back.epoch, record.epoch);
    is_int(back.tag_count, 2);
    ok(span_equal(back.tags[0], record.tags[0]) && span_equal(back.tags[1], record.tags[1]));
    ok(span_equal(back.value, record.value));
    for (size_t size = 0; size < bytes.size - 3; size++) { /* cut anywhere before the value */
        uint8_t *cut = malloc(size + 1);                   /* so that reading on is noticed */
        memcpy(cut, bytes.bytes, size);
        ok(!record_read(&back, cut, size));
        free(cut);
    }
    bytes.bytes[0] = 2; /* a later version */
    ok(!record_read(&back, bytes.bytes, bytes.size));
    bytes.bytes[0] = 1;
    bytes.bytes[1] = CACHE_TAGS_MAX + 1;
    ok(!record_read(&back, bytes.bytes, bytes.size));
    buf_free(&bytes);
}

static void test_drop(void)
{
    drop_t drop = { .id = 7,
                    .epoch = 8,
                    .is_owed = true,
                    .prefix = s_span("acme:"),
                    .tag_count = 1,
                    .tags = { s_span("prices") },
                    .key_count = 2,
                    .keys = { s_span("one"), { "\xff\x00", 2 } } };
    drop_t read;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    drop_write(&drop, &pack);
    drop_read(&read, value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict));
    drop_t *copy = drop_copy(&read);
    memset(bytes.bytes, 0, bytes.size);
    is_int(copy->id, 7);
    is_int(copy->epoch, 8);
    ok(copy->is_owed && !copy->is_all);
    is_int(copy->tag_count, 1);
    is_int(copy->key_count, 2);
    ok(span_equal(copy->tags[0], drop.tags[0]));
    ok(drop_names_key(copy, s_span("one")));
    ok(drop_names_key(copy, (span_t){ "\xff\x00", 2 }));
    ok(drop_names_key(copy, s_span("acme:x")));
    ok(!drop_names_key(copy, s_span("acme")));
    ok(!drop_names_key(copy, s_span("prices")));
    ok(drop_names_something(copy));
    mem_free(copy);
    drop_read(&read, NULL);
    ok(!drop_names_something(&read));
    arena_free(&arena);
    buf_free(&bytes);
}

TESTS({ "record", test_record }, { "drop", test_drop })
