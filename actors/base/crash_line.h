/* SPDX-License-Identifier: MPL-2.0
 *
 * crash_line - a line of the log, written where nothing may lock or allocate
 *
 * snprintf and gmtime_r are not on the list of signal-safety(7), hence a few functions of our own.
 * What does not fit is left out; the end always fits.
 */
#ifndef SIGNALBOX_CRASH_LINE_H
#define SIGNALBOX_CRASH_LINE_H

#include "actors/base/base.h"

#define CRASH_LINE_BYTES 12288 /* more than the longest report there can be */

typedef struct {
    char bytes[CRASH_LINE_BYTES];
    size_t size;
} crash_line_t;

void crash_line_add(crash_line_t *line, const char *text);

/* The inside of a JSON string; what would need an escape is replaced. */
void crash_line_plain(crash_line_t *line, const char *text);

/* At least `width` digits. */
void crash_line_number(crash_line_t *line, uint64_t number, unsigned radix, unsigned width);

/* A member of an object, behind others. */
void crash_line_pair(crash_line_t *line, const char *key, const char *text);

/* The time, as the log writes it. */
void crash_line_now(crash_line_t *line);

/* Closes the object and writes the line to standard error, if that takes it soon. */
void crash_line_write(crash_line_t *line);

#endif
