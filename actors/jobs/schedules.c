/* SPDX-License-Identifier: MPL-2.0
 *
 * schedules - fires what is due, each second
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/jobs/schedules.h"

#define LOOKS_MOST    100 /* of one second: transactions */
#define CLOCK_TICKS   10
#define PURGE_MOST    500 /* firings forgotten at once */
#define FIRES_KEPT_MS (7 * INT64_C(86400000))

typedef struct {
    jobs_t *jobs;
    arena_t arena;
    schedule_fired_t fired;
} look_t;

static db_status_t s_fire_work(db_conn_t *conn, void *arg)
{
    look_t *look = arg;
    return schedule_store_fire(conn, &look->arena, look->jobs->zones, &look->fired);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static db_status_t s_pull_back_work(db_conn_t *conn, void *arg)
{
    return schedule_store_pull_back(conn, arg);
}

/* One that was ahead for a while would keep schedules silent until it is that late again. Who
 * starts does not know what it was before. */
static void s_mind_clock(jobs_t *self)
{
    int64_t now_ms, count = 0;
    db_t *db = actor_db(self->actor);
    db_conn_t *conn = db_conn(db);
    if (!conn || schedule_store_now(conn, &now_ms) != DB_OK)
        return;
    const bool was_ahead = now_ms < self->clock_ms - SCHEDULE_CLOCK_MARGIN_MS;
    if ((!self->clock_ms || was_ahead) && db_write(db, s_pull_back_work, &count) != DB_OK)
        return;
    self->clock_ms = now_ms;
    if (count)
        LOG(LOG_WARN, "jobs.clock_put_back", LOG_INT("schedules", count));
}

/* ---- each second ----------------------------------------------------------------------------- */

typedef struct {
    size_t count;
} purge_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purge_t *purge = arg;
    return schedule_store_purge(conn, FIRES_KEPT_MS, PURGE_MOST, &purge->count);
}

void schedules_tell(jobs_t *self, const schedule_fired_t *fired)
{
    for (size_t i = 0; i < fired->count; i++) {
        const schedule_job_t *job = &fired->jobs[i];
        const job_begun_t told = { .id = job->receipt.id,
                                   .kind = job->schedule->kind,
                                   .queue = job->schedule->queue,
                                   .account = job->schedule->account };
        jobs_publish(self->actor, TOPIC_JOBS_ENQUEUED, &told, job->receipt.state, NULL);
        if (job->receipt.state == JOB_READY)
            jobs_wake(self, told.queue,
                      &(job_mark_t){ job->schedule->priority, job->receipt.run_at });
    }
    stats_t *stats = actor_stats(self->actor);
    stats_add(stats, JOBS_ENQUEUED, (int64_t)fired->count);
    stats_add(stats, JOBS_FIRED, (int64_t)fired->count);
    stats_add(stats, JOBS_FIRES_SKIPPED, (int64_t)fired->skipped);
    stats_add(stats, JOBS_FIRES_MISSED, fired->missed);
    if (fired->broken)
        LOG(LOG_WARN, "jobs.schedule_broken", LOG_INT("schedules", (int64_t)fired->broken),
            LOG_TEXT("about", "their time zone is gone; they wait until it is back"));
}

void schedules_tick(jobs_t *self)
{
    db_t *db = actor_db(self->actor);
    look_t look = { .jobs = self };
    purge_t purge = { 0 };
    bool goes_on = true;
    if (self->ticks++ % CLOCK_TICKS == 0)
        s_mind_clock(self);
    for (size_t i = 0; goes_on && i < LOOKS_MOST; i++) {
        goes_on = db_write(db, s_fire_work, &look) == DB_OK;
        if (goes_on)
            schedules_tell(self, &look.fired);
        goes_on = goes_on && look.fired.may_be_more;
        arena_reset(&look.arena);
    }
    arena_free(&look.arena);
    if (db_write(db, s_purge_work, &purge) == DB_OK)
        stats_add(actor_stats(self->actor), JOBS_PURGED, (int64_t)purge.count);
}
