/* SPDX-License-Identifier: MPL-2.0
 *
 * store_schedules - schedules: put, found, listed, paused, deleted
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/store_schedules.h"

static db_param_t s_time(const char *name, int64_t at_ms)
{
    return at_ms ? DB_P_INT(name, at_ms) : DB_P_NULL(name);
}

/* ---- reading --------------------------------------------------------------------------------- */

schedule_t schedule_store_read(const db_rows_t *rows, arena_t *arena)
{
    return (schedule_t){
        .id = db_int(rows, "id"),
        .account = db_dup_text(rows, arena, "account"),
        .name = db_dup_text(rows, arena, "name"),
        .cron = db_dup_text(rows, arena, "cron"),
        .zone = db_dup_text(rows, arena, "zone"),
        .kind = db_dup_text(rows, arena, "kind"),
        .queue = db_dup_text(rows, arena, "queue"),
        .priority = db_int(rows, "priority"),
        .max_attempts = db_int(rows, "max_attempts"),
        .timeout_ms = db_int(rows, "timeout_ms"),
        .backoff_ms = db_int(rows, "backoff_ms"),
        .catch_up = db_int(rows, "catch_up"),
        .skips_overlap = db_int(rows, "skips_overlap") != 0,
        .is_paused = db_int(rows, "is_paused") != 0,
        .decided_until = db_int(rows, "decided_until"),
        .next_at = db_int(rows, "next_at"),
        .last_at = db_int(rows, "last_at"),
        .missed = db_int(rows, "missed"),
        .created_at = db_int(rows, "created_at"),
        .updated_at = db_int(rows, "updated_at"),
        .principal = jobs_store_dup_bytes(rows, arena, "principal"),
        .payload = jobs_store_dup_bytes(rows, arena, "payload"),
    };
}

static const db_sql_t s_now = { "jobs.now", "SELECT " STORE_NOW_SQLITE " AS now",
                                "SELECT " STORE_NOW_POSTGRES " AS now" };

db_status_t schedule_store_now(db_conn_t *conn, int64_t *now_ms)
{
    return DB_NUMBER(conn, &s_now, "now", now_ms);
}

#define FIND "SELECT " SCHEDULE_COLUMNS " FROM schedule s WHERE account = $account AND name = $name"

static const db_sql_t s_find = { "jobs.schedule", FIND, NULL };
static const db_sql_t s_find_locked = { "jobs.schedule_locked", FIND, FIND " FOR UPDATE" };

db_status_t schedule_store_get(db_conn_t *conn, arena_t *arena, const char *account,
                               const char *name, bool lock, const schedule_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status = DB_RUN(conn, lock ? &s_find_locked : &s_find, &rows,
                                DB_P_TEXT("account", account), DB_P_TEXT("name", name));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        schedule_t *schedule = arena_alloc(arena, sizeof *schedule);
        *schedule = schedule_store_read(rows, arena);
        *found = schedule;
    }
    return db_rows_end(rows);
}

static const db_sql_t s_list = { "jobs.schedules",
                                 "SELECT " SCHEDULE_COLUMNS
                                 " FROM schedule s WHERE account = $account AND id < $before"
                                 " ORDER BY id DESC LIMIT $limit",
                                 NULL };

db_status_t schedule_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                                int64_t before, size_t limit, schedules_t *schedules)
{
    db_rows_t *rows;
    *schedules = (schedules_t){ .list = arena_array(arena, limit, sizeof *schedules->list) };
    db_status_t status = DB_RUN(conn, &s_list, &rows, DB_P_TEXT("account", account),
                                DB_P_INT("before", before), DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    while (schedules->count < limit && db_next(rows))
        schedules->list[schedules->count++] = schedule_store_read(rows, arena);
    return db_rows_end(rows);
}

/* ---- putting --------------------------------------------------------------------------------- */

/* Whoever makes a schedule of an account waits for who does, so that they count each other's. */
static const db_sql_t s_lock_account = { "jobs.schedule_account",
                                         DB_TAKE_TURNS("schedule", "$account") };
static const db_sql_t s_count = { "jobs.schedule_count",
                                  "SELECT count(*) AS count FROM schedule"
                                  " WHERE account = $account",
                                  NULL };

static db_status_t s_count_of(db_conn_t *conn, const char *account, int64_t *count)
{
    return DB_NUMBER(conn, &s_count, "count", count, DB_P_TEXT("account", account));
}

static const db_sql_t s_add = {
    "jobs.schedule_add",
    "INSERT INTO schedule (account, name, cron, zone, kind, queue, priority, max_attempts,"
    " timeout_ms, backoff_ms, catch_up, skips_overlap, decided_until, next_at, created_at,"
    " updated_at, principal, payload) VALUES ($account, $name, $cron, $zone, $kind, $queue,"
    " $priority, $max_attempts, $timeout_ms, $backoff_ms, $catch_up, $skips_overlap,"
    " $decided_until, $next_at, $now, $now, $principal, $payload)",
    NULL
};

static const db_sql_t s_change = {
    "jobs.schedule_change",
    "UPDATE schedule SET cron = $cron, zone = $zone, kind = $kind, queue = $queue,"
    " priority = $priority, max_attempts = $max_attempts, timeout_ms = $timeout_ms,"
    " backoff_ms = $backoff_ms, catch_up = $catch_up, skips_overlap = $skips_overlap,"
    " decided_until = $decided_until, next_at = $next_at, updated_at = $now,"
    " principal = $principal, payload = $payload WHERE account = $account AND name = $name",
    NULL
};

static db_status_t s_write(db_conn_t *conn, const db_sql_t *sql, const schedule_t *schedule,
                           int64_t now_ms)
{
    return DB_RUN(
        conn, sql, NULL, DB_P_TEXT("account", schedule->account), DB_P_TEXT("name", schedule->name),
        DB_P_TEXT("cron", schedule->cron), DB_P_TEXT("zone", schedule->zone),
        DB_P_TEXT("kind", schedule->kind), DB_P_TEXT("queue", schedule->queue),
        DB_P_INT("priority", schedule->priority), DB_P_INT("max_attempts", schedule->max_attempts),
        DB_P_INT("timeout_ms", schedule->timeout_ms), DB_P_INT("backoff_ms", schedule->backoff_ms),
        DB_P_INT("catch_up", schedule->catch_up),
        DB_P_INT("skips_overlap", schedule->skips_overlap),
        DB_P_INT("decided_until", schedule->decided_until), s_time("next_at", schedule->next_at),
        DB_P_INT("now", now_ms), jobs_store_bytes("principal", schedule->principal),
        jobs_store_bytes("payload", schedule->payload));
}

/* Where it begins, or goes on. */
static void s_place(schedule_t *schedule, const schedule_t *before, const cron_t *cron,
                    const zone_t *zone, int64_t now_ms)
{
    int64_t now_s = now_ms / 1000, next_s;
    if (before && strcmp(before->cron, schedule->cron) == 0 &&
        strcmp(before->zone, schedule->zone) == 0) {
        schedule->decided_until = before->decided_until;
        schedule->next_at = before->next_at;
        return;
    }
    bool is_due = !(before && before->is_paused) &&
                  cron_next(cron, zone, now_s, now_s + CRON_HORIZON_S, &next_s);
    schedule->decided_until = now_ms;
    schedule->next_at = is_due ? next_s * 1000 : 0;
}

db_status_t schedule_store_put(db_conn_t *conn, arena_t *arena, const schedule_t *wanted,
                               const cron_t *cron, const zone_t *zone, int64_t limit,
                               schedule_put_t *what)
{
    const schedule_t *before = NULL;
    schedule_t schedule = *wanted;
    int64_t now_ms = 0, count = 0;
    db_status_t status = DB_OK;
    if (!db_conn_is_sqlite(conn))
        status = DB_RUN(conn, &s_lock_account, NULL, DB_P_TEXT("account", schedule.account));
    if (status == DB_OK)
        status = schedule_store_get(conn, arena, schedule.account, schedule.name, true, &before);
    if (status == DB_OK)
        status = s_count_of(conn, schedule.account, &count);
    if (status == DB_OK)
        status = schedule_store_now(conn, &now_ms);
    if (status != DB_OK)
        return status;
    *what = before ? SCHEDULE_CHANGED : count < limit ? SCHEDULE_MADE : SCHEDULE_OVER_LIMIT;
    if (*what == SCHEDULE_OVER_LIMIT)
        return DB_OK;
    s_place(&schedule, before, cron, zone, now_ms);
    return s_write(conn, before ? &s_change : &s_add, &schedule, now_ms);
}

/* ---- changing -------------------------------------------------------------------------------- */

static const db_sql_t s_delete = { "jobs.schedule_delete",
                                   "DELETE FROM schedule WHERE account = $account AND name = $name",
                                   NULL };

db_status_t schedule_store_delete(db_conn_t *conn, const char *account, const char *name,
                                  bool *deleted)
{
    int64_t count;
    db_status_t status =
        DB_CHANGE(conn, &s_delete, &count, DB_P_TEXT("account", account), DB_P_TEXT("name", name));
    *deleted = count > 0;
    return status;
}

static const db_sql_t s_pause = {
    "jobs.schedule_pause", "UPDATE schedule SET is_paused = 1, next_at = NULL WHERE id = $id", NULL
};
static const db_sql_t s_resume = { "jobs.schedule_resume",
                                   "UPDATE schedule SET is_paused = 0, decided_until = $now,"
                                   " next_at = $next_at WHERE id = $id",
                                   NULL };

db_status_t schedule_store_pause(db_conn_t *conn, int64_t id)
{
    return DB_RUN(conn, &s_pause, NULL, DB_P_INT("id", id));
}

db_status_t schedule_store_resume(db_conn_t *conn, int64_t id, int64_t now_ms, int64_t next_at)
{
    return DB_RUN(conn, &s_resume, NULL, DB_P_INT("id", id), DB_P_INT("now", now_ms),
                  s_time("next_at", next_at));
}

/* ---- a clock that was wrong ------------------------------------------------------------------ */

/* The times it had come to by then are decided about anew: those that were fired have their rows.
 */
#define PULL_BACK(now)                                                                             \
    "UPDATE schedule SET decided_until = " now ", next_at = " now                                  \
    " WHERE next_at IS NOT NULL AND decided_until > " now " + $margin"

static const db_sql_t s_pull_back = { "jobs.schedules_pull_back", PULL_BACK(STORE_NOW_SQLITE),
                                      PULL_BACK(STORE_NOW_POSTGRES) };

db_status_t schedule_store_pull_back(db_conn_t *conn, int64_t *count)
{
    return DB_CHANGE(conn, &s_pull_back, count, DB_P_INT("margin", SCHEDULE_CLOCK_MARGIN_MS));
}

const db_sql_t *const jobs_store_schedules_lookups[] = { &s_find,  &s_list,   &s_count, &s_delete,
                                                         &s_pause, &s_resume, NULL };
