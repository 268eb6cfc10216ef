/* SPDX-License-Identifier: MPL-2.0
 *
 * registry - what the brokers say is running, merged into the routing in use
 *
 * Each broker publishes, retained, one event for each service (`registry.<service>.<broker>`): all
 * live versions with their descriptors and instances. Of a service the highest version that has an
 * instance is routed to, and when none has, the highest known: its routes stay, to be documented
 * and to be answered with the reason.
 *
 * What a broker said is void once another one answers in its place, or it is lost while another is
 * there: no instance counts that it named. The routes stay until somebody else names the service,
 * or room is needed. What a broker itself forgets goes at once.
 *
 * Events come on the bus client's thread, which only stores them; the edge's keeper does the work;
 * requests take the routing in use and never wait for either.
 */
#ifndef SIGNALBOX_EDGE_REGISTRY_H
#define SIGNALBOX_EDGE_REGISTRY_H

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "edge/routes.h"
#include "proto/client.h"

#define REGISTRY_TOPICS_MAX   4096
#define REGISTRY_VERSIONS_MAX 16 /* of one service at one broker */
#define REGISTRY_PREFIX       "registry."

typedef struct registry_entry registry_entry_t;

typedef struct {
    const grants_t *grants;
    stats_t *stats;
    int wake_fd; /* eventfd of the keeper */

    pthread_mutex_t mutex; /* over the entries' pending events */
    registry_entry_t *entries;
    monitor_t monitor; /* over the pointer alone */
    routing_t *current;
} registry_t;

/* The first routing is empty. */
void registry_init(registry_t *self, const grants_t *grants, stats_t *stats, int wake_fd);
void registry_free(registry_t *self);

/* Stores an event and wakes the keeper; the bytes are copied. The bus client's thread's. */
void registry_store(registry_t *self, const client_event_t *event);

/* Voids what came over older connections of a link. The bus client's thread's. */
void registry_void(registry_t *self, uint32_t link, uint32_t connection);

/* Reads what was stored and puts a new routing into use when anything changed. The keeper's. */
void registry_work(registry_t *self);

/* The routing in use, with a reference for the caller. */
routing_t *registry_routing(registry_t *self);

/* Waits for a routing in which a service has an instance; false when there is none by `until_ms`.
 */
bool registry_wait(registry_t *self, const char *service, uint64_t until_ms);

#endif
