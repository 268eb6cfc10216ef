/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_expressions - reliability and structure: what n8n expressions refer to
 */
#include "config.h"

#include "actors/analysis/facts.h"

/* ---- references ------------------------------------------------------------------------------ */

static void s_missing_target(const facts_t *facts, report_t *report)
{
    const references_t *references = &facts->references;
    named_t *list = arena_array(facts->work->arena, references->count, sizeof *list);
    uint32_t count = 0;

    for (uint32_t i = 0; i < references->count; i++) {
        const reference_t *reference = &references->list[i];
        if (reference->target == NODE_NONE && !reference->guarded &&
            facts_live(facts, reference->reader))
            list[count++] = (named_t){ reference->name, reference->reader };
    }
    report_by_name(report, list, count, "It reads from \"" SLICE "\", and no node has that name.");
}

typedef enum {
    ORDER_SURE,    /* it has run, or nobody can tell */
    ORDER_DEAD,    /* it never runs */
    ORDER_LATER,   /* it runs only behind the reader */
    ORDER_SKIPPED, /* a way leads here around it */
    ORDER_BESIDE,  /* it stands on another branch */
} order_t;

static order_t s_order(const facts_t *facts, const reference_t *reference)
{
    uint32_t target = reference->target, reader = facts_host(facts, reference->reader);
    const node_t *node = &facts->model->nodes[target];

    if (target == NODE_NONE || reference->guarded || !facts_live(facts, reader) ||
        target == reader || facts_is_part(facts, target) || !node_runs(node))
        return ORDER_SURE;
    if (!tree_has(&facts->starts, target))
        return ORDER_DEAD;
    if (!facts->ran.reached[target] || ran_must(&facts->ran, reader, target))
        return ORDER_SURE; /* not reached: it runs only when tried by hand */
    if (ran_may(&facts->ran, reader, target))
        return ORDER_SKIPPED;
    bool later = ran_knows(&facts->ran, reader) && ran_may(&facts->ran, target, reader);
    return later ? ORDER_LATER : ORDER_BESIDE;
}

/* For the proof: shortest ways from the starts around the node that is read. The memory is used
 * again from finding to finding. */
typedef struct {
    bool *blocked;
    uint32_t *seeds;
    tree_t tree;
} detour_t;

static void s_walk_around(const facts_t *facts, detour_t *self, uint32_t target)
{
    const uint32_t nodes = facts->model->node_count;
    if (!self->blocked) {
        self->blocked = arena_array(facts->work->arena, nodes, sizeof *self->blocked);
        self->seeds = arena_array(facts->work->arena, nodes, sizeof *self->seeds);
        self->tree = graph_walk(facts->work, facts->model, &(walk_t){ 0 });
    }
    walk_t walk = { .seeds = self->seeds, .channels = FOLLOW_RUN, .blocked = self->blocked };
    for (uint32_t i = 0; i < facts->real_start_count; i++)
        if (facts->real_starts[i] != target)
            self->seeds[walk.seed_count++] = facts->real_starts[i];
    self->blocked[target] = true;
    graph_walk_again(facts->work, facts->model, &walk, &self->tree);
    self->blocked[target] = false;
}

static void s_not_guaranteed(const facts_t *facts, report_t *report)
{
    static const char *const evidence[] = {
        [ORDER_DEAD] = "It reads from \"" SLICE "\", which never runs.",
        [ORDER_LATER] = "It reads from \"" SLICE "\", which runs only later.",
        [ORDER_SKIPPED] = "It reads from \"" SLICE "\"; the way shown leads here without it.",
        [ORDER_BESIDE] = NULL, /* another rule's */
    };
    const model_t *model = facts->model;
    detour_t detour = { 0 };
    for (uint32_t i = 0; i < facts->references.count; i++) {
        const reference_t *reference = &facts->references.list[i];
        order_t order = s_order(facts, reference);
        if (!evidence[order])
            continue;
        finding_t *finding = report_add(report, reference->reader, evidence[order],
                                        SLICE_ARGS(model->nodes[reference->target].name));
        report_mark(finding, model->nodes[reference->target].id);
        if (!finding || order != ORDER_SKIPPED)
            continue;
        s_walk_around(facts, &detour, reference->target);
        report_path(report, finding, &detour.tree, facts_host(facts, reference->reader), false);
    }
}

static void s_beside(const facts_t *facts, report_t *report)
{
    for (uint32_t i = 0; i < facts->references.count; i++) {
        const reference_t *reference = &facts->references.list[i];
        if (s_order(facts, reference) != ORDER_BESIDE)
            continue;
        const node_t *target = &facts->model->nodes[reference->target];
        finding_t *finding =
            report_add(report, reference->reader, "It reads from \"" SLICE "\" on another branch.",
                       SLICE_ARGS(target->name));
        report_mark(finding, target->id);
        report_pair(report, finding, reference->target, reference->reader);
    }
}

/* ---- braces ---------------------------------------------------------------------------------- */

/* Whether the last "{{" is never closed; n8n then takes the expression for plain text. */
static bool s_is_open(slice_t text)
{
    const char *open = NULL, *next;
    for (slice_t rest = text; (next = slice_find(rest, "{{"));
         rest = slice_after(text, (size_t)(next - text.text) + 2))
        open = next;
    return open && !slice_has(slice_after(text, (size_t)(open - text.text)), "}}");
}

static bool s_is_unclosed(const text_t *text)
{
    return (text->flags & TEXT_EXPRESSION) && (text->flags & TEXT_BRACES) &&
           !(text->flags & TEXT_CODE) && s_is_open(text->text);
}

/* One finding a node; of several parameters the one whose name comes first is named, since the
 * order of keys means nothing. */
static void s_unclosed(const facts_t *facts, report_t *report)
{
    const text_t *text, *first;
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        first = NULL;
        for (uint32_t i = 0; facts_live(facts, n) && (text = texts_of(&facts->texts, n, i)); i++)
            if (s_is_unclosed(text) && (!first || slice_compare(text->label, first->label) < 0))
                first = text;
        if (first)
            report_add(report, n, "In the parameter \"" SLICE "\" a {{ is not closed.",
                       SLICE_ARGS(first->label));
    }
}

const rule_t rules_expressions[] = {
    { .id = "WF114",
      .kinds = KIND_N8N,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_WARNING,
      .title = "Expression that is not closed",
      .why = "Without the closing braces n8n takes the expression for plain text and passes its "
             "source on instead of the value.",
      .fix = "Close it with }}.",
      .check = s_unclosed },
    { .id = "WF209",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_ERROR,
      .title = "Expression reads from a missing node",
      .why =
          "The expression fails whenever it is evaluated. Mostly the node was renamed or replaced "
          "after the expression was written.",
      .fix = "Put the present name of the node into the expression.",
      .check = s_missing_target },
    { .id = "WF210",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Expression reads from a node that may not have run",
      .why = "When the execution comes by the way that leaves that node out, the expression fails.",
      .fix = "Ask $('Name').isExecuted first, or read from a node that every way goes through.",
      .check = s_not_guaranteed },
    { .id = "WF211",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "Expression reads from a parallel branch",
      .why = "It works only because n8n happens to run the other branch first, by its place on the "
             "canvas; moving a node can break it.",
      .fix = "Join the branches with a merge before this node.",
      .check = s_beside },
    { 0 },
};
