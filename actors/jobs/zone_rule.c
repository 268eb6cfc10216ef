/* SPDX-License-Identifier: MPL-2.0
 *
 * zone_rule - the footer of a TZif file: how clocks are changed each year from then on
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/calendar.h"
#include "actors/jobs/zone_rule.h"

#define HOUR_S        3600
#define CHANGE_TIME_S (2 * HOUR_S) /* of a change whose time is not said */

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
} text_t;

static bool s_take(text_t *text, char expected)
{
    if (text->at >= text->end || *text->at != expected)
        return false;
    text->at++;
    return true;
}

static bool s_is_digit(const text_t *text)
{
    return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

static bool s_read_number(text_t *text, unsigned min, unsigned max, unsigned *number)
{
    if (!s_is_digit(text))
        return false;
    for (*number = 0; s_is_digit(text); text->at++) {
        *number = *number * 10 + (unsigned)(*text->at - '0');
        if (*number > max)
            return false;
    }
    return *number >= min;
}

/* Three letters or more, or anything between angle brackets. */
static bool s_skip_name(text_t *text)
{
    if (s_take(text, '<')) {
        while (text->at < text->end && *text->at != '>')
            text->at++;
        return s_take(text, '>');
    }
    const char *first = text->at;
    while (text->at < text->end &&
           ((*text->at >= 'A' && *text->at <= 'Z') || (*text->at >= 'a' && *text->at <= 'z')))
        text->at++;
    return text->at - first >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool s_read_time(text_t *text, unsigned max_hours, int32_t *seconds)
{
    unsigned hours, minutes = 0, rest = 0;
    bool is_negative = s_take(text, '-');
    if (!is_negative)
        (void)s_take(text, '+');
    if (!s_read_number(text, 0, max_hours, &hours) ||
        (s_take(text, ':') && (!s_read_number(text, 0, 59, &minutes) ||
                               (s_take(text, ':') && !s_read_number(text, 0, 59, &rest)))))
        return false;
    *seconds = (int32_t)(hours * HOUR_S + minutes * 60 + rest);
    if (is_negative)
        *seconds = -*seconds;
    return true;
}

/* POSIX counts westward. */
static bool s_read_offset(text_t *text, int32_t *offset)
{
    if (!s_read_time(text, 24, offset))
        return false;
    *offset = -*offset;
    return true;
}

static bool s_read_day(text_t *text, zone_day_t *day)
{
    *day = (zone_day_t){ .kind = ZONE_DAY_OF_YEAR, .time_s = CHANGE_TIME_S };
    bool good;
    if (s_take(text, 'M')) {
        day->kind = ZONE_DAY_OF_WEEK;
        good = s_read_number(text, 1, 12, &day->month) && s_take(text, '.') &&
               s_read_number(text, 1, 5, &day->week) && s_take(text, '.') &&
               s_read_number(text, 0, 6, &day->day);
    } else if (s_take(text, 'J')) {
        day->kind = ZONE_DAY_JULIAN;
        good = s_read_number(text, 1, 365, &day->day);
    } else {
        good = s_read_number(text, 0, 365, &day->day);
    }
    return good && (!s_take(text, '/') || s_read_time(text, 167, &day->time_s));
}

bool zone_rule_parse(zone_rule_t *self, const char *bytes, size_t size)
{
    text_t text = { bytes, bytes + size };
    *self = (zone_rule_t){ 0 };
    if (!s_skip_name(&text) || !s_read_offset(&text, &self->standard))
        return false;
    if (text.at == text.end)
        return true;
    self->has_summer = true;
    self->summer = self->standard + HOUR_S;
    return s_skip_name(&text) &&
           (s_take(&text, ',') || (s_read_offset(&text, &self->summer) && s_take(&text, ','))) &&
           s_read_day(&text, &self->begin) && s_take(&text, ',') && s_read_day(&text, &self->end) &&
           text.at == text.end;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* The wall time of a change in a year. */
static int64_t s_wall(const zone_day_t *self, int64_t year)
{
    int64_t day = calendar_day(year, 1, 1);
    switch (self->kind) {
    case ZONE_DAY_JULIAN:
        day += self->day - 1;
        if (self->day >= 60 && calendar_month_days(year, 2) == 29)
            day++;
        break;
    case ZONE_DAY_OF_YEAR:
        day += self->day;
        break;
    case ZONE_DAY_OF_WEEK: {
        int64_t first = calendar_day(year, self->month, 1);
        int64_t last = first + calendar_month_days(year, self->month) - 1;
        day = first + (self->day + 7 - calendar_weekday(first)) % 7 + 7 * (int64_t)(self->week - 1);
        if (day > last)
            day -= 7; /* the fifth one is the last one */
        break;
    }
    }
    return day * CALENDAR_DAY_S + self->time_s;
}

typedef struct {
    int64_t at;
    int32_t offset; /* from then on */
} change_t;

/* Of two changes at one instant (summer time all the year ends and begins at once) the beginning of
 * summer time wins by coming last. */
static void s_put(change_t *list, size_t *count, change_t change)
{
    size_t i = (*count)++;
    for (; i > 0 && list[i - 1].at > change.at; i--)
        list[i] = list[i - 1];
    list[i] = change;
}

zone_span_t zone_rule_span(const zone_rule_t *self, int64_t utc_s)
{
    if (!self->has_summer)
        return (zone_span_t){ INT64_MIN, INT64_MAX, self->standard };
    /* a change may lie a week outside its year: with two years more on either side, an instant has
     * changes before and after it */
    change_t changes[10];
    size_t count = 0, i = 0;
    int64_t year = calendar_date(calendar_day_of(utc_s)).year;
    for (int64_t y = year - 2; y <= year + 2; y++) {
        s_put(changes, &count, (change_t){ s_wall(&self->end, y) - self->summer, self->standard });
        s_put(changes, &count,
              (change_t){ s_wall(&self->begin, y) - self->standard, self->summer });
    }
    while (i + 2 < count && changes[i + 1].at <= utc_s)
        i++;
    return (zone_span_t){ changes[i].at, changes[i + 1].at, changes[i].offset };
}
