/* SPDX-License-Identifier: MPL-2.0
 *
 * http - the rows of the service that looks whether others answer, and which hosts are given a rest
 */
#include "config.h"

#include "proto/http_fields.h"

#define CHECK_DEADLINE_MS (HTTP_CHECK_MS_MAX + 5000)

static const error_code_t s_check_errors[] = { ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_full[] = { ERROR_UNPROCESSABLE, ERROR_NONE };

const field_t http_expect_fields[] = {
    { "status", FIELD_ARRAY, .items = FIELD_INTEGER, .min = 1, .max = HTTP_STATUSES_MAX,
      .example = "[200, 204]", .about = "One of these; any 2xx when it is left out" },
    { "contains", FIELD_STRING, .min = 1, .max = 500,
      .about = "The body, up to `outbound.answer_bytes`, holds this text" },
    { "max_ms", FIELD_INTEGER, .min = 1, .max = HTTP_CHECK_MS_MAX,
      .about = "It does not take longer" },
    { "certificate_days", FIELD_INTEGER, .min = 0, .max = 3650,
      .about = "No certificate ends within so many days" },
    { 0 },
};

static const field_t s_timings[] = {
    { "dns_ms", FIELD_NUMBER, .required = true, .about = "Until the address was known" },
    { "connect_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "Until there was a connection" },
    { "tls_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "Until it was secured; null without TLS" },
    { "first_byte_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "Until the answer began" },
    { "total_ms", FIELD_NUMBER, .required = true, .about = "Until it had all come" },
    { 0 },
};

const field_t http_result_fields[] = {
    { "up", FIELD_BOOLEAN, .required = true, .about = "Whether all that was expected held" },
    { "reason", FIELD_STRING, .required = true, .nullable = true, .choices = HTTP_REASONS,
      .about = "What did not; null when it is up" },
    { "detail", FIELD_STRING, .required = true, .nullable = true, .about = "The same in words" },
    { "status", FIELD_INTEGER, .required = true, .nullable = true, .about = "Of the answer" },
    { "timings", FIELD_OBJECT, .required = true, .fields = s_timings,
      .about =
          "Milliseconds since the request, or since the last redirect, each with those before" },
    { "size", FIELD_INTEGER, .required = true, .about = "Bytes of the body that were read" },
    { "redirects", FIELD_INTEGER, .required = true, .about = "Redirects that were followed" },
    { "address", FIELD_STRING, .required = true, .nullable = true,
      .about = "Which address answered" },
    { "certificate_expires_at", FIELD_STRING, .required = true, .nullable = true,
      .format = "date-time", .about = "When the first of its certificates ends" },
    { 0 },
};

static const field_t s_check_request[] = { HTTP_TARGET_FIELDS, { 0 } };

const method_t http_check = {
    .name = "check",
    .summary = "Asks an URL, and says whether the answer was what was expected",
    .about = "Over a connection of its own, so that the times are those a new caller would see.",
    .request = s_check_request,
    .reply = http_result_fields,
    .errors = s_check_errors,
    .access = ACCESS_USER,
    .rate = "read",
    .idempotent = true,
    .deadline_ms = CHECK_DEADLINE_MS,
};

/* ---- sending what is told of the system --------------------------------------------------- */

static const field_t s_send_request[] = {
    { "url", FIELD_STRING, .required = true, .min = 1, .max = 2048, .about = "Where to" },
    { "headers", FIELD_ARRAY, .items = FIELD_STRING, .max = HTTP_SEND_HEADERS_MAX,
      .about = "Each as `Name: value`" },
    { "content_type", FIELD_STRING, .required = true, .pattern = "^[!-~ ]{3,200}$",
      .about = "What the body is" },
    { "body", FIELD_STRING, .required = true, .max = HTTP_SEND_BODY_MAX, .about = "The body" },
    { "timeout_ms", FIELD_INTEGER, .preset = "10000", .min = 100, .max = HTTP_CHECK_MS_MAX,
      .about = "How long it may take" },
    { "ask_header", FIELD_STRING, .pattern = "^[A-Za-z0-9-]{1,64}$",
      .about = "Name of a header of the answer that is to be told" },
    { "ask_body", FIELD_INTEGER, .preset = "0", .min = 0, .max = HTTP_SEND_TOLD_MAX,
      .about = "Bytes of the answer's body that are to be told" },
    { 0 },
};

static const field_t s_send_reply[] = {
    { "header", FIELD_STRING, .about = "The one that was asked for, if there is one" },
    { "body", FIELD_ANY, .about = "As much of the body as was asked for, as bytes" },
    { "status", FIELD_INTEGER, .required = true, .about = "Of the answer" },
    { "retry_after_ms", FIELD_INTEGER, .required = true,
      .about = "After how long the receiver wants to be asked again; 0: it has not said" },
    { 0 },
};

const method_t http_send = {
    .name = "send",
    .summary = "Posts a body to a collector of what is told of the system",
    .about = "Succeeds whatever the answer is. A receiver that has no public address must be named "
             "in `http.collectors`.",
    .request = s_send_request,
    .reply = s_send_reply,
    .errors = s_check_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = CHECK_DEADLINE_MS,
};

/* ---- fetching ----------------------------------------------------------------------------- */

static const field_t s_fetch_request[] = {
    { "url", FIELD_STRING, .required = true, .min = 1, .max = 2048, .about = "What is fetched" },
    { "accept", FIELD_STRING, .preset = "\"*/*\"", .pattern = "^[!-~ ]{1,200}$",
      .about = "Which media types" },
    { "timeout_ms", FIELD_INTEGER, .preset = "10000", .min = 100, .max = HTTP_CHECK_MS_MAX,
      .about = "How long it may take" },
    { "most", FIELD_INTEGER, .preset = "65536", .min = 1, .max = HTTP_FETCH_BYTES_MAX,
      .about = "Bytes of the body that are read" },
    { 0 },
};

static const field_t s_fetch_reply[] = {
    { "status", FIELD_INTEGER, .required = true, .about = "Of the answer" },
    { "retry_after_ms", FIELD_INTEGER, .required = true,
      .about = "After how long the server wants to be asked again; 0: it has not said" },
    { "cut", FIELD_BOOLEAN, .required = true, .about = "Whether there was more than that" },
    { "body", FIELD_ANY, .required = true, .about = "The body, as bytes" },
    { 0 },
};

const method_t http_fetch = {
    .name = "fetch",
    .summary = "Fetches what is at an URL",
    .about = "Succeeds whatever the answer is. Redirects are followed, each judged like the first "
             "address.",
    .request = s_fetch_request,
    .reply = s_fetch_reply,
    .errors = s_check_errors,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = CHECK_DEADLINE_MS,
};

/* ---- hosts that are given a rest --------------------------------------------------------- */

#define HOST_FIELD                                                                                 \
    {                                                                                              \
        "host", FIELD_STRING, .required = true, .pattern = "^[a-z0-9.:\\[\\]-]{3,262}$",           \
                              .example = "\"example.com:443\"", .about = "Host and port"           \
    }

static const field_t s_breaker[] = {
    HOST_FIELD,
    { "state", FIELD_STRING, .required = true, .choices = "closed open half_open",
      .about = "Whether it is called: `open` is not, `half_open` is tried once" },
    { "forced", FIELD_STRING, .required = true, .choices = "auto open closed",
      .about = "Whether an operator has said so" },
    { "failures", FIELD_INTEGER, .required = true, .about = "In a row" },
    { "in_flight", FIELD_INTEGER, .required = true, .about = "Calls of this instance under way" },
    { "retry_at", FIELD_STRING, .required = true, .nullable = true, .format = "date-time",
      .about = "When it is tried again" },
    { "changed_at", FIELD_STRING, .required = true, .nullable = true, .format = "date-time",
      .about = "When that was last otherwise" },
    { 0 },
};

static const field_t s_breakers_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_breaker,
      .about = "Hosts that have failed of late, or that are forced" },
    { 0 },
};

#define ADMIN_COMMON .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read"

const method_t http_breakers = {
    .name = "breakers",
    .summary = "Hosts that are given a rest",
    .reply = s_breakers_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/breakers" },
};

static const field_t s_breaker_set_request[] = {
    HOST_FIELD,
    { "forced", FIELD_STRING, .required = true, .choices = "auto open closed",
      .about = "`open`: not called; `closed`: called whatever happens; `auto`: as it turns out" },
    { 0 },
};

const method_t http_breaker_set = {
    .name = "breaker_set",
    .summary = "Forces a host's circuit breaker open or closed, or lets go of it",
    .about = "Holds for all instances, as long as one of them runs.",
    .request = s_breaker_set_request,
    .reply = s_breaker,
    .errors = s_full,
    ADMIN_COMMON,
    .sensitive = true,
    .idempotent = true,
    .http = { .route = "PUT /v1/admin/breakers/{host}" },
};

static const method_t *const s_methods[] = { &http_check,
                                             &http_send,
                                             &http_fetch,
                                             &http_breakers,
                                             &http_breaker_set,
                                             &http_monitor_create,
                                             &http_monitors,
                                             &http_monitor,
                                             &http_monitor_update,
                                             &http_monitor_delete,
                                             &http_monitor_checks,
                                             &http_monitor_run,
                                             NULL };

const service_t http_service = {
    .name = "http",
    .version = "1.0.0",
    .about = "Looks whether others answer",
    .methods = s_methods,
};

bool http_may_pass(int64_t status)
{
    return status >= 500 || status == 408 || status == 425 || status == 429;
}
