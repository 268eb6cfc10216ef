/* SPDX-License-Identifier: MPL-2.0
 *
 * store_settle - ends of runs that are more than a success, and cancelling
 *
 * The row is locked first and moved then, in one transaction with what follows from it: the next
 * job of the same order, the parent.
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/store_families.h"

#define ROW                                                                                        \
    "SELECT state, is_cancelled, kind, queue, account, order_key, parent_id, error_code FROM job"
#define OF_RUN " WHERE id = $id AND fence = $fence AND " STORE_RUNS
#define OF_ANY " WHERE id = $id AND ($account = '*' OR account = $account)"

static const db_sql_t s_lock_run = { "jobs.lock_run", ROW OF_RUN, ROW OF_RUN " FOR UPDATE" };
static const db_sql_t s_lock_any = {
    "jobs.lock_job", ROW OF_ANY,
    ROW " WHERE id = $id AND (CAST($account AS TEXT) = '*' OR account = $account) FOR UPDATE"
};

#define KEEP(now)                                                                                  \
    "INSERT INTO done (id, queue, kind, state, priority, fence, tries, max_attempts, created_at,"  \
    " started_at, finished_at, parent_id, unique_key, order_key, account, result)"                 \
    " SELECT id, queue, kind, $state, priority, fence, tries, max_attempts, created_at,"           \
    " started_at, " now ", parent_id, unique_key, order_key, account, $result FROM job"            \
    " WHERE id = $id"

static const db_sql_t s_keep = {
    "jobs.settle_done", KEEP(STORE_NOW_SQLITE),
    "INSERT INTO done (id, queue, kind, state, priority, fence, tries, max_attempts, created_at,"
    " started_at, finished_at, parent_id, unique_key, order_key, account, result)"
    " SELECT id, queue, kind, CAST($state AS SMALLINT), priority, fence, tries, max_attempts,"
    " created_at, started_at, " STORE_NOW_POSTGRES ", parent_id, unique_key, order_key, account,"
    " CAST($result AS BYTEA) FROM job WHERE id = $id"
};

#define BURY(now, tries, crashes, code, text)                                                      \
    "INSERT INTO dead (id, queue, kind, priority, fence, tries, crashes, replays, max_attempts,"   \
    " timeout_ms, backoff_ms, created_at, started_at, finished_at, parent_id, unique_key,"         \
    " order_key, account, error_code, error_text, principal, trace, payload)"                      \
    " SELECT id, queue, kind, priority, fence, tries + " tries ", crashes + " crashes              \
    ", replays, max_attempts, timeout_ms, backoff_ms, created_at, started_at, " now                \
    ", parent_id, unique_key, order_key, account, " code ", " text                                 \
    ", principal, trace, payload FROM job WHERE id = $id"

static const db_sql_t s_bury = { "jobs.settle_dead",
                                 BURY(STORE_NOW_SQLITE, "$tries", "$crashes", "$code", "$text"),
                                 BURY(STORE_NOW_POSTGRES, "CAST($tries AS SMALLINT)",
                                      "CAST($crashes AS SMALLINT)", "CAST($code AS TEXT)",
                                      "CAST($text AS TEXT)") };

static const db_sql_t s_drop = { "jobs.settle_drop", "DELETE FROM job WHERE id = $id", NULL };

/* What is to go on at once keeps its place in the queue. */
#define AGAIN(now)                                                                                 \
    "UPDATE job SET state = CASE WHEN $delay > 0 THEN 2 ELSE 0 END,"                               \
    " run_at = CASE WHEN $delay > 0 THEN " now " + $delay ELSE run_at END, worker_id = NULL,"      \
    " tries = tries + $tries, crashes = crashes + $crashes,"                                       \
    " error_code = coalesce($code, error_code), error_text = coalesce($text, error_text)"          \
    " WHERE id = $id"

static const db_sql_t s_again = { "jobs.settle_again", AGAIN(STORE_NOW_SQLITE),
                                  AGAIN(STORE_NOW_POSTGRES) };

/* What a job is a part of. */
typedef struct {
    bool is_cancelled;
    job_state_t state;
    const char *kind, *queue, *account, *order_key;
    int64_t parent_id;
} tie_t;

static db_status_t s_read_tie(db_rows_t *rows, arena_t *arena, tie_t *tie, bool *is_there)
{
    *is_there = db_next(rows);
    if (*is_there)
        *tie = (tie_t){ .is_cancelled = db_int(rows, "is_cancelled"),
                        .state = (job_state_t)db_int(rows, "state"),
                        .kind = db_dup_text(rows, arena, "kind"),
                        .queue = db_dup_text(rows, arena, "queue"),
                        .account = db_dup_text(rows, arena, "account"),
                        .order_key = db_dup_text(rows, arena, "order_key"),
                        .parent_id = db_int(rows, "parent_id") };
    return db_rows_end(rows);
}

/* ---- moving ---------------------------------------------------------------------------------- */

static db_status_t s_move(db_conn_t *conn, const job_end_t *end, job_state_t to)
{
    db_status_t status;
    if (to == JOB_DEAD)
        status = DB_RUN(conn, &s_bury, NULL, DB_P_INT("tries", end->tries),
                        DB_P_INT("crashes", end->crashes), DB_P_TEXT("code", end->error_code),
                        DB_P_TEXT("text", end->error_text), DB_P_INT("id", end->id));
    else
        status = DB_RUN(conn, &s_keep, NULL, DB_P_INT("state", to),
                        jobs_store_bytes("result", end->result), DB_P_INT("id", end->id));
    return status == DB_OK ? DB_RUN(conn, &s_drop, NULL, DB_P_INT("id", end->id)) : status;
}

static db_status_t s_put_back(db_conn_t *conn, const job_end_t *end)
{
    return DB_RUN(conn, &s_again, NULL, DB_P_INT("delay", end->delay_ms),
                  DB_P_INT("tries", end->tries), DB_P_INT("crashes", end->crashes),
                  DB_P_TEXT("code", end->error_code), DB_P_TEXT("text", end->error_text),
                  DB_P_INT("id", end->id));
}

/* Who waits for what ends in one transaction. */
typedef struct {
    job_orders_t orders;
    job_families_t families;
    arena_t *arena;
    job_freed_t *freed; /* room for one of each order */
    size_t freed_count;
} waiting_t;

/* Those that are an account's, if it may want to be told of them. */
static db_status_t s_tell_death(db_conn_t *conn, job_settling_t *self, const job_end_t *end,
                                const tie_t *tie)
{
    if (!self->wishes || !tie->account[0] ||
        !wishes_want(self->wishes, tie->account, JOBS_NEWS_DEATH, clock_ms()))
        return DB_OK;
    self->has_told = true;
    return jobs_store_tell_death(
        conn, &(job_death_t){
                  .end = end, .kind = tie->kind, .queue = tie->queue, .account = tie->account });
}

static db_status_t s_settle_one(db_conn_t *conn, job_settling_t *self, const job_end_t *end,
                                job_settled_t *settled, waiting_t *waiting)
{
    db_rows_t *rows;
    tie_t tie;
    *settled = (job_settled_t){ 0 };
    db_status_t status =
        DB_RUN(conn, &s_lock_run, &rows, DB_P_INT("id", end->id), DB_P_INT("fence", end->fence));
    if (status == DB_OK)
        status = s_read_tie(rows, self->arena, &tie, &settled->is_accepted);
    if (status != DB_OK || !settled->is_accepted)
        return status;
    settle_t how = end->how;
    if (tie.is_cancelled && how != SETTLE_DONE)
        how = SETTLE_CANCELLED;
    if (how == SETTLE_AGAIN || how == SETTLE_BACK) {
        settled->state = end->delay_ms > 0 ? JOB_SCHEDULED : JOB_READY;
        return s_put_back(conn, end);
    }
    settled->state = how == SETTLE_DEAD ? JOB_DEAD : how == SETTLE_DONE ? JOB_DONE : JOB_CANCELLED;
    if (tie.order_key)
        jobs_store_add_order(&waiting->orders, tie.account, tie.queue, tie.order_key);
    if (tie.parent_id)
        jobs_store_add_ended(&waiting->families, tie.parent_id, settled->state != JOB_DONE);
    status = s_move(conn, end, settled->state);
    if (status == DB_OK && settled->state == JOB_DEAD)
        status = s_tell_death(conn, self, end, &tie);
    return status;
}

static void s_on_freed(void *arg, const job_freed_t *freed)
{
    waiting_t *self = arg;
    job_freed_t *kept = &self->freed[self->freed_count++];
    *kept = *freed;
    kept->queue = arena_text(self->arena, freed->queue, strlen(freed->queue));
}

static db_status_t s_free_orders(db_conn_t *conn, arena_t *arena, waiting_t *self)
{
    self->arena = arena;
    self->freed = arena_array(arena, self->orders.count, sizeof *self->freed);
    return jobs_store_free_orders(conn, &self->orders, s_on_freed, self);
}

/* Lets go who waited for what has ended, and frees the lists. */
static db_status_t s_free_next(db_conn_t *conn, db_status_t status, arena_t *arena,
                               waiting_t *waiting, job_parents_t *parents)
{
    job_orders_t *orders = &waiting->orders;
    if (status == DB_OK)
        status = jobs_store_end_children(conn, arena, &waiting->families, orders, parents);
    if (status == DB_OK)
        status = jobs_store_lock_orders(conn, orders);
    if (status == DB_OK)
        status = s_free_orders(conn, arena, waiting);
    buf_free(&orders->json);
    buf_free(&waiting->families.json);
    return status;
}

db_status_t jobs_store_settle(db_conn_t *conn, job_settling_t *self)
{
    waiting_t waiting = { 0 };
    db_status_t status = DB_OK;
    self->has_told = false;
    for (size_t i = 0; status == DB_OK && i < self->count; i++)
        status = s_settle_one(conn, self, &self->ends[i], &self->settled[i], &waiting);
    status = s_free_next(conn, status, self->arena, &waiting, &self->parents);
    self->freed = waiting.freed;
    self->freed_count = waiting.freed_count;
    return status;
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static const db_sql_t s_mark = { "jobs.mark_cancelled",
                                 "UPDATE job SET is_cancelled = 1 WHERE id = $id", NULL };

db_status_t jobs_store_cancel(db_conn_t *conn, arena_t *arena, int64_t id, const char *account,
                              job_cancelled_t *cancelled)
{
    waiting_t waiting = { 0 };
    db_rows_t *rows;
    tie_t tie;
    *cancelled = (job_cancelled_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_lock_any, &rows, DB_P_INT("id", id),
                                DB_P_TEXT("account", account ? account : "*"));
    if (status == DB_OK)
        status = s_read_tie(rows, arena, &tie, &cancelled->is_there);
    if (status != DB_OK || !cancelled->is_there)
        return status;
    cancelled->kind = tie.kind;
    cancelled->queue = tie.queue;
    cancelled->account = tie.account;
    cancelled->state = tie.state == JOB_RUNNING ? JOB_RUNNING : JOB_CANCELLED;
    if (tie.state == JOB_RUNNING)
        return DB_RUN(conn, &s_mark, NULL, DB_P_INT("id", id));
    status = s_move(conn, &(job_end_t){ .id = id }, JOB_CANCELLED);
    if (tie.order_key)
        jobs_store_add_order(&waiting.orders, tie.account, tie.queue, tie.order_key);
    if (tie.parent_id)
        jobs_store_add_ended(&waiting.families, tie.parent_id, true);
    return s_free_next(conn, status, arena, &waiting, &cancelled->parents);
}

const db_sql_t *const jobs_store_settle_lookups[] = { &s_lock_run, &s_lock_any, NULL };
