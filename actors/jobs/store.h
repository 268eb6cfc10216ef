/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the SQL of jobs: enqueuing, claiming, ending, queues, dead letters, lists
 *
 * Every function works on a connection, so that several make one transaction (`db_write`). What is
 * not there is no failure. Texts and bytes of results are in the arena. Times are milliseconds of
 * the database's clock, which is the only one that decides; 0 is never.
 *
 * A job is in one table at a time: `job` while it lives, then `done` or `dead`. It is moved by the
 * statement that ends it, together with the check of its fence.
 */
#ifndef SIGNALBOX_JOBS_STORE_H
#define SIGNALBOX_JOBS_STORE_H

#include "actors/base/arena.h"
#include "actors/runtime/cursor.h"
#include "actors/runtime/db.h"
#include "proto/frame.h"
#include "proto/jobs.h"

extern const db_migration_t jobs_migrations[];

/* As the tables have them; JOBS_STATES names them in this order. */
typedef enum {
    JOB_READY,
    JOB_RUNNING,
    JOB_SCHEDULED,
    JOB_BLOCKED,
    JOB_DONE,
    JOB_CANCELLED,
    JOB_DEAD,
} job_state_t;

const char *jobs_store_state(job_state_t state);

typedef struct {
    const void *bytes; /* NULL: none */
    size_t size;
} job_bytes_t;

/* ---- enqueuing (store_enqueue.c) ------------------------------------------------------------- */

/* A job to be added. */
typedef struct {
    const char *kind, *queue;
    int64_t priority, max_attempts, timeout_ms, backoff_ms;
    int64_t delay_ms;                   /* from now, or: */
    int64_t run_at;                     /* a moment; 0: now */
    int64_t parent_id;                  /* 0: none */
    const char *unique_key, *order_key; /* NULL: none */
    const char *account;                /* "": a service's own */
    job_bytes_t principal, trace, payload;
} job_new_t;

/* What became of it. */
typedef struct {
    int64_t id;
    job_state_t state;
    bool is_duplicate; /* a job with the unique key was there: this is that one */
} job_receipt_t;

/* Adds jobs, whose queues are made when they are new. They are there when the transaction commits;
 * `receipts` has room for all. DB_CONFLICT is tried again by `db_write`. */
db_status_t jobs_store_enqueue(db_conn_t *conn, const job_new_t *jobs, size_t count,
                               job_receipt_t *receipts) MUST_CHECK;

/* ---- what its files share -------------------------------------------------------------------- */

/* The database's clock in milliseconds, within a statement. */
#define STORE_NOW_SQLITE   "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
#define STORE_NOW_POSTGRES "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)"

/* Sequences of jobs of which one runs after the other, as a JSON array in the making. */
typedef struct {
    buf_t json;
    size_t count;
} job_orders_t;

void jobs_store_add_order(job_orders_t *self, const char *account, const char *queue,
                          const char *order_key);

/* Keeps others from adding to these orders and from ending their first jobs until the transaction
 * ends; then lets the first job of each go when nothing of its order is before it. `each`, which
 * may be NULL, is told of those. Frees the list. */
typedef void (*job_freed_t)(void *arg, int64_t id, job_state_t state);
db_status_t jobs_store_lock_orders(db_conn_t *conn, job_orders_t *orders) MUST_CHECK;
db_status_t jobs_store_free_orders(db_conn_t *conn, job_orders_t *orders, job_freed_t each,
                                   void *arg) MUST_CHECK;

db_status_t jobs_store_close(db_rows_t *rows);

static inline db_param_t jobs_store_bytes(const char *name, job_bytes_t bytes)
{
    return bytes.bytes ? DB_P_BLOB(name, bytes.bytes, bytes.size) : DB_P_NULL(name);
}

/* Appends a member to a JSON object that has one already: bytes as hex, if there are any; a text,
 * or null. */
void jobs_store_add_hex(buf_t *json, const char *name, job_bytes_t bytes);
void jobs_store_add_text(buf_t *json, const char *name, const char *text);

#endif
