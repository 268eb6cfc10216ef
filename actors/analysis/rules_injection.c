/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_injection - security: what a stranger sends ends up in a command, an address, a statement
 */
#include "config.h"

#include "actors/analysis/address.h"
#include "actors/analysis/facts.h"

/* Whether what stands in the braces is data that came along, and no constant of n8n's own. */
static bool s_takes_data(const text_t *text)
{
    static const char *const sources[] = { "$json", "$node", "$(", "$input", "$item", NULL };
    if (!(text->flags & TEXT_EXPRESSION) || !(text->flags & TEXT_BRACES))
        return false;
    for (const char *const *source = sources; *source; source++)
        if (slice_has(text->text, *source))
            return true;
    return false;
}

/* ---- commands -------------------------------------------------------------------------------- */

static bool s_runs_data(const facts_t *facts, uint32_t node)
{
    const text_t *text;
    if (!facts_live_class(facts, node, CLASS_COMMAND))
        return false;
    for (uint32_t i = 0; (text = texts_of(&facts->texts, node, i)); i++)
        if (slice_is(text->label, "command") && s_takes_data(text))
            return true;
    return false;
}

static void s_report_commands(const facts_t *facts, report_t *report, bool locked)
{
    const tree_t *tree = locked ? &facts->entries : &facts->open;
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!tree_has(tree, n) || (locked && tree_has(&facts->open, n)) || !s_runs_data(facts, n))
            continue;
        finding_t *finding = report_add(report, n, "Data reaches the command from \"" SLICE "\".",
                                        SLICE_ARGS(facts->model->nodes[tree->seed[n]].name));
        report_path(report, finding, tree, n, false);
    }
}

static void s_open_command(const facts_t *facts, report_t *report)
{
    s_report_commands(facts, report, false);
}

static void s_locked_command(const facts_t *facts, report_t *report)
{
    s_report_commands(facts, report, true);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* The expression that makes the host of a URL: the braces at its start or right behind "://". */
static slice_t s_host_expression(slice_t url)
{
    static const char *const starts[] = { "={{", "=http://{{", "=https://{{", NULL };
    for (const char *const *start = starts; *start; start++) {
        if (!slice_starts(url, *start))
            continue;
        slice_t rest = slice_after(url, strlen(*start));
        const char *close = slice_find(rest, "}}");
        return close ? slice_make(rest.text, (size_t)(close - rest.text)) : slice_make("", 0);
    }
    return slice_make("", 0);
}

static bool s_is_open_trigger(const facts_t *facts, uint32_t node)
{
    return tree_has(&facts->open, node) && facts->open.distance[node] == 0;
}

/* Whether an open trigger feeds the node directly, so that $json is what the stranger sent. */
static bool s_is_fed_directly(const facts_t *facts, uint32_t node)
{
    const wire_t *wire;
    for (uint32_t i = 0; (wire = model_in(facts->model, node, i)); i++)
        if (wire->channel == CHANNEL_MAIN && s_is_open_trigger(facts, wire->src))
            return true;
    return false;
}

/* Whether an expression reads from an open trigger, as $('Name') or as $json right behind it. */
static bool s_reads_request(const facts_t *facts, uint32_t node, slice_t expression)
{
    if (slice_has(expression, "$json"))
        return s_is_fed_directly(facts, node);
    uint32_t trigger = facts->open.seed[node];
    return trigger != NODE_NONE && slice_has(expression, "$") &&
           memmem(expression.text, expression.size, facts->model->nodes[trigger].name.text,
                  facts->model->nodes[trigger].name.size);
}

static void s_host_from_request(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        slice_t expression = s_host_expression(facts_param(facts, n, "url"));
        if (!expression.size || !facts_live_class(facts, n, CLASS_HTTP) ||
            !tree_has(&facts->open, n) || !s_reads_request(facts, n, expression))
            continue;
        finding_t *finding =
            report_add(report, n, "The host comes from what \"" SLICE "\" receives.",
                       SLICE_ARGS(facts->model->nodes[facts->open.seed[n]].name));
        report_path(report, finding, &facts->open, n, false);
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

/* Whether data stands between quotes that the statement wrote itself: '{{ ... }}' or '%{{ ... }}%'.
 */
static bool s_is_quoted_in(slice_t statement)
{
    const char *open;
    for (slice_t rest = statement; (open = slice_find(rest, "{{"));
         rest = slice_after(statement, (size_t)(open - statement.text) + 2)) {
        const char *before = open;
        while (before > statement.text && before[-1] == '%')
            before--;
        if (before > statement.text && (before[-1] == '\'' || before[-1] == '"'))
            return true;
    }
    return false;
}

static bool s_builds_statement(const facts_t *facts, uint32_t node)
{
    const text_t *text;
    if (!facts_live_class(facts, node, CLASS_DATABASE))
        return false;
    for (uint32_t i = 0; (text = texts_of(&facts->texts, node, i)); i++)
        if (slice_is(text->label, "query") && s_takes_data(text) && s_is_quoted_in(text->text))
            return true;
    return false;
}

static void s_open_statement(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        if (!tree_has(&facts->open, n) || !s_builds_statement(facts, n))
            continue;
        finding_t *finding = report_add(report, n, "Data reaches the statement from \"" SLICE "\".",
                                        SLICE_ARGS(facts->model->nodes[facts->open.seed[n]].name));
        report_path(report, finding, &facts->open, n, false);
    }
}

static void s_inner_statement(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (!tree_has(&facts->open, n) && s_builds_statement(facts, n))
            report_add(report, n, NULL);
}

const rule_t rules_injection[] = {
    { .id = "WF303",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_CRITICAL,
      .title = "Command built from what anyone may send",
      .why = "Whoever knows the address can run commands of his own on the server, by a quote or a "
             "semicolon in what he sends.",
      .fix = "Do not put data into commands. Where it must be, let only values from a fixed list "
             "through, and lock the trigger.",
      .check = s_open_command },
    { .id = "WF304",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Request to a host that the caller chooses",
      .why = "A stranger can have the server fetch addresses inside its own network, where it is "
             "trusted.",
      .fix = "Choose the host from a fixed list.",
      .check = s_host_from_request },
    { .id = "WF305",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_ERROR,
      .title = "SQL built from what anyone may send",
      .why = "A quote in the data ends the text and the rest is executed: a stranger can read or "
             "change the whole database.",
      .fix = "Pass the values as query parameters ($1, $2 ...).",
      .check = s_open_statement },
    { .id = "WF310",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "SQL built by putting text together",
      .why =
          "The first value with a quote in it breaks the statement, and if it comes from outside "
          "after all, it does worse.",
      .fix = "Pass the values as query parameters ($1, $2 ...).",
      .check = s_inner_statement },
    { .id = "WF312",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_ERROR,
      .title = "Command built from request data",
      .why =
          "Whoever has the credential of the trigger can run any command on the server, not only "
          "the one that is meant.",
      .fix = "Do not put data into commands. Where it must be, let only values from a fixed list "
             "through.",
      .check = s_locked_command },
    { 0 },
};
