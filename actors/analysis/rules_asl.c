/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_asl - what only state machines in Amazon States Language can have wrong
 *
 * Source: the Amazon States Language specification (states-language.net) and the developer guide's
 * best practices.
 */
#include "config.h"

#include "actors/analysis/facts.h"

#define RETRY_ATTEMPTS_MOST 5 /* of a retry of everything */

static bool s_is_task(const facts_t *facts, uint32_t node)
{
    return facts_is_type(facts, node, "Task");
}

static const value_t *s_body(const facts_t *facts, uint32_t node)
{
    return facts->model->nodes[node].body;
}

/* ---- structure ------------------------------------------------------------------------------- */

/* Whether a machine's start is missing, or none of its own states. */
static bool s_has_bad_start(const value_t *machine)
{
    slice_t start = slice_get(machine, "StartAt");
    const value_t *states = value_get(machine, "States");
    return !start.size || !value_get_sized(states, start.text, start.size);
}

static const value_t *s_inner_machine(const value_t *body)
{
    const value_t *machine = value_get(body, "ItemProcessor");
    return machine ? machine : value_get(body, "Iterator");
}

static void s_bad_start(const facts_t *facts, report_t *report)
{
    const value_t *branch;
    if (s_has_bad_start(facts->model->document))
        report_add(report, NODE_NONE, NULL);
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const value_t *inner = s_inner_machine(s_body(facts, n));
        bool bad = inner && s_has_bad_start(inner);
        const value_t *branches = value_get(s_body(facts, n), "Branches");
        for (uint32_t i = 0; (branch = value_item(branches, i)); i++)
            bad |= s_has_bad_start(branch);
        if (bad)
            report_add(report, n, NULL);
    }
}

static void s_no_end(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        const value_t *next = value_get(node->body, "Next");
        bool ends = value_get_bool(node->body, "End", false);
        if (node->class == CLASS_STOP || node->class == CLASS_SWITCH ||
            node_has(node, NODE_UNKNOWN) || (next != NULL) != ends)
            continue;
        report_add(report, n, next ? "It has both Next and End." : "It has neither Next nor End.");
    }
}

/* "States.ALL" has to stand alone, and in the last entry. */
static bool s_is_all_misplaced(const value_t *entries)
{
    const value_t *entry, *error;
    for (uint32_t i = 0; (entry = value_item(entries, i)); i++) {
        const value_t *errors = value_get(entry, "ErrorEquals");
        for (uint32_t e = 0; (error = value_item(errors, e)); e++)
            if (value_is(error, "States.ALL") && (errors->count > 1 || i + 1 < entries->count))
                return true;
    }
    return false;
}

static void s_misplaced_all(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (s_is_all_misplaced(value_get(s_body(facts, n), "Retry")) ||
            s_is_all_misplaced(value_get(s_body(facts, n), "Catch")))
            report_add(report, n, NULL);
}

/* ---- reliability ----------------------------------------------------------------------------- */

static bool s_handles(const value_t *body)
{
    const value_t *retry = value_get(body, "Retry"), *catch = value_get(body, "Catch");
    return (value_is_type(retry, VALUE_ARRAY) && retry->count) ||
           (value_is_type(catch, VALUE_ARRAY) && catch->count);
}

/* A task is provided for by its own entries, or by those of the Map or Parallel that holds it;
 * containers come before what they hold, so one pass is enough. */
static void s_unhandled_task(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *handled = arena_array(facts->work->arena, model->node_count, sizeof *handled);
    uint32_t *nodes = arena_array(facts->work->arena, model->node_count, sizeof *nodes);
    uint32_t count = 0;

    for (uint32_t n = 0; n < model->node_count; n++) {
        uint32_t container = model->nodes[n].container;
        handled[n] =
            s_handles(model->nodes[n].body) || (container != NODE_NONE && handled[container]);
        if (s_is_task(facts, n) && !handled[n] && facts_live(facts, n))
            nodes[count++] = n;
    }
    report_together(report, nodes, count, "Tasks: %u.");
}

static bool s_has_timeout(const value_t *body)
{
    return value_get(body, "TimeoutSeconds") || value_get(body, "TimeoutSecondsPath") ||
           value_get(body, "HeartbeatSeconds") || value_get(body, "HeartbeatSecondsPath");
}

static bool s_waits_for_callback(const facts_t *facts, uint32_t node)
{
    slice_t resource = slice_get(s_body(facts, node), "Resource");
    return slice_ends(resource, ".waitForTaskToken") || slice_has(resource, ":activity:");
}

static bool s_lacks_timeout(const facts_t *facts, uint32_t node)
{
    return s_is_task(facts, node) && facts_live(facts, node) &&
           !s_has_timeout(s_body(facts, node)) && !s_waits_for_callback(facts, node);
}

static void s_no_timeout(const facts_t *facts, report_t *report)
{
    uint32_t count;
    uint32_t *nodes = facts_select(facts, s_lacks_timeout, &count);
    if (!value_get(facts->model->document, "TimeoutSeconds"))
        report_together(report, nodes, count, "Tasks: %u.");
}

static void s_callback_for_ever(const facts_t *facts, report_t *report)
{
    bool limited = value_get(facts->model->document, "TimeoutSeconds") != NULL;
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (!limited && s_is_task(facts, n) && facts_live(facts, n) &&
            s_waits_for_callback(facts, n) && !s_has_timeout(s_body(facts, n)))
            report_add(report, n, NULL);
}

static void s_no_default(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_SWITCH) && !value_get(s_body(facts, n), "Default"))
            report_add(report, n, NULL);
}

/* Whether an entry is for that error, or for one that includes it. */
static bool s_is_for(const value_t *entry, const char *const *errors)
{
    const value_t *list = value_get(entry, "ErrorEquals"), *error;
    for (uint32_t i = 0; (error = value_item(list, i)); i++)
        for (const char *const *one = errors; *one; one++)
            if (value_is(error, *one))
                return true;
    return false;
}

static bool s_is_patient(const facts_t *facts, uint32_t node)
{
    static const char *const all[] = { "States.ALL", NULL };
    const value_t *retriers = value_get(s_body(facts, node), "Retry"), *entry;
    for (uint32_t i = 0; facts_live(facts, node) && (entry = value_item(retriers, i)); i++)
        if (s_is_for(entry, all) && value_get_int(entry, "MaxAttempts", 3) > RETRY_ATTEMPTS_MOST)
            return true;
    return false;
}

static void s_patient_retry(const facts_t *facts, report_t *report)
{
    uint32_t count;
    uint32_t *nodes = facts_select(facts, s_is_patient, &count);
    report_together(report, nodes, count, "States that try more than five times: %u.");
}

/* Retries of a Lambda function that leave out the errors of the service itself. */
static bool s_misses_service_errors(const facts_t *facts, uint32_t node)
{
    static const char *const covering[] = { "States.ALL",
                                            "States.TaskFailed",
                                            "Lambda.ServiceException",
                                            "Lambda.AWSLambdaException",
                                            "Lambda.SdkClientException",
                                            "Lambda.TooManyRequestsException",
                                            "Lambda.Unknown",
                                            NULL };
    const value_t *retriers = value_get(s_body(facts, node), "Retry"), *entry;
    if (!s_is_task(facts, node) || !facts_live_class(facts, node, CLASS_CODE) ||
        !node_has(&facts->model->nodes[node], NODE_RETRIES))
        return false;
    for (uint32_t i = 0; (entry = value_item(retriers, i)); i++)
        if (s_is_for(entry, covering))
            return false;
    return true;
}

static void s_partial_retry(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (s_misses_service_errors(facts, n))
            report_add(report, n, NULL);
}

/* ---- performance and maintainability --------------------------------------------------------- */

static void s_unbounded_map(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    bool *calls = arena_array(facts->work->arena, model->node_count, sizeof *calls);

    for (uint32_t n = 0; n < model->node_count; n++)
        if (model->nodes[n].container != NODE_NONE && node_has(&model->nodes[n], NODE_CALLS))
            calls[model->nodes[n].container] = true;
    for (uint32_t n = 0; n < model->node_count; n++)
        if (facts_live_class(facts, n, CLASS_LOOP) && calls[n] &&
            !value_get(model->nodes[n].body, "MaxConcurrency") &&
            !value_get(model->nodes[n].body, "MaxConcurrencyPath"))
            report_add(report, n, NULL);
}

static void s_silent_fail(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const value_t *body = s_body(facts, n);
        if (facts_is_type(facts, n, "Fail") && facts_live(facts, n) && !value_get(body, "Error") &&
            !value_get(body, "ErrorPath") && !value_get(body, "Cause") &&
            !value_get(body, "CausePath"))
            report_add(report, n, NULL);
    }
}

static void s_old_iterator(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_is_type(facts, n, "Map") && value_get(s_body(facts, n), "Iterator"))
            report_add(report, n, NULL);
}

const rule_t rules_asl[] = {
    { .id = "SF101",
      .kinds = KIND_ASL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "Start state missing",
      .why = "StartAt is not there or names no state of its machine, so the machine cannot be "
             "created.",
      .fix = "Name one of the machine's own states in StartAt.",
      .check = s_bad_start },
    { .id = "SF102",
      .kinds = KIND_ASL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "State without exactly one of Next and End",
      .why = "Nobody can tell what comes after it; the machine cannot be created.",
      .fix = "Give it a Next, or \"End\": true.",
      .check = s_no_end },
    { .id = "SF103",
      .kinds = KIND_ASL,
      .category = CATEGORY_STRUCTURE,
      .severity = SEVERITY_ERROR,
      .title = "States.ALL not alone and last",
      .why = "The language allows it only alone and in the last entry; the machine cannot be "
             "created.",
      .fix = "Give States.ALL an entry of its own behind all others.",
      .check = s_misplaced_all },
    { .id = "SF201",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Task without Retry and Catch",
      .why = "One passing fault of the service fails the whole execution.",
      .fix =
          "Retry the errors that pass, and catch the rest where something must be undone or told.",
      .check = s_unhandled_task },
    { .id = "SF202",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "Task without a timeout",
      .why = "A task that never answers holds the execution for up to a year.",
      .fix = "Set TimeoutSeconds at the task, or at the whole machine.",
      .check = s_no_timeout },
    { .id = "SF203",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Choice without a default",
      .why = "Input that no rule matches fails the execution with States.NoChoiceMatched.",
      .fix = "Name a state in Default, if only one that fails with a clear message.",
      .check = s_no_default },
    { .id = "SF204",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Everything retried many times",
      .why =
          "Errors that never pass, such as wrong input, are retried as well; with backoff that can "
          "take hours in which nobody is told.",
      .fix = "Retry by name what can pass, and everything else a few times at most.",
      .check = s_patient_retry },
    { .id = "SF205",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_WARNING,
      .title = "Callback without a time limit",
      .why = "If the token or the worker is lost, the execution waits for up to a year.",
      .fix = "Set HeartbeatSeconds or TimeoutSeconds, and catch States.Timeout.",
      .check = s_callback_for_ever },
    { .id = "SF206",
      .kinds = KIND_ASL,
      .category = CATEGORY_RELIABILITY,
      .severity = SEVERITY_INFO,
      .title = "Retry that leaves out the service's own errors",
      .why = "Lambda now and then fails before the function runs; such an error is not among those "
             "that are retried here.",
      .fix =
          "Add Lambda.ServiceException, Lambda.AWSLambdaException, Lambda.SdkClientException and "
          "Lambda.TooManyRequestsException.",
      .check = s_partial_retry },
    { .id = "SF401",
      .kinds = KIND_ASL,
      .category = CATEGORY_PERFORMANCE,
      .severity = SEVERITY_WARNING,
      .title = "Map without a limit on what runs at once",
      .why = "As many items as there are call the service at the same time, until it refuses.",
      .fix = "Set MaxConcurrency to what the service bears.",
      .check = s_unbounded_map },
    { .id = "SF501",
      .kinds = KIND_ASL,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "Fail state that does not say why",
      .why = "The execution's history shows a failure without a name or a cause.",
      .fix = "Give it an Error and a Cause.",
      .check = s_silent_fail },
    { .id = "SF502",
      .kinds = KIND_ASL,
      .category = CATEGORY_MAINTAINABILITY,
      .severity = SEVERITY_INFO,
      .title = "Map that uses Iterator",
      .why = "ItemProcessor has taken its place, and new features come only there.",
      .fix = "Rename Iterator to ItemProcessor, and Parameters to ItemSelector.",
      .check = s_old_iterator },
    { 0 },
};
