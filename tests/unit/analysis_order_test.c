/* SPDX-License-Identifier: MPL-2.0
 *
 * Whether an expression may read from a node: the ways an n8n execution can take. Each case is a
 * small workflow in short: nodes as "Name:type", or "Name:type<Read" when the node's parameters
 * read from the node Read; wires as "A>B", from a further output "A#1>B", into a further input
 * "A>B#1", and "A~B" for a part plugged into a node.
 */
#include "config.h"

#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

#define WIRES_MAX   24
#define OUTPUTS_MAX 2

typedef struct {
    char from[16], to[16];
    unsigned output, input;
    bool plugs;
} short_wire_t;

/* "A#1>B#2", in order: each part that is there is read, and what is behind it is returned. */
static const char *s_read_end(const char *at, char name[16], unsigned *number)
{
    size_t size = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    insist(text_copy(name, 16, at, size));
    at += size;
    *number = 0;
    if (*at == '#') {
        *number = (unsigned)(at[1] - '0');
        at += 2;
    }
    return at;
}

static size_t s_read_wires(const char *text, short_wire_t wires[WIRES_MAX])
{
    size_t count = 0;
    while (*text) {
        short_wire_t *wire = &wires[count++];
        insist(count <= WIRES_MAX);
        text = s_read_end(text, wire->from, &wire->output);
        wire->plugs = *text == '~';
        text = s_read_end(text + 1, wire->to, &wire->input);
        text += *text == ' ';
    }
    return count;
}

static void s_add_output(buf_t *out, const short_wire_t *wires, size_t count, const char *from,
                         unsigned output, bool plugs)
{
    const char *comma = "";
    buf_add_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wires[i].from, from) != 0 || wires[i].output != output ||
            wires[i].plugs != plugs)
            continue;
        buf_printf(out, "%s{\"node\":\"%s\",\"index\":%u}", comma, wires[i].to, wires[i].input);
        comma = ",";
    }
    buf_add_text(out, "]");
}

/* The nodes go to one buffer, what leaves each of them to the other. */
static void s_add_node(buf_t *nodes, buf_t *connections, char *node, const short_wire_t *wires,
                       size_t count)
{
    char *name = strsep(&node, ":"), *type = strsep(&node, "<");
    bool ai = strcmp(type, "agent") == 0 || strcmp(type, "toolCode") == 0;
    const char *comma = nodes->size ? "," : "";

    buf_printf(nodes, "%s{\"id\":\"%s\",\"name\":\"%s\",\"type\":\"%s.%s\",\"typeVersion\":3",
               comma, name, name, ai ? "@n8n/n8n-nodes-langchain" : "n8n-nodes-base", type);
    if (node)
        buf_printf(nodes, ",\"parameters\":{\"v\":\"={{ $('%s').item.json.x }}\"}", node);
    buf_add_text(nodes, "}");
    buf_printf(connections, "%s\"%s\":{\"main\":[", comma, name);
    for (unsigned o = 0; o < OUTPUTS_MAX; o++) {
        buf_add_text(connections, o ? "," : "");
        s_add_output(connections, wires, count, name, o, false);
    }
    buf_add_text(connections, "],\"ai_tool\":[");
    s_add_output(connections, wires, count, name, 0, true);
    buf_add_text(connections, "]}");
}

static bool s_analyse(kit_t *kit, const char *nodes, const char *wires)
{
    short_wire_t list[WIRES_MAX];
    size_t count = s_read_wires(wires, list);
    char *copy = mem_strdup(nodes), *rest = copy, *node;
    buf_t text = { 0 }, connections = { 0 };

    while ((node = strsep(&rest, " ")))
        s_add_node(&text, &connections, node, list, count);
    const char *document = arena_format(&kit->arena, "{\"nodes\":[%s],\"connections\":{%s}}",
                                        buf_text(&text), buf_text(&connections));
    bool good = kit_analyse(kit, document);
    mem_free(copy);
    buf_free(&text);
    buf_free(&connections);
    return good;
}

static void reading(void)
{
    static const struct {
        const char *name, *nodes, *wires;
        const char *rule; /* NULL: none of them */
    } cases[] = {
        { "the node before", "T:webhook A:set B:set<A", "T>A A>B", NULL },
        { "the trigger", "T:webhook A:set B:set<T", "T>A A>B", NULL },
        { "itself, in a loop", "T:webhook L:splitInBatches A:set<A", "T>L L#1>A A>L", NULL },
        { "one side of a branch", "T:webhook I:if A:set B:set<A", "T>I I>A A>B I#1>B", "WF210" },
        { "the side of the branch it stands on", "T:webhook I:if A:set B:set<A", "T>I I>A A>B",
          NULL },
        { "what both sides lead through", "T:webhook I:if A:set B:set C:set D:set<C",
          "T>I I>A I#1>B A>C B>C C>D", NULL },
        { "one of two inputs of a merge", "T:webhook A:set B:set M:merge C:set<A",
          "T>A T>B A>M B>M#1 M>C", NULL },
        { "one of two wires into one input", "T:webhook A:set B:set M:merge C:set<A",
          "T>A T>B A>M B>M M>C", "WF210" },
        { "a parallel branch", "T:webhook A:set B:set<A", "T>A T>B", "WF211" },
        { "what comes later", "T:webhook A:set<B B:set", "T>A A>B", "WF210" },
        { "what comes later in the loop", "T:webhook L:splitInBatches A:set<B B:set",
          "T>L L#1>A A>B B>L", "WF210" },
        { "a finished loop's body", "T:webhook L:splitInBatches A:set B:set<A", "T>L L#1>A A>L L>B",
          NULL },
        { "a finished loop's body, further behind",
          "T:webhook L:splitInBatches A:set B:set C:set<A", "T>L L#1>A A>L L>B B>C", NULL },
        { "one side of a branch in a finished loop's body",
          "T:webhook L:splitInBatches I:if A:set B:set<A", "T>L L#1>I I>A I#1>L A>L L>B", "WF210" },
        { "a finished inner loop's body",
          "T:webhook L:splitInBatches K:splitInBatches A:set B:set<A",
          "T>L L#1>K K#1>A A>K K>B B>L", NULL },
        { "an inner loop's body behind the outer one",
          "T:webhook L:splitInBatches K:splitInBatches A:set B:set C:set<A",
          "T>L L#1>K K#1>A A>K K>B B>L L>C", NULL },
        { "a real trigger, tried by hand", "T:webhook H:manualTrigger A:set<T", "T>A H>A", NULL },
        { "the trigger for trying by hand", "T:webhook H:manualTrigger A:set<H", "T>A H>A", NULL },
        { "one of two real triggers", "T:webhook S:scheduleTrigger A:set<T", "T>A S>A", "WF210" },
        { "one of two triggers by hand", "H:manualTrigger T:manualTrigger A:set<T", "T>A H>A",
          "WF210" },
        { "a node that nothing leads to", "T:webhook A:set B:set<C C:set", "T>A A>B", "WF210" },
        { "from a part: what its host may read", "T:webhook A:set G:agent P:toolCode<A",
          "T>A A>G P~G", NULL },
        { "from a part: what its host may not read", "T:webhook I:if A:set G:agent P:toolCode<A",
          "T>I I>A A>G I#1>G P~G", "WF210" },
        { "a part", "T:webhook G:agent P:toolCode B:set<P", "T>G G>B P~G", NULL },
        { "in a node that never runs", "T:webhook A:set B:set<A", "T>A", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        kit_t kit = { 0 };
        bool good = s_analyse(&kit, cases[i].nodes, cases[i].wires);
        bool skipped = kit_finding(&kit, "WF210"), beside = kit_finding(&kit, "WF211");
        const char *rule = skipped ? "WF210" : beside ? "WF211" : NULL;
        bool right =
            rule && cases[i].rule ? strcmp(rule, cases[i].rule) == 0 : rule == cases[i].rule;
        ok_named(good && right && !(skipped && beside), cases[i].name);
        if (!right)
            note("got %s", rule ? rule : "nothing");
        kit_free(&kit);
    }
}

TESTS({ "reading", reading })
