/* SPDX-License-Identifier: MPL-2.0
 *
 * cron - when an expression is due: first on the clock on the wall, then in the world
 */
#include "config.h"

#include "actors/jobs/calendar.h"
#include "actors/jobs/cron.h"

#define ALL_HOURS 0xffffffu

/* ---- wall time ------------------------------------------------------------------------------- */

/* The first value of a set from `from` on; -1 when there is none. */
static int s_at_least(uint64_t set, unsigned from)
{
    uint64_t rest = from < 64 ? set >> from << from : 0;
    return rest ? __builtin_ctzll(rest) : -1;
}

static bool s_fits_day(const cron_t *self, const date_t *date, int64_t day)
{
    unsigned weekday = 1u << calendar_weekday(day),
             last = calendar_month_days(date->year, date->month);
    bool of_month = (self->days >> date->day & 1) || (self->last_day && date->day == last);
    bool of_week =
        (self->weekdays & weekday) || ((self->last_weekdays & weekday) && date->day + 7 > last);
    return self->both_days ? of_month && of_week : of_month || of_week;
}

/* The first second of a day that fits, from `from` on; -1 when there is none. */
static int s_time_of_day(const cron_t *self, unsigned from)
{
    unsigned minute_from = from / 60 % 60, second_from = from % 60;
    for (int hour = s_at_least(self->hours, from / 3600); hour >= 0;
         hour = s_at_least(self->hours, (unsigned)hour + 1)) {
        if ((unsigned)hour != from / 3600)
            minute_from = second_from = 0;
        for (int minute = s_at_least(self->minutes, minute_from); minute >= 0;
             minute = s_at_least(self->minutes, (unsigned)minute + 1)) {
            if ((unsigned)minute != minute_from)
                second_from = 0;
            int second = s_at_least(self->seconds, second_from);
            if (second >= 0)
                return hour * 3600 + minute * 60 + second;
        }
    }
    return -1;
}

/* The first wall time that fits, from `from` to `until`, both included. */
static bool s_next_on_wall(const cron_t *self, int64_t from, int64_t until, int64_t *wall_s)
{
    int64_t day = calendar_day_of(from);
    unsigned second = calendar_second_of(from);
    while (day * CALENDAR_DAY_S <= until) {
        date_t date = calendar_date(day);
        if (!(self->months >> date.month & 1)) {
            day += calendar_month_days(date.year, date.month) - (date.day - 1);
            second = 0;
            continue;
        }
        int time = s_fits_day(self, &date, day) ? s_time_of_day(self, second) : -1;
        if (time >= 0) {
            *wall_s = day * CALENDAR_DAY_S + time;
            return *wall_s <= until;
        }
        day++;
        second = 0;
    }
    return false;
}

/* ---- the world ------------------------------------------------------------------------------- */

/* Goes on through real time: between two changes of the clock the wall runs beside the world. */
static bool s_next_in_real_time(const cron_t *self, const zone_t *zone, int64_t after_s,
                                int64_t until_s, int64_t *due_s)
{
    for (int64_t at = after_s + 1; at <= until_s;) {
        zone_span_t span = zone_span(zone, at);
        int64_t last = span.to <= until_s ? span.to - 1 : until_s, wall_s;
        if (s_next_on_wall(self, at + span.offset, last + span.offset, &wall_s)) {
            *due_s = wall_s - span.offset;
            return true;
        }
        at = last + 1;
    }
    return false;
}

/* Of the times that no clock has shown yet the first is due first, since `zone_first` keeps their
 * order. */
static bool s_next_of_times(const cron_t *self, const zone_t *zone, int64_t after_s,
                            int64_t until_s, int64_t *due_s)
{
    int64_t wall_s;
    if (!s_next_on_wall(self, zone_latest(zone, after_s) + 1, until_s + ZONE_OFFSET_MAX, &wall_s))
        return false;
    *due_s = zone_first(zone, wall_s);
    return *due_s <= until_s;
}

bool cron_next(const cron_t *self, const zone_t *zone, int64_t after_s, int64_t until_s,
               int64_t *due_s)
{
    return self->hours == ALL_HOURS ? s_next_in_real_time(self, zone, after_s, until_s, due_s)
                                    : s_next_of_times(self, zone, after_s, until_s, due_s);
}
