/* SPDX-License-Identifier: MPL-2.0
 *
 * run_trace - the span that a run is, between whoever enqueued the job and the service that does it
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/dispatcher_state.h"

static spans_t *s_spans(const run_t *self)
{
    return client_spans(actor_client(self->dispatcher->actor));
}

/* Where the job was enqueued; zeros when that was in no trace. */
static trace_t s_origin(const run_t *self)
{
    trace_t origin = { 0 };
    if (self->job.trace.size == sizeof origin)
        memcpy(&origin, self->job.trace.bytes, sizeof origin);
    return origin;
}

void run_begin_trace(run_t *self)
{
    const trace_t origin = s_origin(self);
    if (self->job.trace.size == sizeof origin) {
        self->trace = trace_child(&origin);
        return;
    }
    trace_fresh(&self->trace);
    spans_decide(s_spans(self), &self->trace);
}

void run_end_trace(const run_t *self)
{
    const trace_t origin = s_origin(self);
    const error_code_t code = self->failure.code;
    trace_span_t span;
    trace_span_init(&span, SPAN_RUN, self->target->service, strrchr(self->job.kind, '.') + 1,
                    &self->trace, origin.span);
    span.code = (uint8_t)code;
    span.is_failed = code != ERROR_NONE && code != ERROR_CANCELLED;
    span.job = self->job.id;
    span.started_us = self->started_us;
    span.took_us = clock_us() - self->started_us;
    spans_end(s_spans(self), &span);
}
