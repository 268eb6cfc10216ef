/* SPDX-License-Identifier: MPL-2.0
 *
 * summary - how the whole system does, made of the last snapshots
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/metrics/pace.h"
#include "actors/metrics/summary.h"

#define ROUTES_MAX   500
#define SERVICES_MAX 500
#define MICRO        1000000

/* Which families tell the pace of a part. Errors are the series of a family of which one label, if
 * there is one, begins in a certain way. */
typedef struct {
    const char *part; /* NULL: every other */
    const char *requests, *errors, *error_label, *error_prefix, *times, *in_flight;
} sources_t;

static const sources_t s_sources[] = {
    { "edge", "http_requests_total", "http_requests_total", "status", "5",
      "http_request_duration_seconds", "http_requests_in_flight" },
    { "broker", "broker_requests_total", "broker_drops_total", NULL, NULL,
      "broker_request_duration_seconds", "broker_pending" },
    { NULL, "actor_calls_total", "actor_faults_total", NULL, NULL, "actor_call_duration_seconds",
      "actor_active" },
};

/* All instances of one part together. */
typedef struct {
    const char *name;
    int64_t instances, down, in_flight;
    pace_t pace;
} part_t;

typedef struct {
    UT_hash_handle hh;
    const char *method, *route;
    pace_t pace;
    char key[]; /* both, with a space between */
} route_t;

typedef struct {
    UT_hash_handle hh;
    const char *name;
    int64_t depth, credit, instances;
} waiting_t;

typedef struct {
    const board_t *board;
    uint64_t now_ms;
    int64_t wall_ms;
    arena_t arena;
    part_t **parts; /* as many as there are instances, at most */
    size_t part_count;
    route_t *routes[ROUTES_MAX], *by_name;
    size_t route_count;
    waiting_t services[SERVICES_MAX], *queues;
    size_t service_count;
    double started, dead; /* jobs a second */
    int64_t running;
    pack_t instances; /* packed while the parts are added up */
    buf_t instance_bytes;
} summary_t;

/* ---- one instance --------------------------------------------------------------------------- */

static const sources_t *s_find_sources(const char *part)
{
    const sources_t *at = s_sources;
    while (at->part && strcmp(at->part, part) != 0)
        at++;
    return at;
}

static span_t s_span(const member_t *member)
{
    return (span_t){ .before = member->is_up ? member->before : NULL,
                     .now = member->now,
                     .seconds =
                         ((double)member->now_wall_ms - (double)member->before_wall_ms) / 1000 };
}

/* Never below 0: what a gauge of ours shows is a number of things. */
static int64_t s_gauge(const view_t *view, const char *name)
{
    const view_family_t *family = view_family(view, name);
    int64_t sum = 0;
    for (size_t i = 0; family && i < family->count; i++)
        sum = pace_whole(sum + pace_whole(family->series[i].value));
    return sum;
}

static double s_rate(const span_t *span, const char *name, const char *label, const char *prefix)
{
    const view_family_t *family = view_family(span->now, name);
    double sum = 0;
    for (size_t i = 0; family && i < family->count; i++) {
        const view_series_t *series = &family->series[i];
        if (!label || strncmp(view_label(series, label), prefix, strlen(prefix)) == 0)
            sum += pace_rate(span, family, series);
    }
    return sum;
}

static void s_add_times(pace_t *pace, const span_t *span, const char *name)
{
    const view_family_t *family = view_family(span->now, name);
    for (size_t i = 0; family && i < family->count; i++)
        pace_add_times(pace, span, family, &family->series[i]);
}

static part_t *s_part(summary_t *self, const char *name)
{
    for (size_t i = 0; i < self->part_count; i++)
        if (strcmp(self->parts[i]->name, name) == 0)
            return self->parts[i];
    part_t *made = arena_alloc(&self->arena, sizeof *made);
    made->name = name;
    self->parts[self->part_count++] = made;
    return made;
}

static void s_add_to_part(summary_t *self, const member_t *member, const pace_t *pace,
                          int64_t in_flight)
{
    part_t *part = s_part(self, member->now->part);
    part->instances += member->is_up;
    part->down += !member->is_up && !member->now->is_last;
    part->in_flight = pace_whole(part->in_flight + in_flight);
    part->pace.requests += pace->requests;
    part->pace.errors += pace->errors;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        part->pace.times.buckets[i] += pace->times.buckets[i];
}

static void s_pack_instance(summary_t *self, const member_t *member, const span_t *span,
                            const pace_t *pace, int64_t in_flight)
{
    pack_t *pack = &self->instances;
    const view_t *view = member->now;
    int64_t life_ms = self->wall_ms - (int64_t)view->boot;
    pack_map(pack, 10 + PACE_MEMBERS);
    pack_pair_text(pack, "part", view->part);
    pack_pair_text(pack, "instance", view->instance);
    pack_pair_bool(pack, "up", member->is_up);
    pack_pair_int(pack, "down", !member->is_up && !view->is_last);
    pack_pair_int(pack, "uptime_s", pace_whole(life_ms / 1000));
    pack_pair_int(pack, "restarts", member->restarts);
    pack_pair_int(pack, "silent_s", (int64_t)((self->now_ms - member->heard_ms) / 1000));
    pace_write(pace, pack);
    pack_pair_int(pack, "in_flight", in_flight);
    pack_text(pack, "cpu_ratio");
    pack_double(pack, pace_bounded(s_rate(span, "process_cpu_seconds_total", NULL, NULL) / MICRO));
    pack_pair_int(pack, "memory_bytes",
                  member->is_up ? s_gauge(view, "process_resident_memory_bytes") : 0);
}

static void s_add_instance(summary_t *self, const member_t *member, pace_t *pace)
{
    const sources_t *sources = s_find_sources(member->now->part);
    const span_t span = s_span(member);
    int64_t in_flight = member->is_up ? s_gauge(member->now, sources->in_flight) : 0;
    *pace = (pace_t){ .requests = s_rate(&span, sources->requests, NULL, NULL),
                      .errors = s_rate(&span, sources->errors, sources->error_label,
                                       sources->error_prefix) };
    s_add_times(pace, &span, sources->times);
    s_add_to_part(self, member, pace, in_flight);
    s_pack_instance(self, member, &span, pace, in_flight);
}

/* ---- routes --------------------------------------------------------------------------------- */

/* What is beyond the limit is left out: the parts tell it all the same. */
static route_t *s_route(summary_t *self, const view_series_t *series)
{
    const char *method = view_label(series, "method"), *route = view_label(series, "route");
    char key[2 * FAMILY_VALUE_MAX + 2];
    const size_t size = (size_t)snprintf(key, sizeof key, "%s %s", method, route);
    route_t *found;
    HASH_FIND(hh, self->by_name, key, size, found);
    if (found || self->route_count == ROUTES_MAX)
        return found;
    route_t *made = arena_alloc(&self->arena, sizeof *made + size + 1);
    made->method = method;
    made->route = route;
    memcpy(made->key, key, size);
    HASH_ADD(hh, self->by_name, key, (unsigned)size, made);
    self->routes[self->route_count++] = made;
    return made;
}

static void s_add_routes(summary_t *self, const member_t *member)
{
    const span_t span = s_span(member);
    const view_family_t *requests = view_family(member->now, "http_requests_total");
    const view_family_t *times = view_family(member->now, "http_request_duration_seconds");
    for (size_t i = 0; requests && i < requests->count; i++) {
        route_t *route = s_route(self, &requests->series[i]);
        double rate = pace_rate(&span, requests, &requests->series[i]);
        if (!route)
            continue;
        route->pace.requests += rate;
        if (view_label(&requests->series[i], "status")[0] == '5')
            route->pace.errors += rate;
    }
    for (size_t i = 0; times && i < times->count; i++) {
        route_t *route = s_route(self, &times->series[i]);
        if (route)
            pace_add_times(&route->pace, &span, times, &times->series[i]);
    }
}

static int s_compare_routes(const void *a, const void *b)
{
    const route_t *const *left = a, *const *right = b;
    double difference = (*right)->pace.requests - (*left)->pace.requests;
    if (difference != 0)
        return difference < 0 ? -1 : 1;
    int names = strcmp((*left)->route, (*right)->route);
    return names ? names : strcmp((*left)->method, (*right)->method);
}

/* ---- queues --------------------------------------------------------------------------------- */

static waiting_t *s_service(summary_t *self, const char *name)
{
    waiting_t *found;
    HASH_FIND(hh, self->queues, name, strlen(name), found);
    if (found || self->service_count == SERVICES_MAX)
        return found;
    waiting_t *made = &self->services[self->service_count++];
    *made = (waiting_t){ .name = name };
    HASH_ADD_KEYPTR(hh, self->queues, name, strlen(name), made);
    return made;
}

/* Every instance is known to every broker: their number and credit are told once, by whichever
 * broker sees most of them; what waits, waits in one of them. */
static void s_add_queues(summary_t *self, const view_t *view)
{
    static const char *const names[] = { "broker_queue_depth", "broker_credit",
                                         "broker_service_instances" };
    for (size_t f = 0; f < COUNT_OF(names); f++) {
        const view_family_t *family = view_family(view, names[f]);
        for (size_t i = 0; family && i < family->count; i++) {
            const view_series_t *series = &family->series[i];
            const int64_t value = pace_whole(series->value);
            waiting_t *service = s_service(self, view_label(series, "service"));
            if (!service)
                continue;
            if (f == 0)
                service->depth = pace_whole(service->depth + value);
            else if (f == 1 && value > service->credit)
                service->credit = value;
            else if (f == 2 && value > service->instances)
                service->instances = value;
        }
    }
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void s_add_jobs(summary_t *self, const member_t *member)
{
    const span_t span = s_span(member);
    self->started += s_rate(&span, "jobs_started_total", NULL, NULL);
    self->dead += s_rate(&span, "jobs_dead_total", NULL, NULL);
    self->running = pace_whole(self->running + s_gauge(member->now, "jobs_running"));
}

/* ---- packing -------------------------------------------------------------------------------- */

static void s_pack_parts(const summary_t *self, pack_t *out)
{
    pack_text(out, "parts");
    pack_array(out, self->part_count);
    for (size_t i = 0; i < self->part_count; i++) {
        const part_t *part = self->parts[i];
        pack_map(out, 4 + PACE_MEMBERS);
        pack_pair_text(out, "part", part->name);
        pack_pair_int(out, "instances", part->instances);
        pack_pair_int(out, "down", part->down);
        pace_write(&part->pace, out);
        pack_pair_int(out, "in_flight", part->in_flight);
    }
}

static void s_pack_routes(summary_t *self, pack_t *out)
{
    qsort(self->routes, self->route_count, sizeof *self->routes, s_compare_routes);
    pack_text(out, "routes");
    pack_array(out, self->route_count);
    for (size_t i = 0; i < self->route_count; i++) {
        const route_t *route = self->routes[i];
        pack_map(out, 2 + PACE_MEMBERS);
        pack_pair_text(out, "method", route->method);
        pack_pair_text(out, "route", route->route);
        pace_write(&route->pace, out);
    }
}

static void s_pack_queues(const summary_t *self, pack_t *out)
{
    pack_text(out, "queues");
    pack_array(out, self->service_count);
    for (size_t i = 0; i < self->service_count; i++) {
        const waiting_t *service = &self->services[i];
        pack_map(out, 4);
        pack_pair_text(out, "service", service->name);
        pack_pair_int(out, "depth", service->depth);
        pack_pair_int(out, "credit", service->credit);
        pack_pair_int(out, "instances", service->instances);
    }
}

static void s_pack_jobs(const summary_t *self, pack_t *out)
{
    pack_text(out, "jobs");
    pack_map(out, 3);
    pack_text(out, "started_per_s");
    pack_double(out, pace_bounded(self->started));
    pack_text(out, "dead_per_s");
    pack_double(out, pace_bounded(self->dead));
    pack_pair_int(out, "running", self->running);
}

void summary_write(const board_t *board, const errors_t *errors, uint64_t now_ms, int64_t wall_ms,
                   pack_t *out)
{
    summary_t *self = mem_zeroed(sizeof *self);
    pace_t *pace = mem_zeroed(sizeof *pace);
    size_t count = HASH_COUNT(board->members);
    *self = (summary_t){ .board = board, .now_ms = now_ms, .wall_ms = wall_ms };
    self->parts = mem_array(count + 1, sizeof *self->parts);
    pack_init(&self->instances, &self->instance_bytes);
    for (const member_t *at = board->members; at; at = at->hh.next) {
        s_add_instance(self, at, pace);
        if (!at->is_up)
            continue;
        s_add_routes(self, at);
        s_add_queues(self, at->now);
        s_add_jobs(self, at);
    }
    pack_map(out, SUMMARY_MEMBERS);
    pack_pair_time(out, "at", wall_ms);
    s_pack_parts(self, out);
    pack_text(out, "instances");
    pack_array(out, count);
    pack_raw(out, self->instance_bytes.bytes, self->instance_bytes.size);
    s_pack_routes(self, out);
    s_pack_queues(self, out);
    s_pack_jobs(self, out);
    pack_text(out, "new_errors");
    errors_write_new(errors, wall_ms, out);
    buf_free(&self->instance_bytes);
    HASH_CLEAR(hh, self->by_name);
    HASH_CLEAR(hh, self->queues);
    arena_free(&self->arena);
    mem_free(self->parts);
    mem_free(pace);
    mem_free(self);
}
