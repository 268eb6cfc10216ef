/* SPDX-License-Identifier: MPL-2.0
 *
 * Jobs on a disk that is full (SQLite): refused with STORAGE_FULL, nothing acknowledged is lost,
 * and all of it is done when there is room again.
 */
#include "config.h"

#include "tests/unit/jobs_stage.h"

#define JOBS_MAX 4000

static db_status_t s_limit(db_conn_t *conn, void *arg)
{
    static const db_sql_t few = { "test.few", "PRAGMA max_page_count = 400", NULL };
    static const db_sql_t many = { "test.many", "PRAGMA max_page_count = 1000000", NULL };
    return DB_RUN(conn, *(const bool *)arg ? &few : &many, NULL);
}

/* Enqueues until it is refused; how many were taken, and why no more. */
static int s_fill(jobs_stage_t *stage, error_code_t *code)
{
    char payload[2001], json[2200];
    int taken = 0;
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    snprintf(json, sizeof json,
             "{\"kind\":\"echo.nothing\",\"queue\":\"held\",\"payload\":{\"x\":\"%s\"}}", payload);
    for (*code = ERROR_NONE; taken < JOBS_MAX; taken++) {
        *code = jobs_call(stage, NULL, "enqueue", "%s", json).code;
        if (*code != ERROR_NONE)
            break;
    }
    return taken;
}

static void test_disk_full(void)
{
    static const db_sql_t count = {
        "test.count",
        "SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM dead)"
        " AS n",
        NULL
    };
    static const db_sql_t dead = { "test.dead", "SELECT count(*) AS n FROM dead", NULL };
    jobs_stage_t stage;
    bool few = true;
    error_code_t code;
    jobs_stage_open(&stage);
    db_t *db = stage_db(&stage.stage);
    is_int(jobs_call(&stage, NULL, "queue_set", "{\"name\":\"held\",\"paused\":true}").code,
           ERROR_NONE);
    atomic_store(&echo.is_held, true);
    int64_t running = jobs_put(&stage, NULL, "{\"kind\":\"echo.hold\"}");
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && !atomic_load(&echo.held); tries++)
        clock_sleep_ms(5);
    is_int(db_write(db, s_limit, &few), DB_OK);
    int taken = s_fill(&stage, &code);
    is_int(code, ERROR_STORAGE_FULL);
    ok(taken > 0);
    is_int(place_number(db, &count), taken + 1);
    atomic_store(&echo.is_held, false); /* a run ends while there is no room */
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && atomic_load(&echo.held); tries++)
        clock_sleep_ms(5);
    few = false;
    is_int(db_write(db, s_limit, &few), DB_OK);
    is_int(jobs_call(&stage, NULL, "queue_set", "{\"name\":\"held\",\"paused\":false}").code,
           ERROR_NONE);
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && place_number(db, &dead) < taken; tries++)
        clock_sleep_ms(5);
    is_int(place_number(db, &dead), taken); /* the method is not there: each was called */
    const value_t *job = jobs_await(&stage, running, "done");
    is_int(value_get_int(job, "attempts", 0), 1); /* that it ended was not lost, nor done again */
    int64_t id = jobs_put(&stage, NULL, "{\"kind\":\"echo.say\"}");
    ok(jobs_await(&stage, id, "done") != NULL);
    jobs_stage_close(&stage);
}

DATABASE_TESTS({ "disk full", test_disk_full })
