/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs - enqueuing and looking at jobs; the service
 */
#include "config.h"

#include "proto/jobs_fields.h"

const error_code_t jobs_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
const error_code_t jobs_stale[] = { ERROR_PRECONDITION_FAILED, ERROR_NONE };
const error_code_t jobs_enqueue_errors[] = { ERROR_UNPROCESSABLE, ERROR_CONFLICT,
                                             ERROR_FORBIDDEN,     ERROR_TOO_LARGE,
                                             ERROR_STORAGE_FULL,  ERROR_NONE };

/* ---- what is enqueued ------------------------------------------------------------------------ */

#define JOB_FIELDS                                                                                 \
    KIND_FIELD, PAYLOAD_FIELD,                                                                     \
        QUEUE_FIELD(.required = false,                                                             \
                    "Where it waits; the queue named after the service when left out"),            \
        { "delay_ms", FIELD_INTEGER, .min = 0, .max = JOBS_DELAY_MAX,                              \
          .about = "Not to be begun before that much time has passed; or else:" },                 \
        { "run_at", FIELD_STRING, .format = "date-time",                                           \
          .about = "Not to be begun before this moment, at most a year ahead" },                   \
        { "unique_key", FIELD_STRING, .min = 1, .max = JOBS_KEY_BYTES,                             \
          .about = "While a job of the account with this key waits or runs in the queue, another " \
                   "one is not added: the answer names the one there is" },                        \
        { "order_key", FIELD_STRING, .min = 1, .max = JOBS_KEY_BYTES,                              \
          .about = "Jobs of the account with this key in the queue run one after the other, in "   \
                   "the order in which they were enqueued" },                                      \
        TRYING_FIELDS

const field_t jobs_job_request[] = { JOB_FIELDS, { 0 } };

static const field_t s_enqueue_request[] = {
    JOB_FIELDS,
    IDEMPOTENCY_FIELD,
    { 0 },
};

const field_t jobs_receipt_fields[] = {
    ID_FIELD("The job"),
    KIND_FIELD,
    QUEUE_FIELD(.required = true, "Where it waits"),
    STATE_FIELD,
    { "duplicate", FIELD_BOOLEAN, .required = true, .example = "false",
      .about = "Whether a job with the unique key was there already, and this is that one" },
    { 0 },
};

const method_t jobs_enqueue = {
    .name = "enqueue",
    .summary = "Enqueues a job",
    .about =
        "Answered when the job is on disk. It is run at least once, in the name of the "
        "caller, who must be allowed to call the method; what enqueues jobs itself is not called "
        "by the jobs of users.",
    .request = s_enqueue_request,
    .reply = jobs_receipt_fields,
    .errors = jobs_enqueue_errors,
    .access = ACCESS_USER,
    .rate = JOBS_ENQUEUE_RATE,
    .deadline_ms = 10000,
    .http = { .route = "POST /v1/jobs", .status = 202 },
};

static const field_t s_enqueue_many_request[] = {
    { "jobs", FIELD_ARRAY, .required = true, .min = 1, .max = JOBS_BATCH_MAX,
      .fields = jobs_job_request, .about = "All of them are enqueued, or none" },
    IDEMPOTENCY_FIELD,
    { 0 },
};

static const field_t s_enqueue_many_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = jobs_receipt_fields,
      .about = "In the order of the request" },
    { 0 },
};

const method_t jobs_enqueue_many = {
    .name = "enqueue_many",
    .summary = "Enqueues several jobs in one transaction",
    .about = "Each of them counts.",
    .request = s_enqueue_many_request,
    .reply = s_enqueue_many_reply,
    .errors = jobs_enqueue_errors,
    .access = ACCESS_USER,
    .rate = JOBS_ENQUEUE_RATE,
    .cost_per = "jobs",
    .deadline_ms = 10000,
    .http = { .route = "POST /v1/jobs/batch", .status = 202 },
};

const field_t jobs_principal_fields[] = {
    { "account", FIELD_STRING, .required = true, .min = 1, .max = 64, .about = "The account" },
    { "user", FIELD_STRING, .max = 64, .about = "The user" },
    { "tier", FIELD_STRING, .max = 64, .about = "Of the account" },
    { "roles", FIELD_ARRAY, .max = 16, .items = FIELD_STRING, .about = "What the user is" },
    { "scopes", FIELD_ARRAY, .max = 16, .items = FIELD_STRING, .about = "What they asked with" },
    { 0 },
};

static const field_t s_job_as[] = {
    JOB_FIELDS,
    JOBS_AS_FIELD,
    { 0 },
};

static const field_t s_enqueue_as_request[] = {
    { "jobs", FIELD_ARRAY, .required = true, .min = 1, .max = JOBS_BATCH_MAX, .fields = s_job_as,
      .about = "All of them are enqueued, or none" },
    { 0 },
};

const method_t jobs_enqueue_as = {
    .name = "enqueue_as",
    .summary = "Enqueues jobs in anybody's name",
    .about = "For services, whose calls carry no principal of their own. To enqueue what is in an "
             "outbox at most once, give its id as the unique key and keep the entry until it is "
             "answered.",
    .request = s_enqueue_as_request,
    .reply = s_enqueue_many_reply,
    .errors = jobs_enqueue_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = 10000,
};

/* ---- looking at them ------------------------------------------------------------------------- */

const field_t jobs_id_request[] = { ID_FIELD("Which job"), { 0 } };

static const field_t s_failure[] = {
    { "code", FIELD_STRING, .required = true, .example = "\"UNAVAILABLE\"",
      .about = "What failed" },
    { "detail", FIELD_STRING, .required = true, .about = "In words" },
    { 0 },
};

static const field_t s_progress[] = {
    { "percent", FIELD_INTEGER, .required = true, .min = 0, .max = 100, .about = "How much" },
    { "note", FIELD_STRING, .required = true, .nullable = true, .about = "In words" },
    { 0 },
};

const field_t jobs_job_fields[] = {
    ID_FIELD("The job"),
    KIND_FIELD,
    QUEUE_FIELD(.required = true, "Where it waits or waited"),
    STATE_FIELD,
    { "account", FIELD_STRING, .required = true, .nullable = true,
      .about = "Whose it is; null for a service's own" },
    { "priority", FIELD_INTEGER, .required = true, .min = 0, .max = JOBS_PRIORITIES - 1,
      .about = "0 goes first" },
    { "attempts", FIELD_INTEGER, .required = true, .min = 0, .max = 2147483647,
      .about = "Runs begun so far" },
    { "failures", FIELD_INTEGER, .required = true, .min = 0, .max = 32767,
      .about = "How many of them failed in a way that counts" },
    { "max_attempts", FIELD_INTEGER, .required = true, .min = 0, .max = 100,
      .about = "After so many failures it is dead" },
    { "replays", FIELD_INTEGER, .required = true, .min = 0, .max = 32767,
      .about = "How often it was taken out of the dead letters" },
    { "unique_key", FIELD_STRING, .required = true, .nullable = true, .about = "As enqueued" },
    { "order_key", FIELD_STRING, .required = true, .nullable = true, .about = "As enqueued" },
    { "parent_id", FIELD_INTEGER, .required = true, .nullable = true, .about = "Of a child" },
    TIME_FIELD("created_at", "When it was enqueued"),
    MAYBE_TIME_FIELD("run_at", "When it is due; null when it has ended"),
    MAYBE_TIME_FIELD("started_at", "When its last run began"),
    MAYBE_TIME_FIELD("finished_at", "When it ended"),
    { "error", FIELD_OBJECT, .required = true, .nullable = true, .fields = s_failure,
      .about = "Why its last run failed" },
    { "progress", FIELD_OBJECT, .nullable = true, .fields = s_progress,
      .about = "How far its last run is, as it says itself; not in lists" },
    { "payload", FIELD_ANY, .about = "What the method is called with; not in lists" },
    { "result", FIELD_ANY, .about = "What the method answered; not in lists" },
    { 0 },
};

#define READ_COMMON .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000

const method_t jobs_get = {
    .name = "get",
    .summary = "One job with its payload and its result",
    .about = "Jobs that are done are kept for a day, dead ones for a week.",
    .request = jobs_id_request,
    .reply = jobs_job_fields,
    .errors = jobs_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/jobs/{id}" },
};

static const field_t s_list_request[] = {
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { "state", FIELD_STRING, .choices = "live done", .preset = "\"live\"",
      .about = "Those that wait or run, or those that are done or cancelled; dead ones have a list "
               "of their own" },
    { "all", FIELD_BOOLEAN, .preset = "false",
      .about = "Those of every account; for administrators" },
    { 0 },
};

const field_t jobs_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = jobs_job_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t jobs_list = {
    .name = "list",
    .summary = "Lists jobs, the newest first",
    .request = s_list_request,
    .reply = jobs_list_reply,
    READ_COMMON,
    .http = { .route = "GET /v1/jobs" },
};

/* ---- the service ----------------------------------------------------------------------------- */

const service_t jobs_service = {
    .name = "jobs",
    .version = "1.0.0",
    .about = "Keeps work until it is done: calls of any service's methods, later, again after a "
             "failure, in order, at a rate, with what became of them",
    .methods = (const method_t *const[]){ &jobs_enqueue,
                                          &jobs_enqueue_many,
                                          &jobs_enqueue_as,
                                          &jobs_get,
                                          &jobs_list,
                                          &jobs_cancel,
                                          &jobs_progress,
                                          &jobs_queues,
                                          &jobs_queue_set,
                                          &jobs_dead,
                                          &jobs_dead_get,
                                          &jobs_dead_delete,
                                          &jobs_replay,
                                          &jobs_replay_many,
                                          &jobs_claim,
                                          &jobs_complete,
                                          &jobs_fail,
                                          &jobs_extend,
                                          &jobs_enqueue_family,
                                          &jobs_enqueue_family_as,
                                          &jobs_children,
                                          &jobs_schedule_put,
                                          &jobs_schedule_get,
                                          &jobs_schedule_list,
                                          &jobs_schedule_next,
                                          &jobs_schedule_fires,
                                          &jobs_schedule_delete,
                                          &jobs_schedule_pause,
                                          &jobs_schedule_resume,
                                          &jobs_schedule_run,
                                          NULL },
};
