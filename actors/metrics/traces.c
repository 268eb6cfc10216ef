/* SPDX-License-Identifier: MPL-2.0
 *
 * traces - the spans that were heard of, by trace
 */
#include "config.h"

#include <utlist.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/metrics/traces.h"
#include "proto/value_pack.h"

struct kept_span {
    kept_span_t *next;
    uint64_t id;
    size_t size;
    uint8_t bytes[]; /* packed, as it is told */
};

struct kept_trace {
    UT_hash_handle hh;
    kept_trace_t *prev, *next;
    uint8_t id[TRACE_ID_BYTES];
    kept_span_t *spans;
    size_t count;
    uint64_t heard_ms;
    int64_t start_us, end_us;
    bool is_failed;
    char name[TRACES_NAME_SIZE], part[TRACES_NAME_SIZE]; /* of the span that began first */
};

void traces_init(traces_t *self, const traces_limits_t *limits)
{
    *self = (traces_t){ .limits = *limits };
}

static void s_forget(traces_t *self, kept_trace_t *trace)
{
    for (kept_span_t *span = trace->spans, *next; span; span = next) {
        next = span->next;
        self->bytes -= span->size;
        mem_free(span);
    }
    self->spans -= trace->count;
    self->count--;
    HASH_DEL(self->by_id, trace);
    DL_DELETE(self->list, trace);
    mem_free(trace);
}

void traces_free(traces_t *self)
{
    while (self->list)
        s_forget(self, self->list);
}

void traces_tick(traces_t *self, uint64_t now_ms)
{
    while (self->list && now_ms > self->list->heard_ms + self->limits.keep_ms)
        s_forget(self, self->list);
}

/* ---- taking in ------------------------------------------------------------------------------ */

static void s_drop_oldest(traces_t *self)
{
    self->spans_dropped += self->list->count;
    s_forget(self, self->list);
}

/* The trace of an id; made when it is new. It is now the one that was heard of last. */
static kept_trace_t *s_trace(traces_t *self, const heard_t *span, uint64_t now_ms)
{
    kept_trace_t *trace;
    HASH_FIND(hh, self->by_id, span->trace, TRACE_ID_BYTES, trace);
    if (trace) {
        DL_DELETE(self->list, trace);
    } else {
        if (self->count >= self->limits.traces)
            s_drop_oldest(self);
        trace = mem_zeroed(sizeof *trace);
        memcpy(trace->id, span->trace, TRACE_ID_BYTES);
        trace->start_us = INT64_MAX;
        HASH_ADD(hh, self->by_id, id, TRACE_ID_BYTES, trace);
        self->count++;
    }
    DL_APPEND(self->list, trace);
    trace->heard_ms = now_ms;
    return trace;
}

/* What is told of the trace as a whole. */
static void s_note(kept_trace_t *trace, const heard_batch_t *batch, const heard_t *span)
{
    const int64_t end_us = span->start_us + span->duration_us;
    if (end_us > trace->end_us)
        trace->end_us = end_us;
    trace->is_failed |= span->is_failed;
    if (span->start_us >= trace->start_us)
        return;
    trace->start_us = span->start_us;
    text_copy(trace->name, sizeof trace->name, span->name->text, span->name->count);
    text_copy(trace->part, sizeof trace->part, batch->part->text, batch->part->count);
}

static void s_pack(const heard_batch_t *batch, const heard_t *span, pack_t *out)
{
    pack_map(out, 10);
    heard_pack_text(out, "id", span->id);
    heard_pack_text(out, "parent_id", span->parent_id);
    heard_pack_text(out, "part", batch->part);
    heard_pack_text(out, "instance", batch->instance);
    heard_pack_text(out, "name", span->name);
    pack_pair_text(out, "kind", heard_kinds[span->kind]);
    pack_pair_int(out, "start_us", span->start_us);
    pack_pair_int(out, "duration_us", span->duration_us);
    pack_pair_bool(out, "is_failed", span->is_failed);
    pack_text(out, "attributes");
    value_pack(span->attributes, out);
}

static bool s_is_known(const kept_trace_t *trace, uint64_t id)
{
    for (const kept_span_t *span = trace->spans; span; span = span->next)
        if (span->id == id)
            return true;
    return false;
}

static void s_add(traces_t *self, kept_trace_t *trace, uint64_t id, const buf_t *bytes)
{
    kept_span_t *span = mem_alloc(sizeof *span + bytes->size);
    span->id = id;
    span->size = bytes->size;
    memcpy(span->bytes, bytes->bytes, bytes->size);
    span->next = trace->spans;
    trace->spans = span;
    trace->count++;
    self->spans++;
    self->bytes += bytes->size;
    while (self->bytes > self->limits.bytes && self->list != trace)
        s_drop_oldest(self);
}

void traces_take(traces_t *self, const heard_batch_t *batch, const heard_t *span, uint64_t now_ms)
{
    kept_trace_t *trace = s_trace(self, span, now_ms);
    const uint64_t id = id_hash(span->id->text, span->id->count);
    buf_t bytes = { 0 };
    pack_t pack;
    if (s_is_known(trace, id))
        return;
    /* what takes all the room alone gets no more of it; it makes room for others */
    if (trace->count >= TRACES_SPANS_MAX ||
        (self->bytes > self->limits.bytes && self->list == trace)) {
        self->spans_dropped++;
        return;
    }
    s_note(trace, batch, span);
    pack_init(&pack, &bytes);
    s_pack(batch, span, &pack);
    s_add(self, trace, id, &bytes);
    buf_free(&bytes);
}

/* ---- telling -------------------------------------------------------------------------------- */

#define HEAD_PAIRS 7

static void s_write_head(const kept_trace_t *trace, pack_t *out)
{
    char id[2 * TRACE_ID_BYTES + 1];
    pack_pair_text(out, "id", id_hex(trace->id, sizeof trace->id, id));
    pack_pair_text(out, "name", trace->name);
    pack_pair_text(out, "part", trace->part);
    pack_pair_time(out, "started_at", trace->start_us / 1000);
    pack_pair_int(out, "duration_us", trace->end_us - trace->start_us);
    pack_pair_bool(out, "is_failed", trace->is_failed);
    pack_pair_int(out, "span_count", (int64_t)trace->count);
}

bool traces_write(const traces_t *self, const uint8_t id[TRACE_ID_BYTES], pack_t *out)
{
    const kept_trace_t *trace;
    HASH_FIND(hh, self->by_id, id, TRACE_ID_BYTES, trace);
    if (!trace)
        return false;
    pack_map(out, HEAD_PAIRS + 1);
    s_write_head(trace, out);
    pack_text(out, "spans");
    pack_array(out, trace->count);
    for (const kept_span_t *span = trace->spans; span; span = span->next)
        pack_raw(out, span->bytes, span->size);
    return true;
}

static bool s_is_wanted(const kept_trace_t *trace, const traces_filter_t *filter)
{
    return (trace->is_failed || !filter->only_failed) &&
           trace->end_us - trace->start_us >= filter->least_us;
}

void traces_list(const traces_t *self, const traces_filter_t *filter, pack_t *out)
{
    const size_t position = pack_open_array(out);
    size_t count = 0;
    /* the list's head knows its end; its end has no next one */
    for (const kept_trace_t *trace = self->list ? self->list->prev : NULL;
         trace && count < filter->most; trace = trace == self->list ? NULL : trace->prev) {
        if (!s_is_wanted(trace, filter))
            continue;
        pack_map(out, HEAD_PAIRS);
        s_write_head(trace, out);
        count++;
    }
    pack_close(out, position, count);
}
