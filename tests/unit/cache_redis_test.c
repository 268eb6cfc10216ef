/* SPDX-License-Identifier: MPL-2.0
 *
 * The cache with a Redis behind it that is shared, dies, comes back, and hangs: callers see no
 * error, and what was invalidated meanwhile is never read again.
 */
#include "config.h"

#include "actors/base/signals.h"
#include "tests/kit/server.h"
#include "tests/unit/cache_kit.h"

#define CROWD 200

static server_t s_server;

/* Waits until all instances are degraded, or none. */
static bool s_wait_degraded(stage_t *stage, bool is_degraded)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 100; tries++) {
        const value_t *answer = kit_call(stage, "stats", NULL, NULL);
        if (answer && value_get_bool(answer, "degraded", !is_degraded) == is_degraded)
            return true;
        clock_sleep_ms(10);
    }
    return false;
}

static void s_open(stage_t *stage, size_t instances)
{
    kit_open(stage, instances, s_server.url);
    ok(s_wait_degraded(stage, false));
    ok(kit_invalidate(stage, NULL, "k") != NULL); /* of what the stories before have left */
}

/* The instances start anew: their memory is empty, Redis' is not. */
static void s_restart(stage_t *stage)
{
    for (size_t i = 0; i < KIT_INSTANCES; i++)
        if (stage->actors[i]) {
            actor_stop(&stage->actors[i]);
            kit_start(stage, i);
        }
    ok(s_wait_degraded(stage, false));
}

static void test_second_level(void)
{
    stage_t stage;
    s_open(&stage, 1);
    got_t got = kit_get(&stage, "k", 0, 5000);
    is_text(got.state, "miss");
    is_text(kit_set(&stage, "k", "shared", 60, "prices", got.lease), "stored");
    is_text(kit_set(&stage, "k2", "no tags", 60, NULL, 0), "stored");
    s_restart(&stage);
    got = kit_get(&stage, "k", 0, 5000);
    is_text(got.state, "hit");
    is_text(got.value, "shared");
    ok(got.ttl_ms > 0 && got.ttl_ms <= 60000);
    is_text(kit_get(&stage, "k2", 0, 0).value, "no tags");
    is_int(kit_stat(&stage, CACHE_REDIS_HITS), 2);
    is_text(kit_get(&stage, "k", 0, 0).state, "hit"); /* from now on it is in memory */
    is_int(kit_stat(&stage, CACHE_HITS), 1);
    /* the tags came along */
    is_int(value_get_int(kit_invalidate(&stage, "prices", NULL), "dropped", 0), 1);
    is_text(kit_get(&stage, "k", 0, 0).state, "miss");
    kit_close(&stage);
}

static void test_invalidation(void)
{
    stage_t stage;
    s_open(&stage, 2);
    is_text(kit_set(&stage, "k:tag", "x", 60, "prices", 0), "stored");
    is_text(kit_set(&stage, "k:[1]", "x", 60, NULL, 0), "stored");
    is_text(kit_set(&stage, "k:[2]", "x", 60, NULL, 0), "stored");
    is_text(kit_set(&stage, "k:other", "x", 60, "orders", 0), "stored");
    is_text(kit_set(&stage, "k:gone", "x", 60, NULL, 0), "stored");
    s_restart(&stage); /* nothing is in memory: only Redis can drop it */
    const value_t *answer = kit_invalidate(&stage, "prices", "k:[");
    ok(value_is(value_get(answer, "redis"), "done"));
    is_int(value_get_int(answer, "redis_dropped", -1), 2);
    is_int(value_get_int(answer, "dropped", -1), 0);
    ok(!kit_delete(&stage, "k:gone"));
    is_text(kit_get(&stage, "k:tag", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:[1]", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:gone", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:other", 0, 0).state, "hit");
    is_text(kit_set(&stage, "k:tag", "new", 60, "prices", 0), "stored");
    s_restart(&stage); /* what was stored after the invalidation is good */
    is_text(kit_get(&stage, "k:tag", 0, 0).value, "new");
    kit_close(&stage);
}

static void test_one_computation(void)
{
    static outcome_t crowd[CROWD];
    stage_t stage;
    int leases = 0, hits = 0;
    s_open(&stage, 2);
    for (size_t i = 0; i < CROWD; i++)
        kit_send_get(&stage, &crowd[i], "k:crowd", KIT_WAIT_MS, 10000);
    got_t first = kit_got(&stage, kit_answer(&stage, &crowd[0]));
    is_text(kit_set(&stage, "k:crowd", "x", 60, NULL, first.lease), "stored");
    for (size_t i = 1; i < CROWD; i++) {
        got_t got = kit_got(&stage, kit_answer(&stage, &crowd[i]));
        leases += got.lease > 0;
        hits += strcmp(got.state, "hit") == 0;
    }
    is_int(leases, 0);
    is_int(hits, CROWD - 1);
    s_restart(&stage); /* and many who ask for what is in Redis ask it once */
    for (size_t i = 0; i < CROWD; i++)
        kit_send_get(&stage, &crowd[i], "k:crowd", KIT_WAIT_MS, 10000);
    hits = 0;
    for (size_t i = 0; i < CROWD; i++)
        hits += strcmp(kit_got(&stage, kit_answer(&stage, &crowd[i])).state, "hit") == 0;
    is_int(hits, CROWD);
    is_int(kit_stat(&stage, CACHE_MISSES), 0);
    kit_close(&stage);
}

/* One caller's round over a few keys: looks up, computes what is missing. False on any error. */
static bool s_round(stage_t *stage, int *hits)
{
    bool good = true;
    *hits = 0;
    for (int i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof key, "k:%d", i);
        got_t got = kit_get(stage, key, KIT_WAIT_MS, 5000);
        bool is_hit = strcmp(got.state, "hit") == 0;
        good &= is_hit || strcmp(got.state, "miss") == 0;
        if (!is_hit && got.lease)
            good &= strcmp(kit_set(stage, key, "x", 60, NULL, got.lease), "failed") != 0;
        *hits += is_hit;
    }
    return good;
}

static void test_killed_under_load(void)
{
    stage_t stage;
    int hits;
    s_open(&stage, 2);
    ok(s_round(&stage, &hits));
    ok(server_do(&s_server, "kill"));
    ok(s_round(&stage, &hits));
    is_int(hits, 20); /* out of memory */
    ok(s_wait_degraded(&stage, true));
    ok(kit_invalidate(&stage, NULL, "k:1") != NULL); /* ten and one: 1, 10 to 19 */
    ok(s_round(&stage, &hits));
    is_int(hits, 9);
    ok(s_round(&stage, &hits));
    is_int(hits, 20); /* recovered, still alone */
    ok(server_do(&s_server, "start"));
    ok(s_wait_degraded(&stage, false));
    is_text(kit_set(&stage, "k:again", "x", 60, NULL, 0), "stored");
    s_restart(&stage);
    is_text(kit_get(&stage, "k:again", 0, 0).state, "hit"); /* by way of Redis */
    kit_close(&stage);
}

/* A Redis that hangs keeps what it has: what was invalidated while it could not be told must not
 * come back out of it. */
static void test_invalidated_while_away(void)
{
    stage_t stage;
    s_open(&stage, 2);
    is_text(kit_set(&stage, "k:tag", "old", 60, "prices", 0), "stored");
    is_text(kit_set(&stage, "k:prefix", "old", 60, NULL, 0), "stored");
    is_text(kit_set(&stage, "k:deleted", "old", 60, NULL, 0), "stored");
    ok(server_do(&s_server, "freeze"));
    const value_t *answer = kit_invalidate(&stage, "prices", "k:pre");
    ok(value_is(value_get(answer, "redis"), "owed"));
    is_int(value_get_int(answer, "dropped", -1), 2);
    ok(s_wait_degraded(&stage, true));
    ok(kit_delete(&stage, "k:deleted"));
    is_text(kit_get(&stage, "k:tag", 0, 0).state, "miss");
    ok(server_do(&s_server, "thaw"));
    is_text(kit_get(&stage, "k:tag", 0, 0).state, "miss"); /* at no time */
    is_text(kit_get(&stage, "k:prefix", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:deleted", 0, 0).state, "miss");
    ok(s_wait_degraded(&stage, false));
    is_text(kit_get(&stage, "k:tag", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:prefix", 0, 0).state, "miss");
    is_text(kit_get(&stage, "k:deleted", 0, 0).state, "miss");
    kit_close(&stage);
}

int main(int argc, char **argv)
{
    static const tap_test_t tests[] = {
        { "second level", test_second_level },
        { "invalidation", test_invalidation },
        { "one computation", test_one_computation },
        { "killed under load", test_killed_under_load },
        { "invalidated while away", test_invalidated_while_away },
    };
    signals_block();
    if (!server_start(&s_server, "redis")) {
        printf("1..0 # SKIP no Redis could be started: install redis-server\n");
        return 0;
    }
    int status = tap_main(tests, COUNT_OF(tests), argc, argv);
    server_end(&s_server);
    return status;
}
