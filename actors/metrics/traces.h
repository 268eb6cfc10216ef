/* SPDX-License-Identifier: MPL-2.0
 *
 * traces - the spans that were heard of, by trace
 *
 * Nothing is stored: a trace is known for `keep_ms` after the last of its spans was heard of. When
 * there is no more room the trace that was silent longest goes first; that, and spans that are too
 * many for one trace, are counted. A span that is told twice counts once.
 *
 * Not for several threads. Time is passed in, from the monotonic clock.
 */
#ifndef SIGNALBOX_METRICS_TRACES_H
#define SIGNALBOX_METRICS_TRACES_H

#include <uthash.h>

#include "actors/metrics/heard.h"

#define TRACES_SPANS_MAX 1000 /* of one trace */
#define TRACES_NAME_SIZE (HEARD_TEXT_BYTES + 1)

typedef struct kept_span kept_span_t;
typedef struct kept_trace kept_trace_t;

typedef struct {
    size_t traces, bytes; /* of all their spans */
    uint64_t keep_ms;
} traces_limits_t;

typedef struct {
    traces_limits_t limits;
    kept_trace_t *by_id, *list; /* the list begins with the one that was silent longest */
    size_t count, spans, bytes;
    uint64_t spans_dropped; /* because one trace had too many, or they were too many in all */
} traces_t;

/* Which traces are listed. */
typedef struct {
    bool only_failed;
    int64_t least_us; /* that took at least so long */
    size_t most;
} traces_filter_t;

void traces_init(traces_t *self, const traces_limits_t *limits);
void traces_free(traces_t *self);

/* Takes a span in; what it points to is copied. */
void traces_take(traces_t *self, const heard_batch_t *batch, const heard_t *span, uint64_t now_ms);

/* The periodic work: forgets what has been silent too long. */
void traces_tick(traces_t *self, uint64_t now_ms);

/* Packs a trace as proto/metrics_traces.c has it; false, and nothing is packed, when it is not
 * known. */
bool traces_write(const traces_t *self, const uint8_t id[TRACE_ID_BYTES], pack_t *out) MUST_CHECK;

/* Packs an array of those that were heard of last, the newest first. */
void traces_list(const traces_t *self, const traces_filter_t *filter, pack_t *out);

#endif
