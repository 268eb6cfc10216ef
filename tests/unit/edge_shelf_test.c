/* SPDX-License-Identifier: MPL-2.0
 *
 * Copies of answers: how long they are given, and what drops them.
 */
#include "config.h"

#include "edge/shelf.h"
#include "proto/json.h"
#include "proto/pack.h"
#include "tests/tap.h"

static shelf_t s_shelf;

static void s_key(const char *name, uint8_t key[SHELF_KEY_BYTES])
{
    memset(key, 0, SHELF_KEY_BYTES);
    memcpy(key, name, strlen(name));
}

static void s_add_sized(const char *name, const char *tags, size_t size, uint64_t epoch)
{
    static const char bytes[100000] = "content";
    uint8_t key[SHELF_KEY_BYTES];
    s_key(name, key);
    shelf_add(&s_shelf, key,
              &(copy_t){ .bytes = bytes,
                         .size = size,
                         .media = "application/json",
                         .name = name,
                         .tags = tags,
                         .etag = "abc",
                         .made_ms = 900,
                         .until_ms = 6000 },
              epoch);
}

static void s_add(const char *name, const char *tags)
{
    s_add_sized(name, tags, 7, shelf_epoch(&s_shelf));
}

static bool s_has(const char *name, uint64_t now_ms)
{
    uint8_t key[SHELF_KEY_BYTES];
    s_key(name, key);
    copy_t *copy = shelf_find(&s_shelf, key, now_ms);
    bool has = copy != NULL;
    copy_drop(&copy);
    return has;
}

static void test_copies(void)
{
    uint8_t key[SHELF_KEY_BYTES];
    shelf_init(&s_shelf, 1 << 20);
    ok(!s_has("a", 1000));
    s_add("a", "t1\n");
    s_key("a", key);
    copy_t *copy = shelf_find(&s_shelf, key, 5999);
    ok(copy && copy->size == 7 && memcmp(copy->bytes, "content", 7) == 0);
    is_text(copy->media, "application/json");
    is_text(copy->etag, "abc");
    is_int(copy->made_ms, 900);
    ok(!s_has("a", 6000)); /* over, and gone; but whoever has it may finish */
    ok(memcmp(copy->bytes, "content", 7) == 0);
    copy_drop(&copy);
    shelf_free(&s_shelf);
}

static void test_drops(void)
{
    static const struct {
        const char *drop;
        bool left[4];
    } cases[] = {
        { "{\"tags\":[\"t1\"]}", { false, true, false, true } },
        { "{\"tags\":[\"t2\",\"t9\"]}", { true, false, false, true } },
        { "{\"tags\":[\"t\",\"\",\"t1\\nt2\"]}", { true, true, true, true } },
        { "{\"keys\":[\"edge:a\",\"edge:\"]}", { false, true, true, true } },
        { "{\"prefix\":\"edge:\"}", { false, false, true, true } },
        { "{\"prefix\":\"\"}", { true, true, true, true } },
        { "{\"all\":true,\"tags\":[]}", { false, false, false, false } },
        { "{\"all\":false,\"tags\":[],\"keys\":[]}", { true, true, true, true } },
        { "{}", { true, true, true, true } },
    };
    static const char *const names[] = { "edge:a", "edge:b", "other:a", "plain" };
    static const char *const tags[] = { "t1\n", "t2\n", "t1\nt2\n", "" };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena_t arena = { 0 };
        buf_t packed = { 0 };
        json_error_t error;
        value_verdict_t verdict;
        shelf_init(&s_shelf, 1 << 20);
        for (size_t j = 0; j < COUNT_OF(names); j++)
            s_add(names[j], tags[j]);
        ok(json_to_msgpack(cases[i].drop, strlen(cases[i].drop), VALUE_LIMITS, 0, &packed, &error));
        shelf_invalidate(&s_shelf,
                         value_parse(&arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict));
        for (size_t j = 0; j < COUNT_OF(names); j++)
            ok_named(s_has(names[j], 1000) == cases[i].left[j], cases[i].drop);
        shelf_free(&s_shelf);
        buf_free(&packed);
        arena_free(&arena);
    }
    shelf_init(&s_shelf, 1 << 20);
    s_add("a", "t1\n");
    s_add("b", "t2\n");
    is_int(shelf_invalidate_tags(&s_shelf, "t2\nt3\n"), 1);
    ok(s_has("a", 1000) && !s_has("b", 1000));
    is_int(shelf_clear(&s_shelf), 1);
    shelf_free(&s_shelf);
}

static void test_epoch(void)
{
    shelf_init(&s_shelf, 1 << 20);
    uint64_t asked = shelf_epoch(&s_shelf);
    shelf_invalidate_tags(&s_shelf, "t1\n"); /* while the answer is computed */
    s_add_sized("a", "t1\n", 7, asked);
    ok(!s_has("a", 1000));
    s_add_sized("a", "t1\n", 7, shelf_epoch(&s_shelf));
    ok(s_has("a", 1000));
    shelf_free(&s_shelf);
}

static void test_bounds(void)
{
    shelf_init(&s_shelf, SHELF_PARTS * 10000);
    s_add_sized("big", "", 5000, shelf_epoch(&s_shelf));
    ok(!s_has("big", 1000));
    for (int i = 0; i < 10000; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i);
        s_add_sized(name, "", 1000, shelf_epoch(&s_shelf));
    }
    ok(s_has("9999", 1000));
    size_t kept = shelf_clear(&s_shelf);
    ok(kept > 0 && kept <= SHELF_PARTS * 10);
    shelf_free(&s_shelf);
    shelf_init(&s_shelf, 0);
    s_add("a", "");
    ok(!s_has("a", 1000));
    shelf_free(&s_shelf);
}

TESTS({ "copies", test_copies }, { "drops", test_drops }, { "epoch", test_epoch },
      { "bounds", test_bounds })
