/* SPDX-License-Identifier: MPL-2.0
 *
 * on_schedule_change - schedules are paused, go on, are run out of turn, and deleted
 */
#include "config.h"

#include "actors/jobs/schedules.h"

typedef struct {
    call_t *call;
    jobs_t *jobs;
    const schedule_t *schedule; /* NULL: there is none */
    schedule_fired_t fired;
    job_receipt_t receipt;
    bool deleted;
} change_t;

static db_status_t s_get(db_conn_t *conn, change_t *self)
{
    return schedule_store_get(conn, call_arena(self->call), call_principal(self->call)->account,
                              call_text(self->call, "name"), true, &self->schedule);
}

/* Runs `work`, which finds the schedule. False: the call has been answered. */
static bool s_require_change(change_t *self, db_work_t work)
{
    if (!jobs_require_ok(self->call, db_write(call_db(self->call), work, self)))
        return false;
    if (!self->schedule)
        schedule_fail_missing(self->call);
    return self->schedule != NULL;
}

static void s_reply(call_t *call, const schedule_t *schedule)
{
    schedule_pack(call_pack(call), schedule, true);
    call_reply(call, 0);
}

/* ---- pausing --------------------------------------------------------------------------------- */

static db_status_t s_pause_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    db_status_t status = s_get(conn, self);
    if (status == DB_OK && self->schedule)
        status = schedule_store_pause(conn, self->schedule->id);
    return status == DB_OK && self->schedule ? s_get(conn, self) : status;
}

void jobs_on_schedule_pause(call_t *call, void *jobs)
{
    change_t change = { .call = call, .jobs = jobs };
    if (s_require_change(&change, s_pause_work))
        s_reply(call, change.schedule);
}

/* One that is not paused goes on as it does. A zone that is gone is looked for by whoever fires. */
static db_status_t s_resume(db_conn_t *conn, const change_t *self)
{
    char why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE];
    cron_t cron;
    int64_t now_ms, next_s = 0;
    const schedule_t *schedule = self->schedule;
    db_status_t status = schedule_store_now(conn, &now_ms);
    if (status != DB_OK)
        return status;
    const zone_t *zone = zones_get(self->jobs->zones, schedule->zone, zone_why);
    int64_t now_s = now_ms / 1000;
    if (!zone || !cron_parse(&cron, schedule->cron, strlen(schedule->cron), why))
        next_s = now_s;
    else if (!cron_next(&cron, zone, now_s, now_s + CRON_HORIZON_S, &next_s))
        next_s = 0;
    return schedule_store_resume(conn, schedule->id, now_ms, next_s * 1000);
}

static db_status_t s_resume_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    db_status_t status = s_get(conn, self);
    if (status != DB_OK || !self->schedule || !self->schedule->is_paused)
        return status;
    status = s_resume(conn, self);
    return status == DB_OK ? s_get(conn, self) : status;
}

void jobs_on_schedule_resume(call_t *call, void *jobs)
{
    change_t change = { .call = call, .jobs = jobs };
    if (s_require_change(&change, s_resume_work))
        s_reply(call, change.schedule);
}

/* ---- out of turn ----------------------------------------------------------------------------- */

static db_status_t s_run_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    db_status_t status = s_get(conn, self);
    return status == DB_OK && self->schedule
               ? schedule_store_run(conn, call_arena(self->call), self->schedule, &self->fired,
                                    &self->receipt)
               : status;
}

void jobs_on_schedule_run(call_t *call, void *jobs)
{
    change_t change = { .call = call, .jobs = jobs };
    if (!s_require_change(&change, s_run_work))
        return;
    if (!change.receipt.id) {
        call_fail(call, ERROR_CONFLICT, "It is being fired at this very moment");
        return;
    }
    schedules_tell(jobs, &change.fired);
    jobs_pack_receipt(call_pack(call), change.schedule->kind, change.schedule->queue,
                      &change.receipt);
    call_reply(call, 0);
}

/* ---- deleting -------------------------------------------------------------------------------- */

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    return schedule_store_delete(conn, call_principal(self->call)->account,
                                 call_text(self->call, "name"), &self->deleted);
}

void jobs_on_schedule_delete(call_t *call, void *jobs)
{
    change_t change = { .call = call, .jobs = jobs };
    if (!jobs_require_ok(call, db_write(call_db(call), s_delete_work, &change)))
        return;
    if (!change.deleted)
        schedule_fail_missing(call);
    else
        call_reply(call, 0);
}
