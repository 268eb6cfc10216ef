/* SPDX-License-Identifier: MPL-2.0
 *
 * fixed - the routes that the edge answers itself
 */
#include "config.h"

#include <string.h>

#include "edge/asset.h"
#include "edge/fixed.h"
#include "edge/health.h"
#include "edge/negotiate.h"
#include "edge/prometheus.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/exposition.h"
#include "proto/json.h"

static const char s_root_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signalbox</title></head><body>\n"
    "<h1>Signalbox</h1>\n"
    "<p>An HTTP edge to services on a message bus.</p>\n"
    "<ul>\n"
    "<li><a href=\"/api-docs\">API</a> (<a href=\"/openapi.json\">OpenAPI document</a>)</li>\n"
    "<li><a href=\"/health\">Health</a></li>\n"
    "<li><a href=\"/metrics\">Metrics</a></li>\n"
    "</ul>\n"
    "</body></html>\n";

static void s_serve_root(exchange_t *x)
{
    respond_header(x, "Vary", "Accept");
    if (negotiate_html(x->headers[HEADER_ACCEPT])) {
        respond(x, &(response_t){ .status = 200,
                                  .media = "text/html; charset=utf-8",
                                  .bytes = s_root_page,
                                  .size = sizeof s_root_page - 1,
                                  .policy = POLICY_PAGE,
                                  .is_tagged = true });
        return;
    }
    buf_add_text(&x->content, "{\"name\":\"signalbox\",\"version\":");
    json_add_text(&x->content, x->edge->version, strlen(x->edge->version));
    buf_add_text(&x->content,
                 ",\"links\":{\"api\":\"/api-docs\",\"openapi\":\"/openapi.json\","
                 "\"health\":\"/health\",\"metrics\":\"/metrics\",\"events\":\"/v1/events\","
                 "\"flags\":\"/v1/flags\"}}");
    respond(x, &(response_t){ .status = 200,
                              .media = "application/json",
                              .bytes = x->content.bytes,
                              .size = x->content.size,
                              .is_tagged = true });
}

static void s_serve_ping(exchange_t *x)
{
    static const char pong[] = "{\"pong\":true}";
    respond(x, &(response_t){ .status = 200,
                              .media = "application/json",
                              .bytes = pong,
                              .size = sizeof pong - 1 });
}

static void s_serve_openapi(exchange_t *x)
{
    x->routing = registry_routing(&x->edge->registry);
    const buf_t *document = routing_document(x->routing, openapi_write, x->edge->version);
    respond(x, &(response_t){ .status = 200,
                              .media = "application/json",
                              .bytes = document->bytes,
                              .size = document->size,
                              .is_tagged = true });
}

static const char s_topics[] =
    "[{\"name\":\"topic\",\"in\":\"query\",\"required\":false,"
    "\"description\":\"Prefixes of topics\",\"schema\":{\"type\":\"array\",\"maxItems\":16,"
    "\"items\":{\"type\":\"string\",\"pattern\":\"^(analysis|registry)[.]\"}}}]";

#define OPEN(where, how) .path = (where), .access = ACCESS_PUBLIC, .serve = (how)

/* clang-format off */
static const fixed_t s_fixed[] = {
    { OPEN("/v1/ping", s_serve_ping), .is_counted = true, .operation = "edge.ping",
      .media = "application/json", .summary = "Answers at once, from the edge alone" },
    { .path = "/v1/events", .access = ACCESS_USER, .serve = stream_serve, .is_counted = true,
      .rate = "read", .operation = "edge.events",
      .media = "text/event-stream", .summary = "Server-sent events, by topic",
      .parameters = s_topics },
    { .path = "/v1/flags", .access = ACCESS_USER, .serve = flags_serve, .is_counted = true,
      .rate = "read", .operation = "edge.flags",
      .media = "application/json", .summary = "Feature flags, and whether they are on for the caller" },
    { OPEN("/health", health_serve_detailed), .operation = "edge.health",
      .media = "application/json", .summary = "How the system is", .busy = "It is unhealthy" },
    { OPEN("/health/live", health_serve_live), .operation = "edge.health.live",
      .media = "application/json", .summary = "Whether this process answers" },
    { OPEN("/health/ready", health_serve_ready), .operation = "edge.health.ready",
      .media = "application/json", .summary = "Whether requests should be sent here",
      .busy = "They should not" },
    { OPEN("/health/detailed", health_serve_detailed), .operation = "edge.health.detailed",
      .media = "application/json", .summary = "How everything is that this edge knows of",
      .busy = "Something required is missing" },
    { OPEN("/metrics", prometheus_serve), .operation = "edge.metrics",
      .media = EXPOSITION_TEXT_MEDIA, .summary = "What all instances count, for Prometheus" },
    { OPEN("/live", health_serve_live) },
    { OPEN("/healthz", health_serve_live) },
    { OPEN("/ready", health_serve_ready) },
    { OPEN("/readyz", health_serve_ready) },
    { OPEN("/", s_serve_root) },
    { OPEN("/openapi.json", s_serve_openapi) },
    { OPEN("/api-docs", asset_serve) },
    { OPEN("/api-docs/page.css", asset_serve) },
    { OPEN("/api-docs/page.js", asset_serve) },
    { OPEN("/api-docs/swagger-ui.css", asset_serve) },
    { OPEN("/api-docs/swagger-ui-bundle.js", asset_serve) },
};
/* clang-format on */

const fixed_t *fixed_find(const path_t *path)
{
    for (size_t i = 0; i < COUNT_OF(s_fixed); i++)
        if (path_is(path, s_fixed[i].path))
            return &s_fixed[i];
    return NULL;
}

const fixed_t *fixed_at(size_t index)
{
    return index < COUNT_OF(s_fixed) ? &s_fixed[index] : NULL;
}
