/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics_traces - the rows by which traces are looked at
 */
#include "config.h"

#include "proto/metrics.h"

#define ADMIN       .access = ACCESS_USER, .role = "admin", .rate = "read"
#define DEADLINE_MS 5000

static const error_code_t s_unknown[] = { ERROR_NOT_FOUND, ERROR_NONE };

#define HEAD_FIELDS                                                                                \
    { "id", FIELD_STRING, .required = true, .pattern = METRICS_TRACE_PATTERN,                      \
      .about = "The trace's id" },                                                                 \
        { "name", FIELD_STRING, .required = true,                                                  \
          .about = "What began it, as far as is known here" },                                     \
        { "part", FIELD_STRING, .required = true, .about = "Which part that was" },                \
        { "started_at", FIELD_STRING, .required = true, .format = "date-time",                     \
          .about = "When its first span began" },                                                  \
        { "duration_us", FIELD_INTEGER, .required = true, .min = 0,                                \
          .about = "Microseconds until its last one ended" },                                      \
        { "is_failed", FIELD_BOOLEAN, .required = true,                                            \
          .about = "Whether something in it failed through no fault of the caller's" },            \
    {                                                                                              \
        "span_count", FIELD_INTEGER, .required = true, .min = 0, .about = "How many spans it has"  \
    }

/* ---- one ------------------------------------------------------------------------------------ */

static const field_t s_trace_request[] = {
    { "id", FIELD_STRING, .required = true, .pattern = METRICS_TRACE_PATTERN,
      .example = "\"0af7651916cd43dd8448eb211c80319c\"",
      .about = "The trace's id, which every answer tells in `traceparent`" },
    { 0 },
};

static const field_t s_spans[] = {
    { "id", FIELD_STRING, .required = true, .about = "The span's id" },
    { "parent_id", FIELD_STRING, .required = true, .nullable = true,
      .about = "That of the span it is a part of, which may be somebody else's; null: it began the "
               "trace" },
    { "part", FIELD_STRING, .required = true, .about = "edge, or the name of a service" },
    { "instance", FIELD_STRING, .required = true, .about = "Which of them" },
    { "name", FIELD_STRING, .required = true, .about = "What was done" },
    { "kind", FIELD_STRING, .required = true,
      .choices = "unspecified internal server client producer consumer",
      .about = "Which side of it, as OpenTelemetry has it" },
    { "start_us", FIELD_INTEGER, .required = true, .min = 0,
      .about = "When it began: microseconds since 1970, by its machine's clock" },
    { "duration_us", FIELD_INTEGER, .required = true, .min = 0, .about = "How long it took" },
    { "is_failed", FIELD_BOOLEAN, .required = true,
      .about = "Whether it failed through no fault of the caller's" },
    { "attributes", FIELD_OBJECT, .required = true, .open = true,
      .about = "What else is known, by OpenTelemetry's names" },
    { 0 },
};

static const field_t s_trace_reply[] = {
    HEAD_FIELDS,
    { "spans", FIELD_ARRAY, .required = true, .fields = s_spans, .about = "In no certain order" },
    { 0 },
};

const method_t metrics_trace = {
    .name = "trace",
    .summary = "What happened because of one request, with times",
    .about = "Of the traces that are kept: those in which something failed or was slow, and a "
             "share of all others (`bus.trace_per_million`). They are forgotten after a while "
             "(`metrics.trace_keep_s`).",
    .request = s_trace_request,
    .reply = s_trace_reply,
    .errors = s_unknown,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
    ADMIN,
    .http = { .route = "GET /v1/traces/{id}" },
};

/* ---- the last ones -------------------------------------------------------------------------- */

static const field_t s_traces_request[] = {
    { "failed", FIELD_BOOLEAN, .preset = "false", .about = "Only those that failed" },
    { "min_ms", FIELD_INTEGER, .preset = "0", .min = 0, .max = 86400000,
      .about = "Only those that took at least so many milliseconds" },
    { "limit", FIELD_INTEGER, .preset = "20", .min = 1, .max = METRICS_TRACES_LISTED,
      .about = "At most so many" },
    { 0 },
};

static const field_t s_listed[] = { HEAD_FIELDS, { 0 } };

static const field_t s_traces_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_listed,
      .about = "Those that were heard of last come first" },
    { 0 },
};

const method_t metrics_traces = {
    .name = "traces",
    .summary = "The last traces that were kept",
    .request = s_traces_request,
    .reply = s_traces_reply,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
    ADMIN,
    .http = { .route = "GET /v1/traces" },
};
