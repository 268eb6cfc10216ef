/* SPDX-License-Identifier: MPL-2.0
 *
 * monitor - the actor that looks whether others answer
 *
 * Threads: handlers run on the pool, transfers end on the thread that carries them.
 */
#ifndef SIGNALBOX_MONITOR_ACTOR_H
#define SIGNALBOX_MONITOR_ACTOR_H

#include "actors/jobs/monitor/check.h"
#include "actors/jobs/outbound/outlet.h"
#include "proto/http.h"

typedef enum { HTTP_CHECKS_UP = OUTBOUND_STATS, HTTP_CHECKS_DOWN, HTTP_STATS } http_stat_t;

typedef struct {
    outlet_t outlet; /* first */
} watcher_t;

void http_on_check(call_t *call, void *self);
void http_on_breakers(call_t *call, void *self);
void http_on_breaker_set(call_t *call, void *self);

extern const actor_spec_t http_actor;

#endif
