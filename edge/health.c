/* SPDX-License-Identifier: MPL-2.0
 *
 * health - answers about the state of things
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/host.h"
#include "actors/base/text.h"
#include "edge/health.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/json.h"

#define MEMORY_LOW_PERCENT 5

static const char *const s_names[] = { "healthy", "degraded", "unhealthy" };
static const char *const s_check_names[] = { "ok", "warning", "error" };

/* A report being written. */
typedef struct {
    exchange_t *exchange;
    health_t worst; /* of the whole */
    size_t checks;
    bool is_whole; /* not only what load balancers need */
    bool has_bus;
    uint64_t began_us; /* the check under way */
    buf_t text;        /* of the checks */
} report_t;

static void s_begin(report_t *self)
{
    self->began_us = clock_us();
}

/* A check takes the whole down with it only if it is `vital`. */
static void s_check(report_t *self, const char *name, health_t health, bool is_vital,
                    const char *format, ...) PRINTF_LIKE(5, 6);

static void s_check(report_t *self, const char *name, health_t health, bool is_vital,
                    const char *format, ...)
{
    char message[240];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    const size_t size = text_utf8_cut(message, strlen(message)); /* not inside a character */
    health_t of_whole = health == UNHEALTHY && !is_vital ? DEGRADED : health;
    if (of_whole > self->worst)
        self->worst = of_whole;
    buf_add_text(&self->text, self->checks++ ? "," : "");
    json_add_text(&self->text, name, strlen(name));
    buf_printf(&self->text,
               ":{\"status\":\"%s\",\"latency_ms\":%.3f,\"message\":", s_check_names[health],
               (double)(clock_us() - self->began_us) / 1000.0);
    json_add_text(&self->text, message, size);
    buf_add_byte(&self->text, '}');
}

/* ---- this edge ------------------------------------------------------------------------------ */

static void s_check_drain(report_t *self)
{
    s_begin(self);
    if (self->exchange->edge->is_draining)
        s_check(self, "edge", UNHEALTHY, true, "This edge is leaving");
}

static void s_check_broker(report_t *self)
{
    s_begin(self);
    self->has_bus = client_is_ready(self->exchange->edge->bus);
    s_check(self, "broker", self->has_bus ? HEALTHY : UNHEALTHY, true, "%s",
            self->has_bus ? "A broker answers" : "No broker answers");
}

static void s_check_threads(report_t *self)
{
    edge_t *edge = self->exchange->edge;
    s_begin(self);
    uint32_t live = connections_live(&edge->connections);
    bool is_busy = live * 100 > edge->connections.limit * CONNECTIONS_BUSY_PERCENT;
    s_check(self, "threads", is_busy ? DEGRADED : HEALTHY, false, "%u of %u in use", live,
            edge->connections.limit);
}

static void s_check_limits(report_t *self)
{
    s_begin(self);
    if (!self->exchange->edge->settings->limits)
        return;
    bool is_degraded = limits_are_degraded(&self->exchange->edge->limits);
    s_check(self, "limits", is_degraded ? DEGRADED : HEALTHY, false, "%s",
            is_degraded ? "No limiter answers: this edge counts by itself" : "They are counted");
}

static void s_check_host(report_t *self)
{
    s_begin(self);
    const host_t host = host_read();
    const int64_t most = self->exchange->edge->settings->load_per_processor;
    bool is_busy = most && host.load > (double)most * host.processors;
    bool is_low = host.memory_left * 100 < host.memory * MEMORY_LOW_PERCENT;
    s_check(self, "memory", is_low ? DEGRADED : HEALTHY, false, "%llu of %llu MiB are left",
            (unsigned long long)(host.memory_left >> 20), (unsigned long long)(host.memory >> 20));
    s_check(self, "load", is_busy ? DEGRADED : HEALTHY, false, "%.2f on %u processors", host.load,
            host.processors);
}

/* ---- services ------------------------------------------------------------------------------- */

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

/* Walks the list of the required; `*at` begins at its first character. */
static bool s_next_required(const char **at, const char **name, size_t *size)
{
    *name = *at + strspn(*at, " ,");
    *size = strcspn(*name, " ,");
    *at = *name + *size;
    return *size > 0;
}

static bool s_is_required(const exchange_t *x, const char *service)
{
    const char *at = x->edge->settings->required, *name;
    size_t size;
    while (s_next_required(&at, &name, &size))
        if (strlen(service) == size && memcmp(name, service, size) == 0)
            return true;
    return false;
}

/* What the service says against itself, how long asking took being the check's time. For load
 * balancers no complaint is more than a warning. */
static void s_check_live(report_t *self, const char *name, const offer_t *offer,
                         const probe_t *probe, bool is_vital)
{
    if (probe)
        self->began_us -= probe->took_us;
    s_check(self, name,
            probe           ? probe->health
            : self->has_bus ? HEALTHY
                            : DEGRADED,
            is_vital && self->is_whole, "Version %s%s%s", offer->described->descriptor->version,
            probe && probe->health != HEALTHY ? ", but "
            : self->has_bus                   ? ""
                                              : ", but without a broker nobody can ask it",
            probe ? probe->why : "");
}

static void s_check_service(report_t *self, const char *service, size_t size, const offer_t *offer,
                            bool is_vital)
{
    char name[100], since[CLOCK_TEXT_SIZE];
    const probe_t *probe = NULL;
    s_begin(self);
    if (offer && self->has_bus)
        probe = probes_find(&self->exchange->edge->probes, offer->described->descriptor->service);
    snprintf(name, sizeof name, "service.%.*s", (int)(size < 80 ? size : 80), service);
    if (!offer)
        s_check(self, name, UNHEALTHY, is_vital, "It is required and has never been seen");
    else if (!offer->is_live || (probe && probe->is_missing))
        s_check(self, name, UNHEALTHY, is_vital, "No instance of it is running%s%s",
                offer->since_ms ? " since " : "",
                offer->since_ms ? clock_text(offer->since_ms, since) : "");
    else
        s_check_live(self, name, offer, probe, is_vital);
}

static void s_check_required(report_t *self)
{
    const exchange_t *x = self->exchange;
    const char *at = x->edge->settings->required, *name;
    size_t size;
    while (s_next_required(&at, &name, &size))
        s_check_service(self, name, size, s_offer(x, name, size), true);
}

static void s_check_others(report_t *self)
{
    size_t count;
    const exchange_t *x = self->exchange;
    const offer_t *offers = routing_offers(x->routing, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = offers[i].described->descriptor->service;
        if (!s_is_required(x, name))
            s_check_service(self, name, strlen(name), &offers[i], false);
    }
}

/* ---- what services need --------------------------------------------------------------------- */

/* How those are with whom several services look at the same thing: the worst, the slowest, and what
 * is said of it by whom. What is required is unhealthy already by its service's own check. */
static void s_check_dependency(report_t *self, const char *name)
{
    const probes_t *probes = &self->exchange->edge->probes;
    const probe_check_t *worst = NULL;
    uint64_t took_us = 0;
    char who[120] = "";
    size_t used = 0;
    for (size_t i = 0; i < probes->count; i++) {
        const probe_t *probe = &probes->list[i];
        for (size_t j = 0; j < probe->check_count; j++) {
            const probe_check_t *check = &probe->checks[j];
            if (strcmp(check->name, name) != 0)
                continue;
            if (!worst || check->health > worst->health) {
                worst = check;
                used = 0;
            }
            if (check->health == worst->health && used < sizeof who)
                used += (size_t)snprintf(who + used, sizeof who - used, "%s%s", used ? ", " : "",
                                         probe->service);
            took_us = check->took_us > took_us ? check->took_us : took_us;
        }
    }
    if (!worst)
        return;
    self->began_us = clock_us() - took_us;
    s_check(self, name, worst->health, false, "%s (%s)", worst->message, who);
}

static void s_check_dependencies(report_t *self)
{
    static const char *const names[] = { "database", "redis", "disk" };
    for (size_t i = 0; self->has_bus && i < COUNT_OF(names); i++)
        s_check_dependency(self, names[i]);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void s_answer(report_t *self)
{
    char now[CLOCK_TEXT_SIZE];
    exchange_t *x = self->exchange;
    buf_t *out = &x->content;
    buf_printf(out, "{\"status\":\"%s\",\"version\":", s_names[self->worst]);
    json_add_text(out, x->edge->version, strlen(x->edge->version));
    buf_printf(out, ",\"timestamp\":\"%s\",\"boot\":%" PRIu64 ",\"uptime\":%.3f,\"checks\":{",
               clock_text(clock_wall_ms(), now), x->edge->boot_ms,
               (double)(clock_ms() - x->edge->started_ms) / 1000.0);
    buf_add(out, self->text.bytes, self->text.size);
    buf_add_text(out, "}}");
    buf_free(&self->text);
    respond(x, &(response_t){ .status = self->worst == UNHEALTHY ? 503 : 200,
                              .media = "application/json",
                              .bytes = out->bytes,
                              .size = out->size });
}

static void s_serve(exchange_t *x, bool is_whole)
{
    report_t report = { .exchange = x, .is_whole = is_whole };
    x->routing = registry_routing(&x->edge->registry);
    s_check_drain(&report);
    s_check_broker(&report);
    if (report.has_bus)
        probes_begin(&x->edge->probes, x->edge->bus, x->routing);
    else
        probes_forget(&x->edge->probes);
    s_check_required(&report);
    if (is_whole) {
        s_check_others(&report);
        s_check_dependencies(&report);
    }
    if (report.has_bus)
        probes_end(&x->edge->probes);
    if (is_whole) {
        s_check_host(&report);
        s_check_threads(&report);
        s_check_limits(&report);
    }
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
