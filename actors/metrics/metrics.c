/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics - the actor that knows what every instance counts
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/monitor.h"
#include "actors/base/text.h"
#include "actors/metrics/metrics.h"
#include "actors/metrics/summary.h"

static metrics_settings_t s_settings;

static const setting_t s_setting_rows[] = {
    { "keep_s", SETTING_INT, offsetof(metrics_settings_t, keep_s), "300", 10, 86400, "s",
      .about = "How long what an instance has counted is told after it was last heard of." },
    { "text_bytes", SETTING_INT, offsetof(metrics_settings_t, text_bytes), "16777216", 65536,
      INT64_C(1) << 30, "bytes",
      .about =
          "What `/metrics` may be; less than `broker.message_bytes`. Of instances that tell too "
          "much for that, the largest, nothing but whether they are up is told." },
    { "alert_webhook", SETTING_TEXT, offsetof(metrics_settings_t, alert_webhook), "", 0, 2048,
      .about = "URL that is told of alerts; empty for none." },
    { "alert_secret", SETTING_TEXT, offsetof(metrics_settings_t, alert_secret), "", 0, 200,
      .secret = true,
      .about = "`whsec_...` that messages to it are signed with; empty for no signature." },
    { "alert_repeat_s", SETTING_INT, offsetof(metrics_settings_t, alert_repeat_s), "3600", 10,
      604800, "s", .about = "How often an alert that goes on is told again." },
    { "traces", SETTING_INT, offsetof(metrics_settings_t, traces), "5000", 1, 1000000, NULL,
      .about = "Traces that are remembered." },
    { "trace_bytes", SETTING_INT, offsetof(metrics_settings_t, trace_bytes), "16777216", 65536,
      INT64_C(1) << 34, "bytes", .about = "What their spans may take together." },
    { "trace_keep_s", SETTING_INT, offsetof(metrics_settings_t, trace_keep_s), "900", 1, 86400, "s",
      .about = "How long a trace is remembered after it was last heard of." },
    { "otlp_url", SETTING_TEXT, offsetof(metrics_settings_t, otlp_url), "", 0, 2048,
      .about = "Where traces are exported to by OTLP/HTTP in JSON, as "
               "http://otel.internal:4318/v1/traces; empty for nowhere." },
    { "otlp_headers", SETTING_TEXT, offsetof(metrics_settings_t, otlp_headers), "", 0, 4096,
      .secret = true, .about = "Headers for that, as `name=value,name=value`." },
    { "errors_keep_s", SETTING_INT, offsetof(metrics_settings_t, errors_keep_s), "604800", 60,
      31536000, "s", .about = "How long a group of failures is told after it was met last." },
    { "sentry_dsn", SETTING_TEXT, offsetof(metrics_settings_t, sentry_dsn), "", 0, 2048,
      .secret = true,
      .about = "Where failures of ours are exported to, as https://KEY@HOST/PROJECT; empty for "
               "nowhere." },
    { "sentry_environment", SETTING_TEXT, offsetof(metrics_settings_t, sentry_environment),
      "production", 0, 64, .about = "What they are told to be of." },
    { 0 },
};

static const stats_row_t s_stats_rows[METRICS_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "metrics_" name "_total", STATS_COUNTER, about }
    COUNTER(METRICS_SNAPSHOTS, "snapshots", "Snapshots taken in"),
    COUNTER(METRICS_MISSED, "snapshots_missed", "Snapshots that did not arrive"),
    COUNTER(METRICS_OLD, "snapshots_old", "Snapshots that came after a newer one"),
    COUNTER(METRICS_BAD, "snapshots_bad", "Snapshots that could not be read"),
    COUNTER(METRICS_FULL, "snapshots_full", "Snapshots of more instances than are kept"),
    COUNTER(METRICS_LEFT_OUT, "series_left_out",
            "Families and series of snapshots that were not acceptable, or too many"),
    COUNTER(METRICS_FELL_SILENT, "instances_silent", "Instances that fell silent without leaving"),
    COUNTER(METRICS_ERRORS, "errors", "Failures taken in"),
    COUNTER(METRICS_ERRORS_NEW, "errors_new", "Failures of a kind that was not known"),
    COUNTER(METRICS_ERRORS_ECHOES, "errors_echoes", "Failures that somebody had told of before"),
    COUNTER(METRICS_ERRORS_BAD, "errors_bad", "Failures that could not be read"),
    COUNTER(METRICS_ERRORS_EVICTED, "errors_evicted",
            "Groups of failures forgotten because there were too many"),
    [METRICS_RESTARTS] = { "instance_restarts_total{of,after}", STATS_COUNTER,
                           "Instances that started anew under their name, by part, and whether "
                           "they had left in order" },
    [METRICS_INSTANCES] = { "metrics_instances", STATS_GAUGE, "Instances known" },
    [METRICS_LARGE] = { "metrics_instances_large", STATS_GAUGE,
                        "Instances of which all told would be too much" },
    [METRICS_SERIES] = { "metrics_series", STATS_GAUGE, "Series of all of them" },
    [METRICS_SENTRY_SENT] = { "metrics_sentry_sent_total", STATS_COUNTER, "Failures exported" },
    [METRICS_SENTRY_LOST] = { "metrics_sentry_lost_total", STATS_COUNTER,
                              "Failures that were to be exported and are lost" },
    [METRICS_ERROR_GROUPS] = { "metrics_error_groups", STATS_GAUGE, "Kinds of failures known" },
    [METRICS_ALERTS] = { "metrics_alerts", STATS_GAUGE, "Rules that are broken now" },
    [METRICS_ALERTS_DROPPED] = { "metrics_alerts_dropped_total", STATS_COUNTER,
                                 "Broken rules there was no room for" },
    [METRICS_ALERTS_TOLD] = { "metrics_alerts_told_total", STATS_COUNTER,
                              "Messages about alerts that were handed on to be delivered" },
    [METRICS_ALERTS_LOST] = { "metrics_alerts_lost_total", STATS_COUNTER,
                              "Messages about alerts that could not be" },
    COUNTER(METRICS_SPANS, "spans", "Spans taken in"),
    COUNTER(METRICS_SPANS_BAD, "spans_bad", "Spans that could not be read"),
    COUNTER(METRICS_SPANS_DROPPED, "spans_dropped", "Spans there was no more room for"),
    COUNTER(METRICS_SPANS_EXPORTED, "spans_exported", "Spans that a collector has taken"),
    COUNTER(METRICS_SPANS_NOT_EXPORTED, "spans_not_exported",
            "Spans that were to be exported and are lost"),
#undef COUNTER
    [METRICS_TRACES] = { "metrics_traces", STATS_GAUGE, "Traces remembered" },
    [METRICS_TRACE_BYTES] = { "metrics_trace_bytes", STATS_GAUGE, "What their spans take" },
};

/* ---- hearing -------------------------------------------------------------------------------- */

static void s_count(metrics_t *self, metrics_stat_t row, uint64_t amount)
{
    stats_add(actor_stats(self->actor), row, (int64_t)amount);
}

static void s_count_verdict(metrics_t *self, board_verdict_t verdict, const char *part,
                            uint64_t missed)
{
    static const metrics_stat_t rows[] = {
        [BOARD_TAKEN] = METRICS_SNAPSHOTS, [BOARD_GAP] = METRICS_SNAPSHOTS,
        [BOARD_RESET] = METRICS_SNAPSHOTS, [BOARD_CRASH] = METRICS_SNAPSHOTS,
        [BOARD_OLD] = METRICS_OLD,         [BOARD_FULL] = METRICS_FULL,
    };
    s_count(self, rows[verdict], 1);
    s_count(self, METRICS_MISSED, missed);
    const char *const labels[] = { part, verdict == BOARD_CRASH ? "crash" : "leave" };
    if (verdict == BOARD_CRASH || verdict == BOARD_RESET)
        series_add(stats_at(actor_stats(self->actor), METRICS_RESTARTS, labels), 1);
}

/* The topic of summaries begins alike. An empty event ends what was retained: none of ours is. */
static void s_on_snapshot(void *arg, const client_event_t *event)
{
    metrics_t *self = arg;
    if (topic_find(event->topic, event->topic_size) != topic_row(TOPIC_METRICS))
        return;
    uint64_t missed = 0;
    view_t *view = view_read(event->body, event->size);
    if (!view) {
        s_count(self, METRICS_BAD, 1);
        return;
    }
    char part[METHOD_NAME_BYTES + 1];
    text_copy(part, sizeof part, view->part, strlen(view->part));
    s_count(self, METRICS_LEFT_OUT, view->left_out);
    monitor_lock(&self->monitor);
    board_verdict_t verdict =
        board_take(&self->board, &view, event->head.time_ms, clock_ms(), &missed);
    monitor_unlock(&self->monitor);
    s_count_verdict(self, verdict, part, missed);
}

/* ---- telling -------------------------------------------------------------------------------- */

void metrics_on_text(call_t *call, void *memory)
{
    metrics_t *self = memory;
    const value_t *format = value_get(call_request(call), "format");
    buf_t text = { 0 };
    size_t count;
    monitor_lock(&self->monitor);
    exposition_source_t *sources = board_sources(&self->board, &count);
    monitor_unlock(&self->monitor);
    const size_t large = exposition_bound(sources, count, (size_t)s_settings.text_bytes);
    stats_set(actor_stats(self->actor), METRICS_LARGE, (int64_t)large);
    exposition_write(
        sources, count,
        value_is(format, METRICS_OPENMETRICS) ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT, &text);
    board_give_back(sources, count);
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "text");
    pack_string(call_pack(call), (const char *)text.bytes, text.size);
    buf_free(&text);
    call_reply(call, 0);
}

void metrics_on_summary(call_t *call, void *memory)
{
    metrics_t *self = memory;
    buf_t *out = call_pack(call)->out;
    monitor_lock(&self->monitor);
    buf_add(out, self->summary.bytes, self->summary.size);
    monitor_unlock(&self->monitor);
    call_reply(call, 0);
}

static void s_show(metrics_t *self)
{
    stats_t *stats = actor_stats(self->actor);
    int64_t series = 0;
    for (const member_t *at = self->board.members; at; at = at->hh.next)
        series += (int64_t)at->now->series_count;
    stats_set(stats, METRICS_SERIES, series);
    stats_set(stats, METRICS_INSTANCES, HASH_COUNT(self->board.members));
    stats_set(stats, METRICS_ERROR_GROUPS, HASH_COUNT(self->errors.groups));
    stats_set(stats, METRICS_ALERTS, alerts_count(&self->alerts));
    stats_set(stats, METRICS_ALERTS_DROPPED, (int64_t)self->alerts.dropped);
}

/* ---- alerts --------------------------------------------------------------------------------- */

bool metrics_is_first(const metrics_t *self)
{
    const char *own = actor_instance(self->actor);
    for (const member_t *at = self->board.members; at; at = at->hh.next)
        if (at->is_up && strcmp(at->now->part, metrics_service.name) == 0 &&
            strcmp(at->now->instance, own) < 0)
            return false;
    return true;
}

static void s_on_alert(void *arg, const alert_t *alert, alert_step_t step)
{
    metrics_t *self = arg;
    const char *status = step == ALERT_ENDS ? "resolved" : "firing";
    char id[ID_UUID_SIZE + 24], type[32];
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    alerts_write_one(alert, status, &pack);
    /* a repetition is a message of its own; the alert's id is in it */
    if (step == ALERT_FIRES_STILL)
        snprintf(id, sizeof id, "%s_%" PRIu64, alert->id, clock_ms() - alert->since_ms);
    else
        snprintf(id, sizeof id, "%s_%s", alert->id, status);
    snprintf(type, sizeof type, "alert.%s", status);
    LOG(step == ALERT_ENDS ? LOG_INFO : LOG_WARN, type, LOG_TEXT("name", alert->rule->name),
        LOG_TEXT("id", alert->id));
    messenger_tell(&self->messenger, id, type, &body);
    actor_publish(self->actor, topic_row(TOPIC_ALERT)->prefix, false, &body);
}

/* The summary as a whole: the rules are compared with its other members. */
static void s_summarise(metrics_t *self, buf_t *body)
{
    arena_t arena = { 0 };
    pack_t pack;
    value_verdict_t verdict;
    buf_t members = { 0 };
    pack_init(&pack, &members);
    summary_write(&self->board, &self->errors, clock_ms(), clock_wall_ms(), &pack);
    alerts_look(&self->alerts,
                &(alerts_look_t){ .summary = value_parse(&arena, members.bytes, members.size,
                                                         VALUE_LIMITS, &verdict),
                                  .now_ms = clock_ms(),
                                  .wall_ms = clock_wall_ms(),
                                  .tells = metrics_is_first(self),
                                  .tell = s_on_alert,
                                  .arg = self });
    pack_init(&pack, body);
    pack_map(&pack, SUMMARY_MEMBERS + 1);
    pack_raw(&pack, members.bytes + 1, members.size - 1); /* behind the head of a small map */
    pack_text(&pack, "alerts");
    alerts_write(&self->alerts, &pack);
    buf_free(&members);
    arena_free(&arena);
}

static void s_tick(actor_t *actor, void *memory)
{
    metrics_t *self = memory;
    buf_t body = { 0 };
    monitor_lock(&self->monitor);
    s_count(self, METRICS_FELL_SILENT, board_tick(&self->board, clock_ms()));
    errors_tick(&self->errors, clock_wall_ms());
    s_summarise(self, &body);
    self->summary.size = 0;
    buf_add(&self->summary, body.bytes, body.size);
    s_show(self);
    metrics_tick_traces(self);
    monitor_unlock(&self->monitor);
    messenger_tick(&self->messenger, clock_ms());
    exporter_tick(&self->otlp.exporter, clock_ms());
    exporter_tick(&self->sentry, clock_ms());
    actor_publish(actor, topic_row(TOPIC_METRICS_SUMMARY)->prefix, false, &body);
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    metrics_t *self = memory;
    self->actor = actor;
    if (!metrics_init_traces(self, &s_settings, why, why_size))
        return false;
    if (!metrics_init_errors(self, &s_settings, why, why_size)) {
        metrics_free_traces(self);
        return false;
    }
    monitor_init(&self->monitor);
    board_init(&self->board, (uint64_t)s_settings.keep_s * 1000);
    alerts_init(&self->alerts, (uint64_t)s_settings.alert_repeat_s * 1000);
    messenger_init(&self->messenger, s_settings.alert_webhook, s_settings.alert_secret);
    s_summarise(self, &self->summary);
    return true;
}

static void s_connected(actor_t *actor, void *memory)
{
    metrics_t *self = memory;
    self->messenger.client = actor_client(actor);
    self->messenger.stats = actor_stats(actor);
    self->messenger.carried = METRICS_ALERTS_TOLD;
    self->messenger.dropped = METRICS_ALERTS_LOST;
    client_subscribe(actor_client(actor), topic_row(TOPIC_METRICS)->prefix, s_on_snapshot, self);
    metrics_connect_traces(self);
    metrics_connect_errors(self);
}

static void s_release(actor_t *actor, void *memory)
{
    metrics_t *self = memory;
    (void)actor;
    metrics_free_traces(self);
    messenger_free(&self->messenger);
    alerts_free(&self->alerts);
    metrics_free_errors(self);
    board_free(&self->board);
    buf_free(&self->summary);
    monitor_free(&self->monitor);
}

static const handler_t s_handlers[] = {
    { &metrics_text, metrics_on_text, HANDLE_POOL },
    { &metrics_summary, metrics_on_summary, HANDLE_POOL },
    { &metrics_trace, metrics_on_trace, HANDLE_POOL },
    { &metrics_traces, metrics_on_traces, HANDLE_POOL },
    { &metrics_errors, metrics_on_errors, HANDLE_POOL },
    { &metrics_error, metrics_on_error, HANDLE_POOL },
    { &metrics_forget_error, metrics_on_forget_error, HANDLE_POOL },
    { 0 },
};

const actor_spec_t metrics_actor = {
    .service = &metrics_service,
    .settings = s_setting_rows,
    .settings_target = &s_settings,
    .stats = s_stats_rows,
    .self_size = sizeof(metrics_t),
    .init = s_init,
    .connected = s_connected,
    .tick = s_tick,
    .release = s_release,
    .handlers = s_handlers,
};
