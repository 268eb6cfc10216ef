/* SPDX-License-Identifier: MPL-2.0
 *
 * exchange - one request and its answer, with all the memory they need
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "edge/exchange.h"
#include "edge/state.h"
#include "proto/fault.h"

#define KEPT_BYTES  (64 * 1024) /* a buffer that grew beyond is freed, not kept */
#define PIECE_BYTES 16384       /* of a body in chunks, a read */

static const char *const s_names[HEADERS] = {
    [HEADER_ACCEPT] = "Accept",
    [HEADER_ACCEPT_ENCODING] = "Accept-Encoding",
    [HEADER_ACR_METHOD] = "Access-Control-Request-Method",
    [HEADER_AUTHORIZATION] = "Authorization",
    [HEADER_CONTENT_ENCODING] = "Content-Encoding",
    [HEADER_CONTENT_TYPE] = "Content-Type",
    [HEADER_IDEMPOTENCY_KEY] = "Idempotency-Key",
    [HEADER_IF_NONE_MATCH] = "If-None-Match",
    [HEADER_ORIGIN] = "Origin",
    [HEADER_PREFER] = "Prefer",
    [HEADER_TRACEPARENT] = "traceparent",
    [HEADER_TRACESTATE] = "tracestate",
    [HEADER_X_API_KEY] = "X-API-Key",
    [HEADER_X_FORWARDED_FOR] = "X-Forwarded-For",
    [HEADER_X_NO_COMPRESSION] = "X-No-Compression",
    [HEADER_X_REQUEST_ID] = "X-Request-ID",
    [HEADER_X_SIGNATURE] = "X-Signature",
};

/* What the headers begin with that proxies add. */
static const char *const s_forwarding[] = { "X-Forwarded-", "Forwarded", "X-Real-IP" };

/* ---- the pool ------------------------------------------------------------------------------- */

void exchange_pool_init(exchange_pool_t *self)
{
    *self = (exchange_pool_t){ 0 };
    pthread_mutex_init(&self->mutex, NULL);
}

static void s_free(exchange_t *self)
{
    buf_t *buffers[] = { &self->body,    &self->message, &self->principal, &self->extra,
                         &self->content, &self->packed,  &self->head,      &self->members };
    for (size_t i = 0; i < COUNT_OF(buffers); i++)
        buf_free(buffers[i]);
    arena_free(&self->arena);
    mem_free(self);
}

void exchange_pool_free(exchange_pool_t *self)
{
    while (self->idle) {
        exchange_t *next = self->idle->next;
        s_free(self->idle);
        self->idle = next;
    }
    pthread_mutex_destroy(&self->mutex);
}

static exchange_t *s_take(exchange_pool_t *pool)
{
    pthread_mutex_lock(&pool->mutex);
    exchange_t *self = pool->idle;
    if (self)
        pool->idle = self->next;
    pthread_mutex_unlock(&pool->mutex);
    return self ? self : mem_zeroed(sizeof *self);
}

static void s_empty(buf_t *buffer)
{
    buffer->size = 0;
    if (buffer->capacity > KEPT_BYTES)
        buf_free(buffer);
}

static void s_give_back(exchange_pool_t *pool, exchange_t *self)
{
    s_empty(&self->body);
    s_empty(&self->message);
    s_empty(&self->extra);
    s_empty(&self->members);
    s_empty(&self->content);
    s_empty(&self->packed);
    s_empty(&self->head);
    arena_reset(&self->arena);
    pthread_mutex_lock(&pool->mutex);
    self->next = pool->idle;
    pool->idle = self;
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- a request comes and goes --------------------------------------------------------------- */

/* Several headers of one name are one list (RFC 9110, 5.3). */
static void s_read_header(exchange_t *self, const struct mg_header *header)
{
    for (size_t i = 0; i < HEADERS; i++) {
        if (strcasecmp(s_names[i], header->name) != 0)
            continue;
        const char **value = &self->headers[i];
        *value =
            *value ? arena_format(&self->arena, "%s, %s", *value, header->value) : header->value;
        break;
    }
    for (size_t i = 0; i < COUNT_OF(s_forwarding); i++)
        self->is_forwarded |=
            strncasecmp(s_forwarding[i], header->name, strlen(s_forwarding[i])) == 0;
}

static void s_read_request(exchange_t *self, const struct mg_request_info *request)
{
    self->target = request->request_uri;
    self->query = request->query_string;
    for (int i = 0; i < request->num_headers; i++)
        s_read_header(self, &request->http_headers[i]);
}

exchange_t *exchange_begin(edge_t *edge, connection_t *connection, struct mg_connection *server)
{
    const guard_head_t *head = &connection->head;
    const address_t peer = address_of_ipv4(connection->address);
    char trace_id[33];
    exchange_t *self = s_take(&edge->exchanges);
    memset(self, 0, offsetof(exchange_t, failure));
    self->failure.code = ERROR_NONE;
    self->fields.count = 0;
    self->edge = edge;
    self->connection = connection;
    self->server = server;
    self->is_known = server != NULL;
    self->verb = self->is_known ? head->verb : HTTP_GET;
    self->target = self->query = self->pattern = "";
    self->body_is_read = !self->is_known || (!head->is_chunked && head->length == 0);
    self->must_close = !self->is_known || !head->keep_alive;
    self->started_us = clock_us();
    stats_add(&edge->stats, COUNT_IN_FLIGHT, 1);
    if (server)
        s_read_request(self, mg_get_request_info(server));
    self->address = address_of_caller(&peer, self->headers[HEADER_X_FORWARDED_FOR], &edge->trusted);
    tracing_begin(self);
    log_set_request(self->request_id,
                    id_hex(self->trace.trace, sizeof self->trace.trace, trace_id));
    return self;
}

/* Told apart by the route, never by the path: whoever calls must not choose the labels. */
static void s_count(const exchange_t *self, uint64_t took_us)
{
    char status[12];
    stats_t *stats = &self->edge->stats;
    snprintf(status, sizeof status, "%u", self->status);
    const char *const labels[] = { self->is_known ? http_verb_name(self->verb) : "unknown",
                                   self->pattern[0] ? self->pattern : "unmatched", status };
    series_add(stats_at(stats, COUNT_REQUESTS, labels), 1);
    /* an example leads to a trace that can be looked at */
    series_t *times = self->is_stream ? NULL : stats_at(stats, COUNT_REQUEST_TIME, labels);
    if (times && self->trace.flags & TRACE_SAMPLED)
        series_record_traced(times, took_us, self->trace.trace, clock_wall_ms());
    else if (times)
        series_record(times, took_us);
    stats_add(stats, COUNT_IN_FLIGHT, -1);
    stats_add(stats, COUNT_BYTES_IN, (int64_t)self->bytes_in);
    stats_add(stats, COUNT_BYTES_OUT, (int64_t)self->bytes_out);
    if (self->failure.code != ERROR_NONE)
        stats_add(stats, (size_t)COUNT_PROBLEMS + self->failure.code, 1);
}

/* The line of the access log. What does not apply is left out; the path is not in it: it may hold
 * what is nobody's business. */
static void s_log(const exchange_t *self, uint64_t took_us)
{
    const bool is_slow =
        !self->is_stream && took_us > (uint64_t)self->edge->settings->slow_ms * 1000;
    const error_code_t code = self->failure.code;
    if (is_slow)
        stats_add(&self->edge->stats, COUNT_SLOW, 1);
    LOG(is_slow ? LOG_WARN : LOG_INFO, is_slow ? "request.slow" : "request",
        LOG_WORD("http.request.method", self->is_known ? http_verb_name(self->verb) : "_OTHER"),
        LOG_WORD("http.route", self->pattern), LOG_INT("http.response.status_code", self->status),
        LOG_WORD("error.type", code == ERROR_NONE ? NULL : error_row(code)->symbol),
        LOG_INT("http.request.body.size", self->bytes_in),
        LOG_INT("http.response.body.size", self->bytes_out),
        LOG_INT("edge_us", took_us - self->service_us), LOG_INT("actor_us", self->service_us),
        LOG_WORD("cache", self->cache_outcome), LOG_WORD("limit", self->limit_outcome));
}

/* What a service has answered, or is not there to answer, is the service's failure: it says so
 * itself, too, in the same words. Everything else is ours. */
static void s_tell_fault(const exchange_t *self)
{
    char own[FAULT_NAME_BYTES + 1];
    const error_code_t code = self->failure.code;
    const bool is_its = self->route && (code == ERROR_NO_INSTANCE ||
                                        (self->has_answer && self->answer.failure.code == code));
    snprintf(own, sizeof own, "%s %s", self->is_known ? http_verb_name(self->verb) : "unknown",
             self->pattern[0] ? self->pattern : "unmatched");
    const char *method = is_its ? self->route->method->name : own;
    fault_tell(self->edge->bus,
               &(fault_source_t){ .part = is_its ? self->route->descriptor->service : "edge",
                                  .method = method,
                                  .method_size = strlen(method),
                                  .request_id = self->request_id,
                                  .trace = self->trace.trace,
                                  .span = self->trace.span },
               &self->failure);
}

void exchange_end(exchange_t **self_p)
{
    exchange_t *self = *self_p;
    *self_p = NULL;
    uint64_t took_us = clock_us() - self->started_us;
    if (error_is_fault(self->failure.code))
        s_tell_fault(self);
    s_count(self, took_us);
    s_log(self, took_us);
    tracing_end(self, took_us);
    log_set_request(NULL, NULL);
    if (self->has_answer)
        answer_close(&self->answer);
    routing_drop(&self->routing);
    identity_drop(&self->held);
    s_give_back(&self->edge->exchanges, self);
}

bool exchange_fail(exchange_t *self, error_code_t code, const char *format, ...)
{
    va_list args;
    self->failure = (failure_t){ .code = code };
    va_start(args, format);
    vsnprintf(self->failure.detail, sizeof self->failure.detail, format, args);
    va_end(args);
    return false;
}

/* ---- the body ------------------------------------------------------------------------------- */

/* A client that waits for 100 gets it only now, when nothing else stands against the request. */
static bool s_continue(exchange_t *self)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!self->connection->head.expects_continue)
        return true;
    struct iovec part = { .iov_base = (void *)(uintptr_t)line, .iov_len = sizeof line - 1 };
    return connection_write(self->connection, &part, 1, (uint32_t)self->edge->settings->write_ms);
}

static bool s_broken(exchange_t *self)
{
    self->must_close = true;
    if (self->connection->is_late) {
        stats_add(&self->edge->stats, COUNT_LATE_BODIES, 1);
        return exchange_fail(self, ERROR_REQUEST_TIMEOUT, "The body did not arrive in time");
    }
    return exchange_fail(self, ERROR_BAD_REQUEST,
                         self->connection->head.is_chunked
                             ? "The body's chunks are broken, or it ends before its last chunk"
                             : "The body ends before its Content-Length");
}

static bool s_too_large(exchange_t *self)
{
    self->must_close = true;
    return exchange_fail(self, ERROR_TOO_LARGE, "The body may have at most %lld bytes",
                         (long long)self->edge->settings->body_bytes);
}

static bool s_read_sized(exchange_t *self)
{
    size_t length = (size_t)self->connection->head.length;
    uint8_t *to = buf_reserve(&self->body, length + 1);
    int got = mg_read(self->server, to, length);
    if (got < 0 || (size_t)got != length)
        return s_broken(self);
    self->body.size = length;
    return true;
}

static bool s_read_chunked(exchange_t *self)
{
    for (;;) {
        int got = mg_read(self->server, buf_reserve(&self->body, PIECE_BYTES), PIECE_BYTES);
        if (got < 0)
            return s_broken(self);
        if (got == 0)
            return true;
        self->body.size += (size_t)got;
        if (self->body.size > (size_t)self->edge->settings->body_bytes)
            return s_too_large(self);
    }
}

bool exchange_read_body(exchange_t *self)
{
    if (self->body_is_read)
        return true;
    if (self->connection->head.length > (uint64_t)self->edge->settings->body_bytes)
        return s_too_large(self);
    connection_enter(self->connection, CONNECTION_READING, (uint32_t)self->edge->settings->body_ms);
    bool good = s_continue(self) &&
                (self->connection->head.is_chunked ? s_read_chunked(self) : s_read_sized(self));
    connection_enter(self->connection, CONNECTION_WORKING, 0);
    self->body_is_read = good;
    self->bytes_in = self->body.size;
    return good;
}
