/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_maintainability - maintainability: whether somebody else can read and keep it
 */
#include "config.h"

#include "actors/analysis/facts.h"

#define DEFAULT_NAMES_LEAST 7   /* nodes with a default name ... */
#define DEFAULT_NAMES_SHARE 0.3 /* ... that are at least this part of all */
#define LARGE_NODES         100 /* nodes that nobody keeps in mind at once */
#define UNDOCUMENTED_NODES  20  /* nodes from which on a note is missed */

static bool s_runs(const facts_t *facts, uint32_t node)
{
    return node_runs(&facts->model->nodes[node]);
}

static uint32_t s_count(const facts_t *facts, bool (*wanted)(const facts_t *facts, uint32_t node))
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        count += wanted(facts, n);
    return count;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Whether a name is that of the type, perhaps with a number behind it: "HTTP Request3" of
 * httpRequest. */
static bool s_has_default_name(const facts_t *facts, uint32_t node)
{
    const node_t *n = &facts->model->nodes[node];
    const char *dot = memrchr(n->type.text, '.', n->type.size);
    slice_t type = dot ? slice_after(n->type, (size_t)(dot - n->type.text) + 1) : n->type;
    slice_t name = n->name;
    uint32_t at = 0;

    while (name.size && name.text[name.size - 1] >= '0' && name.text[name.size - 1] <= '9')
        name.size--;
    if (!node_runs(n))
        return false;
    if (slice_is(name, "Edit Fields"))
        return slice_is(type, "set");
    for (uint32_t i = 0; i < name.size; i++) {
        if (name.text[i] == ' ')
            continue;
        if (at >= type.size || (name.text[i] | 0x20) != (type.text[at] | 0x20))
            return false;
        at++;
    }
    return at == type.size;
}

static void s_default_names(const facts_t *facts, report_t *report)
{
    uint32_t count, all = s_count(facts, s_runs);
    uint32_t *nodes = facts_select(facts, s_has_default_name, &count);
    if (count < DEFAULT_NAMES_LEAST || count < DEFAULT_NAMES_SHARE * all)
        return;
    finding_t *finding =
        report_add(report, NODE_NONE, "Nodes with such a name: %u of %u.", count, all);
    report_group(report, finding, nodes, count);
}

/* ---- types ----------------------------------------------------------------------------------- */

static void s_deprecated(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    named_t *list = arena_array(facts->work->arena, model->node_count, sizeof *list);
    uint32_t count = 0;

    for (uint32_t n = 0; n < model->node_count; n++)
        if (model->nodes[n].row->successor && !model->nodes[n].disabled)
            list[count++] = (named_t){ slice_literal(model->nodes[n].row->successor), n };
    report_by_name(report, list, count, "Its successor is " SLICE ".");
}

/* ---- size and notes -------------------------------------------------------------------------- */

static bool s_is_subflow(const facts_t *facts, uint32_t node)
{
    return facts->model->nodes[node].class == CLASS_SUBFLOW;
}

static void s_large(const facts_t *facts, report_t *report)
{
    uint32_t all = s_count(facts, s_runs);
    if (all >= LARGE_NODES && s_count(facts, s_is_subflow) == 0)
        report_add(report, NODE_NONE, "It has %u nodes.", all);
}

static void s_undocumented(const facts_t *facts, report_t *report)
{
    uint32_t all = s_count(facts, s_runs);
    if (all >= UNDOCUMENTED_NODES && !facts->model->documented)
        report_add(report, NODE_NONE, "It has %u nodes.", all);
}

const rule_t rules_maintainability[] = {
    { .id = "WF501",
      .kinds = KIND_N8N,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "Default node names",
      .why = "Names such as \"HTTP Request4\" say nothing in a log, an error or an expression.",
      .fix = "Name the nodes after what they do.",
      .check = s_default_names },
    { .id = "WF502",
      .kinds = KIND_N8N,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Deprecated node type",
      .why = "It gets no fixes any more, and one of the next versions will not load it.",
      .fix = "Replace it by its successor.",
      .check = s_deprecated },
    { .id = "WF503",
      .kinds = KIND_ALL,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "Very large workflow in one piece",
      .why = "Nobody can see at once what a change affects, and nothing of it can be tested alone.",
      .fix = "Move parts with a clear input and output into sub-workflows.",
      .check = s_large },
    { .id = "WF504",
      .kinds = KIND_ALL,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "No documentation",
      .why = "Whoever has to change it must find out from the nodes alone what it is for.",
      .fix = "Add a note that says what it is for, who owns it and what it needs.",
      .check = s_undocumented },
    { 0 },
};
