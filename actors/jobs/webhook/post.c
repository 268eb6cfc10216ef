/* SPDX-License-Identifier: MPL-2.0
 *
 * post - a message as Standard Webhooks sends it, and what its receiver's answer means
 */
#include "config.h"

#include <stdio.h>

#include "actors/jobs/webhook/post.h"
#include "proto/http.h"
#include "proto/json.h"

void post_write_body(buf_t *out, const char *type, int64_t at_ms, const char *data)
{
    char at[CLOCK_TEXT_SIZE];
    buf_add_text(out, "{\"type\":");
    json_add_text(out, type, strlen(type));
    buf_printf(out, ",\"timestamp\":\"%s\",\"data\":", clock_text(at_ms, at));
    buf_add_text(out, data);
    buf_add_byte(out, '}');
}

const char *const *post_headers(arena_t *arena, const char *id, int64_t now_s,
                                const signature_key_t *keys, size_t count, const buf_t *body)
{
    const char **headers = arena_array(arena, 5, sizeof *headers);
    headers[0] = "Content-Type: application/json";
    headers[1] = arena_format(arena, "webhook-id: %s", id);
    headers[2] = arena_format(arena, "webhook-timestamp: %lld", (long long)now_s);
    if (count > 0) {
        buf_t signature = { 0 };
        signature_write(&signature, keys, count, id, now_s, body->bytes, body->size);
        headers[3] = arena_format(arena, "webhook-signature: %s", buf_text(&signature));
        buf_free(&signature);
    }
    return headers;
}

post_verdict_t post_judge(uint32_t status)
{
    if (status >= 200 && status < 300)
        return POST_TAKEN;
    if (http_may_pass(status))
        return POST_LATER;
    return status == 410 ? POST_GONE : POST_NEVER;
}
