/* SPDX-License-Identifier: MPL-2.0
 *
 * schedules - the part of the jobs actor that enqueues jobs at their times
 *
 * Any instance fires: each second one of its threads looks for what is due (store_fires.c says why
 * no time is fired twice), and enqueues, in the name of whoever put the schedule.
 */
#ifndef SIGNALBOX_JOBS_SCHEDULES_H
#define SIGNALBOX_JOBS_SCHEDULES_H

#include "actors/jobs/jobs.h"
#include "actors/jobs/store_schedules.h"

#define SCHEDULES_LIST 10 /* of cursors, after those of jobs */
#define FIRES_LIST     11

/* Fires what is due and forgets old firings. */
void schedules_tick(jobs_t *self);

/* Tells of jobs that schedules have enqueued, after the commit. */
void schedules_tell(jobs_t *self, const schedule_fired_t *fired);

jobs_handler_t jobs_on_schedule_put;                            /* on_schedule_put.c */
jobs_handler_t jobs_on_schedule_get, jobs_on_schedule_list;     /* on_schedules.c */
jobs_handler_t jobs_on_schedule_next, jobs_on_schedule_fires;   /* likewise */
jobs_handler_t jobs_on_schedule_delete, jobs_on_schedule_run;   /* on_schedule_change.c */
jobs_handler_t jobs_on_schedule_pause, jobs_on_schedule_resume; /* likewise */

/* ---- what they share (on_schedules.c) -------------------------------------------------------- */

/* The expression and the zone of a schedule. False: the call has been answered. */
bool schedule_require_times(call_t *call, zones_t *zones, const schedule_t *schedule, cron_t *cron,
                            const zone_t **zone);

/* The caller's schedule that the field `name` names; NULL: the call has been answered. */
const schedule_t *schedule_require(call_t *call);
void schedule_fail_missing(call_t *call);

/* Packs a schedule, with its payload if `in_full`. */
void schedule_pack(pack_t *pack, const schedule_t *schedule, bool in_full);

#endif
