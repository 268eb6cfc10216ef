/* SPDX-License-Identifier: MPL-2.0
 *
 * outbound_state - what the files that carry transfers share; private to them
 *
 * outbound.c: life, and what other threads ask for. carry.c: the thread that carries transfers.
 */
#ifndef SIGNALBOX_OUTBOUND_STATE_H
#define SIGNALBOX_OUTBOUND_STATE_H

#include "actors/jobs/outbound/flight.h"

TAILQ_HEAD(flights, flight);

struct outbound {
    outbound_config_t config;
    fence_t fence;
    resolver_t *resolver;
    queue_t incoming, resolved;
    _Atomic int64_t load; /* transfers taken and not ended */
    _Atomic bool is_stopping;
    pthread_t thread;
    /* of the thread alone */
    CURLM *multi;
    wheel_t due;
    struct flights waiting, active;
    size_t active_count;
};

static inline void outbound_count(outbound_t *self, outbound_stat_t row, int64_t amount)
{
    stats_add(self->config.stats, row, amount);
}

/* The thread; `arg` is the outbound_t. */
void *outbound_carry(void *arg);

/* Ends all there are, because the instance is leaving. */
void outbound_end_all(outbound_t *self);

#endif
