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

#define PURGE(table, age, now)                                                                     \
    "DELETE FROM " table " WHERE id IN (SELECT id FROM " table " WHERE finished_at < " now         \
    " - " age " ORDER BY finished_at, id LIMIT $most)"

static const db_sql_t s_purge_done = { "jobs.purge_done", PURGE("done", "$age", STORE_NOW_SQLITE),
                                       PURGE("done", "CAST($age AS BIGINT)", STORE_NOW_POSTGRES) };
static const db_sql_t s_purge_dead = { "jobs.purge_dead", PURGE("dead", "$age", STORE_NOW_SQLITE),
                                       PURGE("dead", "CAST($age AS BIGINT)", STORE_NOW_POSTGRES) };

static const db_sql_t s_purge_answers = {
    "jobs.purge_answers",
    "DELETE FROM idempotency WHERE (account, key) IN (SELECT account, key FROM idempotency"
    " WHERE expires_at < " STORE_NOW_SQLITE " ORDER BY expires_at LIMIT $most)",
    "DELETE FROM idempotency WHERE (account, key) IN (SELECT account, key FROM idempotency"
    " WHERE expires_at < " STORE_NOW_POSTGRES " ORDER BY expires_at LIMIT $most)"
};

static const db_sql_t s_purge_progress = {
    "jobs.purge_progress",
    "DELETE FROM progress WHERE job_id IN (SELECT p.job_id FROM progress p"
    " WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = p.job_id)"
    " AND NOT EXISTS (SELECT 1 FROM done d WHERE d.id = p.job_id)"
    " AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.id = p.job_id) LIMIT $most)",
    NULL
};

static db_status_t s_purge(db_conn_t *conn, const db_sql_t *sql, int64_t age_ms, size_t most,
                           size_t *count)
{
    const db_param_t params[] = { DB_P_INT("most", (int64_t)most), DB_P_INT("age", age_ms) };
    db_rows_t *rows;
    db_status_t status = db_run(conn, sql, params, age_ms < 0 ? 1 : 2, &rows);
    if (status != DB_OK)
        return status;
    *count += (size_t)db_changed(rows);
    return db_rows_end(rows);
}

db_status_t jobs_store_purge(db_conn_t *conn, const job_retention_t *retention, size_t *count)
{
    const struct {
        const db_sql_t *sql;
        int64_t age_ms; /* -1: the rows say themselves */
    } parts[] = { { &s_purge_done, retention->done_ms },
                  { &s_purge_dead, retention->dead_ms },
                  { &s_purge_answers, -1 },
                  { &s_purge_progress, -1 } };
    db_status_t status = DB_OK;
    *count = 0;
    for (size_t i = 0; status == DB_OK && i < COUNT_OF(parts); i++)
        status = s_purge(conn, parts[i].sql, parts[i].age_ms, retention->most, count);
    return status;
}

/* ---- space ----------------------------------------------------------------------------------- */

/* Also tells the planner how large the table is: it was empty when the connection asked first. */
static const db_sql_t s_vacuum = { "jobs.vacuum", NULL,
                                   "VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE FALSE) job" };

db_status_t jobs_store_vacuum(db_conn_t *conn)
{
    return db_conn_is_sqlite(conn) ? DB_OK : db_run(conn, &s_vacuum, NULL, 0, NULL);
}
