/* SPDX-License-Identifier: MPL-2.0
 *
 * health - answers about the state of things
 *
 * {status: healthy|degraded|unhealthy, version, timestamp, uptime, checks: {name: {status,
 * latency_ms, message}}}. Live touches nothing: it says that the process answers. Ready is for load
 * balancers: 503 while the bus cannot be reached, a required service is missing, or the edge
 * drains. Detailed adds the threads and every service that has been seen.
 */
#ifndef SIGNALBOX_EDGE_HEALTH_H
#define SIGNALBOX_EDGE_HEALTH_H

#include "edge/exchange.h"

void health_serve_live(exchange_t *exchange);
void health_serve_ready(exchange_t *exchange);
void health_serve_detailed(exchange_t *exchange);

#endif
