/* SPDX-License-Identifier: MPL-2.0
 *
 * monitor - a mutex and a condition on the monotonic clock
 */
#include "config.h"

#include <errno.h>
#include <time.h>

#include "actors/base/monitor.h"

void monitor_init(monitor_t *self)
{
    pthread_condattr_t attributes;
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    insist(pthread_cond_init(&self->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void monitor_free(monitor_t *self)
{
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
}

bool monitor_wait_until(monitor_t *self, uint64_t until_ms)
{
    struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
                              .tv_nsec = (long)(until_ms % 1000) * 1000000L };
    return pthread_cond_timedwait(&self->changed, &self->mutex, &until) != ETIMEDOUT;
}
