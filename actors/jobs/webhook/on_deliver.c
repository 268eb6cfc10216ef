/* SPDX-License-Identifier: MPL-2.0
 *
 * on_deliver - one signed message to an URL that the caller names
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/webhook/post.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/json.h"

static void s_on_answered(call_t *call, const transferred_t *result)
{
    bool is_later = post_judge(result->status) == POST_LATER;
    if (post_judge(result->status) == POST_TAKEN) {
        webhook_count(call, WEBHOOK_DELIVERED);
        pack_map(call_pack(call), 3);
        pack_pair_int(call_pack(call), "status", result->status);
        pack_pair_text(call_pack(call), "address", result->address);
        pack_text(call_pack(call), "duration_ms");
        pack_double(call_pack(call), (double)result->total_us / 1000);
        call_reply(call, 0);
        return;
    }
    webhook_count(call, WEBHOOK_REJECTED);
    failure_t failure = { .code = is_later ? ERROR_UNAVAILABLE : ERROR_UNPROCESSABLE,
                          .retry_after_ms = is_later ? result->retry_after_ms : 0,
                          .is_outside = true };
    snprintf(failure.detail, sizeof failure.detail, "The receiver answered %u", result->status);
    call_fail_with(call, &failure);
}

static void s_on_done(void *arg, const transferred_t *result)
{
    if (result->outcome == TRANSFER_ANSWERED)
        s_on_answered(arg, result);
    else
        outlet_fail(arg, result);
}

/* The secrets as keys; false: the call has been failed. */
static bool s_require_keys(call_t *call, signature_key_t keys[WEBHOOK_SECRETS_MAX], size_t *count)
{
    const value_t *secrets = value_get(call_request(call), "secrets"), *secret;
    arena_t *arena = call_arena(call);
    for (*count = 0; (secret = value_item(secrets, (uint32_t)*count)); (*count)++) {
        bool good =
            *count < WEBHOOK_SECRETS_MAX && secret->type == VALUE_TEXT &&
            signature_read_key(&keys[*count], arena_text(arena, secret->text, secret->count));
        if (good)
            continue;
        outlet_fail_field(call, arena_format(arena, "/secrets/%zu", *count),
                          "must be `whsec_` and 16 to 64 bytes in base64");
        return false;
    }
    return true;
}

/* When it happened. */
static int64_t s_at_ms(call_t *call, int64_t now_ms)
{
    const char *at = call_text(call, "at");
    int64_t at_ms;
    return at && clock_parse(at, strlen(at), &at_ms) ? at_ms : now_ms;
}

void webhook_on_deliver(call_t *call, void *arg)
{
    webhook_t *self = arg;
    signature_key_t keys[WEBHOOK_SECRETS_MAX];
    size_t count;
    url_t url;
    buf_t body = { 0 }, data = { 0 };
    const int64_t now_ms = clock_wall_ms();
    if (!outlet_require_url(call, "url", &url) || !s_require_keys(call, keys, &count))
        return;
    json_write(value_get(call_request(call), "data"), &data);
    post_write_body(&body, call_text(call, "type"), s_at_ms(call, now_ms), buf_text(&data));
    transfer_t transfer = { .url = &url,
                            .verb = "POST",
                            .headers = post_headers(call_arena(call), call_text(call, "id"),
                                                    now_ms / 1000, keys, count, &body),
                            .body = body.bytes,
                            .size = body.size,
                            .done = s_on_done };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
    mem_wipe(keys, sizeof keys);
    buf_free(&body);
    buf_free(&data);
}
