/* SPDX-License-Identifier: MPL-2.0
 *
 * trace - where a request stands in a trace (W3C Trace Context, level 1)
 *
 * A trace is all that happens because of one thing that was asked for, in however many processes;
 * a span is a part of it with a beginning and an end. Over HTTP the place is told by the headers
 * `traceparent` and `tracestate`, on the bus by 25 bytes of the native header (frame.h) and a field
 * of the principal. What is not well-formed is not used: then a new trace begins.
 */
#ifndef SIGNALBOX_PROTO_TRACE_H
#define SIGNALBOX_PROTO_TRACE_H

#include "proto/frame.h"

#define TRACE_ID_BYTES      16
#define TRACE_SPAN_BYTES    8
#define TRACE_SAMPLED       1   /* the only flag of level 1: it is certain that the trace is kept */
#define TRACE_PARENT_SIZE   56  /* "00-<32>-<16>-<2>" and the NUL */
#define TRACE_STATE_BYTES   512 /* of a tracestate that is passed on */
#define TRACE_STATE_MEMBERS 32
#define TRACE_RATIO_ALL     1000000 /* a ratio is told in millionths */

/* As it lies in a native header. */
typedef struct {
    uint8_t trace[TRACE_ID_BYTES], span[TRACE_SPAN_BYTES];
    uint8_t flags;
} trace_t;
_Static_assert(sizeof(trace_t) == FRAME_TRACE_BYTES, "the context lies so in a frame");

/* Begins a trace, with its first span. Not sampled. */
void trace_fresh(trace_t *self);

/* A span of its own in the same trace. */
trace_t trace_child(const trace_t *parent);

/* Reads a `traceparent`, which may be NULL; false when it is none, or one of two. */
bool trace_read(trace_t *self, const char *traceparent) MUST_CHECK;

/* The header as it goes out; returns `text`. */
const char *trace_parent(const trace_t *self, char text[TRACE_PARENT_SIZE]);

/* Whether the trace is one of so many millionths. Every process says the same of a trace, and one
 * that is kept at a small ratio is kept at a larger one: the last 7 bytes of its id decide, which
 * are random (OpenTelemetry, TraceIdRatioBased). */
bool trace_is_within(const trace_t *self, uint32_t millionths);

/* Reads the 32 hex digits of a trace's id; false when they are not. */
bool trace_read_id(uint8_t id[TRACE_ID_BYTES], const char *text, size_t size) MUST_CHECK;

/* Reads a `tracestate`, several headers joined by commas; NULL is an empty one. Writes its members
 * in their order without white space and empty ones, the first of each key. What is too long is
 * shortened as section 3.3.1.5 has it: members of more than 128 bytes first, then the last ones.
 * When one is malformed, or there are too many, nothing is used: false and "". */
bool trace_state_read(const char *tracestate, char text[TRACE_STATE_BYTES + 1]);

#endif
