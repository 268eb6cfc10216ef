/* SPDX-License-Identifier: MPL-2.0
 *
 * on_check - one look at an URL
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/jobs/monitor/monitor.h"
#include "proto/json.h"

/* What a call keeps until the answer is there; in the call's arena. */
typedef struct {
    call_t *call;
    expectation_t expect;
} checking_t;

const char *http_expect_json(call_t *call)
{
    const value_t *expect = value_get(call_request(call), "expect");
    buf_t json = { 0 };
    if (!expect)
        return "{}";
    json_write(expect, &json);
    const char *text = arena_text(call_arena(call), json.bytes, json.size);
    buf_free(&json);
    return text;
}

void http_count_check(call_t *call, const check_result_t *result)
{
    stats_add(actor_stats(call_actor(call)), result->is_up ? HTTP_CHECKS_UP : HTTP_CHECKS_DOWN, 1);
}

static void s_on_done(void *arg, const transferred_t *transferred)
{
    checking_t *self = arg;
    check_result_t result;
    if (transferred->outcome == TRANSFER_CANCELLED ||
        (transferred->outcome == TRANSFER_TIMEOUT && transferred->is_unbegun)) {
        outlet_fail(self->call, transferred);
        return;
    }
    check_judge(transferred, &self->expect, clock_wall_ms(), &result);
    stats_add(actor_stats(call_actor(self->call)), result.is_up ? HTTP_CHECKS_UP : HTTP_CHECKS_DOWN,
              1);
    check_write(&result, call_pack(self->call));
    call_reply(self->call, 0);
}

void http_on_check(call_t *call, void *arg)
{
    watcher_t *self = arg;
    static const char *const no_headers[] = { NULL };
    checking_t *checking = arena_alloc(call_arena(call), sizeof *checking);
    url_t url;
    if (!outlet_require_url(call, "url", &url))
        return;
    checking->call = call;
    check_read_expectation(call_arena(call), value_get(call_request(call), "expect"),
                           &checking->expect);
    transfer_t transfer = { .url = &url,
                            .verb = call_text(call, "method"),
                            .headers = no_headers,
                            .total_ms = (uint32_t)call_int(call, "timeout_ms"),
                            .redirects = (uint32_t)call_int(call, "redirects"),
                            .is_probe = true,
                            .done = s_on_done,
                            .arg = checking };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
}
