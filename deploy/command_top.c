/* SPDX-License-Identifier: MPL-2.0
 *
 * command_top - a table of the whole system, drawn anew with every summary of the service `metrics`
 *
 * On a terminal it fills the screen until it is interrupted; elsewhere, and on one that is dumb, it
 * prints a table for each summary; with --once it prints one and ends.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/monitor.h"
#include "deploy/app.h"
#include "deploy/cell.h"
#include "proto/metrics.h"
#include "proto/topic.h"

#define TOP_SILENCE_MS 3000 /* after which another instance's summaries are shown */
#define TOP_ROUTES     15

/* Other screen, no cursor; and back (ECMA-48, and xterm's 1049). */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define SCREEN_EOL   "\033[K\n"
#define SCREEN_REST  "\033[J"

typedef struct {
    app_t *app;
    bool is_once, is_screen;
    monitor_t monitor; /* over what follows */
    buf_t summary;     /* the last one; empty when it has been shown */
    char publisher[EVENT_NAME_BYTES + 1];
    uint64_t heard_ms;
    uint64_t said_s; /* of silence, on the screen; 0: there is none */
} top_t;

/* ---- cells ---------------------------------------------------------------------------------- */

static const char *s_text(const value_t *map, const char *key, char cell[CELL_SIZE])
{
    return cell_text(value_get(map, key), cell);
}

static double s_number(const value_t *map, const char *key)
{
    const value_t *value = value_get(map, key);
    return value_is_number(value) ? value_as_double(value) : 0;
}

static const char *s_time(const value_t *map, const char *key, char cell[CELL_SIZE])
{
    return cell_time(s_number(map, key), cell);
}

/* "45s", "12m", "3h", "9d". */
static const char *s_age(const value_t *map, const char *key, char cell[CELL_SIZE])
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    int64_t age = value_get_int(map, key, 0);
    size_t i = 0;
    while (i + 1 < COUNT_OF(units) && age < 2 * units[i].seconds)
        i++;
    snprintf(cell, CELL_SIZE, "%" PRId64 "%c", age / units[i].seconds, units[i].unit);
    return cell;
}

static void s_add_pace(const value_t *map, buf_t *out)
{
    char p50[CELL_SIZE], p95[CELL_SIZE], p99[CELL_SIZE];
    buf_printf(out, " %9.1f %8.1f %6.2f %8s %8s %8s", s_number(map, "requests_per_s"),
               s_number(map, "errors_per_s"), s_number(map, "error_ratio") * 100,
               s_time(map, "p50_us", p50), s_time(map, "p95_us", p95), s_time(map, "p99_us", p99));
}

#define PACE_HEAD "     REQ/S    ERR/S   ERR%      P50      P95      P99"

/* ---- tables --------------------------------------------------------------------------------- */

static void s_add_parts(const value_t *summary, buf_t *out)
{
    const value_t *parts = value_get(summary, "parts"), *part;
    char name[CELL_SIZE];
    buf_printf(out, "%-16s %5s %5s %s %7s\n", "PART", "UP", "DOWN", PACE_HEAD, "BUSY");
    for (uint32_t i = 0; (part = value_item(parts, i)); i++) {
        buf_printf(out, "%-16.16s %5" PRId64 " %5" PRId64, s_text(part, "part", name),
                   value_get_int(part, "instances", 0), value_get_int(part, "down", 0));
        s_add_pace(part, out);
        buf_printf(out, " %7" PRId64 "\n", value_get_int(part, "in_flight", 0));
    }
}

static const char *s_state(const value_t *instance)
{
    if (value_get_int(instance, "down", 0))
        return "DOWN";
    return value_get_bool(instance, "up", false) ? "up" : "left";
}

static void s_add_instances(const value_t *summary, buf_t *out)
{
    const value_t *instances = value_get(summary, "instances"), *at;
    char name[CELL_SIZE], age[CELL_SIZE];
    buf_printf(out, "\n%-22s %-5s %s %6s %6s %6s %8s\n", "INSTANCE", "STATE", PACE_HEAD, "CPU%",
               "MIB", "AGE", "RESTARTS");
    for (uint32_t i = 0; (at = value_item(instances, i)); i++) {
        buf_printf(out, "%-22.22s %-5s", s_text(at, "instance", name), s_state(at));
        s_add_pace(at, out);
        buf_printf(out, " %6.1f %6" PRId64 " %6s %8" PRId64 "\n", s_number(at, "cpu_ratio") * 100,
                   value_get_int(at, "memory_bytes", 0) >> 20, s_age(at, "uptime_s", age),
                   value_get_int(at, "restarts", 0));
    }
}

static void s_add_routes(const value_t *summary, buf_t *out)
{
    const value_t *routes = value_get(summary, "routes"), *route;
    char path[CELL_SIZE], verb[CELL_SIZE];
    buf_printf(out, "\n%-7s %-30s %s\n", "METHOD", "ROUTE", PACE_HEAD);
    for (uint32_t i = 0; i < TOP_ROUTES && (route = value_item(routes, i)); i++) {
        buf_printf(out, "%-7.7s %-30.30s", s_text(route, "method", verb),
                   s_text(route, "route", path));
        s_add_pace(route, out);
        buf_add_byte(out, '\n');
    }
}

static void s_add_queues(const value_t *summary, buf_t *out)
{
    const value_t *queues = value_get(summary, "queues"), *queue;
    char name[CELL_SIZE];
    buf_printf(out, "\n%-30s %9s %9s %9s\n", "QUEUE", "WAITING", "CREDIT", "INSTANCES");
    for (uint32_t i = 0; (queue = value_item(queues, i)); i++)
        buf_printf(out, "%-30.30s %9" PRId64 " %9" PRId64 " %9" PRId64 "\n",
                   s_text(queue, "service", name), value_get_int(queue, "depth", 0),
                   value_get_int(queue, "credit", 0), value_get_int(queue, "instances", 0));
}

static void s_add_alerts(const value_t *summary, buf_t *out)
{
    const value_t *alerts = value_get(summary, "alerts"), *alert, *key, *label;
    char name[CELL_SIZE], since[CELL_SIZE], text[CELL_SIZE];
    for (uint32_t i = 0; (alert = value_item(alerts, i)); i++) {
        buf_printf(out, "ALERT %s since %s", s_text(alert, "name", name),
                   s_text(alert, "since", since));
        const value_t *labels = value_get(alert, "labels");
        for (uint32_t j = 0; value_pair(labels, j, &key, &label); j++) {
            char of[CELL_SIZE];
            snprintf(of, sizeof of, "%.*s", (int)key->count, key->text);
            buf_printf(out, " %s", s_text(labels, of, text));
        }
        buf_add_byte(out, '\n');
    }
}

static void s_add_tables(const value_t *summary, buf_t *out)
{
    char at[CELL_SIZE];
    buf_printf(out, "Signalbox at %s\n", s_text(summary, "at", at));
    s_add_alerts(summary, out);
    buf_add_byte(out, '\n');
    s_add_parts(summary, out);
    s_add_instances(summary, out);
    s_add_routes(summary, out);
    s_add_queues(summary, out);
}

/* ---- showing -------------------------------------------------------------------------------- */

/* As many lines and columns of it as there are on the screen, over what was there. */
static void s_draw(const buf_t *text)
{
    struct winsize size = { 0 };
    buf_t out = { 0 };
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row || !size.ws_col)
        size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
    const char *at = (const char *)text->bytes, *end = at + text->size;
    buf_add_text(&out, SCREEN_HOME);
    for (unsigned row = 1; row < size.ws_row && at < end; row++) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((eol ? eol : end) - at);
        buf_add(&out, at, length < size.ws_col ? length : size.ws_col);
        buf_add_text(&out, SCREEN_EOL);
        at += length + 1;
    }
    buf_add_text(&out, SCREEN_REST);
    fwrite(out.bytes, 1, out.size, stdout);
    buf_free(&out);
}

static void s_show(const top_t *self, const uint8_t *bytes, size_t size)
{
    arena_t arena = { 0 };
    buf_t text = { 0 };
    value_verdict_t verdict;
    const value_t *summary = value_parse(&arena, bytes, size, VALUE_LIMITS, &verdict);
    if (summary)
        s_add_tables(summary, &text);
    if (summary && self->is_screen)
        s_draw(&text);
    else if (summary)
        fwrite(text.bytes, 1, text.size, stdout);
    fflush(stdout);
    buf_free(&text);
    arena_free(&arena);
}

/* Above tables that nothing comes for any more, so that nobody takes them for the present. */
static void s_show_silence(top_t *self, uint64_t silent_ms)
{
    const uint64_t silent_s = silent_ms / 1000;
    if (!self->is_screen || silent_ms < TOP_SILENCE_MS || silent_s == self->said_s)
        return;
    self->said_s = silent_s;
    printf(SCREEN_HOME "No summary has come for %" PRIu64 " s: this is how it was" SCREEN_EOL,
           silent_s);
    fflush(stdout);
}

/* Shows what has come; false when nothing more is to be shown. */
static bool s_tick(void *arg)
{
    top_t *self = arg;
    buf_t summary;
    monitor_lock(&self->monitor);
    summary = self->summary;
    self->summary = (buf_t){ 0 };
    const uint64_t now_ms = clock_ms(), silent_ms = now_ms - self->heard_ms;
    monitor_unlock(&self->monitor);
    if (!summary.size) {
        s_show_silence(self, silent_ms);
        return true;
    }
    self->said_s = 0;
    s_show(self, summary.bytes, summary.size);
    if (!self->is_screen && !self->is_once)
        printf("\n");
    buf_free(&summary);
    return !self->is_once;
}

/* ---- hearing -------------------------------------------------------------------------------- */

/* Instances of the service say the same: one of them is heard, until it is silent. */
static void s_on_summary(void *arg, const client_event_t *event)
{
    top_t *self = arg;
    const event_t *head = &event->head;
    uint64_t now_ms = clock_ms();
    monitor_lock(&self->monitor);
    bool is_same = strlen(self->publisher) == head->publisher_size &&
                   memcmp(self->publisher, head->publisher, head->publisher_size) == 0;
    if (is_same || !self->publisher[0] || now_ms - self->heard_ms > TOP_SILENCE_MS) {
        memcpy(self->publisher, head->publisher, head->publisher_size);
        self->publisher[head->publisher_size] = '\0';
        self->heard_ms = now_ms;
        self->summary.size = 0;
        buf_add(&self->summary, event->body, event->size);
    }
    monitor_unlock(&self->monitor);
}

/* Whether there is somebody to hear; without one a sentence says so. */
static bool s_is_served(client_t *client)
{
    answer_t answer;
    bool good = client_call(client,
                            &(client_request_t){ .service = metrics_service.name,
                                                 .method = metrics_summary.name,
                                                 .flags = FRAME_IDEMPOTENT },
                            &answer);
    if (!good)
        app_fail_answer(&answer);
    answer_close(&answer);
    return good;
}

static int s_top(client_t *client, void *arg)
{
    top_t *self = arg;
    if (!s_is_served(client))
        return APP_EXIT_FAILED;
    if (self->is_screen)
        fputs(SCREEN_ENTER, stdout);
    client_subscribe(client, topic_row(TOPIC_METRICS_SUMMARY)->prefix, s_on_summary, self);
    app_wait(self->app, s_tick, self);
    if (self->is_screen)
        fputs(SCREEN_LEAVE, stdout);
    fflush(stdout);
    return APP_EXIT_OK;
}

/* A terminal that says it understands nothing but text. */
static bool s_is_dumb(void)
{
    const char *term = getenv("TERM");
    return term && strcmp(term, "dumb") == 0;
}

static int s_run_top(app_t *app, int argc, char **argv)
{
    top_t top = { .app = app, .heard_ms = clock_ms() };
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--once") == 0)
            top.is_once = true;
        else
            return app_misunderstood(argv[i]);
    top.is_screen = !top.is_once && isatty(STDOUT_FILENO) && !s_is_dumb();
    monitor_init(&top.monitor);
    int status = app_with_client(app, s_top, &top);
    monitor_free(&top.monitor);
    buf_free(&top.summary);
    return status;
}

static const char *const s_top_sections[] = { "bus", NULL };

const command_t command_top = {
    .name = "top",
    .arguments = "[--once]",
    .about = "Shows all instances, routes and queues with their load, each second",
    .help = "  --once          prints one table and ends",
    .sections = s_top_sections,
    .run = s_run_top,
};
