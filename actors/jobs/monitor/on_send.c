/* SPDX-License-Identifier: MPL-2.0
 *
 * on_send - posts what is told of the system to a collector
 *
 * The operator's own collectors (`http.collectors`) are called wherever they are. Nobody else is
 * let through the fence by that: webhooks and checks, whose URLs are users', do not look at it.
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/monitor/monitor.h"

static bool s_is_collector(const char *target)
{
    static const char separators[] = " ,";
    const size_t size = strlen(target);
    const char *at = monitor_settings.collectors;
    while (*(at += strspn(at, separators))) {
        size_t word = strcspn(at, separators);
        if (word == size && memcmp(at, target, size) == 0)
            return true;
        at += word;
    }
    return false;
}

static bool s_is_header(const value_t *header)
{
    if (!value_is_type(header, VALUE_TEXT) || !memchr(header->text, ':', header->count))
        return false;
    for (size_t i = 0; i < header->count; i++)
        if ((unsigned char)header->text[i] < ' ' || header->text[i] == 127)
            return false;
    return true;
}

/* NULL: the call has been failed. */
static const char *const *s_require_headers(call_t *call)
{
    const value_t *list = value_get(call_request(call), "headers"), *header;
    arena_t *arena = call_arena(call);
    const char **headers = arena_array(arena, HTTP_SEND_HEADERS_MAX + 2, sizeof *headers);
    uint32_t count = 0;
    for (; (header = value_item(list, count)); count++) {
        if (!s_is_header(header)) {
            outlet_fail_field(call, arena_format(arena, "/headers/%u", count),
                              "must be `Name: value` without control characters");
            return NULL;
        }
        headers[count] = arena_text(arena, header->text, header->count);
    }
    headers[count++] = arena_format(arena, "Content-Type: %s", call_text(call, "content_type"));
    headers[count] = NULL;
    return headers;
}

/* As much of a text from outside as is UTF-8. */
static size_t s_utf8_size(const char *text)
{
    size_t size = 0;
    for (size_t step; text[size] && (step = text_utf8_step(text + size, strlen(text + size)));)
        size += step;
    return size;
}

static void s_on_done(void *arg, const transferred_t *result)
{
    call_t *call = arg;
    if (result->outcome != TRANSFER_ANSWERED) {
        outlet_fail(call, result);
        return;
    }
    const size_t most = (size_t)call_int(call, "ask_body");
    const bool has_header = result->header[0] != '\0';
    pack_map(call_pack(call), 2 + (size_t)has_header + (most > 0));
    if (has_header) {
        pack_text(call_pack(call), "header");
        pack_string(call_pack(call), result->header, s_utf8_size(result->header));
    }
    if (most) {
        pack_text(call_pack(call), "body");
        pack_bytes(call_pack(call), result->body,
                   result->body_size < most ? result->body_size : most);
    }
    pack_pair_int(call_pack(call), "status", result->status);
    pack_pair_int(call_pack(call), "retry_after_ms", result->retry_after_ms);
    call_reply(call, 0);
}

void http_on_send(call_t *call, void *arg)
{
    watcher_t *self = arg;
    const value_t *body = value_get(call_request(call), "body");
    const char *const *headers;
    url_t url;
    if (!outlet_require_url(call, "url", &url) || !(headers = s_require_headers(call)))
        return;
    transfer_t transfer = { .url = &url,
                            .verb = "POST",
                            .headers = headers,
                            .body = body->text,
                            .size = body->count,
                            .ask_header = call_text(call, "ask_header"),
                            .total_ms = (uint32_t)call_int(call, "timeout_ms"),
                            .is_trusted = s_is_collector(url.target),
                            .done = s_on_done };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
}
