/* SPDX-License-Identifier: MPL-2.0
 *
 * gate - a mutex and a condition on the monotonic clock, to wait for another thread's step
 *
 *     gate_lock(&gate);
 *     while (!condition && gate_wait_until(&gate, until))
 *         ;
 *     gate_unlock(&gate);
 */
#ifndef SIGNALBOX_GATE_H
#define SIGNALBOX_GATE_H

#include <pthread.h>

#include "actors/base/base.h"

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} gate_t;

void gate_init(gate_t *self);
void gate_free(gate_t *self);

static inline void gate_lock(gate_t *self)
{
    pthread_mutex_lock(&self->mutex);
}

static inline void gate_unlock(gate_t *self)
{
    pthread_mutex_unlock(&self->mutex);
}

/* Wakes everybody who waits; the lock is held. */
static inline void gate_wake(gate_t *self)
{
    pthread_cond_broadcast(&self->changed);
}

/* Waits, with the lock held, for `gate_wake` or until `clock_ms()` reaches `until_ms`: false then.
 * May return true without a reason: ask the condition again. */
bool gate_wait_until(gate_t *self, uint64_t until_ms);

#endif
