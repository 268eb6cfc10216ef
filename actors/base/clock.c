/* SPDX-License-Identifier: MPL-2.0
 *
 * clock - the two clocks, and time as text
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "actors/base/clock.h"

static uint64_t s_read_us(clockid_t id)
{
    struct timespec now;
    insist(clock_gettime(id, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t clock_us(void)
{
    return s_read_us(CLOCK_MONOTONIC);
}

uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_wall_us(void)
{
    return (int64_t)s_read_us(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
    return (int64_t)(s_read_us(CLOCK_REALTIME) / 1000);
}

uint64_t clock_cpu_us(void)
{
    return s_read_us(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_sleep_ms(uint32_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L };
    while (nanosleep(&left, &left) < 0)
        ;
}

#define SECOND_CHARS 19 /* "2026-01-31T23:59:59" */

static void s_write_second(int64_t seconds, char text[SECOND_CHARS + 1])
{
    struct tm utc;
    time_t when = (time_t)seconds;
    if (!gmtime_r(&when, &utc) || utc.tm_year < -1900 || utc.tm_year > 9999 - 1900) {
        strcpy(text, "0000-00-00T00:00:00");
        return;
    }
    /* the bounds above keep each field at its width; the casts tell the compiler so */
    snprintf(text, SECOND_CHARS + 1, "%04u-%02u-%02uT%02u:%02u:%02u",
             (unsigned)(utc.tm_year + 1900) % 10000u, (unsigned)(utc.tm_mon + 1) % 100u,
             (unsigned)utc.tm_mday % 100u, (unsigned)utc.tm_hour % 100u,
             (unsigned)utc.tm_min % 100u, (unsigned)utc.tm_sec % 100u);
}

/* Most moments that are written lie in the same second as the one before. */
const char *clock_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    static _Thread_local char second[SECOND_CHARS + 1];
    static _Thread_local int64_t second_is;
    const unsigned ms = (unsigned)((wall_ms % 1000 + 1000) % 1000);
    const int64_t seconds = (wall_ms - ms) / 1000;
    if (!second[0] || seconds != second_is) {
        s_write_second(seconds, second);
        second_is = seconds;
    }
    memcpy(text, second, SECOND_CHARS);
    const char tail[] = {
        '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '\0'
    };
    memcpy(text + SECOND_CHARS, tail, sizeof tail);
    return text;
}

/* Reads exactly `digits` digits; -1 when there is anything else. */
static int s_number(const char **at, const char *end, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool s_skip(const char **at, const char *end, char expected)
{
    if (*at >= end || (**at | 0x20) != (expected | 0x20))
        return false;
    (*at)++;
    return true;
}

static int s_days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* "2026-01-31T23:59:59" */
static bool s_read_local(const char **at, const char *end, struct tm *local)
{
    int year = s_number(at, end, 4);
    bool good = s_skip(at, end, '-');
    int month = s_number(at, end, 2);
    good = good && s_skip(at, end, '-');
    int day = s_number(at, end, 2);
    good = good && s_skip(at, end, 'T');
    int hour = s_number(at, end, 2);
    good = good && s_skip(at, end, ':');
    int minute = s_number(at, end, 2);
    good = good && s_skip(at, end, ':');
    int second = s_number(at, end, 2);
    *local = (struct tm){ .tm_year = year - 1900,
                          .tm_mon = month - 1,
                          .tm_mday = day,
                          .tm_hour = hour,
                          .tm_min = minute,
                          .tm_sec = second };
    return good && year >= 0 && month >= 1 && month <= 12 && day >= 1 &&
           day <= s_days_in_month(year, month) && hour >= 0 && hour <= 23 && minute >= 0 &&
           minute <= 59 && second >= 0 && second <= 60; /* 60: a leap second */
}

/* ".5", or nothing; what is finer than a millisecond is dropped. */
static bool s_read_fraction(const char **at, const char *end, int *ms)
{
    *ms = 0;
    if (*at >= end || **at != '.')
        return true;
    const char *first = ++*at;
    for (int unit = 100; *at < end && **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *ms += (**at - '0') * unit;
    return *at > first;
}

/* "Z", or "+02:00". */
static bool s_read_offset(const char **at, const char *end, int *minutes_east)
{
    *minutes_east = 0;
    if (*at >= end || (**at != '+' && **at != '-'))
        return s_skip(at, end, 'Z');
    int sign = *(*at)++ == '-' ? -1 : 1;
    int hours = s_number(at, end, 2);
    bool good = s_skip(at, end, ':');
    int minutes = s_number(at, end, 2);
    *minutes_east = sign * (hours * 60 + minutes);
    return good && hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

bool clock_parse(const char *text, size_t size, int64_t *wall_ms)
{
    const char *at = text, *end = text + size;
    struct tm local;
    int ms, minutes_east;
    if (!s_read_local(&at, end, &local) || !s_read_fraction(&at, end, &ms) ||
        !s_read_offset(&at, end, &minutes_east) || at != end)
        return false;
    *wall_ms = ((int64_t)timegm(&local) - (int64_t)minutes_east * 60) * 1000 + ms;
    return true;
}
