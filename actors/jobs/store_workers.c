/* SPDX-License-Identifier: MPL-2.0
 *
 * store_workers - whoever runs jobs, their leases, and what they leave behind
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/store.h"

static const db_sql_t s_add = {
    "jobs.add_worker",
    "INSERT INTO worker (name, is_pulling, lease_until)"
    " VALUES ($name, $pulling, " STORE_NOW_SQLITE " + $lease)"
    " ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until RETURNING id",
    "INSERT INTO worker (name, is_pulling, lease_until)"
    " VALUES ($name, $pulling, " STORE_NOW_POSTGRES " + $lease)"
    " ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until RETURNING id"
};

db_status_t jobs_store_add_worker(db_conn_t *conn, const char *name, bool is_pulling,
                                  int64_t lease_ms, int64_t *id)
{
    return DB_NUMBER(conn, &s_add, "id", id, DB_P_TEXT("name", name),
                     DB_P_INT("pulling", is_pulling), DB_P_INT("lease", lease_ms));
}

static const db_sql_t s_renew = { "jobs.renew_worker",
                                  "UPDATE worker SET lease_until = " STORE_NOW_SQLITE
                                  " + $lease WHERE id = $id RETURNING id",
                                  "UPDATE worker SET lease_until = " STORE_NOW_POSTGRES
                                  " + $lease WHERE id = $id RETURNING id" };

db_status_t jobs_store_renew_worker(db_conn_t *conn, int64_t id, int64_t lease_ms, bool *is_there)
{
    db_rows_t *rows;
    *is_there = false;
    db_status_t status =
        DB_RUN(conn, &s_renew, &rows, DB_P_INT("lease", lease_ms), DB_P_INT("id", id));
    if (status != DB_OK)
        return status;
    *is_there = db_next(rows);
    return db_rows_end(rows);
}

#define EXTEND(now)                                                                                \
    "UPDATE worker SET lease_until = " now " + $lease WHERE id = (SELECT worker_id FROM job"       \
    " WHERE id = $id AND fence = $fence AND " STORE_RUNS ") RETURNING"                             \
    " (SELECT is_cancelled FROM job WHERE id = $id) AS is_cancelled"

static const db_sql_t s_extend = { "jobs.extend_lease", EXTEND(STORE_NOW_SQLITE),
                                   EXTEND(STORE_NOW_POSTGRES) };

#define HEAR(now)                                                                                  \
    "UPDATE job SET heard_at = " now " WHERE id = $id AND fence = $fence AND is_cancelled = 0"     \
    " AND " STORE_RUNS

static const db_sql_t s_hear = { "jobs.hear", HEAR(STORE_NOW_SQLITE), HEAR(STORE_NOW_POSTGRES) };

db_status_t jobs_store_extend(db_conn_t *conn, int64_t id, int64_t fence, int64_t lease_ms,
                              bool *is_current, bool *is_cancelled)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_extend, &rows, DB_P_INT("lease", lease_ms),
                                DB_P_INT("id", id), DB_P_INT("fence", fence));
    *is_current = *is_cancelled = false;
    if (status != DB_OK)
        return status;
    *is_current = db_next(rows);
    *is_cancelled = *is_current && db_int(rows, "is_cancelled");
    status = db_rows_end(rows);
    if (status != DB_OK || !*is_current)
        return status;
    return DB_CHANGE(conn, &s_hear, NULL, DB_P_INT("id", id), DB_P_INT("fence", fence));
}

static const db_sql_t s_release = { "jobs.release_all",
                                    "UPDATE job SET state = 0, worker_id = NULL"
                                    " WHERE state = 1 AND worker_id = $id",
                                    NULL };
static const db_sql_t s_remove = { "jobs.remove_worker", "DELETE FROM worker WHERE id = $id",
                                   NULL };

db_status_t jobs_store_remove_worker(db_conn_t *conn, int64_t id, int64_t *released)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_release, &rows, DB_P_INT("id", id));
    if (status != DB_OK)
        return status;
    *released = db_changed(rows);
    db_rows_close(&rows);
    return DB_RUN(conn, &s_remove, NULL, DB_P_INT("id", id));
}

static const db_sql_t s_to_cancel = { "jobs.to_cancel",
                                      "SELECT id FROM job WHERE state = 1 AND is_cancelled = 1"
                                      " AND worker_id = $worker LIMIT $room",
                                      NULL };

db_status_t jobs_store_to_cancel(db_conn_t *conn, int64_t worker_id, int64_t *ids, size_t room,
                                 size_t *count)
{
    db_rows_t *rows;
    *count = 0;
    db_status_t status = DB_RUN(conn, &s_to_cancel, &rows, DB_P_INT("worker", worker_id),
                                DB_P_INT("room", (int64_t)room));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        ids[(*count)++] = db_int(rows, "id");
    return db_rows_end(rows);
}

#define RUNS_MAX 100000 /* more than any worker has at once */

static const db_sql_t s_runs = { "jobs.runs",
                                 "SELECT id, fence FROM job WHERE state = 1 AND worker_id = $worker"
                                 " LIMIT $room",
                                 NULL };

db_status_t jobs_store_runs(db_conn_t *conn, arena_t *arena, int64_t worker_id, job_ref_t **runs,
                            size_t *count)
{
    db_rows_t *rows;
    size_t room = 64;
    *runs = arena_array(arena, room, sizeof **runs);
    *count = 0;
    db_status_t status =
        DB_RUN(conn, &s_runs, &rows, DB_P_INT("worker", worker_id), DB_P_INT("room", RUNS_MAX));
    if (status != DB_OK)
        return status;
    for (; db_next(rows); (*count)++) {
        if (*count == room) {
            job_ref_t *more = arena_array(arena, 2 * room, sizeof *more);
            memcpy(more, *runs, room * sizeof *more);
            *runs = more;
            room *= 2;
        }
        (*runs)[*count] = (job_ref_t){ db_int(rows, "id"), db_int(rows, "fence") };
    }
    return db_rows_end(rows);
}

/* Workers first: mostly none of them is lost, and then no runs are read. */
#define LOST "SELECT j.id AS id, j.fence AS fence, j.crashes AS crashes, w.is_pulling AS pulled"

static const db_sql_t s_lost = {
    "jobs.lost",
    LOST " FROM worker w JOIN job j ON j.state = 1 AND j.worker_id = w.id WHERE w.lease_until"
         " < " STORE_NOW_SQLITE " OR ($all = 1 AND w.is_pulling = 0) LIMIT $room",
    LOST " FROM worker w CROSS JOIN LATERAL (SELECT id, fence, crashes FROM job WHERE state = 1"
         " AND worker_id = w.id LIMIT $room) j WHERE w.lease_until < " STORE_NOW_POSTGRES
         " OR (CAST($all AS BIGINT) = 1 AND w.is_pulling = 0) LIMIT $room"
};

static const db_sql_t s_orphans = {
    "jobs.orphans",
    "SELECT j.id AS id, j.fence AS fence, j.crashes AS crashes, 0 AS pulled FROM job j"
    " WHERE j.state = 1 AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = j.worker_id)"
    " LIMIT $room",
    NULL
};

#define SILENT(now)                                                                                \
    "SELECT j.id AS id, j.fence AS fence, j.crashes AS crashes, 1 AS pulled FROM worker w"         \
    " JOIN job j ON j.state = 1 AND j.worker_id = w.id WHERE w.is_pulling = 1 AND " now            \
    " > j.timeout_ms + CASE WHEN j.heard_at > j.started_at THEN j.heard_at ELSE j.started_at END"  \
    " LIMIT $room"

static const db_sql_t s_silent = { "jobs.silent", SILENT(STORE_NOW_SQLITE),
                                   SILENT(STORE_NOW_POSTGRES) };

static db_status_t s_read_lost(db_rows_t *rows, job_lost_t *lost, size_t *count)
{
    while (db_next(rows))
        lost[(*count)++] = (job_lost_t){ .id = db_int(rows, "id"),
                                         .fence = db_int(rows, "fence"),
                                         .crashes = db_int(rows, "crashes"),
                                         .was_pulled = db_int(rows, "pulled") };
    return db_rows_end(rows);
}

db_status_t jobs_store_lost(db_conn_t *conn, bool all, job_lost_t *lost, size_t room, size_t *count)
{
    db_rows_t *rows;
    *count = 0;
    db_status_t status =
        DB_RUN(conn, &s_lost, &rows, DB_P_INT("all", all), DB_P_INT("room", (int64_t)room));
    return status == DB_OK ? s_read_lost(rows, lost, count) : status;
}

db_status_t jobs_store_orphans(db_conn_t *conn, job_lost_t *lost, size_t room, size_t *count)
{
    db_rows_t *rows;
    *count = 0;
    db_status_t status = DB_RUN(conn, &s_orphans, &rows, DB_P_INT("room", (int64_t)room));
    return status == DB_OK ? s_read_lost(rows, lost, count) : status;
}

db_status_t jobs_store_silent(db_conn_t *conn, job_lost_t *lost, size_t room, size_t *count)
{
    db_rows_t *rows;
    *count = 0;
    db_status_t status = DB_RUN(conn, &s_silent, &rows, DB_P_INT("room", (int64_t)room));
    return status == DB_OK ? s_read_lost(rows, lost, count) : status;
}

#define FORGET(now, all)                                                                           \
    "DELETE FROM worker WHERE (lease_until < " now " OR (" all " = 1 AND is_pulling = 0))"         \
    " AND (SELECT count(*) FROM (SELECT 1 FROM job j WHERE j.state = 1"                            \
    " AND j.worker_id = worker.id LIMIT 1) AS r) = 0"

static const db_sql_t s_forget = { "jobs.forget_workers", FORGET(STORE_NOW_SQLITE, "$all"),
                                   FORGET(STORE_NOW_POSTGRES, "CAST($all AS BIGINT)") };

db_status_t jobs_store_forget_workers(db_conn_t *conn, bool all)
{
    return DB_RUN(conn, &s_forget, NULL, DB_P_INT("all", all));
}

const db_sql_t *const jobs_store_workers_lookups[] = { &s_extend, &s_release, &s_to_cancel,
                                                       &s_runs,   &s_lost,    &s_forget,
                                                       &s_hear,   &s_silent,  NULL };
