/* SPDX-License-Identifier: MPL-2.0
 *
 * Feature flags: for whom one is on.
 */
#include "config.h"

#include <stdio.h>

#include "edge/flags.h"
#include "proto/json.h"
#include "tests/tap.h"

static flag_set_t *s_read(const char *json)
{
    buf_t packed = { 0 };
    json_error_t error;
    insist(json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, &packed, &error));
    flag_set_t *set = flag_set_read(packed.bytes, packed.size);
    buf_free(&packed);
    return set;
}

static void test_whom(void)
{
    static const struct {
        const char *flag, *account, *tier;
        bool is_on;
    } cases[] = {
        { "all", "acme", "free", true },     { "none", "acme", "free", false },
        { "off", "acme", "pro", false },     { "tier", "acme", "pro", true },
        { "tier", "acme", "free", false },   { "tier", "acme", "enterprise", true },
        { "tier", "acme", "", false },       { "named", "acme", "free", true },
        { "named", "other", "free", false }, { "named", "acm", "free", false },
        { "missing", "acme", "pro", false }, { "al", "acme", "pro", false },
        { "some", "globex", "free", false }, { "some", "initech", "free", true },
    };
    flag_set_t *set = s_read(
        "{\"flags\":["
        "{\"name\":\"all\",\"enabled\":true,\"tiers\":[],\"accounts\":[],\"percentage\":100},"
        "{\"name\":\"none\",\"enabled\":true,\"tiers\":[],\"accounts\":[],\"percentage\":0},"
        "{\"name\":\"off\",\"enabled\":false,\"tiers\":[\"pro\"],\"accounts\":[\"acme\"],"
        "\"percentage\":100},"
        "{\"name\":\"tier\",\"enabled\":true,\"tiers\":[\"pro\",\"enterprise\"],\"accounts\":[],"
        "\"percentage\":0},"
        "{\"name\":\"named\",\"enabled\":true,\"tiers\":[],\"accounts\":[\"acme\"],\"percentage\":"
        "0},"
        "{\"name\":\"some\",\"enabled\":true,\"tiers\":[],\"accounts\":[],\"percentage\":50}]}");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(flag_set_is_on(set, cases[i].flag, cases[i].account, cases[i].tier) ==
                     cases[i].is_on,
                 cases[i].flag);
    flag_set_destroy(&set);
}

/* The places that any edge gives these, at any time. Made with Python:
 *
 *     int.from_bytes(blake2b(b"beta\\0" + account, digest_size=16).digest()[:8], "big") % 100
 */
static void test_places(void)
{
    is_int(flag_place("beta", "acme"), 38);
    is_int(flag_place("beta", ""), 68);
    is_int(flag_place("beta", "0190a6f2-0000-7000-8000-00000000000a"), 99);
    is_int(flag_place("beta", "anonymous"), 65);
}

/* Of many accounts a share is in, which share depends on the flag, and who is in stays in. */
static void test_share(void)
{
    unsigned below[2] = { 0, 0 }, both = 0;
    for (int i = 0; i < 10000; i++) {
        char account[32];
        snprintf(account, sizeof account, "account-%d", i);
        bool one = flag_place("one", account) < 20, two = flag_place("two", account) < 20;
        insist(flag_place("one", account) < 100);
        below[0] += one;
        below[1] += two;
        both += one && two;
    }
    ok(below[0] > 1800 && below[0] < 2200);
    ok(below[1] > 1800 && below[1] < 2200);
    ok(both > 300 && both < 500);
}

static void test_bad_events(void)
{
    static const char *const events[] = { "{}", "[]", "{\"flags\":{}}", "7" };
    for (size_t i = 0; i < COUNT_OF(events); i++)
        ok(!s_read(events[i]));
    ok(!flag_set_read("\xc1", 1));
    ok(!flag_set_read("", 0));
    /* what is wrong with one flag leaves it off, and the others alone */
    flag_set_t *set =
        s_read("{\"flags\":[7,{\"name\":1},{\"name\":\"odd\",\"enabled\":1,\"percentage\":100},"
               "{\"name\":\"list\",\"enabled\":true,\"tiers\":\"free\"},"
               "{\"name\":\"good\",\"enabled\":true,\"percentage\":100}]}");
    ok(!flag_set_is_on(set, "odd", "acme", "free"));
    ok(!flag_set_is_on(set, "list", "acme", "free"));
    ok(flag_set_is_on(set, "good", "acme", "free"));
    flag_set_destroy(&set);
}

TESTS({ "whom", test_whom }, { "places", test_places }, { "share", test_share },
      { "bad events", test_bad_events })
