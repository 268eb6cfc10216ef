/* SPDX-License-Identifier: MPL-2.0
 *
 * on_traces - hearing of spans, telling of traces, exporting them
 *
 * Every instance of the service hears all that is kept and answers for all of it; one of them
 * exports.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/metrics/metrics.h"

#define EVENT_LIMITS ((value_limits_t){ .depth = 5, .nodes = 100000 })

static void s_count(const metrics_t *self, metrics_stat_t row, uint64_t amount)
{
    stats_add(actor_stats(self->actor), row, (int64_t)amount);
}

/* ---- hearing -------------------------------------------------------------------------------- */

static void s_take(metrics_t *self, arena_t *arena, const heard_batch_t *batch)
{
    heard_t span;
    const value_t *item;
    uint64_t now_ms = clock_ms(), good = 0;
    const bool exports = exporter_is_on(&self->otlp.exporter) && metrics_is_first(self);
    if (exports)
        otlp_begin(&self->otlp, batch);
    for (uint32_t i = 0; (item = value_item(batch->spans, i)); i++) {
        if (!heard_read(&span, arena, item))
            continue;
        good++;
        traces_take(&self->traces, batch, &span, now_ms);
        if (exports)
            otlp_add(&self->otlp, &span);
    }
    if (exports)
        otlp_end(&self->otlp);
    s_count(self, METRICS_SPANS, good);
    s_count(self, METRICS_SPANS_BAD, batch->spans->count - good);
}

/* The topic by which traces are named begins alike. */
static void s_on_spans(void *arg, const client_event_t *event)
{
    metrics_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    heard_batch_t batch;
    if (topic_find(event->topic, event->topic_size) != topic_row(TOPIC_TRACE))
        return;
    if (heard_read_batch(&batch,
                         value_parse(&arena, event->body, event->size, EVENT_LIMITS, &verdict))) {
        monitor_lock(&self->monitor);
        s_take(self, &arena, &batch);
        monitor_unlock(&self->monitor);
    } else {
        s_count(self, METRICS_SPANS_BAD, 1);
    }
    arena_free(&arena);
}

/* ---- telling -------------------------------------------------------------------------------- */

void metrics_on_trace(call_t *call, void *memory)
{
    metrics_t *self = memory;
    const char *text = call_text(call, "id");
    uint8_t id[TRACE_ID_BYTES];
    bool good = trace_read_id(id, text, strlen(text));
    insist(good); /* the schema has looked */
    monitor_lock(&self->monitor);
    bool is_known = traces_write(&self->traces, id, call_pack(call));
    monitor_unlock(&self->monitor);
    if (is_known)
        call_reply(call, 0);
    else
        call_fail(call, ERROR_NOT_FOUND,
                  "Nothing is known of this trace: it was not kept, or is forgotten by now");
}

void metrics_on_traces(call_t *call, void *memory)
{
    metrics_t *self = memory;
    const traces_filter_t filter = { .only_failed = call_bool(call, "failed"),
                                     .least_us = call_int(call, "min_ms") * 1000,
                                     .most = (size_t)call_int(call, "limit") };
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "items");
    monitor_lock(&self->monitor);
    traces_list(&self->traces, &filter, call_pack(call));
    monitor_unlock(&self->monitor);
    call_reply(call, 0);
}

/* ---- the subject's part in the actor's life ------------------------------------------------- */

bool metrics_init_traces(metrics_t *self, const metrics_settings_t *settings, char *why,
                         size_t why_size)
{
    traces_init(&self->traces, &(traces_limits_t){
                                   .traces = (size_t)settings->traces,
                                   .bytes = (size_t)settings->trace_bytes,
                                   .keep_ms = (uint64_t)settings->trace_keep_s * 1000,
                               });
    return otlp_init(&self->otlp, settings->otlp_url, settings->otlp_headers, why, why_size);
}

void metrics_connect_traces(metrics_t *self)
{
    exporter_config_t *config = &self->otlp.exporter.config;
    config->client = actor_client(self->actor);
    config->stats = actor_stats(self->actor);
    config->carried = METRICS_SPANS_EXPORTED;
    config->lost = METRICS_SPANS_NOT_EXPORTED;
    client_subscribe(config->client, topic_row(TOPIC_TRACE)->prefix, s_on_spans, self);
}

void metrics_tick_traces(metrics_t *self)
{
    stats_t *stats = actor_stats(self->actor);
    traces_tick(&self->traces, clock_ms());
    s_count(self, METRICS_SPANS_DROPPED, self->traces.spans_dropped);
    self->traces.spans_dropped = 0;
    stats_set(stats, METRICS_TRACES, (int64_t)self->traces.count);
    stats_set(stats, METRICS_TRACE_BYTES, (int64_t)self->traces.bytes);
    otlp_flush(&self->otlp);
}

void metrics_free_traces(metrics_t *self)
{
    otlp_free(&self->otlp);
    traces_free(&self->traces);
}
