/* SPDX-License-Identifier: MPL-2.0
 *
 * tracing - who a request is to logs and traces: its id, its place in a trace, the span it is
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/base/redact.h"
#include "edge/state.h"
#include "edge/tracing.h"

static _Thread_local const trace_t *s_now;

void tracing_request_id(char id[TRACING_REQUEST_ID_BYTES + 1], const char *given)
{
    redact_span_t span;
    const size_t size = given ? strlen(given) : 0;
    /* whatever is one is told to everybody the request meets: a secret put there goes no further */
    if (given && id_is_name(given, size, TRACING_REQUEST_ID_BYTES) &&
        !redact_next(given, size, 0, &span))
        memcpy(id, given, size + 1);
    else
        id_uuid7(id);
}

/* A state without the place it belongs to says nothing (Trace Context, 3.3). */
static const char *s_read_state(exchange_t *x, bool goes_on)
{
    const char *given = x->headers[HEADER_TRACESTATE];
    if (!goes_on || !given)
        return "";
    char *state = arena_alloc(&x->arena, TRACE_STATE_BYTES + 1);
    return trace_state_read(given, state) ? state : "";
}

void tracing_begin(exchange_t *x)
{
    tracing_request_id(x->request_id, x->headers[HEADER_X_REQUEST_ID]);
    bool goes_on = spans_enter(client_spans(x->edge->bus), x->headers[HEADER_TRACEPARENT],
                               &x->trace, x->caller_span);
    x->tracestate = s_read_state(x, goes_on);
    s_now = &x->trace;
}

const trace_t *tracing_now(void)
{
    return s_now;
}

void tracing_end(exchange_t *x, uint64_t took_us)
{
    trace_span_t span;
    s_now = NULL;
    trace_span_init(&span, SPAN_SERVER, x->is_known ? http_verb_name(x->verb) : "unknown",
                    x->pattern[0] ? x->pattern : "unmatched", &x->trace, x->caller_span);
    span.code = (uint8_t)x->failure.code;
    span.status = (uint16_t)x->status;
    span.is_failed = x->status >= 500;
    span.is_long = x->is_stream;
    span.started_us = x->started_us;
    span.took_us = took_us;
    span.cache = x->cache_outcome;
    span.limit = x->limit_outcome;
    spans_end(client_spans(x->edge->bus), &span);
}
