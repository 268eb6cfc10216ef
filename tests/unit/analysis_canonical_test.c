/* SPDX-License-Identifier: MPL-2.0
 *
 * The key of an answer: equal for documents that must be judged the same, different for all others.
 */
#include "config.h"

#include "actors/base/id.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

static const char *s_key(kit_t *kit, const char *text, const analysis_options_t *options)
{
    uint8_t key[ANALYSIS_KEY_BYTES];
    char why[ANALYSIS_WHY_SIZE];
    char *hex = arena_alloc(&kit->arena, 2 * sizeof key + 1);
    if (!kit_parse(kit, text, strlen(text)) ||
        analysis_key(&kit->arena, kit->document, options, key, why) != ANALYSIS_DONE)
        return "";
    return id_hex(key, sizeof key, hex);
}

static const char s_base[] =
    "{ \"nodes\": [{ \"id\": \"1\", \"name\": \"A\", \"type\": \"n8n-nodes-base.manualTrigger\","
    "  \"position\": [0, 0], \"parameters\": {} },"
    " { \"id\": \"2\", \"name\": \"B\", \"type\": \"n8n-nodes-base.set\", \"position\": [9, 9],"
    "  \"notes\": \"why\", \"parameters\": { \"x\": 1, \"y\": [true, null, \"t\"] } }],"
    " \"connections\": { \"A\": { \"main\": [[{ \"node\": \"B\", \"type\": \"main\", \"index\": 0 "
    "}]] } },"
    " \"pinData\": { \"A\": [{ \"json\": { \"n\": 1 } }] } }";

typedef struct {
    const char *name;
    bool same;
    const char *from, *to; /* what is replaced in the base */
} change_t;

static const change_t s_changes[] = {
    { "nodes move", true, "[9, 9]", "[100, -20.5]" },
    { "pinned values change", true, "{ \"n\": 1 }", "{ \"n\": 2, \"m\": [] }" },
    { "the text of a note changes", true, "\"notes\": \"why\"", "\"notes\": \"because\"" },
    { "keys are reordered", true, "\"x\": 1, \"y\": [true, null, \"t\"]",
      "\"y\": [true, null, \"t\"], \"x\": 1" },
    { "5 is written 5.0", true, "\"x\": 1,", "\"x\": 1.0," },
    { "meta and version ids come", true, " \"pinData\"",
      " \"meta\": { \"instanceId\": \"q\" }, \"versionId\": \"v\", \"name\": \"W\", \"active\": "
      "true, "
      "\"pinData\"" },
    { "a sticky note comes, where there is a note already", true, "[{ \"id\": \"1\"",
      "[{ \"name\": \"S\", \"type\": \"n8n-nodes-base.stickyNote\", \"position\": [1, 1], "
      "\"parameters\": { \"content\": \"hello\" } }, { \"id\": \"1\"" },
    { "a parameter changes", false, "\"x\": 1", "\"x\": 2" },
    { "a parameter becomes a text", false, "\"x\": 1", "\"x\": \"1\"" },
    { "null becomes false", false, "null", "false" },
    { "a key is renamed", false, "\"x\": 1", "\"z\": 1" },
    { "a parameter goes", false, "\"x\": 1, ", "" },
    { "a list is nested", false, "[true, null, \"t\"]", "[[true, null], \"t\"]" },
    { "a name changes", false, "\"name\": \"B\"", "\"name\": \"C\"" },
    { "a type changes", false, "base.set", "base.code" },
    { "the last note goes", false, "\"notes\": \"why\"", "\"notes\": \"\"" },
    { "the last pinned value goes", false, "[{ \"json\": { \"n\": 1 } }]", "[]" },
    { "a wire goes", false, "[[{ \"node\": \"B\", \"type\": \"main\", \"index\": 0 }]]", "[[]]" },
    { "a node is disabled", false, "\"notes\": \"why\"", "\"notes\": \"why\", \"disabled\": true" },
    { "an error workflow is set", false, " \"pinData\"",
      " \"settings\": { \"errorWorkflow\": \"e\" }, \"pinData\"" },
};

static const char *s_replaced(kit_t *kit, const change_t *change)
{
    const char *at = strstr(s_base, change->from);
    insist(at);
    return arena_format(&kit->arena, "%.*s%s%s", (int)(at - s_base), s_base, change->to,
                        at + strlen(change->from));
}

static void changes(void)
{
    kit_t kit = { 0 };
    const analysis_options_t options = { 0 };
    const char *base = s_key(&kit, s_base, &options);

    is_int(strlen(base), 2 * ANALYSIS_KEY_BYTES);
    for (size_t i = 0; i < COUNT_OF(s_changes); i++) {
        const char *key = s_key(&kit, s_replaced(&kit, &s_changes[i]), &options);
        ok_named(strlen(key) > 0 && (strcmp(base, key) == 0) == s_changes[i].same,
                 s_changes[i].name);
    }
    kit_free(&kit);
}

/* Nodes may stand in another order only when somebody moved them: the order says which is named
 * first in a finding. */
static void order_of_nodes_matters(void)
{
    kit_t kit = { 0 };
    const analysis_options_t options = { 0 };
    const char *one = s_key(
        &kit, "{ \"nodes\": [{ \"id\": \"a\" }, { \"id\": \"b\" }], \"edges\": [] }", &options);
    const char *other = s_key(
        &kit, "{ \"nodes\": [{ \"id\": \"b\" }, { \"id\": \"a\" }], \"edges\": [] }", &options);
    ok(strcmp(one, other) != 0);
    kit_free(&kit);
}

static void kind_and_profile_matter(void)
{
    static const char text[] = "{ \"nodes\": [], \"connections\": {}, \"edges\": [] }";
    kit_t kit = { 0 };
    const char *found = s_key(&kit, text, &(analysis_options_t){ 0 });
    ok(strcmp(found, s_key(&kit, text, &(analysis_options_t){ .kind = "n8n" })) == 0);
    ok(strcmp(found, s_key(&kit, text, &(analysis_options_t){ .profile = "default" })) == 0);
    ok(strcmp(found, s_key(&kit, text, &(analysis_options_t){ .kind = "generic" })) != 0);
    ok(strcmp(found, s_key(&kit, text, &(analysis_options_t){ .profile = "gate" })) != 0);
    is_text(s_key(&kit, text, &(analysis_options_t){ .kind = "bpmn" }), "");
    kit_free(&kit);
}

static void other_kinds(void)
{
    static const struct {
        const char *name, *one, *other;
        bool same;
    } pairs[] = {
        { "Node-RED: moved, and described otherwise",
          "[{ \"id\": \"a\", \"type\": \"inject\", \"x\": 1, \"y\": 1, \"info\": \"p\", \"wires\": "
          "[] }]",
          "[{ \"id\": \"a\", \"type\": \"inject\", \"x\": 5, \"y\": 7, \"info\": \"q\", \"wires\": "
          "[] }]",
          true },
        { "Node-RED: rewired", "[{ \"id\": \"a\", \"type\": \"inject\", \"wires\": [] }]",
          "[{ \"id\": \"a\", \"type\": \"inject\", \"wires\": [[\"a\"]] }]", false },
        { "Node-RED: a list, or the same in an object",
          "[{ \"id\": \"a\", \"type\": \"inject\", \"wires\": [] }]",
          "{ \"rev\": \"1\", \"flows\": [{ \"id\": \"a\", \"type\": \"inject\", \"wires\": [] }] }",
          true },
        { "ASL: another comment",
          "{ \"Comment\": \"a\", \"StartAt\": \"A\", \"States\": { \"A\": { \"Type\": \"Succeed\" "
          "} } }",
          "{ \"Comment\": \"b\", \"StartAt\": \"A\", \"States\": { \"A\": { \"Type\": \"Succeed\" "
          "} } }",
          true },
        { "ASL: another state",
          "{ \"StartAt\": \"A\", \"States\": { \"A\": { \"Type\": \"Succeed\" } } }",
          "{ \"StartAt\": \"A\", \"States\": { \"A\": { \"Type\": \"Fail\" } } }", false },
        { "generic: moved",
          "{ \"nodes\": [{ \"id\": \"a\", \"position\": [1, 2] }], \"edges\": [] }",
          "{ \"nodes\": [{ \"id\": \"a\" }], \"edges\": [] }", true },
        { "generic: another label",
          "{ \"nodes\": [{ \"id\": \"a\" }], \"edges\": [{ \"from\": \"a\", \"to\": \"a\" }] }",
          "{ \"nodes\": [{ \"id\": \"a\" }],"
          "  \"edges\": [{ \"from\": \"a\", \"to\": \"a\", \"label\": \"error\" }] }",
          false },
    };
    kit_t kit = { 0 };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const char *one = s_key(&kit, pairs[i].one, &(analysis_options_t){ 0 });
        const char *other = s_key(&kit, pairs[i].other, &(analysis_options_t){ 0 });
        ok_named(*one && *other && (strcmp(one, other) == 0) == pairs[i].same, pairs[i].name);
    }
    kit_free(&kit);
}

TESTS({ "changes", changes }, { "order of nodes matters", order_of_nodes_matters },
      { "kind and profile matter", kind_and_profile_matter }, { "other kinds", other_kinds })
