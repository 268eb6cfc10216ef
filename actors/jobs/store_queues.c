/* SPDX-License-Identifier: MPL-2.0
 *
 * store_queues - how fast jobs of a queue are begun
 */
#include "config.h"

#include "actors/jobs/store.h"

#define COLUMNS                                                                                    \
    "q.name AS name, q.is_paused AS is_paused, q.is_pulled AS is_pulled,"                          \
    " q.max_running AS max_running, q.rate_limit AS rate_limit,"                                   \
    " q.rate_window_ms AS rate_window_ms"

static const db_sql_t s_queues = { "jobs.queues",
                                   "SELECT " COLUMNS ", 0 AS ready, 0 AS running FROM queue q"
                                   " ORDER BY q.name LIMIT $most",
                                   NULL };

/* Counting stops where it would become expensive: more is "many". */
static const db_sql_t s_counted = {
    "jobs.queues_counted",
    "SELECT " COLUMNS ", (SELECT count(*) FROM (SELECT 1 FROM job j WHERE j.queue = q.name"
    " AND j.state = 0 LIMIT 10000) AS r) AS ready,"
    " (SELECT count(*) FROM (SELECT 1 FROM job j WHERE j.queue = q.name"
    " AND j.state = 1 LIMIT 10000) AS r) AS running FROM queue q ORDER BY q.name LIMIT $most",
    NULL
};

db_status_t jobs_store_queues(db_conn_t *conn, arena_t *arena, bool counted, job_queues_t *queues)
{
    db_rows_t *rows;
    *queues = (job_queues_t){ .list = arena_array(arena, JOBS_QUEUES_MAX, sizeof(job_queue_t)) };
    db_status_t status =
        DB_RUN(conn, counted ? &s_counted : &s_queues, &rows, DB_P_INT("most", JOBS_QUEUES_MAX));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        queues->list[queues->count++] =
            (job_queue_t){ .name = db_dup_text(rows, arena, "name"),
                           .is_paused = db_int(rows, "is_paused"),
                           .is_pulled = db_int(rows, "is_pulled"),
                           .max_running = db_int(rows, "max_running"),
                           .rate_limit = db_int(rows, "rate_limit"),
                           .rate_window_ms = db_int(rows, "rate_window_ms"),
                           .ready = db_int(rows, "ready"),
                           .running = db_int(rows, "running") };
    return db_rows_end(rows);
}

static const db_sql_t s_add = { "jobs.queue_add",
                                "INSERT INTO queue (name) VALUES ($name)"
                                " ON CONFLICT (name) DO NOTHING",
                                NULL };

#define OR_AS_IT_IS(column)                                                                        \
    column " = CASE WHEN $" column " < 0 THEN " column " ELSE $" column " END"

static const db_sql_t s_set = {
    "jobs.queue_set",
    "UPDATE queue SET " OR_AS_IT_IS("is_paused") ", " OR_AS_IT_IS("is_pulled") ", " OR_AS_IT_IS(
        "max_running") ", " OR_AS_IT_IS("rate_limit") ", " OR_AS_IT_IS("rate_window_ms") " WHERE "
                                                                                         "name = "
                                                                                         "$name",
    NULL
};

db_status_t jobs_store_set_queue(db_conn_t *conn, const job_queue_change_t *change)
{
    db_status_t status = DB_RUN(conn, &s_add, NULL, DB_P_TEXT("name", change->name));
    if (status != DB_OK)
        return status;
    return DB_RUN(
        conn, &s_set, NULL, DB_P_INT("is_paused", change->is_paused),
        DB_P_INT("is_pulled", change->is_pulled), DB_P_INT("max_running", change->max_running),
        DB_P_INT("rate_limit", change->rate_limit),
        DB_P_INT("rate_window_ms", change->rate_window_ms), DB_P_TEXT("name", change->name));
}
