/* SPDX-License-Identifier: MPL-2.0
 *
 * Families as their callers see them: a parent that is run after its children, or dies with one.
 */
#include "config.h"

#include "tests/unit/jobs_stage.h"

static void test_gathers(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    jobs_stage_open(&stage);
    reply_t reply = jobs_call(&stage, &ada, "enqueue_family",
                              "{\"parent\":{\"kind\":\"echo.say\",\"payload\":{\"n\":100}},"
                              "\"children\":[{\"kind\":\"echo.say\",\"payload\":{\"n\":1}},"
                              "{\"kind\":\"echo.refuse\",\"payload\":{\"n\":2}}]}");
    is_int(reply.code, ERROR_NONE);
    const value_t *parent = value_get(reply.body, "parent");
    const value_t *children = value_get(reply.body, "children");
    int64_t id = value_get_int(parent, "id", 0);
    is_text(stage_text(&stage.stage, parent, "state"), "blocked");
    is_int(children ? children->count : 0, 2);
    ok(jobs_await(&stage, id, "done"));
    is_int(echo.calls, 3);
    is_int(echo.last_n, 100);

    reply = jobs_call(&stage, &ada, "children", "{\"id\":%lld}", (long long)id);
    const value_t *items = value_get(reply.body, "items");
    is_int(items ? items->count : 0, 2);
    const value_t *first = value_item(items, 0), *second = value_item(items, 1);
    is_text(stage_text(&stage.stage, first, "state"), "done");
    is_int(value_get_int(value_get(first, "result"), "n", 0), 1);
    is_text(stage_text(&stage.stage, second, "state"), "dead");
    is_text(stage_text(&stage.stage, second, "error"), "UNPROCESSABLE");
    reply = jobs_call(&stage, &ada, "children", "{\"id\":%lld,\"limit\":1}", (long long)id);
    is_int(value_get(reply.body, "items")->count, 1);
    reply = jobs_call(&stage, &ada, "children", "{\"id\":%lld,\"limit\":1,\"cursor\":\"%s\"}",
                      (long long)id, stage_text(&stage.stage, reply.body, "next_cursor"));
    is_int(value_get_int(value_item(value_get(reply.body, "items"), 0), "id", 0),
           value_get_int(second, "id", -1));
    reply = jobs_call(&stage, &bob, "children", "{\"id\":%lld}", (long long)id);
    is_int(value_get(reply.body, "items")->count, 0);
    jobs_stage_close(&stage);
}

static void test_needs(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    reply_t reply = jobs_call(&stage, &ada, "enqueue_family",
                              "{\"parent\":{\"kind\":\"echo.say\"},\"needs_children\":true,"
                              "\"children\":[{\"kind\":\"echo.say\"},{\"kind\":\"echo.refuse\"}]}");
    int64_t id = value_get_int(value_get(reply.body, "parent"), "id", 0);
    const value_t *dead = jobs_await(&stage, id, "dead");
    is_text(stage_text(&stage.stage, value_get(dead, "error"), "code"), "UNPROCESSABLE");
    is_text(stage_text(&stage.stage, value_get(dead, "error"), "detail"),
            "1 of the jobs it waited for failed");
    is_int(echo.calls, 2);
    jobs_stage_close(&stage);
}

#define FAMILY "\"parent\":{\"kind\":\"echo.say\"},\"children\":[{\"kind\":\"echo.say\"}]"

/* With a key a family is one, for whoever asks. */
static void test_keys(void)
{
    static const struct {
        const char *name, *method, *json;
        error_code_t code;
        uint16_t status;
        bool is_first; /* of its key */
    } cases[] = {
        { "a user's", "enqueue_family", FAMILY ",\"idempotency_key\":\"a\"", ERROR_NONE, 0, true },
        { "again", "enqueue_family", FAMILY ",\"idempotency_key\":\"a\"", ERROR_NONE, 0, false },
        { "another", "enqueue_family", FAMILY ",\"idempotency_key\":\"a\",\"needs_children\":true",
          ERROR_UNPROCESSABLE, 0, false },
        { "a service's, for the user", "enqueue_family_as",
          FAMILY ",\"as\":{\"account\":\"ada\"},\"idempotency_key\":\"b\",\"key_says\":\"x\"",
          ERROR_NONE, 0, true },
        { "again, made anew", "enqueue_family_as",
          FAMILY ",\"as\":{\"account\":\"ada\"},\"idempotency_key\":\"b\",\"key_says\":\"x\","
                 "\"needs_children\":true",
          ERROR_NONE, 200, false },
        { "of something else", "enqueue_family_as",
          FAMILY ",\"as\":{\"account\":\"ada\"},\"idempotency_key\":\"b\",\"key_says\":\"y\"",
          ERROR_UNPROCESSABLE, 0, false },
        { "with the user's key", "enqueue_family_as",
          FAMILY ",\"as\":{\"account\":\"ada\"},\"idempotency_key\":\"a\"", ERROR_UNPROCESSABLE, 0,
          false },
        { "for another account", "enqueue_family_as",
          FAMILY ",\"as\":{\"account\":\"bob\"},\"idempotency_key\":\"a\"", ERROR_NONE, 0, true },
    };
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    int64_t last = 0;
    jobs_stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool is_users = strcmp(cases[i].method, "enqueue_family") == 0;
        reply_t reply =
            jobs_call(&stage, is_users ? &ada : NULL, cases[i].method, "{%s}", cases[i].json);
        ok_named(reply.code == cases[i].code, cases[i].name);
        if (reply.code != ERROR_NONE)
            continue;
        int64_t id = value_get_int(value_get(reply.body, "parent"), "id", 0);
        ok_named((id != last) == cases[i].is_first, cases[i].name);
        is_int(reply.status, cases[i].status);
        last = id;
    }
    ok(jobs_await(&stage, last, "done"));
    const principal_t bob = jobs_user("bob");
    is_int(jobs_call(&stage, &bob, "get", "{\"id\":%lld}", (long long)last).code, ERROR_NONE);
    is_int(jobs_call(&stage, &ada, "get", "{\"id\":%lld}", (long long)last).code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "enqueue_family_as", "{" FAMILY "}").code, ERROR_FORBIDDEN);
    jobs_stage_close(&stage);
}

static void test_refusals(void)
{
    static const struct {
        const char *json;
        error_code_t code;
    } cases[] = {
        { "{\"parent\":{\"kind\":\"echo.say\"}}", ERROR_VALIDATION_FAILED },
        { "{\"parent\":{\"kind\":\"echo.say\"},\"children\":[]}", ERROR_VALIDATION_FAILED },
        { "{\"parent\":{\"kind\":\"echo.admin\"},\"children\":[{\"kind\":\"echo.say\"}]}",
          ERROR_FORBIDDEN },
        { "{\"parent\":{\"kind\":\"echo.say\"},\"children\":[{\"kind\":\"echo.say\"},"
          "{\"kind\":\"echo.nothing\"}]}",
          ERROR_UNPROCESSABLE },
    };
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_int(jobs_call(&stage, &ada, "enqueue_family", "%s", cases[i].json).code, cases[i].code);
    reply_t live = jobs_call(&stage, &ada, "list", "{}");
    is_int(value_get(live.body, "items")->count, 0);
    jobs_stage_close(&stage);
}

DATABASE_TESTS({ "gathers", test_gathers }, { "needs", test_needs }, { "keys", test_keys },
               { "refusals", test_refusals })
