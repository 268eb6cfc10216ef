/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_families - the rows about jobs that wait for others
 */
#include "config.h"

#include "proto/jobs_fields.h"

#define FAMILY_FIELDS                                                                              \
    { "parent", FIELD_OBJECT, .required = true, .fields = jobs_job_request,                        \
      .about = "Is run when all children have ended" },                                            \
        { "children",                                                                              \
          FIELD_ARRAY,                                                                             \
          .required = true,                                                                        \
          .min = 1,                                                                                \
          .max = JOBS_BATCH_MAX,                                                                   \
          .fields = jobs_job_request,                                                              \
          .about = "May be run at once" },                                                         \
        { "needs_children", FIELD_BOOLEAN, .preset = "false",                                      \
          .about = "Whether the parent dies, instead of being run, when a child died or was "      \
                   "cancelled; it waits for the others all the same" },                            \
        IDEMPOTENCY_FIELD

static const field_t s_enqueue_request[] = { FAMILY_FIELDS, { 0 } };

static const field_t s_enqueue_reply[] = {
    { "parent", FIELD_OBJECT, .required = true, .fields = jobs_receipt_fields,
      .about = "The parent; if it is a duplicate, nothing was enqueued" },
    { "children", FIELD_ARRAY, .required = true, .fields = jobs_receipt_fields,
      .about = "In the order of the request; those that are duplicates are not waited for" },
    { 0 },
};

const method_t jobs_enqueue_family = {
    .name = "enqueue_family",
    .summary = "Enqueues a job that waits for others, and those",
    .about = "All of them in one transaction. The parent is `blocked` until each child has ended: "
             "done, dead or cancelled. A child that is replayed while the parent still waits is "
             "waited for again. Each child counts as a job that is enqueued.",
    .request = s_enqueue_request,
    .reply = s_enqueue_reply,
    .errors = jobs_enqueue_errors,
    .access = ACCESS_USER,
    .rate = JOBS_ENQUEUE_RATE,
    .cost_per = "children",
    .deadline_ms = 10000,
    .http = { .route = "POST /v1/jobs/family", .status = 202 },
};

static const field_t s_enqueue_as_request[] = {
    FAMILY_FIELDS,
    JOBS_AS_FIELD,
    { "key_says", FIELD_STRING, .min = 1, .max = 200,
      .about =
          "With a key: a hash of the request that it is for, when this one, made of it, differs "
          "each time" },
    { 0 },
};

const method_t jobs_enqueue_family_as = {
    .name = "enqueue_family_as",
    .summary = "Enqueues a job that waits for others, and those, in anybody's name",
    .about = "For services, whose calls carry no principal of their own. The key is the account's; "
             "an answer that was given before has the status 200.",
    .request = s_enqueue_as_request,
    .reply = s_enqueue_reply,
    .errors = jobs_enqueue_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = 10000,
};

static const field_t s_children_request[] = {
    ID_FIELD("The parent"), PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 }
};

static const field_t s_child[] = {
    ID_FIELD("The child"),
    KIND_FIELD,
    STATE_FIELD,
    { "error", FIELD_STRING, .required = true, .nullable = true,
      .about = "Code of its last failure, if it did not end well" },
    { "result", FIELD_ANY, .about = "What its method answered; null when there is nothing" },
    { 0 },
};

static const field_t s_children_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_child,
      .about = "In the order in which they were enqueued" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t jobs_children = {
    .name = "children",
    .summary = "The children of a job, with their results",
    .about = "Those that are kept: ended ones as long as any job.",
    .request = s_children_request,
    .reply = s_children_reply,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "GET /v1/jobs/{id}/children" },
};
