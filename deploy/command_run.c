/* SPDX-License-Identifier: MPL-2.0
 *
 * command_run - the parts as processes: everything in one, or one part each
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log.h"
#include "actors/base/notify.h"
#include "actors/base/signals.h"
#include "actors/jobs/jobs.h"
#include "deploy/app.h"

#define RUN_WHY_SIZE      512
#define RUN_READY_MS      10000
#define RUN_PATIENCE      6 /* snapshots that a part may owe before it counts as stuck */
#define RUN_INPROC_BUS    "inproc://signalbox-bus"
#define RUN_INPROC_EDGE   "inproc://signalbox-edge"
#define RUN_INPROC_EVENTS "inproc://signalbox-events"

/* Small enough for one line, and yet with something to find: nothing starts "b". */
#define RUN_EXAMPLE                                                                                \
    "'{\"nodes\": [{\"id\": \"a\", \"type\": \"trigger\"}, {\"id\": \"b\"}, {\"id\": \"c\"}], "    \
    "\"edges\": [{\"from\": \"b\", \"to\": \"c\"}]}'"

/* A part that does what it does all the time. */
typedef struct {
    uint64_t beats, changed_ms;
} pulse_t;

/* The parts of this process. They start in this order and stop in the opposite one. */
typedef struct {
    app_t *app;
    void *context;
    broker_t *broker;
    actor_t *actors[APP_ACTORS_MAX];
    size_t actor_count;
    actor_config_t actor_config;
    edge_t *edge;
    client_settings_t edge_bus;
    pulse_t pulses[APP_ACTORS_MAX + 2];
    uint32_t watchdog_ms; /* how often the service manager wants to hear; 0: not at all */
    uint64_t told_ms;     /* when it last did */
} parts_t;

static bool s_start_broker(parts_t *self)
{
    char why[RUN_WHY_SIZE];
    self->broker = broker_start(self->context, &self->app->broker, why, sizeof why);
    if (!self->broker)
        app_fail(APP_EXIT_FAILED, "the broker cannot start: %s", why);
    return self->broker != NULL;
}

static bool s_start_actor(parts_t *self, const actor_spec_t *spec, db_migrate_t migrate)
{
    char why[RUN_WHY_SIZE];
    insist(self->actor_count < APP_ACTORS_MAX);
    self->actor_config = (actor_config_t){ .actor = &self->app->actor,
                                           .bus = &self->app->bus,
                                           .storage = &self->app->storage };
    actor_t *actor =
        actor_start(self->context, spec, &self->actor_config, migrate, why, sizeof why);
    if (actor)
        self->actors[self->actor_count++] = actor;
    else
        app_fail(APP_EXIT_FAILED, "the actor %s cannot start: %s", spec->service->name, why);
    return actor != NULL;
}

static bool s_start_edge(parts_t *self)
{
    char why[RUN_WHY_SIZE];
    self->edge_bus = self->app->bus;
    self->edge_bus.brokers = self->app->edge.brokers;
    const edge_config_t config = { .settings = &self->app->edge,
                                   .bus = &self->edge_bus,
                                   .instance = "",
                                   .version = PACKAGE_VERSION };
    self->edge = edge_start(self->context, &config, why, sizeof why);
    if (!self->edge)
        app_fail(APP_EXIT_FAILED, "the edge cannot start: %s", why);
    return self->edge != NULL;
}

static void s_open(parts_t *self, app_t *app)
{
    *self = (parts_t){ .app = app, .context = app_context() };
    app_make_data_folder(app);
    crash_begin();
}

static int s_close(parts_t *self, int status)
{
    edge_stop(&self->edge);
    while (self->actor_count > 0)
        actor_stop(&self->actors[--self->actor_count]);
    broker_stop(&self->broker);
    zmq_ctx_term(self->context);
    return status;
}

/* ---- the service manager -------------------------------------------------------------------- */

static bool s_beats(pulse_t *pulse, uint64_t beats, uint64_t now_ms, uint64_t patience_ms)
{
    if (beats != pulse->beats || !pulse->changed_ms)
        *pulse = (pulse_t){ beats, now_ms };
    return now_ms - pulse->changed_ms < patience_ms;
}

/* Whether every part has moved of late: one that hangs is for the manager to start anew. */
static bool s_is_alive(parts_t *self, uint64_t now_ms)
{
    const int64_t interval = self->app->bus.snapshot_ms > self->app->broker.snapshot_ms
                                 ? self->app->bus.snapshot_ms
                                 : self->app->broker.snapshot_ms;
    const uint64_t patience_ms = RUN_PATIENCE * (uint64_t)interval;
    pulse_t *pulse = self->pulses;
    bool is_alive = true;
    if (self->broker)
        is_alive &= s_beats(pulse++, broker_pulse(self->broker), now_ms, patience_ms);
    if (self->edge)
        is_alive &= s_beats(pulse++, edge_pulse(self->edge), now_ms, patience_ms);
    for (size_t i = 0; i < self->actor_count; i++)
        is_alive &= s_beats(pulse++, actor_pulse(self->actors[i]), now_ms, patience_ms);
    return is_alive;
}

static void s_tell_manager(parts_t *self)
{
    uint64_t now_ms = clock_ms();
    if (!self->watchdog_ms || now_ms - self->told_ms < self->watchdog_ms)
        return;
    self->told_ms = now_ms;
    if (s_is_alive(self, now_ms))
        notify_watchdog();
    else
        LOG(LOG_ERROR, "process.stuck", LOG_INT("actors", self->actor_count));
}

static void s_tell_ready(parts_t *self)
{
    char status[120], port[40] = "";
    if (self->edge)
        snprintf(port, sizeof port, ", HTTP on port %u", edge_port(self->edge));
    snprintf(status, sizeof status, "Serving: %s%zu actors%s", self->broker ? "a broker, " : "",
             self->actor_count, port);
    self->watchdog_ms = notify_watchdog_ms();
    notify_ready(status);
}

/* ---- serving -------------------------------------------------------------------------------- */

/* Lets instances leave that an operator has drained; false when none of several is left. */
static bool s_tick(void *arg)
{
    parts_t *self = arg;
    size_t before = self->actor_count, kept = 0;
    s_tell_manager(self);
    for (size_t i = 0; i < before; i++) {
        if (actor_is_draining(self->actors[i]))
            actor_stop(&self->actors[i]);
        else
            self->actors[kept++] = self->actors[i];
    }
    if (kept < before) /* the others have moved up */
        memset(self->pulses, 0, sizeof self->pulses);
    self->actor_count = kept;
    return kept > 0 || before == 0 || self->broker || self->edge;
}

/* Serves until told to stop. */
static int s_serve(parts_t *self)
{
    s_tell_ready(self);
    app_wait(self->app, s_tick, self);
    notify_stopping();
    LOG(LOG_INFO, "process.stopping", LOG_INT("actors", self->actor_count));
    return s_close(self, APP_EXIT_OK);
}

static int s_expect_no_arguments(int argc, char **argv)
{
    return argc == 0 ? APP_EXIT_OK : app_misunderstood(argv[0]);
}

/* After the first start: whoever begins has nobody to ask for a key. */
static void s_tell_first_key(void)
{
    char key[TOKEN_KEY_SIZE];
    if (auth_take_first_key(key))
        printf("\nThe first administrator's API key, shown this once:\n  %s\n", key);
    mem_wipe(key, sizeof key);
    fflush(stdout);
}

/* ---- run ------------------------------------------------------------------------------------ */

static void s_greet(const parts_t *self)
{
    const char *address = self->app->edge.address;
    unsigned port = edge_port(self->edge);
    printf("Signalbox %s is ready.\n\n"
           "  API       http://%s:%u/\n"
           "  API page  http://%s:%u/api-docs\n\n"
           "Try:\n  curl -sS -H 'Content-Type: application/json' %shttp://%s:%u/v1/analyses \\\n"
           "    --data " RUN_EXAMPLE "\n",
           PACKAGE_VERSION, address, port, address, port,
           self->app->edge.allow_anonymous ? "" : "-H \"X-API-Key: $KEY\" ", address, port);
    if (self->app->edge.allow_anonymous)
        printf(
            "\nAnybody on this machine may call it without signing in (edge.allow_anonymous).\n");
    fflush(stdout);
}

static int s_run(app_t *app, int argc, char **argv)
{
    parts_t parts;
    int status = s_expect_no_arguments(argc, argv);
    if (status != APP_EXIT_OK)
        return status;
    /* the parts of this process meet in memory; others may join over the data folder's sockets */
    app->broker.requests = arena_format(&app->texts, RUN_INPROC_BUS ",%s", app->broker.requests);
    app->broker.trusted = RUN_INPROC_EDGE;
    app->broker.events = arena_format(&app->texts, RUN_INPROC_EVENTS ",%s", app->broker.events);
    app->bus.brokers = RUN_INPROC_BUS;
    app->bus.events = RUN_INPROC_EVENTS;
    app->edge.brokers = RUN_INPROC_EDGE;
    jobs_settings.brokers = RUN_INPROC_EDGE;

    s_open(&parts, app);
    bool good = s_start_broker(&parts);
    for (const actor_spec_t *const *spec = app_actors; good && *spec; spec++)
        good = s_start_actor(&parts, *spec, DB_MIGRATE_APPLY);
    good = good && s_start_edge(&parts);
    for (const actor_spec_t *const *spec = app_actors; good && *spec; spec++)
        if (!edge_wait_service(parts.edge, (*spec)->service->name, RUN_READY_MS))
            good = app_fail(0, "the edge has not learnt the routes of %s in time",
                            (*spec)->service->name);
    if (good && !edge_wait_limits(parts.edge, RUN_READY_MS))
        good = app_fail(0, "the edge has not learnt the rate limits in time");
    if (!good)
        return s_close(&parts, APP_EXIT_FAILED);
    s_greet(&parts);
    s_tell_first_key();
    return s_serve(&parts);
}

static const char *const s_run_sections[] = { "edge",     "storage", "actor",   "auth",
                                              "analysis", "cache",   "limiter", "metrics",
                                              "outbound", "http",    "webhook", "mail",
                                              "jobs",     "broker",  "log",     NULL };

const command_t command_run = {
    .name = "run",
    .arguments = "[--port N] [--data DIR] [--allow-anonymous]",
    .about = "Runs everything in one process, with its data in one folder",
    .help = "  --port N            the same as --edge.port N\n"
            "  --data DIR          the same as --storage.data DIR\n"
            "  --allow-anonymous   the same as --edge.allow_anonymous true",
    .sections = s_run_sections,
    .run = s_run,
};

/* ---- one part ------------------------------------------------------------------------------- */

static int s_run_broker(app_t *app, int argc, char **argv)
{
    parts_t parts;
    int status = s_expect_no_arguments(argc, argv);
    if (status != APP_EXIT_OK)
        return status;
    s_open(&parts, app);
    if (!s_start_broker(&parts))
        return s_close(&parts, APP_EXIT_FAILED);
    printf("The broker %s listens on %s\n", broker_name(parts.broker), app->broker.requests);
    fflush(stdout);
    return s_serve(&parts);
}

static const char *const s_broker_sections[] = { "broker", "log", NULL };

const command_t command_broker = {
    .name = "broker",
    .arguments = "[--broker.requests ENDPOINTS] ...",
    .about = "Runs the broker",
    .sections = s_broker_sections,
    .run = s_run_broker,
};

static int s_run_edge(app_t *app, int argc, char **argv)
{
    parts_t parts;
    int status = s_expect_no_arguments(argc, argv);
    if (status != APP_EXIT_OK)
        return status;
    s_open(&parts, app);
    if (!s_start_edge(&parts))
        return s_close(&parts, APP_EXIT_FAILED);
    printf("The edge listens on http://%s:%u/\n", app->edge.address, edge_port(parts.edge));
    fflush(stdout);
    return s_serve(&parts);
}

static const char *const s_edge_sections[] = { "edge", "bus", "log", NULL };

const command_t command_edge = {
    .name = "edge",
    .arguments = "[--port N] ...",
    .about = "Runs the HTTP edge",
    .sections = s_edge_sections,
    .run = s_run_edge,
};

/* `wrong` is what was taken for a name; NULL: nothing was. */
static int s_fail_naming_actors(const char *wrong)
{
    buf_t names = { 0 };
    for (const actor_spec_t *const *spec = app_actors; *spec; spec++)
        buf_printf(&names, "%s%s", spec == app_actors ? "" : ", ", (*spec)->service->name);
    if (wrong)
        app_fail(APP_EXIT_USAGE, "there is no actor '%s'; there are %s", wrong, buf_text(&names));
    else
        app_fail(APP_EXIT_USAGE, "name the actors to run: %s", buf_text(&names));
    buf_free(&names);
    return APP_EXIT_USAGE;
}

static int s_run_actors(app_t *app, int argc, char **argv)
{
    parts_t parts;
    if (argc == 0 || argc > APP_ACTORS_MAX)
        return s_fail_naming_actors(NULL);
    for (int i = 0; i < argc; i++)
        if (!app_actor(argv[i]))
            return s_fail_naming_actors(argv[i]);
    s_open(&parts, app);
    /* a file has one process, which may bring it up to date; a server is for `signalbox migrate` */
    db_migrate_t migrate = app->storage.database[0] ? DB_MIGRATE_CHECK : DB_MIGRATE_APPLY;
    for (int i = 0; i < argc; i++)
        if (!s_start_actor(&parts, app_actor(argv[i]), migrate))
            return s_close(&parts, APP_EXIT_FAILED);
    for (size_t i = 0; i < parts.actor_count; i++)
        printf("The instance %s is registered\n", actor_instance(parts.actors[i]));
    s_tell_first_key();
    return s_serve(&parts);
}

static const char *const s_actor_sections[] = { "actor",    "storage", "bus",     "auth",
                                                "analysis", "cache",   "limiter", "metrics",
                                                "outbound", "http",    "webhook", "mail",
                                                "jobs",     "log",     NULL };

const command_t command_actor = {
    .name = "actor",
    .arguments = "NAME ... [--instance NAME] ...",
    .about = "Runs one or more actors",
    .sections = s_actor_sections,
    .run = s_run_actors,
};
