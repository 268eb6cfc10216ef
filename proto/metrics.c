/* SPDX-License-Identifier: MPL-2.0
 *
 * metrics - the rows of the service that knows what every instance counts
 */
#include "config.h"

#include "proto/metrics.h"

#define ADMIN       .access = ACCESS_USER, .role = "admin", .rate = "read"
#define DEADLINE_MS 5000

/* ---- for Prometheus ------------------------------------------------------------------------- */

static const field_t s_text_request[] = {
    { "format", FIELD_STRING, .choices = METRICS_TEXT " " METRICS_OPENMETRICS,
      .preset = "\"" METRICS_TEXT "\"",
      .about = "Prometheus' own text, version 0.0.4, or OpenMetrics 1.0" },
    { 0 },
};

static const field_t s_text_reply[] = {
    { "text", FIELD_STRING, .required = true, .about = "What Prometheus reads" },
    { 0 },
};

const method_t metrics_text = {
    .name = "text",
    .summary = "What all instances count, as Prometheus reads it",
    .request = s_text_request,
    .reply = s_text_reply,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
};

/* ---- for people ----------------------------------------------------------------------------- */

#define RATE(field, text)                                                                          \
    {                                                                                              \
        field, FIELD_NUMBER, .required = true, .min = 0, .max = 1e15, .about = (text)              \
    }
#define COUNT(field, text)                                                                         \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991, .about = (text) \
    }
#define PACE                                                                                       \
    RATE("requests_per_s", "Requests a second"),                                                   \
        RATE("errors_per_s", "Of them, those that failed through no fault of the caller's"),       \
        RATE("error_ratio", "Their share, 0 to 1"),                                                \
        COUNT("p50_us", "Half of the requests took at most so many microseconds"),                 \
        COUNT("p95_us", "95 of 100 took at most so many"),                                         \
        COUNT("p99_us", "99 of 100 took at most so many")

static const field_t s_parts[] = {
    { "part", FIELD_STRING, .required = true, .about = "edge, broker, or the name of a service" },
    COUNT("instances", "Instances that are heard of"),
    COUNT("down", "Instances that fell silent and have not been forgotten yet"),
    PACE,
    COUNT("in_flight", "Requests under way"),
    { 0 },
};

static const field_t s_instances[] = {
    { "part", FIELD_STRING, .required = true, .about = "What it is an instance of" },
    { "instance", FIELD_STRING, .required = true, .about = "Its name" },
    { "up", FIELD_BOOLEAN, .required = true, .about = "Whether it is heard of" },
    { "down", FIELD_INTEGER, .required = true, .min = 0, .max = 1,
      .about = "1 when it fell silent without having left" },
    COUNT("uptime_s", "Seconds since it started"),
    COUNT("restarts", "How often it has been seen to start anew"),
    COUNT("silent_s", "Seconds since it was heard of"),
    PACE,
    COUNT("in_flight", "Requests under way"),
    RATE("cpu_ratio", "Processors in use by its process, if it tells for it, 1 being one of them"),
    COUNT("memory_bytes", "Memory in use by its process, if it tells for it"),
    { 0 },
};

static const field_t s_routes[] = {
    { "method", FIELD_STRING, .required = true, .about = "The verb" },
    { "route", FIELD_STRING, .required = true, .about = "The path, with its parameters in braces" },
    PACE,
    { 0 },
};

static const field_t s_queues[] = {
    { "service", FIELD_STRING, .required = true, .about = "Whose queue it is" },
    COUNT("depth", "Requests that wait for an instance"),
    COUNT("credit", "Requests that the instances would take now"),
    COUNT("instances", "Instances that take requests"),
    { 0 },
};

static const field_t s_jobs[] = {
    RATE("started_per_s", "Runs begun a second"),
    RATE("dead_per_s", "Jobs a second that failed for good"),
    COUNT("running", "Jobs being run"),
    { 0 },
};

static const field_t s_new_errors[] = {
    { "fingerprint", FIELD_STRING, .required = true, .format = "uuid", .about = "The group" },
    { "code", FIELD_STRING, .required = true, .about = "What kind of failure" },
    { "part", FIELD_STRING, .required = true, .about = "Who failed" },
    { "method", FIELD_STRING, .required = true, .about = "In what" },
    { "message", FIELD_STRING, .required = true, .about = "What was said, by its likeness" },
    COUNT("count", "How often"),
    { "first_seen", FIELD_STRING, .required = true, .format = "date-time",
      .about = "When it was met first" },
    { "last_seen", FIELD_STRING, .required = true, .format = "date-time",
      .about = "When it was met last" },
    { "instances", FIELD_ARRAY, .required = true, .items = FIELD_STRING,
      .about = "Who told of it" },
    { 0 },
};

static const field_t s_alerts[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid",
      .about = "The alert, by which it counts once" },
    { "name", FIELD_STRING, .required = true, .about = "The rule" },
    { "severity", FIELD_STRING, .required = true, .choices = "warning critical",
      .about = "How bad it is" },
    { "status", FIELD_STRING, .required = true, .choices = "firing resolved",
      .about = "Whether it goes on" },
    { "about", FIELD_STRING, .required = true, .about = "What is the case" },
    { "labels", FIELD_OBJECT, .required = true, .open = true,
      .about = "Where: the instance, the route ..." },
    { "value", FIELD_NUMBER, .required = true, .about = "What was measured" },
    { "above", FIELD_NUMBER, .required = true, .about = "What would be too much" },
    { "since", FIELD_STRING, .required = true, .format = "date-time", .about = "When it began" },
    { 0 },
};

static const field_t s_summary_reply[] = {
    { "at", FIELD_STRING, .required = true, .format = "date-time", .about = "When this was so" },
    { "parts", FIELD_ARRAY, .required = true, .fields = s_parts,
      .about = "All of a kind together" },
    { "instances", FIELD_ARRAY, .required = true, .fields = s_instances, .about = "Each of them" },
    { "routes", FIELD_ARRAY, .required = true, .fields = s_routes,
      .about = "What is asked over HTTP, the busiest first" },
    { "queues", FIELD_ARRAY, .required = true, .fields = s_queues,
      .about = "What waits in the brokers" },
    { "jobs", FIELD_OBJECT, .required = true, .fields = s_jobs, .about = "Jobs of all queues" },
    { "new_errors", FIELD_ARRAY, .required = true, .fields = s_new_errors,
      .about = "Groups of failures that were not known five minutes ago" },
    { "alerts", FIELD_ARRAY, .required = true, .fields = s_alerts,
      .about = "Rules that are broken" },
    { 0 },
};

const method_t metrics_summary = {
    .name = "summary",
    .summary = "How the whole system does now: rates, times, queues",
    .about = "Rates and times are those between the last two snapshots of each instance.",
    .reply = s_summary_reply,
    .idempotent = true,
    .deadline_ms = DEADLINE_MS,
    ADMIN,
    .http = { .route = "GET /v1/admin/metrics/summary" },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t metrics_service = {
    .name = "metrics",
    .version = "1.0.0",
    .about = "Knows what every instance counts, what fails, and what happened because of a request",
    .methods =
        (const method_t *const[]){ &metrics_text, &metrics_summary, &metrics_errors, &metrics_error,
                                   &metrics_forget_error, &metrics_trace, &metrics_traces, NULL },
};
