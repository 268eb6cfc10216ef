/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_branching - structure: nodes whose wires do not fit what they are for
 */
#include "config.h"

#include "actors/analysis/facts.h"

/* A merge's inputs are looked back along for at most so many nodes and branches. */
#define BRANCHING_STEPS_MAX    32
#define BRANCHING_BRANCHES_MAX 8

static bool s_has_main_out(const facts_t *facts, uint32_t node)
{
    const wire_t *wire;
    for (uint32_t i = 0; (wire = model_out(facts->model, node, i)); i++)
        if (wire->channel == CHANNEL_MAIN)
            return true;
    return false;
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* Version 1 of the type is used as "the first so many items", without a way back. */
static void s_open_loop(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_LOOP) && facts->model->nodes[n].version >= 2 &&
            !facts->components.is_cycle[facts->components.of[n]] && s_has_main_out(facts, n))
            report_add(report, n, NULL);
}

/* ---- merges ---------------------------------------------------------------------------------- */

static void s_lonely_merge(const facts_t *facts, report_t *report)
{
    const wire_t *wire;
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!facts_live_class(facts, n, CLASS_MERGE))
            continue;
        uint32_t wires = 0;
        bool several = false;
        uint16_t input = 0;
        for (uint32_t i = 0; (wire = model_in(facts->model, n, i)); i++) {
            if (wire->channel == CHANNEL_AI)
                continue;
            several |= wires && wire->input != input;
            input = wire->input;
            wires++;
        }
        if (wires && !several)
            report_add(report, n, "Only input %u is connected.", input + 1u);
    }
}

/* The branches that one input of a merge comes through, nearest first. */
typedef struct {
    uint32_t count;
    struct {
        uint32_t node;
        uint16_t output;
    } list[BRANCHING_BRANCHES_MAX];
} ways_t;

/* Back along the only wire into each node; where there are several, the data may come from
 * anywhere, and that is the end. */
static ways_t s_ways(const facts_t *facts, const wire_t *wire)
{
    const model_t *model = facts->model;
    ways_t ways = { 0 };

    for (uint32_t step = 0; step < BRANCHING_STEPS_MAX && ways.count < BRANCHING_BRANCHES_MAX;
         step++) {
        const node_t *src = &model->nodes[wire->src];
        if (src->class == CLASS_BRANCH || src->class == CLASS_SWITCH) {
            ways.list[ways.count].node = wire->src;
            ways.list[ways.count++].output = wire->output;
        }
        if (model_in(model, wire->src, 1) || !model_in(model, wire->src, 0))
            break;
        wire = model_in(model, wire->src, 0);
    }
    return ways;
}

/* The branch of which the two inputs get different outputs; NODE_NONE when there is none. */
static uint32_t s_exclusive(const ways_t *one, const ways_t *other)
{
    for (uint32_t a = 0; a < one->count; a++)
        for (uint32_t b = 0; b < other->count; b++)
            if (one->list[a].node == other->list[b].node)
                return one->list[a].output != other->list[b].output ? one->list[a].node : NODE_NONE;
    return NODE_NONE;
}

static bool s_combines(const node_t *node)
{
    static const char *const modes[] = { "combine", "mergeByIndex", "mergeByKey", NULL };
    return slice_is(node->type, "n8n-nodes-base.merge") &&
           loader_starts_with(slice_get(node->params, "mode"), modes);
}

static void s_exclusive_merge(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!facts_live_class(facts, n, CLASS_MERGE) || !s_combines(&model->nodes[n]))
            continue;
        const wire_t *one = model_in(model, n, 0), *other = model_in(model, n, 1);
        if (!other || model_in(model, n, 2) || one->input == other->input)
            continue;
        ways_t ways = s_ways(facts, one), other_ways = s_ways(facts, other);
        uint32_t branch = s_exclusive(&ways, &other_ways);
        if (branch == NODE_NONE || value_get_bool(value_get(model->nodes[branch].params, "options"),
                                                  "allMatchingOutputs", false))
            continue;
        finding_t *finding =
            report_add(report, n, "Both inputs come from \"" SLICE "\", by different outputs.",
                       SLICE_ARGS(model->nodes[branch].name));
        report_pair(report, finding, branch, n);
    }
}

/* ---- disabled nodes -------------------------------------------------------------------------- */

static void s_disabled_between(const facts_t *facts, report_t *report)
{
    const wire_t *wire;
    const bool passes = facts->analyser->bit == KIND_N8N;

    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        if (!node->disabled || !node_runs(node) || !s_has_main_out(facts, n))
            continue;
        bool fed = false;
        for (uint32_t i = 0; (wire = model_in(facts->model, n, i)); i++)
            fed |= wire->channel == CHANNEL_MAIN && facts_live(facts, wire->src);
        if (fed)
            report_add(report, n,
                       passes ? "Data passes through it unchanged."
                              : "Nothing that comes after it here gets any message.");
    }
}

/* ---- branches -------------------------------------------------------------------------------- */

static bool s_has_fallback(const node_t *node)
{
    const value_t *options = value_get(node->params, "options");
    slice_t word = slice_get(options, "fallbackOutput");
    if (node->version >= 3)
        return value_get(options, "fallbackOutput") && !slice_is(word, "none");
    return value_get_int(node->params, "fallbackOutput", -1) >= 0;
}

static void s_no_fallback(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_SWITCH) && s_has_main_out(facts, n) &&
            !slice_is(facts_param(facts, n, "mode"), "expression") &&
            !s_has_fallback(&facts->model->nodes[n]))
            report_add(report, n, NULL);
}

static void s_dead_end(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if ((facts_live_class(facts, n, CLASS_BRANCH) ||
             facts_live_class(facts, n, CLASS_SWITCH)) &&
            !s_has_main_out(facts, n))
            report_add(report, n, NULL);
}

/* ---- models ---------------------------------------------------------------------------------- */

static void s_no_model(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    const wire_t *wire;
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!node_has(&model->nodes[n], NODE_NEEDS_MODEL) || !facts_live(facts, n))
            continue;
        bool plugged = false;
        for (uint32_t i = 0; (wire = model_in(model, n, i)); i++)
            plugged |= wire->model && !model->nodes[wire->src].disabled;
        if (!plugged)
            report_add(report, n, NULL);
    }
}

const rule_t rules_branching[] = {
    { .id = "WF105",
      .kinds = KIND_N8N,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Batch loop that never closes",
      .why =
          "Nothing leads back to the loop node, so only the first batch is worked on and the rest "
          "of the items is silently left.",
      .fix = "Connect the last node of the batch back to the loop node's input.",
      .check = s_open_loop },
    { .id = "WF107",
      .kinds = KIND_N8N | KIND_GENERIC,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Merge with one input",
      .why = "It has nothing to merge: either a branch is not connected, or it is in the way.",
      .fix = "Connect the other branch to its own input, or remove the node.",
      .check = s_lonely_merge },
    { .id = "WF108",
      .kinds = KIND_N8N | KIND_NODE_RED,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_INFO,
      .title = "Disabled node in a live path",
      .why =
          "What it did is no longer done, but everything around it runs as before; a node that is "
          "off for a test is easily left off.",
      .fix = "Enable it, or take it out and close the gap.",
      .check = s_disabled_between },
    { .id = "WF109",
      .kinds = KIND_N8N,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_INFO,
      .title = "Switch without a fallback",
      .why = "Items that match no rule vanish without a trace.",
      .fix = "Set a fallback output, and at least log what arrives there.",
      .check = s_no_fallback },
    { .id = "WF110",
      .kinds = KIND_N8N | KIND_NODE_RED | KIND_GENERIC,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Branch that leads nowhere",
      .why = "It decides, and nothing follows from the decision.",
      .fix = "Connect its outputs, or remove it.",
      .check = s_dead_end },
    { .id = "WF113",
      .kinds = KIND_N8N,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_INFO,
      .title = "Merge of branches that exclude each other",
      .why = "An item takes one of the branches, so a merge that combines its inputs has a partner "
             "for it only when other items went the other way; alone it is dropped.",
      .fix = "Use the append mode, or connect both branches directly to what follows.",
      .check = s_exclusive_merge },
    { .id = "WF115",
      .kinds = KIND_N8N,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "AI node without a language model",
      .why = "It fails as soon as it runs: no enabled model is plugged into it.",
      .fix = "Connect a chat model to its model input.",
      .check = s_no_model },
    { 0 },
};
