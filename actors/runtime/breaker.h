/* SPDX-License-Identifier: MPL-2.0
 *
 * breaker - stops asking somebody who does not answer, and finds out when he does again
 *
 * Closed: calls pass. After `failures` failures in a row it opens: calls are refused at once. After
 * `open_ms` it is half open: one call may try; its outcome closes the breaker or opens it again
 * (Nygard, "Release It!"). Timeouts are failures like any other. Pure: time is passed in; the
 * caller locks.
 */
#ifndef SIGNALBOX_BREAKER_H
#define SIGNALBOX_BREAKER_H

#include "actors/base/base.h"

typedef enum { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } breaker_state_t;

typedef struct {
    uint32_t failures_max; /* in a row, that open it */
    uint32_t open_ms;
    breaker_state_t state;
    uint32_t failures;
    uint64_t until_ms; /* when an open one lets a call try */
} breaker_t;

void breaker_init(breaker_t *self, uint32_t failures_max, uint32_t open_ms);

/* Whether a call may be made now; the caller then reports its outcome. */
bool breaker_allows(breaker_t *self, uint64_t now_ms);

/* Reports a call's outcome; true when that changed the state. */
bool breaker_report(breaker_t *self, bool success, uint64_t now_ms);

/* How long to wait before attempt `attempt` (from 1) is repeated: doubling from `base_ms`, at most
 * `most_ms`, a random half of it taken off so that callers do not come back together. `random` is
 * any number. */
uint32_t breaker_backoff(uint32_t attempt, uint32_t base_ms, uint32_t most_ms, uint64_t random);

#endif
