/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics - the actor that knows what every instance counts
 *
 * It hears the snapshots that all parts publish, keeps the last word of each instance (board.h),
 * tells Prometheus all of it (`text`), and makes a summary of it each second (summary.h), which it
 * publishes on the topic `metrics.summary` and gives to whoever asks (`summary`). It compares each
 * summary with rules (rules.h); what is broken is told on the topic `alert`, and by a webhook.
 *
 * Of the spans that parts publish (proto/spans.h) it keeps what happened because of each request
 * for a while (traces.h), tells it (`trace`, `traces`), and exports it (otlp.h).
 * Failures of ours (proto/fault.h) it groups by what they are (errors.h), tells which there are
 * (`errors`, `error`, `forget_error`), and exports them (sentry.h).
 *
 * Several instances hear the same and say the same; the summary is published by each, so whoever
 * follows the topic follows one publisher; alerts are told, and traces exported, by the one whose
 * name sorts first.
 * Nothing is stored: an instance that starts knows of the
 * others when their next snapshots come.
 */
#ifndef SIGNALBOX_METRICS_ACTOR_H
#define SIGNALBOX_METRICS_ACTOR_H

#include "actors/metrics/alerts.h"
#include "actors/metrics/board.h"
#include "actors/metrics/errors.h"
#include "actors/metrics/exporter.h"
#include "actors/metrics/messenger.h"
#include "actors/metrics/otlp.h"
#include "actors/metrics/sentry.h"
#include "actors/metrics/traces.h"
#include "actors/runtime/actor.h"
#include "proto/metrics.h"

extern const actor_spec_t metrics_actor;

typedef struct {
    int64_t keep_s, text_bytes, alert_repeat_s, errors_keep_s;
    const char *alert_webhook, *alert_secret;
    int64_t traces, trace_bytes, trace_keep_s;
    const char *otlp_url, *otlp_headers;
    const char *sentry_dsn, *sentry_environment;
} metrics_settings_t;

typedef enum {
    METRICS_SNAPSHOTS,
    METRICS_MISSED,
    METRICS_OLD,
    METRICS_BAD,
    METRICS_FULL,
    METRICS_RESTARTS,
    METRICS_LEFT_OUT,
    METRICS_FELL_SILENT,
    METRICS_ERRORS,
    METRICS_ERRORS_NEW,
    METRICS_ERRORS_ECHOES,
    METRICS_ERRORS_BAD,
    METRICS_ERRORS_EVICTED,
    METRICS_SENTRY_SENT,
    METRICS_SENTRY_LOST,
    METRICS_ERROR_GROUPS,
    METRICS_INSTANCES,
    METRICS_LARGE,
    METRICS_SERIES,
    METRICS_ALERTS,
    METRICS_ALERTS_DROPPED,
    METRICS_ALERTS_TOLD,
    METRICS_ALERTS_LOST,
    METRICS_SPANS,
    METRICS_SPANS_BAD,
    METRICS_SPANS_DROPPED,
    METRICS_SPANS_EXPORTED,
    METRICS_SPANS_NOT_EXPORTED,
    METRICS_TRACES,
    METRICS_TRACE_BYTES,
    METRICS_STATS
} metrics_stat_t;

typedef struct {
    actor_t *actor;
    monitor_t monitor; /* over the rest */
    board_t board;
    errors_t errors;
    sentry_dsn_t sentry_dsn;
    const char *sentry_environment, *sentry_headers[2];
    exporter_t sentry;
    alerts_t alerts;
    messenger_t messenger;
    traces_t traces;
    otlp_t otlp;
    buf_t summary; /* the last one, packed */
} metrics_t;

/* Whether it is for us to tell others: of the instances that are up, the one whose name sorts
 * first. The monitor is held. */
bool metrics_is_first(const metrics_t *self);

/* Handlers. */
void metrics_on_text(call_t *call, void *self);
void metrics_on_summary(call_t *call, void *self);

/* ---- on_traces.c ---------------------------------------------------------------------------- */

bool metrics_init_traces(metrics_t *self, const metrics_settings_t *settings, char *why,
                         size_t why_size) MUST_CHECK;
void metrics_connect_traces(metrics_t *self);
void metrics_tick_traces(metrics_t *self); /* the caller holds the lock */
void metrics_free_traces(metrics_t *self);
void metrics_on_trace(call_t *call, void *self);
void metrics_on_traces(call_t *call, void *self);

/* ---- on_errors.c ---------------------------------------------------------------------------- */

bool metrics_init_errors(metrics_t *self, const metrics_settings_t *settings, char *why,
                         size_t why_size) MUST_CHECK;
void metrics_connect_errors(metrics_t *self);
void metrics_free_errors(metrics_t *self);
void metrics_on_errors(call_t *call, void *self);
void metrics_on_error(call_t *call, void *self);
void metrics_on_forget_error(call_t *call, void *self);

#endif
