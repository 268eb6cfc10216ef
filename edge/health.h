/* SPDX-License-Identifier: MPL-2.0
 *
 * health - answers about the state of things
 *
 * {status: healthy|degraded|unhealthy, version, timestamp, uptime, checks: {name: {status,
 * latency_ms, message}}}. Live touches nothing: it says that the process answers. Ready is for load
 * balancers: 503 while the bus cannot be reached, a required service is missing, or the edge
 * drains. Detailed adds the threads, every service that has been seen, and what those say of
 * themselves (probe.h): a required one that cannot work makes the whole unhealthy, another one
 * degraded.
 */
#ifndef SIGNALBOX_EDGE_HEALTH_H
#define SIGNALBOX_EDGE_HEALTH_H

#include "edge/exchange.h"

void health_serve_live(exchange_t *exchange);
void health_serve_ready(exchange_t *exchange);
void health_serve_detailed(exchange_t *exchange);

#endif
