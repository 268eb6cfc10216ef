/* SPDX-License-Identifier: MPL-2.0
 *
 * Schedules in the tables of both databases: put, paused, fired once each, late, skipped.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "actors/jobs/store_schedules.h"
#include "tests/unit/jobs_kit.h"

#define LOOKERS 4

typedef struct {
    place_t place;
    db_t *db;
    zones_t *zones;
    arena_t arena;
} stage_t;

static void s_open(stage_t *self)
{
    *self = (stage_t){ .zones = zones_new(ZONES_FOLDER) };
    self->db = kit_open(&self->place);
}

static void s_close(stage_t *self)
{
    place_end(&self->place, &self->db);
    zones_destroy(&self->zones);
    arena_free(&self->arena);
}

static schedule_t s_schedule(const char *name, const char *cron)
{
    return (schedule_t){ .account = "acme",
                         .name = name,
                         .cron = cron,
                         .zone = "Europe/Berlin",
                         .kind = "echo.say",
                         .queue = "echo",
                         .priority = 3,
                         .max_attempts = 2,
                         .timeout_ms = 5000,
                         .backoff_ms = 1000,
                         .payload = { kit_empty_map, sizeof kit_empty_map } };
}

/* ---- works ----------------------------------------------------------------------------------- */

typedef struct {
    stage_t *stage;
    const schedule_t *schedule;
    int64_t limit;
    schedule_put_t what;
} put_t;

static db_status_t s_put_work(db_conn_t *conn, void *arg)
{
    put_t *put = arg;
    cron_t cron;
    char why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE];
    const char *text = put->schedule->cron;
    insist(cron_parse(&cron, text, strlen(text), why));
    return schedule_store_put(conn, &put->stage->arena, put->schedule, &cron,
                              zones_get(put->stage->zones, put->schedule->zone, zone_why),
                              put->limit, &put->what);
}

static schedule_put_t s_put(stage_t *stage, const schedule_t *schedule)
{
    put_t put = { .stage = stage, .schedule = schedule, .limit = 1000 };
    ok(db_write(stage->db, s_put_work, &put) == DB_OK);
    return put.what;
}

typedef struct {
    zones_t *zones;
    arena_t arena;
    schedule_fired_t fired;
} fire_t;

static db_status_t s_fire_work(db_conn_t *conn, void *arg)
{
    fire_t *fire = arg;
    return schedule_store_fire(conn, &fire->arena, fire->zones, &fire->fired);
}

static schedule_fired_t s_fire(stage_t *stage)
{
    fire_t fire = { .zones = stage->zones };
    ok(db_write(stage->db, s_fire_work, &fire) == DB_OK);
    arena_free(&fire.arena);
    return fire.fired;
}

/* "UPDATE ...", with the present moment as $now. */
static db_status_t s_sql_work(db_conn_t *conn, void *arg)
{
    int64_t now;
    const db_sql_t *sql = arg;
    db_status_t status = schedule_store_now(conn, &now);
    return status == DB_OK ? DB_RUN(conn, sql, NULL, DB_P_INT("now", now)) : status;
}

/* Statements are known by their addresses. */
#define s_sql(stage, text)                                                                         \
    do {                                                                                           \
        static db_sql_t s_statement = { "test", text, NULL };                                      \
        ok(db_write((stage)->db, s_sql_work, &s_statement) == DB_OK);                              \
    } while (0)

#define s_count(stage, text)                                                                       \
    ({                                                                                             \
        static const db_sql_t s_statement = { "test", text, NULL };                                \
        place_number((stage)->db, &s_statement);                                                   \
    })

static const schedule_t *s_get(stage_t *stage, const char *name)
{
    const schedule_t *found = NULL;
    ok(schedule_store_get(db_conn(stage->db), &stage->arena, "acme", name, false, &found) == DB_OK);
    return found;
}

/* Every schedule as if nobody had looked for so many seconds. */
#define SLEEP(seconds)                                                                             \
    "UPDATE schedule SET decided_until = CAST($now AS BIGINT) - " seconds                          \
    "000, next_at = CAST($now AS BIGINT) - " seconds "000"

/* ---- putting --------------------------------------------------------------------------------- */

static void s_test_put(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("report", "0 3 * * *");
    is_int(s_put(&stage, &schedule), SCHEDULE_MADE);
    const schedule_t *made = s_get(&stage, "report");
    ok(made && made->next_at > made->decided_until && made->decided_until == made->created_at);
    is_int(made->next_at % 3600000, 0);
    is_text(made->cron, "0 3 * * *");
    is_int(made->payload.size, 1);

    s_sql(&stage, "UPDATE schedule SET decided_until = decided_until - 5000,"
                  " next_at = next_at - 5000 + 0 * CAST($now AS BIGINT)");
    schedule.kind = "echo.shout";
    is_int(s_put(&stage, &schedule), SCHEDULE_CHANGED);
    const schedule_t *same = s_get(&stage, "report");
    is_text(same->kind, "echo.shout");
    ok_named(same->decided_until == made->decided_until - 5000 &&
                 same->next_at == made->next_at - 5000,
             "one whose times stay goes on where it was");
    schedule.cron = "0 4 * * *";
    is_int(s_put(&stage, &schedule), SCHEDULE_CHANGED);
    const schedule_t *moved = s_get(&stage, "report");
    ok_named(moved->decided_until >= made->decided_until && moved->next_at != same->next_at,
             "one whose times change begins anew");
    is_int(moved->id, made->id);

    put_t put = { .stage = &stage, .schedule = &schedule, .limit = 1 };
    ok(db_write(stage.db, s_put_work, &put) == DB_OK);
    is_int(put.what, SCHEDULE_CHANGED);
    schedule.name = "another";
    ok(db_write(stage.db, s_put_work, &put) == DB_OK);
    is_int(put.what, SCHEDULE_OVER_LIMIT);
    ok(!s_get(&stage, "another"));
    schedule.account = "other";
    ok(db_write(stage.db, s_put_work, &put) == DB_OK);
    is_int(put.what, SCHEDULE_MADE);
    ok(!s_get(&stage, "another"));
    s_close(&stage);
}

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    return schedule_store_delete(conn, "acme", "b", arg);
}

static void s_test_list(void)
{
    stage_t stage;
    schedules_t schedules;
    bool deleted = false;
    s_open(&stage);
    for (const char *const *name = (const char *const[]){ "a", "b", "c", NULL }; *name; name++) {
        schedule_t schedule = s_schedule(*name, "@daily");
        s_put(&stage, &schedule);
    }
    db_conn_t *conn = db_conn(stage.db);
    ok(schedule_store_list(conn, &stage.arena, "acme", INT64_MAX, 2, &schedules) == DB_OK);
    is_int(schedules.count, 2);
    is_text(schedules.list[0].name, "c");
    ok(schedule_store_list(conn, &stage.arena, "acme", schedules.list[1].id, 2, &schedules) ==
       DB_OK);
    is_int(schedules.count, 1);
    is_text(schedules.list[0].name, "a");
    ok(schedule_store_list(conn, &stage.arena, "other", INT64_MAX, 2, &schedules) == DB_OK);
    is_int(schedules.count, 0);
    ok(db_write(stage.db, s_delete_work, &deleted) == DB_OK && deleted);
    ok(db_write(stage.db, s_delete_work, &deleted) == DB_OK && !deleted);
    ok(!s_get(&stage, "b"));
    s_close(&stage);
}

/* ---- firing ---------------------------------------------------------------------------------- */

static void s_test_fire(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("tick", "* * * * * *");
    s_put(&stage, &schedule);
    s_sql(&stage, SLEEP("5"));
    schedule_fired_t fired = s_fire(&stage);
    ok_named(fired.count >= 5 && fired.count <= 30, "each second since the last look");
    ok(!fired.may_be_more && fired.skipped == 0 && fired.missed == 0 && fired.broken == 0);
    const schedule_t *after = s_get(&stage, "tick");
    ok(after->next_at > after->decided_until && after->last_at <= after->decided_until);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM schedule_fire f JOIN job j ON j.id = "
                           "f.job_id WHERE j.account = 'acme' AND j.kind = 'echo.say' AND "
                           "j.priority = 3 AND j.unique_key IS NULL"),
           (int64_t)fired.count);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM job"), (int64_t)fired.count);

    /* what has a row is not fired again, whatever the schedule says */
    s_sql(&stage, SLEEP("2"));
    s_fire(&stage);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM job"),
           s_count(&stage, "SELECT count(*) AS n FROM schedule_fire"));
    s_close(&stage);
}

static void s_test_late(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("none", "*/10 * * * * *");
    s_put(&stage, &schedule);
    schedule.name = "three";
    schedule.catch_up = 3;
    s_put(&stage, &schedule);
    s_sql(&stage, SLEEP("600"));
    schedule_fired_t fired = s_fire(&stage);
    const schedule_t *none = s_get(&stage, "none"), *three = s_get(&stage, "three");
    is_int(fired.missed, none->missed + three->missed);
    is_int(none->missed - three->missed, 3);
    ok(none->missed >= 55 && none->missed <= 60);
    s_close(&stage);
}

static void s_test_overlap(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("slow", "* * * * * *");
    schedule.skips_overlap = true;
    s_put(&stage, &schedule);
    s_sql(&stage, SLEEP("3"));
    schedule_fired_t fired = s_fire(&stage);
    is_int(fired.count, 1);
    ok(fired.skipped >= 2);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM job"), 1);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM schedule_fire WHERE job_id IS NULL"),
           (int64_t)fired.skipped);
    s_sql(&stage, "DELETE FROM job WHERE id <> CAST($now AS BIGINT)"); /* it is over */
    s_sql(&stage, "DELETE FROM schedule_fire WHERE fire_at < CAST($now AS BIGINT)");
    s_sql(&stage, SLEEP("1"));
    is_int(s_fire(&stage).count, 1);
    s_close(&stage);
}

static void s_test_broken(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("lost", "* * * * * *");
    s_put(&stage, &schedule);
    s_sql(&stage, SLEEP("2"));
    s_sql(&stage, "UPDATE schedule SET zone = 'Mars/Olympus' WHERE id <> CAST($now AS BIGINT)");
    const schedule_t *before = s_get(&stage, "lost");
    schedule_fired_t fired = s_fire(&stage);
    is_int(fired.broken, 1);
    is_int(fired.count, 0);
    const schedule_t *after = s_get(&stage, "lost");
    is_int(after->decided_until, before->decided_until);
    ok_named(after->next_at > before->next_at + 590000, "it is looked for again later");
    s_close(&stage);
}

static db_status_t s_pause_work(db_conn_t *conn, void *arg)
{
    return schedule_store_pause(conn, ((const schedule_t *)arg)->id);
}

static db_status_t s_resume_work(db_conn_t *conn, void *arg)
{
    int64_t now;
    db_status_t status = schedule_store_now(conn, &now);
    return status == DB_OK
               ? schedule_store_resume(conn, ((const schedule_t *)arg)->id, now, now + 1000)
               : status;
}

static void s_test_pause(void)
{
    stage_t stage;
    s_open(&stage);
    schedule_t schedule = s_schedule("tick", "* * * * * *");
    s_put(&stage, &schedule);
    schedule_t tick = *s_get(&stage, "tick");
    ok(db_write(stage.db, s_pause_work, &tick) == DB_OK);
    ok(s_get(&stage, "tick")->is_paused && s_get(&stage, "tick")->next_at == 0);
    is_int(s_put(&stage, &schedule), SCHEDULE_CHANGED);
    schedule.cron = "*/2 * * * * *";
    is_int(s_put(&stage, &schedule), SCHEDULE_CHANGED);
    ok_named(s_get(&stage, "tick")->next_at == 0, "putting it does not wake it");
    s_sql(&stage, "UPDATE schedule SET decided_until = CAST($now AS BIGINT) - 5000");
    is_int(s_fire(&stage).count, 0);
    ok(db_write(stage.db, s_resume_work, &tick) == DB_OK);
    ok(!s_get(&stage, "tick")->is_paused && s_get(&stage, "tick")->next_at > 0);
    is_int(s_fire(&stage).missed, 0);
    s_close(&stage);
}

/* ---- out of turn, and afterwards ------------------------------------------------------------- */

typedef struct {
    arena_t *arena;
    const schedule_t *schedule;
    schedule_fired_t fired;
    job_receipt_t receipt;
} run_t;

static db_status_t s_run_work(db_conn_t *conn, void *arg)
{
    run_t *run = arg;
    return schedule_store_run(conn, run->arena, run->schedule, &run->fired, &run->receipt);
}

static void s_test_run(void)
{
    stage_t stage;
    schedule_fires_t fires;
    s_open(&stage);
    schedule_t schedule = s_schedule("report", "@yearly");
    schedule.skips_overlap = true;
    s_put(&stage, &schedule);
    run_t run = { .arena = &stage.arena, .schedule = s_get(&stage, "report") };
    ok(db_write(stage.db, s_run_work, &run) == DB_OK);
    is_int(run.fired.count, 1);
    int64_t first = run.receipt.id;
    ok(first > 0 && !run.receipt.is_duplicate);
    clock_sleep_ms(2); /* a firing of its own needs a millisecond of its own */
    ok(db_write(stage.db, s_run_work, &run) == DB_OK);
    is_int(run.fired.skipped, 1);
    ok(run.receipt.is_duplicate);
    is_int(run.receipt.id, first);

    int64_t id = run.schedule->id;
    db_conn_t *conn = db_conn(stage.db);
    ok(schedule_store_fires(conn, &stage.arena, id, INT64_MAX, 10, &fires) == DB_OK);
    is_int(fires.count, 2);
    is_int(fires.list[0].job_id, 0);
    is_int(fires.list[1].job_id, first);
    ok(schedule_store_fires(conn, &stage.arena, id, fires.list[0].fire_at, 10, &fires) == DB_OK);
    is_int(fires.count, 1);
    s_close(&stage);
}

typedef struct {
    int64_t age_ms;
    size_t count;
} purge_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purge_t *purge = arg;
    return schedule_store_purge(conn, purge->age_ms, 2, &purge->count);
}

static void s_test_purge(void)
{
    stage_t stage;
    s_open(&stage);
    s_sql(&stage, "INSERT INTO schedule_fire (schedule_id, fire_at, fired_at) VALUES"
                  " (1, 1, CAST($now AS BIGINT) - 60000), (1, 2, CAST($now AS BIGINT) - 50000), "
                  "(2, 1, CAST($now AS BIGINT) - 40000),"
                  " (2, 2, CAST($now AS BIGINT))");
    purge_t purge = { .age_ms = 30000 };
    ok(db_write(stage.db, s_purge_work, &purge) == DB_OK);
    is_int(purge.count, 2);
    ok(db_write(stage.db, s_purge_work, &purge) == DB_OK);
    is_int(purge.count, 1);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM schedule_fire WHERE fire_at = 2"), 1);
    s_close(&stage);
}

/* ---- erased accounts ------------------------------------------------------------------------- */

static void s_test_erased(void)
{
    stage_t stage;
    bool more = true;
    int rounds = 0;
    s_open(&stage);
    schedule_t schedule = s_schedule("tick", "* * * * * *");
    s_put(&stage, &schedule);
    schedule.account = "other";
    s_put(&stage, &schedule);
    s_sql(&stage, SLEEP("5"));
    ok(s_fire(&stage).count >= 10);
    for (; more && rounds < 100; rounds++)
        ok(jobs_store_erase(stage.db, "acme", 2, &more) == DB_OK);
    ok_named(!more && rounds >= 3, "some at a time");
    is_int(s_count(&stage, "SELECT count(*) AS n FROM schedule"), 1);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM job WHERE account = 'acme'"), 0);
    ok(s_count(&stage, "SELECT count(*) AS n FROM job WHERE account = 'other'") >= 5);
    s_close(&stage);
}

/* ---- many at once ---------------------------------------------------------------------------- */

static void *s_look(void *arg)
{
    stage_t *stage = arg;
    fire_t fire = { .zones = stage->zones };
    do {
        insist(db_write(stage->db, s_fire_work, &fire) == DB_OK);
    } while (fire.fired.may_be_more || fire.fired.count);
    arena_free(&fire.arena);
    return NULL;
}

static void s_test_many(void)
{
    stage_t stage;
    pthread_t lookers[LOOKERS];
    char name[16];
    s_open(&stage);
    for (int i = 0; i < 120; i++) {
        snprintf(name, sizeof name, "many-%d", i);
        schedule_t schedule = s_schedule(name, "*/5 * * * * *");
        put_t put = { .stage = &stage, .schedule = &schedule, .limit = 1000 };
        insist(db_write(stage.db, s_put_work, &put) == DB_OK);
    }
    s_sql(&stage, SLEEP("20"));
    for (size_t i = 0; i < LOOKERS; i++)
        insist(pthread_create(&lookers[i], NULL, s_look, &stage) == 0);
    for (size_t i = 0; i < LOOKERS; i++)
        pthread_join(lookers[i], NULL);
    int64_t fires = s_count(&stage, "SELECT count(*) AS n FROM schedule_fire");
    ok(fires >= 480);
    is_int(s_count(&stage, "SELECT count(DISTINCT job_id) AS n FROM schedule_fire"), fires);
    is_int(s_count(&stage, "SELECT count(*) AS n FROM job"), fires);
    is_int(s_count(&stage, "SELECT min(n) AS n FROM (SELECT count(*) AS n FROM schedule_fire"
                           " GROUP BY schedule_id) AS each_of_them") >= 4,
           1);
    s_close(&stage);
}

/* ---- a clock that was wrong --------------------------------------------------------------------
 */

static db_status_t s_pull_back_work(db_conn_t *conn, void *arg)
{
    return schedule_store_pull_back(conn, arg);
}

/* The database's clock was two hours ahead for a while, and schedules were fired by it. */
static void s_test_wrong_clock(void)
{
    stage_t stage;
    int64_t count = -1;
    s_open(&stage);
    for (const char *const *name = (const char *const[]){ "tick", "rest", NULL }; *name; name++) {
        schedule_t schedule = s_schedule(*name, "* * * * * *");
        s_put(&stage, &schedule);
    }
    ok(db_write(stage.db, s_pull_back_work, &count) == DB_OK);
    is_int(count, 0);
    s_sql(&stage, SLEEP("-7200"));
    s_sql(&stage, "UPDATE schedule SET is_paused = 1, next_at = NULL"
                  " WHERE name = 'rest' AND CAST($now AS BIGINT) > 0");
    is_int(s_fire(&stage).count, 0);
    ok(db_write(stage.db, s_pull_back_work, &count) == DB_OK);
    is_int(count, 1);
    schedule_fired_t fired = s_fire(&stage);
    ok_named(fired.count <= 2 && fired.missed == 0, "it goes on from now");
    s_sql(&stage, "UPDATE schedule SET next_at = next_at - 3000,"
                  " decided_until = decided_until - 3000 WHERE name = 'tick'"
                  " AND CAST($now AS BIGINT) > 0");
    ok_named(s_fire(&stage).count >= 1, "and is fired as ever");
    is_int(s_count(&stage, "SELECT count(*) AS n FROM (SELECT 1 FROM schedule_fire"
                           " GROUP BY schedule_id, fire_at HAVING count(*) > 1) AS f"),
           0);
    s_close(&stage);
}

DATABASE_TESTS({ "put", s_test_put }, { "list", s_test_list }, { "fire", s_test_fire },
               { "wrong clock", s_test_wrong_clock }, { "late", s_test_late },
               { "overlap", s_test_overlap }, { "broken", s_test_broken },
               { "pause", s_test_pause }, { "run now", s_test_run }, { "purge", s_test_purge },
               { "erased accounts", s_test_erased }, { "many at once", s_test_many })
