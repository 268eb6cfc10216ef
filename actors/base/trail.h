/* SPDX-License-Identifier: MPL-2.0
 *
 * trail - what this thread has logged about the request it works on
 *
 * The log leaves here what it writes, so that whoever tells of a failure can tell what came before:
 * the last TRAIL_CRUMBS lines of the request, as they were written, without what the log hides.
 * What is logged about no request leaves nothing.
 */
#ifndef SIGNALBOX_TRAIL_H
#define SIGNALBOX_TRAIL_H

#include "actors/base/log.h"

#define TRAIL_CRUMBS      8
#define TRAIL_EVENT_BYTES 48
#define TRAIL_TEXT_BYTES  240

typedef struct {
    int64_t wall_ms;
    log_level_t level;
    char event[TRAIL_EVENT_BYTES + 1];
    char text[TRAIL_TEXT_BYTES + 1]; /* the line's own fields, cut */
} crumb_t;

/* The i-th, of which the first is the oldest; NULL behind the last. Borrowed until the thread logs
 * again. */
const crumb_t *trail_crumb(size_t i);

/* For the log: the thread begins another request; it has written a line, whose fields (each behind
 * a comma or a space) are these bytes, in UTF-8. */
void trail_begin(void);
void trail_keep(int64_t wall_ms, log_level_t level, const char *event, const char *fields,
                size_t size);

#endif
