/* SPDX-License-Identifier: MPL-2.0
 *
 * on_send - one attempt at a delivery, as a job
 *
 * The call fails only when another attempt is to be made: what the receiver refuses is the
 * receiver's affair, which the list of deliveries tells, and no dead letter.
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/webhook/post.h"
#include "actors/jobs/webhook/webhook.h"

/* What a call keeps until its attempt is stored; in the call's arena. */
typedef struct {
    call_t *call;
    delivery_t delivery;
    const char *subscription_id, *url;
    bool was_made; /* false: the receiver was not called, for a reason that may pass */
    post_verdict_t verdict;
    uint32_t retry_after_ms;
    char detail[200];
} attempt_t;

static void s_reply(call_t *call, const char *state)
{
    pack_map(call_pack(call), 1);
    pack_pair_text(call_pack(call), "state", state);
    call_reply(call, 0);
}

/* ---- after it: on the pool --------------------------------------------------------------- */

static db_status_t s_store_work(db_conn_t *conn, void *arg)
{
    const attempt_t *self = arg;
    const int64_t now_ms = clock_wall_ms();
    db_status_t status = webhook_store_attempt(conn, &self->delivery, self->was_made, now_ms);
    if (status == DB_OK && self->verdict == POST_GONE)
        status = webhook_store_disable(conn, self->subscription_id, self->url,
                                       "The receiver answered 410, gone", now_ms);
    return status;
}

static void s_end(call_t *call, const attempt_t *attempt)
{
    const char *state = attempt->delivery.state;
    if (strcmp(state, "queued") != 0) {
        webhook_count(call, strcmp(state, "failed") == 0 ? WEBHOOK_FAILED : WEBHOOK_DELIVERED);
        s_reply(call, state);
        return;
    }
    failure_t failure = { .code = ERROR_UNAVAILABLE,
                          .retry_after_ms = attempt->retry_after_ms,
                          .is_outside = true };
    memcpy(failure.detail, attempt->detail, sizeof attempt->detail);
    call_fail_with(call, &failure);
}

static void s_store(call_t *call, void *arg)
{
    attempt_t *attempt = arg;
    if (webhook_require_ok(call, db_write(call_db(call), s_store_work, attempt)))
        s_end(call, attempt);
}

/* ---- the attempt ------------------------------------------------------------------------- */

static post_verdict_t s_judge(const transferred_t *result)
{
    if (result->outcome == TRANSFER_ANSWERED)
        return post_judge(result->status);
    return result->outcome == TRANSFER_FENCED ? POST_NEVER : POST_LATER;
}

static void s_on_done(void *arg, const transferred_t *result)
{
    attempt_t *self = arg;
    bool is_last = self->delivery.attempts + 1 >= webhook_settings.attempts;
    if (result->outcome == TRANSFER_CANCELLED) {
        outlet_fail(self->call, result); /* nobody's fault: it does not count */
        return;
    }
    self->verdict = s_judge(result);
    self->was_made = !result->is_unbegun;
    /* how long a host rests says nothing of when it is well: the pauses go on growing */
    self->retry_after_ms = self->was_made ? result->retry_after_ms : 0;
    self->delivery.status = result->outcome == TRANSFER_ANSWERED ? result->status : 0;
    self->delivery.duration_us = (int64_t)result->total_us;
    if (self->verdict == POST_TAKEN) {
        self->delivery.state = "delivered";
        self->delivery.detail = NULL;
    } else {
        const bool goes_on = self->verdict == POST_LATER && !(self->was_made && is_last);
        self->delivery.state = goes_on ? "queued" : "failed";
        if (result->outcome == TRANSFER_ANSWERED)
            snprintf(self->detail, sizeof self->detail, "The receiver answered %u", result->status);
        else
            snprintf(self->detail, sizeof self->detail, "%s", result->why);
        self->delivery.detail = self->detail;
        if (self->was_made)
            webhook_count(self->call, WEBHOOK_REJECTED);
    }
    call_resume(self->call, s_store, self);
}

/* Fails a delivery without an attempt: there is nothing to try it with. */
static void s_give_up(call_t *call, attempt_t *attempt, const char *why)
{
    attempt->delivery.state = "failed";
    attempt->delivery.detail = why;
    attempt->verdict = POST_NEVER;
    attempt->was_made = true;
    s_store(call, attempt);
}

static void s_send(call_t *call, webhook_t *self, attempt_t *attempt, const subscription_t *to,
                   const event_record_t *event)
{
    arena_t *arena = call_arena(call);
    char why[URL_WHY_SIZE];
    url_t url;
    signature_key_t keys[2];
    buf_t body = { 0 };
    const int64_t now_ms = clock_wall_ms();
    const size_t count = webhook_open_keys(self, to, now_ms, keys);
    if (!url_read(&url, to->url, URL_WEB, why) || count == 0) {
        s_give_up(call, attempt,
                  count ? "The URL cannot be called" : "The secret cannot be opened");
        return;
    }
    post_write_body(&body, event->type, event->at_ms, event->data);
    transfer_t transfer = { .url = &url,
                            .verb = "POST",
                            .headers =
                                post_headers(arena, event->id, now_ms / 1000, keys, count, &body),
                            .body = body.bytes,
                            .size = body.size,
                            .done = s_on_done,
                            .arg = attempt };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
    mem_wipe(keys, sizeof keys);
    buf_free(&body);
}

void webhook_on_send(call_t *call, void *arg)
{
    webhook_t *self = arg;
    arena_t *arena = call_arena(call);
    const delivery_t *delivery;
    const subscription_t *to = NULL;
    const event_record_t *event = NULL;
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn || !webhook_require_ok(call, webhook_store_delivery(conn, arena, NULL,
                                                                  call_text(call, "delivery_id"),
                                                                  &delivery)))
        return;
    if (delivery &&
        (strcmp(delivery->state, "delivered") == 0 || strcmp(delivery->state, "failed") == 0)) {
        s_reply(call, delivery->state); /* the job ran before, and its answer was lost */
        return;
    }
    if (delivery &&
        (!webhook_require_ok(
             call, webhook_store_get(conn, arena, NULL, delivery->subscription_id, &to)) ||
         !webhook_require_ok(call, webhook_store_event(conn, arena, delivery->event_id, &event))))
        return;
    if (!delivery || !to || !event) {
        s_reply(call, "gone");
        return;
    }
    attempt_t *attempt = arena_alloc(arena, sizeof *attempt);
    *attempt = (attempt_t){
        .call = call, .delivery = *delivery, .subscription_id = to->id, .url = to->url
    };
    if (strcmp(to->status, "disabled") == 0)
        s_give_up(call, attempt, "The subscription is disabled");
    else
        s_send(call, self, attempt, to, event);
}
