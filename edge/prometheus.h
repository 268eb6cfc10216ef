/* SPDX-License-Identifier: MPL-2.0
 *
 * prometheus - counters in Prometheus' text format, version 0.0.4
 */
#ifndef SIGNALBOX_EDGE_PROMETHEUS_H
#define SIGNALBOX_EDGE_PROMETHEUS_H

#include "edge/exchange.h"

#define PROMETHEUS_MEDIA "text/plain; version=0.0.4; charset=utf-8"

/* Appends all rows of a set. A row's name may end in labels: `name{reason="full"}`; rows that share
 * a name stand side by side in their table. Histograms get a bucket for each power of two. */
void prometheus_write(const stats_t *stats, buf_t *out);

/* GET /metrics: this process's own numbers. */
void prometheus_serve(exchange_t *exchange);

#endif
