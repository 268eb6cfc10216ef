/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_performance - performance: too much at once, too often, for too long
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/facts.h"

#define SCHEDULE_LEAST_S 120    /* a shorter interval is worth a question */
#define TIMEOUT_MOST_MS  300000 /* a longer one holds an execution and a connection */

/* ---- loops ----------------------------------------------------------------------------------- */

/* In a state machine every call counts; elsewhere those to services that count their callers. */
static bool s_is_limited(const facts_t *facts, uint32_t node)
{
    const node_t *n = &facts->model->nodes[node];
    bool calls = facts->analyser->bit == KIND_ASL
                     ? node_has(n, NODE_CALLS)
                     : n->class == CLASS_HTTP || n->class == CLASS_SEND || n->class == CLASS_MODEL;
    return calls && node_has(n, NODE_CALLS) && !node_has(n, NODE_PACED) && facts_live(facts, node);
}

static void s_report_loop(const facts_t *facts, report_t *report, const uint32_t *calls,
                          uint32_t count)
{
    uint32_t *nodes;
    finding_t *finding =
        report_add(report, calls[0], "Calls in each round: %u, without a pause.", count);
    if (!finding)
        return;
    if (count > 1)
        report_group(report, finding, calls, count);
    uint32_t length =
        graph_cycle(facts->work, facts->model, &facts->components, FOLLOW_RUN, calls[0], &nodes);
    report_cycle(report, finding, nodes, length);
}

static int s_by_number(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static void s_busy_loop(const facts_t *facts, report_t *report)
{
    const components_t *components = &facts->components;
    uint32_t *calls = arena_array(facts->work->arena, facts->model->node_count, sizeof *calls);

    for (uint32_t c = 0; c < components->count; c++) {
        uint32_t count = 0;
        bool paused = !components->is_cycle[c];
        for (uint32_t m = components->first[c]; !paused && m < components->first[c + 1]; m++) {
            uint32_t node = components->members[m];
            paused = node_has(&facts->model->nodes[node], NODE_PAUSES);
            if (s_is_limited(facts, node))
                calls[count++] = node;
        }
        if (paused || !count)
            continue;
        qsort(calls, count, sizeof *calls, s_by_number);
        s_report_loop(facts, report, calls, count);
    }
}

/* ---- fanning out ----------------------------------------------------------------------------- */

static bool s_splits(const facts_t *facts, uint32_t node)
{
    slice_t operation = facts_param(facts, node, "operation");
    return facts_live_class(facts, node, CLASS_SPLIT) &&
           (!operation.size || slice_is(operation, "splitOutItems"));
}

/* From the splitting node through nodes that leave the number of items as it is. */
static void s_fan_out(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *blocked = arena_array(facts->work->arena, model->node_count, sizeof *blocked);

    for (uint32_t n = 0; n < model->node_count; n++)
        blocked[n] = model->nodes[n].class != CLASS_TRANSFORM ||
                     facts_is_type(facts, n, "n8n-nodes-base.aggregate") ||
                     facts_is_type(facts, n, "n8n-nodes-base.summarize");
    tree_t split = facts_walk(facts, s_splits, FOLLOW_MAIN, false, blocked);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const node_t *node = &model->nodes[n];
        if (node->class != CLASS_HTTP || node->version < 3 || node_has(node, NODE_PACED) ||
            !facts_live(facts, n) || !tree_has(&split, n) ||
            facts->components.is_cycle[facts->components.of[n]])
            continue;
        finding_t *finding = report_add(report, n, "One request for each item of \"" SLICE "\".",
                                        SLICE_ARGS(model->nodes[split.seed[n]].name));
        report_path(report, finding, &split, n, false);
    }
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Seconds that one unit of n8n's intervals lasts; 0 for units far above the limit. */
static double s_unit(slice_t unit)
{
    if (slice_is(unit, "seconds"))
        return 1;
    return slice_is(unit, "minutes") ? 60 : 0;
}

/* Seconds between the runs of one rule of a schedule trigger; 0 when unknown or long. */
static double s_rule_interval(const value_t *rule)
{
    slice_t field = slice_get(rule, "field");
    if (slice_is(field, "seconds")) {
        double seconds = loader_number(rule, "secondsInterval");
        return seconds > 0 ? seconds : 30;
    }
    if (slice_is(field, "minutes")) {
        double minutes = loader_number(rule, "minutesInterval");
        return 60 * (minutes > 0 ? minutes : 5);
    }
    slice_t expression = slice_get(rule, "expression");
    bool each_minute = slice_starts(expression, "* * ") || slice_starts(expression, "*/1 * ");
    return slice_is(field, "cronExpression") && each_minute ? 60 : 0;
}

static double s_cron_interval(const value_t *item)
{
    slice_t mode = slice_get(item, "mode");
    if (slice_is(mode, "everyMinute"))
        return 60;
    return slice_is(mode, "everyX") ? s_unit(slice_get(item, "unit")) * loader_number(item, "value")
                                    : 0;
}

/* The shortest interval of a trigger in seconds, 0 when unknown or long. */
static double s_interval(const node_t *node)
{
    const value_t *rules = value_at(node->params, "rule.interval");
    const value_t *items = value_at(node->params, "triggerTimes.item"), *item;
    double shortest = 0;

    if (slice_is(node->type, "n8n-nodes-base.interval"))
        return s_unit(slice_get(node->params, "unit").size ? slice_get(node->params, "unit")
                                                           : slice_literal("seconds")) *
               loader_number(node->params, "interval");
    for (uint32_t i = 0; (item = value_item(rules ? rules : items, i)); i++) {
        double seconds = rules ? s_rule_interval(item) : s_cron_interval(item);
        if (seconds > 0 && (shortest <= 0 || seconds < shortest))
            shortest = seconds;
    }
    return shortest;
}

static void s_hasty_schedule(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        if (!node_has(node, NODE_SCHEDULE) || node->class != CLASS_TRIGGER || !facts_live(facts, n))
            continue;
        double seconds = s_interval(node);
        if (seconds > 0 && seconds < SCHEDULE_LEAST_S)
            report_add(report, n, "It starts every %.0f seconds.", seconds);
    }
}

static void s_long_timeout(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!facts_live_class(facts, n, CLASS_HTTP))
            continue;
        double timeout =
            loader_number(value_get(facts->model->nodes[n].params, "options"), "timeout");
        if (timeout > TIMEOUT_MOST_MS)
            report_add(report, n, "It waits up to %.0f seconds.", timeout / 1000);
    }
}

const rule_t rules_performance[] = {
    { .id = "WF401",
      .kinds = KIND_ALL,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_WARNING,
      .title = "Loop that calls services without a pause",
      .why = "It goes as fast as it can until the service refuses; then it fails in the middle, or "
             "the account is blocked.",
      .fix =
          "Put a wait into the loop, or let the calling node pace itself (its batching options).",
      .check = s_busy_loop },
    { .id = "WF402",
      .kinds = KIND_N8N,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_INFO,
      .title = "One request for each item, all at once",
      .why = "The requests leave without a pause between them, as many as there are items; most "
             "services refuse after the first few dozen.",
      .fix = "Set batch size and interval in the node's batching options.",
      .check = s_fan_out },
    { .id = "WF403",
      .kinds = KIND_N8N,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_WARNING,
      .title = "Schedule under two minutes",
      .why = "Runs overlap as soon as one takes longer, and most of them find nothing to do.",
      .fix = "Let the source call a webhook, or start less often.",
      .check = s_hasty_schedule },
    { .id = "WF404",
      .kinds = KIND_N8N,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_INFO,
      .title = "Timeout over five minutes",
      .why =
          "A server that hangs holds the execution, its memory and its place in the queue for all "
          "that time.",
      .fix = "Wait seconds, and ask again later for what takes longer.",
      .check = s_long_timeout },
    { 0 },
};
