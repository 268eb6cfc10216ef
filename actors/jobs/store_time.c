/* SPDX-License-Identifier: MPL-2.0
 *
 * store_time - what becomes due, what has been kept long enough, and the space both leave
 */
#include "config.h"

#include "actors/jobs/store.h"

static const db_sql_t s_promote = {
    "jobs.promote",
    "UPDATE job SET state = 0 WHERE id IN (SELECT id FROM job WHERE state = 2"
    " AND run_at <= " STORE_NOW_SQLITE " ORDER BY run_at, id LIMIT $most)"
    " RETURNING queue, priority, run_at",
    "UPDATE job SET state = 0 WHERE id = ANY (ARRAY(SELECT id FROM job WHERE state = 2"
    " AND run_at <= " STORE_NOW_POSTGRES " ORDER BY run_at, id LIMIT $most"
    " FOR UPDATE SKIP LOCKED)) RETURNING queue, priority, run_at"
};

db_status_t jobs_store_promote(db_conn_t *conn, size_t most, job_due_t each, void *arg,
                               size_t *count)
{
    db_rows_t *rows;
    *count = 0;
    db_status_t status = DB_RUN(conn, &s_promote, &rows, DB_P_INT("most", (int64_t)most));
    if (status != DB_OK)
        return status;
    for (; db_next(rows); (*count)++)
        each(arg, db_text(rows, "queue"),
             &(job_mark_t){ db_int(rows, "priority"), db_int(rows, "run_at") });
    return db_rows_end(rows);
}

/* ---- retention ------------------------------------------------------------------------------- */

#define OLD(age, now) "finished_at < " now " - " age " ORDER BY finished_at, id"
#define PURGE(table)                                                                               \
    {                                                                                              \
        "jobs.purge_" table, DB_DELETE_SOME(table, "id", OLD("$age", STORE_NOW_SQLITE),            \
                                            OLD("CAST($age AS BIGINT)", STORE_NOW_POSTGRES))       \
    }
#define EXPIRED(now) "expires_at < " now " ORDER BY expires_at"

static const db_sql_t s_purge_done = PURGE("done");
static const db_sql_t s_purge_dead = PURGE("dead");
static const db_sql_t s_purge_answers = {
    "jobs.purge_answers", DB_DELETE_SOME("idempotency", "account, key", EXPIRED(STORE_NOW_SQLITE),
                                         EXPIRED(STORE_NOW_POSTGRES))
};

static db_status_t s_purge(db_conn_t *conn, const db_sql_t *sql, int64_t age_ms, size_t most,
                           size_t *count)
{
    const db_param_t params[] = { DB_P_INT("most", (int64_t)most), DB_P_INT("age", age_ms) };
    int64_t changed;
    db_status_t status = db_change(conn, sql, params, age_ms < 0 ? 1 : 2, &changed);
    *count += (size_t)changed;
    return status;
}

/* Of the progress of jobs that are in no table any more nothing tells when it became so. */
static const db_sql_t s_progress = {
    "jobs.old_progress",
    "SELECT p.job_id AS id, coalesce((SELECT 1 FROM job j WHERE j.id = p.job_id),"
    " (SELECT 1 FROM done d WHERE d.id = p.job_id), (SELECT 1 FROM dead d WHERE d.id = p.job_id), "
    "0)"
    " AS is_there"
    " FROM progress p WHERE p.job_id > $after ORDER BY p.job_id LIMIT $most",
    NULL
};
static const db_sql_t s_forget_progress = { "jobs.forget_progress",
                                            "DELETE FROM progress WHERE job_id = $id", NULL };

static db_status_t s_forget_each(db_conn_t *conn, const buf_t *ids, size_t *count)
{
    db_status_t status = DB_OK;
    const int64_t *list = (const void *)ids->bytes;
    for (size_t i = 0; status == DB_OK && i < ids->size / sizeof *list; i++, (*count)++)
        status = DB_CHANGE(conn, &s_forget_progress, NULL, DB_P_INT("id", list[i]));
    return status;
}

static db_status_t s_purge_progress(db_conn_t *conn, job_retention_t *retention, size_t *count)
{
    db_rows_t *rows;
    buf_t gone = { 0 };
    size_t seen = 0;
    int64_t last = 0;
    db_status_t status =
        DB_RUN(conn, &s_progress, &rows, DB_P_INT("after", retention->progress_after),
               DB_P_INT("most", (int64_t)retention->most));
    if (status != DB_OK)
        return status;
    for (; db_next(rows); seen++) {
        last = db_int(rows, "id");
        if (!db_int(rows, "is_there"))
            buf_add(&gone, &last, sizeof last);
    }
    status = db_rows_end(rows);
    if (status == DB_OK)
        status = s_forget_each(conn, &gone, count);
    buf_free(&gone);
    if (status == DB_OK)
        retention->progress_after = seen == retention->most ? last : 0;
    return status;
}

db_status_t jobs_store_purge(db_conn_t *conn, job_retention_t *retention, size_t *count)
{
    const struct {
        const db_sql_t *sql;
        int64_t age_ms; /* -1: the rows say themselves */
    } parts[] = { { &s_purge_done, retention->done_ms },
                  { &s_purge_dead, retention->dead_ms },
                  { &s_purge_answers, -1 } };
    db_status_t status = DB_OK;
    *count = 0;
    for (size_t i = 0; status == DB_OK && i < COUNT_OF(parts); i++)
        status = s_purge(conn, parts[i].sql, parts[i].age_ms, retention->most, count);
    return status == DB_OK ? s_purge_progress(conn, retention, count) : status;
}

/* ---- space ----------------------------------------------------------------------------------- */

/* Also tells the planner how large the table is: it was empty when the connection asked first. */
static const db_sql_t s_vacuum = { "jobs.vacuum", NULL,
                                   "VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE FALSE) job" };

db_status_t jobs_store_vacuum(db_conn_t *conn)
{
    return db_conn_is_sqlite(conn) ? DB_OK : db_run(conn, &s_vacuum, NULL, 0, NULL);
}

const db_sql_t *const jobs_store_time_lookups[] = { &s_promote,       &s_purge_done, &s_purge_dead,
                                                    &s_purge_answers, &s_progress,   NULL };
