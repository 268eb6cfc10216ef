/* SPDX-License-Identifier: MPL-2.0
 *
 * The jobs service in the hands of a stranger: orders that wait for themselves, somebody else's
 * name, more than there may be, workers that never heard what they were given.
 */
#include "config.h"

#include "tests/unit/jobs_kit.h"
#include "tests/unit/jobs_stage.h"

static int64_t s_id(const reply_t *reply)
{
    return value_get_int(reply->body, "id", -1);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void test_orders(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    is_int(jobs_call(&stage, &ada, "enqueue_family",
                     "{\"parent\":{\"kind\":\"echo.say\",\"order_key\":\"k\"},\"children\":["
                     "{\"kind\":\"echo.say\"},{\"kind\":\"echo.say\",\"order_key\":\"k\"}]}")
               .code,
           ERROR_UNPROCESSABLE);
    /* a parent that waits has its turn: cancelled, it gives it to the next */
    reply_t family = jobs_call(&stage, &ada, "enqueue_family",
                               "{\"parent\":{\"kind\":\"echo.say\",\"order_key\":\"k\"},"
                               "\"children\":[{\"kind\":\"echo.say\",\"delay_ms\":3600000}]}");
    int64_t parent = value_get_int(value_get(family.body, "parent"), "id", 0);
    reply_t next = jobs_call(&stage, &ada, "enqueue",
                             "{\"kind\":\"echo.say\",\"order_key\":\"k\",\"payload\":{\"n\":7}}");
    is_text(stage_text(&stage.stage, next.body, "state"), "blocked");
    reply_t said = jobs_call(&stage, &ada, "cancel", "{\"id\":%lld}", (long long)parent);
    is_text(stage_text(&stage.stage, said.body, "state"), "cancelled");
    ok(jobs_await(&stage, s_id(&next), "done") != NULL);
    is_int(echo.last_n, 7);
    jobs_stage_close(&stage);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

/* The last attempt of a run is cancelled, not dead, and its method sees that it is. */
static void test_last_attempt(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    atomic_store(&echo.is_held, true);
    reply_t held =
        jobs_call(&stage, &ada, "enqueue", "{\"kind\":\"echo.hold\",\"max_attempts\":1}");
    for (int tries = 0; tries < 30000 && atomic_load(&echo.held) == 0; tries++)
        clock_sleep_ms(1);
    is_int(atomic_load(&echo.held), 1);
    reply_t said = jobs_call(&stage, &ada, "cancel", "{\"id\":%lld}", (long long)s_id(&held));
    is_text(stage_text(&stage.stage, said.body, "state"), "running");
    ok(jobs_await(&stage, s_id(&held), "cancelled") != NULL);
    for (int tries = 0; tries < 30000 && atomic_load(&echo.held) > 0; tries++)
        clock_sleep_ms(1);
    is_int(atomic_load(&echo.held), 0); /* it was still held: only being cancelled ended it */
    atomic_store(&echo.is_held, false);
    jobs_stage_close(&stage);
}

/* ---- in somebody else's name ----------------------------------------------------------------- */

static void test_names(void)
{
    static const struct {
        const char *method, *json;
        error_code_t code;
    } cases[] = {
        { "enqueue", "{\"kind\":\"echo.say\",\"as\":{\"account\":\"bob\"}}",
          ERROR_VALIDATION_FAILED },
        { "enqueue_many", "{\"jobs\":[{\"kind\":\"echo.say\",\"as\":{\"account\":\"bob\"}}]}",
          ERROR_VALIDATION_FAILED },
        { "enqueue_many", "{\"as\":{\"account\":\"bob\"},\"jobs\":[{\"kind\":\"echo.say\"}]}",
          ERROR_VALIDATION_FAILED },
        { "enqueue_as",
          "{\"jobs\":[{\"kind\":\"echo.say\",\"as\":{\"account\":\"bob\",\"user\":\"bob\"}}]}",
          ERROR_FORBIDDEN },
        { "enqueue", "{\"kind\":\"echo.say\",\"parent_id\":1}", ERROR_VALIDATION_FAILED },
        { "enqueue", "{\"kind\":\"echo.inner\"}", ERROR_FORBIDDEN },
        { "schedule_put", "{\"name\":\"s\",\"cron\":\"* * * * *\",\"kind\":\"echo.inner\"}",
          ERROR_FORBIDDEN },
        { "schedule_put",
          "{\"name\":\"s\",\"cron\":\"0 0 * * *\",\"kind\":\"echo.say\",\"zone\":\"../../etc\"}",
          ERROR_UNPROCESSABLE },
        { "progress", "{\"id\":1,\"fence\":1,\"percent\":5}", ERROR_FORBIDDEN },
        { "claim", "{\"worker\":\"w\",\"queue\":\"echo\"}", ERROR_FORBIDDEN },
    };
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        error_code_t code = jobs_call(&stage, &ada, cases[i].method, "%s", cases[i].json).code;
        if (!ok_named(code == cases[i].code, cases[i].json))
            note("%s", error_row(code)->symbol);
    }
    is_int(echo.calls, 0);
    jobs_stage_close(&stage);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static error_code_t s_enqueue_sized(jobs_stage_t *stage, const principal_t *who, size_t size)
{
    char *filler = mem_zeroed(size + 1);
    memset(filler, 'x', size);
    char *json = mem_format(
        "{\"kind\":\"echo.say\",\"delay_ms\":3600000,\"payload\":{\"s\":\"%s\"}}", filler);
    error_code_t code =
        stage_call_in(&stage->stage, &stage->stage.arena, who, "enqueue", json).code;
    mem_free(json);
    mem_free(filler);
    return code;
}

static error_code_t s_enqueue_in(jobs_stage_t *stage, const char *queue)
{
    return jobs_call(stage, NULL, "enqueue",
                     "{\"kind\":\"echo.say\",\"delay_ms\":3600000,\"queue\":\"%s\"}", queue)
        .code;
}

static void test_sizes(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    char name[JOBS_QUEUE_BYTES + 2];
    const size_t around = 6; /* bytes of msgpack around the text */
    jobs_stage_open(&stage);
    is_int(s_enqueue_sized(&stage, &ada, JOBS_PAYLOAD_BYTES - around), ERROR_NONE);
    is_int(s_enqueue_sized(&stage, &ada, JOBS_PAYLOAD_BYTES - around + 1), ERROR_TOO_LARGE);
    memset(name, 'q', sizeof name);
    name[JOBS_QUEUE_BYTES + 1] = '\0';
    is_int(s_enqueue_in(&stage, name), ERROR_VALIDATION_FAILED);
    name[JOBS_QUEUE_BYTES] = '\0';
    is_int(s_enqueue_in(&stage, name), ERROR_NONE);
    is_int(s_enqueue_in(&stage, ""), ERROR_VALIDATION_FAILED);
    jobs_stage_close(&stage);
}

/* What is beyond the last queue would be accepted and never run. */
static void test_queues(void)
{
    static const db_sql_t many = {
        "test.queues",
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <"
        " 1000) INSERT INTO queue (name) SELECT 'queue-' || n FROM numbers",
        NULL
    };
    jobs_stage_t stage;
    error_code_t code = ERROR_NONE;
    char name[32];
    jobs_stage_open(&stage);
    is_int(db_write_one(stage_db(&stage.stage), &many, NULL, 0, NULL), DB_OK);
    for (int i = 0; i < 30000 && code == ERROR_NONE; i++) { /* until they have been looked at */
        snprintf(name, sizeof name, "other-%d", i);
        code = s_enqueue_in(&stage, name);
        clock_sleep_ms(10);
    }
    is_int(code, ERROR_UNPROCESSABLE);
    is_int(s_enqueue_in(&stage, "queue-7"), ERROR_NONE);
    jobs_stage_close(&stage);
}

/* ---- workers that do not know what they have ------------------------------------------------- */

typedef struct {
    int64_t id;
    size_t count;
    bool is_current, is_cancelled;
    job_lost_t lost[4];
    job_begun_t begun[4];
    arena_t arena;
} pulling_t;

static db_status_t s_claim_work(db_conn_t *conn, void *arg)
{
    pulling_t *self = arg;
    int64_t worker;
    const job_wish_t wish = { .queue = "echo", .most = 4, .is_pull = true };
    db_status_t status = jobs_store_add_worker(conn, "pull/w", true, 3600000, &worker);
    return status == DB_OK ? jobs_store_claim_limited(conn, &self->arena, worker, &wish,
                                                      self->begun, &self->count)
                           : status;
}

static db_status_t s_extend_work(db_conn_t *conn, void *arg)
{
    pulling_t *self = arg;
    return jobs_store_extend(conn, self->id, 1, 3600000, &self->is_current, &self->is_cancelled);
}

static int64_t s_silent(db_t *db, pulling_t *self)
{
    is_int(jobs_store_silent(db_conn(db), self->lost, COUNT_OF(self->lost), &self->count), DB_OK);
    return self->count ? self->lost[0].id : 0;
}

static db_status_t s_pulled_work(db_conn_t *conn, void *arg)
{
    (void)arg;
    return jobs_store_set_queue(conn, &(job_queue_change_t){ .name = "echo",
                                                             .is_paused = -1,
                                                             .is_pulled = 1,
                                                             .max_running = -1,
                                                             .rate_limit = -1,
                                                             .rate_window_ms = -1 });
}

static void s_sql(db_t *db, const char *text)
{
    static db_sql_t sql[8];
    static size_t used;
    sql[used] = (db_sql_t){ "test.sql", text, NULL };
    is_int(db_write_one(db, &sql[used++], NULL, 0, NULL), DB_OK);
}

static void test_silence(void)
{
    place_t place;
    pulling_t pulling = { 0 };
    db_t *db = kit_open(&place);
    int64_t lost = kit_add_one(db, kit_job()), known = kit_add_one(db, kit_job());
    is_int(db_write(db, s_pulled_work, NULL), DB_OK);
    is_int(db_write(db, s_claim_work, &pulling), DB_OK);
    is_int(pulling.count, 2);
    is_int(s_silent(db, &pulling), 0);
    /* the lease goes on, whatever it does; it only ever speaks of one of the two */
    s_sql(db, "UPDATE job SET started_at = started_at - 60001");
    pulling.id = known;
    is_int(db_write(db, s_extend_work, &pulling), DB_OK);
    ok(pulling.is_current && !pulling.is_cancelled);
    is_int(s_silent(db, &pulling), lost);
    is_int(pulling.count, 1);
    /* one that is to be cancelled cannot be held any longer */
    s_sql(db, "UPDATE job SET heard_at = heard_at - 60001, is_cancelled = 1");
    is_int(db_write(db, s_extend_work, &pulling), DB_OK);
    ok(pulling.is_current && pulling.is_cancelled);
    s_silent(db, &pulling);
    is_int(pulling.count, 2);
    arena_free(&pulling.arena);
    place_end(&place, &db);
}

DATABASE_TESTS({ "orders", test_orders }, { "last attempt", test_last_attempt },
               { "names", test_names }, { "sizes", test_sizes }, { "queues", test_queues },
               { "silence", test_silence })
