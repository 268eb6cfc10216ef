/* SPDX-License-Identifier: MPL-2.0
 *
 * schedule - which times of an expression are to be fired now
 *
 * A schedule remembers until when it has decided. Whoever looks next decides about the times since
 * then: what is due, or late by no more than SCHEDULE_GRACE_S, is fired; of what is later than that
 * (nobody looked: everything was down) the last few are made up, as many as the schedule wants, and
 * the rest is missed and counted. What is older than SCHEDULE_LOOK_BACK_S is forgotten.
 *
 * Deciding from the last decision on, instead of remembering the next time, is why a change of the
 * time zone data, or of the database's clock, neither repeats a time nor passes over one.
 */
#ifndef SIGNALBOX_JOBS_SCHEDULE_H
#define SIGNALBOX_JOBS_SCHEDULE_H

#include "actors/jobs/cron.h"

#define SCHEDULE_GRACE_S      30
#define SCHEDULE_LOOK_BACK_S  (INT64_C(7) * 86400)
#define SCHEDULE_CATCH_UP_MAX 100
#define SCHEDULE_FIRES_MAX    (SCHEDULE_CATCH_UP_MAX + SCHEDULE_GRACE_S + 1)

typedef struct {
    int64_t fires[SCHEDULE_FIRES_MAX]; /* in seconds, the earliest first */
    size_t count;
    int64_t missed; /* due times that are not fired any more */
    int64_t next_s; /* when to look again; 0: it is never due again */
} schedule_plan_t;

/* Decides about the times after `decided_s` and until `now_s`. */
void schedule_plan(schedule_plan_t *self, const cron_t *cron, const zone_t *zone, int64_t decided_s,
                   int64_t now_s, size_t catch_up);

/* The shortest time between two of the next `count` times, in seconds; INT64_MAX when there are not
 * two. */
int64_t schedule_shortest(const cron_t *cron, const zone_t *zone, int64_t now_s, size_t count);

#endif
