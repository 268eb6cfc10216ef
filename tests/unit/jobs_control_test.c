/* SPDX-License-Identifier: MPL-2.0
 *
 * The jobs service in the hands of its callers: idempotency keys, cancelling, progress, dead
 * letters.
 */
#include "config.h"

#include "tests/unit/jobs_stage.h"

static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM job", NULL };

/* ---- idempotency keys ------------------------------------------------------------------------ */

static int64_t s_id(const reply_t *reply)
{
    return value_get_int(reply->body, "id", -1);
}

static void test_keys(void)
{
    static const char first[] =
        "{\"kind\":\"echo.say\",\"delay_ms\":3600000,\"idempotency_key\":\"k\"}";
    static const char many[] =
        "{\"jobs\":[{\"kind\":\"echo.say\",\"delay_ms\":3600000}],\"idempotency_key\":\"m\"}";
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    jobs_stage_open(&stage);
    reply_t one = jobs_call(&stage, &ada, "enqueue", "%s", first);
    reply_t two = jobs_call(&stage, &ada, "enqueue", "%s", first);
    reply_t others = jobs_call(&stage, &bob, "enqueue", "%s", first);
    is_int(one.code, ERROR_NONE);
    ok(value_equal(one.body, two.body));
    ok(s_id(&others) > s_id(&one));
    is_int(jobs_call(&stage, &ada, "enqueue", "{\"kind\":\"echo.say\",\"idempotency_key\":\"k\"}")
               .code,
           ERROR_UNPROCESSABLE);
    is_int(jobs_call(&stage, &ada, "enqueue_many",
                     "{\"jobs\":[{\"kind\":\"echo.say\"}],\"idempotency_key\":\"k\"}")
               .code,
           ERROR_UNPROCESSABLE);
    one = jobs_call(&stage, &ada, "enqueue_many", "%s", many);
    two = jobs_call(&stage, &ada, "enqueue_many", "%s", many);
    ok(one.body && value_equal(one.body, two.body));
    is_int(place_number(stage_db(&stage.stage), &s_count), 3);
    is_int(jobs_stat(&stage, JOBS_ENQUEUED), 3);
    jobs_stage_close(&stage);
}

/* Many at once with one key: one of them stores a job, the others get its answer or are told to
 * wait.
 */
#define CALLERS 8

typedef struct {
    jobs_stage_t *stage;
    error_code_t code;
    int64_t id;
} caller_t;

static void *s_enqueue_keyed(void *arg)
{
    caller_t *self = arg;
    arena_t arena = { 0 };
    reply_t reply = stage_call_in(&self->stage->stage, &arena, NULL, "enqueue",
                                  "{\"kind\":\"echo.say\",\"delay_ms\":3600000,"
                                  "\"idempotency_key\":\"one\"}");
    self->code = reply.code;
    self->id = s_id(&reply);
    arena_free(&arena);
    return NULL;
}

static void test_keys_at_once(void)
{
    jobs_stage_t stage;
    pthread_t threads[CALLERS];
    caller_t callers[CALLERS];
    int64_t id = 0;
    jobs_stage_open(&stage);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller_t){ .stage = &stage };
        insist(pthread_create(&threads[i], NULL, s_enqueue_keyed, &callers[i]) == 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        ok(callers[i].code == ERROR_NONE || callers[i].code == ERROR_CONFLICT);
        if (callers[i].code == ERROR_NONE && id == 0)
            id = callers[i].id;
        ok(callers[i].code == ERROR_CONFLICT || callers[i].id == id);
    }
    is_int(place_number(stage_db(&stage.stage), &s_count), 1);
    jobs_stage_close(&stage);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static void test_cancel(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    jobs_stage_open(&stage);
    long long waits = jobs_put(&stage, &ada, "{\"kind\":\"echo.say\",\"delay_ms\":3600000}");
    is_int(jobs_call(&stage, &bob, "cancel", "{\"id\":%lld}", waits).code, ERROR_NOT_FOUND);
    reply_t reply = jobs_call(&stage, &ada, "cancel", "{\"id\":%lld}", waits);
    is_text(stage_text(&stage.stage, reply.body, "state"), "cancelled");
    ok(jobs_await(&stage, waits, "cancelled") != NULL);
    is_int(jobs_call(&stage, &ada, "cancel", "{\"id\":%lld}", waits).code, ERROR_NOT_FOUND);

    atomic_store(&echo.is_held, true);
    long long runs = jobs_put(&stage, &ada, "{\"kind\":\"echo.hold\"}");
    ok(jobs_await(&stage, runs, "running") != NULL);
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held) == 0; tries++)
        clock_sleep_ms(5);
    reply = jobs_call(&stage, &ada, "cancel", "{\"id\":%lld}", runs);
    is_text(stage_text(&stage.stage, reply.body, "state"), "running");
    uint64_t before_ms = clock_ms();
    ok(jobs_await(&stage, runs, "cancelled") != NULL);
    ok(clock_ms() - before_ms < 5000);
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held); tries++)
        clock_sleep_ms(5);
    is_int(atomic_load(&echo.held), 0); /* the handler has seen it */
    jobs_stage_close(&stage);
}

/* ---- progress -------------------------------------------------------------------------------- */

static void test_progress(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    atomic_store(&echo.is_held, true);
    int64_t id = jobs_put(&stage, &ada, "{\"kind\":\"echo.hold\"}");
    const value_t *progress = NULL;
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && !value_is_type(progress, VALUE_MAP);
         tries++) {
        clock_sleep_ms(5);
        progress = value_get(jobs_call(&stage, &ada, "get", "{\"id\":%lld}", (long long)id).body,
                             "progress");
    }
    is_int(value_get_int(progress, "percent", -1), 50);
    is_text(stage_text(&stage.stage, progress, "note"), "half");
    atomic_store(&echo.is_held, false);
    ok(jobs_await(&stage, id, "done") != NULL);
    /* too late, and not by anybody */
    is_int(jobs_call(&stage, NULL, "progress", "{\"id\":%lld,\"fence\":1,\"percent\":60}",
                     (long long)id)
               .code,
           ERROR_PRECONDITION_FAILED);
    is_int(jobs_call(&stage, &ada, "progress", "{\"id\":%lld,\"fence\":1,\"percent\":60}",
                     (long long)id)
               .code,
           ERROR_FORBIDDEN);
    ok(jobs_stat(&stage, JOBS_STALE) == 1);
    jobs_stage_close(&stage);
}

/* ---- dead letters ---------------------------------------------------------------------------- */

static void test_dead(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    long long ids[3];
    jobs_stage_open(&stage);
    for (int i = 0; i < 3; i++) {
        ids[i] = jobs_put(&stage, &ada, "{\"kind\":\"echo.refuse\",\"unique_key\":\"u\"}");
        ok(jobs_await(&stage, ids[i], "dead") != NULL);
    }
    reply_t reply = jobs_call(&stage, &ada, "dead", "{}");
    is_int(value_get(reply.body, "items")->count, 3);
    long long behind =
        jobs_put(&stage, &ada, "{\"kind\":\"echo.refuse\",\"queue\":\"echo\",\"order_key\":\"o\"}");
    ok(jobs_await(&stage, behind, "dead") != NULL);
    is_int(value_get(jobs_call(&stage, &bob, "dead", "{}").body, "items")->count, 0);
    is_int(jobs_call(&stage, &bob, "dead_get", "{\"id\":%lld}", ids[0]).code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "dead_get", "{\"id\":%lld}", ids[0]).code, ERROR_NONE);
    is_int(jobs_call(&stage, &bob, "dead_delete", "{\"id\":%lld}", ids[0]).code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "dead_delete", "{\"id\":%lld}", ids[0]).code, ERROR_NONE);
    is_int(jobs_call(&stage, &bob, "replay", "{\"id\":%lld}", ids[1]).code, ERROR_NOT_FOUND);
    /* one at a time has the unique key */
    is_int(jobs_call(&stage, NULL, "queue_set", "{\"name\":\"echo\",\"paused\":true}").code,
           ERROR_NONE);
    reply = jobs_call(&stage, &ada, "replay_many", "{\"dry_run\":true,\"kind\":\"echo.refuse\"}");
    is_int(value_get(reply.body, "ids")->count, 3);
    reply = jobs_call(&stage, &ada, "replay", "{\"id\":%lld}", ids[1]);
    is_text(stage_text(&stage.stage, reply.body, "state"), "ready");
    reply = jobs_call(&stage, &ada, "replay", "{\"id\":%lld}", ids[2]);
    is_int(reply.code, ERROR_CONFLICT);
    jobs_put(&stage, &ada, "{\"kind\":\"echo.say\",\"order_key\":\"o\"}");
    reply = jobs_call(&stage, &ada, "replay", "{\"id\":%lld}", behind);
    is_text(stage_text(&stage.stage, reply.body, "state"), "blocked");
    reply = jobs_call(&stage, &ada, "replay_many", "{\"code\":\"UNPROCESSABLE\"}");
    is_int(value_get(reply.body, "ids")->count, 0);
    const value_t *collision = value_item(value_get(reply.body, "collisions"), 0);
    is_int(value_get_int(collision, "id", 0), ids[2]);
    is_int(value_get_int(collision, "rival", 0), ids[1]);
    is_int(jobs_call(&stage, NULL, "queue_set", "{\"name\":\"echo\",\"paused\":false}").code,
           ERROR_NONE);
    const value_t *job = jobs_await(&stage, ids[1], "dead");
    is_int(value_get_int(job, "replays", 0), 1);
    is_int(value_get_int(job, "attempts", 0), 2);
    jobs_stage_close(&stage);
}

/* ---- workers that fetch ---------------------------------------------------------------------- */

static reply_t s_claim(jobs_stage_t *stage, const char *worker)
{
    return jobs_call(stage, NULL, "claim", "{\"worker\":\"%s\",\"queue\":\"resize\",\"limit\":2}",
                     worker);
}

static void test_pull(void)
{
    static const db_sql_t age = { "test.age",
                                  "UPDATE worker SET lease_until = 1 WHERE is_pulling = 1", NULL };
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), worker = jobs_user("worker");
    long long ids[3];
    jobs_stage_open(&stage);
    is_int(s_claim(&stage, "w").code, ERROR_UNPROCESSABLE);
    is_int(jobs_call(&stage, NULL, "queue_set", "{\"name\":\"resize\",\"pulled\":true}").code,
           ERROR_NONE);
    for (int i = 0; i < 3; i++)
        ids[i] = jobs_put(&stage, NULL,
                          "{\"kind\":\"images.resize\",\"queue\":\"resize\",\"backoff_ms\":1}");
    /* who may */
    is_int(jobs_call(&stage, &ada, "claim", "{\"worker\":\"w\",\"queue\":\"resize\"}").code,
           ERROR_FORBIDDEN);
    text_copy(worker.roles[worker.role_count++], sizeof worker.roles[0], "service", 7);
    text_copy(worker.scopes[0], sizeof worker.scopes[0], "read", 4);
    is_int(jobs_call(&stage, &worker, "claim", "{\"worker\":\"w\",\"queue\":\"resize\"}").code,
           ERROR_FORBIDDEN);
    reply_t reply = s_claim(&stage, "w");
    const value_t *items = value_get(reply.body, "items");
    is_int(items->count, 2);
    is_int(value_get_int(value_item(items, 0), "id", 0), ids[0]);
    is_int(value_get_int(value_item(items, 0), "fence", 0), 1);
    is_int(jobs_call(&stage, NULL, "complete", "{\"id\":%lld,\"fence\":1,\"result\":{\"w\":9}}",
                     ids[0])
               .code,
           ERROR_NONE);
    is_int(jobs_call(&stage, NULL, "complete", "{\"id\":%lld,\"fence\":1}", ids[0]).code,
           ERROR_PRECONDITION_FAILED);
    const value_t *job = jobs_await(&stage, ids[0], "done");
    is_int(value_get_int(value_get(job, "result"), "w", 0), 9);
    /* cancelled while it runs: the worker hears of it when it renews its lease */
    reply = jobs_call(&stage, NULL, "extend", "{\"id\":%lld,\"fence\":1}", ids[1]);
    ok(!value_get_bool(reply.body, "cancelled", true));
    is_int(jobs_call(&stage, NULL, "extend", "{\"id\":%lld,\"fence\":2}", ids[1]).code,
           ERROR_PRECONDITION_FAILED);
    is_int(jobs_call(&stage, NULL, "cancel", "{\"id\":%lld}", ids[1]).code, ERROR_NONE);
    reply = jobs_call(&stage, NULL, "extend", "{\"id\":%lld,\"fence\":1}", ids[1]);
    ok(value_get_bool(reply.body, "cancelled", false));
    reply = jobs_call(&stage, NULL, "fail", "{\"id\":%lld,\"fence\":1}", ids[1]);
    is_text(stage_text(&stage.stage, reply.body, "state"), "cancelled");
    /* one that fails, one whose worker is lost */
    is_int(value_get(s_claim(&stage, "w").body, "items")->count, 1);
    reply = jobs_call(&stage, NULL, "fail",
                      "{\"id\":%lld,\"fence\":1,\"code\":\"BLURRED\",\"detail\":\"no\"}", ids[2]);
    is_text(stage_text(&stage.stage, reply.body, "state"), "scheduled");
    ok(jobs_await(&stage, ids[2], "ready") != NULL);
    is_int(value_get(s_claim(&stage, "v").body, "items")->count, 1);
    is_int(db_write_one(stage_db(&stage.stage), &age, NULL, 0, NULL), DB_OK);
    job = jobs_await(&stage, ids[2], "ready");
    is_text(stage_text(&stage.stage, value_get(job, "error"), "code"), "WORKER_LOST");
    is_int(jobs_call(&stage, NULL, "complete", "{\"id\":%lld,\"fence\":2}", ids[2]).code,
           ERROR_PRECONDITION_FAILED);
    is_int(value_get(s_claim(&stage, "v").body, "items")->count, 1);
    reply = jobs_call(&stage, NULL, "fail",
                      "{\"id\":%lld,\"fence\":3,\"permanent\":true,\"code\":\"BLURRED\"}", ids[2]);
    is_text(stage_text(&stage.stage, reply.body, "state"), "dead");
    jobs_stage_close(&stage);
}

DATABASE_TESTS({ "keys", test_keys }, { "keys at once", test_keys_at_once },
               { "cancel", test_cancel }, { "progress", test_progress }, { "dead", test_dead },
               { "pull", test_pull })
