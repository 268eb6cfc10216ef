/* SPDX-License-Identifier: MPL-2.0
 *
 * service - services, their instances, and which one takes a request; private to broker/
 */
#ifndef SIGNALBOX_BROKER_SERVICE_H
#define SIGNALBOX_BROKER_SERVICE_H

#include "broker/state.h"

broker_service_t *service_find(const broker_t *broker, const char *name, size_t size);

/* Finds or adds; NULL when there are too many services that are in use. */
broker_service_t *service_make(broker_t *broker, const char *name, size_t size);

/* What an instance says of itself when it registers. */
typedef struct {
    const char *instance;
    uint32_t credit, weight, heartbeat_ms;
    int64_t boot_ms;          /* when it started, by its own clock; 0: it does not say */
    descriptor_t *descriptor; /* given away; NULL: none */
} service_join_t;

/* Adds the peer as an instance. */
worker_t *service_join(broker_t *broker, broker_service_t *service, peer_t *peer,
                       const service_join_t *join);

/* Takes an instance out that has no requests any more, and frees it. A service without descriptor
 * goes with its last instance; one with a descriptor stays, to be answered 503 instead of 404. */
void service_leave(broker_t *broker, worker_t *worker);

worker_t *service_instance(const broker_service_t *service, const char *instance);

/* The method of that name in any live version, or in the last one. NULL: no such method, which is
 * known only when `service->versions` is not NULL. */
const descriptor_method_t *service_method(const broker_service_t *service, const char *name,
                                          size_t size);

/* Whether an instance can be given requests at all: neither draining nor lost. */
static inline bool service_is_live(const worker_t *worker)
{
    return !worker->is_draining && !worker->peer->is_lost;
}

/* The instance that is live, has credit, fits the request's schema stamp if any does, and has the
 * least outstanding requests for its weight. NULL: none has credit. */
worker_t *service_choose(broker_service_t *service, const pending_t *pending);

/* The instance a route key belongs to, by rendezvous hashing over the names of the live ones
 * (Thaler and Ravishankar, 1998): every broker picks the same one. NULL: none is live. */
worker_t *service_owner(const broker_service_t *service, uint64_t route_key);

/* Live instances. */
uint32_t service_live_count(const broker_service_t *service);

/* Frees everything; no worker is left. */
void service_free_all(broker_t *broker);

#endif
