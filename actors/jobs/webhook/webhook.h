/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the actor that tells others by calling them
 *
 * Threads: handlers run on the pool, transfers end on the thread that carries them.
 */
#ifndef SIGNALBOX_WEBHOOK_H
#define SIGNALBOX_WEBHOOK_H

#include "actors/jobs/outbound/outlet.h"
#include "proto/webhook.h"

typedef enum { WEBHOOK_DELIVERED = OUTBOUND_STATS, WEBHOOK_REJECTED, WEBHOOK_STATS } webhook_stat_t;

typedef struct {
    outlet_t outlet; /* first */
} webhook_t;

void webhook_on_deliver(call_t *call, void *self);

extern const actor_spec_t webhook_actor;

#endif
