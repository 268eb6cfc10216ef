/* SPDX-License-Identifier: MPL-2.0
 *
 * cron - a cron expression, and when it is due next
 *
 * Five fields, minute, hour, day of month, month and day of week, or six with the second first; or
 * @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly. A field is a list of values
 * (5), ranges (9-17), all (*), each with a step (0-30/10, * /15; 5/15 is from 5 to the end). Months
 * and days of the week have names in English (JAN, MON), the week begins with 0 or ends with 7,
 * Sunday. L is the last day of the month, FRIL (or 5L) the last Friday of it.
 *
 * Day of month and day of week: when both are said, either is enough; when one begins with *, both
 * must fit (crontab(5) of Vixie cron and all its children).
 *
 * Changes of the clock, by one rule for each of two kinds of expressions:
 * - One whose hours are all 24 says how often: it goes on through real time. What clocks skip is
 *   not missed, what they show twice is due twice.
 * - Any other names times of the day: each is due once, when clocks first show it or a later time.
 *   A time that is skipped is due at the moment of the jump, together with others that are skipped;
 *   a time that is shown twice is due the first time.
 *
 * Pure: no clock is read, nothing is allocated.
 */
#ifndef SIGNALBOX_JOBS_CRON_H
#define SIGNALBOX_JOBS_CRON_H

#include "actors/jobs/zone.h"

#define CRON_TEXT_BYTES 200 /* of an expression */
#define CRON_WHY_SIZE   240

/* Whoever is due at all is due within this time: February 29 is eight years apart around 2100. */
#define CRON_HORIZON_S (INT64_C(366) * 8 * 86400)

typedef struct {
    uint64_t seconds, minutes; /* a bit for each value, from bit 0 */
    uint32_t hours, days, months;
    uint8_t weekdays;      /* bit 0 is Sunday */
    uint8_t last_weekdays; /* those that only fit in the last seven days of a month */
    bool last_day;         /* the last day of the month fits */
    bool both_days;        /* day of month and day of week must both fit */
} cron_t;

/* Reads an expression; false with a sentence in `why` that names the field and what it may be. */
bool cron_parse(cron_t *self, const char *text, size_t size, char why[CRON_WHY_SIZE]) MUST_CHECK;

/* The first time it is due after `after_s` and until `until_s`, in seconds UTC; false when there is
 * none. */
bool cron_next(const cron_t *self, const zone_t *zone, int64_t after_s, int64_t until_s,
               int64_t *due_s) MUST_CHECK;

#endif
