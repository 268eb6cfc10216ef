/* SPDX-License-Identifier: MPL-2.0
 *
 * Workflows over their versions: the list, one, the one that others are measured against, what
 * changed between two, how the score went.
 */
#include "config.h"

#include "actors/base/clock.h"
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

/* ---- baseline -------------------------------------------------------------------------------- */

/* The id of the analysis that is pinned now, "" when none is. */
static const char *s_pinned(stage_t *stage, const char *workflow)
{
    reply_t reply = stage_call(stage, "acme", "baseline_get", stage_id(stage, workflow));
    return reply.code == ERROR_NOT_FOUND
               ? ""
               : stage_text(stage, value_get(reply.body, "analysis"), "id");
}

static reply_t s_pin(stage_t *stage, const char *account, const char *workflow, const char *id)
{
    const char *more = id ? arena_format(&stage->arena, ",\"analysis_id\":\"%s\"", id) : "";
    return stage_call(stage, account, "baseline_put", s_about(stage, workflow, more));
}

static void test_baseline(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t older = stage_submit(&stage, "acme", s_before, "");
    reply_t newer = stage_submit(&stage, "acme", s_after, "");
    const char *first = stage_text(&stage, older.body, "id"),
               *second = stage_text(&stage, newer.body, "id"),
               *workflow = s_workflow(&stage, &older);
    is_text(s_pinned(&stage, workflow), "");
    reply_t pinned = s_pin(&stage, "acme", workflow, first);
    is_int(pinned.code, ERROR_NONE);
    is_text(stage_text(&stage, value_get(pinned.body, "analysis"), "id"), first);
    is_text(s_pinned(&stage, workflow), first);

    /* again it stays as it is; another one takes its place; without an id it is the newest */
    const char *since = stage_text(&stage, pinned.body, "pinned_at");
    clock_sleep_ms(2);
    pinned = s_pin(&stage, "acme", workflow, first);
    is_text(stage_text(&stage, pinned.body, "pinned_at"), since);
    s_pin(&stage, "acme", workflow, NULL);
    is_text(s_pinned(&stage, workflow), second);

    const char *about = stage_id(&stage, workflow);
    for (int times = 0; times < 2; times++) { /* none is as good as one */
        is_int(stage_call(&stage, "acme", "baseline_delete", about).code, ERROR_NONE);
        is_text(s_pinned(&stage, workflow), "");
    }
    stage_close(&stage);
}

static void test_baseline_refused(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t own = stage_submit(&stage, "acme", s_before, "");
    const char *id = stage_text(&stage, own.body, "id"), *workflow = s_workflow(&stage, &own);
    s_pin(&stage, "acme", workflow, id);
    const char *elsewhere = stage_new(&stage, "acme", "Elsewhere", 1),
               *others = stage_new(&stage, "other", "Orders", 1),
               *nowhere = stage_uuid(&stage, "0000000b", 1);
    is_int(s_pin(&stage, "acme", workflow, elsewhere).code, ERROR_NOT_FOUND);
    is_int(s_pin(&stage, "acme", workflow, others).code, ERROR_NOT_FOUND);
    is_int(s_pin(&stage, "acme", nowhere, id).code, ERROR_NOT_FOUND);
    is_int(s_pin(&stage, "acme", workflow, "x").code, ERROR_VALIDATION_FAILED);
    is_int(s_pin(&stage, "other", workflow, id).code, ERROR_NOT_FOUND);
    const char *about = stage_id(&stage, workflow);
    is_int(stage_call(&stage, "other", "baseline_get", about).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "other", "baseline_delete", about).code, ERROR_NOT_FOUND);
    is_text(s_pinned(&stage, workflow), id);

    /* it cannot be deleted by accident */
    is_int(stage_call(&stage, "acme", "delete", stage_id(&stage, id)).code, ERROR_CONFLICT);
    is_int(stage_call(&stage, "acme", "get", stage_id(&stage, id)).code, ERROR_NONE);
    is_int(stage_call(&stage, "other", "delete", stage_id(&stage, id)).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "acme", "baseline_delete", about).code, ERROR_NONE);
    is_int(stage_call(&stage, "acme", "delete", stage_id(&stage, id)).code, ERROR_NONE);
    is_int(stage_call(&stage, "acme", "baseline_get", about).code, ERROR_NOT_FOUND);
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

/* What is compared when one side is not named: analyses by their numbers, -1 is none. */
static void test_diff_baseline(void)
{
    enum { NONE = -1, VERSIONS = 4 };
    static const struct {
        const char *what;
        int pinned, from, to; /* as they are asked for */
        int is_from, is_to;
    } cases[] = {
        { "nothing is pinned", NONE, NONE, NONE, 2, 3 },
        { "the newest against the baseline", 0, NONE, NONE, 0, 3 },
        { "one that is named", 0, NONE, 2, 0, 2 },
        { "one that is named against another", 0, 1, 2, 1, 2 },
        { "the baseline against itself", 1, NONE, 1, 1, 1 },
        { "one from before the baseline", 2, NONE, 1, 0, 1 },
        { "the first, from before the baseline", 2, NONE, 0, NONE, NONE },
    };
    stage_t stage;
    const char *ids[VERSIONS], *workflow = "";
    stage_open(&stage);
    for (int i = 0; i < VERSIONS; i++) {
        reply_t reply = stage_submit(&stage, "acme", stage_chain(&stage, "Growing", 1 + i), "");
        ids[i] = stage_text(&stage, reply.body, "id");
        workflow = s_workflow(&stage, &reply);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_t more = { 0 };
        if (cases[i].pinned != NONE)
            stage_pin(&stage, "acme", workflow, ids[cases[i].pinned]);
        if (cases[i].from != NONE)
            buf_printf(&more, ",\"from\":\"%s\"", ids[cases[i].from]);
        if (cases[i].to != NONE)
            buf_printf(&more, ",\"to\":\"%s\"", ids[cases[i].to]);
        reply_t diff =
            stage_call(&stage, "acme", "diff", s_about(&stage, workflow, buf_text(&more)));
        buf_free(&more);
        if (cases[i].is_from == NONE)
            ok_named(diff.code == ERROR_UNPROCESSABLE, cases[i].what);
        else
            ok_named(value_is(value_at(diff.body, "from.id"), ids[cases[i].is_from]) &&
                         value_is(value_at(diff.body, "to.id"), ids[cases[i].is_to]),
                     cases[i].what);
    }
    stage_close(&stage);
}

/* A baseline is one of its profile. */
static void test_diff_baseline_of_another_profile(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t all = stage_submit(&stage, "acme", s_before, "");
    reply_t gate = stage_submit(&stage, "acme", s_before, ",\"profile\":\"gate\"");
    reply_t newest = stage_submit(&stage, "acme", s_after, ",\"profile\":\"gate\"");
    const char *workflow = s_workflow(&stage, &all);
    stage_pin(&stage, "acme", workflow, stage_text(&stage, all.body, "id"));
    reply_t diff = stage_call(&stage, "acme", "diff", stage_id(&stage, workflow));
    ok(value_equal(value_at(diff.body, "from.id"), value_get(gate.body, "id")));
    ok(value_equal(value_at(diff.body, "to.id"), value_get(newest.body, "id")));
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
               { "baseline", test_baseline }, { "baseline refused", test_baseline_refused },
               { "diff", test_diff }, { "diff with a baseline", test_diff_baseline },
               { "diff with one of another profile", test_diff_baseline_of_another_profile },
               { "diff refused", test_diff_refused }, { "trend", test_trend })
