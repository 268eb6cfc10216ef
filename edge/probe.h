/* SPDX-License-Identifier: MPL-2.0
 *
 * probe - how the services say they are
 *
 * Asks one instance of every live service that describes a `_health` method, all at once and with
 * a short deadline. What was learnt is kept for PROBE_KEPT_MS: however many ask the edge, the
 * services are asked once, and those who come meanwhile wait for it. A service that is live as far
 * as the edge has heard may be gone: a broker that has just started tells that to who asks.
 */
#ifndef SIGNALBOX_EDGE_PROBE_H
#define SIGNALBOX_EDGE_PROBE_H

#include <pthread.h>

#include "edge/routes.h"
#include "proto/client.h"

#define PROBE_KEPT_MS     1000
#define PROBE_DEADLINE_MS 500

typedef enum { HEALTHY, DEGRADED, UNHEALTHY } health_t;

#define PROBE_CHECKS_MAX 8

/* What a service looked at: its database ... */
typedef struct {
    char name[32];
    health_t health;
    uint64_t took_us;
    char message[100];
} probe_check_t;

typedef struct {
    char service[METHOD_NAME_BYTES + 1];
    health_t health;
    uint64_t took_us;
    bool is_missing; /* the broker has no instance that could be asked */
    char why[160];   /* "" when it is healthy */
    probe_check_t checks[PROBE_CHECKS_MAX];
    size_t check_count;
} probe_t;

typedef struct {
    pthread_mutex_t mutex;
    uint64_t asked_ms;
    probe_t *list;
    size_t count;
} probes_t;

void probes_init(probes_t *self);
void probes_free(probes_t *self);

/* Asks the services of the routing unless that was done just now. What is found stays until
 * `probes_end`, for which others wait. Not from the bus client's thread. */
void probes_begin(probes_t *self, client_t *bus, const routing_t *routing);
const probe_t *probes_find(const probes_t *self, const char *service);
void probes_end(probes_t *self);

/* Nothing that was learnt holds any longer: there is no broker. */
void probes_forget(probes_t *self);

/* Reads a reply of `_health`: the service is as its worst check. `why` and `health` are set. */
void probe_read(probe_t *self, const void *reply, size_t size);

#endif
