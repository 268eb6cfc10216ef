/* SPDX-License-Identifier: MPL-2.0
 *
 * call_trace - the spans that a call is, and that it makes by calling others
 *
 * What no trace was begun for makes none: the system's own chatter would be most of them.
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/runtime/state.h"
#include "actors/runtime/traced.h"

static spans_t *s_spans(const call_t *self)
{
    return client_spans(self->actor->client);
}

const trace_t *call_trace(const call_t *self)
{
    return self->is_traced ? &self->trace : NULL;
}

void call_begin_trace(call_t *self)
{
    const frame_t *frame = &self->message->frame;
    trace_t caller;
    self->is_traced = frame->flags & FRAME_TRACED;
    if (!self->is_traced)
        return;
    memcpy(&caller, frame->trace, sizeof caller);
    self->trace = trace_child(&caller);
}

void call_enter_trace(const call_t *self)
{
    if (self->is_traced)
        traced_set(&(traced_t){ .spans = s_spans(self), .trace = self->trace });
}

void call_leave_trace(void)
{
    traced_end();
}

void call_end_trace(const call_t *self, error_code_t code, uint64_t took_us)
{
    trace_span_t span;
    if (!self->is_traced)
        return;
    trace_span_init(&span, SPAN_HANDLER, self->actor->spec->service->name,
                    self->method ? self->method->name : "unknown", &self->trace,
                    self->message->frame.trace + TRACE_ID_BYTES);
    span.code = (uint8_t)code;
    span.is_failed = error_is_fault(code);
    span.started_us = self->started_us;
    span.took_us = took_us;
    span.wait_us = self->wait_us;
    span.job = self->is_job ? self->job.id : 0;
    spans_end(s_spans(self), &span);
}

void call_end_child(const call_t *self, const trace_t *child, const client_request_t *request,
                    error_code_t code, uint64_t started_us)
{
    trace_span_t span;
    trace_span_init(&span, SPAN_CALL, request->service, request->method, child, self->trace.span);
    span.code = (uint8_t)code;
    span.is_failed = error_is_fault(code);
    span.started_us = started_us;
    span.took_us = clock_us() - started_us;
    spans_end(s_spans(self), &span);
}
