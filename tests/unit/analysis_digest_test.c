/* SPDX-License-Identifier: MPL-2.0
 *
 * Digests of settings: what is the same, what is not, and that the stored numbers stay what they
 * are.
 */
#include "config.h"

#include "actors/analysis/digest.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

static uint64_t s_digest(const char *json)
{
    kit_t kit = { 0 };
    ok_named(kit_parse(&kit, json, strlen(json)), json);
    uint64_t digest = digest_value(kit.document);
    kit_free(&kit);
    return digest;
}

static void test_same_or_not(void)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } cases[] = {
        { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
        { "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false },
        { "{\"a\":{\"b\":1}}", "{\"b\":{\"a\":1}}", false },
        { "5", "5.0", true },
        { "0", "-0.0", true },
        { "18446744073709551615", "-1", true }, /* the same 64 bits: told apart they need not be */
        { "1.5", "1.25", false },
        { "1", "true", false },
        { "0", "null", false },
        { "0", "false", false },
        { "\"\"", "null", false },
        { "\"1\"", "1", false },
        { "[]", "{}", false },
        { "[1,2]", "[2,1]", false },
        { "[[1],2]", "[1,[2]]", false },
        { "[\"ab\",\"c\"]", "[\"a\",\"bc\"]", false },
        { "{\"a\":null}", "{}", false },
        { "{\"a\":1,\"b\":1}", "{\"a\":1,\"c\":1}", false },
        { "1e300", "1e301", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (!ok_named((s_digest(cases[i].one) == s_digest(cases[i].other)) == cases[i].is_same,
                      cases[i].is_same ? "the same" : "not the same"))
            note("%s and %s", cases[i].one, cases[i].other);
}

static void test_dropped(void)
{
    static const char *const dropped[] = { "position", "id", NULL };
    static const char text[] = "{\"id\":\"x\",\"position\":[1,2],\"url\":\"u\"}",
                      rest[] = "{\"url\":\"u\"}";
    kit_t whole = { 0 }, bare = { 0 };
    ok(kit_parse(&whole, text, sizeof text - 1) && kit_parse(&bare, rest, sizeof rest - 1));
    ok(digest_map(whole.document, dropped) == digest_map(bare.document, NULL));
    ok(digest_map(whole.document, NULL) != digest_map(bare.document, NULL));
    kit_free(&whole);
    kit_free(&bare);
}

/* Sketches are compared years later with ones that another version has stored. */
static void test_stays(void)
{
    ok(s_digest("{\"url\":\"https://a.example/\",\"tries\":3,\"on\":true,\"list\":[1.5,null]}") ==
       UINT64_C(0x82515cf72ae65c47));
}

TESTS({ "same or not", test_same_or_not }, { "dropped", test_dropped }, { "stays", test_stays })
