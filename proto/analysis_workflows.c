/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_workflows - the rows about workflows over their versions: list, one, baseline, diff,
 * trend
 */
#include "config.h"

#include "proto/analysis_fields.h"

static const error_code_t s_missing_or_unfit[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                                   ERROR_NONE };

#define WORKFLOW_FIELDS                                                                            \
    { "id",                                                                                        \
      FIELD_STRING,                                                                                \
      .required = true,                                                                            \
      .format = "uuid",                                                                            \
      .example = EXAMPLE_WORKFLOW,                                                                 \
      .about = "The workflow" },                                                                   \
        KIND_FIELD, NAME_FIELD, CREATED_FIELD("When it was first analysed"),                       \
    {                                                                                              \
        "updated_at", FIELD_STRING, .required = true, .format = "date-time",                       \
                                    .example = EXAMPLE_TIME,                                       \
                                    .about = "When its newest version was analysed"                \
    }

static const field_t s_workflows_request[] = { PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 } };

static const field_t s_workflow_item[] = {
    WORKFLOW_FIELDS,
    { "latest", FIELD_OBJECT, .required = true, .nullable = true, .fields = analysis_brief_fields,
      .about = "Its newest analysis" },
    { 0 },
};

static const field_t s_workflows_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_workflow_item,
      .about = "The last analysed first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t analysis_workflows = {
    .name = "workflows",
    .summary = "Lists workflows, the last analysed first",
    .request = s_workflows_request,
    .reply = s_workflows_reply,
    .errors = analysis_unfit,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows" },
};

#define WORKFLOW_KEY_FIELD                                                                         \
    {                                                                                              \
        "id", FIELD_STRING, .required = true, .format = "uuid", .example = EXAMPLE_WORKFLOW,       \
                            .about = "The workflow, `workflow_id` of its analyses"                 \
    }

static const field_t s_workflow_request[] = { WORKFLOW_KEY_FIELD, { 0 } };

static const field_t s_workflow_reply[] = {
    WORKFLOW_FIELDS,
    { "analyses", FIELD_ARRAY, .required = true, .fields = analysis_brief_fields,
      .about = "Its newest analyses, at most ten" },
    { 0 },
};

const method_t analysis_workflow = {
    .name = "workflow",
    .summary = "One workflow with its newest analyses",
    .request = s_workflow_request,
    .reply = s_workflow_reply,
    .errors = analysis_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}" },
};

/* ---- baseline -------------------------------------------------------------------------------- */

static const field_t s_baseline_put_request[] = {
    WORKFLOW_KEY_FIELD,
    { "analysis_id", FIELD_STRING, .format = "uuid", .example = EXAMPLE_ID,
      .about = "An analysis of the workflow; when left out, the newest" },
    { 0 },
};

static const field_t s_baseline_reply[] = {
    { "pinned_at", FIELD_STRING, .required = true, .format = "date-time", .example = EXAMPLE_TIME,
      .about = "When it became the baseline" },
    { "analysis", FIELD_OBJECT, .required = true, .fields = analysis_brief_fields,
      .about = "The analysis in brief" },
    { 0 },
};

const method_t analysis_baseline_put = {
    .name = "baseline_put",
    .summary = "Pins an analysis as what later ones of the workflow are measured against",
    .about = "In the place of the one that was pinned. It counts for analyses with the same "
             "profile: `diff` begins at it, SARIF says what is new since, `analysis.regressed` "
             "tells of what is worse. It is kept for as long as it is pinned, also beyond the "
             "retention.",
    .request = s_baseline_put_request,
    .reply = s_baseline_reply,
    .errors = analysis_missing,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "PUT /v1/workflows/{id}/baseline" },
};

const method_t analysis_baseline_get = {
    .name = "baseline_get",
    .summary = "The analysis that later ones of the workflow are measured against",
    .request = s_workflow_request,
    .reply = s_baseline_reply,
    .errors = analysis_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}/baseline" },
};

const method_t analysis_baseline_delete = {
    .name = "baseline_delete",
    .summary = "Measures each analysis of the workflow against the one before again",
    .about = "The analysis that was pinned stays for as long as others do. It is no failure when "
             "none was.",
    .request = s_workflow_request,
    .errors = analysis_missing,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "DELETE /v1/workflows/{id}/baseline", .status = 204 },
};

/* ---- diff ------------------------------------------------------------------------------------ */

static const field_t s_diff_request[] = {
    WORKFLOW_KEY_FIELD,
    { "from", FIELD_STRING, .format = "uuid",
      .about = "The older analysis; when left out, the baseline, or without one, the one before "
               "`to`, with the same profile" },
    { "to", FIELD_STRING, .format = "uuid",
      .about = "The newer analysis; when left out, the newest" },
    { 0 },
};

static const field_t s_issue_change[] = {
    { "rule", FIELD_STRING, .required = true, .about = "Id of the rule" },
    { "severity", FIELD_STRING, .required = true, .choices = SEVERITIES, .about = "How bad it is" },
    { "title", FIELD_STRING, .required = true, .about = "What is the case" },
    { "node", FIELD_OBJECT, .required = true, .nullable = true, .fields = analysis_node_fields,
      .about = "Where; null when it is about the whole workflow" },
    { "fingerprint", FIELD_STRING, .required = true, .about = "What tells it apart" },
    { 0 },
};

static const field_t s_issue_changes[] = {
    { "new", FIELD_ARRAY, .required = true, .fields = s_issue_change,
      .about = "In the newer version only" },
    { "fixed", FIELD_ARRAY, .required = true, .fields = s_issue_change,
      .about = "In the older version only" },
    { "staying", FIELD_ARRAY, .required = true, .fields = s_issue_change, .about = "In both" },
    { "complete", FIELD_BOOLEAN, .required = true,
      .about = "False when a version has more issues than are kept: what is missing here may be "
               "among those" },
    { 0 },
};

static const field_t s_node_change[] = {
    { "node", FIELD_OBJECT, .required = true, .fields = analysis_node_fields,
      .about = "As it is in the newer version" },
    { "what", FIELD_ARRAY, .required = true, .items = FIELD_STRING, .example = "[\"parameters\"]",
      .about = "What differs: type, parameters, disabled, wires (those that leave it)" },
    { 0 },
};

static const field_t s_node_renaming[] = {
    { "id", FIELD_STRING, .required = true, .about = "The node's id in the workflow" },
    { "from", FIELD_STRING, .required = true, .about = "Its name in the older version" },
    { "to", FIELD_STRING, .required = true, .about = "Its name in the newer version" },
    { 0 },
};

static const field_t s_node_changes[] = {
    { "added", FIELD_ARRAY, .required = true, .fields = analysis_node_fields,
      .about = "In the newer version only" },
    { "removed", FIELD_ARRAY, .required = true, .fields = analysis_node_fields,
      .about = "In the older version only" },
    { "changed", FIELD_ARRAY, .required = true, .fields = s_node_change,
      .about = "In both, but not the same" },
    { "renamed", FIELD_ARRAY, .required = true, .fields = s_node_renaming,
      .about = "In both, under another name" },
    COUNT_FIELD("left_out", "Further differences that are not listed"),
    { 0 },
};

static const field_t s_wire_change[] = {
    { "from", FIELD_STRING, .required = true, .about = "Name of the node it leaves" },
    { "output", FIELD_INTEGER, .required = true, .about = "By which output, from 0" },
    { "to", FIELD_STRING, .required = true, .about = "Name of the node it enters" },
    { "input", FIELD_INTEGER, .required = true, .about = "By which input, from 0" },
    { "channel", FIELD_STRING, .required = true, .choices = "main error ai",
      .about = "When it is taken: always, on failure, or it plugs in a part" },
    { 0 },
};

static const field_t s_wire_changes[] = {
    { "added", FIELD_ARRAY, .required = true, .fields = s_wire_change,
      .about = "In the newer version only" },
    { "removed", FIELD_ARRAY, .required = true, .fields = s_wire_change,
      .about = "In the older version only" },
    COUNT_FIELD("left_out", "Further differences that are not listed"),
    { 0 },
};

static const field_t s_diff_reply[] = {
    { "from", FIELD_OBJECT, .required = true, .fields = analysis_brief_fields,
      .about = "The older analysis" },
    { "to", FIELD_OBJECT, .required = true, .fields = analysis_brief_fields,
      .about = "The newer analysis" },
    { "score_change", FIELD_INTEGER, .required = true, .min = -100, .max = 100, .example = "8",
      .about = "Points won; lost when below 0" },
    { "issues", FIELD_OBJECT, .required = true, .fields = s_issue_changes,
      .about = "What became of the issues" },
    { "nodes", FIELD_OBJECT, .required = true, .fields = s_node_changes,
      .about = "What became of the nodes, which are told apart by their ids" },
    { "wires", FIELD_OBJECT, .required = true, .fields = s_wire_changes,
      .about = "What became of the connections" },
    { 0 },
};

const method_t analysis_diff = {
    .name = "diff",
    .summary = "What changed between two versions of a workflow",
    .request = s_diff_request,
    .reply = s_diff_reply,
    .errors = s_missing_or_unfit,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}/diff" },
};

/* ---- trend ----------------------------------------------------------------------------------- */

static const field_t s_trend_request[] = {
    WORKFLOW_KEY_FIELD,
    { "profile", FIELD_STRING, .choices = PROFILES, .preset = "\"default\"",
      .about = "Only analyses with this profile: scores of different profiles do not compare" },
    { "limit", FIELD_INTEGER, .preset = "100", .min = 1, .max = ANALYSIS_TREND_MAX,
      .about = "Most points; the newest ones" },
    { 0 },
};

static const field_t s_trend_point[] = {
    ID_FIELD,
    CREATED_FIELD("When this version was first analysed"),
    SCORE_FIELD,
    GRADE_FIELD,
    { "by_severity", FIELD_OBJECT, .required = true, .fields = analysis_severity_fields,
      .about = "Issues by severity" },
    { 0 },
};

static const field_t s_trend_reply[] = {
    { "points", FIELD_ARRAY, .required = true, .fields = s_trend_point,
      .about = "The oldest first" },
    { 0 },
};

const method_t analysis_trend = {
    .name = "trend",
    .summary = "How a workflow's score went",
    .request = s_trend_request,
    .reply = s_trend_reply,
    .errors = analysis_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}/trend" },
};
