/* SPDX-License-Identifier: MPL-2.0
 *
 * on_schedule_put - schedules are made and changed
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/schedule.h"
#include "actors/jobs/schedules.h"

#define INTERVALS_SEEN 100 /* of the next times, to find the shortest */

typedef struct {
    call_t *call;
    schedule_t schedule;
    cron_t cron;
    const zone_t *zone;
    int64_t limit;
    schedule_put_t what;
    const schedule_t *stored;
} put_t;

/* How many schedules an account of that tier may have. */
static int64_t s_limit(const principal_t *who)
{
    const struct {
        const char *tier;
        int64_t limit;
    } limits[] = { { "pro", jobs_settings.schedules_pro },
                   { "enterprise", jobs_settings.schedules_enterprise } };
    if (!who->account[0])
        return INT64_MAX;
    for (size_t i = 0; i < COUNT_OF(limits); i++)
        if (strcmp(who->tier, limits[i].tier) == 0)
            return limits[i].limit;
    return jobs_settings.schedules_free;
}

/* Services may do as they like; nobody makes a schedule that is never due. */
static bool s_require_sense(const put_t *self)
{
    int64_t due, now_s = clock_wall_ms() / 1000, least = jobs_settings.schedule_interval_s;
    if (!cron_next(&self->cron, self->zone, now_s, now_s + CRON_HORIZON_S, &due)) {
        call_fail(self->call, ERROR_UNPROCESSABLE,
                  "`cron` is never due: there is no such day in the next eight years");
        return false;
    }
    if (!call_principal(self->call)->account[0] ||
        schedule_shortest(&self->cron, self->zone, now_s, INTERVALS_SEEN) >= least)
        return true;
    call_fail(self->call, ERROR_UNPROCESSABLE,
              "`cron` is due more often than every %" PRId64 " seconds, the least that is offered",
              least);
    return false;
}

/* False: the call has been answered. */
static bool s_read(put_t *self, jobs_t *jobs)
{
    job_new_t job;
    call_t *call = self->call;
    if (!jobs_require_plan(jobs, call, &job))
        return false;
    self->schedule = (schedule_t){
        .account = job.account,
        .name = call_text(call, "name"),
        .cron = call_text(call, "cron"),
        .zone = call_text(call, "zone"),
        .kind = job.kind,
        .queue = job.queue,
        .priority = job.priority,
        .max_attempts = job.max_attempts,
        .timeout_ms = job.timeout_ms,
        .backoff_ms = job.backoff_ms,
        .catch_up = call_int(call, "catch_up"),
        .skips_overlap = strcmp(call_text(call, "overlap"), "skip") == 0,
        .principal = job.principal,
        .payload = job.payload,
    };
    self->limit = s_limit(call_principal(call));
    return schedule_require_times(call, jobs->zones, &self->schedule, &self->cron, &self->zone) &&
           s_require_sense(self);
}

static db_status_t s_work(db_conn_t *conn, void *arg)
{
    put_t *self = arg;
    arena_t *arena = call_arena(self->call);
    db_status_t status = schedule_store_put(conn, arena, &self->schedule, &self->cron, self->zone,
                                            self->limit, &self->what);
    return status == DB_OK && self->what != SCHEDULE_OVER_LIMIT
               ? schedule_store_get(conn, arena, self->schedule.account, self->schedule.name, false,
                                    &self->stored)
               : status;
}

void jobs_on_schedule_put(call_t *call, void *jobs)
{
    put_t put = { .call = call };
    if (!s_read(&put, jobs) || !jobs_require_ok(call, db_write(call_db(call), s_work, &put)))
        return;
    if (put.what == SCHEDULE_OVER_LIMIT) {
        call_fail(call, ERROR_CONFLICT,
                  "The account has %" PRId64 " schedules, as many as its tier allows: delete one",
                  put.limit);
        return;
    }
    schedule_pack(call_pack(call), put.stored, true);
    call_reply(call, put.what == SCHEDULE_MADE ? 201 : 200);
}
