/* SPDX-License-Identifier: MPL-2.0
 *
 * command_bus - an operator's hands on the bus: call, watch, ps, drain
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "deploy/app.h"
#include "deploy/cell.h"
#include "proto/json.h"

#define BUS_DEADLINE_MS     30000
#define BUS_DEADLINE_MAX_MS 3600000
#define BUS_DRAIN_MS        60000
#define BUS_DRAIN_PAUSE_MS  50

/* ---- call ----------------------------------------------------------------------------------- */

typedef struct {
    char service[FRAME_NAME_BYTES + 1], method[FRAME_NAME_BYTES + 1];
    buf_t body;
    uint8_t flags;
    uint32_t deadline_ms;
} call_options_t;

static void s_print_part(void *arg, answer_t *answer)
{
    (void)arg;
    app_print_body(answer_bytes(answer), answer_size(answer), false);
    printf("\n");
}

static int s_call(client_t *client, void *arg)
{
    call_options_t *options = arg;
    return app_show(client, &(client_request_t){ .service = options->service,
                                                 .method = options->method,
                                                 .body = &options->body,
                                                 .flags = options->flags,
                                                 .deadline_ms = options->deadline_ms,
                                                 .on_part = s_print_part });
}

/* Takes `SERVICE.METHOD` apart; a service's name may have dots. */
static bool s_read_method(const char *name, call_options_t *options)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot &&
           text_copy(options->service, sizeof options->service, name, (size_t)(dot - name)) &&
           text_copy(options->method, sizeof options->method, dot + 1, strlen(dot + 1));
}

static bool s_read_deadline(const char *text, call_options_t *options)
{
    int64_t value;
    if (!text_to_i64(text, strlen(text), &value) || value < 1 || value > BUS_DEADLINE_MAX_MS)
        return false;
    options->deadline_ms = (uint32_t)value;
    return true;
}

static int s_run_call(app_t *app, int argc, char **argv)
{
    call_options_t options = { .deadline_ms = BUS_DEADLINE_MS };
    const char *words[2] = { NULL, "{}" };
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0)
            options.flags = FRAME_BROADCAST;
        else if (text_starts(argv[i], "--deadline=") &&
                 s_read_deadline(strchr(argv[i], '=') + 1, &options))
            continue;
        else if (count < 2 && !text_starts(argv[i], "--"))
            words[count++] = argv[i];
        else
            return app_misunderstood(argv[i]);
    }
    if (!s_read_method(words[0], &options))
        return app_fail(APP_EXIT_USAGE, "name what to call as SERVICE.METHOD");
    json_error_t error;
    int status;
    if (json_to_msgpack(words[1], strlen(words[1]), VALUE_LIMITS, 0, &options.body, &error))
        status = app_with_client(app, s_call, &options);
    else
        status = app_fail(APP_EXIT_USAGE, "line %u, column %u of the JSON: %s", error.line,
                          error.column, json_verdict_text(error.verdict));
    buf_free(&options.body);
    return status;
}

static const char *const s_bus_sections[] = { "bus", NULL };

const command_t command_call = {
    .name = "call",
    .arguments = "SERVICE.METHOD [JSON] [--all] [--deadline=MS]",
    .about = "Calls a method over the bus and prints the answer",
    .help = "  --all           every instance is asked, each answer is a line\n"
            "  --deadline=MS   how long the answer may take [30000]",
    .sections = s_bus_sections,
    .run = s_run_call,
};

/* ---- watch ---------------------------------------------------------------------------------- */

/* Whoever publishes names the topic and itself as it likes. */
static void s_add_name(buf_t *out, const char *key, const char *name, size_t size)
{
    char line[FRAME_NAME_BYTES + 5];
    cell_line(name, size, line, sizeof line);
    buf_printf(out, "\"%s\":", key);
    json_add_text(out, line, strlen(line));
    buf_add_byte(out, ',');
}

static void s_print_event(void *arg, const client_event_t *event)
{
    char time[CLOCK_TEXT_SIZE];
    buf_t names = { 0 };
    (void)arg;
    s_add_name(&names, "topic", event->topic, event->topic_size);
    s_add_name(&names, "publisher", event->head.publisher, event->head.publisher_size);
    printf("{%s\"sequence\":%llu,\"time\":\"%s\",\"retained\":%s,\"missed\":%llu,\"body\":",
           buf_text(&names), (unsigned long long)event->head.sequence,
           clock_text(event->head.time_ms, time),
           event->head.flags & EVENT_RETAINED ? "true" : "false",
           (unsigned long long)event->missed);
    buf_free(&names);
    app_print_body(event->body, event->size, false);
    printf("}\n");
    fflush(stdout);
}

typedef struct {
    app_t *app;
    const char *prefix;
} watch_t;

static int s_watch(client_t *client, void *arg)
{
    const watch_t *watch = arg;
    client_subscribe(client, watch->prefix, s_print_event, NULL);
    app_wait(watch->app, NULL, NULL);
    return APP_EXIT_OK;
}

static int s_run_watch(app_t *app, int argc, char **argv)
{
    watch_t watch = { .app = app, .prefix = argc == 1 ? argv[0] : "" };
    if (argc > 1)
        return app_misunderstood(argv[1]);
    return app_with_client(app, s_watch, &watch);
}

const command_t command_watch = {
    .name = "watch",
    .arguments = "[TOPIC]",
    .about = "Prints the events of all topics that start with TOPIC, one JSON object a line",
    .sections = s_bus_sections,
    .run = s_run_watch,
};

/* ---- ps ------------------------------------------------------------------------------------- */

/* The answer of a broker's own method; NULL when there is none, which was said then. */
static const value_t *s_ask(client_t *client, const char *method, arena_t *arena)
{
    return app_ask(client, &(client_request_t){ .service = "$SRV", .method = method }, arena);
}

static const value_t *s_named(const value_t *list, const char *key, const value_t *name)
{
    const value_t *item;
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        const value_t *found = value_get(item, key);
        if (found && name && value_equal(found, name))
            return item;
    }
    return NULL;
}

static void s_print_instance(const value_t *service, const value_t *info, const value_t *stats)
{
    char name[CELL_SIZE], instance[CELL_SIZE], version[CELL_SIZE];
    bool is_draining = value_get_bool(info, "draining", false);
    int64_t boot = value_get_int(info, "boot", 0);
    char began[CLOCK_TEXT_SIZE] = "-";
    if (boot)
        clock_text(boot, began);
    cell_text(value_get(info, "version"), version);
    printf("%-12s %-24s %-8s %6lld %6lld %7lld %10lld %9lld %8lld %-24s %s\n",
           cell_text(value_get(service, "service"), name),
           cell_text(value_get(info, "instance"), instance), version[0] ? version : "-",
           (long long)value_get_int(info, "credit", 0),
           (long long)value_get_int(info, "outstanding", 0),
           (long long)value_get_int(service, "queued", 0),
           (long long)value_get_int(stats, "requests", 0),
           (long long)value_get_int(stats, "failures", 0),
           (long long)value_get_int(stats, "average_us", 0), began,
           is_draining ? "draining" : "up");
}

static void s_print_service(const value_t *service, const value_t *stats)
{
    const value_t *instances = value_get(service, "instances"), *instance;
    for (uint32_t i = 0; (instance = value_item(instances, i)); i++)
        s_print_instance(
            service, instance,
            s_named(value_get(stats, "instances"), "instance", value_get(instance, "instance")));
    if (instances && instances->count == 0) {
        char name[CELL_SIZE], since[CLOCK_TEXT_SIZE];
        printf("%-12s no instance since %s\n", cell_text(value_get(service, "service"), name),
               clock_text(value_get_int(service, "empty_since_ms", 0), since));
    }
}

static int s_ps(client_t *client, void *arg)
{
    arena_t arena = { 0 };
    (void)arg;
    const value_t *info = s_ask(client, "INFO", &arena);
    const value_t *stats = info ? s_ask(client, "STATS", &arena) : NULL;
    if (stats) {
        const value_t *services = value_get(info, "services"), *service;
        printf("%-12s %-24s %-8s %6s %6s %7s %10s %9s %8s %-24s %s\n", "SERVICE", "INSTANCE",
               "VERSION", "CREDIT", "BUSY", "QUEUED", "REQUESTS", "FAILURES", "AVG_US", "BOOT",
               "STATE");
        for (uint32_t i = 0; (service = value_item(services, i)); i++)
            s_print_service(service, s_named(value_get(stats, "services"), "service",
                                             value_get(service, "service")));
    }
    arena_free(&arena);
    return stats ? APP_EXIT_OK : APP_EXIT_FAILED;
}

static int s_run_ps(app_t *app, int argc, char **argv)
{
    if (argc > 0)
        return app_misunderstood(argv[0]);
    return app_with_client(app, s_ps, NULL);
}

const command_t command_ps = {
    .name = "ps",
    .arguments = "",
    .about = "Lists services and instances with their load",
    .sections = s_bus_sections,
    .run = s_run_ps,
};

/* ---- drain ---------------------------------------------------------------------------------- */

typedef enum { INSTANCE_THERE, INSTANCE_GONE, INSTANCE_UNKNOWN } presence_t;

static presence_t s_find_instance(client_t *client, const char *instance)
{
    arena_t arena = { 0 };
    bool found = false;
    const value_t *info = s_ask(client, "INFO", &arena), *service;
    for (uint32_t i = 0; (service = value_item(value_get(info, "services"), i)); i++) {
        const value_t *item;
        for (uint32_t j = 0; (item = value_item(value_get(service, "instances"), j)); j++)
            found |= value_is(value_get(item, "instance"), instance);
    }
    arena_free(&arena);
    return !info ? INSTANCE_UNKNOWN : found ? INSTANCE_THERE : INSTANCE_GONE;
}

/* Waits until the instance has left; the broker is asked again and again. */
static int s_wait_gone(client_t *client, const char *instance)
{
    const uint64_t until_ms = clock_ms() + BUS_DRAIN_MS;
    presence_t presence;
    while ((presence = s_find_instance(client, instance)) == INSTANCE_THERE) {
        if (clock_ms() > until_ms)
            return app_fail(APP_EXIT_FAILED, "%s is still finishing its work", instance);
        clock_sleep_ms(BUS_DRAIN_PAUSE_MS);
    }
    if (presence == INSTANCE_UNKNOWN)
        return APP_EXIT_FAILED;
    printf("%s has left\n", instance);
    return APP_EXIT_OK;
}

static int s_drain(client_t *client, void *arg)
{
    const char *instance = arg;
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "instance", instance);
    bool good = client_call(
        client, &(client_request_t){ .service = "$BROKER", .method = "DRAIN", .body = &body },
        &answer);
    int status = good ? APP_EXIT_OK : app_fail_answer(&answer);
    answer_close(&answer);
    return good ? s_wait_gone(client, instance) : status;
}

static int s_run_drain(app_t *app, int argc, char **argv)
{
    if (argc != 1)
        return app_fail(APP_EXIT_USAGE, "name one instance; `signalbox ps` lists them");
    return app_with_client(app, s_drain, argv[0]);
}

const command_t command_drain = {
    .name = "drain",
    .arguments = "INSTANCE",
    .about = "Lets an instance finish its work and leave, and waits until it has",
    .sections = s_bus_sections,
    .run = s_run_drain,
};
