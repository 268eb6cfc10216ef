/* SPDX-License-Identifier: MPL-2.0
 *
 * trace - who a request is to the logs: its id, and its place in a trace
 *
 * A client may name its request (X-Request-ID) and put it into a trace of its own (traceparent and
 * tracestate, W3C Trace Context, level 1). What is not well-formed is replaced, never repaired.
 */
#ifndef SIGNALBOX_EDGE_TRACE_H
#define SIGNALBOX_EDGE_TRACE_H

#include "actors/base/base.h"
#include "proto/frame.h"

#define TRACE_REQUEST_ID_BYTES 64
#define TRACE_PARENT_SIZE      56 /* "00-<32>-<16>-<2>" and the NUL */
#define TRACE_STATE_BYTES      512

typedef struct {
    uint8_t trace[16], span[8]; /* the span is this edge's: what it calls are its children */
    uint8_t flags;
    bool is_continued; /* the client's trace, not one of ours */
} trace_t;

/* Continues the trace that `traceparent` (may be NULL) names, or begins one. */
void trace_begin(trace_t *self, const char *traceparent);

/* The header as it goes out; returns `text`. */
const char *trace_parent(const trace_t *self, char text[TRACE_PARENT_SIZE]);

/* The context as it stands in a native frame. */
void trace_frame(const trace_t *self, uint8_t bytes[FRAME_TRACE_BYTES]);

/* The client's state if it may be passed on, "" if not. */
const char *trace_state(const trace_t *self, const char *tracestate);

/* Copies the client's id of the request when it is 1 to 64 letters, digits, '.', '_' and '-', else
 * makes one. `given` may be NULL. */
void trace_request_id(char id[TRACE_REQUEST_ID_BYTES + 1], const char *given);

#endif
