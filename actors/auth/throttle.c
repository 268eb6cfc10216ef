/* SPDX-License-Identifier: MPL-2.0
 *
 * throttle - counts tries that are about one user, wherever they come from
 */
#include "config.h"

#include <stdio.h>

#include "actors/auth/throttle.h"
#include "proto/limiter.h"

#define POLICY    "auth.failures"
#define ASK_MS    2000
#define REFUND_MS 1000

static buf_t s_body(const try_t *taken, bool is_refund)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, is_refund ? 3 : 2);
    pack_pair_text(&pack, "subject", taken->subject);
    pack_text(&pack, "policies");
    pack_array(&pack, 1);
    pack_text(&pack, POLICY);
    if (is_refund)
        pack_pair_int(&pack, "at_ms", taken->taken_at_ms);
    return body;
}

static client_request_t s_request(const method_t *method, const char *subject, buf_t *body,
                                  uint32_t deadline_ms)
{
    return (client_request_t){ .service = limiter_service.name,
                               .method = method->name,
                               .body = body,
                               .deadline_ms = deadline_ms,
                               .flags = FRAME_ROUTE_KEY,
                               .route_key = limiter_route_key(subject) };
}

static void s_refuse(call_t *call, int64_t retry_after_ms)
{
    call_fail_with(call, &(failure_t){ .code = ERROR_RATE_LIMIT_EXCEEDED,
                                       .retry_after_ms = (uint32_t)retry_after_ms,
                                       .detail = "Too many wrong codes: wait before the next" });
}

/* What the limiter has answered. False: the call has been answered. */
static bool s_require_allowed(call_t *call, const answer_t *answer, try_t *taken)
{
    value_verdict_t verdict;
    const value_t *reply = value_parse(call_arena(call), answer_bytes(answer), answer_size(answer),
                                       VALUE_LIMITS, &verdict);
    const int64_t at_ms = value_get_int(reply, "at_ms", 0);
    if (value_get_bool(reply, "allowed", false)) {
        taken->taken_at_ms = at_ms;
        return true;
    }
    s_refuse(call, value_get_int(reply, "retry_at_ms", at_ms) - at_ms);
    return false;
}

bool throttle_require(call_t *call, const char *user_id, try_t *taken)
{
    answer_t answer;
    *taken = (try_t){ 0 };
    snprintf(taken->subject, sizeof taken->subject, "code:%s", user_id);
    buf_t body = s_body(taken, false);
    const client_request_t request = s_request(&limiter_take, taken->subject, &body, ASK_MS);
    bool good = client_call(actor_client(call_actor(call)), &request, &answer);
    if (good)
        good = s_require_allowed(call, &answer, taken);
    else if (answer.failure.code == ERROR_NOT_FOUND)
        good = true;
    else
        call_fail(call, ERROR_UNAVAILABLE,
                  "Codes cannot be counted now, and are refused uncounted");
    answer_close(&answer);
    return good;
}

/* Nobody waits for it: what is not given back is free when the window has passed. */
static void s_on_given_back(void *arg, answer_t *answer)
{
    (void)arg;
    (void)answer;
}

void throttle_give_back(actor_t *actor, const try_t *taken)
{
    if (!taken->taken_at_ms)
        return;
    buf_t body = s_body(taken, true);
    const client_request_t request = s_request(&limiter_refund, taken->subject, &body, REFUND_MS);
    client_send(actor_client(actor), &request, s_on_given_back, NULL);
}
