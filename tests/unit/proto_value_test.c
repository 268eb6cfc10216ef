/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>

#include <msgpack.h>

#include "proto/pack.h"
#include "proto/value.h"
#include "tests/tap.h"

#define LIMITS ((value_limits_t){ .depth = 8, .nodes = 100 })

static void test_verdicts(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        value_verdict_t verdict;
    } cases[] = {
        { "", 0, VALUE_CUT },
        { "\xc0", 1, VALUE_GOOD },
        { "\xc0\xc0", 2, VALUE_TRAILING },
        { "\xc1", 1, VALUE_BAD_BYTE },
        { "\xd4\x01\x02", 3, VALUE_BAD_BYTE }, /* an extension */
        { "\x92\x01", 2, VALUE_CUT },
        { "\xdd\x03\xff\xff\xff", 5, VALUE_CUT }, /* declares 2^26 items in five bytes */
        { "\xdf\xff\xff\xff\xff", 5, VALUE_CUT },
        { "\xdb\xff\xff\xff\xff", 5, VALUE_CUT },
        { "\xc6\x00\x00\x00\x02\x01", 6, VALUE_CUT },
        { "\x81\x01\x02", 3, VALUE_BAD_KEY },
        { "\x81\xa1k\x02", 4, VALUE_GOOD },
        { "\x82\xa1k\x02\xa1l\x91\x01", 8, VALUE_GOOD },
        { "\xa1\xff", 2, VALUE_BAD_TEXT },
        { "\x91\x91\x91\x91\x91\x91\x91\x91\x90", 9, VALUE_TOO_DEEP },
        { "\x91\x91\x91\x91\x91\x91\x91\x91\x01", 9, VALUE_GOOD },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_int(value_check(cases[i].bytes, cases[i].size, LIMITS, NULL), cases[i].verdict);
    uint8_t many[103] = { 0xdc, 0, 100 };
    is_int(value_check(many, sizeof many, LIMITS, NULL), VALUE_TOO_MANY);
    many[2] = 99;
    is_int(value_check(many, sizeof many - 1, LIMITS, NULL), VALUE_GOOD);
}

static void test_tree(void)
{
    buf_t bytes = { 0 };
    pack_t pack;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    pack_init(&pack, &bytes);
    pack_map(&pack, 7);
    pack_pair_text(&pack, "name", "signal");
    pack_pair_int(&pack, "small", -5);
    pack_pair_int(&pack, "large", INT64_MIN);
    pack_text(&pack, "huge");
    pack_uint(&pack, UINT64_MAX);
    pack_text(&pack, "half");
    pack_double(&pack, 0.5);
    pack_pair_bool(&pack, "yes", true);
    pack_text(&pack, "list");
    pack_array(&pack, 2);
    pack_nil(&pack);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "inner", "x");
    const value_t *map = value_parse(&arena, bytes.bytes, bytes.size, LIMITS, &verdict);
    ok(map && map->type == VALUE_MAP && map->count == 7);
    is_text(value_dup_text(&arena, map, "name"), "signal");
    is_int(value_get_int(map, "small", 0), -5);
    is_int(value_get_int(map, "large", 0), INT64_MIN);
    is_int(value_get_int(map, "name", 42), 42);
    is_int(value_get(map, "huge")->type, VALUE_UINT);
    ok(value_get(map, "huge")->natural == UINT64_MAX);
    ok(value_get(map, "half")->number == 0.5);
    ok(value_get_bool(map, "yes", false));
    ok(value_get(map, "no") == NULL);
    ok(value_get(NULL, "no") == NULL);
    is_int(value_item(value_get(map, "list"), 0)->type, VALUE_NIL);
    ok(value_is(value_get(value_item(value_get(map, "list"), 1), "inner"), "x"));
    ok(value_item(value_get(map, "list"), 2) == NULL);
    is_int(value_skip(bytes.bytes), bytes.size);
    arena_free(&arena);
    buf_free(&bytes);
}

static void test_whole_doubles_are_integers_too(void)
{
    const value_t pair[] = { { .type = VALUE_TEXT, .count = 1, .text = "n" },
                             { .type = VALUE_FLOAT, .number = 5.0 } };
    const value_t map = { .type = VALUE_MAP, .count = 1, .items = pair };
    is_int(value_get_int(&map, "n", 0), 5);
}

static void test_equal(void)
{
    static const struct {
        const char *a, *b;
        size_t a_size, b_size;
        bool equal;
    } cases[] = {
        { "\x01", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 1, 9, true }, /* 1 and 1.0 */
        { "\x01", "\x02", 1, 1, false },
        { "\x82\xa1"
          "a\x01\xa1"
          "b\x02",
          "\x82\xa1"
          "b\x02\xa1"
          "a\x01",
          7, 7, true },
        { "\x92\x01\x02", "\x92\x02\x01", 3, 3, false },
        { "\xa1x", "\xc4\x01x", 2, 3, false },
        { "\xc0", "\xc2", 1, 1, false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena_t arena = { 0 };
        value_verdict_t verdict;
        const value_t *a = value_parse(&arena, cases[i].a, cases[i].a_size, LIMITS, &verdict);
        const value_t *b = value_parse(&arena, cases[i].b, cases[i].b_size, LIMITS, &verdict);
        is_int(value_equal(a, b), cases[i].equal);
        arena_free(&arena);
    }
}

/* msgpack-c is the oracle: what it reads whole and we refuse must have a reason of ours. */
static void test_against_msgpack_c(void)
{
    unsigned wrong = 0, accepted = 0;
    srand(11);
    for (int i = 0; i < 300000; i++) {
        uint8_t bytes[12];
        size_t size = 1 + (size_t)(rand() % 12), offset = 0;
        bool has_huge = false;
        for (size_t j = 0; j < size; j++) {
            bytes[j] = (uint8_t)rand();
            has_huge |= bytes[j] == 0xdd || bytes[j] == 0xdf; /* the oracle would take gigabytes */
        }
        if (has_huge)
            continue;
        value_verdict_t verdict = value_check(bytes, size, LIMITS, NULL);
        msgpack_unpacked result;
        msgpack_unpacked_init(&result);
        msgpack_unpack_return got =
            msgpack_unpack_next(&result, (const char *)bytes, size, &offset);
        bool whole = got == MSGPACK_UNPACK_SUCCESS && offset == size;
        if (verdict == VALUE_GOOD) {
            accepted++;
            wrong += !whole;
        } else if (whole) {
            wrong += verdict == VALUE_CUT || verdict == VALUE_TRAILING;
        }
        msgpack_unpacked_destroy(&result);
    }
    is_int(wrong, 0);
    ok(accepted > 1000);
}

TESTS({ "verdicts", test_verdicts }, { "tree", test_tree },
      { "whole doubles", test_whole_doubles_are_integers_too }, { "equal", test_equal },
      { "against msgpack-c", test_against_msgpack_c })
