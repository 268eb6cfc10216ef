/* SPDX-License-Identifier: MPL-2.0
 *
 * Differences between two versions, as JSON.
 */
#include "config.h"

#include "actors/analysis/diff.h"
#include "proto/analysis.h"
#include "tests/unit/analysis_drawn.h"

typedef struct {
    drawn_t from, to;
    buf_t packed;
    const value_t *diff;
} compared_t;

static bool s_compare(compared_t *self, const char *from, const char *to)
{
    pack_t pack;
    value_verdict_t verdict;
    *self = (compared_t){ 0 };
    if (!drawn_make(&self->from, from) || !drawn_make(&self->to, to))
        return false;
    pack_init(&pack, &self->packed);
    pack_map(&pack, DIFF_PAIRS);
    diff_write(&(version_t){ &self->from.sketch, self->from.result },
               &(version_t){ &self->to.sketch, self->to.result }, &pack);
    self->diff = value_parse(&self->to.kit.arena, self->packed.bytes, self->packed.size,
                             VALUE_LIMITS, &verdict);
    return self->diff != NULL;
}

static void s_free(compared_t *self)
{
    drawn_free(&self->from);
    drawn_free(&self->to);
    buf_free(&self->packed);
}

#define GRAPH(nodes, edges) "{\"nodes\":[" nodes "],\"edges\":[" edges "]}"
#define NODE(id, more)      "{\"id\":\"" id "\"" more "}"
#define EDGE(from, to)      "{\"from\":\"" from "\",\"to\":\"" to "\"}"
#define SHOWN(id, name)     "{\"id\":\"" id "\",\"name\":\"" name "\",\"type\":\"\"}"
#define NODES(added, removed, changed, renamed)                                                    \
    "{\"added\":[" added "],\"removed\":[" removed "],\"changed\":[" changed                       \
    "],\"renamed\":[" renamed "],\"left_out\":0}"
#define WIRES(added, removed) "{\"added\":[" added "],\"removed\":[" removed "],\"left_out\":0}"
#define WIRE(from, to, channel)                                                                    \
    "{\"from\":\"" from "\",\"output\":0,\"to\":\"" to "\",\"input\":0,\"channel\":\"" channel "\"}"

static void s_check(const char *name, const value_t *value, const char *expected)
{
    buf_t json = { 0 };
    json_write(value, &json);
    if (!ok_named(strcmp(buf_text(&json), expected) == 0, name)) {
        note("got      %s", buf_text(&json));
        note("expected %s", expected);
    }
    buf_free(&json);
}

static void test_table(void)
{
    static const struct {
        const char *name, *from, *to, *nodes, *wires;
    } cases[] = {
        { "nothing", GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("a", "b")),
          GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("a", "b")), NODES("", "", "", ""),
          WIRES("", "") },
        { "the order of nodes", GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("a", "b")),
          GRAPH(NODE("b", "") "," NODE("a", ""), EDGE("a", "b")), NODES("", "", "", ""),
          WIRES("", "") },
        { "where they stand", GRAPH(NODE("a", ",\"position\":[0,0]"), ""),
          GRAPH(NODE("a", ",\"position\":[9,9]"), ""), NODES("", "", "", ""), WIRES("", "") },
        { "a new one, wired", GRAPH(NODE("a", ""), ""),
          GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("a", "b")),
          NODES(SHOWN("b", "b"), "", "{\"node\":" SHOWN("a", "a") ",\"what\":[\"wires\"]}", ""),
          WIRES(WIRE("a", "b", "main"), "") },
        { "one less", GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("b", "a")),
          GRAPH(NODE("a", ""), ""), NODES("", SHOWN("b", "b"), "", ""),
          WIRES("", WIRE("b", "a", "main")) },
        { "another name", GRAPH(NODE("a", ",\"name\":\"Old\""), ""),
          GRAPH(NODE("a", ",\"name\":\"New\""), ""),
          NODES("", "", "", "{\"id\":\"a\",\"from\":\"Old\",\"to\":\"New\"}"), WIRES("", "") },
        { "other parameters", GRAPH(NODE("a", ",\"params\":{\"x\":1}"), ""),
          GRAPH(NODE("a", ",\"params\":{\"x\":2}"), ""),
          NODES("", "", "{\"node\":" SHOWN("a", "a") ",\"what\":[\"parameters\"]}", ""),
          WIRES("", "") },
        { "switched off", GRAPH(NODE("a", ""), ""), GRAPH(NODE("a", ",\"disabled\":true"), ""),
          NODES("", "", "{\"node\":" SHOWN("a", "a") ",\"what\":[\"disabled\"]}", ""),
          WIRES("", "") },
        { "another type", GRAPH(NODE("a", ",\"type\":\"x\""), ""), GRAPH(NODE("a", ""), ""),
          NODES("", "", "{\"node\":" SHOWN("a", "a") ",\"what\":[\"type\"]}", ""), WIRES("", "") },
        { "another channel", GRAPH(NODE("a", "") "," NODE("b", ""), EDGE("a", "b")),
          GRAPH(NODE("a", "") "," NODE("b", ""),
                "{\"from\":\"a\",\"to\":\"b\",\"label\":\"error\"}"),
          NODES("", "", "{\"node\":" SHOWN("a", "a") ",\"what\":[\"wires\"]}", ""), NULL },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        compared_t compared;
        if (ok_named(s_compare(&compared, cases[i].from, cases[i].to), cases[i].name)) {
            s_check(cases[i].name, value_get(compared.diff, "nodes"), cases[i].nodes);
            if (cases[i].wires)
                s_check(cases[i].name, value_get(compared.diff, "wires"), cases[i].wires);
        }
        s_free(&compared);
    }
}

/* What was fixed one way is new the other way, and the scores are opposite. */
static void test_issues(void)
{
    static const char
        bad[] = GRAPH(
            NODE("a", ",\"type\":\"http\",\"params\":{\"url\":\"http://prices.acme-shop.com/\"}"),
            ""),
        good[] = GRAPH(
            NODE("a", ",\"type\":\"http\",\"params\":{\"url\":\"https://prices.acme-shop.com/\"}"),
            "");
    compared_t there, back, same;
    ok(s_compare(&there, bad, good) && s_compare(&back, good, bad) && s_compare(&same, bad, bad));
    ok(value_at(there.diff, "issues.fixed")->count > 0);
    ok(value_equal(value_at(there.diff, "issues.fixed"), value_at(back.diff, "issues.new")));
    ok(value_equal(value_at(there.diff, "issues.staying"), value_at(back.diff, "issues.staying")));
    is_int(value_get_int(there.diff, "score_change", 0),
           -value_get_int(back.diff, "score_change", 0));
    is_int(value_at(same.diff, "issues.fixed")->count, 0);
    is_int(value_at(same.diff, "issues.staying")->count,
           value_get(same.to.result, "issues")->count);
    s_free(&there);
    s_free(&back);
    s_free(&same);
}

static void s_add_nodes(buf_t *text, const char *head, int count)
{
    buf_printf(text, "{\"nodes\":[");
    for (int i = 0; i < count; i++)
        buf_printf(text, "%s{\"id\":\"%s%d\"}", i ? "," : "", head, i);
    buf_printf(text, "],\"edges\":[]}");
}

/* Lists are cut, and what is missing is counted. */
static void test_many(void)
{
    enum { COUNT = ANALYSIS_DIFF_MAX + 100 };
    buf_t from = { 0 }, to = { 0 };
    compared_t compared;
    s_add_nodes(&from, "old", COUNT);
    s_add_nodes(&to, "new", COUNT);
    ok(s_compare(&compared, buf_text(&from), buf_text(&to)));
    is_int(value_at(compared.diff, "nodes.added")->count, ANALYSIS_DIFF_MAX);
    is_int(value_at(compared.diff, "nodes.removed")->count, ANALYSIS_DIFF_MAX);
    is_int(value_get_int(value_get(compared.diff, "nodes"), "left_out", 0), 200);
    s_free(&compared);
    buf_free(&from);
    buf_free(&to);
}

/* Nodes that share an id are paired in their order, and so are those without one. */
static void test_equal_ids(void)
{
    static const char two[] =
        GRAPH(NODE("a", "") "," NODE("a", ",\"name\":\"second\""), EDGE("a", "a")),
                      one[] = GRAPH(NODE("a", ""), EDGE("a", "a")),
                      none[] =
                          "{\"StartAt\":\"\",\"States\":{\"\":{\"Type\":\"Pass\",\"End\":true}}}";
    compared_t compared;
    ok(s_compare(&compared, two, one));
    s_check("one less", value_get(compared.diff, "nodes"), NODES("", SHOWN("a", "second"), "", ""));
    s_free(&compared);
    ok(s_compare(&compared, two, two));
    s_check("the same", value_get(compared.diff, "nodes"), NODES("", "", "", ""));
    s_check("the same", value_get(compared.diff, "wires"), WIRES("", ""));
    s_free(&compared);
    if (ok(s_compare(&compared, none, none)))
        s_check("the same", value_get(compared.diff, "nodes"), NODES("", "", "", ""));
    s_free(&compared);
}

static void test_hostile(void)
{
    for (size_t i = 0; i < COUNT_OF(drawn_hostile); i++) {
        compared_t compared = { 0 };
        pack_t pack;
        value_verdict_t verdict;
        drawn_make_of(&compared.from, drawn_hostile[i]);
        drawn_make_of(&compared.to, drawn_hostile[COUNT_OF(drawn_hostile) - 1 - i]);
        pack_init(&pack, &compared.packed);
        pack_map(&pack, DIFF_PAIRS);
        diff_write(&(version_t){ &compared.from.sketch, compared.from.result },
                   &(version_t){ &compared.to.sketch, compared.to.result }, &pack);
        ok_named(value_parse(&compared.to.kit.arena, compared.packed.bytes, compared.packed.size,
                             VALUE_LIMITS, &verdict) != NULL,
                 drawn_hostile[i]);
        s_free(&compared);
    }
}

TESTS({ "table", test_table }, { "issues", test_issues }, { "many", test_many },
      { "equal ids", test_equal_ids }, { "hostile", test_hostile })
