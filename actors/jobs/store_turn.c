/* SPDX-License-Identifier: MPL-2.0
 *
 * store_turn - ends runs and begins others
 *
 * One statement does both on PostgreSQL, so that a job costs a half round trip and a half commit of
 * many. Rows that others are about to take are passed over (SKIP LOCKED). The claim is fenced in by
 * a materialised list of ids: a plan that runs the limited part more than once would take more than
 * asked for. The queue's row is locked against being changed: when its pause has been answered, no
 * claim is under way that knows nothing of it.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/jobs/store.h"
#include "proto/json.h"

/* What stays of a job that is done. */
#define KEPT                                                                                       \
    "id, queue, kind, priority, fence, tries, max_attempts, created_at, started_at, parent_id,"    \
    " unique_key, order_key, account"

static void s_read_begun(const db_rows_t *rows, arena_t *arena, job_begun_t *job)
{
    *job = (job_begun_t){
        .id = db_int(rows, "id"),
        .fence = db_int(rows, "fence"),
        .run_at = db_int(rows, "run_at"),
        .priority = db_int(rows, "priority"),
        .tries = db_int(rows, "tries"),
        .crashes = db_int(rows, "crashes"),
        .max_attempts = db_int(rows, "max_attempts"),
        .timeout_ms = db_int(rows, "timeout_ms"),
        .backoff_ms = db_int(rows, "backoff_ms"),
        .kind = db_dup_text(rows, arena, "kind"),
        .queue = db_dup_text(rows, arena, "queue"),
        .account = db_dup_text(rows, arena, "account"),
        .order_key = db_dup_text(rows, arena, "order_key"),
        .parent_id = db_int(rows, "parent_id"),
        .failed_children = db_int(rows, "failed_children"),
        .principal = jobs_store_dup_bytes(rows, arena, "principal"),
        .trace = jobs_store_dup_bytes(rows, arena, "trace"),
        .payload = jobs_store_dup_bytes(rows, arena, "payload"),
    };
}

/* Rows come in the order in which they were changed. */
static int s_compare(const void *a, const void *b)
{
    const job_begun_t *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->run_at != y->run_at)
        return x->run_at < y->run_at ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* ---- SQLite ---------------------------------------------------------------------------------- */

static const db_sql_t s_keep = { "jobs.keep",
                                 "INSERT INTO done (" KEPT ", state, finished_at, result)"
                                 " SELECT " KEPT ", 4, " STORE_NOW_SQLITE ", $result FROM job"
                                 " WHERE id = $id AND fence = $fence AND " STORE_RUNS,
                                 NULL };

static const db_sql_t s_drop = { "jobs.drop", "DELETE FROM job WHERE id = $id", NULL };

/* Queues that are begun without counting: changed by somebody else, one is so no more at once. */
#define IS_FREE "is_paused = 0 AND is_pulled = 0 AND max_running = 0 AND rate_limit = 0"

static const db_sql_t s_claim = {
    "jobs.claim",
    "UPDATE job SET state = 1, fence = fence + 1, worker_id = $worker,"
    " started_at = " STORE_NOW_SQLITE " WHERE id IN (SELECT id FROM job WHERE queue = $queue"
    " AND state = 0 AND (priority, run_at) >= ($priority, $run_at) AND priority <= $last"
    " AND EXISTS (SELECT 1 FROM queue q WHERE q.name = $queue AND " IS_FREE ")"
    " ORDER BY priority, run_at, id LIMIT $most) RETURNING " STORE_BEGUN,
    "" /* s_turn */
};

static db_status_t s_end_one(db_conn_t *conn, const job_success_t *success, bool *is_accepted)
{
    int64_t kept;
    db_status_t status =
        DB_CHANGE(conn, &s_keep, &kept, jobs_store_bytes("result", success->result),
                  DB_P_INT("id", success->id), DB_P_INT("fence", success->fence));
    *is_accepted = kept > 0;
    if (status != DB_OK || !*is_accepted)
        return status;
    return DB_RUN(conn, &s_drop, NULL, DB_P_INT("id", success->id));
}

db_status_t jobs_store_read_begun(db_rows_t *rows, arena_t *arena, job_begun_t *begun,
                                  size_t *count)
{
    size_t first = *count;
    while (db_next(rows))
        s_read_begun(rows, arena, &begun[(*count)++]);
    qsort(begun + first, *count - first, sizeof *begun, s_compare);
    return db_rows_end(rows);
}

typedef struct {
    const job_turn_t *turn;
    job_turned_t *turned;
    arena_t *arena;
} turning_t;

static db_status_t s_turn_work(db_conn_t *conn, void *arg)
{
    const turning_t *self = arg;
    const job_turn_t *turn = self->turn;
    job_turned_t *turned = self->turned;
    db_status_t status = DB_OK;
    turned->accepted_count = turned->begun_count = 0;
    for (size_t i = 0; status == DB_OK && i < turn->success_count; i++) {
        bool is_accepted = false;
        status = s_end_one(conn, &turn->successes[i], &is_accepted);
        if (is_accepted)
            turned->accepted[turned->accepted_count++] =
                (job_ref_t){ turn->successes[i].id, turn->successes[i].fence };
    }
    for (size_t i = 0; status == DB_OK && i < turn->wish_count; i++) {
        const job_wish_t *wish = &turn->wishes[i];
        db_rows_t *rows;
        status =
            DB_RUN(conn, &s_claim, &rows, DB_P_INT("worker", turn->worker_id),
                   DB_P_TEXT("queue", wish->queue), DB_P_INT("priority", wish->from.priority),
                   DB_P_INT("run_at", wish->from.run_at), DB_P_INT("last", job_wish_last(wish)),
                   DB_P_INT("most", (int64_t)wish->most));
        if (status == DB_OK)
            status = jobs_store_read_begun(rows, self->arena, turned->begun, &turned->begun_count);
    }
    return status;
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

static const db_sql_t s_turn = {
    "jobs.turn", NULL,
    "WITH report AS MATERIALIZED (SELECT * FROM json_to_recordset("
    " CAST(CAST($successes AS TEXT) AS json)) AS r (i BIGINT, f INTEGER, result TEXT)),"
    " ended AS (DELETE FROM job USING report WHERE job.id = ANY (ARRAY(SELECT i FROM report))"
    " AND job.id = report.i AND job.fence = report.f AND " STORE_RUNS
    " RETURNING job.*, report.result),"
    " kept AS (INSERT INTO done (" KEPT ", state, finished_at, result) SELECT " KEPT
    ", 4, " STORE_NOW_POSTGRES ", decode(result, 'hex') FROM ended),"
    " wish AS MATERIALIZED (SELECT * FROM json_to_recordset("
    " CAST(CAST($wishes AS TEXT) AS json)) AS w (q TEXT, n BIGINT, p SMALLINT, at BIGINT,"
    " last SMALLINT)),"
    " open AS MATERIALIZED (SELECT wish.* FROM wish"
    " JOIN queue ON queue.name = wish.q AND " IS_FREE " FOR SHARE OF queue),"
    " next AS MATERIALIZED (SELECT j.id FROM open CROSS JOIN LATERAL (SELECT id FROM job"
    " WHERE job.queue = open.q AND state = 0 AND (priority, run_at) >= (open.p, open.at)"
    " AND priority <= open.last"
    " ORDER BY priority, run_at, id LIMIT open.n FOR UPDATE SKIP LOCKED) j),"
    " begun AS (UPDATE job SET state = 1, fence = fence + 1, worker_id = $worker,"
    " started_at = " STORE_NOW_POSTGRES " WHERE id = ANY (ARRAY(SELECT id FROM next))"
    " RETURNING " STORE_BEGUN ")"
    " SELECT 1 AS is_begun, " STORE_BEGUN " FROM begun UNION ALL"
    " SELECT 0, id, fence, 0, 0, 0, 0, 0, 0, 0, '', '', '', NULL, NULL, 0, NULL, NULL, NULL FROM "
    "ended"
};

static void s_write_successes(buf_t *json, const job_turn_t *turn)
{
    for (size_t i = 0; i < turn->success_count; i++) {
        const job_success_t *success = &turn->successes[i];
        buf_printf(json, "%c{\"i\":%" PRId64 ",\"f\":%" PRId64, i ? ',' : '[', success->id,
                   success->fence);
        jobs_store_add_hex(json, "result", success->result);
        buf_add_byte(json, '}');
    }
    buf_add_text(json, turn->success_count ? "]" : "[]");
}

static void s_write_wishes(buf_t *json, const job_turn_t *turn)
{
    for (size_t i = 0; i < turn->wish_count; i++) {
        const job_wish_t *wish = &turn->wishes[i];
        buf_printf(json, "%c{\"n\":%zu,\"p\":%" PRId64 ",\"at\":%" PRId64 ",\"last\":%" PRId64,
                   i ? ',' : '[', wish->most, wish->from.priority, wish->from.run_at,
                   job_wish_last(wish));
        jobs_store_add_text(json, "q", wish->queue);
        buf_add_byte(json, '}');
    }
    buf_add_text(json, turn->wish_count ? "]" : "[]");
}

static db_status_t s_turn_at_once(db_t *db, const turning_t *self)
{
    db_rows_t *rows;
    buf_t successes = { 0 }, wishes = { 0 };
    job_turned_t *turned = self->turned;
    db_conn_t *conn = db_conn(db);
    turned->accepted_count = turned->begun_count = 0;
    if (!conn)
        return DB_UNAVAILABLE;
    s_write_successes(&successes, self->turn);
    s_write_wishes(&wishes, self->turn);
    db_status_t status =
        DB_RUN(conn, &s_turn, &rows,
               DB_P_SIZED("successes", (const char *)successes.bytes, successes.size),
               DB_P_SIZED("wishes", (const char *)wishes.bytes, wishes.size),
               DB_P_INT("worker", self->turn->worker_id));
    buf_free(&successes);
    buf_free(&wishes);
    if (status != DB_OK)
        return status;
    while (db_next(rows)) {
        if (db_int(rows, "is_begun"))
            s_read_begun(rows, self->arena, &turned->begun[turned->begun_count++]);
        else
            turned->accepted[turned->accepted_count++] =
                (job_ref_t){ db_int(rows, "id"), db_int(rows, "fence") };
    }
    qsort(turned->begun, turned->begun_count, sizeof *turned->begun, s_compare);
    return db_rows_end(rows);
}

db_status_t jobs_store_turn(db_t *db, arena_t *arena, const job_turn_t *turn, job_turned_t *turned)
{
    size_t most = 0;
    for (size_t i = 0; i < turn->wish_count; i++)
        most += turn->wishes[i].most;
    turned->accepted = arena_array(arena, turn->success_count, sizeof *turned->accepted);
    turned->reported_count = turn->success_count;
    turned->begun = arena_array(arena, most, sizeof *turned->begun);
    turning_t turning = { .turn = turn, .turned = turned, .arena = arena };
    return db_is_sqlite(db) ? db_write(db, s_turn_work, &turning) : s_turn_at_once(db, &turning);
}

const db_sql_t *const jobs_store_turn_lookups[] = { &s_claim, &s_turn, NULL };
