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
                 "\"health\":\"/health\",\"metrics\":\"/metrics\",\"events\":\"/v1/events\"}}");
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

static const fixed_t s_fixed[] = {
    { "/v1/ping", ACCESS_PUBLIC, s_serve_ping, "edge.ping", "application/json",
      "Answers at once, from the edge alone" },
    { "/v1/events", ACCESS_USER, stream_serve, "edge.events", "text/event-stream",
      "Server-sent events, by topic" },
    { "/health", ACCESS_PUBLIC, health_serve_ready, "edge.health", "application/json",
      "How the system is" },
    { "/health/live", ACCESS_PUBLIC, health_serve_live, "edge.health.live", "application/json",
      "Whether this process answers" },
    { "/health/ready", ACCESS_PUBLIC, health_serve_ready, "edge.health.ready", "application/json",
      "Whether requests should be sent here" },
    { "/health/detailed", ACCESS_PUBLIC, health_serve_detailed, "edge.health.detailed",
      "application/json", "How everything is that this edge knows of" },
    { "/metrics", ACCESS_PUBLIC, prometheus_serve, "edge.metrics", PROMETHEUS_MEDIA,
      "This process's counters for Prometheus" },
    { .path = "/live", .access = ACCESS_PUBLIC, .serve = health_serve_live },
    { .path = "/healthz", .access = ACCESS_PUBLIC, .serve = health_serve_live },
    { .path = "/ready", .access = ACCESS_PUBLIC, .serve = health_serve_ready },
    { .path = "/readyz", .access = ACCESS_PUBLIC, .serve = health_serve_ready },
    { .path = "/", .access = ACCESS_PUBLIC, .serve = s_serve_root },
    { .path = "/openapi.json", .access = ACCESS_PUBLIC, .serve = s_serve_openapi },
    { .path = "/api-docs", .access = ACCESS_PUBLIC, .serve = asset_serve },
    { .path = "/api-docs/page.css", .access = ACCESS_PUBLIC, .serve = asset_serve },
    { .path = "/api-docs/page.js", .access = ACCESS_PUBLIC, .serve = asset_serve },
    { .path = "/api-docs/swagger-ui.css", .access = ACCESS_PUBLIC, .serve = asset_serve },
    { .path = "/api-docs/swagger-ui-bundle.js", .access = ACCESS_PUBLIC, .serve = asset_serve },
};

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
