/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics_errors - the rows about failures of ours, grouped by what they are
 */
#include "config.h"

#include "proto/metrics.h"
#include "proto/page.h"

#define COMMON      .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read"
#define DEADLINE_MS 5000

#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .format = "date-time", .about = (text)              \
    }
#define FINGERPRINT_FIELD                                                                          \
    {                                                                                              \
        "fingerprint", FIELD_STRING,                                                               \
            .required = true, .format = "uuid",                                                    \
            .about = "The group: a hash of code, part, method and message"                         \
    }
#define GROUP_FIELDS                                                                               \
    FINGERPRINT_FIELD,                                                                             \
        { "code", FIELD_STRING, .required = true, .about = "What kind of failure" },               \
        { "part", FIELD_STRING, .required = true, .about = "Who failed: a service, or edge" },     \
        { "method", FIELD_STRING, .required = true, .about = "In what" },                          \
        { "message", FIELD_STRING, .required = true,                                               \
          .about = "What was said, with <id>, <address>, <time> and <n> where it differs" },       \
        { "count",  FIELD_INTEGER,           .required = true,                                     \
          .min = 1, .max = 9007199254740991, .about = "How often it was told of" },                \
        TIME_FIELD("first_seen", "When it was met first"),                                         \
        TIME_FIELD("last_seen", "When it was met last"),                                           \
    {                                                                                              \
        "instances", FIELD_ARRAY, .required = true, .items = FIELD_STRING,                         \
                                  .about = "Who told of it, at most 16 of them"                    \
    }

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_bad_cursor[] = { ERROR_UNPROCESSABLE, ERROR_NONE };

/* ---- the list ------------------------------------------------------------------------------- */

static const field_t s_list_request[] = {
    { "part", FIELD_STRING, .min = 1, .max = 64, .about = "Only those of this part" },
    { "code", FIELD_STRING, .min = 1, .max = 64, .about = "Only those of this code" },
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { 0 },
};

static const field_t s_groups[] = { GROUP_FIELDS, { 0 } };

static const field_t s_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_groups,
      .about = "Those met last come first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t metrics_errors = {
    .name = "errors",
    .summary = "Failures of ours, grouped by what they are",
    .about = "Kept in memory: since this instance of the service has started.",
    .request = s_list_request,
    .reply = s_list_reply,
    .errors = s_bad_cursor,
    COMMON,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
    .http = { .route = "GET /v1/errors" },
};

/* ---- one ------------------------------------------------------------------------------------ */

static const field_t s_breadcrumbs[] = {
    TIME_FIELD("at", "When it was logged"),
    { "level", FIELD_STRING, .required = true, .choices = "debug info warn error",
      .about = "Its severity" },
    { "event", FIELD_STRING, .required = true, .about = "What the line is about" },
    { "text", FIELD_STRING, .required = true, .about = "Its fields" },
    { 0 },
};

static const field_t s_sample[] = {
    { "code", FIELD_STRING, .required = true, .about = "As that of the group" },
    { "part", FIELD_STRING, .required = true, .about = "As that of the group" },
    { "method", FIELD_STRING, .required = true, .about = "As that of the group" },
    { "message", FIELD_STRING, .required = true, .about = "What was said, as it was said" },
    { "version", FIELD_STRING, .required = true, .about = "Of the program that told of it" },
    { "request_id", FIELD_STRING, .required = true, .about = "The request; empty when unknown" },
    { "trace_id", FIELD_STRING, .required = true, .about = "Its trace; empty when unknown" },
    { "span_id", FIELD_STRING, .required = true, .about = "Its span; empty when unknown" },
    { "breadcrumbs", FIELD_ARRAY, .required = true, .fields = s_breadcrumbs,
      .about = "What was logged about the request before, the oldest first" },
    { 0 },
};

static const field_t s_one_request[] = { FINGERPRINT_FIELD, { 0 } };

static const field_t s_one_reply[] = {
    GROUP_FIELDS,
    { "last_instance", FIELD_STRING, .required = true, .about = "Who told of the last one" },
    { "sample", FIELD_OBJECT, .required = true, .fields = s_sample, .about = "The last one" },
    { 0 },
};

const method_t metrics_error = {
    .name = "error",
    .summary = "A group of failures, with the last of them",
    .request = s_one_request,
    .reply = s_one_reply,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
    .http = { .route = "GET /v1/errors/{fingerprint}" },
};

const method_t metrics_forget_error = {
    .name = "forget_error",
    .summary = "Forgets a group of failures that is dealt with",
    .about = "Should it be met again, it is new.",
    .request = s_one_request,
    .errors = s_missing,
    COMMON,
    .deadline_ms = DEADLINE_MS,
    .http = { .route = "DELETE /v1/errors/{fingerprint}", .status = 204 },
};
