/* SPDX-License-Identifier: MPL-2.0
 *
 * calendar - days of the Gregorian calendar, without time zones
 */
#include "config.h"

#include "actors/jobs/calendar.h"

#define DAYS_PER_ERA   146097                      /* 400 years */
#define DAYS_TO_EPOCH  719468                      /* from 0000-03-01, where an era begins */
#define EPOCH_WEEKDAY  4                           /* 1970-01-01 was a Thursday */
#define MARCH_MONTH(m) ((m) > 2 ? (m)-3 : (m) + 9) /* months from March: leap days come last */

static int64_t s_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t calendar_day(int64_t year, unsigned month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = s_floor_div(y, 400), year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)MARCH_MONTH(month) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

date_t calendar_date(int64_t day)
{
    int64_t shifted = day + DAYS_TO_EPOCH;
    int64_t era = s_floor_div(shifted, DAYS_PER_ERA), of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march = (unsigned)((5 * of_year + 2) / 153);
    unsigned month = march < 10 ? march + 3 : march - 9;
    return (date_t){ .year = year_of_era + era * 400 + (month <= 2),
                     .month = month,
                     .day = (unsigned)(of_year - (153 * (int64_t)march + 2) / 5 + 1) };
}

unsigned calendar_weekday(int64_t day)
{
    return (unsigned)(day + EPOCH_WEEKDAY - 7 * s_floor_div(day + EPOCH_WEEKDAY, 7));
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
    int64_t next = month == 12 ? calendar_day(year + 1, 1, 1) : calendar_day(year, month + 1, 1);
    return (unsigned)(next - calendar_day(year, month, 1));
}
