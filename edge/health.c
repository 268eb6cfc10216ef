/* SPDX-License-Identifier: MPL-2.0
 *
 * health - answers about the state of things
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "edge/health.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/json.h"

static const char *const s_names[] = { "healthy", "degraded", "unhealthy" };

/* A report being written: the worst of its checks is its status. */
typedef struct {
    exchange_t *exchange;
    health_t worst;
    size_t checks;
    bool asks_services;
    uint64_t began_us; /* the check under way */
    buf_t text;        /* of the checks */
} report_t;

static void s_begin(report_t *self)
{
    self->began_us = clock_us();
}

static void s_check(report_t *self, const char *name, health_t health, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void s_check(report_t *self, const char *name, health_t health, const char *format, ...)
{
    char message[240];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    size_t size = strlen(message);
    while (!text_is_utf8(message, size)) /* it may have been cut inside a character */
        size--;
    if (health > self->worst)
        self->worst = health;
    buf_add_text(&self->text, self->checks++ ? "," : "");
    json_add_text(&self->text, name, strlen(name));
    buf_printf(&self->text, ":{\"status\":\"%s\",\"latency_ms\":%.3f,\"message\":", s_names[health],
               (double)(clock_us() - self->began_us) / 1000.0);
    json_add_text(&self->text, message, size);
    buf_add_byte(&self->text, '}');
}

/* ---- checks --------------------------------------------------------------------------------- */

static void s_check_bus(report_t *self)
{
    s_begin(self);
    bool good = client_is_ready(self->exchange->edge->bus);
    s_check(self, "bus", good ? HEALTHY : UNHEALTHY, "%s",
            good ? "A broker answers" : "No broker answers");
}

static void s_check_drain(report_t *self)
{
    s_begin(self);
    if (self->exchange->edge->is_draining)
        s_check(self, "edge", UNHEALTHY, "This edge is leaving");
}

static const offer_t *s_offer(const exchange_t *x, const char *service, size_t size)
{
    size_t count;
    const offer_t *offers = routing_offers(x->routing, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = offers[i].described->descriptor->service;
        if (strlen(name) == size && memcmp(name, service, size) == 0)
            return &offers[i];
    }
    return NULL;
}

/* What the service says against itself; NULL when it is well, or was not asked. The check under
 * way took as long as asking did. */
static const probe_t *s_complaint(report_t *self, const offer_t *offer)
{
    if (!self->asks_services || !offer || !offer->is_live)
        return NULL;
    const probe_t *probe =
        probes_find(&self->exchange->edge->probes, offer->described->descriptor->service);
    if (probe)
        self->began_us -= probe->took_us;
    return probe && probe->health != HEALTHY ? probe : NULL;
}

static void s_check_required(report_t *self)
{
    const char *list = self->exchange->edge->settings->required;
    while (*(list += strspn(list, " ,"))) {
        size_t size = strcspn(list, " ,");
        s_begin(self);
        const offer_t *offer = s_offer(self->exchange, list, size);
        const probe_t *complaint = s_complaint(self, offer);
        bool is_live = offer && offer->is_live;
        char name[100];
        snprintf(name, sizeof name, "required.%.*s", (int)(size < 80 ? size : 80), list);
        s_check(self, name,
                !is_live    ? UNHEALTHY
                : complaint ? complaint->health
                            : HEALTHY,
                "%s%s%s",
                !offer     ? "It has never been seen"
                : !is_live ? "No instance of it is running"
                           : "It is running",
                complaint ? ", but " : "", complaint ? complaint->why : "");
        list += size;
    }
}

static void s_check_services(report_t *self)
{
    size_t count;
    const offer_t *offers = routing_offers(self->exchange->routing, &count);
    for (size_t i = 0; i < count; i++) {
        char name[100];
        s_begin(self);
        snprintf(name, sizeof name, "service.%.80s", offers[i].described->descriptor->service);
        const probe_t *complaint = s_complaint(self, &offers[i]);
        /* what nobody requires does not make the whole unhealthy */
        s_check(self, name, offers[i].is_live && !complaint ? HEALTHY : DEGRADED, "Version %s%s%s",
                offers[i].described->descriptor->version,
                complaint           ? ", but "
                : offers[i].is_live ? ""
                                    : ", no instance of it is running",
                complaint ? complaint->why : "");
    }
}

static void s_check_threads(report_t *self)
{
    edge_t *edge = self->exchange->edge;
    s_begin(self);
    uint32_t live = connections_live(&edge->connections);
    bool is_busy = live * 100 > edge->connections.limit * CONNECTIONS_BUSY_PERCENT;
    s_check(self, "threads", is_busy ? DEGRADED : HEALTHY, "%u of %u in use", live,
            edge->connections.limit);
}

static void s_check_limits(report_t *self)
{
    bool is_degraded = limits_are_degraded(&self->exchange->edge->limits);
    s_begin(self);
    s_check(self, "limits", is_degraded ? DEGRADED : HEALTHY, "%s",
            is_degraded ? "No limiter answers: this edge counts by itself" : "They are counted");
}

/* ---- answers -------------------------------------------------------------------------------- */

static void s_answer(report_t *self)
{
    char now[CLOCK_TEXT_SIZE];
    exchange_t *x = self->exchange;
    buf_t *out = &x->content;
    buf_printf(out, "{\"status\":\"%s\",\"version\":", s_names[self->worst]);
    json_add_text(out, x->edge->version, strlen(x->edge->version));
    buf_printf(out, ",\"timestamp\":\"%s\",\"uptime\":%.3f,\"checks\":{",
               clock_text(clock_wall_ms(), now),
               (double)(clock_ms() - x->edge->started_ms) / 1000.0);
    buf_add(out, self->text.bytes, self->text.size);
    buf_add_text(out, "}}");
    buf_free(&self->text);
    respond(x, &(response_t){ .status = self->worst == UNHEALTHY ? 503 : 200,
                              .media = "application/json",
                              .bytes = out->bytes,
                              .size = out->size });
}

static void s_serve(exchange_t *x, bool with_services)
{
    report_t report = { .exchange = x, .asks_services = with_services };
    x->routing = registry_routing(&x->edge->registry);
    s_check_drain(&report);
    s_check_bus(&report);
    if (with_services)
        probes_begin(&x->edge->probes, x->edge->bus, x->routing);
    s_check_required(&report);
    if (with_services) {
        s_check_services(&report);
        s_check_threads(&report);
        if (x->edge->settings->limits)
            s_check_limits(&report);
    }
    if (with_services)
        probes_end(&x->edge->probes);
    s_answer(&report);
}

void health_serve_live(exchange_t *exchange)
{
    report_t report = { .exchange = exchange };
    s_answer(&report);
}

void health_serve_ready(exchange_t *exchange)
{
    s_serve(exchange, false);
}

void health_serve_detailed(exchange_t *exchange)
{
    s_serve(exchange, true);
}
