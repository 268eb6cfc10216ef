/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis - the rows of the service that analyses workflows and keeps their history
 *
 * What never changes once it is there (an analysis, the rules) may be cached; lists, and whatever
 * is about a workflow as it grows, change with every submission and have no cache rule.
 */
#include "config.h"

#include "proto/analysis.h"

#define KINDS      "n8n node-red asl generic"
#define PROFILES   "default gate security"
#define GRADES     "A B C D F"
#define SEVERITIES "critical error warning info"
#define CATEGORIES "structure reliability security performance maintainability"

#define EXAMPLE_ID       "\"019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e\""
#define EXAMPLE_WORKFLOW "\"8d0f2c4e-5a6b-8c7d-9e0f-1a2b3c4d5e6f\""
#define EXAMPLE_TIME     "\"2026-01-31T08:15:00.000Z\""

#define READ_COMMON  .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000
#define FOREVER(tag) .cache = { .ttl_s = 300, .vary = "account", .tags = (tag) }

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_missing_or_unfit[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                                   ERROR_NONE };
static const error_code_t s_submit_errors[] = { ERROR_UNPROCESSABLE, ERROR_CANCELLED,
                                                ERROR_STORAGE_FULL, ERROR_UNAVAILABLE, ERROR_NONE };

/* ---- fields that several messages have ------------------------------------------------------ */

#define COUNT_FIELD(field, text)                                                                   \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991, .about = (text) \
    }
#define SCORE_FIELD                                                                                \
    {                                                                                              \
        "score", FIELD_INTEGER, .required = true, .min = 0, .max = 100, .example = "72",           \
                                .about = "100 is a workflow in which nothing was found"            \
    }
#define GRADE_FIELD                                                                                \
    {                                                                                              \
        "grade", FIELD_STRING, .required = true, .choices = GRADES, .example = "\"C\"",            \
                               .about = "A from 90, B from 80, C from 65, D from 50, else F"       \
    }
#define KIND_FIELD                                                                                 \
    {                                                                                              \
        "kind", FIELD_STRING, .required = true, .choices = KINDS, .example = "\"n8n\"",            \
                              .about = "Which platform's workflow it is"                           \
    }
#define PROFILE_FIELD                                                                              \
    {                                                                                              \
        "profile", FIELD_STRING, .required = true, .choices = PROFILES, .example = "\"default\"",  \
                                 .about = "Which rules were applied"                               \
    }
#define NAME_FIELD                                                                                 \
    {                                                                                              \
        "name", FIELD_STRING, .required = true, .nullable = true, .example = "\"Morning prices\"", \
                              .about = "What the workflow is called; null when nothing says"       \
    }
#define ID_FIELD                                                                                   \
    {                                                                                              \
        "id", FIELD_STRING, .required = true, .format = "uuid", .example = EXAMPLE_ID,             \
                            .about = "The analysis"                                                \
    }
#define WORKFLOW_ID_FIELD                                                                          \
    {                                                                                              \
        "workflow_id", FIELD_STRING, .required = true, .format = "uuid",                           \
                                     .example = EXAMPLE_WORKFLOW,                                  \
                                     .about = "The workflow of which it is one version"            \
    }
#define CREATED_FIELD(text)                                                                        \
    {                                                                                              \
        "created_at", FIELD_STRING, .required = true, .format = "date-time",                       \
                                    .example = EXAMPLE_TIME, .about = (text)                       \
    }
#define LIMIT_FIELD                                                                                \
    {                                                                                              \
        "limit", FIELD_INTEGER, .preset = "20", .min = 1, .max = ANALYSIS_PAGE_MAX,                \
                                .about = "Most items of the page"                                  \
    }
#define CURSOR_FIELD                                                                               \
    {                                                                                              \
        "cursor", FIELD_STRING, .min = 1, .max = 64,                                               \
                                .about = "`next_cursor` of the page before; leave it out for the " \
                                         "first page"                                              \
    }
#define NEXT_CURSOR_FIELD                                                                          \
    {                                                                                              \
        "next_cursor", FIELD_STRING, .required = true, .nullable = true,                           \
                                     .about = "Where the next page begins; null on the last one"   \
    }

static const field_t s_id[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .example = EXAMPLE_ID,
      .about = "The analysis, as `submit` and `list` name it" },
    { 0 },
};

static const field_t s_severity_counts[] = {
    COUNT_FIELD("critical", "Critical issues"),
    COUNT_FIELD("error", "Errors"),
    COUNT_FIELD("warning", "Warnings"),
    COUNT_FIELD("info", "Remarks"),
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

static const field_t s_node[] = {
    { "id", FIELD_STRING, .required = true, .about = "The node's id in the workflow" },
    { "name", FIELD_STRING, .required = true, .example = "\"Fetch prices\"",
      .about = "What the node is called" },
    { "type", FIELD_STRING, .required = true, .example = "\"n8n-nodes-base.httpRequest\"",
      .about = "The platform's type of node" },
    { 0 },
};

static const field_t s_summary[] = {
    COUNT_FIELD("nodes", "Nodes that run"),
    COUNT_FIELD("wires", "Connections between nodes"),
    COUNT_FIELD("issues", "Issues found"),
    COUNT_FIELD("left_out", "Issues found that are not listed, because there are too many"),
    COUNT_FIELD("unscanned", "Bytes of parameters that were too many to look at"),
    { "by_severity", FIELD_OBJECT, .required = true, .fields = s_severity_counts,
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
    { "node", FIELD_OBJECT, .required = true, .nullable = true, .fields = s_node,
      .about = "Where; null when it is about the whole workflow" },
    { "nodes", FIELD_ARRAY, .required = true, .fields = s_node,
      .about = "All nodes with the same cause; empty when it is one" },
    COUNT_FIELD("nodes_left_out", "Further nodes with the same cause"),
    { "path", FIELD_ARRAY, .required = true, .fields = s_node,
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

#define BRIEF_FIELDS                                                                               \
    ID_FIELD, WORKFLOW_ID_FIELD, NAME_FIELD,                                                       \
        CREATED_FIELD("When the workflow was first submitted like this"), KIND_FIELD,              \
        PROFILE_FIELD, SCORE_FIELD, GRADE_FIELD, COUNT_FIELD("nodes", "Nodes that run"),           \
        COUNT_FIELD("wires", "Connections between nodes"),                                         \
    {                                                                                              \
        "by_severity", FIELD_OBJECT, .required = true, .fields = s_severity_counts,                \
                                     .about = "Issues by severity"                                 \
    }

static const field_t s_brief[] = { BRIEF_FIELDS, { 0 } };

static const field_t s_content[] = {
    { "content", FIELD_STRING, .required = true, .about = "The document" },
    { 0 },
};

/* ---- analyses ------------------------------------------------------------------------------- */

static const field_t s_submit_request[] = {
    { "workflow", FIELD_ANY, .required = true,
      .example = "{\"name\":\"Morning prices\",\"nodes\":[{\"id\":\"start\",\"type\":\"schedule\"},"
                 "{\"id\":\"fetch\",\"type\":\"http\",\"name\":\"Fetch prices\",\"params\":{"
                 "\"url\":\"https://prices.example.dev/\"}}],"
                 "\"edges\":[{\"from\":\"start\",\"to\":\"fetch\"}]}",
      .about = "The workflow as its platform exports it" },
    { "kind", FIELD_STRING, .choices = KINDS,
      .about = "Which platform's workflow it is; found out from the document when left out" },
    { "profile", FIELD_STRING, .choices = PROFILES, .preset = "\"default\"",
      .about = "Which rules apply: all; errors and critical issues only; security only" },
    { "name", FIELD_STRING, .min = 1, .max = 200, .example = "\"billing/morning-prices\"",
      .about = "Your own name of the workflow: analyses under one name are versions of one "
               "workflow. When left out, the id or else the name in the document counts" },
    { 0 },
};

const method_t analysis_submit = {
    .name = "submit",
    .summary = "Analyses a workflow and keeps the result",
    .about = "The body is the workflow itself. The same workflow again, under the same name and "
             "with the same profile, is answered with status 200 and the stored result, and makes "
             "no new version. Where its nodes stand on the canvas, recorded data and the texts of "
             "notes make no difference.",
    .request = s_submit_request,
    .reply = s_analysis,
    .errors = s_submit_errors,
    .access = ACCESS_USER,
    .rate = "analysis",
    .idempotent = true, /* by content: nothing happens twice */
    .deadline_ms = 10000,
    .http = { .route = "POST /v1/analyses",
              .status = 201,
              .body = "workflow",
              .location = "/v1/analyses/{id}" },
};

static const field_t s_list_request[] = {
    LIMIT_FIELD,
    CURSOR_FIELD,
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
    { "items", FIELD_ARRAY, .required = true, .fields = s_brief, .about = "The newest first" },
    NEXT_CURSOR_FIELD,
    { 0 },
};

const method_t analysis_list = {
    .name = "list",
    .summary = "Lists analyses, the newest first",
    .about = "All conditions together have to hold.",
    .request = s_list_request,
    .reply = s_list_reply,
    .errors = s_unfit,
    READ_COMMON,
    .http = { .route = "GET /v1/analyses" },
};

const method_t analysis_get = {
    .name = "get",
    .summary = "One analysis with all its issues",
    .request = s_id,
    .reply = s_analysis,
    .errors = s_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}" },
};

const method_t analysis_delete = {
    .name = "delete",
    .summary = "Deletes an analysis",
    .about = "A workflow goes with the last of its analyses.",
    .request = s_id,
    .errors = s_missing,
    .access = ACCESS_USER,
    .rate = "read",
    .deadline_ms = 5000,
    .http = { .route = "DELETE /v1/analyses/{id}", .status = 204 },
};

const method_t analysis_sarif = {
    .name = "sarif",
    .summary = "One analysis as SARIF 2.1.0",
    .about = "For code scanning and editors. Nodes are logical locations, proofs are code flows.",
    .request = s_id,
    .reply = s_content,
    .errors = s_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}/sarif", .media = "application/sarif+json" },
};

const method_t analysis_graph_svg = {
    .name = "graph_svg",
    .summary = "The workflow drawn, with its issues in place",
    .about = "Nodes stand where the document puts them, or in layers when it does not say.",
    .request = s_id,
    .reply = s_content,
    .errors = s_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}/graph.svg", .media = "image/svg+xml" },
};

const method_t analysis_graph_mmd = {
    .name = "graph_mmd",
    .summary = "The workflow as a Mermaid flowchart",
    .request = s_id,
    .reply = s_content,
    .errors = s_missing,
    READ_COMMON,
    FOREVER("analysis:{id}"),
    .http = { .route = "GET /v1/analyses/{id}/graph.mmd",
              .media = "text/vnd.mermaid; charset=utf-8" },
};

/* ---- workflows ------------------------------------------------------------------------------ */

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

static const field_t s_workflows_request[] = { LIMIT_FIELD, CURSOR_FIELD, { 0 } };

static const field_t s_workflow_item[] = {
    WORKFLOW_FIELDS,
    { "latest", FIELD_OBJECT, .required = true, .nullable = true, .fields = s_brief,
      .about = "Its newest analysis" },
    { 0 },
};

static const field_t s_workflows_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_workflow_item,
      .about = "The last analysed first" },
    NEXT_CURSOR_FIELD,
    { 0 },
};

const method_t analysis_workflows = {
    .name = "workflows",
    .summary = "Lists workflows, the last analysed first",
    .request = s_workflows_request,
    .reply = s_workflows_reply,
    .errors = s_unfit,
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
    { "analyses", FIELD_ARRAY, .required = true, .fields = s_brief,
      .about = "Its newest analyses, at most ten" },
    { 0 },
};

const method_t analysis_workflow = {
    .name = "workflow",
    .summary = "One workflow with its newest analyses",
    .request = s_workflow_request,
    .reply = s_workflow_reply,
    .errors = s_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}" },
};

static const field_t s_diff_request[] = {
    WORKFLOW_KEY_FIELD,
    { "from", FIELD_STRING, .format = "uuid",
      .about = "The older analysis; when left out, the one before `to` with the same profile" },
    { "to", FIELD_STRING, .format = "uuid",
      .about = "The newer analysis; when left out, the newest" },
    { 0 },
};

static const field_t s_issue_change[] = {
    { "rule", FIELD_STRING, .required = true, .about = "Id of the rule" },
    { "severity", FIELD_STRING, .required = true, .choices = SEVERITIES, .about = "How bad it is" },
    { "title", FIELD_STRING, .required = true, .about = "What is the case" },
    { "node", FIELD_OBJECT, .required = true, .nullable = true, .fields = s_node,
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
    { "node", FIELD_OBJECT, .required = true, .fields = s_node,
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
    { "added", FIELD_ARRAY, .required = true, .fields = s_node,
      .about = "In the newer version only" },
    { "removed", FIELD_ARRAY, .required = true, .fields = s_node,
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
    { "from", FIELD_OBJECT, .required = true, .fields = s_brief, .about = "The older analysis" },
    { "to", FIELD_OBJECT, .required = true, .fields = s_brief, .about = "The newer analysis" },
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
    { "by_severity", FIELD_OBJECT, .required = true, .fields = s_severity_counts,
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
    .errors = s_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/workflows/{id}/trend" },
};

/* ---- rules ---------------------------------------------------------------------------------- */

static const field_t s_rules_request[] = {
    { "kind", FIELD_STRING, .choices = KINDS, .about = "Only rules for this kind of workflow" },
    { "category", FIELD_STRING, .choices = CATEGORIES, .about = "Only rules of this category" },
    { "severity", FIELD_STRING, .choices = SEVERITIES, .about = "Only rules of this severity" },
    { 0 },
};

#define RULE_FIELDS                                                                                \
    { "id", FIELD_STRING, .required = true, .example = "\"WF301\"",                                \
      .about = "Stable; what issues name as `rule`" },                                             \
        { "title", FIELD_STRING, .required = true, .about = "What is the case when it fires" },    \
        { "category", FIELD_STRING, .required = true, .choices = CATEGORIES,                       \
          .about = "What it puts at risk" },                                                       \
        { "severity", FIELD_STRING, .required = true, .choices = SEVERITIES,                       \
          .about = "How bad it is" },                                                              \
        { "weight",                                                                                \
          FIELD_NUMBER,                                                                            \
          .required = true,                                                                        \
          .min = 0,                                                                                \
          .max = 100,                                                                              \
          .example = "30",                                                                         \
          .about = "Points the first finding costs; each further one half of the one before" },    \
        { "kinds",                                                                                 \
          FIELD_ARRAY,                                                                             \
          .required = true,                                                                        \
          .items = FIELD_STRING,                                                                   \
          .example = "[\"n8n\"]",                                                                  \
          .about = "Kinds of workflow it applies to" },                                            \
        { "why", FIELD_STRING, .required = true, .about = "What follows from it" },                \
        { "fix", FIELD_STRING, .required = true, .about = "What to do about it" },                 \
    {                                                                                              \
        "page", FIELD_STRING, .required = true, .example = "\"docs/rules/WF301.md\"",              \
                              .about = "Its page in the documentation, with examples"              \
    }

static const field_t s_rule_fields[] = { RULE_FIELDS, { 0 } };

static const field_t s_rules_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_rule_fields, .about = "By id" },
    { 0 },
};

const method_t analysis_rules = {
    .name = "rules",
    .summary = "What workflows are checked for",
    .request = s_rules_request,
    .reply = s_rules_reply,
    READ_COMMON,
    .cache = { .ttl_s = 3600, .tags = "rules" },
    .http = { .route = "GET /v1/rules" },
};

static const field_t s_rule_request[] = {
    { "id", FIELD_STRING, .required = true, .pattern = "^[A-Z]{2}[0-9]{3}$", .example = "\"WF301\"",
      .about = "The rule" },
    { 0 },
};

const method_t analysis_rule = {
    .name = "rule",
    .summary = "One rule",
    .request = s_rule_request,
    .reply = s_rule_fields,
    .errors = s_missing,
    READ_COMMON,
    .cache = { .ttl_s = 3600, .tags = "rules" },
    .http = { .route = "GET /v1/rules/{id}" },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t analysis_service = {
    .name = "analysis",
    .version = "1.0.0",
    .about = "Reads automation workflows (n8n, Node-RED, Amazon States Language, or a plain graph) "
             "and says what is wrong with them: a score, the issues, the proof of each, the fix",
    .methods = (const method_t *const[]){ &analysis_submit, &analysis_list, &analysis_get,
                                          &analysis_delete, &analysis_sarif, &analysis_graph_svg,
                                          &analysis_graph_mmd, &analysis_workflows,
                                          &analysis_workflow, &analysis_diff, &analysis_trend,
                                          &analysis_rules, &analysis_rule, NULL },
};
