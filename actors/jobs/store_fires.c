/* SPDX-License-Identifier: MPL-2.0
 *
 * store_fires - fires schedules, each due time once
 *
 * Any number of instances look at once. On PostgreSQL each locks schedules that are due and passes
 * over those another one has locked; SQLite has one writer. The row of a firing is inserted first,
 * and only what could be inserted is enqueued; the decision, the rows and the jobs are committed
 * together. The time is the database's: what the clocks of the instances say does not matter.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "actors/jobs/schedule.h"
#include "actors/jobs/store_schedules.h"

#define SCHEDULES_AT_ONCE 50
#define JOBS_AT_ONCE      1000                  /* further schedules wait for the next look */
#define BYTES_AT_ONCE     (8 * 1024 * 1024)     /* of payloads */
#define BROKEN_PAUSE_MS   (10 * INT64_C(60000)) /* until a zone that is gone is looked for again */
#define UNIQUE_KEY_SIZE   40

/* ---- jobs ------------------------------------------------------------------------------------ */

/* A job that is not over keeps another one with its key from being added. */
static job_new_t s_job(const schedule_t *schedule, arena_t *arena)
{
    return (job_new_t){
        .kind = schedule->kind,
        .queue = schedule->queue,
        .priority = schedule->priority,
        .max_attempts = schedule->max_attempts,
        .timeout_ms = schedule->timeout_ms,
        .backoff_ms = schedule->backoff_ms,
        .unique_key =
            schedule->skips_overlap ? arena_format(arena, "schedule %" PRId64, schedule->id) : NULL,
        .account = schedule->account,
        .principal = schedule->principal,
        .payload = schedule->payload,
    };
}

/* ---- what is due ----------------------------------------------------------------------------- */

#define DUE(now, lock)                                                                             \
    "SELECT " SCHEDULE_COLUMNS ", " now " AS now FROM schedule s WHERE next_at <= " now            \
    " ORDER BY next_at, id LIMIT $most" lock

static const db_sql_t s_due = { "jobs.schedules_due", DUE(STORE_NOW_SQLITE, ""),
                                DUE(STORE_NOW_POSTGRES, " FOR UPDATE SKIP LOCKED") };

/* What is decided about one schedule. */
typedef struct {
    schedule_t schedule;
    bool is_broken;
    int64_t next_at, last_at, missed;
} decision_t;

/* One time of one schedule. */
typedef struct {
    const schedule_t *schedule;
    int64_t fire_at;
    bool is_new; /* nobody has fired it before */
    job_receipt_t receipt;
} firing_t;

/* One transaction's worth. */
typedef struct {
    int64_t now_ms;
    decision_t decisions[SCHEDULES_AT_ONCE];
    size_t found, decided; /* schedules */
    firing_t firings[JOBS_AT_ONCE + SCHEDULE_FIRES_MAX];
    size_t firing_count, bytes;
} look_t;

static db_status_t s_read_due(db_conn_t *conn, arena_t *arena, look_t *look)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_due, &rows, DB_P_INT("most", SCHEDULES_AT_ONCE));
    if (status != DB_OK)
        return status;
    while (look->found < SCHEDULES_AT_ONCE && db_next(rows)) {
        look->decisions[look->found++].schedule = schedule_store_read(rows, arena);
        look->now_ms = db_int(rows, "now");
    }
    return db_rows_end(rows);
}

/* A zone may have gone from the system since the schedule was put. */
static bool s_plan(const schedule_t *schedule, zones_t *zones, int64_t now_ms,
                   schedule_plan_t *plan)
{
    char zone_why[ZONES_WHY_SIZE], cron_why[CRON_WHY_SIZE];
    cron_t cron;
    const zone_t *zone = zones_get(zones, schedule->zone, zone_why);
    if (!zone || !cron_parse(&cron, schedule->cron, strlen(schedule->cron), cron_why))
        return false;
    schedule_plan(plan, &cron, zone, schedule->decided_until / 1000, now_ms / 1000,
                  (size_t)schedule->catch_up);
    return true;
}

static void s_decide_one(look_t *look, zones_t *zones, decision_t *decision)
{
    schedule_plan_t plan;
    const schedule_t *schedule = &decision->schedule;
    decision->is_broken = !s_plan(schedule, zones, look->now_ms, &plan);
    if (decision->is_broken) {
        decision->next_at = look->now_ms + BROKEN_PAUSE_MS;
        return;
    }
    decision->next_at = plan.next_s * 1000;
    decision->missed = plan.missed;
    for (size_t i = 0; i < plan.count; i++) {
        decision->last_at = plan.fires[i] * 1000;
        look->firings[look->firing_count++] =
            (firing_t){ .schedule = schedule, .fire_at = decision->last_at };
    }
    look->bytes += plan.count * schedule->payload.size;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const db_sql_t s_add_fires = {
    "jobs.fires_add",
    "INSERT INTO schedule_fire (schedule_id, fire_at, fired_at)"
    " SELECT json_extract(value, '$.s'), json_extract(value, '$.at'), $now FROM json_each($list)"
    " WHERE true ON CONFLICT (schedule_id, fire_at) DO NOTHING RETURNING schedule_id, fire_at",
    "INSERT INTO schedule_fire (schedule_id, fire_at, fired_at)"
    " SELECT r.s, r.at, CAST($now AS BIGINT)"
    " FROM json_to_recordset(CAST(CAST($list AS TEXT) AS json)) AS r (s BIGINT, at BIGINT)"
    " ON CONFLICT (schedule_id, fire_at) DO NOTHING RETURNING schedule_id, fire_at"
};

static const db_sql_t s_set_jobs = {
    "jobs.fires_jobs",
    "UPDATE schedule_fire SET job_id = json_extract(l.value, '$.job') FROM json_each($list) AS l"
    " WHERE schedule_id = json_extract(l.value, '$.s')"
    " AND fire_at = json_extract(l.value, '$.at')",
    "UPDATE schedule_fire AS f SET job_id = r.job"
    " FROM json_to_recordset(CAST(CAST($list AS TEXT) AS json))"
    " AS r (s BIGINT, at BIGINT, job BIGINT) WHERE f.schedule_id = r.s AND f.fire_at = r.at"
};

static const db_sql_t s_set_decided = {
    "jobs.schedules_decided",
    "UPDATE schedule SET next_at = json_extract(l.value, '$.next'),"
    " decided_until = COALESCE(json_extract(l.value, '$.decided'), decided_until),"
    " last_at = COALESCE(json_extract(l.value, '$.last'), last_at),"
    " missed = missed + json_extract(l.value, '$.missed') FROM json_each($list) AS l"
    " WHERE schedule.id = json_extract(l.value, '$.s')",
    "UPDATE schedule AS s SET next_at = r.next,"
    " decided_until = COALESCE(r.decided, s.decided_until),"
    " last_at = COALESCE(r.last, s.last_at), missed = s.missed + r.missed"
    " FROM json_to_recordset(CAST(CAST($list AS TEXT) AS json))"
    " AS r (s BIGINT, next BIGINT, decided BIGINT, last BIGINT, missed BIGINT)"
    " WHERE s.id = r.s"
};

static db_param_t s_list(buf_t *json)
{
    buf_add_byte(json, ']');
    json->bytes[0] = '['; /* in the place of the first comma, or of the only bracket */
    return DB_P_SIZED("list", (const char *)json->bytes, json->size);
}

static void s_list_firing(buf_t *json, const firing_t *firing)
{
    buf_printf(json, ",{\"s\":%" PRId64 ",\"at\":%" PRId64 ",\"job\":%" PRId64 "}",
               firing->schedule->id, firing->fire_at, firing->receipt.id);
}

static void s_mark_new(look_t *look, int64_t schedule_id, int64_t fire_at)
{
    for (size_t i = 0; i < look->firing_count; i++)
        if (look->firings[i].schedule->id == schedule_id && look->firings[i].fire_at == fire_at)
            look->firings[i].is_new = true;
}

static db_status_t s_add_rows(db_conn_t *conn, look_t *look)
{
    db_rows_t *rows;
    buf_t json = { 0 };
    for (size_t i = 0; i < look->firing_count; i++)
        s_list_firing(&json, &look->firings[i]);
    db_status_t status =
        DB_RUN(conn, &s_add_fires, &rows, s_list(&json), DB_P_INT("now", look->now_ms));
    buf_free(&json);
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        s_mark_new(look, db_int(rows, "schedule_id"), db_int(rows, "fire_at"));
    return db_rows_end(rows);
}

static db_status_t s_name_jobs(db_conn_t *conn, const look_t *look)
{
    buf_t json = { 0 };
    for (size_t i = 0; i < look->firing_count; i++)
        if (look->firings[i].receipt.id && !look->firings[i].receipt.is_duplicate)
            s_list_firing(&json, &look->firings[i]);
    db_status_t status = DB_RUN(conn, &s_set_jobs, NULL, s_list(&json));
    buf_free(&json);
    return status;
}

/* 0 is null. */
static void s_list_time(buf_t *json, const char *name, int64_t at_ms)
{
    if (at_ms)
        buf_printf(json, ",\"%s\":%" PRId64, name, at_ms);
}

static db_status_t s_note_decisions(db_conn_t *conn, const look_t *look)
{
    buf_t json = { 0 };
    for (size_t i = 0; i < look->decided; i++) {
        const decision_t *decision = &look->decisions[i];
        buf_printf(&json, ",{\"s\":%" PRId64 ",\"missed\":%" PRId64, decision->schedule.id,
                   decision->missed);
        s_list_time(&json, "next", decision->next_at);
        s_list_time(&json, "last", decision->last_at);
        s_list_time(&json, "decided", decision->is_broken ? 0 : look->now_ms);
        buf_add_byte(&json, '}');
    }
    db_status_t status = DB_RUN(conn, &s_set_decided, NULL, s_list(&json));
    buf_free(&json);
    return status;
}

/* ---- firing ---------------------------------------------------------------------------------- */

static db_status_t s_enqueue(db_conn_t *conn, arena_t *arena, look_t *look, schedule_fired_t *fired)
{
    job_new_t *jobs = arena_array(arena, look->firing_count, sizeof *jobs);
    job_receipt_t *receipts = arena_array(arena, look->firing_count, sizeof *receipts);
    size_t count = 0, told = 0;
    for (size_t i = 0; i < look->firing_count; i++)
        if (look->firings[i].is_new)
            jobs[count++] = s_job(look->firings[i].schedule, arena);
    db_status_t status = count ? jobs_store_enqueue(conn, jobs, count, receipts) : DB_OK;
    if (status != DB_OK)
        return status;
    fired->jobs = arena_array(arena, count, sizeof *fired->jobs);
    for (size_t i = 0; i < look->firing_count; i++) {
        firing_t *firing = &look->firings[i];
        if (!firing->is_new)
            continue;
        firing->receipt = receipts[told++];
        if (firing->receipt.is_duplicate)
            fired->skipped++;
        else
            fired->jobs[fired->count++] = (schedule_job_t){ firing->schedule, firing->receipt };
    }
    return fired->count ? s_name_jobs(conn, look) : DB_OK;
}

static db_status_t s_fire(db_conn_t *conn, arena_t *arena, look_t *look, schedule_fired_t *fired)
{
    if (look->firing_count == 0)
        return DB_OK;
    db_status_t status = s_add_rows(conn, look);
    return status == DB_OK ? s_enqueue(conn, arena, look, fired) : status;
}

db_status_t schedule_store_fire(db_conn_t *conn, arena_t *arena, zones_t *zones,
                                schedule_fired_t *fired)
{
    look_t *look = arena_alloc(arena, sizeof *look);
    *fired = (schedule_fired_t){ 0 };
    db_status_t status = s_read_due(conn, arena, look);
    if (status != DB_OK || look->found == 0)
        return status;
    while (look->decided < look->found && look->firing_count < JOBS_AT_ONCE &&
           look->bytes < BYTES_AT_ONCE) {
        decision_t *decision = &look->decisions[look->decided++];
        s_decide_one(look, zones, decision);
        fired->broken += decision->is_broken;
        fired->missed += decision->missed;
    }
    fired->may_be_more = look->decided < look->found || look->found == SCHEDULES_AT_ONCE;
    status = s_fire(conn, arena, look, fired);
    return status == DB_OK ? s_note_decisions(conn, look) : status;
}

db_status_t schedule_store_run(db_conn_t *conn, arena_t *arena, const schedule_t *schedule,
                               schedule_fired_t *fired, job_receipt_t *receipt)
{
    look_t *look = arena_alloc(arena, sizeof *look);
    *fired = (schedule_fired_t){ 0 };
    db_status_t status = schedule_store_now(conn, &look->now_ms);
    look->firings[look->firing_count++] =
        (firing_t){ .schedule = schedule, .fire_at = look->now_ms };
    if (status == DB_OK)
        status = s_fire(conn, arena, look, fired);
    *receipt = look->firings[0].receipt;
    return status;
}

/* ---- what was fired -------------------------------------------------------------------------- */

static const db_sql_t s_fires = {
    "jobs.fires",
    "SELECT fire_at, fired_at, job_id FROM schedule_fire WHERE schedule_id = $id"
    " AND fire_at < $before ORDER BY fire_at DESC LIMIT $limit",
    NULL
};

db_status_t schedule_store_fires(db_conn_t *conn, arena_t *arena, int64_t id, int64_t before_ms,
                                 size_t limit, schedule_fires_t *fires)
{
    db_rows_t *rows;
    *fires = (schedule_fires_t){ .list = arena_array(arena, limit, sizeof *fires->list) };
    db_status_t status = DB_RUN(conn, &s_fires, &rows, DB_P_INT("id", id),
                                DB_P_INT("before", before_ms), DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    while (fires->count < limit && db_next(rows))
        fires->list[fires->count++] = (schedule_fire_t){ .fire_at = db_int(rows, "fire_at"),
                                                         .fired_at = db_int(rows, "fired_at"),
                                                         .job_id = db_int(rows, "job_id") };
    return db_rows_end(rows);
}

#define OLD(now) "fired_at < " now " - $age ORDER BY fired_at"

static const db_sql_t s_purge = { "jobs.fires_purge",
                                  DB_DELETE_SOME("schedule_fire", "schedule_id, fire_at",
                                                 OLD(STORE_NOW_SQLITE), OLD(STORE_NOW_POSTGRES)) };

db_status_t schedule_store_purge(db_conn_t *conn, int64_t age_ms, size_t most, size_t *count)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_purge, &rows, DB_P_INT("age", age_ms), DB_P_INT("most", (int64_t)most));
    if (status != DB_OK)
        return status;
    *count = (size_t)db_changed(rows);
    return db_rows_end(rows);
}

const db_sql_t *const jobs_store_fires_lookups[] = { &s_due, &s_fires, &s_purge, NULL };
