/* SPDX-License-Identifier: MPL-2.0
 *
 * Workflows over their versions: the list, one, what changed between two, how the score went.
 */
#include "config.h"

#include "tests/unit/analysis_stage.h"

#define GRAPH(nodes, edges) "{\"name\":\"Orders\",\"nodes\":[" nodes "],\"edges\":[" edges "]}"
#define START               "{\"id\":\"start\",\"type\":\"schedule\"}"
#define FETCH(url)                                                                                 \
    "{\"id\":\"fetch\",\"type\":\"http\",\"name\":\"Fetch\",\"params\":{\"url\":\"" url "\"}}"
#define EDGE(from, to) "{\"from\":\"" from "\",\"to\":\"" to "\"}"

static const char s_before[] =
    GRAPH(START "," FETCH("http://prices.acme-shop.com/") ",{\"id\":\"old\",\"name\":\"Old\"}",
          EDGE("start", "fetch") "," EDGE("fetch", "old"));
static const char s_after[] =
    GRAPH(START "," FETCH("https://prices.acme-shop.com/") ",{\"id\":\"new\",\"name\":\"New\"}",
          EDGE("start", "fetch") "," EDGE("fetch", "new"));

static const char *s_workflow(stage_t *stage, const reply_t *reply)
{
    return stage_text(stage, reply->body, "workflow_id");
}

/* A request for the workflow with more members. */
static const char *s_about(stage_t *stage, const char *id, const char *more)
{
    return arena_format(&stage->arena, "{\"id\":\"%s\"%s}", id, more);
}

/* ---- list and one ---------------------------------------------------------------------------- */

static void test_workflows(void)
{
    enum { COUNT = 7 };
    char cursor[CURSOR_SIZE] = "";
    int seen = 0;
    bool is_in_order = true;
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < COUNT; i++) /* three moments for seven */
        stage_store(&stage, "acme",
                    &(stage_row_t){ .n = i,
                                    .created_ms = 1700000000000 + i / 3,
                                    .workflow = stage_uuid(&stage, "0000000b", i) });
    for (int last = COUNT, pages = 0; pages < 20; pages++) {
        const char *request =
            cursor[0] ? arena_format(&stage.arena, "{\"limit\":2,\"cursor\":\"%s\"}", cursor)
                      : "{\"limit\":2}";
        reply_t reply = stage_call(&stage, "acme", "workflows", request);
        const value_t *item, *items = value_get(reply.body, "items");
        for (uint32_t i = 0; (item = value_item(items, i)); i++, seen++) {
            int number = atoi(stage_text(&stage, item, "id") + 24);
            is_in_order &= number == last - 1;
            last = number;
            ok(value_equal(value_at(item, "latest.workflow_id"), value_get(item, "id")));
        }
        snprintf(cursor, sizeof cursor, "%s", stage_text(&stage, reply.body, "next_cursor"));
        if (!cursor[0])
            break;
    }
    ok(is_in_order);
    is_int(seen, COUNT);
    is_int(value_get(stage_call(&stage, "other", "workflows", "{}").body, "items")->count, 0);
    is_int(stage_call(&stage, "acme", "workflows", "{\"cursor\":\"x\"}").code, ERROR_UNPROCESSABLE);
    stage_close(&stage);
}

static void test_workflow(void)
{
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < 12; i++)
        stage_new(&stage, "acme", "Growing", 1 + i);
    reply_t newest = stage_submit(&stage, "acme", stage_chain(&stage, "Growing", 20), "");
    const char *id = stage_id(&stage, s_workflow(&stage, &newest));
    reply_t reply = stage_call(&stage, "acme", "workflow", id);
    is_text(stage_text(&stage, reply.body, "name"), "Growing");
    is_text(stage_text(&stage, reply.body, "kind"), "generic");
    is_int(value_get(reply.body, "analyses")->count, 10);
    ok(value_equal(value_get(value_item(value_get(reply.body, "analyses"), 0), "id"),
                   value_get(newest.body, "id")));
    ok(value_equal(value_get(reply.body, "updated_at"), value_get(newest.body, "created_at")));
    is_int(stage_call(&stage, "other", "workflow", id).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "other", "trend", id).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "other", "diff", id).code, ERROR_NOT_FOUND);
    stage_close(&stage);
}

/* ---- diff ------------------------------------------------------------------------------------ */

static bool s_has_issue(const value_t *list, const char *rule)
{
    const value_t *issue;
    for (uint32_t i = 0; (issue = value_item(list, i)); i++)
        if (value_is(value_get(issue, "rule"), rule))
            return true;
    return false;
}

static void test_diff(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t from = stage_submit(&stage, "acme", s_before, "");
    reply_t to = stage_submit(&stage, "acme", s_after, "");
    is_text(s_workflow(&stage, &to), s_workflow(&stage, &from));
    reply_t diff = stage_call(&stage, "acme", "diff", stage_id(&stage, s_workflow(&stage, &from)));
    is_int(diff.code, ERROR_NONE);
    ok(value_equal(value_at(diff.body, "from.id"), value_get(from.body, "id")));
    ok(value_equal(value_at(diff.body, "to.id"), value_get(to.body, "id")));
    is_int(value_get_int(diff.body, "score_change", -1000),
           value_get_int(to.body, "score", 0) - value_get_int(from.body, "score", 0));
    ok(s_has_issue(value_at(diff.body, "issues.fixed"), "WF306"));
    ok(!s_has_issue(value_at(diff.body, "issues.new"), "WF306"));
    ok(value_get_bool(value_get(diff.body, "issues"), "complete", false));
    is_int(value_at(diff.body, "nodes.added")->count, 1);
    is_int(value_at(diff.body, "nodes.removed")->count, 1);
    is_int(value_at(diff.body, "nodes.changed")->count, 1);
    is_int(value_at(diff.body, "wires.added")->count, 1);
    is_int(value_at(diff.body, "wires.removed")->count, 1);

    /* the other way round, by name */
    const char *swapped =
        arena_format(&stage.arena, ",\"from\":\"%s\",\"to\":\"%s\"",
                     stage_text(&stage, to.body, "id"), stage_text(&stage, from.body, "id"));
    diff = stage_call(&stage, "acme", "diff", s_about(&stage, s_workflow(&stage, &from), swapped));
    ok(s_has_issue(value_at(diff.body, "issues.new"), "WF306"));
    stage_close(&stage);
}

static void test_diff_refused(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t only = stage_submit(&stage, "acme", s_before, "");
    const char *workflow = s_workflow(&stage, &only);
    reply_t reply = stage_call(&stage, "acme", "diff", stage_id(&stage, workflow));
    is_int(reply.code, ERROR_UNPROCESSABLE); /* nothing to compare with */
    ok(strstr(reply.detail, "second version") != NULL);
    reply_t gate = stage_submit(&stage, "acme", s_after, ",\"profile\":\"gate\"");
    reply = stage_call(&stage, "acme", "diff", stage_id(&stage, workflow));
    is_int(reply.code, ERROR_UNPROCESSABLE); /* the newest is alone with its profile */
    reply = stage_call(&stage, "acme", "diff",
                       s_about(&stage, workflow,
                               arena_format(&stage.arena, ",\"from\":\"%s\",\"to\":\"%s\"",
                                            stage_text(&stage, only.body, "id"),
                                            stage_text(&stage, gate.body, "id"))));
    is_int(reply.code, ERROR_UNPROCESSABLE);
    ok(strstr(reply.detail, "profiles") != NULL);
    const char *elsewhere = stage_new(&stage, "acme", "Elsewhere", 1);
    reply = stage_call(
        &stage, "acme", "diff",
        s_about(&stage, workflow, arena_format(&stage.arena, ",\"from\":\"%s\"", elsewhere)));
    is_int(reply.code, ERROR_NOT_FOUND); /* of another workflow */
    stage_close(&stage);
}

/* ---- trend ----------------------------------------------------------------------------------- */

static void test_trend(void)
{
    enum { VERSIONS = 5 };
    stage_t stage;
    stage_open(&stage);
    const char *ids[VERSIONS];
    for (int i = 0; i < VERSIONS; i++)
        ids[i] = stage_new(&stage, "acme", "Growing", 1 + i);
    reply_t gate =
        stage_submit(&stage, "acme", stage_chain(&stage, "Growing", 1), ",\"profile\":\"gate\"");
    const char *workflow = s_workflow(&stage, &gate);
    reply_t trend = stage_call(&stage, "acme", "trend", stage_id(&stage, workflow));
    const value_t *points = value_get(trend.body, "points");
    is_int(points->count, VERSIONS);
    for (uint32_t i = 0; i < VERSIONS; i++)
        ok(value_is(value_get(value_item(points, i), "id"), ids[i])); /* the oldest first */
    trend = stage_call(&stage, "acme", "trend", s_about(&stage, workflow, ",\"limit\":2"));
    points = value_get(trend.body, "points");
    is_int(points->count, 2);
    ok(value_is(value_get(value_item(points, 1), "id"), ids[VERSIONS - 1])); /* the newest two */
    trend = stage_call(&stage, "acme", "trend", s_about(&stage, workflow, ",\"profile\":\"gate\""));
    is_int(value_get(trend.body, "points")->count, 1);
    stage_close(&stage);
}

DATABASE_TESTS({ "workflows", test_workflows }, { "workflow", test_workflow },
               { "diff", test_diff }, { "diff refused", test_diff_refused },
               { "trend", test_trend })
