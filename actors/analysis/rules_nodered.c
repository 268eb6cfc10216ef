/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_nodered - what only Node-RED flows can have wrong
 */
#include "config.h"

#include "actors/analysis/facts.h"

/* ---- requests and responses ------------------------------------------------------------------ */

/* A node that may answer in a way that cannot be seen: a program with the request in hand, a type
 * that nobody knows, the inside of a subflow, a link called by name. */
static bool s_may_respond(const facts_t *facts, uint32_t node)
{
    static const char *const words[] = { "res.", ".res", "[\"res\"]", NULL };
    const node_t *n = &facts->model->nodes[node];
    if (n->disabled)
        return false;
    return n->class == CLASS_RESPOND || n->class == CLASS_OTHER || n->class == CLASS_SUBFLOW ||
           slice_is(n->type, "link call") ||
           (n->class == CLASS_CODE && facts_mentions(facts, node, words));
}

/* Through a subflow's output, or a wire to nowhere, anything may follow. */
static bool s_is_in_subflow(const facts_t *facts, uint32_t node)
{
    uint32_t container = facts->model->nodes[node].container;
    return container != NODE_NONE && slice_is(facts->model->nodes[container].type, "subflow");
}

static bool s_is_http_in(const facts_t *facts, uint32_t node)
{
    return facts_is_type(facts, node, "http in") && !facts->model->nodes[node].disabled;
}

static void s_no_response(const facts_t *facts, report_t *report)
{
    tree_t responds = facts_walk(facts, s_may_respond, FOLLOW_RUN, true, NULL);
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (s_is_http_in(facts, n) && !tree_has(&responds, n) && !s_is_in_subflow(facts, n) &&
            !facts->model->dangling_count)
            report_add(report, n, NULL);
}

/* What may have put a request into the message: the node for it, or one that cannot be seen into.
 */
static bool s_may_carry_request(const facts_t *facts, uint32_t node)
{
    const node_t *n = &facts->model->nodes[node];
    return slice_is(n->type, "http in") || n->class == CLASS_OTHER || n->class == CLASS_SUBFLOW ||
           n->class == CLASS_LINK || n->class == CLASS_CATCH || n->class == CLASS_CODE ||
           slice_is(n->type, "complete") || slice_is(n->type, "status");
}

static void s_no_request(const facts_t *facts, report_t *report)
{
    tree_t requests = facts_walk(facts, s_may_carry_request, FOLLOW_RUN, false, NULL);
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_RESPOND) && !tree_has(&requests, n) &&
            !s_is_in_subflow(facts, n))
            report_add(report, n, NULL);
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* One finding: the tabs that have calls to other systems and nothing that catches their errors. */
static void s_no_catch(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *caught = arena_array(facts->work->arena, model->node_count + 1, sizeof *caught);
    bool *told = arena_array(facts->work->arena, model->node_count + 1, sizeof *told);
    uint32_t *nodes = arena_array(facts->work->arena, model->node_count, sizeof *nodes);
    uint32_t count = 0;

    for (uint32_t n = 0; n < model->node_count; n++) {
        uint32_t tab = model->nodes[n].container;
        if (model->nodes[n].class == CLASS_CATCH && !model->nodes[n].disabled)
            caught[tab == NODE_NONE ? model->node_count : tab] = true;
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        uint32_t tab = model->nodes[n].container;
        uint32_t at = tab == NODE_NONE ? model->node_count : tab;
        if (!node_has(&model->nodes[n], NODE_CALLS) || !facts_live(facts, n) || caught[at] ||
            told[at])
            continue;
        told[at] = true;
        nodes[count++] = n;
    }
    report_together(report, nodes, count,
                    "Flows that call other systems: %u; of each the first such node is listed.");
}

/* ---- what leaks ------------------------------------------------------------------------------ */

static void s_log_all(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const value_t *body = facts->model->nodes[n].body;
        if (facts_is_type(facts, n, "debug") && facts_live(facts, n) &&
            value_get_bool(body, "active", true) && value_get_bool(body, "console", false) &&
            slice_is(slice_get(body, "complete"), "true"))
            report_add(report, n, NULL);
    }
}

/* Nodes behind which the message is no longer what came in. */
static bool *s_rewriters(const facts_t *facts)
{
    const model_t *model = facts->model;
    bool *list = arena_array(facts->work->arena, model->node_count, sizeof *list);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const node_t *node = &model->nodes[n];
        list[n] = node->class != CLASS_LINK && node->class != CLASS_WAIT &&
                  !slice_is(node->type, "json") && !slice_is(node->type, "debug");
    }
    return list;
}

static bool s_has_triple(const value_t *body)
{
    slice_t text = slice_get(body, "template");
    return slice_has(text, "{{{payload") || slice_has(text, "{{{req.") ||
           slice_has(text, "{{& payload") || slice_has(text, "{{&payload");
}

static void s_report_unfiltered(const facts_t *facts, report_t *report, const char *type,
                                bool (*wanted)(const value_t *body))
{
    tree_t tree = facts_walk(facts, s_is_http_in, FOLLOW_MAIN, false, s_rewriters(facts));
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!facts_is_type(facts, n, type) || !facts_live(facts, n) || !tree_has(&tree, n) ||
            !wanted(facts->model->nodes[n].body))
            continue;
        finding_t *finding = report_add(report, n, NULL);
        report_path(report, finding, &tree, n, false);
    }
}

static bool s_appends_message(const value_t *body)
{
    const value_t *append = value_get(body, "addpay");
    return value_is_type(append, VALUE_TEXT) ? append->count > 0
                                             : value_get_bool(body, "addpay", false);
}

static void s_exec_request(const facts_t *facts, report_t *report)
{
    s_report_unfiltered(facts, report, "exec", s_appends_message);
}

static void s_unescaped(const facts_t *facts, report_t *report)
{
    s_report_unfiltered(facts, report, "template", s_has_triple);
}

/* ---- time and names -------------------------------------------------------------------------- */

static void s_rapid_inject(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        slice_t repeat = slice_get(facts->model->nodes[n].body, "repeat");
        double seconds;
        if (facts_is_type(facts, n, "inject") && facts_live(facts, n) &&
            text_to_double(repeat.text, repeat.size, &seconds) && seconds > 0 && seconds < 1)
            report_add(report, n, "It starts every %.0f milliseconds.", seconds * 1000);
    }
}

#define UNNAMED_FUNCTION_LEAST 120 /* bytes of program from which on a name is missed */

static bool s_is_unnamed(const facts_t *facts, uint32_t node)
{
    const value_t *body = facts->model->nodes[node].body;
    return facts_live_class(facts, node, CLASS_CODE) && !slice_get(body, "name").size &&
           slice_get(body, "func").size >= UNNAMED_FUNCTION_LEAST;
}

static void s_unnamed(const facts_t *facts, report_t *report)
{
    uint32_t count;
    uint32_t *nodes = facts_select(facts, s_is_unnamed, &count);
    report_together(report, nodes, count, "Functions without a name: %u.");
}

const rule_t rules_nodered[] = {
    { .id = "NR101",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_ERROR,
      .title = "Request without a response",
      .why = "No \"http response\" can be reached from here: every caller waits until it gives up, "
             "and its connection is held until then.",
      .fix = "Lead every way from the \"http in\" to an \"http response\".",
      .check = s_no_response },
    { .id = "NR102",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Response without a request",
      .why = "The messages that arrive here come from no \"http in\", so there is nobody to answer "
             "and the node only warns.",
      .fix = "Connect it behind an \"http in\", or remove it.",
      .check = s_no_request },
    { .id = "NR201",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Flow without a catch",
      .why = "When a call fails the message is lost, and only the log knows.",
      .fix = "Add a catch node to the flow that tells somebody or tries again.",
      .check = s_no_catch },
    { .id = "NR301",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_INFO,
      .title = "Whole messages written to the system log",
      .why =
          "Everything in the message, personal data and session headers too, stays in the log and "
          "in its backups.",
      .fix = "Log the one field that is needed, or switch the console output off.",
      .check = s_log_all },
    { .id = "NR302",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_ERROR,
      .title = "Request data appended to a command",
      .why = "Whoever can send the request can run commands of his own on the server.",
      .fix =
          "Do not append the message; choose the command in a switch or function from fixed ones.",
      .check = s_exec_request },
    { .id = "NR303",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Request data in a page, unescaped",
      .why =
          "Three braces put text in as it is: a link can be made that runs its author's script in "
          "the reader's browser.",
      .fix = "Use two braces.",
      .check = s_unescaped },
    { .id = "NR401",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_WARNING,
      .title = "Inject more than once a second",
      .why = "Everything behind it runs that often; when one run takes longer, messages pile up in "
             "memory.",
      .fix = "Inject less often, or react to the change instead of asking for it.",
      .check = s_rapid_inject },
    { .id = "NR501",
      .kinds = KIND_NODE_RED,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "Unnamed function",
      .why =
          "What a program of several lines does must be read from its source, and errors name only "
          "an id.",
      .fix = "Name the function after what it does.",
      .check = s_unnamed },
    { 0 },
};
