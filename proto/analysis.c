/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis - the rows of the service that analyses workflows and keeps their history
 *
 * What never changes once it is there (an analysis, the rules) may be cached; lists, and whatever
 * is about a workflow as it grows, change with every submission and have no cache rule. Neither has
 * what depends on the baseline.
 */
#include "config.h"

#include "proto/analysis_fields.h"

static const error_code_t s_delete_errors[] = { ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_NONE };
static const error_code_t s_submit_errors[] = { ERROR_UNPROCESSABLE, ERROR_CANCELLED,
                                                ERROR_STORAGE_FULL, ERROR_UNAVAILABLE, ERROR_NONE };

static const field_t s_id[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .example = EXAMPLE_ID,
      .about = "The analysis, as `submit` and `list` name it" },
    { 0 },
};

static const field_t s_category_counts[] = {
    COUNT_FIELD("structure", "Issues of structure"),
    COUNT_FIELD("reliability", "Issues of reliability"),
    COUNT_FIELD("security", "Issues of security"),
    COUNT_FIELD("performance", "Issues of performance"),
    COUNT_FIELD("maintainability", "Issues of maintainability"),
    { 0 },
};

#define POINTS_FIELD(field)                                                                        \
    {                                                                                              \
        field, FIELD_NUMBER, .required = true, .min = 0, .max = 100,                               \
                             .about = "Points lost in this category"                               \
    }

static const field_t s_category_points[] = {
    POINTS_FIELD("structure"),   POINTS_FIELD("reliability"),     POINTS_FIELD("security"),
    POINTS_FIELD("performance"), POINTS_FIELD("maintainability"), { 0 },
};

static const field_t s_summary[] = {
    COUNT_FIELD("nodes", "Nodes that run"),
    COUNT_FIELD("wires", "Connections between nodes"),
    COUNT_FIELD("issues", "Issues found"),
    COUNT_FIELD("left_out", "Issues found that are not listed, because there are too many"),
    COUNT_FIELD("unscanned", "Bytes of parameters that were too many to look at"),
    { "by_severity", FIELD_OBJECT, .required = true, .fields = analysis_severity_fields,
      .about = "Issues by severity" },
    { "by_category", FIELD_OBJECT, .required = true, .fields = s_category_counts,
      .about = "Issues by category" },
    { "points", FIELD_OBJECT, .required = true, .fields = s_category_points,
      .about = "What the score lost, by category" },
    { 0 },
};

static const field_t s_issue[] = {
    { "rule", FIELD_STRING, .required = true, .example = "\"WF202\"", .about = "Id of the rule" },
    { "category", FIELD_STRING, .required = true, .choices = CATEGORIES,
      .about = "What it puts at risk" },
    { "severity", FIELD_STRING, .required = true, .choices = SEVERITIES, .about = "How bad it is" },
    { "title", FIELD_STRING, .required = true, .about = "What is the case" },
    { "node", FIELD_OBJECT, .required = true, .nullable = true, .fields = analysis_node_fields,
      .about = "Where; null when it is about the whole workflow" },
    { "nodes", FIELD_ARRAY, .required = true, .fields = analysis_node_fields,
      .about = "All nodes with the same cause; empty when it is one" },
    COUNT_FIELD("nodes_left_out", "Further nodes with the same cause"),
    { "path", FIELD_ARRAY, .required = true, .fields = analysis_node_fields,
      .about = "The proof: the way from a start to the node, once round a cycle, or both of a "
               "pair" },
    COUNT_FIELD("path_left_out", "Nodes left out of the middle of the way"),
    { "evidence", FIELD_STRING, .required = true, .nullable = true,
      .about = "What was seen; never a secret itself" },
    { "why", FIELD_STRING, .required = true, .about = "What follows from it" },
    { "fix", FIELD_STRING, .required = true, .about = "What to do about it" },
    { "points", FIELD_NUMBER, .required = true, .min = 0, .max = 100,
      .about = "What it cost the score, before errors cap it" },
    { "fingerprint", FIELD_STRING, .required = true, .pattern = "^[0-9a-f]{32}$",
      .about = "The same in every version of the workflow for as long as the cause is there" },
    { 0 },
};

static const field_t s_analysis[] = {
    ID_FIELD,
    WORKFLOW_ID_FIELD,
    NAME_FIELD,
    CREATED_FIELD("When the workflow was first submitted like this"),
    { "repeated", FIELD_BOOLEAN, .example = "false",
      .about = "In the answer to a submission: whether the same was analysed before, so that this "
               "is the stored answer" },
    KIND_FIELD,
    { "analyser_version", FIELD_INTEGER, .required = true, .min = 1, .example = "1",
      .about = "Which version of the analyser judged" },
    PROFILE_FIELD,
    SCORE_FIELD,
    GRADE_FIELD,
    { "summary", FIELD_OBJECT, .required = true, .fields = s_summary, .about = "All in numbers" },
    { "issues", FIELD_ARRAY, .required = true, .fields = s_issue,
      .about = "What was found, the most severe first" },
    { 0 },
};

static const field_t s_content[] = {
    { "content", FIELD_STRING, .required = true, .about = "The document" },
    { 0 },
};

static const field_t s_submit_request[] = {
    SUBMISSION_FIELDS,
    { "respond_async", FIELD_BOOLEAN, .preset = "false",
      .about =
          "Answer 202 with a job at once, unless the same was analysed before. Over HTTP also: "
          "`Prefer: respond-async` (RFC 7240)" },
    { 0 },
};

const method_t analysis_submit = {
    .name = "submit",
    .summary = "Analyses a workflow and keeps the result",
    .about = "The body is the workflow itself. The same workflow again, under the same name and "
             "with the same profile, is answered with status 200 and the stored result, and makes "
             "no new version. What takes longer than two seconds, or is to be answered later, "
             "becomes a job: 202 with its `job_id` and its Location; its result is the analysis in "
             "brief. Where its nodes stand on the canvas, recorded data and the texts of "
             "notes make no difference.",
    .request = s_submit_request,
    .reply = s_analysis,
    .errors = s_submit_errors,
    .access = ACCESS_USER,
    .rate = "analysis",
    .idempotent = true, /* by content: nothing happens twice */
    .deadline_ms = 10000,
    .cache = { .ttl_s = 5, .vary = "account", .tags = "analysis:{id}" },
    .http = { .route = "POST /v1/analyses",
              .status = 201,
              .body = "workflow",
              .location = "/v1/analyses/{id}",
              .accepted = "/v1/jobs/{job_id}" },
};

static const field_t s_list_request[] = {
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { "kind", FIELD_STRING, .choices = KINDS, .about = "Only of this kind" },
    { "grade", FIELD_STRING, .choices = GRADES, .about = "Only with this grade" },
    { "min_score", FIELD_INTEGER, .min = 0, .max = 100, .about = "Only with at least this score" },
    { "max_score", FIELD_INTEGER, .min = 0, .max = 100, .about = "Only with at most this score" },
    { "workflow_id", FIELD_STRING, .format = "uuid", .about = "Only of this workflow" },
    { "severity", FIELD_STRING, .choices = SEVERITIES,
      .about = "Only where an issue of this severity was found" },
    { "rule", FIELD_STRING, .pattern = "^[A-Z]{2}[0-9]{3}$", .example = "\"WF301\"",
      .about = "Only where this rule found something" },
    { "since", FIELD_STRING, .format = "date-time", .about = "Only from this moment on" },
    { "until", FIELD_STRING, .format = "date-time", .about = "Only before this moment" },
    { 0 },
};

static const field_t s_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = analysis_brief_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t analysis_list = {
    .name = "list",
    .summary = "Lists analyses, the newest first",
    .about = "All conditions together have to hold.",
    .request = s_list_request,
    .reply = s_list_reply,
    .errors = analysis_unfit,
    READ_COMMON,
    .http = { .route = "GET /v1/analyses" },
};

const method_t analysis_get = {
    .name = "get",
    .summary = "One analysis with all its issues",
    .request = s_id,
    .reply = s_analysis,
    .errors = analysis_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}" },
};

const method_t analysis_delete = {
    .name = "delete",
    .summary = "Deletes an analysis",
    .about = "A workflow goes with the last of its analyses. A baseline is not deleted: 409.",
    .request = s_id,
    .errors = s_delete_errors,
    .access = ACCESS_USER,
    .rate = "read",
    .deadline_ms = 5000,
    .cache = { .tags = "analysis:{id}" }, /* makes void what was kept of it */
    .http = { .route = "DELETE /v1/analyses/{id}", .status = 204 },
};

static const field_t s_sarif_request[] = {
    ID_FIELD,
    { "absent", FIELD_BOOLEAN, .preset = "false",
      .about = "Also what only the baseline had, as `absent`: readers that do not know of "
               "baselines show that as if it were still there" },
    { 0 },
};

const method_t analysis_sarif = {
    .name = "sarif",
    .summary = "One analysis as SARIF 2.1.0",
    .about = "For code scanning and editors. Nodes are logical locations, proofs are code flows. "
             "When the workflow has a baseline with the same profile, and no later one, each "
             "result says by its `baselineState` whether it is new.",
    .request = s_sarif_request,
    .reply = s_content,
    .errors = analysis_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/analyses/{id}/sarif", .media = "application/sarif+json" },
};

const method_t analysis_graph_svg = {
    .name = "graph_svg",
    .summary = "The workflow drawn, with its issues in place",
    .about = "Nodes stand where the document puts them, or in layers when it does not say.",
    .request = s_id,
    .reply = s_content,
    .errors = analysis_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}/graph.svg", .media = "image/svg+xml" },
};

const method_t analysis_graph_mmd = {
    .name = "graph_mmd",
    .summary = "The workflow as a Mermaid flowchart",
    .request = s_id,
    .reply = s_content,
    .errors = analysis_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}/graph.mmd",
              .media = "text/vnd.mermaid; charset=utf-8" },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t analysis_service = {
    .name = "analysis",
    .version = "1.0.0",
    .about = "Reads automation workflows (n8n, Node-RED, Amazon States Language, or a plain graph) "
             "and says what is wrong with them: a score, the issues, the proof of each, the fix",
    .methods = (const method_t *const[]){ &analysis_submit,
                                          &analysis_run_later,
                                          &analysis_batch,
                                          &analysis_summarize,
                                          &analysis_refetch,
                                          &analysis_list,
                                          &analysis_get,
                                          &analysis_delete,
                                          &analysis_sarif,
                                          &analysis_graph_svg,
                                          &analysis_graph_mmd,
                                          &analysis_workflows,
                                          &analysis_workflow,
                                          &analysis_baseline_put,
                                          &analysis_baseline_get,
                                          &analysis_baseline_delete,
                                          &analysis_diff,
                                          &analysis_trend,
                                          &analysis_rules,
                                          &analysis_rule,
                                          NULL },
};
