/* SPDX-License-Identifier: MPL-2.0
 *
 * store_limits - claims from queues that have limits, or that are fetched from
 *
 * The row of the queue is locked, so that of several instances one counts after the other and what
 * is paused stays paused. Of a rate it is written down when how many were begun; a claim is made
 * when in the time before it fewer were. As the method is called a little later than its job is
 * claimed, that time is longer than the window by JOBS_RATE_SLACK_MS: whoever calls within it does
 * not bring more into a window than it may hold.
 */
#include "config.h"

#include <inttypes.h>

#include "actors/jobs/store.h"

/* ---- room ------------------------------------------------------------------------------------ */

static const db_sql_t s_lock_queue = {
    "jobs.lock_queue",
    "SELECT name FROM queue WHERE name = $queue AND is_paused = 0 AND is_pulled = $pull",
    "SELECT name FROM queue WHERE name = $queue AND is_paused = 0 AND is_pulled = $pull FOR UPDATE",
};

#define ROOM(now)                                                                                  \
    "SELECT q.rate_limit AS rate_limit, q.max_running AS max_running,"                             \
    " (SELECT CAST(coalesce(sum(b.count), 0) AS BIGINT) FROM beginning b WHERE b.queue = q.name"   \
    " AND b.at > " now " - q.rate_window_ms - $slack) AS begun,"                                   \
    " (SELECT count(*) FROM beginning b WHERE b.queue = q.name AND b.at > " now ") AS ahead,"      \
    " CASE WHEN q.max_running = 0 THEN 0 ELSE (SELECT count(*) FROM job j"                         \
    " WHERE j.queue = q.name AND j.state = 1) END AS running"                                      \
    " FROM queue q WHERE q.name = $queue"

static const db_sql_t s_room = { "jobs.room", ROOM(STORE_NOW_SQLITE), ROOM(STORE_NOW_POSTGRES) };

/* The database's clock was put back: what was begun while it was wrong counts from now on, instead
 * of until the time that it showed has come. */
#define PULL_BACK(now) "UPDATE beginning SET at = " now " WHERE queue = $queue AND at > " now

static const db_sql_t s_pull_back = { "jobs.pull_back_beginnings", PULL_BACK(STORE_NOW_SQLITE),
                                      PULL_BACK(STORE_NOW_POSTGRES) };

static db_status_t s_read_room(db_conn_t *conn, const job_wish_t *wish, int64_t *room,
                               bool *has_rate)
{
    db_rows_t *rows;
    bool is_ahead = false;
    db_status_t status = DB_RUN(conn, &s_room, &rows, DB_P_INT("slack", JOBS_RATE_SLACK_MS),
                                DB_P_TEXT("queue", wish->queue));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        int64_t limit = db_int(rows, "rate_limit"), most = db_int(rows, "max_running");
        int64_t by_rate = limit ? limit - db_int(rows, "begun") : INT64_MAX;
        int64_t by_number = most ? most - db_int(rows, "running") : INT64_MAX;
        *has_rate = limit > 0;
        *room = by_rate < by_number ? by_rate : by_number;
        is_ahead = db_int(rows, "ahead") > 0;
    }
    status = db_rows_end(rows);
    if (status != DB_OK || !is_ahead)
        return status;
    return DB_CHANGE(conn, &s_pull_back, NULL, DB_P_TEXT("queue", wish->queue));
}

/* How many may be begun now; none from a queue that is paused, or is not of this kind. */
static db_status_t s_find_room(db_conn_t *conn, const job_wish_t *wish, int64_t *room,
                               bool *has_rate)
{
    db_rows_t *rows;
    *room = 0;
    *has_rate = false;
    db_status_t status = DB_RUN(conn, &s_lock_queue, &rows, DB_P_TEXT("queue", wish->queue),
                                DB_P_INT("pull", wish->is_pull));
    if (status != DB_OK)
        return status;
    bool goes = db_next(rows);
    status = db_rows_end(rows);
    return status == DB_OK && goes ? s_read_room(conn, wish, room, has_rate) : status;
}

/* ---- claiming -------------------------------------------------------------------------------- */

#define CANDIDATES                                                                                 \
    "SELECT id, kind FROM job WHERE queue = $queue AND state = 0"                                  \
    " AND (priority, run_at) >= ($priority, $run_at) AND priority <= $last"                        \
    " ORDER BY priority, run_at, id LIMIT $most"

static const db_sql_t s_candidates = { "jobs.candidates", CANDIDATES,
                                       CANDIDATES " FOR UPDATE SKIP LOCKED" };

#define BEGIN(now, listed)                                                                         \
    "UPDATE job SET state = 1, fence = fence + 1, worker_id = $worker, started_at = " now          \
    " WHERE id IN " listed " RETURNING " STORE_BEGUN

static const db_sql_t s_begin = {
    "jobs.begin", BEGIN(STORE_NOW_SQLITE, "(SELECT value FROM json_each($ids))"),
    BEGIN(STORE_NOW_POSTGRES, "(SELECT CAST(v AS BIGINT) FROM"
                              " json_array_elements_text(CAST(CAST($ids AS TEXT) AS json)) v)")
};

/* The ids of those that may be begun, as a JSON array; empty when there are none. */
static db_status_t s_choose(db_conn_t *conn, const job_wish_t *wish, int64_t most, buf_t *ids)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_candidates, &rows, DB_P_TEXT("queue", wish->queue),
               DB_P_INT("priority", wish->from.priority), DB_P_INT("run_at", wish->from.run_at),
               DB_P_INT("last", job_wish_last(wish)), DB_P_INT("most", most));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        if (!wish->may || wish->may(wish->arg, db_text(rows, "kind")))
            buf_printf(ids, "%c%" PRId64, ids->size ? ',' : '[', db_int(rows, "id"));
    if (ids->size)
        buf_add_byte(ids, ']');
    return db_rows_end(rows);
}

static db_status_t s_begin_chosen(db_conn_t *conn, arena_t *arena, int64_t worker_id, buf_t *ids,
                                  job_begun_t *begun, size_t *count)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_begin, &rows, DB_P_INT("worker", worker_id),
                                DB_P_TEXT("ids", buf_text(ids)));
    return status == DB_OK ? jobs_store_read_begun(rows, arena, begun, count) : status;
}

/* ---- the rate -------------------------------------------------------------------------------- */

static const db_sql_t s_note_beginning = {
    "jobs.note_beginning",
    "INSERT INTO beginning (queue, at, count) VALUES ($queue, " STORE_NOW_SQLITE ", $count)",
    "INSERT INTO beginning (queue, at, count) VALUES ($queue, " STORE_NOW_POSTGRES ", $count)"
};

#define FORGET(now)                                                                                \
    "DELETE FROM beginning WHERE queue = $queue AND at <= " now                                    \
    " - (SELECT rate_window_ms FROM queue WHERE name = $queue) - $slack"

static const db_sql_t s_forget_beginnings = { "jobs.forget_beginnings", FORGET(STORE_NOW_SQLITE),
                                              FORGET(STORE_NOW_POSTGRES) };

static db_status_t s_note(db_conn_t *conn, const char *queue, size_t count)
{
    db_status_t status = DB_CHANGE(conn, &s_forget_beginnings, NULL, DB_P_TEXT("queue", queue),
                                   DB_P_INT("slack", JOBS_RATE_SLACK_MS));
    if (status != DB_OK)
        return status;
    return DB_CHANGE(conn, &s_note_beginning, NULL, DB_P_TEXT("queue", queue),
                     DB_P_INT("count", (int64_t)count));
}

db_status_t jobs_store_claim_limited(db_conn_t *conn, arena_t *arena, int64_t worker_id,
                                     const job_wish_t *wish, job_begun_t *begun, size_t *count)
{
    buf_t ids = { 0 };
    int64_t room = 0;
    bool has_rate = false;
    *count = 0;
    db_status_t status = s_find_room(conn, wish, &room, &has_rate);
    if (status != DB_OK || room <= 0)
        return status;
    status = s_choose(conn, wish, room < (int64_t)wish->most ? room : (int64_t)wish->most, &ids);
    if (status == DB_OK && ids.size)
        status = s_begin_chosen(conn, arena, worker_id, &ids, begun, count);
    buf_free(&ids);
    return status == DB_OK && has_rate && *count ? s_note(conn, wish->queue, *count) : status;
}

const db_sql_t *const jobs_store_limits_lookups[] = { &s_room,  &s_pull_back,         &s_candidates,
                                                      &s_begin, &s_forget_beginnings, NULL };
