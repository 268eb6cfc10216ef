/* SPDX-License-Identifier: MPL-2.0
 *
 * serve - a request's way, from its accepted head to its answer
 *
 * gate.c has let the head through and civetweb has parsed it. Then, in this order: the caller's
 * right to be here at all (anonymous callers only from this machine), the path, a fixed route or a
 * service's (routes.c), OPTIONS, who calls, how often and whether it may (caller.c), whether the
 * feature is on for the caller (flags.c), whether the service runs, the body (exchange.c), whether
 * it is signed (signature.c), an answer that may be given again (cached.c), the request made
 * msgpack and validated (translate.c), the call over the bus, its entry in the audit log (audit.c),
 * the reply as JSON (reply.c), the answer (respond.c). Each step either leads to the next or sets
 * the failure that is answered as a problem document (problem.c).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/base/text.h"
#include "edge/audit.h"
#include "edge/caller.h"
#include "edge/content.h"
#include "edge/fixed.h"
#include "edge/reply.h"
#include "edge/respond.h"
#include "edge/serve.h"
#include "edge/signature.h"
#include "edge/state.h"
#include "edge/translate.h"

#define ABSENT_RETRY_MS 5000 /* for a service of which no instance runs */
#define PRIORITY        1    /* of a call, 0 (first) to 3: what operators do comes before */

#define ALL_VERBS (HTTP_BIT(HTTP_VERBS) - 1)

static const char s_allowed_headers[] =
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, traceparent, tracestate, "
    "X-API-Key, X-No-Compression, X-Request-ID, X-Signature";

/* ---- who may be here ------------------------------------------------------------------------ */

/* Without accounts the only protection is that nobody else can reach us: no page of another site
 * that resolves its name to this machine, and no proxy that brings in the world. */
static bool s_admit(exchange_t *x)
{
    if (!x->edge->settings->allow_anonymous)
        return true;
    if (!x->connection->head.host_is_loopback)
        return exchange_fail(x, ERROR_MISDIRECTED,
                             "While edge.allow_anonymous is on, only localhost is answered for");
    if (x->is_forwarded)
        return exchange_fail(x, ERROR_BAD_REQUEST,
                             "While edge.allow_anonymous is on, no proxy may stand in front");
    return true;
}

/* ---- where it leads ------------------------------------------------------------------------- */

/* Where others look for what has a path of its own here (RFC 8615). */
static const char s_well_known[] = "/.well-known/jwks.json", s_jwks[] = "/v1/auth/jwks";

static bool s_read_path(exchange_t *x)
{
    const char *target = strcmp(x->target, s_well_known) == 0 ? s_jwks : x->target;
    const char *why = path_read(&x->path, target, strlen(target), &x->arena);
    return !why || exchange_fail(x, ERROR_BAD_REQUEST, "%s", why);
}

/* OPTIONS: what the path allows, and to a browser whether a page may ask for it (Fetch, "CORS
 * preflight"). */
static void s_answer_options(exchange_t *x, unsigned allowed)
{
    char allow[HTTP_ALLOW_SIZE];
    const char *origin = x->headers[HEADER_ORIGIN];
    http_allow(allowed | HTTP_BIT(HTTP_OPTIONS), allow);
    respond_header(x, "Allow", allow);
    if (origin && x->headers[HEADER_ACR_METHOD] && respond_knows_origin(x, origin)) {
        respond_header(x, "Access-Control-Allow-Methods", allow);
        respond_header(x, "Access-Control-Allow-Headers", s_allowed_headers);
        respond_header(x, "Access-Control-Max-Age", "600");
    }
    respond(x, &(response_t){ .status = 204 });
}

static bool s_refuse_verb(exchange_t *x, unsigned allowed)
{
    char allow[HTTP_ALLOW_SIZE];
    if (!allowed)
        return exchange_fail(x, ERROR_NOT_FOUND,
                             "Nothing is here; /openapi.json tells what there is");
    respond_header(x, "Allow", http_allow(allowed | HTTP_BIT(HTTP_OPTIONS), allow));
    return exchange_fail(x, ERROR_METHOD_NOT_ALLOWED, "Allowed here: %s", allow);
}

static bool s_fail_absent(exchange_t *x, int64_t since_ms)
{
    char since[CLOCK_TEXT_SIZE];
    exchange_fail(x, ERROR_NO_INSTANCE, "No instance of the service '%s' is running%s%s",
                  x->route->descriptor->service, since_ms ? " since " : "",
                  since_ms ? clock_text(since_ms, since) : "");
    x->failure.retry_after_ms = ABSENT_RETRY_MS;
    return false;
}

static bool s_permit(exchange_t *x)
{
    bool may = caller_permit_method(x);
    if (!may)
        audit_refused(x);
    return may;
}

static bool s_require_live(exchange_t *x)
{
    const offer_t *offer = x->route->offer;
    return offer->is_live || s_fail_absent(x, offer->since_ms);
}

/* ---- what is in it -------------------------------------------------------------------------- */

/* All the headers, for a method that takes them. */
static const translate_header_t *s_headers(exchange_t *x, size_t *count)
{
    const struct mg_request_info *info = mg_get_request_info(x->server);
    translate_header_t *list = arena_array(&x->arena, TRANSLATE_HEADERS_MAX, sizeof *list);
    for (*count = 0; *count < TRANSLATE_HEADERS_MAX && (int)*count < info->num_headers; (*count)++)
        list[*count] = (translate_header_t){ .name = info->http_headers[*count].name,
                                             .value = info->http_headers[*count].value };
    return list;
}

static bool s_translate(exchange_t *x)
{
    size_t header_count = 0;
    uint32_t items = 0;
    const translate_header_t *headers =
        x->route->method->headers ? s_headers(x, &header_count) : NULL;
    const translate_t request = {
        .route = x->route,
        .path = &x->path,
        .query = x->query,
        .body = (const char *)x->body.bytes,
        .body_size = x->body.size,
        .headers = headers,
        .header_count = header_count,
        .idempotency_key = x->headers[HEADER_IDEMPOTENCY_KEY],
        .prefer = x->headers[HEADER_PREFER],
        .items = &items,
    };
    x->message.size = 0;
    return translate_request(&request, &x->arena, &x->message, &x->failure, &x->fields) &&
           caller_limit_items(x, items);
}

/* ---- the call ------------------------------------------------------------------------------- */

static unsigned s_success(const exchange_t *x)
{
    return x->answer.status ? x->answer.status : x->route->method->status;
}

static bool s_call(exchange_t *x)
{
    const descriptor_method_t *method = x->route->method;
    char address[ADDRESS_TEXT_SIZE];
    identity_pack(x->identity,
                  &(identity_request_t){ .request_id = x->request_id,
                                         .address = address_text(&x->address, address),
                                         .tracestate = x->tracestate },
                  &x->principal);
    const client_request_t request = {
        .service = x->route->descriptor->service,
        .method = method->name,
        .body = &x->message,
        .principal = &x->principal,
        .deadline_ms = method->deadline_ms,
        .priority = PRIORITY,
        .flags = (uint8_t)(FRAME_STAMPED | (method->idempotent ? FRAME_IDEMPOTENT : 0)),
        .schema = x->route->descriptor->hash,
        .trace = &x->trace,
    };
    x->has_answer = true;
    const uint64_t began_us = clock_us();
    bool good = client_call(x->edge->bus, &request, &x->answer);
    x->service_us = clock_us() - began_us;
    audit_record(x, good ? s_success(x) : error_row(x->answer.failure.code)->http_status);
    if (good) {
        x->reply = answer_bytes(&x->answer);
        x->reply_size = answer_size(&x->answer);
        return true;
    }
    /* we have its description: a broker that never heard of it has started a moment ago */
    if (x->answer.failure.code == ERROR_NO_SERVICE)
        return s_fail_absent(x, 0);
    x->failure = x->answer.failure;
    if (x->failure.fields)
        x->failure.fields = &x->answer.fields;
    return false;
}

/* The row has a date on which the route goes, and not since when that is known: any past moment
 * says that it is deprecated now (RFC 9745, RFC 8594). */
static void s_add_sunset(exchange_t *x)
{
    char date[HTTP_DATE_SIZE];
    int64_t wall_ms;
    const char *sunset = x->route->method->sunset;
    if (!sunset || !clock_parse(sunset, strlen(sunset), &wall_ms))
        return;
    respond_header(x, "Deprecation", "@0");
    respond_header(x, "Sunset", http_date(wall_ms, date));
}

static bool s_add_location(exchange_t *x, unsigned status, const value_t *tree)
{
    const descriptor_method_t *method = x->route->method;
    const char *pattern = status == 201   ? method->location
                          : status == 202 ? method->accepted
                                          : NULL;
    if (!pattern)
        return true;
    buf_t *out = &x->extra;
    size_t before = out->size;
    buf_add_text(out, "Location: ");
    bool good = reply_location(pattern, tree, out);
    buf_add(out, "\r\n", 2);
    if (!good)
        out->size = before;
    return good;
}

static bool s_bad_reply(exchange_t *x, const char *why)
{
    stats_add(&x->edge->stats, COUNT_BAD_REPLIES, 1);
    LOG(LOG_ERROR, "reply.bad", LOG_TEXT("service", x->route->descriptor->service),
        LOG_TEXT("method", x->route->method->name), LOG_TEXT("why", why));
    return exchange_fail(x, ERROR_BAD_REPLY, "%s", "");
}

static bool s_answer(exchange_t *x)
{
    const descriptor_method_t *method = x->route->method;
    unsigned status = s_success(x);
    const value_t *tree = NULL;
    const char *why = NULL;
    reply_t reply = { 0 };
    if (status != 204 &&
        !reply_read(&reply, method, x->reply, x->reply_size, &x->arena, &x->content, &tree, &why))
        return s_bad_reply(x, why);
    if (status != 204 && !s_add_location(x, status, tree))
        return s_bad_reply(x, "a field of the Location is missing");
    cached_keep(x, status, reply.media, reply.bytes, reply.size, tree);
    respond(x, &(response_t){
                   .status = status,
                   .media = reply.media,
                   .bytes = reply.bytes,
                   .size = reply.size,
                   .policy = method->media ? POLICY_MEDIA : POLICY_DATA,
                   .is_tagged = x->route->verb == HTTP_GET && status == 200,
               });
    return true;
}

/* ---- the way -------------------------------------------------------------------------------- */

static bool s_serve_fixed(exchange_t *x, const fixed_t *fixed)
{
    const unsigned allowed = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD);
    x->pattern = fixed->path;
    if (x->verb == HTTP_OPTIONS) {
        s_answer_options(x, allowed);
        return true;
    }
    if (!(HTTP_BIT(x->verb) & allowed))
        return s_refuse_verb(x, allowed);
    caller_identify(x, fixed->rate);
    if ((fixed->is_counted && !caller_limit(x, fixed->rate, 1)) || !caller_permit(x, fixed->access))
        return false;
    fixed->serve(x);
    return x->failure.code == ERROR_NONE;
}

/* Before anything was heard of, nothing can be said about a path: least of all that it is not. */
static bool s_require_routes(exchange_t *x)
{
    size_t services;
    routing_offers(x->routing, &services);
    return services ||
           exchange_fail(x, ERROR_UNAVAILABLE,
                         "No service is known here yet; are a broker and a service running?");
}

static bool s_serve_route(exchange_t *x)
{
    x->routing = registry_routing(&x->edge->registry);
    if (!s_require_routes(x))
        return false;
    found_t found = routing_find(x->routing, &x->path, x->verb);
    if (x->verb == HTTP_OPTIONS && found.allowed) {
        s_answer_options(x, found.allowed);
        return true;
    }
    if (!found.route)
        return s_refuse_verb(x, found.allowed);
    x->route = found.route;
    const descriptor_method_t *method = x->route->method;
    x->pattern = method->path;
    s_add_sunset(x);
    caller_identify(x, method->rate);
    return caller_limit_method(x) && s_permit(x) && flags_permit(x) && s_require_live(x) &&
           content_check(x) && exchange_read_body(x) && signature_check(x) &&
           (cached_answer(x) || (s_translate(x) && (cached_fetch(x) || s_call(x)) && s_answer(x)));
}

static bool s_serve(exchange_t *x)
{
    if (!s_admit(x) || !s_read_path(x))
        return false;
    if (x->connection->head.is_asterisk) {
        s_answer_options(x, ALL_VERBS);
        return true;
    }
    const fixed_t *fixed = fixed_find(&x->path);
    return fixed ? s_serve_fixed(x, fixed) : s_serve_route(x);
}

int serve_request(edge_t *edge, connection_t *connection, struct mg_connection *server)
{
    exchange_t *x = exchange_begin(edge, connection, server);
    if (!s_serve(x) && !x->is_answered)
        respond_failure(x);
    insist(x->is_answered);
    limits_settle(&edge->limits, &x->allowance, x->status);
    cached_settle(x);
    /* an unread body is read by civetweb before it looks at the connection's next request */
    if (!x->body_is_read && !x->must_close)
        connection_enter(connection, CONNECTION_READING, (uint32_t)edge->settings->body_ms);
    int status = (int)x->status;
    exchange_end(&x);
    return status;
}

void serve_bad_head(void *edge, connection_t *connection, guard_verdict_t verdict)
{
    const guard_row_t *row = guard_row(verdict);
    exchange_t *x = exchange_begin(edge, connection, NULL);
    exchange_fail(x, row->code, "%s", row->sentence);
    if (row->code == ERROR_METHOD_NOT_ALLOWED) {
        char allow[HTTP_ALLOW_SIZE];
        respond_header(x, "Allow", http_allow(ALL_VERBS, allow));
    }
    x->body_is_read = false; /* whatever follows is not read */
    respond_failure(x);
    exchange_end(&x);
}

void serve_parser_refusal(edge_t *edge, connection_t *connection, struct mg_connection *server,
                          int status)
{
    exchange_t *x = exchange_begin(edge, connection, NULL);
    stats_add(&edge->stats, COUNT_PARSER_REFUSALS, 1);
    LOG(LOG_ERROR, "parser.refused", LOG_INT("status", status));
    exchange_fail(x, status < 500 ? ERROR_BAD_REQUEST : ERROR_INTERNAL, "%s", "");
    x->body_is_read = false;
    mg_disable_connection_keep_alive(server);
    respond_failure(x);
    exchange_end(&x);
}
