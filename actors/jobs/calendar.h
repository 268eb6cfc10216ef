/* SPDX-License-Identifier: MPL-2.0
 *
 * calendar - days of the Gregorian calendar, without time zones
 *
 * A day is counted from 1970-01-01, a wall time in seconds from its midnight as if no clock were
 * ever changed. The arithmetic is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms"):
 * whole eras of 400 years, so that it holds for any year.
 */
#ifndef SIGNALBOX_JOBS_CALENDAR_H
#define SIGNALBOX_JOBS_CALENDAR_H

#include "actors/base/base.h"

#define CALENDAR_DAY_S INT64_C(86400)

typedef struct {
    int64_t year;
    unsigned month, day; /* from 1 */
} date_t;

/* The day of a date; `day` may lie outside its month. */
int64_t calendar_day(int64_t year, unsigned month, int64_t day);

date_t calendar_date(int64_t day);

/* 0 is Sunday. */
unsigned calendar_weekday(int64_t day);

unsigned calendar_month_days(int64_t year, unsigned month);

/* The day a wall time lies on, and the seconds since its midnight. */
static inline int64_t calendar_day_of(int64_t wall_s)
{
    return (wall_s >= 0 ? wall_s : wall_s - (CALENDAR_DAY_S - 1)) / CALENDAR_DAY_S;
}

static inline unsigned calendar_second_of(int64_t wall_s)
{
    return (unsigned)(wall_s - calendar_day_of(wall_s) * CALENDAR_DAY_S);
}

#endif
