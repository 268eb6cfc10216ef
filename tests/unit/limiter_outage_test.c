/* SPDX-License-Identifier: MPL-2.0
 *
 * What the limiter does without its store: Redis or PostgreSQL is killed and comes back.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "tests/kit/server.h"
#include "tests/unit/limiter_kit.h"

#define TAKE_FREE(subject) "{\"subject\":\"" subject "\",\"policies\":[\"free\"]}"

/* Subjects that Redis knows; -1 when it does not answer. */
static int64_t s_keys(const server_t *redis)
{
    redisContext *link = redisConnectUnix(redis->url + strlen("unix://"));
    redisReply *reply = link && !link->err ? redisCommand(link, "DBSIZE") : NULL;
    int64_t keys = reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    freeReplyObject(reply);
    if (link)
        redisFree(link);
    return keys;
}

static bool s_wait_keys(const server_t *redis, int64_t keys)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 100; tries++) {
        if (s_keys(redis) == keys)
            return true;
        clock_sleep_ms(10);
    }
    return false;
}

static void test_usage_is_in_redis(void)
{
    server_t redis;
    stage_t stage;
    if (!server_start(&redis, "redis"))
        return;
    stage_open_at(&stage, NULL, redis.url);
    is_int(stage_take(&stage, TAKE_FREE("a")), 19);
    is_int(stage_take(&stage, TAKE_FREE("b")), 19);
    is_int(stage_take(&stage, TAKE_FREE("a")), 18);
    ok(s_wait_keys(&redis, 2));
    actor_stop(&stage.actors[0]);
    stage_start(&stage, 0);
    is_int(stage_take(&stage, TAKE_FREE("a")), 17);
    is_int(stage_take(&stage, TAKE_FREE("b")), 18);
    is_int(stage_take(&stage, TAKE_FREE("c")), 19);
    stage_close(&stage);
    server_end(&redis);
}

/* Nobody notices that Redis is gone; the next one is empty, and is told everything again. */
static void test_redis_comes_back_empty(void)
{
    server_t redis;
    stage_t stage;
    if (!server_start(&redis, "redis"))
        return;
    stage_open_at(&stage, NULL, redis.url);
    is_int(stage_take(&stage, TAKE_FREE("a")), 19);
    ok(s_wait_keys(&redis, 1));
    ok(server_do(&redis, "kill"));
    is_int(stage_take(&stage, TAKE_FREE("a")), 18);
    is_int(stage_take(&stage, TAKE_FREE("new")), 19);
    ok(server_do(&redis, "start"));
    ok(s_wait_keys(&redis, 2));
    is_int(stage_take(&stage, TAKE_FREE("a")), 17);
    stage_close(&stage);
    server_end(&redis);
}

/* What is left of "free" for a subject, without counting. */
static int64_t s_peek(stage_t *stage, const char *json)
{
    const value_t *answer = stage_call(stage, "peek", json, ERROR_NONE);
    return value_get_int(value_item(value_get(answer, "policies"), 0), "remaining", -1);
}

/* A new instance finds a Redis that does not answer: it guesses, and puts both together later. */
static void test_guesses_are_put_right(void)
{
    server_t redis;
    stage_t stage;
    if (!server_start(&redis, "redis"))
        return;
    stage_open_at(&stage, NULL, redis.url);
    is_int(stage_take(&stage, TAKE_FREE("a")), 19);
    is_int(stage_take(&stage, TAKE_FREE("a")), 18);
    actor_stop(&stage.actors[0]);
    ok(server_do(&redis, "freeze"));
    stage_start(&stage, 0);
    is_int(stage_take(&stage, TAKE_FREE("a")), 19);
    ok(server_do(&redis, "thaw"));
    int64_t left = 0;
    for (int tries = 0; left != 17 && tries < BUS_PATIENCE_S * 100; tries++) {
        clock_sleep_ms(10);
        left = s_peek(&stage, TAKE_FREE("a"));
    }
    is_int(left, 17);
    actor_stop(&stage.actors[0]);
    stage_start(&stage, 0);
    is_int(stage_take(&stage, TAKE_FREE("a")), 16);
    stage_close(&stage);
    server_end(&redis);
}

static void test_database_is_away(void)
{
    server_t server;
    stage_t stage;
    if (!server_start(&server, "postgres"))
        return;
    stage_open_at(&stage, server.url, NULL);
    is_int(stage_take(&stage, TAKE_FREE("a")), 19);
    ok(server_do(&server, "kill"));
    is_int(stage_take(&stage, TAKE_FREE("a")), 18);
    is_int(stage_take(&stage, TAKE_FREE("new")), 19); /* nobody knows better */
    is_int(stage_take(&stage, TAKE_FREE("new")), 18);
    stage_call(&stage, "policy_set", "{\"name\":\"free\",\"limit\":1,\"window_ms\":1000}",
               ERROR_UNAVAILABLE);
    ok(server_do(&server, "start"));
    actor_stop(&stage.actors[0]); /* what could not be written meanwhile is written at the end */
    stage_start(&stage, 0);
    is_int(stage_take(&stage, TAKE_FREE("a")), 17);
    is_int(stage_take(&stage, TAKE_FREE("new")), 17);
    stage_close(&stage);
    server_end(&server);
}

TESTS({ "usage_is_in_redis", test_usage_is_in_redis },
      { "guesses_are_put_right", test_guesses_are_put_right },
      { "redis_comes_back_empty", test_redis_comes_back_empty },
      { "database_is_away", test_database_is_away })
