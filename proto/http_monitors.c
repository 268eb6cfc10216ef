/* SPDX-License-Identifier: MPL-2.0
 *
 * http_monitors - the rows of URLs that are looked at every so often
 */
#include "config.h"

#include "proto/http_fields.h"

#define COMMON .access = ACCESS_USER, .scope = "monitors", .rate = "read"

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_STORAGE_FULL, ERROR_NONE };

#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .format = "date-time",                              \
                             .example = "\"2026-01-31T08:15:00.000Z\"", .about = (text)            \
    }
#define ID_FIELD                                                                                   \
    {                                                                                              \
        "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The monitor"             \
    }
#define NAME_FIELD(is)                                                                             \
    {                                                                                              \
        "name", FIELD_STRING, is, .min = 1, .max = 100, .example = "\"Shop\"",                     \
                                  .about = "What it is called"                                     \
    }
#define INTERVAL_FIELD(is)                                                                         \
    {                                                                                              \
        "interval_s", FIELD_INTEGER, is, .min = HTTP_INTERVAL_S_MIN, .max = 86400,                 \
                                         .example = "60", .about = "Seconds between two looks"     \
    }
#define CONFIRMATIONS_FIELD(is)                                                                    \
    {                                                                                              \
        "confirmations", FIELD_INTEGER, is, .min = 1, .max = 10,                                   \
                                            .about = "How many looks in a row must find it down "  \
                                                     "before it is"                                \
    }

#define MONITOR_SHOWN                                                                              \
    ID_FIELD, NAME_FIELD(.required = true),                                                        \
        { "url", FIELD_STRING, .required = true, .about = "What is asked for" },                   \
        { "method", FIELD_STRING, .required = true, .choices = "GET HEAD", .about = "How" },       \
        { "timeout_ms", FIELD_INTEGER, .required = true, .about = "How long it may take" },        \
        { "redirects", FIELD_INTEGER, .required = true, .about = "How many are followed" },        \
        { "expect", FIELD_OBJECT, .required = true, .fields = http_expect_fields,                  \
          .about = "What the answer has to be" },                                                  \
        INTERVAL_FIELD(.required = true), CONFIRMATIONS_FIELD(.required = true),                   \
        { "paused", FIELD_BOOLEAN, .required = true, .about = "Whether nobody looks" },            \
        { "status", FIELD_STRING, .required = true, .choices = "unknown up down",                  \
          .about = "What enough looks have found" },                                               \
        { "failures", FIELD_INTEGER, .required = true,                                             \
          .about = "How many of the last looks in a row found it down" },                          \
        TIME_FIELD("since", "Since when it has been so"),                                          \
        TIME_FIELD("created_at", "When it was made"),                                              \
        TIME_FIELD("updated_at", "When it was last changed")

static const field_t s_monitor[] = { MONITOR_SHOWN, { 0 } };

static const field_t s_uptime[] = {
    { "day", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "Percent of the looks of 24 hours; null when there were none" },
    { "week", FIELD_NUMBER, .required = true, .nullable = true, .about = "Of 7 days" },
    { 0 },
};

static const field_t s_latency[] = {
    { "p50_ms", FIELD_NUMBER, .required = true, .nullable = true, .about = "The median" },
    { "p95_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "95 percent are faster" },
    { "p99_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "99 percent are faster" },
    { 0 },
};

static const field_t s_change[] = {
    TIME_FIELD("at", "When"),
    { "status", FIELD_STRING, .required = true, .choices = "up down", .about = "To what" },
    { "detail", FIELD_STRING, .required = true, .nullable = true, .about = "Why" },
    { 0 },
};

static const field_t s_issue[] = {
    { "rule", FIELD_STRING, .required = true, .example = "\"MN103\"", .about = "Which rule" },
    { "severity", FIELD_STRING, .required = true, .choices = "error warning",
      .about = "How bad it is" },
    { "evidence", FIELD_STRING, .required = true, .about = "What was seen" },
    { "fix", FIELD_STRING, .required = true, .about = "What to do" },
    { 0 },
};

static const field_t s_report[] = {
    MONITOR_SHOWN,
    { "uptime", FIELD_OBJECT, .required = true, .fields = s_uptime, .about = "How often it is up" },
    { "latency", FIELD_OBJECT, .required = true, .fields = s_latency,
      .about = "How long it took when it was up, in 24 hours" },
    { "changes", FIELD_ARRAY, .required = true, .fields = s_change,
      .about = "Of its status, the newest first, at most 20" },
    { "issues", FIELD_ARRAY, .required = true, .fields = s_issue,
      .about = "What is odd about the last looks" },
    { 0 },
};

static const field_t s_create_request[] = {
    NAME_FIELD(.required = true),
    HTTP_TARGET_FIELDS,
    INTERVAL_FIELD(.preset = "60"),
    CONFIRMATIONS_FIELD(.preset = "2"),
    { 0 },
};

const method_t http_monitor_create = {
    .name = "monitor_create",
    .summary = "Has an URL looked at every so often",
    .about = "A change of its status is told to webhooks (monitor.down, monitor.up) and on "
             "/v1/events.",
    .request = s_create_request,
    .reply = s_monitor,
    .errors = s_unfit,
    COMMON,
    .http = { .route = "POST /v1/monitors", .status = 201, .location = "/v1/monitors/{id}" },
};

static const field_t s_list_request[] = {
    { "status", FIELD_STRING, .choices = "unknown up down", .about = "Only those that are so" },
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { 0 },
};

static const field_t s_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_monitor, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t http_monitors = {
    .name = "monitors",
    .summary = "Monitors of the account",
    .request = s_list_request,
    .reply = s_list_reply,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/monitors" },
};

static const field_t s_id_request[] = { ID_FIELD, { 0 } };

const method_t http_monitor = {
    .name = "monitor",
    .summary = "One monitor: uptime, latency, changes, and what is odd",
    .request = s_id_request,
    .reply = s_report,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/monitors/{id}" },
};

static const field_t s_update_request[] = {
    ID_FIELD,
    NAME_FIELD(.required = false),
    INTERVAL_FIELD(.required = false),
    CONFIRMATIONS_FIELD(.required = false),
    { "expect", FIELD_OBJECT, .fields = http_expect_fields, .about = "What the answer has to be" },
    { "paused", FIELD_BOOLEAN, .about = "Whether nobody looks" },
    { 0 },
};

const method_t http_monitor_update = {
    .name = "monitor_update",
    .summary = "Changes a monitor, pauses it, or takes it up again",
    .request = s_update_request,
    .reply = s_monitor,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "PATCH /v1/monitors/{id}" },
};

const method_t http_monitor_delete = {
    .name = "monitor_delete",
    .summary = "Ends a monitor, with all it has found",
    .request = s_id_request,
    .errors = s_missing,
    COMMON,
    .http = { .route = "DELETE /v1/monitors/{id}", .status = 204 },
};

static const field_t s_checks_request[] = {
    ID_FIELD,
    { "up", FIELD_BOOLEAN, .about = "Only those that found it up, or down" },
    { "since", FIELD_STRING, .format = "date-time", .about = "Only those from then on" },
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { 0 },
};

static const field_t s_look[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The look" },
    TIME_FIELD("at", "When"),
    { "result", FIELD_OBJECT, .required = true, .fields = http_result_fields,
      .about = "As `http.check` answers it" },
    { 0 },
};

static const field_t s_checks_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_look, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t http_monitor_checks = {
    .name = "monitor_checks",
    .summary = "What a monitor has found",
    .request = s_checks_request,
    .reply = s_checks_reply,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/monitors/{id}/checks" },
};

static const field_t s_run_reply[] = {
    { "looked", FIELD_BOOLEAN, .required = true, .about = "Whether the monitor was still there" },
    { 0 },
};

const method_t http_monitor_run = {
    .name = "monitor_run",
    .summary = "Looks once, and keeps what was found",
    .request = s_id_request,
    .reply = s_run_reply,
    .access = ACCESS_INTERNAL,
    .deadline_ms = HTTP_CHECK_MS_MAX + 5000,
};
