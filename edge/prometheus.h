/* SPDX-License-Identifier: MPL-2.0
 *
 * prometheus - GET /metrics
 *
 * Tells what the service `metrics` knows of all instances; while it does not answer, what this edge
 * has counted itself. In either format of proto/exposition.h, as the client likes.
 */
#ifndef SIGNALBOX_EDGE_PROMETHEUS_H
#define SIGNALBOX_EDGE_PROMETHEUS_H

#include "edge/exchange.h"

void prometheus_serve(exchange_t *exchange);

#endif
