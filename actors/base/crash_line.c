/* SPDX-License-Identifier: MPL-2.0
 *
 * crash_line - a line of the log, written where nothing may lock or allocate
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "actors/base/crash_line.h"

#define LINE_TAIL   8   /* room kept to close what is open */
#define PATIENCE_MS 100 /* for whoever reads the log */

void crash_line_add(crash_line_t *line, const char *text)
{
    size_t size = strlen(text);
    if (line->size + size + LINE_TAIL > sizeof line->bytes)
        return;
    memcpy(line->bytes + line->size, text, size);
    line->size += size;
}

void crash_line_plain(crash_line_t *line, const char *text)
{
    for (; *text; text++) {
        char piece[] = { *text, '\0' };
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            piece[0] = *text == '"' ? '\'' : '?';
        crash_line_add(line, piece);
    }
}

void crash_line_number(crash_line_t *line, uint64_t number, unsigned radix, unsigned width)
{
    char digits[21];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % radix];
        number /= radix;
    } while (number || sizeof digits - 1 - at < width);
    crash_line_add(line, digits + at);
}

void crash_line_pair(crash_line_t *line, const char *key, const char *text)
{
    crash_line_add(line, ",\"");
    crash_line_add(line, key);
    crash_line_add(line, "\":\"");
    crash_line_plain(line, text);
    crash_line_add(line, "\"");
}

/* Days since 1970 as a date of the Gregorian calendar; years begin in March, so that the leap day
 * is the last of one. */
static void s_add_date(crash_line_t *line, uint64_t days)
{
    uint64_t z = days + 719468, era = z / 146097, day = z % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t in_year = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * in_year + 2) / 153;
    crash_line_number(line, era * 400 + year + (month >= 10), 10, 4);
    crash_line_add(line, "-");
    crash_line_number(line, month < 10 ? month + 3 : month - 9, 10, 2);
    crash_line_add(line, "-");
    crash_line_number(line, in_year - (153 * month + 2) / 5 + 1, 10, 2);
}

void crash_line_now(crash_line_t *line)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seconds = (uint64_t)now.tv_sec;
    s_add_date(line, seconds / 86400);
    crash_line_add(line, "T");
    crash_line_number(line, seconds / 3600 % 24, 10, 2);
    crash_line_add(line, ":");
    crash_line_number(line, seconds / 60 % 60, 10, 2);
    crash_line_add(line, ":");
    crash_line_number(line, seconds % 60, 10, 2);
    crash_line_add(line, ".");
    crash_line_number(line, (uint64_t)now.tv_nsec / 1000000, 10, 3);
    crash_line_add(line, "Z");
}

void crash_line_write(crash_line_t *line)
{
    line->bytes[line->size++] = '}';
    line->bytes[line->size++] = '\n';
    struct pollfd error = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll(&error, 1, PATIENCE_MS) == 1 && write(STDERR_FILENO, line->bytes, line->size) < 0)
        return; /* nobody is left to be told */
}
