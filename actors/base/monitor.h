/* SPDX-License-Identifier: MPL-2.0
 *
 * monitor - a mutex and a condition on the monotonic clock, to wait for another thread's step
 *
 *     monitor_lock(&monitor);
 *     while (!condition && monitor_wait_until(&monitor, until))
 *         ;
 *     monitor_unlock(&monitor);
 */
#ifndef SIGNALBOX_MONITOR_H
#define SIGNALBOX_MONITOR_H

#include <pthread.h>

#include "actors/base/base.h"

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} monitor_t;

void monitor_init(monitor_t *self);
void monitor_free(monitor_t *self);

static inline void monitor_lock(monitor_t *self)
{
    pthread_mutex_lock(&self->mutex);
}

static inline void monitor_unlock(monitor_t *self)
{
    pthread_mutex_unlock(&self->mutex);
}

/* Wakes everybody who waits; the lock is held. */
static inline void monitor_wake(monitor_t *self)
{
    pthread_cond_broadcast(&self->changed);
}

/* Waits, with the lock held, for `monitor_wake` or until `clock_ms()` reaches `until_ms`: false
 * then. May return true without a reason: ask the condition again. */
bool monitor_wait_until(monitor_t *self, uint64_t until_ms);

#endif
