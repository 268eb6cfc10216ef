/* SPDX-License-Identifier: MPL-2.0
 *
 * respond - writes answers: one write each, with the headers every answer has
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/id.h"
#include "edge/negotiate.h"
#include "edge/respond.h"
#include "edge/state.h"

#define DISCARD_BYTES  65536 /* of an unread body: a longer one ends the connection */
#define RETRY_AFTER_MS 1000  /* when a failure that may be retried does not say when */
#define TAG_BYTES      16
#define TAG_SIZE       64 /* quotes, hash, "-gzip" */

/* What helmet 8 sends, which is what a web framework's users expect; the policy is our own. */
static const char s_security[] =
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Origin-Agent-Cluster: ?1\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-DNS-Prefetch-Control: off\r\n"
    "X-Download-Options: noopen\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "X-Permitted-Cross-Domain-Policies: none\r\n"
    "X-XSS-Protection: 0\r\n";

#define POLICY "Content-Security-Policy: default-src 'none'; "

static const char *const s_policies[] = {
    [POLICY_DATA] = POLICY "frame-ancestors 'none'\r\n",
    [POLICY_PAGE] =
        (POLICY "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"),
    [POLICY_MEDIA] = (POLICY "style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'\r\n"),
};

static const char s_exposed[] =
    "Access-Control-Expose-Headers: Age, Deprecation, ETag, Location, RateLimit, RateLimit-Policy, "
    "Retry-After, Sunset, traceparent, X-Cache, X-Degraded, X-RateLimit-Limit, "
    "X-RateLimit-Remaining, "
    "X-RateLimit-Reset, X-RateLimit-Tier, X-RateLimit-Window, X-Request-ID\r\n";

void respond_header(exchange_t *exchange, const char *name, const char *value)
{
    buf_t *out = &exchange->extra;
    buf_add_text(out, name);
    buf_add_text(out, ": ");
    buf_add_text(out, value);
    buf_add(out, "\r\n", 2);
}

bool respond_knows_origin(const exchange_t *exchange, const char *origin)
{
    size_t size = strlen(origin);
    const char *list = exchange->edge->settings->cors_origins;
    while (*(list += strspn(list, " ,"))) {
        size_t length = strcspn(list, " ,");
        if (length == size && memcmp(list, origin, size) == 0)
            return true;
        list += length;
    }
    return false;
}

/* ---- the head ------------------------------------------------------------------------------- */

static const char *s_date(exchange_t *exchange)
{
    int64_t now_ms = clock_wall_ms();
    if (exchange->date_s != now_ms / 1000) {
        exchange->date_s = now_ms / 1000;
        http_date(now_ms, exchange->date);
    }
    return exchange->date;
}

static void s_add_number(buf_t *out, const char *name, size_t number)
{
    buf_add_text(out, name);
    buf_add_int(out, (int64_t)number);
    buf_add(out, "\r\n", 2);
}

static void s_add_line(buf_t *out, const char *name, const char *value)
{
    buf_add_text(out, name);
    buf_add_text(out, value);
    buf_add(out, "\r\n", 2);
}

static void s_add_status(buf_t *out, unsigned status)
{
    buf_add_text(out, "HTTP/1.1 ");
    buf_add_int(out, status);
    s_add_line(out, " ", http_reason(status));
}

static void s_add_origin(exchange_t *exchange, buf_t *out)
{
    const char *origin = exchange->headers[HEADER_ORIGIN];
    if (!exchange->edge->settings->cors_origins[0])
        return;
    buf_add_text(out, "Vary: Origin\r\n");
    if (origin && respond_knows_origin(exchange, origin)) {
        s_add_line(out, "Access-Control-Allow-Origin: ", origin);
        buf_add_text(out, "Access-Control-Allow-Credentials: true\r\n");
        buf_add(out, s_exposed, sizeof s_exposed - 1);
    }
}

/* What every answer of an exchange has, whatever it is. */
static void s_add_common(exchange_t *exchange, policy_t policy, buf_t *out)
{
    char parent[TRACE_PARENT_SIZE];
    s_add_line(out, "Date: ", s_date(exchange));
    if (exchange->must_close)
        buf_add_text(out, "Connection: close\r\n");
    else if (exchange->connection->head.is_1_0)
        buf_add_text(out, "Connection: keep-alive\r\n");
    s_add_line(out, "X-Request-ID: ", exchange->request_id);
    s_add_line(out, "traceparent: ", trace_parent(&exchange->trace, parent));
    buf_add(out, s_security, sizeof s_security - 1);
    buf_add_text(out, s_policies[policy]);
    s_add_origin(exchange, out);
    buf_add(out, exchange->extra.bytes, exchange->extra.size);
}

/* ---- the connection's end ------------------------------------------------------------------- */

/* Decides whether the connection goes on behind this answer. */
static void s_decide_close(exchange_t *exchange)
{
    const guard_head_t *head = &exchange->connection->head;
    if (exchange->edge->is_draining || exchange->connection->is_shut)
        exchange->must_close = true;
    if (!exchange->body_is_read &&
        (head->is_chunked || head->expects_continue || head->length > DISCARD_BYTES))
        exchange->must_close = true;
}

static void s_send(exchange_t *exchange, struct iovec *parts, int count)
{
    edge_t *edge = exchange->edge;
    exchange->is_answered = true;
    if (exchange->must_close && exchange->server)
        mg_disable_connection_keep_alive(exchange->server);
    if (!connection_write(exchange->connection, parts, count, (uint32_t)edge->settings->write_ms)) {
        stats_add(&edge->stats, COUNT_WRITE_FAILURES, 1);
        exchange->must_close = true;
        if (exchange->server)
            mg_disable_connection_keep_alive(exchange->server);
    }
    /* what is not read would reset the connection when it is closed */
    if (exchange->must_close &&
        (!exchange->body_is_read || connection_has_input(exchange->connection)))
        linger_add_copy(&edge->linger, exchange->connection->fd);
}

/* ---- content -------------------------------------------------------------------------------- */

static void s_make_tag(const response_t *response, bool is_packed, char tag[TAG_SIZE])
{
    uint8_t hash[TAG_BYTES];
    char hex[2 * TAG_BYTES + 1];
    const char *name = response->tag;
    if (!name) {
        crypto_generichash(hash, sizeof hash, response->bytes, response->size, NULL, 0);
        name = id_hex(hash, sizeof hash, hex);
    }
    /* two codings are two representations: a strong tag tells them apart (RFC 9110, 8.8.3.3) */
    snprintf(tag, TAG_SIZE, "\"%.40s%s\"", name, is_packed ? "-gzip" : "");
}

static bool s_wants_packing(const exchange_t *exchange, const response_t *response)
{
    const edge_settings_t *settings = exchange->edge->settings;
    return !response->coding && settings->gzip_level > 0 &&
           response->size >= (size_t)settings->gzip_bytes;
}

void respond(exchange_t *exchange, const response_t *response)
{
    edge_t *edge = exchange->edge;
    buf_t *head = &exchange->head;
    bool has_content = response->media && response->status != 204;
    bool may_pack = has_content && s_wants_packing(exchange, response);
    bool packs = may_pack && !exchange->headers[HEADER_X_NO_COMPRESSION] &&
                 negotiate_gzip(exchange->headers[HEADER_ACCEPT_ENCODING]);
    const char *coding = packs ? "gzip" : response->coding;
    const void *bytes = response->bytes;
    size_t size = has_content ? response->size : 0;
    unsigned status = response->status;
    char tag[TAG_SIZE] = "";

    insist(!exchange->is_answered);
    if (response->is_tagged) {
        s_make_tag(response, coding != NULL, tag);
        if (negotiate_has_tag(exchange->headers[HEADER_IF_NONE_MATCH], tag)) {
            status = 304;
            has_content = false;
        }
    }
    if (packs && has_content) {
        gzip_pack(&edge->gzip, bytes, size, &exchange->packed);
        bytes = exchange->packed.bytes;
        size = exchange->packed.size;
    }
    s_decide_close(exchange);
    head->size = 0;
    s_add_status(head, status);
    if (has_content) {
        s_add_line(head, "Content-Type: ", response->media);
        s_add_number(head, "Content-Length: ", size);
        if (coding)
            s_add_line(head, "Content-Encoding: ", coding);
    }
    if (may_pack || response->coding)
        buf_add_text(head, "Vary: Accept-Encoding\r\n");
    if (tag[0])
        s_add_line(head, "ETag: ", tag);
    const char *caching = response->is_tagged ? "private, no-cache" : "no-store";
    s_add_line(head, "Cache-Control: ", response->caching ? response->caching : caching);
    s_add_common(exchange, response->policy, head);
    buf_add(head, "\r\n", 2);

    bool sends = has_content && exchange->verb != HTTP_HEAD;
    struct iovec parts[] = { { .iov_base = head->bytes, .iov_len = head->size },
                             { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size } };
    exchange->status = status;
    exchange->bytes_out = sends ? size : 0;
    s_send(exchange, parts, sends ? 2 : 1);
}

void respond_failure(exchange_t *exchange)
{
    failure_t *failure = &exchange->failure;
    const error_row_t *row = error_row(failure->code);
    unsigned status = row->http_status;
    if (row->retry && !failure->retry_after_ms && (status == 429 || status == 502 || status == 503))
        failure->retry_after_ms = RETRY_AFTER_MS;
    exchange->content.size = 0;
    problem_write(failure, exchange->is_known ? exchange->target : NULL, exchange->request_id,
                  &exchange->members, &exchange->content);
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%u", problem_retry_after(failure));
    if (failure->retry_after_ms)
        respond_header(exchange, "Retry-After", seconds);
    if (status == 401)
        respond_header(exchange, "WWW-Authenticate",
                       exchange->credential == CREDENTIAL_BAD ? "Bearer error=\"invalid_token\""
                                                              : "Bearer");
    respond(exchange, &(response_t){ .status = status,
                                     .media = PROBLEM_MEDIA,
                                     .bytes = exchange->content.bytes,
                                     .size = exchange->content.size });
}

bool respond_stream(exchange_t *exchange, const char *media)
{
    buf_t *head = &exchange->head;
    exchange->must_close = exchange->is_stream = true;
    exchange->status = 200;
    head->size = 0;
    s_add_status(head, 200);
    s_add_line(head, "Content-Type: ", media);
    buf_add_text(head, "Cache-Control: no-store\r\n");
    s_add_common(exchange, POLICY_DATA, head);
    buf_add(head, "\r\n", 2);
    struct iovec part = { .iov_base = head->bytes, .iov_len = head->size };
    exchange->is_answered = true;
    mg_disable_connection_keep_alive(exchange->server);
    return connection_write(exchange->connection, &part, 1,
                            (uint32_t)exchange->edge->settings->write_ms);
}

void respond_without_exchange(const failure_t *failure, buf_t *out)
{
    buf_t content = { 0 };
    problem_write(failure, NULL, NULL, NULL, &content);
    s_add_status(out, error_row(failure->code)->http_status);
    s_add_line(out, "Content-Type: ", PROBLEM_MEDIA);
    s_add_number(out, "Content-Length: ", content.size);
    s_add_number(out, "Retry-After: ", problem_retry_after(failure));
    buf_add_text(out, "Cache-Control: no-store\r\nConnection: close\r\n");
    buf_add(out, s_security, sizeof s_security - 1);
    buf_add_text(out, s_policies[POLICY_DATA]);
    buf_add(out, "\r\n", 2);
    buf_add(out, content.bytes, content.size);
    buf_free(&content);
}
