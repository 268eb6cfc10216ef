/* SPDX-License-Identifier: MPL-2.0
 *
 * on_fetch - what is at an URL, for services that were named one by somebody outside
 *
 * The fence, the time limit, the rest that failing hosts are given, and redirects that are judged
 * anew are those of all calls to the outside (actors/jobs/outbound).
 */
#include "config.h"

#include "actors/jobs/monitor/monitor.h"

static void s_on_done(void *arg, const transferred_t *result)
{
    call_t *call = arg;
    if (result->outcome != TRANSFER_ANSWERED) {
        outlet_fail(call, result);
        return;
    }
    pack_t *pack = call_pack(call);
    pack_map(pack, 4);
    pack_pair_int(pack, "status", result->status);
    pack_pair_int(pack, "retry_after_ms", result->retry_after_ms);
    pack_pair_bool(pack, "cut", result->is_cut);
    pack_text(pack, "body");
    pack_bytes(pack, result->body, result->body_size);
    call_reply(call, 0);
}

void http_on_fetch(call_t *call, void *arg)
{
    watcher_t *self = arg;
    url_t url;
    if (!outlet_require_url(call, "url", &url))
        return;
    const char *const headers[] = {
        arena_format(call_arena(call), "Accept: %s", call_text(call, "accept")), NULL
    };
    transfer_t transfer = { .url = &url,
                            .verb = "GET",
                            .headers = headers,
                            .total_ms = (uint32_t)call_int(call, "timeout_ms"),
                            .answer_max = (size_t)call_int(call, "most"),
                            .redirects = HTTP_REDIRECTS_MAX,
                            .done = s_on_done };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
}
