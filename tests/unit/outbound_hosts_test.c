/* SPDX-License-Identifier: MPL-2.0
 *
 * Hosts that are given a rest, on one instance and by word of another.
 */
#include "config.h"

#include "actors/base/arena.h"
#include "actors/jobs/outbound/hosts.h"
#include "tests/tap.h"

#define NOW  UINT64_C(1000)
#define WALL INT64_C(1700000000000)

static const char s_host[] = "example.com:443";

static host_verdict_t s_try(hosts_t *hosts, uint64_t now_ms)
{
    uint32_t wait_ms;
    host_verdict_t verdict = hosts_enter(hosts, s_host, 2, now_ms, &wait_ms);
    if (verdict == HOST_GO)
        hosts_leave(hosts, s_host);
    return verdict;
}

static bool s_report(hosts_t *hosts, bool success, uint64_t now_ms, int64_t wall_ms)
{
    uint32_t wait_ms;
    hosts_enter(hosts, s_host, 2, now_ms, &wait_ms);
    bool changed = hosts_report(hosts, s_host, success, now_ms, wall_ms);
    hosts_leave(hosts, s_host);
    return changed;
}

static void test_rest(void)
{
    hosts_t *hosts = hosts_new(3, 5000);
    uint32_t wait_ms = 0;
    ok(!s_report(hosts, false, NOW, WALL) && !s_report(hosts, false, NOW, WALL));
    ok(s_report(hosts, false, NOW, WALL));
    is_int(hosts_enter(hosts, s_host, 2, NOW + 1000, &wait_ms), HOST_RESTING);
    is_int(wait_ms, 4000);
    is_int(hosts_enter(hosts, "other.example:443", 2, NOW, &wait_ms), HOST_GO);
    is_int(s_try(hosts, NOW + 5000), HOST_GO);      /* one may try */
    is_int(s_try(hosts, NOW + 5001), HOST_RESTING); /* the others wait for what it finds */
    ok(hosts_report(hosts, s_host, true, NOW + 5002, WALL));
    is_int(s_try(hosts, NOW + 5003), HOST_GO);
    hosts_destroy(&hosts);
}

/* Who looks whether a host is well does not wait for its rest to end, and tries for nobody else. */
static void test_look(void)
{
    hosts_t *hosts = hosts_new(1, 5000);
    uint32_t wait_ms;
    ok(s_report(hosts, false, NOW, WALL));
    is_int(s_try(hosts, NOW), HOST_RESTING);
    is_int(hosts_look(hosts, s_host, 2, &wait_ms), HOST_GO);
    is_int(hosts_look(hosts, s_host, 2, &wait_ms), HOST_GO);
    is_int(hosts_look(hosts, s_host, 2, &wait_ms), HOST_BUSY);
    hosts_leave(hosts, s_host);
    is_int(s_try(hosts, NOW), HOST_RESTING);
    is_int(s_try(hosts, NOW + 5000), HOST_GO);
    ok(hosts_force(hosts, s_host, HOST_FORCED_OPEN, NOW, WALL));
    is_int(hosts_look(hosts, s_host, 2, &wait_ms), HOST_RESTING);
    hosts_destroy(&hosts);
}

static void test_busy(void)
{
    hosts_t *hosts = hosts_new(3, 5000);
    uint32_t wait_ms;
    is_int(hosts_enter(hosts, s_host, 2, NOW, &wait_ms), HOST_GO);
    is_int(hosts_enter(hosts, s_host, 2, NOW, &wait_ms), HOST_GO);
    is_int(hosts_enter(hosts, s_host, 2, NOW, &wait_ms), HOST_BUSY);
    hosts_leave(hosts, s_host);
    is_int(hosts_enter(hosts, s_host, 2, NOW, &wait_ms), HOST_GO);
    hosts_destroy(&hosts);
}

static void test_forced(void)
{
    hosts_t *hosts = hosts_new(1, 5000);
    ok(hosts_force(hosts, s_host, HOST_FORCED_OPEN, NOW, WALL));
    is_int(s_try(hosts, NOW + 1000000), HOST_RESTING);
    ok(hosts_force(hosts, s_host, HOST_FORCED_CLOSED, NOW, WALL + 1));
    s_report(hosts, false, NOW, WALL + 2);
    is_int(s_try(hosts, NOW + 1), HOST_GO);
    ok(hosts_force(hosts, s_host, HOST_AUTO, NOW, WALL + 3));
    is_int(s_try(hosts, NOW + 1), HOST_GO); /* let go of, it is tried */
    hosts_destroy(&hosts);
}

/* What one tells the other at the same moment; returns how much that changes. */
static size_t s_pass(hosts_t *from, hosts_t *to, uint64_t now_ms, int64_t wall_ms)
{
    arena_t arena = { 0 };
    buf_t bytes = { 0 };
    pack_t pack;
    value_verdict_t verdict;
    pack_init(&pack, &bytes);
    hosts_tell(from, now_ms, wall_ms, &pack);
    const value_t *items = value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict);
    size_t changed = hosts_hear(to, items, now_ms, wall_ms);
    buf_free(&bytes);
    arena_free(&arena);
    return changed;
}

static void test_told(void)
{
    hosts_t *one = hosts_new(1, 5000), *other = hosts_new(1, 5000);
    s_report(one, false, NOW, WALL);
    is_int(s_pass(one, other, NOW + 1000, WALL + 1000), 1);
    is_int(s_try(other, NOW + 1001), HOST_RESTING);
    is_int(s_pass(one, other, NOW + 1000, WALL + 1000), 0); /* once is enough */
    is_int(s_pass(other, one, NOW + 1000, WALL + 1000), 0); /* and no echo */
    is_int(s_try(other, NOW + 5001), HOST_GO);
    ok(hosts_report(other, s_host, true, NOW + 5002, WALL + 5002));
    is_int(s_pass(one, other, NOW + 5003, WALL + 5003), 0); /* older than what is known */
    is_int(s_pass(other, one, NOW + 5003, WALL + 5003), 1); /* that it is well is told, too */
    is_int(s_try(one, NOW + 5004), HOST_GO);
    ok(hosts_force(one, s_host, HOST_FORCED_OPEN, NOW + 6000, WALL + 6000));
    is_int(s_pass(one, other, NOW + 6001, WALL + 6001), 1);
    is_int(s_try(other, NOW + 6002), HOST_RESTING);
    hosts_destroy(&one);
    hosts_destroy(&other);
}

static void test_told_nonsense(void)
{
    hosts_t *hosts = hosts_new(1, 5000);
    arena_t arena = { 0 };
    buf_t bytes = { 0 };
    pack_t pack;
    value_verdict_t verdict;
    pack_init(&pack, &bytes);
    pack_array(&pack, 4);
    pack_nil(&pack);
    pack_text(&pack, "example.com:443");
    pack_map(&pack, 2);
    pack_pair_int(&pack, "target", 7);
    pack_pair_int(&pack, "at_ms", WALL);
    pack_map(&pack, 3); /* from a future that no clock excuses */
    pack_pair_text(&pack, "target", s_host);
    pack_pair_text(&pack, "forced", "open");
    pack_pair_int(&pack, "at_ms", WALL + 10000000);
    const value_t *items = value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict);
    is_int(hosts_hear(hosts, items, NOW, WALL), 0);
    is_int(hosts_hear(hosts, NULL, NOW, WALL), 0);
    is_int(s_try(hosts, NOW), HOST_GO);
    buf_free(&bytes);
    arena_free(&arena);
    hosts_destroy(&hosts);
}

static void test_room(void)
{
    hosts_t *hosts = hosts_new(1, 5000);
    char target[32];
    uint32_t wait_ms;
    bool good = true;
    ok(hosts_force(hosts, "kept.example:80", HOST_FORCED_OPEN, NOW, WALL));
    for (int i = 0; i < HOSTS_MAX + 100; i++) {
        snprintf(target, sizeof target, "host-%d:80", i);
        good &= hosts_enter(hosts, target, 2, NOW, &wait_ms) == HOST_GO;
        hosts_leave(hosts, target);
    }
    ok(good);
    is_int(hosts_enter(hosts, "kept.example:80", 2, NOW, &wait_ms), HOST_RESTING);
    hosts_destroy(&hosts);
}

/* Somebody with many names, all of which fail, keeps nobody else from being called. */
static void test_room_for_others(void)
{
    hosts_t *hosts = hosts_new(1, 5000);
    char target[32];
    uint32_t wait_ms;
    ok(hosts_force(hosts, "kept.example:80", HOST_FORCED_OPEN, NOW, WALL));
    for (int i = 0; i < HOSTS_MAX; i++) {
        snprintf(target, sizeof target, "host-%d:80", i);
        hosts_enter(hosts, target, 2, NOW, &wait_ms);
        bool has_changed = hosts_report(hosts, target, false, NOW, WALL);
        (void)has_changed;
        hosts_leave(hosts, target);
    }
    is_int(s_try(hosts, NOW), HOST_GO);
    is_int(hosts_enter(hosts, "host-9999:80", 2, NOW, &wait_ms), HOST_RESTING);
    is_int(hosts_enter(hosts, "kept.example:80", 2, NOW, &wait_ms), HOST_RESTING);
    hosts_destroy(&hosts);
}

TESTS({ "rest", test_rest }, { "look", test_look }, { "busy", test_busy },
      { "forced", test_forced }, { "told", test_told }, { "told nonsense", test_told_nonsense },
      { "room", test_room }, { "room for others", test_room_for_others })
