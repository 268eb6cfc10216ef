/* SPDX-License-Identifier: MPL-2.0
 *
 * gcra - an even rate with a burst, in one number
 *
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling): `tat` is the moment at which
 * everything used so far would have been used at the even rate. At most `burst` + rate * time is
 * admitted in any stretch of time. Intervals are rounded up, so that the rate is never exceeded.
 *
 * Pure; time is passed in, in microseconds.
 */
#ifndef SIGNALBOX_LIMITER_GCRA_H
#define SIGNALBOX_LIMITER_GCRA_H

#include "actors/base/base.h"

typedef struct {
    int64_t tat_us;
    int64_t interval_us; /* of the last use: a unit was that much of the way to `tat` */
} gcra_t;

/* Time one unit takes at the even rate. */
static inline int64_t gcra_interval(uint32_t limit, int64_t window_ms)
{
    return (window_ms * 1000 + limit - 1) / limit;
}

/* How much of the burst is in use, rounded up. */
static inline uint32_t gcra_used(const gcra_t *self, int64_t now_us, int64_t interval_us)
{
    int64_t ahead_us = self->tat_us - now_us;
    return ahead_us > 0 ? (uint32_t)((ahead_us + interval_us - 1) / interval_us) : 0;
}

static inline void gcra_add(gcra_t *self, int64_t now_us, int64_t interval_us, uint32_t amount)
{
    self->tat_us = (self->tat_us > now_us ? self->tat_us : now_us) + amount * interval_us;
    self->interval_us = interval_us;
}

/* Gives back what was used at `at_us`, less what would have drained since if nothing stood before
 * it: with less given back than that, what others used counts no shorter than it did. Returns the
 * whole units. */
static inline uint32_t gcra_remove(gcra_t *self, int64_t at_us, int64_t now_us, int64_t interval_us,
                                   uint32_t amount)
{
    int64_t back_us = amount * interval_us - (now_us - at_us);
    int64_t ahead_us = self->tat_us - now_us;
    if (back_us > ahead_us)
        back_us = ahead_us;
    if (back_us <= 0 || at_us > now_us)
        return 0;
    self->tat_us -= back_us;
    return (uint32_t)(back_us / interval_us);
}

#endif
