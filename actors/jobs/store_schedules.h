/* SPDX-License-Identifier: MPL-2.0
 *
 * store_schedules - the SQL of schedules and of their firings
 *
 * As in store.h: functions work on a connection, so that several make one transaction; times are
 * milliseconds of the database's clock, 0 is never; what is not there is no failure; results are in
 * the arena.
 */
#ifndef SIGNALBOX_JOBS_STORE_SCHEDULES_H
#define SIGNALBOX_JOBS_STORE_SCHEDULES_H

#include "actors/jobs/cron.h"
#include "actors/jobs/store.h"
#include "actors/jobs/zones.h"

extern const db_sql_t *const jobs_store_schedules_lookups[],
    *const jobs_store_fires_lookups[]; /* as in store.h */

typedef struct {
    int64_t id;
    const char *account; /* "": a service's own */
    const char *name, *cron, *zone, *kind, *queue;
    int64_t priority, max_attempts, timeout_ms, backoff_ms;
    int64_t catch_up;
    bool skips_overlap, is_paused;
    int64_t decided_until, next_at, last_at, missed, created_at, updated_at;
    job_bytes_t principal, payload;
} schedule_t;

/* ---- schedules (store_schedules.c) ----------------------------------------------------------- */

/* The database's clock. */
db_status_t schedule_store_now(db_conn_t *conn, int64_t *now_ms) MUST_CHECK;

typedef enum { SCHEDULE_MADE, SCHEDULE_CHANGED, SCHEDULE_OVER_LIMIT } schedule_put_t;

/* Makes the schedule, or changes the account's one of that name. One whose times stay the same goes
 * on where it was, so that putting it again passes over nothing; else it begins anew. `limit` is
 * how many the account may have. */
db_status_t schedule_store_put(db_conn_t *conn, arena_t *arena, const schedule_t *schedule,
                               const cron_t *cron, const zone_t *zone, int64_t limit,
                               schedule_put_t *what) MUST_CHECK;

/* NULL in `found`: the account has none of that name. Locked until the transaction ends if `lock`,
 * which is for transactions that write. */
db_status_t schedule_store_get(db_conn_t *conn, arena_t *arena, const char *account,
                               const char *name, bool lock, const schedule_t **found) MUST_CHECK;

typedef struct {
    schedule_t *list;
    size_t count;
} schedules_t;

/* The newest first, those before `before` (an id). */
db_status_t schedule_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                                int64_t before, size_t limit, schedules_t *schedules) MUST_CHECK;

db_status_t schedule_store_delete(db_conn_t *conn, const char *account, const char *name,
                                  bool *deleted) MUST_CHECK;

/* Pauses it, or lets it go on from `now_ms`, to be looked at at `next_at`. */
db_status_t schedule_store_pause(db_conn_t *conn, int64_t id) MUST_CHECK;
db_status_t schedule_store_resume(db_conn_t *conn, int64_t id, int64_t now_ms,
                                  int64_t next_at) MUST_CHECK;

/* After the database's clock was put back: schedules that were decided about for times that have
 * yet to come go on from now. Reads all schedules; `count` is how many that were. */
#define SCHEDULE_CLOCK_MARGIN_MS 60000 /* less is not worth it */
db_status_t schedule_store_pull_back(db_conn_t *conn, int64_t *count) MUST_CHECK;

/* ---- firings (store_fires.c) ----------------------------------------------------------------- */

/* A job that was enqueued, for who tells the world about it. */
typedef struct {
    const schedule_t *schedule;
    job_receipt_t receipt;
} schedule_job_t;

typedef struct {
    schedule_job_t *jobs;
    size_t count;
    size_t skipped;   /* the job of an earlier time was not over */
    int64_t missed;   /* late, and not made up */
    size_t broken;    /* schedules whose zone or expression cannot be read any more */
    bool may_be_more; /* look again at once */
} schedule_fired_t;

/* Fires what is due: decides about some schedules that nobody else is deciding about. To be
 * committed as a whole. */
db_status_t schedule_store_fire(db_conn_t *conn, arena_t *arena, zones_t *zones,
                                schedule_fired_t *fired) MUST_CHECK;

/* Enqueues a schedule's job now, out of turn. `receipt` is of the job that is not over, if that is
 * why there is no new one; its id is 0 when the schedule is fired in this very millisecond anyway.
 */
db_status_t schedule_store_run(db_conn_t *conn, arena_t *arena, const schedule_t *schedule,
                               schedule_fired_t *fired, job_receipt_t *receipt) MUST_CHECK;

typedef struct {
    int64_t fire_at, fired_at;
    int64_t job_id; /* 0: skipped */
} schedule_fire_t;

typedef struct {
    schedule_fire_t *list;
    size_t count;
} schedule_fires_t;

/* A schedule's firings before `before_ms`, the newest first. */
db_status_t schedule_store_fires(db_conn_t *conn, arena_t *arena, int64_t id, int64_t before_ms,
                                 size_t limit, schedule_fires_t *fires) MUST_CHECK;

/* Forgets firings older than `age_ms`, at most `most`. */
db_status_t schedule_store_purge(db_conn_t *conn, int64_t age_ms, size_t most,
                                 size_t *count) MUST_CHECK;

/* ---- what its files share -------------------------------------------------------------------- */

/* Columns of a schedule `s` that make a schedule_t. */
#define SCHEDULE_COLUMNS                                                                           \
    "s.id AS id, s.account AS account, s.name AS name, s.cron AS cron, s.zone AS zone,"            \
    " s.kind AS kind, s.queue AS queue, s.priority AS priority, s.max_attempts AS max_attempts,"   \
    " s.timeout_ms AS timeout_ms, s.backoff_ms AS backoff_ms, s.catch_up AS catch_up,"             \
    " s.skips_overlap AS skips_overlap, s.is_paused AS is_paused,"                                 \
    " s.decided_until AS decided_until, s.next_at AS next_at, s.last_at AS last_at,"               \
    " s.missed AS missed, s.created_at AS created_at, s.updated_at AS updated_at,"                 \
    " s.principal AS principal, s.payload AS payload"

/* The present row's. */
schedule_t schedule_store_read(const db_rows_t *rows, arena_t *arena);

#endif
