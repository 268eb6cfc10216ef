/* SPDX-License-Identifier: MPL-2.0
 *
 * keeping - what the dispatcher does now and then: its lease, jobs that become due, runs whose
 * worker is gone, what has been kept long enough
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/dispatcher_state.h"

#define LEASES_RENEWED 3 /* times within one lease */
#define QUEUES_MS      1000
#define CANCELS_MS     250
#define LOST_MS        1000
#define PURGE_MS       10000
#define DUE_MOST       1000
#define LOST_MOST      200
#define CANCELS_MOST   100
#define RARE_TICKS     10 /* looks for lost runs until one that reads all runs */

/* ---- the lease ------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int64_t id, lease_ms, released;
    bool is_there, all;
} worker_t;

static db_status_t s_add_work(db_conn_t *conn, void *arg)
{
    worker_t *worker = arg;
    return jobs_store_add_worker(conn, worker->name, false, worker->lease_ms, &worker->id);
}

static db_status_t s_renew_work(db_conn_t *conn, void *arg)
{
    worker_t *worker = arg;
    return jobs_store_renew_worker(conn, worker->id, worker->lease_ms, &worker->is_there);
}

static db_status_t s_remove_work(db_conn_t *conn, void *arg)
{
    worker_t *worker = arg;
    return jobs_store_remove_worker(conn, worker->id, &worker->released);
}

/* Each life has a name of its own: what an earlier one left behind is found by its lease. */
static void s_add_worker(dispatcher_t *self)
{
    char name[ID_INSTANCE_SIZE + ID_UUID_SIZE], life[ID_UUID_SIZE];
    snprintf(name, sizeof name, "%s/%s", actor_instance(self->actor), id_uuid7(life));
    worker_t worker = { .name = name, .lease_ms = jobs_settings.lease_s * 1000 };
    const uint64_t begun_ms = clock_ms();
    if (!dispatcher_is_good(self, db_write(self->db, s_add_work, &worker)))
        return;
    self->worker_id = worker.id;
    self->lease_until_ms = begun_ms + (uint64_t)worker.lease_ms;
}

static void s_keep_lease(dispatcher_t *self)
{
    worker_t worker = { .id = self->worker_id, .lease_ms = jobs_settings.lease_s * 1000 };
    const uint64_t begun_ms = clock_ms();
    if (!self->worker_id) {
        s_add_worker(self);
        return;
    }
    if (!dispatcher_is_good(self, db_write(self->db, s_renew_work, &worker)))
        return;
    const bool was_over = begun_ms >= self->lease_until_ms;
    self->lease_until_ms = begun_ms + (uint64_t)worker.lease_ms;
    if (worker.is_there && !was_over)
        return;
    LOG(LOG_WARN, "jobs.lease_lost", LOG_TEXT("instance", actor_instance(self->actor)));
    targets_take_back(self, true); /* our runs may be others' now: their reports will be stale */
    if (!worker.is_there)
        s_add_worker(self);
}

void keeping_leave(dispatcher_t *self)
{
    worker_t worker = { .id = self->worker_id };
    if (!self->worker_id)
        return;
    if (db_write(self->db, s_remove_work, &worker) == DB_OK && worker.released)
        LOG(LOG_INFO, "jobs.released", LOG_INT("jobs", worker.released));
}

/* ---- runs that nobody has -------------------------------------------------------------------- */

static db_status_t s_settle_work(db_conn_t *conn, void *arg)
{
    return jobs_store_settle(conn, arg);
}

/* Writes down ends that no run of ours has; how many counted. */
static size_t s_settle(dispatcher_t *self, job_end_t *ends, size_t count)
{
    size_t accepted = 0;
    job_settling_t settling = { .ends = ends,
                                .settled = arena_array(&self->arena, count, sizeof(job_settled_t)),
                                .count = count,
                                .arena = &self->arena,
                                .wishes = self->wishes };
    if (count == 0 || !dispatcher_is_good(self, db_write(self->db, s_settle_work, &settling)))
        return 0;
    for (size_t i = 0; i < count; i++)
        accepted += settling.settled[i].is_accepted;
    jobs_tell_settled(self->actor, self, &settling);
    return accepted;
}

/* After an answer of the database was lost: what was claimed by a statement whose result we have
 * not seen goes back. */
static void s_reconcile(dispatcher_t *self)
{
    job_ref_t *runs = NULL;
    size_t count = 0, unknown = 0;
    db_conn_t *conn = db_conn(self->db);
    db_status_t status =
        conn ? jobs_store_runs(conn, &self->arena, self->worker_id, &runs, &count) : DB_UNAVAILABLE;
    if (!dispatcher_is_good(self, status))
        return;
    job_end_t *ends = arena_array(&self->arena, count, sizeof *ends);
    monitor_lock(&self->monitor);
    for (size_t i = 0; i < count; i++)
        if (!runs_find(self, &runs[i]))
            ends[unknown++] =
                (job_end_t){ .id = runs[i].id, .fence = runs[i].fence, .how = SETTLE_BACK };
    monitor_unlock(&self->monitor);
    self->must_reconcile = false; /* unless writing this down fails again */
    size_t given_back = s_settle(self, ends, unknown);
    if (given_back)
        LOG(LOG_INFO, "jobs.reconciled", LOG_INT("jobs", given_back));
}

/* A worker that fetched its jobs and is gone may have been taken down by one of them; a dispatcher
 * only calls. */
static job_end_t s_judge_lost(const job_lost_t *lost)
{
    static const failure_t gone = { .code = ERROR_WORKER_LOST };
    if (!lost->was_pulled)
        return (job_end_t){ .id = lost->id, .fence = lost->fence, .how = SETTLE_BACK };
    return verdict(&(verdict_run_t){ .id = lost->id,
                                     .fence = lost->fence,
                                     .crashes = lost->crashes,
                                     .backoff_ms = VERDICT_ABSENT_MS,
                                     .random = id_random_u64() },
                   &gone);
}

static db_status_t s_forget_work(db_conn_t *conn, void *arg)
{
    return jobs_store_forget_workers(conn, ((const worker_t *)arg)->all);
}

/* Reads some of the runs that are to be given to others. */
typedef db_status_t (*lost_fn)(db_conn_t *conn, bool all, job_lost_t *lost, size_t *count);

static db_status_t s_find_lost(db_conn_t *conn, bool all, job_lost_t *lost, size_t *count)
{
    return jobs_store_lost(conn, all, lost, LOST_MOST, count);
}

static db_status_t s_find_orphans(db_conn_t *conn, bool all, job_lost_t *lost, size_t *count)
{
    (void)all;
    return jobs_store_orphans(conn, lost, LOST_MOST, count);
}

static db_status_t s_find_silent(db_conn_t *conn, bool all, job_lost_t *lost, size_t *count)
{
    (void)all;
    return jobs_store_silent(conn, lost, LOST_MOST, count);
}

/* False when the database has failed. */
static bool s_give_to_others(dispatcher_t *self, lost_fn find, bool all)
{
    job_lost_t lost[LOST_MOST];
    size_t count = 0;
    do {
        db_conn_t *conn = db_conn(self->db);
        if (!dispatcher_is_good(self, conn ? find(conn, all, lost, &count) : DB_UNAVAILABLE))
            return false;
        job_end_t *ends = arena_array(&self->arena, count, sizeof *ends);
        for (size_t i = 0; i < count; i++)
            ends[i] = s_judge_lost(&lost[i]);
        size_t recovered = s_settle(self, ends, count);
        dispatcher_count(self, JOBS_LOST, (int64_t)recovered);
        if (recovered) {
            LOG(LOG_WARN, "jobs.recovered", LOG_INT("jobs", recovered));
            dispatcher_look(self);
        }
    } while (count == LOST_MOST && clock_ms() >= self->pause_until);
    return clock_ms() >= self->pause_until;
}

/* `all`: only one process has the database, so whoever else was a worker has ended. */
static void s_recover(dispatcher_t *self, bool all)
{
    worker_t workers = { .all = all };
    if (s_give_to_others(self, s_find_lost, all) &&
        (self->lost_ticks++ % RARE_TICKS != 0 || (s_give_to_others(self, s_find_orphans, all) &&
                                                  s_give_to_others(self, s_find_silent, all))))
        self->has_recovered = dispatcher_is_good(self, db_write(self->db, s_forget_work, &workers));
}

static void s_keep_lost(dispatcher_t *self)
{
    s_recover(self, false);
}

/* ---- what others have changed ---------------------------------------------------------------- */

static void s_keep_queues(dispatcher_t *self)
{
    job_queues_t queues;
    db_conn_t *conn = db_conn(self->db);
    db_status_t status =
        conn ? jobs_store_queues(conn, &self->arena, false, &queues) : DB_UNAVAILABLE;
    if (!dispatcher_is_good(self, status))
        return;
    monitor_lock(&self->monitor);
    self->must_take_back |= lanes_set(&self->lanes, &queues);
    monitor_unlock(&self->monitor);
}

static void s_keep_cancels(dispatcher_t *self)
{
    int64_t ids[CANCELS_MOST];
    size_t count = 0;
    db_conn_t *conn = db_conn(self->db);
    db_status_t status =
        conn ? jobs_store_to_cancel(conn, self->worker_id, ids, CANCELS_MOST, &count)
             : DB_UNAVAILABLE;
    if (dispatcher_is_good(self, status))
        for (size_t i = 0; i < count; i++)
            dispatcher_cancel(self, ids[i]);
}

/* ---- time ------------------------------------------------------------------------------------ */

typedef struct {
    dispatcher_t *dispatcher;
    size_t count;
} promoting_t;

static void s_on_due(void *arg, const char *queue, const job_mark_t *at)
{
    promoting_t *self = arg;
    monitor_lock(&self->dispatcher->monitor);
    lanes_hint(&self->dispatcher->lanes, queue, at);
    monitor_unlock(&self->dispatcher->monitor);
}

static db_status_t s_promote_work(db_conn_t *conn, void *arg)
{
    promoting_t *self = arg;
    return jobs_store_promote(conn, DUE_MOST, s_on_due, self, &self->count);
}

static void s_keep_due(dispatcher_t *self)
{
    promoting_t promoting = { .dispatcher = self };
    if (dispatcher_is_good(self, db_write(self->db, s_promote_work, &promoting)) &&
        promoting.count == DUE_MOST)
        self->due_ms[KEEPING_DUE] = 0; /* there are more */
}

typedef struct {
    job_retention_t retention;
    size_t count;
} purging_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purging_t *self = arg;
    return jobs_store_purge(conn, &self->retention, &self->count);
}

static void s_keep_purge(dispatcher_t *self)
{
    purging_t purging = { .retention = { .done_ms = jobs_settings.done_hours * 3600000,
                                         .dead_ms = jobs_settings.dead_days * 86400000,
                                         .most = DISPATCHER_PURGE_MOST,
                                         .progress_after = self->progress_after } };
    if (!dispatcher_is_good(self, db_write(self->db, s_purge_work, &purging)))
        return;
    self->progress_after = purging.retention.progress_after;
    dispatcher_count(self, JOBS_PURGED, (int64_t)purging.count);
    if (purging.count >= DISPATCHER_PURGE_MOST)
        self->due_ms[KEEPING_PURGE] = 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static uint64_t s_every_ms(keeping_step_t step)
{
    const uint64_t every_ms[KEEPING_STEPS] = {
        [KEEPING_LEASE] = (uint64_t)jobs_settings.lease_s * 1000 / LEASES_RENEWED,
        [KEEPING_QUEUES] = QUEUES_MS,
        [KEEPING_DUE] = (uint64_t)jobs_settings.poll_ms,
        [KEEPING_CANCELS] = CANCELS_MS,
        [KEEPING_LOST] = LOST_MS,
        [KEEPING_PURGE] = PURGE_MS,
    };
    return every_ms[step];
}

static bool s_take_reload(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    bool must = self->must_reload;
    self->must_reload = false;
    monitor_unlock(&self->monitor);
    return must;
}

uint64_t keeping_work(dispatcher_t *self)
{
    static void (*const steps[KEEPING_STEPS])(dispatcher_t * self) = {
        [KEEPING_LEASE] = s_keep_lease, [KEEPING_QUEUES] = s_keep_queues,
        [KEEPING_DUE] = s_keep_due,     [KEEPING_CANCELS] = s_keep_cancels,
        [KEEPING_LOST] = s_keep_lost,   [KEEPING_PURGE] = s_keep_purge,
    };
    uint64_t next_ms = UINT64_MAX;
    if (clock_ms() < self->pause_until)
        return self->pause_until;
    if (!self->has_recovered && db_is_sqlite(self->db))
        s_recover(self, true);
    if (s_take_reload(self))
        self->due_ms[KEEPING_QUEUES] = 0;
    for (keeping_step_t step = 0; step < KEEPING_STEPS; step++) {
        const uint64_t now_ms = clock_ms();
        if (now_ms < self->pause_until)
            return self->pause_until;
        if (now_ms >= self->due_ms[step] && (step == KEEPING_LEASE || self->worker_id)) {
            self->due_ms[step] = now_ms + s_every_ms(step);
            steps[step](self);
        }
        if (self->due_ms[step] < next_ms)
            next_ms = self->due_ms[step];
    }
    if (self->must_reconcile && self->worker_id)
        s_reconcile(self);
    monitor_lock(&self->monitor);
    uint64_t lanes_ms = lanes_next_ms(&self->lanes);
    monitor_unlock(&self->monitor);
    return lanes_ms < next_ms ? lanes_ms : next_ms;
}
