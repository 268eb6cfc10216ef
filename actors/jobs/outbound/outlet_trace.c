/* SPDX-License-Identifier: MPL-2.0
 *
 * outlet_trace - a call to the outside as a span, which the other side may continue
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/outbound/outlet.h"

#define MAIL "MAIL" /* stands for the verb where there is none */

/* What is kept until the transfer has ended; in the call's arena. */
typedef struct {
    call_t *call;
    trace_t context;
    const char *verb, *target;
    uint64_t started_us;
    transfer_fn done; /* of whoever wanted the transfer */
    void *arg;
} traced_transfer_t;

/* The call may be gone when `done` has run. */
static void s_on_done(void *arg, const transferred_t *result)
{
    const traced_transfer_t *self = arg;
    const bool is_answered = result->outcome == TRANSFER_ANSWERED;
    trace_span_t span;
    trace_span_init(&span, SPAN_OUTBOUND, self->verb, self->target, &self->context,
                    call_trace(self->call)->span);
    span.started_us = self->started_us;
    span.took_us = clock_us() - self->started_us;
    span.status = is_answered ? (uint16_t)result->status : 0;
    span.outcome = is_answered ? NULL : transfer_outcome_names[result->outcome];
    span.is_failed = !is_answered || result->status >= 500;
    spans_end(client_spans(actor_client(call_actor(self->call))), &span);
    self->done(self->arg, result);
}

/* The transfer's headers, and those of the trace. */
static const char *const *s_headers(const traced_transfer_t *self, const transfer_t *transfer)
{
    arena_t *arena = call_arena(self->call);
    char parent[TRACE_PARENT_SIZE], state[TRACE_STATE_BYTES + 1];
    size_t count = 0;
    while (transfer->headers[count])
        count++;
    const char **headers = arena_array(arena, count + 3, sizeof *headers);
    memcpy(headers, transfer->headers, count * sizeof *headers);
    headers[count++] = arena_format(arena, "traceparent: %s", trace_parent(&self->context, parent));
    /* whoever put it on the bus may not be the edge: it is looked at again */
    if (trace_state_read(call_principal(self->call)->tracestate, state) && state[0])
        headers[count++] = arena_format(arena, "tracestate: %s", state);
    headers[count] = NULL;
    return headers;
}

void outlet_trace(call_t *call, transfer_t *transfer)
{
    if (!call_trace(call))
        return;
    traced_transfer_t *self = arena_alloc(call_arena(call), sizeof *self);
    *self = (traced_transfer_t){
        .call = call,
        .context = trace_child(call_trace(call)),
        .verb = transfer->verb ? transfer->verb : MAIL,
        .target = arena_format(call_arena(call), "%s", transfer->url->target),
        .started_us = clock_us(),
        .done = transfer->done,
        .arg = transfer->arg,
    };
    if (transfer->headers)
        transfer->headers = s_headers(self, transfer);
    transfer->done = s_on_done;
    transfer->arg = self;
}
