/* SPDX-License-Identifier: MPL-2.0
 *
 * on_errors - hears of failures of ours, and says which kinds there are
 *
 * Every instance hears them all and keeps the same groups. What is to be forgotten is therefore
 * said on a topic that all of them hear, whoever was asked.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/metrics/metrics.h"
#include "actors/runtime/page.h"
#include "proto/page.h"

#define LIST_ERRORS 1

/* ---- hearing -------------------------------------------------------------------------------- */

/* Told by the one instance that tells alerts, too. */
static void s_tell_new(metrics_t *self, const error_group_t *group)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, ERRORS_MEMBERS);
    errors_write_group(group, &pack);
    actor_publish(self->actor, topic_row(TOPIC_ERROR_NEW)->prefix, false, &body);
}

/* By the same instance. */
static void s_export(metrics_t *self, const fault_t *fault, const error_group_t *group)
{
    buf_t envelope = { 0 };
    sentry_write(fault,
                 &(sentry_about_t){ .fingerprint = group->fingerprint,
                                    .instance = group->last_instance,
                                    .environment = self->sentry_environment,
                                    .wall_ms = group->last_ms },
                 &envelope);
    exporter_send(&self->sentry, &envelope, 1);
}

static void s_take(metrics_t *self, const fault_t *fault, const char *publisher)
{
    stats_t *stats = actor_stats(self->actor);
    const error_group_t *group;
    size_t evicted;
    monitor_lock(&self->monitor);
    errors_verdict_t verdict =
        errors_take(&self->errors, fault, publisher, clock_wall_ms(), &group, &evicted);
    const bool tells = verdict != ERRORS_ECHO && metrics_is_first(self);
    if (tells && verdict == ERRORS_NEW)
        s_tell_new(self, group);
    if (tells && exporter_is_on(&self->sentry))
        s_export(self, fault, group);
    monitor_unlock(&self->monitor);
    stats_add(stats, METRICS_ERRORS, verdict != ERRORS_ECHO);
    stats_add(stats, METRICS_ERRORS_NEW, verdict == ERRORS_NEW);
    stats_add(stats, METRICS_ERRORS_ECHOES, verdict == ERRORS_ECHO);
    stats_add(stats, METRICS_ERRORS_EVICTED, (int64_t)evicted);
}

static void s_forget(metrics_t *self, arena_t *arena, const client_event_t *event)
{
    value_verdict_t verdict;
    const value_t *map = value_parse(arena, event->body, event->size,
                                     (value_limits_t){ .depth = 1, .nodes = 8 }, &verdict);
    const char *fingerprint = value_dup_text(arena, map, "fingerprint");
    monitor_lock(&self->monitor);
    if (fingerprint)
        errors_forget(&self->errors, fingerprint);
    monitor_unlock(&self->monitor);
}

static void s_on_event(void *arg, const client_event_t *event)
{
    metrics_t *self = arg;
    arena_t arena = { 0 };
    fault_t fault;
    const topic_row_t *topic = topic_find(event->topic, event->topic_size);
    if (topic == topic_row(TOPIC_ERROR_FORGOTTEN))
        s_forget(self, &arena, event);
    else if (topic != topic_row(TOPIC_ERROR))
        ; /* our own word on new ones */
    else if (fault_read(&fault, &arena, event->body, event->size))
        s_take(self, &fault, arena_text(&arena, event->head.publisher, event->head.publisher_size));
    else
        stats_add(actor_stats(self->actor), METRICS_ERRORS_BAD, 1);
    arena_free(&arena);
}

/* ---- life ----------------------------------------------------------------------------------- */

bool metrics_init_errors(metrics_t *self, const metrics_settings_t *settings, char *why,
                         size_t why_size)
{
    const char *dsn = settings->sentry_dsn;
    if (dsn[0] && !sentry_dsn_read(&self->sentry_dsn, dsn, why, why_size))
        return false;
    self->sentry_environment = settings->sentry_environment;
    self->sentry_headers[0] = self->sentry_dsn.auth;
    errors_init(&self->errors, settings->errors_keep_s * 1000);
    exporter_init(&self->sentry, &(exporter_config_t){ .name = "sentry",
                                                       .url = dsn[0] ? self->sentry_dsn.url : "",
                                                       .content_type = SENTRY_MEDIA,
                                                       .headers = self->sentry_headers,
                                                       .rest_ms = sentry_rest_ms,
                                                       .rest_header = SENTRY_LIMITS,
                                                       .carried = METRICS_SENTRY_SENT,
                                                       .lost = METRICS_SENTRY_LOST });
    return true;
}

void metrics_connect_errors(metrics_t *self)
{
    self->sentry.config.client = actor_client(self->actor);
    self->sentry.config.stats = actor_stats(self->actor);
    client_subscribe(actor_client(self->actor), topic_row(TOPIC_ERROR)->prefix, s_on_event, self);
}

void metrics_free_errors(metrics_t *self)
{
    exporter_free(&self->sentry);
    sentry_dsn_free(&self->sentry_dsn);
    errors_free(&self->errors);
}

/* ---- telling -------------------------------------------------------------------------------- */

typedef struct {
    const char *part, *code; /* NULL: any */
    cursor_t from;
    bool has_passed; /* the item that the page before ended with */
} wanted_t;

static bool s_is_wanted(wanted_t *wanted, const error_group_t *group)
{
    if (group->last_ms > wanted->from.at_ms)
        return false;
    if (group->last_ms == wanted->from.at_ms && !wanted->has_passed) {
        wanted->has_passed = strcmp(group->fingerprint, wanted->from.id) == 0;
        return false;
    }
    return (!wanted->part || strcmp(wanted->part, group->part) == 0) &&
           (!wanted->code || strcmp(wanted->code, group->code) == 0);
}

void metrics_on_errors(call_t *call, void *memory)
{
    metrics_t *self = memory;
    const error_group_t *found[PAGE_MAX + 1] = { NULL };
    const size_t limit = (size_t)call_int(call, "limit");
    size_t count = 0;
    wanted_t wanted = { .part = call_text(call, "part"), .code = call_text(call, "code") };
    if (!page_require_cursor(call, LIST_ERRORS, &wanted.from))
        return;
    pack_t *pack = call_pack(call);
    monitor_lock(&self->monitor);
    for (const error_group_t *at = self->errors.newest; at && count <= limit; at = at->next)
        if (s_is_wanted(&wanted, at))
            found[count++] = at;
    const size_t shown = page_begin(pack, count, limit);
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, ERRORS_MEMBERS);
        errors_write_group(found[i], pack);
    }
    const error_group_t *last = count > limit ? found[shown - 1] : NULL;
    page_end(pack, LIST_ERRORS, last ? last->last_ms : 0, last ? last->fingerprint : NULL);
    monitor_unlock(&self->monitor);
    call_reply(call, 0);
}

static void s_fail_missing(call_t *call)
{
    call_fail(call, ERROR_NOT_FOUND, "No failure has this fingerprint, or it has been forgotten");
}

void metrics_on_error(call_t *call, void *memory)
{
    metrics_t *self = memory;
    pack_t *pack = call_pack(call);
    monitor_lock(&self->monitor);
    const error_group_t *group = errors_find(&self->errors, call_text(call, "fingerprint"));
    if (group) {
        pack_map(pack, ERRORS_MEMBERS + 2);
        errors_write_group(group, pack);
        pack_pair_text(pack, "last_instance", group->last_instance);
        pack_text(pack, "sample");
        pack_raw(pack, group->sample.bytes, group->sample.size);
    }
    const bool is_there = group != NULL;
    monitor_unlock(&self->monitor);
    if (is_there)
        call_reply(call, 0);
    else
        s_fail_missing(call);
}

void metrics_on_forget_error(call_t *call, void *memory)
{
    metrics_t *self = memory;
    const char *fingerprint = call_text(call, "fingerprint");
    buf_t body = { 0 };
    pack_t pack;
    monitor_lock(&self->monitor);
    const bool is_there = errors_forget(&self->errors, fingerprint);
    monitor_unlock(&self->monitor);
    if (!is_there) {
        s_fail_missing(call);
        return;
    }
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "fingerprint", fingerprint);
    actor_publish(self->actor, topic_row(TOPIC_ERROR_FORGOTTEN)->prefix, false, &body);
    call_reply(call, 0);
}
