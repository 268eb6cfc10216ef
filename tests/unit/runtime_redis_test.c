/* SPDX-License-Identifier: MPL-2.0
 *
 * A Redis that is there, that dies, that comes back, and that is there but does not answer: every
 * command ends once, and nobody waits.
 */
#include "config.h"

#include <semaphore.h>
#include <time.h>

#include "actors/base/clock.h"
#include "actors/base/signals.h"
#include "actors/runtime/redis.h"
#include "tests/kit/server.h"
#include "tests/tap.h"

#define PATIENCE_S  10
#define DEADLINE_MS 1000 /* of commands that are answered */
#define SHORT_MS    50   /* of commands that are not */

static server_t s_server;

/* How many commands ended, and how. */
typedef struct {
    sem_t ended;
    atomic_int outcomes[REDIS_LOST + 1];
    char text[512]; /* of the last reply that was one */
} tally_t;

static void s_on_end(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    tally_t *tally = arg;
    if (reply && reply->str)
        snprintf(tally->text, sizeof tally->text, "%s", reply->str);
    atomic_fetch_add(&tally->outcomes[outcome], 1);
    sem_post(&tally->ended);
}

static bool s_wait(tally_t *tally, int count)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_S;
    for (int i = 0; i < count; i++)
        if (sem_timedwait(&tally->ended, &limit) != 0)
            return false;
    return true;
}

static bool s_wait_up(const redis_t *redis, bool is_up)
{
    for (int tries = 0; tries < PATIENCE_S * 1000; tries++) {
        if (redis_is_up(redis) == is_up)
            return true;
        clock_sleep_ms(1);
    }
    return false;
}

static redis_t *s_open(const char *url, uint32_t deadline_ms)
{
    char why[200];
    redis_t *redis = redis_open(url, deadline_ms, why, sizeof why);
    if (!redis)
        note("%s", why);
    return redis;
}

static void test_commands(void)
{
    tally_t tally = { .text = "" };
    sem_init(&tally.ended, 0, 0);
    redis_t *redis = s_open(s_server.url, DEADLINE_MS);
    ok(s_wait_up(redis, true));
    ok(REDIS_SEND(redis, NULL, NULL, redis_text("SET"), redis_text("key"), redis_bytes("a\0b", 3)));
    ok(REDIS_SEND(redis, s_on_end, &tally, redis_text("STRLEN"), redis_text("key")));
    ok(REDIS_SEND(redis, s_on_end, &tally, redis_text("ECHO"), redis_text("in order")));
    ok(s_wait(&tally, 2));
    is_int(tally.outcomes[REDIS_REPLIED], 2);
    is_text(tally.text, "in order");
    ok(REDIS_SEND(redis, s_on_end, &tally, redis_text("NONSENSE")));
    ok(s_wait(&tally, 1));
    is_int(tally.outcomes[REDIS_FAILED], 1);
    is_int(stats_get(redis_stats(redis), REDIS_ERRORS), 1);
    uint64_t latency_us;
    ok(redis_ping(redis, &latency_us));
    redis_close(&redis);
    ok(!redis);
}

static void test_many_at_once(void)
{
    tally_t tally = { .text = "" };
    int sent = 0;
    sem_init(&tally.ended, 0, 0);
    redis_t *redis = s_open(s_server.url, PATIENCE_S * 1000);
    ok(s_wait_up(redis, true));
    for (int i = 0; i < 5000; i++)
        sent += REDIS_SEND(redis, s_on_end, &tally, redis_text("INCR"), redis_text("n"));
    is_int(sent, 5000);
    redis_drain(redis); /* all have ended when it returns */
    is_int(tally.outcomes[REDIS_REPLIED], 5000);
    ok(!REDIS_SEND(redis, s_on_end, &tally, redis_text("INCR"), redis_text("n")));
    redis_close(&redis);
}

static void test_signing_in(void)
{
    char url[600];
    tally_t tally = { .text = "" };
    sem_init(&tally.ended, 0, 0);
    redis_t *first = s_open(s_server.url, DEADLINE_MS);
    ok(s_wait_up(first, true));
    ok(REDIS_SEND(first, s_on_end, &tally, redis_text("CONFIG"), redis_text("SET"),
                  redis_text("requirepass"), redis_text("swordfish")));
    ok(s_wait(&tally, 1));
    const char *path = s_server.url + strlen("unix://");
    snprintf(url, sizeof url, "unix://:swordfish@%s?db=2", path);
    redis_t *second = s_open(url, DEADLINE_MS);
    ok(s_wait_up(second, true));
    ok(REDIS_SEND(second, s_on_end, &tally, redis_text("CLIENT"), redis_text("INFO")));
    ok(s_wait(&tally, 1));
    ok(strstr(tally.text, " db=2 ") != NULL);
    snprintf(url, sizeof url, "unix://:wrong@%s", path);
    redis_t *third = s_open(url, DEADLINE_MS);
    for (int tries = 0;
         stats_get(redis_stats(third), REDIS_FAILED_CONNECTIONS) < 2 && tries < PATIENCE_S * 1000;
         tries++)
        clock_sleep_ms(1);
    ok(!redis_is_up(third));
    ok(REDIS_SEND(first, s_on_end, &tally, redis_text("CONFIG"), redis_text("SET"),
                  redis_text("requirepass"), redis_text("")));
    ok(s_wait(&tally, 1));
    redis_close(&third);
    redis_close(&second);
    redis_close(&first);
}

static void test_nobody_there(void)
{
    static const char *const urls[] = { "unix:///nonexistent/redis.sock", "redis://127.0.0.1:1" };
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        redis_t *redis = s_open(urls[i], DEADLINE_MS);
        for (int tries = 0; stats_get(redis_stats(redis), REDIS_FAILED_CONNECTIONS) < 3 &&
                            tries < PATIENCE_S * 1000;
             tries++)
            clock_sleep_ms(1);
        ok(stats_get(redis_stats(redis), REDIS_FAILED_CONNECTIONS) >= 3); /* it goes on trying */
        ok(!REDIS_SEND(redis, s_on_end, NULL, redis_text("PING")));
        is_int(stats_get(redis_stats(redis), REDIS_REFUSALS), 1);
        redis_close(&redis);
    }
    char why[200];
    ok(!redis_open("redis", DEADLINE_MS, why, sizeof why));
}

static void test_death_and_return(void)
{
    tally_t tally = { .text = "" };
    int sent = 0;
    sem_init(&tally.ended, 0, 0);
    redis_t *redis = s_open(s_server.url, PATIENCE_S * 1000);
    ok(s_wait_up(redis, true));
    ok(server_do(&s_server, "freeze"));
    for (int i = 0; i < 100; i++)
        sent += REDIS_SEND(redis, s_on_end, &tally, redis_text("PING"));
    ok(server_do(&s_server, "kill")); /* with all of them under way */
    ok(s_wait(&tally, sent));
    is_int(tally.outcomes[REDIS_LOST], sent);
    ok(s_wait_up(redis, false));
    ok(!REDIS_SEND(redis, s_on_end, &tally, redis_text("PING")));
    ok(server_do(&s_server, "start"));
    ok(s_wait_up(redis, true));
    ok(REDIS_SEND(redis, s_on_end, &tally, redis_text("PING")));
    ok(s_wait(&tally, 1));
    is_int(tally.outcomes[REDIS_REPLIED], 1);
    is_int(stats_get(redis_stats(redis), REDIS_CONNECTIONS), 2);
    redis_close(&redis);
}

static void test_no_answer(void)
{
    tally_t tally = { .text = "" };
    int sent = 0;
    sem_init(&tally.ended, 0, 0);
    redis_t *redis = s_open(s_server.url, SHORT_MS);
    ok(s_wait_up(redis, true));
    ok(server_do(&s_server, "freeze"));
    for (int i = 0; i < 20; i++)
        sent += REDIS_SEND(redis, s_on_end, &tally, redis_text("PING"));
    ok(s_wait(&tally, sent));
    ok(tally.outcomes[REDIS_TIMEOUT] >= 5); /* those before it was given up */
    is_int(tally.outcomes[REDIS_TIMEOUT] + tally.outcomes[REDIS_LOST], sent);
    ok(s_wait_up(redis, false));
    is_int(stats_get(redis_stats(redis), REDIS_BREAKERS_OPENED), 1);
    ok(server_do(&s_server, "thaw"));
    ok(s_wait_up(redis, true));
    redis_close(&redis);
}

/* A late reply belongs to the command that nobody waits for any more, not to the next one. */
static void test_late_reply(void)
{
    tally_t late = { .text = "" }, next = { .text = "" };
    sem_init(&late.ended, 0, 0);
    sem_init(&next.ended, 0, 0);
    redis_t *redis = s_open(s_server.url, SHORT_MS);
    ok(s_wait_up(redis, true));
    ok(server_do(&s_server, "freeze"));
    ok(REDIS_SEND(redis, s_on_end, &late, redis_text("ECHO"), redis_text("late")));
    ok(s_wait(&late, 1));
    is_int(late.outcomes[REDIS_TIMEOUT], 1);
    ok(server_do(&s_server, "thaw"));
    ok(REDIS_SEND(redis, s_on_end, &next, redis_text("ECHO"), redis_text("next")));
    ok(s_wait(&next, 1));
    if (next.outcomes[REDIS_REPLIED])
        is_text(next.text, "next");
    is_text(late.text, "");
    redis_close(&redis);
}

int main(int argc, char **argv)
{
    static const tap_test_t tests[] = {
        { "commands", test_commands },
        { "many at once", test_many_at_once },
        { "signing in", test_signing_in },
        { "nobody there", test_nobody_there },
        { "death and return", test_death_and_return },
        { "no answer", test_no_answer },
        { "late reply", test_late_reply },
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
