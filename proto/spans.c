/* SPDX-License-Identifier: MPL-2.0
 *
 * spans - what a part remembers of the traces that pass through it, until it is known which are
 * kept
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/monitor.h"
#include "actors/base/text.h"
#include "proto/client.h"
#include "proto/pack.h"
#include "proto/spans.h"
#include "proto/topic.h"
#include "proto/value.h"

#define NAMED_MAX   1024 /* traces of which it is remembered that they were named */
#define KEEP_LIMITS ((value_limits_t){ .depth = 3, .nodes = 100 })

/* What OTLP calls a kind (trace.proto, SpanKind), and how the halves of a name are called and
 * joined. */
static const struct {
    int kind;
    char between;
    const char *first, *second;
} s_whats[SPAN_WHATS] = {
    [SPAN_SERVER] = { 2, ' ', "http.request.method", "http.route" },
    [SPAN_HANDLER] = { 2, '.', "rpc.service", "rpc.method" },
    [SPAN_CALL] = { 3, '.', "rpc.service", "rpc.method" },
    [SPAN_RUN] = { 5, '.', "rpc.service", "rpc.method" },
    [SPAN_OUTBOUND] = { 3, ' ', "http.request.method", "server.address" },
    [SPAN_QUERY] = { 3, ' ', "db.namespace", "db.operation.name" },
};

struct spans {
    spans_config_t config;
    monitor_t monitor;                        /* over the rest */
    trace_span_t *ring;                       /* NULL: nothing has ended yet */
    size_t next;                              /* in the ring */
    uint8_t named[NAMED_MAX][TRACE_ID_BYTES]; /* by its hash; a later one takes the place */
    buf_t ready;                              /* packed spans, to be published */
    size_t ready_count;
    uint64_t second;         /* that the next two are of */
    size_t published, names; /* within it */
    bool has_subscribed;
};

spans_t *spans_new(const spans_config_t *config)
{
    spans_t *self = mem_zeroed(sizeof *self);
    self->config = *config;
    monitor_init(&self->monitor);
    return self;
}

void spans_destroy(spans_t **self_p)
{
    spans_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    monitor_free(&self->monitor);
    buf_free(&self->ready);
    mem_free(self->ring);
    mem_free(self);
}

/* ---- where a span stands -------------------------------------------------------------------- */

void spans_decide(const spans_t *self, trace_t *trace)
{
    trace->flags = trace_is_within(trace, self->config.millionths) ? TRACE_SAMPLED : 0;
}

bool spans_enter(const spans_t *self, const char *traceparent, trace_t *trace,
                 uint8_t parent[TRACE_SPAN_BYTES])
{
    trace_t caller;
    bool goes_on = trace_read(&caller, traceparent);
    memcpy(parent, caller.span, TRACE_SPAN_BYTES);
    if (goes_on)
        *trace = trace_child(&caller);
    else
        trace_fresh(trace);
    spans_decide(self, trace);
    if (self->config.follows)
        trace->flags |= caller.flags;
    return goes_on;
}

/* Copies a half of a name, as much as there is room for, and a NUL; returns the bytes used. What is
 * cut is cut between characters: whoever hears of the span takes nothing but UTF-8. */
static size_t s_put_half(char *to, size_t room, const char *text)
{
    size_t size = strnlen(text, room);
    if (size == room)
        size = text_utf8_cut(text, room - 1);
    memcpy(to, text, size);
    to[size] = '\0';
    return size + 1;
}

void trace_span_init(trace_span_t *span, span_what_t what, const char *first, const char *second,
                     const trace_t *context, const uint8_t parent[TRACE_SPAN_BYTES])
{
    memset(span, 0, offsetof(trace_span_t, name));
    span->what = (uint8_t)what;
    span->context = *context;
    memcpy(span->parent, parent, TRACE_SPAN_BYTES);
    span->cut = (uint8_t)s_put_half(span->name, SPANS_NAME_SIZE - 1, first);
    s_put_half(span->name + span->cut, SPANS_NAME_SIZE - span->cut, second);
}

/* ---- packing -------------------------------------------------------------------------------- */

static void s_pair_hex(pack_t *pack, const char *key, const uint8_t *bytes, size_t size)
{
    char text[2 * TRACE_ID_BYTES + 1];
    pack_pair_text(pack, key, id_hex(bytes, size, text));
}

static size_t s_pair_text(pack_t *pack, const char *key, const char *text)
{
    if (text)
        pack_pair_text(pack, key, text);
    return text != NULL;
}

static size_t s_pair_int(pack_t *pack, const char *key, int64_t number)
{
    if (number)
        pack_pair_int(pack, key, number);
    return number != 0;
}

static void s_pack_attributes(const trace_span_t *span, pack_t *pack)
{
    const size_t position = pack_open_map(pack);
    size_t pairs = s_pair_text(pack, s_whats[span->what].first, span->name) +
                   s_pair_text(pack, s_whats[span->what].second, span->name + span->cut);
    pairs += s_pair_int(pack, "http.response.status_code", span->status);
    if (span->code != ERROR_NONE)
        pairs += s_pair_text(pack, "error.type", error_row((error_code_t)span->code)->symbol);
    pairs += s_pair_text(pack, "signalbox.outcome", span->outcome);
    pairs += s_pair_text(pack, "signalbox.cache", span->cache);
    pairs += s_pair_text(pack, "signalbox.limit", span->limit);
    pairs += s_pair_int(pack, "signalbox.wait_us", span->wait_us);
    pairs += s_pair_int(pack, "signalbox.job", span->job);
    pack_close(pack, position, pairs);
}

static void s_pack_span(const trace_span_t *span, pack_t *pack)
{
    static const uint8_t none[TRACE_SPAN_BYTES];
    char name[2 * SPANS_NAME_SIZE]; /* the halves have at most one of that together */
    const bool has_parent = memcmp(span->parent, none, sizeof none) != 0;
    const int64_t ago_us = (int64_t)(clock_us() - span->started_us);
    snprintf(name, sizeof name, "%s%c%s", span->name, s_whats[span->what].between,
             span->name + span->cut);
    pack_map(pack, has_parent ? 9 : 8);
    s_pair_hex(pack, "trace_id", span->context.trace, TRACE_ID_BYTES);
    s_pair_hex(pack, "id", span->context.span, TRACE_SPAN_BYTES);
    if (has_parent)
        s_pair_hex(pack, "parent_id", span->parent, TRACE_SPAN_BYTES);
    pack_pair_text(pack, "name", name);
    pack_pair_int(pack, "kind", s_whats[span->what].kind);
    pack_pair_int(pack, "start_us", clock_wall_us() - ago_us);
    pack_pair_int(pack, "duration_us", (int64_t)span->took_us);
    pack_pair_bool(pack, "is_failed", span->is_failed);
    pack_text(pack, "attributes");
    s_pack_attributes(span, pack);
}

/* ---- publishing ----------------------------------------------------------------------------- */

/* Makes an event of what is ready, if anything is; to be published when the lock is given back. */
static bool s_take_batch(spans_t *self, buf_t *body)
{
    pack_t pack;
    if (self->ready_count == 0)
        return false;
    pack_init(&pack, body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "part", self->config.part);
    pack_pair_text(&pack, "instance", self->config.instance);
    pack_text(&pack, "spans");
    pack_array(&pack, self->ready_count);
    pack_raw(&pack, self->ready.bytes, self->ready.size);
    stats_add(self->config.stats, self->config.kept, (int64_t)self->ready_count);
    self->ready.size = self->ready_count = 0;
    return true;
}

static void s_publish(const spans_t *self, buf_t *body)
{
    if (body->size)
        client_publish(self->config.client, topic_row(TOPIC_TRACE)->prefix, false, body);
}

/* Another second has its own numbers. */
static void s_look_at_clock(spans_t *self)
{
    const uint64_t second = clock_ms() / 1000;
    if (second == self->second)
        return;
    self->second = second;
    self->published = self->names = 0;
}

/* A full batch goes into `body`; the one that is there already is published first, so that no event
 * holds more than a batch, however many spans a trace had. */
static void s_keep(spans_t *self, const trace_span_t *span, buf_t *body)
{
    pack_t pack;
    s_look_at_clock(self);
    if (self->published == SPANS_A_SECOND) {
        stats_add(self->config.stats, self->config.lost, 1);
        return;
    }
    self->published++;
    pack_init(&pack, &self->ready);
    s_pack_span(span, &pack);
    if (++self->ready_count < SPANS_BATCH)
        return;
    s_publish(self, body);
    s_take_batch(self, body);
}

void spans_flush(spans_t *self)
{
    buf_t body = { 0 };
    monitor_lock(&self->monitor);
    s_take_batch(self, &body);
    monitor_unlock(&self->monitor);
    s_publish(self, &body);
}

/* ---- which are kept ------------------------------------------------------------------------- */

static uint8_t *s_named(spans_t *self, const uint8_t trace[TRACE_ID_BYTES])
{
    const unsigned hash = trace[TRACE_ID_BYTES - 2] * 256u + trace[TRACE_ID_BYTES - 1];
    return self->named[hash % NAMED_MAX];
}

static bool s_is_named(spans_t *self, const uint8_t trace[TRACE_ID_BYTES])
{
    return memcmp(s_named(self, trace), trace, TRACE_ID_BYTES) == 0;
}

/* Remembers that a trace is kept, and takes what is known of it out of the ring. */
static void s_name(spans_t *self, const uint8_t trace[TRACE_ID_BYTES], buf_t *body)
{
    memcpy(s_named(self, trace), trace, TRACE_ID_BYTES);
    for (size_t i = 0; self->ring && i < self->config.ring; i++) {
        trace_span_t *span = &self->ring[i];
        if (memcmp(span->context.trace, trace, TRACE_ID_BYTES) != 0)
            continue;
        s_keep(self, span, body);
        span->context = (trace_t){ 0 };
    }
}

static void s_remember(spans_t *self, const trace_span_t *span)
{
    if (self->config.ring == 0)
        return;
    if (!self->ring)
        self->ring = mem_array(self->config.ring, sizeof *self->ring);
    self->ring[self->next] = *span;
    self->next = self->next + 1 < self->config.ring ? self->next + 1 : 0;
}

static bool s_is_remarkable(const spans_t *self, const trace_span_t *span)
{
    return span->is_failed || (!span->is_long && self->config.slow_ms &&
                               span->took_us > (uint64_t)self->config.slow_ms * 1000);
}

/* Whether the others may be told of one more trace. */
static bool s_may_name(spans_t *self)
{
    s_look_at_clock(self);
    if (self->names == SPANS_NAMED_A_TIME)
        return false;
    self->names++;
    return true;
}

static void s_tell(const spans_t *self, const uint8_t trace[TRACE_ID_BYTES])
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "ids");
    pack_array(&pack, 1);
    pack_bytes(&pack, trace, TRACE_ID_BYTES);
    stats_add(self->config.stats, self->config.named, 1);
    client_publish(self->config.client, topic_row(TOPIC_TRACE_KEEP)->prefix, false, &body);
}

static void s_on_named(void *arg, const client_event_t *event)
{
    spans_hear(arg, event->body, event->size);
}

void spans_end(spans_t *self, const trace_span_t *span)
{
    buf_t body = { 0 };
    const uint8_t *trace = span->context.trace;
    bool names = false;
    monitor_lock(&self->monitor);
    const bool subscribes = !self->has_subscribed;
    self->has_subscribed = true;
    if (span->context.flags & TRACE_SAMPLED || s_is_named(self, trace)) {
        s_keep(self, span, &body);
    } else if (s_is_remarkable(self, span) && s_may_name(self)) {
        names = true;
        s_name(self, trace, &body);
        s_keep(self, span, &body);
    } else {
        s_remember(self, span);
    }
    monitor_unlock(&self->monitor);
    if (subscribes)
        client_subscribe(self->config.client, topic_row(TOPIC_TRACE_KEEP)->prefix, s_on_named,
                         self);
    if (names)
        s_tell(self, trace);
    s_publish(self, &body);
}

/* ---- what others say ------------------------------------------------------------------------ */

void spans_hear(spans_t *self, const void *bytes, size_t size)
{
    arena_t arena = { 0 };
    buf_t body = { 0 };
    value_verdict_t verdict;
    const value_t *ids = value_get(value_parse(&arena, bytes, size, KEEP_LIMITS, &verdict), "ids");
    const value_t *id;
    monitor_lock(&self->monitor);
    for (uint32_t i = 0; (id = value_item(ids, i)); i++)
        if (value_is_type(id, VALUE_BINARY) && id->count == TRACE_ID_BYTES &&
            !s_is_named(self, id->bytes))
            s_name(self, id->bytes, &body);
    monitor_unlock(&self->monitor);
    s_publish(self, &body);
    arena_free(&arena);
}
