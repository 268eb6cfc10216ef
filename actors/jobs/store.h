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
#include "actors/runtime/wishes.h"
#include "proto/frame.h"
#include "proto/jobs.h"

extern const db_migration_t jobs_migrations[];

/* The statements that look for something, for the test that looks at their plans; each of the files
 * has a list that ends with NULL. */
extern const db_sql_t *const jobs_store_answers_lookups[];
extern const db_sql_t *const jobs_store_dead_lookups[];
extern const db_sql_t *const jobs_store_enqueue_lookups[];
extern const db_sql_t *const jobs_store_erase_lookups[];
extern const db_sql_t *const jobs_store_limits_lookups[];
extern const db_sql_t *const jobs_store_lists_lookups[];
extern const db_sql_t *const jobs_store_orders_lookups[];
extern const db_sql_t *const jobs_store_progress_lookups[];
extern const db_sql_t *const jobs_store_settle_lookups[];
extern const db_sql_t *const jobs_store_time_lookups[];
extern const db_sql_t *const jobs_store_turn_lookups[];
extern const db_sql_t *const jobs_store_workers_lookups[];

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
    int64_t id, run_at;
    job_state_t state;
    bool is_duplicate; /* a job with the unique key was there: this is that one */
} job_receipt_t;

/* Adds jobs, whose queues are made when they are new. They are there when the transaction commits;
 * `receipts` has room for all. DB_CONFLICT is tried again by `db_write`. */
db_status_t jobs_store_enqueue(db_conn_t *conn, const job_new_t *jobs, size_t count,
                               job_receipt_t *receipts) MUST_CHECK;

/* ---- beginning and ending (store_turn.c) ----------------------------------------------------- */

/* A run of a job. */
typedef struct {
    int64_t id, fence;
} job_ref_t;

/* A job as whoever runs it gets it. */
typedef struct {
    int64_t id, fence; /* as in a job_ref_t */
    int64_t run_at, priority;
    int64_t tries, crashes, max_attempts, timeout_ms, backoff_ms;
    const char *kind, *queue, *account;
    const char *order_key;   /* NULL: none */
    int64_t parent_id;       /* 0: none */
    int64_t failed_children; /* that it needed: it is to die instead of being run */
    job_bytes_t principal, trace, payload;
} job_begun_t;

/* Where in the order of a queue the next claim begins: what stands before has been taken, and its
 * remains in the index are not walked over again. */
typedef struct {
    int64_t priority, run_at;
} job_mark_t;

/* What is to be claimed. A queue with limits has a claim of its own, below: only there it may be
 * for a worker that fetches, and only there jobs may be chosen by their kind. `may` is asked once
 * for each job that would be begun, in their order; NULL: all may. */
typedef struct {
    const char *queue;
    size_t most;
    job_mark_t from;
    bool is_step; /* no other priority than that of `from` */
    bool is_pull;
    bool (*may)(void *arg, const char *kind);
    void *arg;
} job_wish_t;

/* Up to which priority it goes. */
static inline int64_t job_wish_last(const job_wish_t *wish)
{
    return wish->is_step ? wish->from.priority : JOBS_PRIORITIES - 1;
}

/* A run that succeeded, of a job without an order and a parent. */
typedef struct {
    int64_t id, fence;
    job_bytes_t result;
} job_success_t;

typedef struct {
    int64_t worker_id;
    const job_success_t *successes;
    size_t success_count;
    const job_wish_t *wishes;
    size_t wish_count;
} job_turn_t;

typedef struct {
    job_ref_t *accepted;                   /* the successes that counted; room for all of them */
    size_t accepted_count, reported_count; /* of so many */
    job_begun_t *begun;                    /* in the order in which they are to be run */
    size_t begun_count;
} job_turned_t;

/* Ends runs and begins others: one statement on PostgreSQL, one transaction on SQLite. DB_CONFLICT
 * may be tried again; after DB_UNAVAILABLE and DB_TIMEOUT it is not known what happened. */
db_status_t jobs_store_turn(db_t *db, arena_t *arena, const job_turn_t *turn,
                            job_turned_t *turned) MUST_CHECK;

/* What was begun, in the order in which it is to be run, behind the `count` that are there. */
db_status_t jobs_store_read_begun(db_rows_t *rows, arena_t *arena, job_begun_t *begun,
                                  size_t *count) MUST_CHECK;

/* ---- queues with limits (store_limits.c) ----------------------------------------------------- */

/* Within this time of its claim a job of a queue with a rate has to be called, or given back. */
#define JOBS_RATE_SLACK_MS 500

/* Claims from a queue that has limits or is fetched from, whoever else does; `begun` has room for
 * `wish->most`. */
db_status_t jobs_store_claim_limited(db_conn_t *conn, arena_t *arena, int64_t worker_id,
                                     const job_wish_t *wish, job_begun_t *begun,
                                     size_t *count) MUST_CHECK;

/* ---- ends of all other kinds (store_settle.c) ------------------------------------------------ */

typedef enum {
    SETTLE_DONE,
    SETTLE_CANCELLED,
    SETTLE_DEAD,
    SETTLE_AGAIN, /* failed: later again */
    SETTLE_BACK,  /* not run to an end, and nobody's failure: later again */
} settle_t;

/* How a run ended. A job that is to be cancelled and is not done is cancelled, whatever else. */
typedef struct {
    int64_t id, fence;
    settle_t how;
    int64_t delay_ms;
    int64_t tries, crashes; /* to be counted */
    const char *error_code, *error_text;
    job_bytes_t result;
} job_end_t;

/* What became of it. */
typedef struct {
    bool is_accepted; /* false: it is a stale report */
    job_state_t state;
} job_settled_t;

/* A job that waited for its turn in an order, and may run now. */
typedef struct {
    int64_t id;
    job_state_t state;
    const char *queue;
    job_mark_t at;
} job_freed_t;

/* A job that waits for others, of which some have ended in the transaction. */
typedef struct {
    int64_t id, fence;
    int64_t children, pending; /* in all, and those that have not ended */
    const char *kind, *queue, *account;
} job_parent_t;

typedef struct {
    job_parent_t *list;
    size_t count;
} job_parents_t;

/* Ends that are written down together. */
typedef struct {
    const job_end_t *ends;
    size_t count;
    job_settled_t *settled; /* room for all */
    arena_t *arena;         /* for what is found: */
    job_parents_t parents;
    job_freed_t *freed; /* jobs whose turn it is in their orders */
    size_t freed_count;
    wishes_t *wishes; /* who wants to be told of deaths; NULL: nobody */
    bool has_told;    /* jobs were enqueued that tell of them */
} job_settling_t;

db_status_t jobs_store_settle(db_conn_t *conn, job_settling_t *settling) MUST_CHECK;

/* Enqueues a job that tells the account, by webhook, that one of its jobs has died (store_news.c).
 * That job is nobody's, and so are those that deliver: of their deaths nobody is told. */
typedef struct {
    const job_end_t *end;
    const char *kind, *queue, *account;
} job_death_t;
#define JOBS_NEWS_DEATH "job.dead"
#define JOBS_NEWS_QUEUE "webhook" /* of the jobs that tell */
db_status_t jobs_store_tell_death(db_conn_t *conn, const job_death_t *death) MUST_CHECK;

/* Cancels a job that does not run, or says of one that does that it shall be. */
typedef struct {
    bool is_there;     /* false: no such job of the account (NULL: of any) lives */
    job_state_t state; /* now */
    const char *kind, *queue, *account;
    job_parents_t parents;
} job_cancelled_t;
db_status_t jobs_store_cancel(db_conn_t *conn, arena_t *arena, int64_t id, const char *account,
                              job_cancelled_t *cancelled) MUST_CHECK;

/* ---- dead letters (store_dead.c) ------------------------------------------------------------- */

#define JOBS_REPLAY_MAX 500 /* of one transaction */

/* Which dead jobs: NULL and "" are any. */
typedef struct {
    int64_t after, until; /* ids behind the one, up to the other; 0: no end */
    const char *account;
    const char *queue, *kind, *error_code; /* never NULL */
    size_t most;
} job_choice_t;

/* Those that fit, by id; those that were not replayed although they fit are still dead. */
typedef struct {
    int64_t ids[JOBS_REPLAY_MAX];
    bool is_replayed[JOBS_REPLAY_MAX];
    size_t count;
} job_replayed_t;

/* Makes dead jobs live again, unless it is only asked which that would be. */
db_status_t jobs_store_replay(db_conn_t *conn, const job_choice_t *choice, bool is_dry,
                              job_replayed_t *done) MUST_CHECK;

/* The live job that has the unique key of a dead one; 0: none. */
db_status_t jobs_store_rival(db_conn_t *conn, int64_t id, int64_t *rival) MUST_CHECK;

/* `account` NULL: of any. */
db_status_t jobs_store_delete_dead(db_conn_t *conn, int64_t id, const char *account,
                                   bool *was_there) MUST_CHECK;

/* ---- progress (store_progress.c) ------------------------------------------------------------- */

typedef struct {
    int64_t id, fence, percent;
    const char *note; /* NULL: none */
} job_progress_t;

/* Notes how far a run is; false in `is_current`: it is not the job's present one. */
db_status_t jobs_store_progress(db_conn_t *conn, const job_progress_t *progress,
                                bool *is_current) MUST_CHECK;

/* ---- answers given again (store_answers.c) --------------------------------------------------- */

#define JOBS_HASH_BYTES 32

typedef struct {
    const char *account, *key;
    uint8_t hash[JOBS_HASH_BYTES]; /* of the request */
    job_bytes_t reply;             /* NULL: none yet */
    bool is_other;                 /* another request had the key */
} job_answer_t;

/* Fills in what was answered to the key, if anything was. */
db_status_t jobs_store_find_answer(db_conn_t *conn, arena_t *arena,
                                   job_answer_t *answer) MUST_CHECK;

/* Keeps the answer; DB_CONFLICT when somebody else has done so meanwhile. */
db_status_t jobs_store_keep_answer(db_conn_t *conn, const job_answer_t *answer,
                                   int64_t keep_ms) MUST_CHECK;

/* ---- workers (store_workers.c) --------------------------------------------------------------- */

/* Adds one, or renews the lease of the pulling one of that name. */
db_status_t jobs_store_add_worker(db_conn_t *conn, const char *name, bool is_pulling,
                                  int64_t lease_ms, int64_t *id) MUST_CHECK;

/* False in `is_there`: the lease had ended, and somebody has taken it out. */
db_status_t jobs_store_renew_worker(db_conn_t *conn, int64_t id, int64_t lease_ms,
                                    bool *is_there) MUST_CHECK;

/* Renews the lease of the worker that has this run, and notes that it spoke of the run unless that
 * is to be cancelled; false in `is_current` when nobody has it. */
db_status_t jobs_store_extend(db_conn_t *conn, int64_t id, int64_t fence, int64_t lease_ms,
                              bool *is_current, bool *is_cancelled) MUST_CHECK;

/* Takes the worker out; its jobs go back as they were. */
db_status_t jobs_store_remove_worker(db_conn_t *conn, int64_t id, int64_t *released) MUST_CHECK;

/* Its jobs that are to be cancelled, at most `room`. */
db_status_t jobs_store_to_cancel(db_conn_t *conn, int64_t worker_id, int64_t *ids, size_t room,
                                 size_t *count) MUST_CHECK;

/* Its runs; those the worker itself knows nothing of were claimed by a statement whose answer was
 * lost. */
db_status_t jobs_store_runs(db_conn_t *conn, arena_t *arena, int64_t worker_id, job_ref_t **runs,
                            size_t *count) MUST_CHECK;

/* Runs whose worker is gone, at most `room`; `all` counts every worker but pulling ones as gone. */
typedef struct {
    int64_t id, fence, crashes;
    bool was_pulled;
} job_lost_t;
db_status_t jobs_store_lost(db_conn_t *conn, bool all, job_lost_t *lost, size_t room,
                            size_t *count) MUST_CHECK;

/* Runs of workers that fetch of which none has spoken for the job's `timeout_ms`: their worker may
 * never have got them. Reads all runs of such workers. */
db_status_t jobs_store_silent(db_conn_t *conn, job_lost_t *lost, size_t room,
                              size_t *count) MUST_CHECK;

/* Runs whose worker was taken out while it claimed them. Reads all runs. */
db_status_t jobs_store_orphans(db_conn_t *conn, job_lost_t *lost, size_t room,
                               size_t *count) MUST_CHECK;

/* Forgets workers whose lease has ended and that have no runs; `all` as above. */
db_status_t jobs_store_forget_workers(db_conn_t *conn, bool all) MUST_CHECK;

/* ---- time (store_time.c) --------------------------------------------------------------------- */

/* Makes scheduled jobs ready that are due, at most `most`; `each` is told where they are. */
typedef void (*job_due_t)(void *arg, const char *queue, const job_mark_t *at);
db_status_t jobs_store_promote(db_conn_t *conn, size_t most, job_due_t each, void *arg,
                               size_t *count) MUST_CHECK;

/* Deletes what has been kept long enough, at most `most` of each kind; `count` tells how many. Of
 * the progress of jobs some is looked at each time, behind `progress_after`, which is moved on. */
typedef struct {
    int64_t done_ms, dead_ms;
    size_t most;
    int64_t progress_after;
} job_retention_t;
db_status_t jobs_store_purge(db_conn_t *conn, job_retention_t *retention, size_t *count) MUST_CHECK;

/* Reclaims the space of rows that were deleted; nothing to do on SQLite. */
db_status_t jobs_store_vacuum(db_conn_t *conn) MUST_CHECK;

/* ---- queues (store_queues.c) ----------------------------------------------------------------- */

#define JOBS_QUEUES_MAX 1000

typedef struct {
    const char *name;
    bool is_paused, is_pulled;
    int64_t max_running, rate_limit, rate_window_ms;
    int64_t ready, running; /* counted for lists only */
} job_queue_t;

typedef struct {
    job_queue_t *list;
    size_t count;
} job_queues_t;

db_status_t jobs_store_queues(db_conn_t *conn, arena_t *arena, bool counted,
                              job_queues_t *queues) MUST_CHECK;

/* Changes a queue, or makes it: what is -1 stays. */
typedef struct {
    const char *name;
    int64_t is_paused, is_pulled, max_running, rate_limit, rate_window_ms;
} job_queue_change_t;
db_status_t jobs_store_set_queue(db_conn_t *conn, const job_queue_change_t *change) MUST_CHECK;

/* ---- lists (store_lists.c) ------------------------------------------------------------------- */

/* A job in full; what its table does not have is 0 or NULL. */
typedef struct {
    int64_t id, priority, fence, tries, max_attempts, parent_id, replays;
    int64_t crashes, backoff_ms;
    job_state_t state;
    int64_t created_at, run_at, started_at, finished_at;
    const char *kind, *queue, *account, *unique_key, *order_key, *error_code, *error_text;
    job_bytes_t payload, result; /* only of one that was asked for alone */
    int64_t percent;             /* likewise; -1: none told */
    const char *note;
} job_t;

typedef struct {
    job_t *list;
    size_t count;
} jobs_list_t;

typedef enum { TABLE_LIVE, TABLE_DONE, TABLE_DEAD } jobs_table_t;

/* The newest first, those before `before` (an id); `account` NULL: of all accounts. */
db_status_t jobs_store_list(db_conn_t *conn, arena_t *arena, jobs_table_t table,
                            const char *account, int64_t before, size_t limit,
                            jobs_list_t *jobs) MUST_CHECK;

/* NULL in `found`: there is none (of the account, if not NULL). */
db_status_t jobs_store_get(db_conn_t *conn, arena_t *arena, int64_t id, const char *account,
                           const job_t **found) MUST_CHECK;

/* ---- erased accounts (store_erase.c) --------------------------------------------------------- */

/* Deletes what there is of an account that was erased, at most `most` rows of a table; `more` tells
 * whether to call again. */
db_status_t jobs_store_erase(db_t *db, const char *account, int64_t most, bool *more) MUST_CHECK;

/* ---- what its files share -------------------------------------------------------------------- */

/* The database's clock in milliseconds, within a statement. */
#define STORE_NOW_SQLITE   "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
#define STORE_NOW_POSTGRES "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)"

/* That a job runs, where it is found by its id. The plus keeps PostgreSQL from reading the index of
 * those that run instead, where there are the remains of all that ran. */
#define STORE_RUNS "+state = 1"

/* The columns of a job as whoever runs it gets it. */
#define STORE_BEGUN                                                                                \
    "id, fence, run_at, priority, tries, crashes, max_attempts, timeout_ms, backoff_ms, kind,"     \
    " queue, account, order_key, parent_id, failed_children, principal, trace, payload"

/* Is told of a job whose turn it is; its texts are good until it returns. */
typedef void (*job_freed_fn)(void *arg, const job_freed_t *freed);

/* Sequences of jobs of which one runs after the other, as a JSON array in the making. */
typedef struct {
    buf_t json;
    size_t count;
} job_orders_t;

void jobs_store_add_order(job_orders_t *self, const char *account, const char *queue,
                          const char *order_key);

/* Keeps others from adding to these orders and from ending their first jobs until the transaction
 * ends; then lets the first job of each go when nothing of its order is before it. `each`, which
 * may be NULL, is told of those. */
db_status_t jobs_store_lock_orders(db_conn_t *conn, job_orders_t *orders) MUST_CHECK;
db_status_t jobs_store_free_orders(db_conn_t *conn, job_orders_t *orders, job_freed_fn each,
                                   void *arg) MUST_CHECK;

static inline db_param_t jobs_store_bytes(const char *name, job_bytes_t bytes)
{
    return bytes.bytes ? DB_P_BLOB(name, bytes.bytes, bytes.size) : DB_P_NULL(name);
}

job_bytes_t jobs_store_dup_bytes(const db_rows_t *rows, arena_t *arena, const char *column);

/* Appends a member to a JSON object that has one already: bytes as hex, if there are any; a text,
 * or null. */
void jobs_store_add_hex(buf_t *json, const char *name, job_bytes_t bytes);
void jobs_store_add_text(buf_t *json, const char *name, const char *text);

#endif
