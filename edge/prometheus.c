/* SPDX-License-Identifier: MPL-2.0
 *
 * prometheus - GET /metrics
 */
#include "config.h"

#include "actors/base/id.h"
#include "edge/negotiate.h"
#include "edge/prometheus.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/exposition.h"
#include "proto/metrics.h"

#define ASK_MS 2000 /* Prometheus' own patience is mostly ten seconds */

/* Every edge asks the same instance as long as it lives: another one may have heard less, and a
 * counter that is smaller than before is taken for one that began anew. */
#define KEY "metrics.text"

/* Asks the service; the text is in the exchange's answer. False: it does not answer. */
static bool s_ask(exchange_t *x, exposition_format_t format)
{
    buf_t body = { 0 };
    pack_t pack;
    value_verdict_t verdict;
    size_t size;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "format",
                   format == EXPOSITION_OPENMETRICS ? METRICS_OPENMETRICS : METRICS_TEXT);
    const client_request_t request = { .service = metrics_service.name,
                                       .method = metrics_text.name,
                                       .body = &body,
                                       .flags = FRAME_IDEMPOTENT | FRAME_ROUTE_KEY,
                                       .route_key = id_hash(KEY, sizeof KEY - 1),
                                       .deadline_ms = ASK_MS };
    x->has_answer = true;
    if (!client_call(x->edge->bus, &request, &x->answer))
        return false;
    const value_t *reply = value_parse(&x->arena, answer_bytes(&x->answer), answer_size(&x->answer),
                                       VALUE_LIMITS, &verdict);
    const char *text = value_get_text(reply, "text", &size);
    if (text)
        buf_add(&x->content, text, size);
    return text != NULL;
}

/* In the same form: this edge as the only instance. */
static void s_write_own(exchange_t *x, exposition_format_t format)
{
    buf_t bytes = { 0 };
    pack_t pack;
    snapshot_t snapshot = counters_snapshot(x->edge);
    pack_init(&pack, &bytes);
    snapshot_write(&snapshot, &pack);
    view_t *view = view_read(bytes.bytes, bytes.size);
    insist(view && view->left_out == 0);
    exposition_write(&(exposition_source_t){ .view = view, .is_up = true }, 1, format, &x->content);
    view_drop(&view);
    buf_free(&bytes);
}

void prometheus_serve(exchange_t *x)
{
    exposition_format_t format =
        negotiate_openmetrics(x->headers[HEADER_ACCEPT]) ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
    respond_header(x, "Vary", "Accept");
    if (!s_ask(x, format))
        s_write_own(x, format);
    respond(x, &(response_t){ .status = 200,
                              .media = exposition_media(format),
                              .bytes = x->content.bytes,
                              .size = x->content.size });
}
