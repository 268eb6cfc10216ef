/* SPDX-License-Identifier: MPL-2.0
 *
 * store_enqueue - adds jobs
 *
 * On PostgreSQL, where every statement is a round trip, all jobs go in one statement; on SQLite,
 * where none is, one by one. Ids are drawn from a sequence, so they grow in the order in which jobs
 * are enqueued, whatever the clocks of the instances say.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "actors/jobs/store.h"

/* A job of an order is added blocked; whether it is the first of its order is found out after. */
#define STATE(order, now)                                                                          \
    "CASE WHEN " order " IS NOT NULL THEN 3 WHEN run_at > " now " THEN 2 ELSE 0 END"

#define COLUMNS                                                                                    \
    "queue, kind, state, priority, run_at, max_attempts, timeout_ms, backoff_ms, created_at,"      \
    " parent_id, unique_key, order_key, account, principal, trace, payload"

#define ON_TAKEN " ON CONFLICT (account, queue, unique_key) WHERE unique_key IS NOT NULL DO NOTHING"

/* ---- duplicates ------------------------------------------------------------------------------ */

static const db_sql_t s_find_unique = {
    "jobs.find_unique",
    "SELECT id, state FROM job WHERE account = $account AND queue = $queue"
    " AND unique_key = $unique_key",
    NULL
};

/* What kept the job from being added; gone meanwhile, the transaction is tried again. */
static db_status_t s_find_duplicate(db_conn_t *conn, const job_new_t *job, job_receipt_t *receipt)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_find_unique, &rows, DB_P_TEXT("account", job->account),
               DB_P_TEXT("queue", job->queue), DB_P_TEXT("unique_key", job->unique_key));
    if (status != DB_OK)
        return status;
    bool is_there = db_next(rows);
    if (is_there)
        *receipt = (job_receipt_t){ .id = db_int(rows, "id"),
                                    .state = (job_state_t)db_int(rows, "state"),
                                    .is_duplicate = true };
    status = db_rows_end(rows);
    return status == DB_OK && !is_there ? DB_CONFLICT : status;
}

static db_status_t s_find_duplicates(db_conn_t *conn, const job_new_t *jobs, size_t count,
                                     job_receipt_t *receipts)
{
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < count; i++)
        if (receipts[i].is_duplicate)
            status = s_find_duplicate(conn, &jobs[i], &receipts[i]);
    return status;
}

/* ---- SQLite ---------------------------------------------------------------------------------- */

static const db_sql_t s_add_queue = { "jobs.add_queue",
                                      "INSERT INTO queue (name) VALUES ($queue)"
                                      " ON CONFLICT (name) DO NOTHING",
                                      NULL };

static const db_sql_t s_add = {
    "jobs.add",
    "INSERT INTO job (" COLUMNS ") SELECT $queue, $kind, " STATE(
        "$order_key", STORE_NOW_SQLITE) ", $priority, run_at, $max_attempts, $timeout_ms,"
                                        " $backoff_ms, " STORE_NOW_SQLITE
                                        ", $parent_id, $unique_key, $order_key, $account,"
                                        " $principal, $trace, $payload"
                                        " FROM (SELECT CASE WHEN $run_at > 0 THEN $run_at"
                                        " ELSE " STORE_NOW_SQLITE " + $delay_ms END AS run_at)"
                                        " WHERE true" ON_TAKEN " RETURNING id, state, run_at",
    NULL
};

static db_param_t s_parent(const job_new_t *job)
{
    return job->parent_id ? DB_P_INT("parent_id", job->parent_id) : DB_P_NULL("parent_id");
}

static db_status_t s_add_one(db_conn_t *conn, const job_new_t *job, job_receipt_t *receipt)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_add, &rows, DB_P_TEXT("queue", job->queue), DB_P_TEXT("kind", job->kind),
               DB_P_TEXT("order_key", job->order_key), DB_P_INT("priority", job->priority),
               DB_P_INT("max_attempts", job->max_attempts), DB_P_INT("timeout_ms", job->timeout_ms),
               DB_P_INT("backoff_ms", job->backoff_ms), s_parent(job),
               DB_P_TEXT("unique_key", job->unique_key), DB_P_TEXT("account", job->account),
               jobs_store_bytes("principal", job->principal), jobs_store_bytes("trace", job->trace),
               jobs_store_bytes("payload", job->payload), DB_P_INT("run_at", job->run_at),
               DB_P_INT("delay_ms", job->delay_ms));
    if (status != DB_OK)
        return status;
    *receipt = (job_receipt_t){ .is_duplicate = !db_next(rows) };
    if (!receipt->is_duplicate) {
        receipt->id = db_int(rows, "id");
        receipt->state = (job_state_t)db_int(rows, "state");
        receipt->run_at = db_int(rows, "run_at");
    }
    return db_rows_end(rows);
}

static db_status_t s_add_each(db_conn_t *conn, const job_new_t *jobs, size_t count,
                              job_receipt_t *receipts)
{
    db_status_t status = DB_OK;
    const char *queue = "";
    for (size_t i = 0; status == DB_OK && i < count; i++) {
        if (strcmp(jobs[i].queue, queue) != 0) {
            queue = jobs[i].queue;
            status = DB_RUN(conn, &s_add_queue, NULL, DB_P_TEXT("queue", queue));
        }
        if (status == DB_OK)
            status = s_add_one(conn, &jobs[i], &receipts[i]);
    }
    return status;
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

static const db_sql_t s_add_all = {
    "jobs.add_all", NULL,
    "WITH given AS MATERIALIZED (SELECT r.*, nextval('job_id_seq') AS id,"
    " CASE WHEN r.at > 0 THEN r.at ELSE " STORE_NOW_POSTGRES " + r.delay END AS run_at"
    " FROM json_to_recordset(CAST(CAST($list AS TEXT) AS json)) AS r (n INTEGER, queue TEXT,"
    " kind TEXT, priority SMALLINT, at BIGINT, delay BIGINT, attempts SMALLINT, timeout INTEGER,"
    " backoff INTEGER, parent BIGINT, uniq TEXT, ord TEXT, account TEXT, principal TEXT,"
    " trace TEXT, payload TEXT)),"
    " queues AS (INSERT INTO queue (name) SELECT DISTINCT queue COLLATE \"C\" FROM given ORDER BY 1"
    " ON CONFLICT (name) DO NOTHING),"
    " added AS (INSERT INTO job (id, " COLUMNS ")"
    " SELECT id, queue, kind, " STATE(
        "ord",
        STORE_NOW_POSTGRES) ", priority, run_at, attempts,"
                            " timeout, backoff, " STORE_NOW_POSTGRES ", parent, uniq, ord, account,"
                            " decode(principal, 'hex'), decode(trace, 'hex'), decode(payload, "
                            "'hex') FROM given" ON_TAKEN " RETURNING id, state)"
                            " SELECT given.n AS n, given.id AS id, given.run_at AS run_at,"
                            " added.state AS state"
                            " FROM given LEFT JOIN added ON added.id = given.id"
};

static void s_write(buf_t *json, const job_new_t *job, size_t n)
{
    buf_printf(json,
               "%c{\"n\":%zu,\"priority\":%" PRId64 ",\"at\":%" PRId64 ",\"delay\":%" PRId64
               ",\"attempts\":%" PRId64 ",\"timeout\":%" PRId64 ",\"backoff\":%" PRId64,
               n ? ',' : '[', n, job->priority, job->run_at, job->delay_ms, job->max_attempts,
               job->timeout_ms, job->backoff_ms);
    if (job->parent_id)
        buf_printf(json, ",\"parent\":%" PRId64, job->parent_id);
    jobs_store_add_text(json, "queue", job->queue);
    jobs_store_add_text(json, "kind", job->kind);
    jobs_store_add_text(json, "uniq", job->unique_key);
    jobs_store_add_text(json, "ord", job->order_key);
    jobs_store_add_text(json, "account", job->account);
    jobs_store_add_hex(json, "principal", job->principal);
    jobs_store_add_hex(json, "trace", job->trace);
    jobs_store_add_hex(json, "payload", job->payload);
    buf_add_byte(json, '}');
}

static db_status_t s_add_at_once(db_conn_t *conn, const job_new_t *jobs, size_t count,
                                 job_receipt_t *receipts)
{
    db_rows_t *rows;
    buf_t json = { 0 };
    for (size_t i = 0; i < count; i++)
        s_write(&json, &jobs[i], i);
    buf_add_byte(&json, ']');
    db_status_t status =
        DB_RUN(conn, &s_add_all, &rows, DB_P_SIZED("list", (const char *)json.bytes, json.size));
    buf_free(&json);
    if (status != DB_OK)
        return status;
    while (db_next(rows)) {
        bool is_taken = db_is_null(rows, "state");
        receipts[db_int(rows, "n")] = (job_receipt_t){
            .id = db_int(rows, "id"),
            .run_at = db_int(rows, "run_at"),
            .state = is_taken ? JOB_READY : (job_state_t)db_int(rows, "state"),
            .is_duplicate = is_taken,
        };
    }
    return db_rows_end(rows);
}

/* ---- both ------------------------------------------------------------------------------------ */

typedef struct {
    job_receipt_t *receipts;
    size_t count;
} told_t;

static void s_on_freed(void *arg, const job_freed_t *freed)
{
    const told_t *told = arg;
    for (size_t i = 0; i < told->count; i++)
        if (told->receipts[i].id == freed->id)
            told->receipts[i].state = freed->state;
}

db_status_t jobs_store_enqueue(db_conn_t *conn, const job_new_t *jobs, size_t count,
                               job_receipt_t *receipts)
{
    job_orders_t orders = { 0 };
    for (size_t i = 0; i < count; i++)
        if (jobs[i].order_key)
            jobs_store_add_order(&orders, jobs[i].account, jobs[i].queue, jobs[i].order_key);
    db_status_t status = jobs_store_lock_orders(conn, &orders);
    if (status == DB_OK && db_conn_is_sqlite(conn))
        status = s_add_each(conn, jobs, count, receipts);
    else if (status == DB_OK)
        status = s_add_at_once(conn, jobs, count, receipts);
    if (status == DB_OK)
        status = s_find_duplicates(conn, jobs, count, receipts);
    told_t told = { .receipts = receipts, .count = count };
    db_status_t freed =
        status == DB_OK ? jobs_store_free_orders(conn, &orders, s_on_freed, &told) : status;
    buf_free(&orders.json);
    return freed;
}

const db_sql_t *const jobs_store_enqueue_lookups[] = { &s_find_unique, NULL };
