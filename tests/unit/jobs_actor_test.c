/* SPDX-License-Identifier: MPL-2.0
 *
 * The jobs service as its callers see it: enqueued, called in somebody's name, tried again, dead.
 */
#include "config.h"

#include "tests/unit/jobs_stage.h"

static void test_runs(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    jobs_stage_open(&stage);
    reply_t reply =
        jobs_call(&stage, &ada, "enqueue", "{\"kind\":\"echo.say\",\"payload\":{\"n\":42}}");
    is_int(reply.code, ERROR_NONE);
    is_text(stage_text(&stage.stage, reply.body, "queue"), "echo");
    is_text(stage_text(&stage.stage, reply.body, "state"), "ready");
    int64_t id = value_get_int(reply.body, "id", 0);
    const value_t *job = jobs_await(&stage, id, "done");
    is_int(value_get_int(value_get(job, "result"), "n", 0), 42);
    is_int(echo.last_n, 42);
    is_int(echo.run.id, id);
    is_int(echo.run.attempt, 1);
    is_text(echo.account, "ada");
    is_int(jobs_call(&stage, &bob, "get", "{\"id\":%lld}", (long long)id).code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "get", "{\"id\":%lld}", (long long)id).code, ERROR_NONE);
    ok(jobs_stat_reaches(&stage, JOBS_SUCCEEDED, 1));
    jobs_stage_close(&stage);
}

static void test_refusals(void)
{
    static const struct {
        const char *json;
        error_code_t code;
    } cases[] = {
        { "{\"kind\":\"echo.say\"}", ERROR_NONE },
        { "{\"kind\":\"echo.admin\"}", ERROR_FORBIDDEN },
        { "{\"kind\":\"echo.inner\"}", ERROR_FORBIDDEN },
        { "{\"kind\":\"echo.spawn\"}", ERROR_FORBIDDEN },
        { "{\"kind\":\"echo.nothing\"}", ERROR_UNPROCESSABLE },
        { "{\"kind\":\"nobody.say\"}", ERROR_UNPROCESSABLE },
        { "{\"kind\":\"echo\"}", ERROR_VALIDATION_FAILED },
        { "{\"kind\":\"echo.say\",\"queue\":\"of-my-own\"}", ERROR_UNPROCESSABLE },
        { "{\"kind\":\"echo.say\",\"queue\":\"echo\"}", ERROR_NONE },
        { "{\"kind\":\"echo.say\",\"priority\":10}", ERROR_VALIDATION_FAILED },
        { "{\"kind\":\"echo.say\",\"delay_ms\":5,\"run_at\":\"2030-01-01T00:00:00Z\"}",
          ERROR_UNPROCESSABLE },
        { "{\"kind\":\"echo.say\",\"run_at\":\"1969-01-01T00:00:00Z\"}", ERROR_UNPROCESSABLE },
        { "{\"kind\":\"echo.say\",\"run_at\":\"9999-12-31T23:59:59-14:00\"}", ERROR_UNPROCESSABLE },
    };
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), admin = jobs_admin();
    jobs_stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        is_int(jobs_call(&stage, &ada, "enqueue", "%s", cases[i].json).code, cases[i].code);
        if (cases[i].code == ERROR_UNPROCESSABLE || cases[i].code == ERROR_FORBIDDEN) {
            reply_t many =
                jobs_call(&stage, &ada, "enqueue_many", "{\"jobs\":[%s]}", cases[i].json);
            is_int(many.code, cases[i].code);
        }
    }
    is_int(jobs_call(&stage, &admin, "enqueue", "{\"kind\":\"echo.admin\"}").code, ERROR_NONE);
    is_int(jobs_call(&stage, &admin, "enqueue", "{\"kind\":\"echo.say\",\"queue\":\"new\"}").code,
           ERROR_NONE);
    is_int(jobs_call(&stage, &ada, "enqueue_as", "{\"jobs\":[{\"kind\":\"echo.say\"}]}").code,
           ERROR_FORBIDDEN);
    jobs_stage_close(&stage);
}

/* In the name of a service, and in the name a service gives. */
static void test_names(void)
{
    jobs_stage_t stage;
    jobs_stage_open(&stage);
    int64_t id = jobs_put(&stage, NULL, "{\"kind\":\"echo.inner\"}");
    jobs_await(&stage, id, "done");
    is_text(echo.account, "");
    reply_t reply = jobs_call(&stage, NULL, "enqueue_as",
                              "{\"jobs\":[{\"kind\":\"echo.say\",\"as\":{\"account\":\"eve\"}},"
                              "{\"kind\":\"echo.inner\",\"as\":{\"account\":\"eve\"}}]}");
    is_int(reply.code, ERROR_NONE);
    const value_t *items = value_get(reply.body, "items");
    ok(jobs_await(&stage, value_get_int(value_item(items, 0), "id", 0), "done") != NULL);
    is_text(echo.account, "eve");
    /* what a user may not call is not called for them either */
    const value_t *job = jobs_await(&stage, value_get_int(value_item(items, 1), "id", 0), "dead");
    is_text(stage_text(&stage.stage, value_get(job, "error"), "code"), "FORBIDDEN");
    jobs_stage_close(&stage);
}

static void test_retries(void)
{
    jobs_stage_t stage;
    jobs_stage_open(&stage);
    atomic_store(&echo.failures_left, 2);
    int64_t id =
        jobs_put(&stage, NULL, "{\"kind\":\"echo.flaky\",\"backoff_ms\":1,\"max_attempts\":3}");
    const value_t *job = jobs_await(&stage, id, "done");
    is_int(value_get_int(job, "attempts", 0), 3);
    is_int(value_get_int(job, "failures", 0), 2);
    ok(jobs_stat_reaches(&stage, JOBS_RETRIED, 2));
    atomic_store(&echo.failures_left, 9);
    id = jobs_put(&stage, NULL, "{\"kind\":\"echo.flaky\",\"backoff_ms\":1,\"max_attempts\":3}");
    job = jobs_await(&stage, id, "dead");
    is_int(value_get_int(job, "failures", 0), 3);
    is_text(stage_text(&stage.stage, value_get(job, "error"), "detail"), "Not yet");
    id = jobs_put(&stage, NULL, "{\"kind\":\"echo.refuse\"}");
    job = jobs_await(&stage, id, "dead");
    is_int(value_get_int(job, "failures", 0), 1);
    id = jobs_put(&stage, NULL, "{\"kind\":\"echo.nothing\"}");
    ok(jobs_await(&stage, id, "dead") != NULL);
    jobs_stage_close(&stage);
}

static void test_later(void)
{
    jobs_stage_t stage;
    jobs_stage_open(&stage);
    int64_t later = jobs_put(&stage, NULL, "{\"kind\":\"echo.say\",\"delay_ms\":3600000}");
    int64_t soon = jobs_put(&stage, NULL, "{\"kind\":\"echo.say\",\"delay_ms\":30}");
    ok(jobs_await(&stage, soon, "done") != NULL);
    ok(jobs_await(&stage, later, "scheduled") != NULL);
    jobs_stage_close(&stage);
}

static void test_order(void)
{
    jobs_stage_t stage;
    char json[120];
    int64_t id = 0;
    jobs_stage_open(&stage);
    for (int i = 0; i < 50; i++) {
        snprintf(json, sizeof json,
                 "{\"kind\":\"echo.say\",\"order_key\":\"one\",\"payload\":{\"n\":%d}}", i);
        id = jobs_put(&stage, NULL, json);
    }
    ok(jobs_await(&stage, id, "done") != NULL);
    is_int(echo.calls, 50);
    for (int i = 0; i < 50; i++)
        if (echo.order[i] != i)
            is_int(echo.order[i], i);
    jobs_stage_close(&stage);
}

/* Jobs of a service that is not there wait for it, and that is no failure of theirs. */
static void test_absence(void)
{
    jobs_stage_t stage;
    jobs_stage_prepare(&stage);
    stage_start(&stage.stage, 0);
    int64_t id = jobs_put(&stage, NULL, "{\"kind\":\"echo.say\"}");
    ok(jobs_stat_reaches(&stage, JOBS_PUT_BACK, 1));
    jobs_stage_start_echo(&stage);
    const value_t *job = jobs_await(&stage, id, "done");
    is_int(value_get_int(job, "failures", -1), 0);
    jobs_stage_close(&stage);
}

/* Whoever leaves gives back what it runs, as it was. */
static void test_leaving(void)
{
    jobs_stage_t stage;
    jobs_stage_prepare(&stage);
    jobs_settings.leave_ms = 50;
    jobs_stage_start_echo(&stage);
    stage_start(&stage.stage, 0);
    atomic_store(&echo.is_held, true);
    int64_t id = jobs_put(&stage, NULL, "{\"kind\":\"echo.hold\"}");
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held) == 0; tries++)
        clock_sleep_ms(5);
    is_int(atomic_load(&echo.held), 1);
    actor_stop(&stage.stage.actors[0]);
    atomic_store(&echo.is_held, false);
    stage_start(&stage.stage, 0);
    const value_t *job = jobs_await(&stage, id, "done");
    is_int(value_get_int(job, "failures", -1), 0);
    is_int(value_get_int(job, "attempts", -1), 2);
    jobs_stage_close(&stage);
}

static void test_queues(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), admin = jobs_admin();
    jobs_stage_open(&stage);
    is_int(jobs_call(&stage, &ada, "queue_set", "{\"name\":\"echo\",\"paused\":true}").code,
           ERROR_FORBIDDEN);
    reply_t reply = jobs_call(&stage, &admin, "queue_set", "{\"name\":\"echo\",\"paused\":true}");
    is_int(reply.code, ERROR_NONE);
    ok(value_get_bool(reply.body, "paused", false));
    int64_t held = jobs_put(&stage, &ada, "{\"kind\":\"echo.say\"}");
    int64_t free = jobs_put(&stage, &admin, "{\"kind\":\"echo.say\",\"queue\":\"other\"}");
    ok(jobs_await(&stage, free, "done") != NULL);
    ok(jobs_await(&stage, held, "ready") != NULL);
    is_int(echo.calls, 1);
    is_int(jobs_call(&stage, &admin, "queue_set", "{\"name\":\"echo\",\"paused\":false}").code,
           ERROR_NONE);
    ok(jobs_await(&stage, held, "done") != NULL);
    /* at most three in any minute */
    is_int(jobs_call(&stage, &admin, "queue_set",
                     "{\"name\":\"slow\",\"rate_limit\":3,\"rate_window_ms\":60000}")
               .code,
           ERROR_NONE);
    reply = jobs_call(&stage, &admin, "enqueue_many",
                      "{\"jobs\":[{\"kind\":\"echo.say\",\"queue\":\"slow\"},"
                      "{\"kind\":\"echo.say\",\"queue\":\"slow\"},"
                      "{\"kind\":\"echo.say\",\"queue\":\"slow\"},"
                      "{\"kind\":\"echo.say\",\"queue\":\"slow\"}]}");
    is_int(reply.code, ERROR_NONE);
    const value_t *items = value_get(reply.body, "items");
    ok(jobs_await(&stage, value_get_int(value_item(items, 2), "id", 0), "done") != NULL);
    ok(jobs_await(&stage, value_get_int(value_item(items, 3), "id", 0), "ready") != NULL);
    reply = jobs_call(&stage, &admin, "queues", "{}");
    is_int(value_get(reply.body, "items")->count, 3);
    jobs_stage_close(&stage);
}

static void test_lists(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob"), admin = jobs_admin();
    jobs_stage_open(&stage);
    for (int i = 0; i < 3; i++)
        jobs_put(&stage, i ? &ada : &bob, "{\"kind\":\"echo.say\",\"delay_ms\":3600000}");
    reply_t reply = jobs_call(&stage, &ada, "list", "{\"limit\":1}");
    const char *cursor = stage_text(&stage.stage, reply.body, "next_cursor");
    is_int(value_get(reply.body, "items")->count, 1);
    reply = jobs_call(&stage, &ada, "list", "{\"limit\":1,\"cursor\":\"%s\"}", cursor);
    is_int(value_get(reply.body, "items")->count, 1);
    ok(value_is_type(value_get(reply.body, "next_cursor"), VALUE_NIL));
    reply = jobs_call(&stage, &ada, "list", "{\"all\":true}");
    is_int(value_get(reply.body, "items")->count, 2);
    reply = jobs_call(&stage, &admin, "list", "{\"all\":true}");
    is_int(value_get(reply.body, "items")->count, 3);
    reply = jobs_call(&stage, &ada, "list", "{\"state\":\"done\"}");
    is_int(value_get(reply.body, "items")->count, 0);
    jobs_stage_close(&stage);
}

/* Many callers at once share commits, and every job runs. */
#define CALLERS 8
#define EACH    100

static void *s_enqueue_many(void *arg)
{
    jobs_stage_t *stage = arg;
    arena_t arena = { 0 };
    for (int i = 0; i < EACH; i++)
        if (stage_call_in(&stage->stage, &arena, NULL, "enqueue", "{\"kind\":\"echo.say\"}").code)
            die("a job was not taken");
    arena_free(&arena);
    return NULL;
}

static void test_crowd(void)
{
    jobs_stage_t stage;
    pthread_t threads[CALLERS];
    jobs_stage_open(&stage);
    int64_t before = stats_get(db_stats(stage_db(&stage.stage)), DB_COMMITS);
    for (int i = 0; i < CALLERS; i++)
        insist(pthread_create(&threads[i], NULL, s_enqueue_many, &stage) == 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    ok(jobs_stat_reaches(&stage, JOBS_SUCCEEDED, CALLERS * EACH));
    is_int(jobs_stat(&stage, JOBS_STALE), 0);
    is_int(echo.calls, CALLERS * EACH);
    note("%lld commits",
         (long long)(stats_get(db_stats(stage_db(&stage.stage)), DB_COMMITS) - before));
    jobs_stage_close(&stage);
}

/* ---- two runs of one job -----------------------------------------------------------------------
 */

#define PILE 200 /* so many that the table of runs is rearranged, once */

static db_status_t s_end_leases(db_conn_t *conn, void *arg)
{
    static const db_sql_t end = { "test.end_leases", "UPDATE worker SET lease_until = 1", NULL };
    (void)arg;
    return DB_RUN(conn, &end, NULL);
}

/* The worker is there again, as if it had never been given up. */
static db_status_t s_give_lease(db_conn_t *conn, void *arg)
{
    static const db_sql_t give = {
        "test.give_lease",
        "INSERT INTO worker (id, name, is_pulling, lease_until)"
        " SELECT worker_id, 'again', 0, 99999999999999 FROM job WHERE id = $id"
        " ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
        NULL
    };
    return DB_RUN(conn, &give, NULL, DB_P_INT("id", *(const int64_t *)arg));
}

static bool s_is_held_by(int count)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held) < count; tries++)
        clock_sleep_ms(5);
    return atomic_load(&echo.held) >= count;
}

/* An instance whose lease has ended while it called may claim the same job again: it keeps both
 * runs apart, and the first one's answer counts for nothing. */
static void test_two_runs(void)
{
    static const db_sql_t running = { "test.running",
                                      "SELECT count(*) AS n FROM job WHERE state = 1", NULL };
    jobs_stage_t stage;
    jobs_stage_open(&stage);
    db_t *db = stage_db(&stage.stage);
    atomic_store(&echo.is_held, true);
    int64_t id = jobs_put(&stage, NULL, "{\"kind\":\"echo.hold\"}");
    ok(s_is_held_by(1));
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held) < 2; tries++) {
        insist(db_write(db, s_end_leases, NULL) == DB_OK);
        clock_sleep_ms(5);
    }
    is_int(db_write(db, s_give_lease, &id), DB_OK);
    ok(s_is_held_by(2)); /* the same job twice */
    for (int i = 0; i < PILE; i++)
        jobs_put(&stage, NULL,
                 i % 2 ? "{\"kind\":\"echo.hold\",\"queue\":\"one\"}"
                       : "{\"kind\":\"echo.hold\",\"queue\":\"other\"}");
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && place_number(db, &running) < PILE; tries++)
        clock_sleep_ms(5);
    atomic_store(&echo.let_go, 2);
    ok(jobs_await(&stage, id, "done") != NULL);
    atomic_store(&echo.is_held, false);
    ok(jobs_stat_reaches(&stage, JOBS_STALE, 1));
    ok(jobs_stat_reaches(&stage, JOBS_SUCCEEDED, 1 + PILE));
    jobs_stage_close(&stage);
}

DATABASE_TESTS({ "runs", test_runs }, { "refusals", test_refusals }, { "names", test_names },
               { "two runs", test_two_runs }, { "retries", test_retries }, { "later", test_later },
               { "order", test_order }, { "absence", test_absence }, { "leaving", test_leaving },
               { "queues", test_queues }, { "lists", test_lists }, { "crowd", test_crowd })
