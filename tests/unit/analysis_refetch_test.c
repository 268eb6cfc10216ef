/* SPDX-License-Identifier: MPL-2.0
 *
 * Workflows fetched from an URL: what is made of each answer of the http service, which is played
 * here.
 */
#include "config.h"

#include "proto/http.h"
#include "tests/kit/beside.h"
#include "tests/unit/analysis_stage.h"

/* What it answers, and what it was asked last. */
static struct {
    error_code_t failure;
    int64_t status;
    bool is_text, is_cut;
    const char *body;
    char url[80];
} s_web;

static void s_on_fetch(call_t *call, void *self)
{
    (void)self;
    snprintf(s_web.url, sizeof s_web.url, "%s", call_text(call, "url"));
    if (s_web.failure != ERROR_NONE) {
        call_fail_with(call, &(failure_t){ .code = s_web.failure, .retry_after_ms = 7 });
        return;
    }
    pack_t *pack = call_pack(call);
    pack_map(pack, 4);
    pack_pair_int(pack, "status", s_web.status);
    pack_pair_int(pack, "retry_after_ms", 0);
    pack_pair_bool(pack, "cut", s_web.is_cut);
    pack_text(pack, "body");
    if (s_web.is_text)
        pack_text(pack, s_web.body);
    else
        pack_bytes(pack, s_web.body, strlen(s_web.body));
    call_reply(call, 0);
}

typedef struct {
    stage_t stage;
    beside_t http;
} refetch_stage_t;

static void s_open(refetch_stage_t *self, bool with_http)
{
    memset(&s_web, 0, sizeof s_web);
    s_web.status = 200;
    *self = (refetch_stage_t){ 0 };
    stage_open(&self->stage);
    if (with_http)
        beside_play(&self->http, &self->stage, &http_service, &http_fetch, s_on_fetch);
}

static void s_close(refetch_stage_t *self)
{
    beside_stop(&self->http);
    stage_close(&self->stage);
}

static reply_t s_refetch(refetch_stage_t *self, const char *account, const char *more)
{
    return stage_call(
        &self->stage, account, "refetch",
        arena_format(&self->stage.arena, "{\"url\":\"https://example.dev/a\"%s}", more));
}

static const char *s_analysis(refetch_stage_t *self, const reply_t *reply, const char *member)
{
    return stage_text(&self->stage, value_get(reply->body, "analysis"), member);
}

static void test_versions(void)
{
    refetch_stage_t stage;
    s_open(&stage, true);
    s_web.body = stage_chain(&stage.stage, "flow", 2);
    reply_t submitted = stage_submit(&stage.stage, "acme", s_web.body, "");
    const char *id = stage_text(&stage.stage, submitted.body, "id");
    const char *workflow = stage_text(&stage.stage, submitted.body, "workflow_id");
    const char *into = arena_format(&stage.stage.arena, ",\"workflow_id\":\"%s\"", workflow);
    reply_t reply = s_refetch(&stage, "acme", into);
    is_int(reply.code, ERROR_NONE);
    is_text(s_web.url, "https://example.dev/a");
    ok(value_get_bool(reply.body, "repeated", false));
    is_text(s_analysis(&stage, &reply, "id"), id);
    s_web.body = stage_chain(&stage.stage, "otherwise", 3);
    reply = s_refetch(&stage, "acme", into);
    ok(!value_get_bool(reply.body, "repeated", true));
    is_text(s_analysis(&stage, &reply, "workflow_id"), workflow);
    is_text(s_analysis(&stage, &reply, "name"), "otherwise");
    reply = s_refetch(&stage, "acme", into);
    ok(value_get_bool(reply.body, "repeated", false));
    reply = s_refetch(&stage, "acme", "");
    ok_named(strcmp(s_analysis(&stage, &reply, "workflow_id"), workflow) != 0,
             "by itself it is another workflow");
    s_web.body = "{\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}";
    reply = s_refetch(&stage, "acme", into);
    ok_named(s_analysis(&stage, &reply, "name")[0], "what has no name keeps the workflow's");
    reply =
        s_refetch(&stage, "acme", ",\"name\":\"mine\",\"profile\":\"gate\",\"kind\":\"generic\"");
    is_text(s_analysis(&stage, &reply, "name"), "mine");
    is_text(s_analysis(&stage, &reply, "profile"), "gate");
    is_int(s_refetch(&stage, "eve", into).code, ERROR_NOT_FOUND);
    s_close(&stage);
}

static void test_failures(void)
{
    static const char fit[] = "{\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}";
    static const struct {
        const char *name;
        error_code_t failure;
        int64_t status;
        bool is_text, is_cut;
        const char *body;
        error_code_t code;
    } cases[] = {
        { "fit", ERROR_NONE, 200, false, false, fit, ERROR_NONE },
        { "created, of all things", ERROR_NONE, 201, false, false, fit, ERROR_NONE },
        { "not found", ERROR_NONE, 404, false, false, fit, ERROR_UNPROCESSABLE },
        { "a redirect too many", ERROR_NONE, 302, false, false, fit, ERROR_UNPROCESSABLE },
        { "a fault there", ERROR_NONE, 500, false, false, fit, ERROR_UNAVAILABLE },
        { "too often", ERROR_NONE, 429, false, false, fit, ERROR_UNAVAILABLE },
        { "too long", ERROR_NONE, 200, false, true, fit, ERROR_UNPROCESSABLE },
        { "no bytes", ERROR_NONE, 200, true, false, fit, ERROR_BAD_REPLY },
        { "no JSON", ERROR_NONE, 200, false, false, "<html>", ERROR_UNPROCESSABLE },
        { "nothing", ERROR_NONE, 200, false, false, "", ERROR_UNPROCESSABLE },
        { "no workflow", ERROR_NONE, 200, false, false, "[7]", ERROR_UNPROCESSABLE },
        { "fenced", ERROR_UNPROCESSABLE, 0, false, false, "", ERROR_UNPROCESSABLE },
        { "nobody there", ERROR_UNAVAILABLE, 0, false, false, "", ERROR_UNAVAILABLE },
        { "too many calls", ERROR_OVERLOADED, 0, false, false, "", ERROR_UNAVAILABLE },
        { "slow", ERROR_DEADLINE, 0, false, false, "", ERROR_UNAVAILABLE },
    };
    refetch_stage_t stage;
    s_open(&stage, true);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s_web.failure = cases[i].failure;
        s_web.status = cases[i].status;
        s_web.is_text = cases[i].is_text;
        s_web.is_cut = cases[i].is_cut;
        s_web.body = cases[i].body;
        ok_named(s_refetch(&stage, "acme", "").code == cases[i].code, cases[i].name);
    }
    is_int(s_refetch(&stage, "acme", ",\"kind\":\"bpmn\"").code, ERROR_VALIDATION_FAILED);
    s_close(&stage);
}

static void test_alone(void)
{
    refetch_stage_t stage;
    s_open(&stage, false);
    ok_named(s_refetch(&stage, "acme", "").code == ERROR_UNAVAILABLE,
             "without a http service it has to wait for one");
    s_close(&stage);
}

DATABASE_TESTS({ "versions", test_versions }, { "failures", test_failures },
               { "alone", test_alone })
