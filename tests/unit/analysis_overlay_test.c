/* SPDX-License-Identifier: MPL-2.0
 *
 * Which issues belong to which nodes.
 */
#include "config.h"

#include "actors/analysis/overlay.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

#define ISSUE(severity, node, nodes)                                                               \
    "{\"severity\":\"" severity "\",\"node\":" node ",\"nodes\":[" nodes "]}"
#define AT(id) "{\"id\":\"" id "\"}"

static sketch_node_t s_nodes[] = { { .id = { "a", 1 } },
                                   { .id = { "b", 1 } },
                                   { .id = { "a", 1 } }, /* of equal ids the first counts */
                                   { .id = { "", 0 } } };
static const sketch_t s_sketch = { .nodes = s_nodes, .node_count = 4 };

/* The issues of a mark, "0 2 critical". */
static const char *s_shown(kit_t *kit, const overlay_t *overlay, const overlay_mark_t *mark)
{
    buf_t text = { 0 };
    uint32_t count = 0;
    for (uint32_t e = mark->first; e != OVERLAY_NONE; e = overlay->entries[e].next, count++)
        buf_printf(&text, "%u ", overlay->entries[e].issue);
    buf_add_text(&text, mark->count ? severity_name(mark->worst) : "none");
    const char *shown =
        count == mark->count ? arena_text(&kit->arena, text.bytes, text.size) : "miscounted";
    buf_free(&text);
    return shown;
}

static void test_table(void)
{
    static const struct {
        const char *issues, *a, *b, *workflow;
    } cases[] = {
        { "", "none", "none", "none" },
        { ISSUE("error", AT("a"), ""), "0 error", "none", "none" },
        { ISSUE("info", AT("a"), "") "," ISSUE("critical", AT("a"), "") "," ISSUE("warning",
                                                                                  AT("a"), ""),
          "0 1 2 critical", "none", "none" },
        { ISSUE("error", "null", ""), "none", "none", "0 error" },
        { ISSUE("error", AT("gone"), ""), "none", "none", "0 error" },
        { ISSUE("error", AT(""), ""), "none", "none", "0 error" },
        { ISSUE("warning", AT("a"), AT("a") "," AT("b")), "0 warning", "0 warning", "none" },
        { ISSUE("warning", AT("a"), AT("b") "," AT("a")), "0 warning", "0 warning", "none" },
        { ISSUE("warning", AT("gone"), AT("b")), "none", "0 warning", "none" },
        { ISSUE("dreadful", AT("b"), ""), "none", "0 info", "none" },
        { "7,null,\"text\"", "none", "none", "0 1 2 info" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        kit_t kit = { 0 };
        overlay_t overlay;
        const char *text = arena_format(&kit.arena, "{\"issues\":[%s]}", cases[i].issues);
        ok_named(kit_parse(&kit, text, strlen(text)), text);
        overlay_make(&overlay, &kit.arena, &s_sketch, kit.document);
        is_text(s_shown(&kit, &overlay, &overlay.nodes[0]), cases[i].a);
        is_text(s_shown(&kit, &overlay, &overlay.nodes[1]), cases[i].b);
        is_text(s_shown(&kit, &overlay, &overlay.nodes[2]), "none");
        is_text(s_shown(&kit, &overlay, &overlay.nodes[3]), "none");
        is_text(s_shown(&kit, &overlay, &overlay.workflow), cases[i].workflow);
        kit_free(&kit);
    }
}

static void test_no_result(void)
{
    arena_t arena = { 0 };
    overlay_t overlay;
    overlay_make(&overlay, &arena, &s_sketch, NULL);
    is_int(overlay.workflow.count, 0);
    ok(overlay.issues == NULL);
    arena_free(&arena);
}

TESTS({ "table", test_table }, { "no result", test_no_result })
