/* SPDX-License-Identifier: MPL-2.0
 *
 * breaker - stops asking somebody who does not answer, and finds out when he does again
 */
#include "config.h"

#include "actors/runtime/breaker.h"

void breaker_init(breaker_t *self, uint32_t failures_max, uint32_t open_ms)
{
    *self = (breaker_t){ .failures_max = failures_max, .open_ms = open_ms };
}

bool breaker_allows(breaker_t *self, uint64_t now_ms)
{
    switch (self->state) {
    case BREAKER_CLOSED:
        return true;
    case BREAKER_OPEN:
        if (now_ms < self->until_ms)
            return false;
        self->state = BREAKER_HALF_OPEN;
        /* should the one that tries never report, another may after the same time */
        self->until_ms = now_ms + self->open_ms;
        return true;
    case BREAKER_HALF_OPEN:
        if (now_ms < self->until_ms)
            return false;
        self->until_ms = now_ms + self->open_ms;
        return true;
    }
    return true;
}

bool breaker_report(breaker_t *self, bool success, uint64_t now_ms)
{
    breaker_state_t before = self->state;
    if (success) {
        self->failures = 0;
        self->state = BREAKER_CLOSED;
    } else if (self->state == BREAKER_HALF_OPEN || ++self->failures >= self->failures_max) {
        self->state = BREAKER_OPEN;
        self->until_ms = now_ms + self->open_ms;
    }
    return self->state != before;
}

uint32_t breaker_backoff(uint32_t attempt, uint32_t base_ms, uint32_t most_ms, uint64_t random)
{
    uint64_t wait = base_ms;
    for (uint32_t i = 1; i < attempt && wait < most_ms; i++)
        wait *= 2;
    if (wait > most_ms)
        wait = most_ms;
    return (uint32_t)(wait - random % (wait / 2 + 1));
}
