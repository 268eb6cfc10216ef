/* SPDX-License-Identifier: MPL-2.0
 *
 * inquiry - what the edge asks other services for its own work
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "edge/inquiry.h"

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

bool inquire(inquiry_t *self, const question_t *question, answer_t *answer)
{
    if (!s_may_ask(self)) {
        buf_free(question->body);
        answer->failure = (failure_t){ .code = ERROR_UNAVAILABLE };
        zmq_msg_init(&answer->body);
        return false;
    }
    const client_request_t request = s_request(self, question);
    bool good = client_call(self->bus, &request, answer);
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
