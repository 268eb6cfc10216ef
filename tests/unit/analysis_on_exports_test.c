/* SPDX-License-Identifier: MPL-2.0
 *
 * What the service hands out of an analysis in other formats, and the rules it checks.
 */
#include "config.h"

#include "tests/unit/analysis_stage.h"

#define HOSTILE "<script>alert(1)</script>\\\"'&]]>"

/* ---- documents ------------------------------------------------------------------------------- */

/* A document with a name that wants out, its issues, and an export of it. */
static const char *s_export(stage_t *stage, const char *method, reply_t *submitted)
{
    const char *document =
        "{\"name\":\"" HOSTILE "\",\"nodes\":[{\"id\":\"" HOSTILE "\",\"type\":\"http\",\"params\":"
        "{\"url\":\"http://prices.acme-shop.com/\"}},{\"id\":\"b\",\"name\":\"" HOSTILE "\"}],"
        "\"edges\":[{\"from\":\"" HOSTILE "\",\"to\":\"b\"}]}";
    *submitted = stage_submit(stage, "acme", document, "");
    const char *id = stage_id(stage, stage_text(stage, submitted->body, "id"));
    is_int(stage_call(stage, "other", method, id).code, ERROR_NOT_FOUND);
    reply_t reply = stage_call(stage, "acme", method, id);
    is_int(reply.code, ERROR_NONE);
    is_int(reply.body->count, 1);
    return stage_text(stage, reply.body, "content");
}

static void test_sarif(void)
{
    stage_t stage;
    reply_t submitted;
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    stage_open(&stage);
    const char *text = s_export(&stage, "sarif", &submitted);
    ok(json_to_msgpack(text, strlen(text), VALUE_LIMITS, 0, &packed, &error));
    const value_t *sarif =
        value_parse(&stage.arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict);
    ok(value_is(value_get(sarif, "version"), "2.1.0"));
    const value_t *run = value_item(value_get(sarif, "runs"), 0);
    ok(value_is(value_at(run, "tool.driver.name"), "Signalbox"));
    ok(!value_get(run, "artifacts")); /* there is no file */
    is_int(value_get(run, "results")->count, value_get(submitted.body, "issues")->count);
    ok(value_get(run, "results")->count > 0);
    buf_free(&packed);
    stage_close(&stage);
}

/* How many results of the analysis's SARIF are in this state; NULL is none. */
static int s_count_state(stage_t *stage, const char *id, const char *more, const char *state)
{
    int count = 0;
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    reply_t reply = stage_call(stage, "acme", "sarif",
                               arena_format(&stage->arena, "{\"id\":\"%s\"%s}", id, more));
    const char *text = stage_text(stage, reply.body, "content");
    ok(json_to_msgpack(text, strlen(text), VALUE_LIMITS, 0, &packed, &error));
    const value_t *item,
        *sarif = value_parse(&stage->arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict);
    const value_t *results = value_get(value_item(value_get(sarif, "runs"), 0), "results");
    for (uint32_t i = 0; (item = value_item(results, i)); i++) {
        const value_t *is = value_get(item, "baselineState");
        count += state ? value_is(is, state) : is == NULL;
    }
    buf_free(&packed);
    return count;
}

/* Two steps that nothing leads to, of which the second version has one and another. */
static void test_sarif_baseline(void)
{
#define NODES(one, other)                                                                          \
    "{\"name\":\"flow\",\"nodes\":[{\"id\":\"s\",\"type\":\"schedule\"},{\"id\":\"" one            \
    "\",\"type\":\"http\",\"params\":{\"url\":\"http://a.acme-shop.com/\"}},{\"id\":\"" other      \
    "\",\"type\":\"http\",\"params\":{\"url\":\"http://b.acme-shop.com/\"}}],\"edges\":[]}"
    stage_t stage;
    stage_open(&stage);
    reply_t before = stage_submit(&stage, "acme", NODES("a", "b"), "");
    reply_t after = stage_submit(&stage, "acme", NODES("b", "c"), "");
    const char *first = stage_text(&stage, before.body, "id"),
               *second = stage_text(&stage, after.body, "id");
    const int issues = (int)value_get(after.body, "issues")->count;
    is_int(s_count_state(&stage, second, "", NULL),
           issues); /* without a baseline nothing is said */
    stage_pin(&stage, "acme", stage_text(&stage, after.body, "workflow_id"), first);
    const int new = s_count_state(&stage, second, "", "new"),
              unchanged = s_count_state(&stage, second, "", "unchanged");
    ok(new > 0 && unchanged > 0);
    is_int(new + unchanged, issues);
    is_int(s_count_state(&stage, second, "", "absent"), 0);
    ok(s_count_state(&stage, second, ",\"absent\":true", "absent") > 0);
    is_int(s_count_state(&stage, first, "", "unchanged"), /* itself */
           (int)value_get(before.body, "issues")->count);

    /* neither what is older than the baseline, nor what has another profile, is measured */
    stage_pin(&stage, "acme", stage_text(&stage, after.body, "workflow_id"), second);
    is_int(s_count_state(&stage, first, "", NULL), (int)value_get(before.body, "issues")->count);
    reply_t gate = stage_submit(&stage, "acme", NODES("b", "c"), ",\"profile\":\"gate\"");
    is_int(s_count_state(&stage, stage_text(&stage, gate.body, "id"), "", NULL),
           (int)value_get(gate.body, "issues")->count);
    stage_close(&stage);
#undef NODES
}

static void test_svg(void)
{
    stage_t stage;
    reply_t submitted;
    stage_open(&stage);
    const char *text = s_export(&stage, "graph_svg", &submitted);
    ok(strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39) == 0);
    ok(strcmp(text + strlen(text) - 7, "</svg>\n") == 0);
    ok(!strstr(text, "<script") && !strstr(text, "]]>"));
    ok(strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;]]&gt;") != NULL);
    stage_close(&stage);
}

static void test_mermaid(void)
{
    stage_t stage;
    reply_t submitted;
    stage_open(&stage);
    const char *text = s_export(&stage, "graph_mmd", &submitted);
    ok(strncmp(text, "flowchart LR\n", 13) == 0);
    ok(strstr(text, "\n    n0 --> n1\n") != NULL);
    ok(!strstr(text, "<script") && !strchr(text, '\''));
    stage_close(&stage);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void test_rules(void)
{
    static const struct {
        const char *request, *key, *word;
    } cases[] = {
        { "{\"category\":\"security\"}", "category", "security" },
        { "{\"severity\":\"critical\"}", "severity", "critical" },
    };
    stage_t stage;
    stage_open(&stage);
    reply_t all = stage_call(&stage, "acme", "rules", "{}");
    const value_t *items = value_get(all.body, "items"), *rule;
    is_int(items->count, rule_count());
    for (uint32_t i = 1; i < items->count; i++)
        if (strcmp(stage_text(&stage, &items->items[i - 1], "id"),
                   stage_text(&stage, &items->items[i], "id")) >= 0)
            ok_named(false, stage_text(&stage, &items->items[i], "id"));
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        const value_t *some =
            value_get(stage_call(&stage, "acme", "rules", cases[c].request).body, "items");
        ok_named(some->count > 0 && some->count < items->count, cases[c].request);
        for (uint32_t i = 0; (rule = value_item(some, i)); i++)
            ok_named(value_is(value_get(rule, cases[c].key), cases[c].word), cases[c].request);
    }
    uint32_t of_kinds = 0;
    const analyser_t *analyser;
    for (size_t k = 0; (analyser = analyser_at(k)); k++) {
        const char *request = arena_format(&stage.arena, "{\"kind\":\"%s\"}", analyser->kind);
        of_kinds += value_get(stage_call(&stage, "acme", "rules", request).body, "items")->count;
    }
    for (uint32_t i = 0; (rule = value_item(items, i)); i++)
        of_kinds -= value_get(rule, "kinds")->count;
    is_int(of_kinds, 0);
    stage_close(&stage);
}

static void test_rule(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t one = stage_call(&stage, "acme", "rule", "{\"id\":\"WF301\"}");
    is_text(stage_text(&stage, one.body, "severity"), "critical");
    is_text(stage_text(&stage, one.body, "page"), "docs/rules/WF301.md");
    is_int(stage_call(&stage, "acme", "rule", "{\"id\":\"WF999\"}").code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "acme", "rule", "{\"id\":\"../x\"}").code, ERROR_VALIDATION_FAILED);
    stage_close(&stage);
}

DATABASE_TESTS({ "sarif", test_sarif }, { "sarif with a baseline", test_sarif_baseline },
               { "svg", test_svg }, { "mermaid", test_mermaid }, { "rules", test_rules },
               { "rule", test_rule })
