/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics - the contract of the service that knows what every instance counts
 *
 * It hears the snapshots of all parts (snapshot.h), tells them to Prometheus, and says each second
 * on the topic `metrics.summary` how the whole system does. It hears the spans of traces that are
 * kept (spans.h), and tells what happened because of one request.
 */
#ifndef SIGNALBOX_PROTO_METRICS_H
#define SIGNALBOX_PROTO_METRICS_H

#include "proto/method.h"

/* What `metrics.text` takes as `format`. */
#define METRICS_TEXT        "text"
#define METRICS_OPENMETRICS "openmetrics"

#define METRICS_TRACE_PATTERN "^[0-9a-f]{32}$"
#define METRICS_TRACES_LISTED 100

extern const method_t metrics_text, metrics_summary, metrics_trace, metrics_traces;
extern const method_t metrics_errors, metrics_error, metrics_forget_error;

extern const service_t metrics_service;

#endif
