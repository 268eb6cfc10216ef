/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics - the contract of the service that knows what every instance counts
 *
 * It hears the snapshots of all parts (snapshot.h), tells them to Prometheus, and says each second
 * on the topic `metrics.summary` how the whole system does.
 */
#ifndef SIGNALBOX_PROTO_METRICS_H
#define SIGNALBOX_PROTO_METRICS_H

#include "proto/method.h"

/* What `metrics.text` takes as `format`. */
#define METRICS_TEXT        "text"
#define METRICS_OPENMETRICS "openmetrics"

extern const method_t metrics_text, metrics_summary;
extern const method_t metrics_errors, metrics_error, metrics_forget_error;

extern const service_t metrics_service;

#endif
