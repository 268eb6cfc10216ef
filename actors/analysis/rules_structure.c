/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_structure - structure: what starts, what is reached, what leads nowhere or for ever on
 */
#include "config.h"

#include "actors/analysis/facts.h"

/* ---- starting -------------------------------------------------------------------------------- */

static void s_no_trigger(const facts_t *facts, report_t *report)
{
    bool runs = false;
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        runs |= node_runs(&facts->model->nodes[n]);
    if (runs && !facts->has_start)
        report_add(report, NODE_NONE, NULL);
}

/* Nodes behind a disabled trigger are parked on purpose, and disabled nodes are not meant to run.
 */
static bool s_is_cut_off(const facts_t *facts, uint32_t node)
{
    const node_t *n = &facts->model->nodes[node];
    return node_runs(n) && !n->disabled && !tree_has(&facts->parked, node);
}

/* Whether `a` stands before `b` along the wires. A part plugged into a node stands behind it. */
static bool s_is_before(const facts_t *facts, uint32_t a, uint32_t b)
{
    if (facts_is_part(facts, a) != facts_is_part(facts, b))
        return facts_is_part(facts, b);
    return facts->components.of[a] > facts->components.of[b];
}

/* One finding a group: what hangs together was cut off by one missing wire. It is reported at the
 * member that comes first in the direction of the wires. */
static void s_report_group(const facts_t *facts, report_t *report, const uint32_t *members,
                           uint32_t count)
{
    uint32_t first = members[0];
    for (uint32_t i = 1; i < count; i++)
        if (s_is_before(facts, members[i], first))
            first = members[i];
    if (count > 1)
        report_group(
            report,
            report_add(report, first, "Nodes that hang together and are cut off: %u.", count),
            members, count);
    else if (!node_has(&facts->model->nodes[first], NODE_UNKNOWN))
        report_add(report, first, NULL);
    /* alone and of an unknown type it may be a trigger, or need no wires */
}

static void s_unreachable(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *cut = arena_array(facts->work->arena, model->node_count, sizeof *cut);

    if (!facts->has_start)
        return; /* then nothing is reached, and another rule says why */
    for (uint32_t n = 0; n < model->node_count; n++)
        cut[n] = s_is_cut_off(facts, n);
    groups_t groups = graph_groups(facts->work, model, cut);
    for (uint32_t g = 0; g < groups.count; g++)
        s_report_group(facts, report, groups.members + groups.first[g],
                       groups.first[g + 1] - groups.first[g]);
}

/* ---- wires and names ------------------------------------------------------------------------- */

static void s_report_dangling(const facts_t *facts, report_t *report, bool from,
                              const char *evidence)
{
    const model_t *model = facts->model;
    named_t *list = arena_array(facts->work->arena, model->dangling_count, sizeof *list);
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->dangling_count; i++)
        if (model->dangling[i].from == from)
            list[count++] = (named_t){ model->dangling[i].missing, model->dangling[i].node };
    report_by_name(report, list, count, evidence);
}

static void s_dangling(const facts_t *facts, report_t *report)
{
    s_report_dangling(facts, report, false,
                      "A connection leads to \"" SLICE "\", which is not in the workflow.");
    s_report_dangling(facts, report, true,
                      "A connection comes from \"" SLICE "\", which is not in the workflow.");
}

/* What connections name a node by. */
static slice_t s_handle(const facts_t *facts, uint32_t node)
{
    bool by_id = facts->analyser->bit & (KIND_NODE_RED | KIND_GENERIC);
    return by_id ? facts->model->nodes[node].id : facts->model->nodes[node].name;
}

static void s_duplicate_name(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    named_t *list = arena_array(facts->work->arena, model->node_count, sizeof *list);
    uint32_t count = 0;

    for (uint32_t n = 0; n < model->node_count; n++)
        if (model->nodes[n].class != CLASS_COMMENT)
            list[count++] = (named_t){ s_handle(facts, n), n };
    report_repeated(report, list, count, "\"" SLICE "\" names more than one node.");
}

/* ---- cycles ---------------------------------------------------------------------------------- */

typedef struct {
    bool ends;   /* something in it can stop going round */
    bool paces;  /* it waits, or goes on only while a service has data to give */
    bool parked; /* part of it is disabled */
} cycle_t;

static bool s_leaves(const facts_t *facts, const wire_t *wire)
{
    return facts->components.of[wire->dst] != facts->components.of[wire->src] &&
           facts->model->nodes[wire->dst].container != wire->src;
}

/* In a state machine exactly one transition is taken, so any that leaves is a way out. Elsewhere
 * data goes along every wire, so only a node that may pass nothing on, or an error, ends the cycle.
 */
static cycle_t s_look_at_cycle(const facts_t *facts, uint32_t component)
{
    const components_t *components = &facts->components;
    const bool is_machine = facts->analyser->bit == KIND_ASL;
    cycle_t cycle = { 0 };
    const wire_t *wire;

    for (uint32_t m = components->first[component]; m < components->first[component + 1]; m++) {
        const node_t *node = &facts->model->nodes[components->members[m]];
        cycle.parked |= node->disabled;
        cycle.ends |= !is_machine && node_has(node, NODE_MAY_END);
        cycle.paces |= node_has(node, NODE_PAUSES) ||
                       (!is_machine && node_has(node, NODE_CALLS) && !node_has(node, NODE_EFFECT));
        for (uint32_t i = 0; (wire = model_out(facts->model, components->members[m], i)); i++)
            if (wire->channel == CHANNEL_ERROR || (is_machine && wire->channel == CHANNEL_MAIN))
                cycle.ends |= s_leaves(facts, wire);
    }
    return cycle;
}

static uint32_t s_first_member(const components_t *components, uint32_t component)
{
    uint32_t first = NODE_NONE;
    for (uint32_t m = components->first[component]; m < components->first[component + 1]; m++)
        if (components->members[m] < first)
            first = components->members[m];
    return first;
}

static void s_endless(const facts_t *facts, report_t *report, bool paced)
{
    const components_t *components = &facts->components;
    uint32_t *nodes;

    for (uint32_t c = 0; c < components->count; c++) {
        if (!components->is_cycle[c] ||
            !tree_has(&facts->starts, components->members[components->first[c]]))
            continue;
        cycle_t cycle = s_look_at_cycle(facts, c);
        if (cycle.ends || cycle.parked || cycle.paces != paced)
            continue;
        uint32_t first = s_first_member(components, c);
        finding_t *finding = report_add(report, first, NULL);
        if (!finding)
            continue;
        uint32_t length =
            graph_cycle(facts->work, facts->model, components, FOLLOW_RUN, first, &nodes);
        report_cycle(report, finding, nodes, length);
    }
}

static void s_endless_cycle(const facts_t *facts, report_t *report)
{
    s_endless(facts, report, false);
}

static void s_perpetual_loop(const facts_t *facts, report_t *report)
{
    s_endless(facts, report, true);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* "GET /path" of a trigger that answers an address; empty when it is none, or made at run time. */
static slice_t s_address(const facts_t *facts, const node_t *node, slice_t method, slice_t path)
{
    bool is_literal = path.size && !slice_starts(path, "=") && !slice_starts(method, "=");
    if (node->disabled || !is_literal)
        return slice_make("", 0);
    if (slice_starts(path, "/"))
        path = slice_after(path, 1);
    return slice_literal(arena_format(facts->work->arena, SLICE " /%.*s",
                                      SLICE_ARGS(method.size ? method : slice_literal("GET")),
                                      (int)path.size, path.text));
}

static void s_duplicate_address(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    named_t *list = arena_array(facts->work->arena, model->node_count, sizeof *list);
    uint32_t count = 0;

    for (uint32_t n = 0; n < model->node_count; n++) {
        const node_t *node = &model->nodes[n];
        bool n8n = slice_is(node->type, "n8n-nodes-base.webhook");
        if (!n8n && !slice_is(node->type, "http in"))
            continue;
        slice_t address =
            s_address(facts, node, facts_param(facts, n, n8n ? "httpMethod" : "method"),
                      facts_param(facts, n, n8n ? "path" : "url"));
        /* several methods at one node are a list, and left alone */
        if (address.size && !value_is_type(value_get(node->params, "httpMethod"), VALUE_ARRAY))
            list[count++] = (named_t){ address, n };
    }
    report_repeated(report, list, count, "More than one node answers " SLICE ".");
}

const rule_t rules_structure[] = {
    { .id = "WF101",
      .kinds = KIND_N8N | KIND_GENERIC,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "No enabled trigger",
      .why = "Nothing ever starts this workflow, so none of it runs.",
      .fix = "Add a trigger, or enable the one that is switched off.",
      .check = s_no_trigger },
    { .id = "WF102",
      .kinds = KIND_ALL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Unreachable node",
      .why = "No way leads here from anything that starts, so it never runs, though it looks as if "
             "it did.",
      .fix = "Connect it, or remove it.",
      .check = s_unreachable },
    { .id = "WF103",
      .kinds = KIND_ALL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "Connection to a missing node",
      .why =
          "The connection is lost when the workflow is loaded, or loading fails; what should run "
          "next does not.",
      .fix = "Restore the missing node under that name, or connect to one that exists.",
      .check = s_dangling },
    { .id = "WF104",
      .kinds = KIND_ALL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_CRITICAL,
      .title = "Cycle with no exit",
      .why = "Once entered it goes round until the engine is stopped or runs out of memory.",
      .fix = "Put a condition into the cycle that leads out of it.",
      .check = s_endless_cycle },
    { .id = "WF106",
      .kinds = KIND_ALL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "Duplicate node name",
      .why = "Connections and expressions name nodes, so one of them gets what was meant for the "
             "other.",
      .fix = "Give every node a name of its own.",
      .check = s_duplicate_name },
    { .id = "WF111",
      .kinds = KIND_N8N | KIND_ASL | KIND_GENERIC,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_INFO,
      .title = "Perpetual loop",
      .why = "The loop pauses or depends on a service for its data, but nothing in it decides to "
             "stop. That may be meant; a schedule does the same and survives a restart.",
      .fix = "If it is to end, add a condition; if not, consider a schedule trigger instead.",
      .check = s_perpetual_loop },
    { .id = "WF112",
      .kinds = KIND_N8N | KIND_NODE_RED,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Two triggers answer the same address",
      .why =
          "Only one of them gets the request; which one depends on the order they are loaded in.",
      .fix = "Give each its own path or method, or merge what follows them.",
      .check = s_duplicate_address },
    { 0 },
};
