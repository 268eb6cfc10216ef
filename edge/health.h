/* SPDX-License-Identifier: MPL-2.0
 *
 * health - answers about the state of things
 *
 * {status: healthy|degraded|unhealthy, version, timestamp, uptime, checks: {name: {status:
 * ok|warning|error, latency_ms, message}}}. Live touches nothing: it says that the process answers.
 * Ready is for load balancers: it asks the required services by a message each, and is 503 while
 * the broker cannot be reached, a required service has no instance, or the edge drains; that a
 * service is unwell does not make another edge the better one. The whole adds every service that
 * has been seen, what those say of themselves and of what they need (probe.h), the machine, and
 * this edge's threads and limits.
 *
 * The whole is unhealthy, and answered 503, when something required cannot work; degraded, and
 * answered 200, when anything else is not as it should be.
 */
#ifndef SIGNALBOX_EDGE_HEALTH_H
#define SIGNALBOX_EDGE_HEALTH_H

#include "edge/exchange.h"

void health_serve_live(exchange_t *exchange);
void health_serve_ready(exchange_t *exchange);
void health_serve_detailed(exchange_t *exchange);

#endif
