/* SPDX-License-Identifier: MPL-2.0
 *
 * wheel - very many timers that are mostly cancelled
 *
 * A hashed timing wheel (Varghese and Lauck, 1987, scheme 6): adding and removing cost a few
 * instructions. Timers are embedded in their owners and fire up to one slot (4 ms) late, never
 * early. Time is passed in, in milliseconds of any monotonic clock.
 */
#ifndef SIGNALBOX_WHEEL_H
#define SIGNALBOX_WHEEL_H

#include "actors/base/base.h"

#define WHEEL_SLOTS   1024u
#define WHEEL_SLOT_MS 4u

typedef struct wheel_timer wheel_timer_t;

struct wheel_timer {
    wheel_timer_t *next, **link; /* link is NULL while the timer is not in a wheel */
    uint64_t due_ms;
};

typedef struct {
    wheel_timer_t *slots[WHEEL_SLOTS];
    wheel_timer_t *due;              /* found due, not yet handed out */
    uint64_t busy[WHEEL_SLOTS / 64]; /* a bit for every slot that holds a timer, or did */
    uint64_t position;               /* next slot to look at, counted from time 0 */
    size_t count;                    /* timers in the wheel */
} wheel_t;

void wheel_init(wheel_t *self, uint64_t now_ms);

/* Adds a timer, or moves one that is in the wheel already. A due time in the past fires next. */
void wheel_add(wheel_t *self, wheel_timer_t *timer, uint64_t due_ms);

/* Removes a timer; nothing happens when it is in no wheel. */
void wheel_remove(wheel_t *self, wheel_timer_t *timer);

/* Takes one timer that is due out of the wheel, or returns NULL: call until it does. */
wheel_timer_t *wheel_expired(wheel_t *self, uint64_t now_ms);

/* Milliseconds a loop may sleep before it looks again, at most `most`. */
uint32_t wheel_wait(const wheel_t *self, uint64_t now_ms, uint32_t most);

#endif
