/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_pull - for workers that fetch their jobs, because nobody can call them
 */
#include "config.h"

#include "proto/jobs_fields.h"

static const error_code_t s_claim_errors[] = { ERROR_UNPROCESSABLE, ERROR_NONE };

/* Payloads of every account are in a queue: not every user may see them. */
#define WORKER_COMMON                                                                              \
    .access = ACCESS_USER, .role = "service", .scope = "worker", .deadline_ms = 10000

#define LEASE_FIELD                                                                                \
    {                                                                                              \
        "lease_ms", FIELD_INTEGER, .preset = "60000", .min = 1000, .max = 3600000,                 \
                                   .about = "After so long without a word of the worker its jobs " \
                                            "are given to others"                                  \
    }

static const field_t s_claim_request[] = {
    { "worker", FIELD_STRING, .required = true, .min = 1, .max = 50, .pattern = NAME_PATTERN,
      .example = "\"resizer-1\"", .about = "Its name: one lease holds for all jobs of a worker" },
    QUEUE_FIELD(.required = true, "From which queue; one that is `pulled`"),
    { "limit", FIELD_INTEGER, .preset = "10", .min = 1, .max = 100, .about = "At most so many" },
    LEASE_FIELD,
    { 0 },
};

static const field_t s_claimed[] = {
    ID_FIELD("The job"),
    FENCE_FIELD,
    KIND_FIELD,
    { "account", FIELD_STRING, .required = true, .nullable = true, .about = "Whose it is" },
    { "timeout_ms", FIELD_INTEGER, .required = true, .min = 1, .max = JOBS_TIMEOUT_MAX,
      .about = "How long a run should take at most" },
    { "traceparent", FIELD_STRING, .required = true, .nullable = true,
      .about = "Where whoever enqueued it stood in a trace, for what the run calls in turn" },
    { "payload", FIELD_ANY, .required = true, .about = "What is to be done" },
    { 0 },
};

static const field_t s_claim_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_claimed,
      .about = "In the order in which they are to be run; empty when there is nothing to do" },
    { 0 },
};

const method_t jobs_claim = {
    .name = "claim",
    .summary = "Fetches jobs to run",
    .about = "Each is the worker's until it completes or fails it, or its lease ends. Jobs whose "
             "workers are lost three times are dead.",
    .request = s_claim_request,
    .reply = s_claim_reply,
    .errors = s_claim_errors,
    WORKER_COMMON,
    .http = { .route = "POST /v1/jobs/claim" },
};

static const field_t s_complete_request[] = {
    ID_FIELD("Which job"),
    FENCE_FIELD,
    { "result", FIELD_ANY, .about = "What came of it, kept with the job" },
    { 0 },
};

const method_t jobs_complete = {
    .name = "complete",
    .summary = "Says that a run succeeded",
    .request = s_complete_request,
    .errors = jobs_stale,
    WORKER_COMMON,
    .http = { .route = "POST /v1/jobs/{id}/complete", .status = 204 },
};

static const field_t s_fail_request[] = {
    ID_FIELD("Which job"),
    FENCE_FIELD,
    { "code", FIELD_STRING, .min = 1, .max = 40, .pattern = "^[A-Z][A-Z0-9_]*$",
      .preset = "\"INTERNAL\"", .about = "What failed, in a word" },
    { "detail", FIELD_STRING, .max = 1000, .preset = "\"\"", .about = "In words" },
    { "permanent", FIELD_BOOLEAN, .preset = "false", .about = "Whether trying again is useless" },
    { "retry_after_ms", FIELD_INTEGER, .preset = "0", .min = 0, .max = 86400000,
      .about = "When to try again; 0 leaves it to the job's backoff" },
    { 0 },
};

static const field_t s_fail_reply[] = { ID_FIELD("The job"), STATE_FIELD, { 0 } };

const method_t jobs_fail = {
    .name = "fail",
    .summary = "Says that a run failed",
    .request = s_fail_request,
    .reply = s_fail_reply,
    .errors = jobs_stale,
    WORKER_COMMON,
    .http = { .route = "POST /v1/jobs/{id}/fail" },
};

static const field_t s_extend_request[] = {
    ID_FIELD("One of its jobs"),
    FENCE_FIELD,
    LEASE_FIELD,
    { 0 },
};

static const field_t s_extend_reply[] = {
    { "cancelled", FIELD_BOOLEAN, .required = true,
      .about = "Whether the job is to be given up: then fail it" },
    { 0 },
};

const method_t jobs_extend = {
    .name = "extend",
    .summary = "Renews the lease of the worker that has the job, for all it has",
    .request = s_extend_request,
    .reply = s_extend_reply,
    .errors = jobs_stale,
    WORKER_COMMON,
    .http = { .route = "POST /v1/jobs/{id}/extend" },
};
