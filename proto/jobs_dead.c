/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_dead - dead letters; cancelling; how far a run is
 */
#include "config.h"

#include "proto/jobs_fields.h"

static const error_code_t s_taken[] = { ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_NONE };

#define CHANGE_COMMON .access = ACCESS_USER, .rate = "read", .deadline_ms = 10000

/* ---- cancelling ------------------------------------------------------------------------------ */

static const field_t s_state_reply[] = { ID_FIELD("The job"), STATE_FIELD, { 0 } };

const method_t jobs_cancel = {
    .name = "cancel",
    .summary = "Cancels a job",
    .about = "One that waits is cancelled at once. One that runs is told so, and its answer is not "
             "waited for: the state is `running` until that has been written down.",
    .request = jobs_id_request,
    .reply = s_state_reply,
    .errors = jobs_missing,
    CHANGE_COMMON,
    .idempotent = true,
    .http = { .route = "POST /v1/jobs/{id}/cancel" },
};

/* ---- progress -------------------------------------------------------------------------------- */

static const field_t s_progress_request[] = {
    ID_FIELD("Which job"),
    FENCE_FIELD,
    { "percent", FIELD_INTEGER, .required = true, .min = 0, .max = 100, .about = "How much" },
    { "note", FIELD_STRING, .max = 200, .about = "In words" },
    { 0 },
};

const method_t jobs_progress = {
    .name = "progress",
    .summary = "Tells how far a run is",
    .about = "For the service that runs the job; refused when it is not the present run any more.",
    .request = s_progress_request,
    .errors = jobs_stale,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = 5000,
};

/* ---- dead letters ---------------------------------------------------------------------------- */

static const field_t s_list_request[] = {
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { "all", FIELD_BOOLEAN, .preset = "false",
      .about = "Those of every account; for administrators" },
    { 0 },
};

const method_t jobs_dead = {
    .name = "dead",
    .summary = "Lists jobs that failed for good, the newest first",
    .request = s_list_request,
    .reply = jobs_list_reply,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "GET /v1/dead" },
};

const method_t jobs_dead_get = {
    .name = "dead_get",
    .summary = "One job that failed for good, with its payload",
    .request = jobs_id_request,
    .reply = jobs_job_fields,
    .errors = jobs_missing,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "GET /v1/dead/{id}" },
};

const method_t jobs_dead_delete = {
    .name = "dead_delete",
    .summary = "Deletes a job that failed for good",
    .request = jobs_id_request,
    .errors = jobs_missing,
    CHANGE_COMMON,
    .http = { .route = "DELETE /v1/dead/{id}", .status = 204 },
};

const method_t jobs_replay = {
    .name = "replay",
    .summary = "Runs a job again that failed for good",
    .about = "It keeps its id and begins with a clean sheet. When another job has its unique key "
             "by now, it stays where it is.",
    .request = jobs_id_request,
    .reply = s_state_reply,
    .errors = s_taken,
    CHANGE_COMMON,
    .http = { .route = "POST /v1/dead/{id}/replay", .status = 202 },
};

static const field_t s_replay_request[] = {
    { "kind", FIELD_STRING, .max = JOBS_KIND_BYTES, .preset = "\"\"",
      .about = "Only of this kind" },
    { "queue", FIELD_STRING, .max = JOBS_QUEUE_BYTES, .preset = "\"\"",
      .about = "Only of this queue" },
    { "code", FIELD_STRING, .max = 40, .preset = "\"\"", .example = "\"DEADLINE\"",
      .about = "Only those that failed with this error" },
    { "after", FIELD_INTEGER, .preset = "0", .min = 0, .max = WHOLE_MAX,
      .about = "Only ids behind this one: `next_after` of the answer before" },
    { "until", FIELD_INTEGER, .preset = "0", .min = 0, .max = WHOLE_MAX,
      .about = "Only ids up to this one; 0 is no end" },
    { "limit", FIELD_INTEGER, .preset = "100", .min = 1, .max = JOBS_REPLAYS_MAX,
      .about = "At most so many at once" },
    { "dry_run", FIELD_BOOLEAN, .preset = "false", .about = "Only say which that would be" },
    { "all", FIELD_BOOLEAN, .preset = "false",
      .about = "Those of every account; for administrators" },
    { 0 },
};

static const field_t s_collision[] = {
    ID_FIELD("The dead job"),
    { "rival", FIELD_INTEGER, .required = true, .min = 0, .max = WHOLE_MAX,
      .about = "The job that has its unique key; 0 when that has just ended" },
    { 0 },
};

static const field_t s_replay_reply[] = {
    { "ids", FIELD_ARRAY, .required = true, .items = FIELD_INTEGER,
      .about = "What is run again, or would be" },
    { "collisions", FIELD_ARRAY, .required = true, .fields = s_collision,
      .about = "What stays dead because another job has its unique key" },
    { "next_after", FIELD_INTEGER, .required = true, .nullable = true,
      .about = "Where to go on; null when that was all" },
    { 0 },
};

const method_t jobs_replay_many = {
    .name = "replay_many",
    .summary = "Runs jobs again that failed for good",
    .about = "All conditions together have to hold.",
    .request = s_replay_request,
    .reply = s_replay_reply,
    CHANGE_COMMON,
    .http = { .route = "POST /v1/dead/replay" },
};
