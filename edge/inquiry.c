/* SPDX-License-Identifier: MPL-2.0
 *
 * inquiry - what the edge asks other services for its own work
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "edge/inquiry.h"
#include "edge/tracing.h"

#define PRIORITY 0 /* a request waits for it already */

/* What says that nobody is there, rather than what somebody says. One instance that is lost with
 * the question does not: others may be there, and if not, the next question shows it. */
static bool s_is_absence(error_code_t code)
{
    switch (code) {
    case ERROR_NO_SERVICE:
    case ERROR_NO_INSTANCE:
    case ERROR_NO_BROKER:
    case ERROR_DEADLINE:
        return true;
    default:
        return false;
    }
}

/* Whether this caller may ask: always while the service answers, one caller a pause otherwise. */
static bool s_may_ask(inquiry_t *self)
{
    uint64_t now_ms = clock_ms(), until = atomic_load(&self->away_until_ms);
    if (until == 0)
        return true;
    return now_ms >= until &&
           atomic_compare_exchange_strong(&self->away_until_ms, &until, now_ms + INQUIRY_PAUSE_MS);
}

static client_request_t s_request(const inquiry_t *self, const question_t *question)
{
    return (client_request_t){
        .service = self->service,
        .method = question->method,
        .body = question->body,
        .deadline_ms = question->deadline_ms,
        .priority = PRIORITY,
        .flags = (uint8_t)(question->flags | (question->has_route_key ? FRAME_ROUTE_KEY : 0)),
        .route_key = question->route_key,
    };
}

static void s_note(inquiry_t *self, error_code_t code)
{
    bool is_absent = s_is_absence(code);
    bool was_absent =
        atomic_exchange(&self->away_until_ms, is_absent ? clock_ms() + INQUIRY_PAUSE_MS : 0) != 0;
    if (is_absent != was_absent)
        LOG(is_absent ? LOG_WARN : LOG_INFO, is_absent ? "inquiry.away" : "inquiry.back",
            LOG_TEXT("service", self->service), LOG_TEXT("code", error_row(code)->symbol));
}

/* That nobody is there is no failure of the trace: the request does without, and health tells it.
 */
static void s_end_span(const inquiry_t *self, const client_request_t *request,
                       const trace_t *parent, error_code_t code, uint64_t began_us)
{
    trace_span_t span;
    trace_span_init(&span, SPAN_CALL, request->service, request->method, request->trace,
                    parent->span);
    span.code = (uint8_t)code;
    span.is_failed = error_is_fault(code) && !s_is_absence(code);
    span.started_us = began_us;
    span.took_us = clock_us() - began_us;
    spans_end(client_spans(self->bus), &span);
}

/* What is asked because of a request is a span of its trace. */
static bool s_call(const inquiry_t *self, client_request_t request, answer_t *answer)
{
    const trace_t *parent = tracing_now();
    if (!parent)
        return client_call(self->bus, &request, answer);
    const trace_t child = trace_child(parent);
    const uint64_t began_us = clock_us();
    request.trace = &child;
    const bool good = client_call(self->bus, &request, answer);
    s_end_span(self, &request, parent, answer->failure.code, began_us);
    return good;
}

bool inquire(inquiry_t *self, const question_t *question, answer_t *answer)
{
    if (!s_may_ask(self)) {
        buf_free(question->body);
        answer->failure = (failure_t){ .code = ERROR_UNAVAILABLE };
        zmq_msg_init(&answer->body);
        return false;
    }
    bool good = s_call(self, s_request(self, question), answer);
    s_note(self, answer->failure.code);
    if (s_is_absence(answer->failure.code))
        answer->failure.code = ERROR_UNAVAILABLE;
    return good;
}

static void s_on_told(void *arg, answer_t *answer)
{
    const inquiry_t *self = arg;
    if (answer->failure.code != ERROR_NONE)
        LOG(LOG_WARN, "inquiry.not_told", LOG_TEXT("service", self->service),
            LOG_TEXT("code", error_row(answer->failure.code)->symbol));
}

void inquiry_tell(inquiry_t *self, const question_t *question)
{
    if (inquiry_is_away(self)) {
        buf_free(question->body);
        return;
    }
    const client_request_t request = s_request(self, question);
    client_send(self->bus, &request, s_on_told, self);
}

bool inquiry_is_away(const inquiry_t *self)
{
    return atomic_load_explicit(&self->away_until_ms, memory_order_relaxed) != 0;
}
