/* SPDX-License-Identifier: MPL-2.0
 *
 * clock - the two clocks, and time as text
 *
 * Deadlines and intervals use the monotonic clock, records use the wall clock. Logic that depends
 * on time takes `now` as an argument, so that tests pass a time of their own.
 */
#ifndef SIGNALBOX_CLOCK_H
#define SIGNALBOX_CLOCK_H

#include "actors/base/base.h"

#define CLOCK_STALL_MS  250 /* a loop that comes back so late has not been run */
#define CLOCK_TEXT_SIZE 25  /* "2026-01-31T23:59:59.999Z" and its NUL */

/* Monotonic time since an arbitrary start. */
uint64_t clock_us(void);
uint64_t clock_ms(void);

/* Milliseconds, and microseconds, since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);

/* CPU time used by this process so far, in microseconds. */
uint64_t clock_cpu_us(void);

/* Sleeps; for pauses between attempts, never to wait for somebody else's step. */
void clock_sleep_ms(uint32_t ms);

/* Whether a loop that began a round at `before_ms` and meant to wait for `wait_ms` at most has
 * stood still: the machine was stopped, or too busy to run it. What it has not heard meanwhile is
 * not the silence of others, whom it must not give up for it. */
static inline bool clock_stalled(uint64_t before_ms, uint64_t now_ms, uint32_t wait_ms)
{
    return now_ms - before_ms > wait_ms + CLOCK_STALL_MS;
}

/* RFC 3339 in UTC with milliseconds; returns `text`. */
const char *clock_text(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

/* Reads an RFC 3339 date-time with any offset. False when it is not one. */
bool clock_parse(const char *text, size_t size, int64_t *wall_ms) MUST_CHECK;

#endif
