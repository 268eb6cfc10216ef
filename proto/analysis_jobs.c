/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_jobs - the row about analyses that are run by jobs
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
