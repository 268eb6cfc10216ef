/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_reliability - reliability: what happens when a step fails, and whether requests are
 * answered
 */
#include "config.h"

#include "actors/analysis/facts.h"

/* ---- failing --------------------------------------------------------------------------------- */

static bool s_can_fail(const facts_t *facts, uint32_t node)
{
    return facts_live(facts, node) && node_has(&facts->model->nodes[node], NODE_CALLS);
}

/* Somebody who starts it by hand sees it fail. */
static void s_no_error_handling(const facts_t *facts, report_t *report)
{
    uint32_t count;
    facts_select(facts, s_can_fail, &count);
    if (count && !facts->model->handles_errors && !facts->only_manual)
        report_add(report, NODE_NONE, "Nodes that call other systems: %u.", count);
}

static bool s_wants_retry(const facts_t *facts, uint32_t node)
{
    const node_t *n = &facts->model->nodes[node];
    return n->class == CLASS_HTTP && !node_has(n, NODE_UNSAFE_RETRY | NODE_RETRIES) &&
           n->on_error == ON_ERROR_STOP && facts_live(facts, node);
}

static void s_no_retry(const facts_t *facts, report_t *report)
{
    uint32_t count;
    uint32_t *nodes = facts_select(facts, s_wants_retry, &count);
    report_together(report, nodes, count, "Requests that are tried only once: %u.");
}

typedef enum { CHECKS_UNKNOWN, CHECKS_YES, CHECKS_NO } checks_t;

/* Whether whoever comes next may be the one who checks for the error. Its texts are looked at once,
 * however many nodes it follows. */
static bool s_checks_error(const facts_t *facts, uint32_t node, uint8_t *known)
{
    static const char *const words[] = { "error", NULL };
    const node_t *n = &facts->model->nodes[node];
    if (known[node] == CHECKS_UNKNOWN)
        known[node] = node_has(n, NODE_GUARDS) || n->class == CLASS_MERGE ||
                              n->class == CLASS_OTHER || facts_mentions(facts, node, words)
                          ? CHECKS_YES
                          : CHECKS_NO;
    return known[node] == CHECKS_YES;
}

static void s_swallowed(const facts_t *facts, report_t *report)
{
    uint8_t *known = arena_array(facts->work->arena, facts->model->node_count, sizeof *known);
    const wire_t *wire;
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!s_can_fail(facts, n) || facts->model->nodes[n].on_error != ON_ERROR_CONTINUE)
            continue;
        uint32_t next = NODE_NONE;
        bool checked = false;
        for (uint32_t i = 0; (wire = model_out(facts->model, n, i)); i++) {
            if (wire->channel != CHANNEL_MAIN || facts->model->nodes[wire->dst].disabled)
                continue;
            next = wire->dst;
            checked |= s_checks_error(facts, next, known);
        }
        if (next != NODE_NONE && !checked)
            report_add(report, n, "\"" SLICE "\" goes on as if it had succeeded.",
                       SLICE_ARGS(facts->model->nodes[next].name));
    }
}

static void s_unwired_error(const facts_t *facts, report_t *report)
{
    const wire_t *wire;
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        /* where the number of main outputs is not known, neither is which one is for errors */
        if (node->on_error != ON_ERROR_OUTPUT || !facts_live(facts, n) || facts_is_part(facts, n) ||
            node_has(node, NODE_UNKNOWN) || node->row->more_outputs == CATALOG_OUTPUTS_VARY)
            continue;
        bool wired = false;
        for (uint32_t i = 0; (wire = model_out(facts->model, n, i)); i++)
            wired |= wire->channel == CHANNEL_ERROR;
        if (!wired)
            report_add(report, n, NULL);
    }
}

/* ---- answering ------------------------------------------------------------------------------- */

static bool s_is_respond(const facts_t *facts, uint32_t node)
{
    return facts->model->nodes[node].class == CLASS_RESPOND && !facts->model->nodes[node].disabled;
}

static bool s_waits_for_respond(const facts_t *facts, uint32_t node)
{
    return slice_is(facts_param(facts, node, "responseMode"), "responseNode");
}

/* Respond nodes are searched backwards from all of them at once, so that many webhooks cost no more
 * than one. */
static void s_no_respond(const facts_t *facts, report_t *report)
{
    tree_t responds = facts_walk(facts, s_is_respond, FOLLOW_RUN, true, NULL);
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_TRIGGER) && s_waits_for_respond(facts, n) &&
            (facts_is_type(facts, n, "n8n-nodes-base.webhook") ||
             facts_is_type(facts, n, "n8n-nodes-base.formTrigger")) &&
            !tree_has(&responds, n))
            report_add(report, n, NULL);
}

static void s_unused_respond(const facts_t *facts, report_t *report)
{
    tree_t responds = facts_walk(facts, s_is_respond, FOLLOW_RUN, true, NULL);
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        slice_t mode = facts_param(facts, n, "responseMode");
        if (!facts_is_type(facts, n, "n8n-nodes-base.webhook") || !facts_live(facts, n) ||
            s_waits_for_respond(facts, n) || slice_is(mode, "streaming") ||
            slice_starts(mode, "=") || !tree_has(&responds, n))
            continue;
        finding_t *finding = report_add(report, n, "It leads to \"" SLICE "\".",
                                        SLICE_ARGS(facts->model->nodes[responds.seed[n]].name));
        report_path(report, finding, &responds, n, true);
    }
}

/* ---- trying again ---------------------------------------------------------------------------- */

/* Cycles that go through an error output and through nothing that waits, counts or decides: they
 * are the components of the graph without the nodes that do. */
static void s_error_loop(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *without = arena_array(facts->work->arena, model->node_count, sizeof *without);
    uint32_t *nodes;

    for (uint32_t n = 0; n < model->node_count; n++)
        without[n] = model->nodes[n].disabled ||
                     node_has(&model->nodes[n], NODE_GUARDS | NODE_PAUSES) ||
                     model->nodes[n].class == CLASS_OTHER;
    components_t components = graph_components(facts->work, model, FOLLOW_RUN, without);
    bool *told = arena_array(facts->work->arena, components.count, sizeof *told);
    for (uint32_t w = 0; w < model->wire_count; w++) {
        const wire_t *wire = &model->wires[w];
        uint32_t component = components.of[wire->src];
        if (wire->channel != CHANNEL_ERROR || component != components.of[wire->dst] ||
            !components.is_cycle[component] || told[component] || !facts_live(facts, wire->src))
            continue;
        told[component] = true;
        finding_t *finding = report_add(report, wire->src, NULL);
        if (finding) {
            uint32_t length =
                graph_cycle(facts->work, model, &components, FOLLOW_RUN, wire->src, &nodes);
            report_cycle(report, finding, nodes, length);
        }
    }
}

static void s_unsafe_retry(const facts_t *facts, report_t *report)
{
    static const char *const keys[] = { "idempotency", "idempotent", NULL };
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        if (node_has(node, NODE_RETRIES) && node_has(node, NODE_UNSAFE_RETRY) &&
            facts_live(facts, n) && !facts_mentions(facts, n, keys))
            report_add(report, n, NULL);
    }
}

static void s_waits_for_ever(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        slice_t resume = facts_param(facts, n, "resume");
        bool waits = facts_is_type(facts, n, "n8n-nodes-base.wait") &&
                     (slice_is(resume, "webhook") || slice_is(resume, "form"));
        if (waits && facts_live(facts, n) && !value_get_bool(node->params, "limitWaitTime", false))
            report_add(report, n, NULL);
    }
}

const rule_t rules_reliability[] = {
    { .id = "WF201",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "No error handling anywhere",
      .why = "When a call fails, the execution stops in the middle and nobody is told.",
      .fix = "Name an error workflow in the settings, or give the calls an error output.",
      .check = s_no_error_handling },
    { .id = "WF202",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "HTTP request without retry",
      .why =
          "A request that only reads can safely be repeated; without that, one lost packet fails "
          "the whole execution.",
      .fix = "Switch on \"Retry On Fail\" with a few seconds between the tries.",
      .check = s_no_retry },
    { .id = "WF203",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Error swallowed in the middle",
      .why =
          "On failure the node passes on an error text in place of data, and the next node works "
          "with it.",
      .fix = "Use the error output, or check for the error before going on.",
      .check = s_swallowed },
    { .id = "WF204",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Error output leads nowhere",
      .why = "Items that fail leave by the error output and vanish: the execution counts as a "
             "success.",
      .fix = "Connect the error output to something that tells or retries, or let the node fail.",
      .check = s_unwired_error },
    { .id = "WF205",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_ERROR,
      .title = "Webhook waits for a respond node that is not there",
      .why =
          "It is set to answer by a \"Respond to Webhook\" node, and none can be reached from it: "
          "every request fails.",
      .fix = "Connect a respond node behind it, or let the webhook answer by itself.",
      .check = s_no_respond },
    { .id = "WF206",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_ERROR,
      .title = "Respond node that its webhook does not use",
      .why = "The webhook answers by itself, and n8n refuses such a combination: every request "
             "fails.",
      .fix = "Set the webhook to respond by using the respond node, or remove that node.",
      .check = s_unused_respond },
    { .id = "WF207",
      .kinds = KIND_N8N | KIND_GENERIC,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_CRITICAL,
      .title = "Error output loops back without a pause or a limit",
      .why = "While the failure lasts it is tried again as fast as it can fail, for ever; a paid "
             "service is paid for each time.",
      .fix = "Use the retry setting of the node, or put a wait and a counter into the loop.",
      .check = s_error_loop },
    { .id = "WF208",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "Retry of what must not happen twice",
      .why = "A call that timed out may have been done; the retry then does it again: a second "
             "message, a second order.",
      .fix = "Send an idempotency key, or check before the retry whether it was done.",
      .check = s_unsafe_retry },
    { .id = "WF212",
      .kinds = KIND_N8N,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "Waits for an answer without a time limit",
      .why = "If the answer never comes, the execution stays open for ever, and with it what it "
             "holds.",
      .fix = "Limit the wait time, and decide what happens when it is over.",
      .check = s_waits_for_ever },
    { 0 },
};
