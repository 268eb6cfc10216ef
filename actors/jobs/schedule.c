/* SPDX-License-Identifier: MPL-2.0
 *
 * schedule - which times of an expression are to be fired now
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/schedule.h"

/* Of the late ones the last are kept: they stand first. */
static void s_add_late(schedule_plan_t *self, int64_t due, size_t catch_up)
{
    if (catch_up == 0 || self->count == catch_up)
        self->missed++;
    if (catch_up == 0)
        return;
    if (self->count == catch_up)
        memmove(self->fires, self->fires + 1, --self->count * sizeof self->fires[0]);
    self->fires[self->count++] = due;
}

void schedule_plan(schedule_plan_t *self, const cron_t *cron, const zone_t *zone, int64_t decided_s,
                   int64_t now_s, size_t catch_up)
{
    int64_t due = decided_s;
    insist(catch_up <= SCHEDULE_CATCH_UP_MAX);
    *self = (schedule_plan_t){ 0 };
    if (due < now_s - SCHEDULE_LOOK_BACK_S)
        due = now_s - SCHEDULE_LOOK_BACK_S;
    while (cron_next(cron, zone, due, now_s, &due)) {
        if (due < now_s - SCHEDULE_GRACE_S)
            s_add_late(self, due, catch_up);
        else
            self->fires[self->count++] = due;
    }
    int64_t from = now_s > decided_s ? now_s : decided_s;
    if (!cron_next(cron, zone, from, from + CRON_HORIZON_S, &self->next_s))
        self->next_s = 0;
}

int64_t schedule_shortest(const cron_t *cron, const zone_t *zone, int64_t now_s, size_t count)
{
    int64_t due = now_s, last = 0, shortest = INT64_MAX;
    for (size_t i = 0; i < count && cron_next(cron, zone, due, due + CRON_HORIZON_S, &due); i++) {
        if (i > 0 && due - last < shortest)
            shortest = due - last;
        last = due;
    }
    return shortest;
}
