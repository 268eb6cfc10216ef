/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_schedules - the rows about schedules: jobs that are enqueued again and again
 */
#include "config.h"

#include "proto/jobs_fields.h"

#define SCHEDULE_NAME_FIELD                                                                        \
    {                                                                                              \
        "name", FIELD_STRING, .required = true, .min = 1, .max = JOBS_QUEUE_BYTES,                 \
                              .pattern = NAME_PATTERN, .example = "\"nightly-check\"",             \
                              .about = "The account's own name for the schedule"                   \
    }
/* `is` says whether they are required. */
#define WHEN_FIELDS                                                                                \
    {                                                                                              \
        "cron", FIELD_STRING,                                                                      \
            .required = true, .min = 1, .max = JOBS_CRON_BYTES, .example = "\"30 2 * * MON-FRI\"", \
            .about = "When: minute, hour, day of month, month, day of week, with the second "      \
                     "before them "                                                                \
                     "if there are six; or @hourly, @daily, @weekly, @monthly, @yearly"            \
    }

#define ZONE_FIELD(...)                                                                            \
    {                                                                                              \
        "zone", FIELD_STRING, __VA_ARGS__, .min = 1, .max = 64, .example = "\"Europe/Berlin\"",    \
                                           .about = "Whose clocks: an IANA time zone"              \
    }
#define CATCH_UP_FIELD(...)                                                                        \
    {                                                                                              \
        "catch_up", FIELD_INTEGER, __VA_ARGS__,                                                    \
            .min = 0, .max = 100,                                                                  \
            .about = "How many firings are made up, the last ones, when nobody was there to fire " \
                     "them within 30 seconds"                                                      \
    }
#define OVERLAP_FIELD(...)                                                                         \
    {                                                                                              \
        "overlap", FIELD_STRING, __VA_ARGS__,                                                      \
            .choices = "allow skip",                                                               \
            .about = "Whether a firing is skipped while the job of an earlier one is not over"     \
    }

static const error_code_t s_put_errors[] = { ERROR_UNPROCESSABLE, ERROR_FORBIDDEN,
                                             ERROR_CONFLICT,      ERROR_TOO_LARGE,
                                             ERROR_STORAGE_FULL,  ERROR_NONE };
static const error_code_t s_run_errors[] = { ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_STORAGE_FULL,
                                             ERROR_NONE };
static const error_code_t s_page_errors[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE, ERROR_NONE };

#define READ_COMMON  .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000
#define WRITE_COMMON .access = ACCESS_USER, .rate = "read", .deadline_ms = 10000

/* ---- putting --------------------------------------------------------------------------------- */

static const field_t s_put_request[] = {
    SCHEDULE_NAME_FIELD,
    WHEN_FIELDS,
    ZONE_FIELD(.preset = "\"UTC\""),
    CATCH_UP_FIELD(.preset = "0"),
    OVERLAP_FIELD(.preset = "\"allow\""),
    KIND_FIELD,
    PAYLOAD_FIELD,
    QUEUE_FIELD(.required = false, "Where its jobs wait; the queue named after the service when "
                                   "left out"),
    TRYING_FIELDS,
    { 0 },
};

static const field_t s_schedule[] = {
    SCHEDULE_NAME_FIELD,
    WHEN_FIELDS,
    ZONE_FIELD(.required = true),
    CATCH_UP_FIELD(.required = true),
    OVERLAP_FIELD(.required = true),
    KIND_FIELD,
    QUEUE_FIELD(.required = true, "Where its jobs wait"),
    TRYING_FIELDS,
    { "paused", FIELD_BOOLEAN, .required = true, .about = "Whether it is not fired" },
    MAYBE_TIME_FIELD("next_at", "When it is due next; null while it is paused"),
    MAYBE_TIME_FIELD("last_at", "The last due time that was fired"),
    { "missed", FIELD_INTEGER, .required = true, .min = 0, .max = WHOLE_MAX,
      .about = "Due times that were not fired because nobody was there" },
    TIME_FIELD("created_at", "When it was put first"),
    TIME_FIELD("updated_at", "When it was put last"),
    { "payload", FIELD_ANY, .about = "What its jobs are called with; not in lists" },
    { 0 },
};

const method_t jobs_schedule_put = {
    .name = "schedule_put",
    .summary = "Makes or changes a schedule",
    .about = "Each time it is due a job is enqueued, once, over any number of instances, in the "
             "name and with the rights of whoever put it last. Putting it again with the same "
             "`cron` and `zone` passes over nothing and repeats nothing; with others it begins "
             "anew. Whether it is paused stays. 201 when it is new.",
    .request = s_put_request,
    .reply = s_schedule,
    .errors = s_put_errors,
    WRITE_COMMON,
    .idempotent = true,
    .http = { .route = "PUT /v1/schedules/{name}" },
};

/* ---- looking at them ------------------------------------------------------------------------- */

static const field_t s_name_request[] = { SCHEDULE_NAME_FIELD, { 0 } };

const method_t jobs_schedule_get = {
    .name = "schedule_get",
    .summary = "One schedule",
    .request = s_name_request,
    .reply = s_schedule,
    .errors = jobs_missing,
    READ_COMMON,
    .http = { .route = "GET /v1/schedules/{name}" },
};

static const field_t s_list_request[] = { PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 } };

static const field_t s_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_schedule, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t jobs_schedule_list = {
    .name = "schedule_list",
    .summary = "Lists the account's schedules, the newest first",
    .request = s_list_request,
    .reply = s_list_reply,
    READ_COMMON,
    .http = { .route = "GET /v1/schedules" },
};

static const field_t s_next_request[] = {
    SCHEDULE_NAME_FIELD,
    { "count", FIELD_INTEGER, .preset = "5", .min = 1, .max = 100, .about = "How many" },
    { "after", FIELD_STRING, .format = "date-time",
      .about = "Those after this moment; after now when left out" },
    { 0 },
};

static const field_t s_next[] = {
    TIME_FIELD("at", "When it is due"),
    { "local", FIELD_STRING, .required = true, .format = "date-time",
      .example = "\"2026-03-29T03:00:00+02:00\"", .about = "The same as clocks there show it" },
    { 0 },
};

static const field_t s_next_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_next, .about = "The earliest first" },
    { 0 },
};

const method_t jobs_schedule_next = {
    .name = "schedule_next",
    .summary = "When a schedule is due next",
    .about = "As if it were not paused.",
    .request = s_next_request,
    .reply = s_next_reply,
    .errors = s_page_errors,
    READ_COMMON,
    .http = { .route = "GET /v1/schedules/{name}/next" },
};

static const field_t s_fires_request[] = {
    SCHEDULE_NAME_FIELD, PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 }
};

static const field_t s_fire[] = {
    TIME_FIELD("fire_at", "When it was due, or run out of turn"),
    TIME_FIELD("fired_at", "When that was seen"),
    { "job_id", FIELD_INTEGER, .required = true, .nullable = true, .min = 1, .max = WHOLE_MAX,
      .about = "The job; null when it was skipped because an earlier one was not over" },
    { 0 },
};

static const field_t s_fires_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_fire, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t jobs_schedule_fires = {
    .name = "schedule_fires",
    .summary = "What became of a schedule's due times",
    .about = "Kept for a week.",
    .request = s_fires_request,
    .reply = s_fires_reply,
    .errors = s_page_errors,
    READ_COMMON,
    .http = { .route = "GET /v1/schedules/{name}/fires" },
};

/* ---- changing them --------------------------------------------------------------------------- */

const method_t jobs_schedule_delete = {
    .name = "schedule_delete",
    .summary = "Deletes a schedule",
    .about = "Its jobs stay.",
    .request = s_name_request,
    .errors = jobs_missing,
    WRITE_COMMON,
    .http = { .route = "DELETE /v1/schedules/{name}", .status = 204 },
};

const method_t jobs_schedule_pause = {
    .name = "schedule_pause",
    .summary = "Pauses a schedule",
    .request = s_name_request,
    .reply = s_schedule,
    .errors = jobs_missing,
    WRITE_COMMON,
    .idempotent = true,
    .http = { .route = "POST /v1/schedules/{name}/pause" },
};

const method_t jobs_schedule_resume = {
    .name = "schedule_resume",
    .summary = "Lets a paused schedule go on",
    .about = "From now: what was due meanwhile is not missed.",
    .request = s_name_request,
    .reply = s_schedule,
    .errors = jobs_missing,
    WRITE_COMMON,
    .idempotent = true,
    .http = { .route = "POST /v1/schedules/{name}/resume" },
};

const method_t jobs_schedule_run = {
    .name = "schedule_run",
    .summary = "Enqueues a schedule's job now, out of turn",
    .about = "Also while it is paused.",
    .request = s_name_request,
    .reply = jobs_receipt_fields,
    .errors = s_run_errors,
    .access = ACCESS_USER,
    .rate = JOBS_ENQUEUE_RATE,
    .deadline_ms = 10000,
    .http = { .route = "POST /v1/schedules/{name}/run", .status = 202 },
};
