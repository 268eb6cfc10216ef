/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_jobs - the rows about analyses that are run by jobs
 */
#include "config.h"

#include "proto/analysis_fields.h"

static const field_t s_run_request[] = {
    { "submission", FIELD_STRING, .required = true, .format = "uuid",
      .about = "What is to be analysed, as it was kept" },
    { 0 },
};

static const error_code_t s_run_errors[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                             ERROR_STORAGE_FULL, ERROR_NONE };

const method_t analysis_run_later = {
    .name = "run",
    .summary = "Analyses what was submitted to be analysed later",
    .about = "The kind of the jobs that `submit` enqueues. Answers with the analysis in brief.",
    .request = s_run_request,
    .reply = analysis_brief_fields,
    .errors = s_run_errors,
    .access = ACCESS_USER,
    .idempotent = true, /* by content, as `submit` */
    .deadline_ms = 600000,
};

/* ---- many at once ---------------------------------------------------------------------------- */

static const field_t s_submission[] = { SUBMISSION_FIELDS, { 0 } };

static const field_t s_batch_request[] = {
    { "items", FIELD_ARRAY, .required = true, .min = 1, .max = ANALYSIS_BATCH_MAX,
      .fields = s_submission, .about = "The workflows" },
    { "idempotency_key", FIELD_STRING, .min = 1, .max = 200,
      .about = "For a day the same request with the same key gets the same answer and enqueues "
               "nothing" },
    { 0 },
};

#define JOB_FIELD(text)                                                                            \
    {                                                                                              \
        "job_id", FIELD_INTEGER, .required = true, .min = 1, .max = 9007199254740991,              \
                                 .example = "1042", .about = (text)                                \
    }

static const field_t s_accepted[] = { JOB_FIELD("Analyses it; its result is the analysis in brief"),
                                      { 0 } };

static const field_t s_batch_reply[] = {
    JOB_FIELD("Ends when all have been analysed, and sums them up"),
    { "items", FIELD_ARRAY, .required = true, .fields = s_accepted,
      .about = "In the order of the request" },
    { 0 },
};

static const error_code_t s_batch_errors[] = { ERROR_UNPROCESSABLE, ERROR_CONFLICT,
                                               ERROR_STORAGE_FULL, ERROR_UNAVAILABLE, ERROR_NONE };

const method_t analysis_batch = {
    .name = "batch",
    .summary = "Analyses many workflows, by jobs",
    .about =
        "Answered 202 when all of them have been accepted, with a job that waits for one job "
        "for each workflow, and the Location of that. How many have ended is its progress; its "
        "result lists the analyses. When a workflow cannot be analysed none is accepted, and "
        "the answer says which and why. Each workflow counts as one analysis.",
    .request = s_batch_request,
    .reply = s_batch_reply,
    .errors = s_batch_errors,
    .access = ACCESS_USER,
    .rate = "analysis",
    .cost_per = "items",
    .deadline_ms = 30000,
    .http = { .route = "POST /v1/analyses:batch", .status = 202, .accepted = "/v1/jobs/{job_id}" },
};

static const field_t s_summed_up[] = {
    JOB_FIELD("That analysed it"),
    { "state", FIELD_STRING, .required = true, .choices = "done cancelled dead",
      .about = "How the job ended; dead ones can be replayed" },
    { "error", FIELD_STRING, .required = true, .nullable = true,
      .about = "Code of the failure of one that is dead" },
    { "analysis_id", FIELD_STRING, .required = true, .nullable = true, .format = "uuid",
      .about = "The analysis" },
    { "workflow_id", FIELD_STRING, .required = true, .nullable = true, .format = "uuid",
      .about = "The workflow of which it is one version" },
    { "grade", FIELD_STRING, .required = true, .nullable = true, .choices = GRADES,
      .about = "A from 90, B from 80, C from 65, D from 50, else F" },
    { "score", FIELD_INTEGER, .required = true, .nullable = true, .min = 0, .max = 100,
      .about = "100 is a workflow in which nothing was found" },
    { 0 },
};

static const field_t s_summary[] = {
    COUNT_FIELD("analysed", "Workflows that have been analysed"),
    COUNT_FIELD("failed", "Workflows that have not"),
    { "items", FIELD_ARRAY, .required = true, .fields = s_summed_up,
      .about = "In the order of the request" },
    { 0 },
};

static const error_code_t s_summarize_errors[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE,
                                                   ERROR_NONE };

const method_t analysis_summarize = {
    .name = "summarize",
    .summary = "Sums a batch up, of which all jobs have ended",
    .about = "The kind of the job that `batch` answers with.",
    .reply = s_summary,
    .errors = s_summarize_errors,
    .access = ACCESS_USER,
    .idempotent = true,
    .deadline_ms = 10000,
};

/* ---- again and again ------------------------------------------------------------------------- */

static const field_t s_refetch_request[] = {
    { "url", FIELD_STRING, .required = true, .min = 1, .max = 2048,
      .example = "\"https://flows.example.dev/morning-prices.json\"",
      .about = "Where the workflow is, as its platform exports it in JSON" },
    { "workflow_id", FIELD_STRING, .format = "uuid",
      .about =
          "The workflow of which it is a version. When left out, `name`, or else the id or the "
          "name in the document counts" },
    { "kind", FIELD_STRING, .choices = KINDS,
      .about = "Which platform's workflow it is; found out from the document when left out" },
    { "profile", FIELD_STRING, .choices = PROFILES, .preset = "\"default\"",
      .about = "Which rules apply" },
    { "name", FIELD_STRING, .min = 1, .max = 200, .about = "As in `submit`" },
    { 0 },
};

static const field_t s_refetch_reply[] = {
    { "repeated", FIELD_BOOLEAN, .required = true, .example = "false",
      .about = "Whether the same was analysed before: then there is no new version" },
    { "analysis", FIELD_OBJECT, .required = true, .fields = analysis_brief_fields,
      .about = "The analysis in brief" },
    { 0 },
};

static const error_code_t s_refetch_errors[] = { ERROR_NOT_FOUND,    ERROR_UNPROCESSABLE,
                                                 ERROR_STORAGE_FULL, ERROR_UNAVAILABLE,
                                                 ERROR_BAD_REPLY,    ERROR_NONE };

const method_t analysis_refetch = {
    .name = "refetch",
    .summary = "Fetches a workflow from an URL and analyses it",
    .about =
        "For schedules and jobs. Up to 8 MiB are read, within 20 seconds, after three redirects "
        "at most; private addresses are not called. What is as it was makes no new version; of "
        "what is worse, accounts are told by `analysis.regressed`.",
    .request = s_refetch_request,
    .reply = s_refetch_reply,
    .errors = s_refetch_errors,
    .access = ACCESS_USER,
    .idempotent = true, /* by content, as `submit` */
    .deadline_ms = 60000,
};
