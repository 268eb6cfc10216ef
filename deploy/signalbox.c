/* SPDX-License-Identifier: MPL-2.0
 *
 * signalbox - the one program: a subcommand says which part a process plays
 *
 * The composition root: the tables below list every part's settings, every actor and every command.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/analysis/service.h"
#include "actors/auth/auth.h"
#include "actors/base/log.h"
#include "actors/base/signals.h"
#include "actors/base/text.h"
#include "actors/cache/cache.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/mail/mail.h"
#include "actors/jobs/monitor/monitor.h"
#include "actors/jobs/webhook/webhook.h"
#include "actors/limiter/limiter.h"
#include "actors/metrics/metrics.h"
#include "deploy/app.h"

extern char **environ;

const actor_spec_t *const app_actors[] = {
    &auth_actor,    &analysis_actor, &cache_actor, &limiter_actor, &metrics_actor,
    &webhook_actor, &mail_actor,     &http_actor,  &jobs_actor,    NULL
};

static const command_t *const s_commands[] = {
    &command_run,       &command_broker,  &command_edge,    &command_actor,  &command_migrate,
    &command_config,    &command_call,    &command_watch,   &command_ps,     &command_drain,
    &command_log_level, &command_analyze, &command_openapi, &command_health, &command_top,
    &command_trace,     &command_user,    &command_key,     &command_audit,  &command_jobs,
    &command_errors,
};

static const setting_t s_log_rows[] = {
    { "level", SETTING_TEXT, offsetof(log_settings_t, level), .preset = "info",
      .choices = "debug info warn error", .reloadable = true,
      .about = "From which severity on lines are logged." },
    { "format", SETTING_TEXT, offsetof(log_settings_t, format), .preset = "auto",
      .choices = "auto json text", .reloadable = true,
      .about = "How lines look: JSON, text for people, or `auto`: text on a terminal, else JSON." },
    { 0 },
};

/* Short names of settings people type often. */
static const struct {
    const char *flag, *setting;
    const char *value; /* of a flag that takes none */
} s_shortcuts[] = {
    { "port", "edge.port", NULL },
    { "data", "storage.data", NULL },
    { "allow-anonymous", "edge.allow_anonymous", "true" },
    { "instance", "actor.instance", NULL },
};

/* ---- help ----------------------------------------------------------------------------------- */

static int s_print_usage(int status)
{
    printf("Usage: signalbox COMMAND [ARGUMENT ...] [--SETTING VALUE ...]\n\n");
    for (size_t i = 0; i < COUNT_OF(s_commands); i++)
        printf("  %-10s %s\n", s_commands[i]->name, s_commands[i]->about);
    printf(
        "\n`signalbox COMMAND --help` says more. Settings come from the file named by --config or\n"
        "SIGNALBOX_CONFIG, from SIGNALBOX_* variables and from flags; docs/configuration.md lists "
        "them.\n");
    return status;
}

static int s_print_help(const app_t *app, const command_t *command)
{
    buf_t text = { 0 };
    buf_printf(&text, "Usage: signalbox %s%s%s\n\n%s.\n", command->name,
               command->arguments[0] ? " " : "", command->arguments, command->about);
    if (command->help)
        buf_printf(&text, "\n%s\n", command->help);
    if (command->sections && command->sections[0])
        buf_add_text(&text, "\nSettings:\n");
    for (const char *const *section = command->sections; section && *section; section++)
        settings_help(app->settings, *section, &text);
    fputs(buf_text(&text), stdout);
    buf_free(&text);
    return APP_EXIT_OK;
}

static int s_print_version(void)
{
    printf("signalbox %s\n", PACKAGE_VERSION);
    return APP_EXIT_OK;
}

/* ---- settings ------------------------------------------------------------------------------- */

/* Takes one argument that is a setting; `*used` is how many words that were: 0 when it is none. */
static bool s_take_flag(app_t *app, int left, char **words, int *used, buf_t *problems)
{
    char name[128];
    const char *flag = words[0] + 2, *equals = strchr(flag, '='), *value = NULL;
    text_copy(name, sizeof name, flag, equals ? (size_t)(equals - flag) : strlen(flag));
    const char *setting = name;
    *used = 1;
    for (size_t i = 0; i < COUNT_OF(s_shortcuts); i++)
        if (strcmp(name, s_shortcuts[i].flag) == 0) {
            setting = s_shortcuts[i].setting;
            value = s_shortcuts[i].value;
        }
    if (!strchr(setting, '.')) { /* an option of the command's own */
        *used = 0;
        return true;
    }
    if (equals) {
        value = equals + 1;
    } else if (!value) {
        if (left < 2) {
            buf_printf(problems, "--%s: a value is missing\n", name);
            return false;
        }
        value = words[1];
        *used = 2;
    }
    return settings_read_flag(app->settings, setting, value, problems);
}

/* Takes settings out of the arguments; what is left stays in order. */
static bool s_take_flags(app_t *app, int *argc, char **argv, buf_t *problems)
{
    bool good = true;
    int kept = 0;
    for (int i = 0; i < *argc;) {
        int used = 0;
        if (strcmp(argv[i], "--") == 0) {
            while (i < *argc)
                argv[kept++] = argv[i++];
            break;
        }
        if (text_starts(argv[i], "--"))
            good &= s_take_flag(app, *argc - i, argv + i, &used, problems);
        if (used == 0)
            argv[kept++] = argv[i++];
        i += used;
    }
    *argc = kept;
    return good;
}

/* The file is named by --config FILE, or by the environment. Taken out of the arguments. */
static const char *s_take_config(int *argc, char **argv)
{
    const char *path = getenv("SIGNALBOX_CONFIG");
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (text_starts(argv[i], "--config="))
            path = argv[i] + strlen("--config=");
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < *argc)
            path = argv[++i];
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return path;
}

static void s_derive_endpoint(app_t *app, const char **setting, const char *name)
{
    if (!(*setting)[0])
        *setting = arena_format(&app->texts, "ipc://%s/%s", app->storage.data, name);
}

/* What is left empty lies in the data folder, so that one --data moves everything. */
static void s_derive(app_t *app)
{
    s_derive_endpoint(app, &app->bus.brokers, "bus.sock");
    s_derive_endpoint(app, &app->bus.events, "events.sock");
    s_derive_endpoint(app, &app->broker.requests, "bus.sock");
    s_derive_endpoint(app, &app->broker.trusted, "edge.sock");
    s_derive_endpoint(app, &app->broker.events, "events.sock");
    s_derive_endpoint(app, &app->edge.brokers, "edge.sock");
    s_derive_endpoint(app, &jobs_settings.brokers, "edge.sock");
}

static bool s_read_settings(app_t *app, const char *config, int *argc, char **argv)
{
    buf_t problems = { 0 };
    log_level_t level;
    bool good = !config || settings_read_file(app->settings, config, &problems);
    good &= settings_read_environment(app->settings, environ, &problems);
    good &= s_take_flags(app, argc, argv, &problems);
    if (!good)
        fputs(buf_text(&problems), stderr);
    else if (log_level_parse(app->log.level, &level) && log_set_format(app->log.format))
        log_set_level(level);
    buf_free(&problems);
    s_derive(app);
    return good;
}

/* ---- commands ------------------------------------------------------------------------------- */

static const command_t *s_find_command(const char *name)
{
    const command_t *nearest = NULL;
    unsigned best = 3;
    for (size_t i = 0; i < COUNT_OF(s_commands); i++) {
        unsigned distance = text_distance(name, s_commands[i]->name);
        if (distance == 0)
            return s_commands[i];
        if (distance < best) {
            best = distance;
            nearest = s_commands[i];
        }
    }
    app_fail(APP_EXIT_USAGE, "there is no command '%s'%s%s%s", name,
             nearest ? "; did you mean '" : "", nearest ? nearest->name : "", nearest ? "'?" : "");
    return NULL;
}

static bool s_wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int s_run_command(app_t *app, const command_t *command, int argc, char **argv)
{
    const char *config = s_take_config(&argc, argv);
    if (s_wants_help(argc, argv))
        return s_print_help(app, command);
    if (!s_read_settings(app, config, &argc, argv))
        return APP_EXIT_USAGE;
    return command->run(app, argc, argv);
}

int main(int argc, char **argv)
{
    static app_t app;
    const settings_section_t sections[] = {
        { "log", s_log_rows, &app.log },
        { "storage", db_setting_rows, &app.storage },
        { "bus", client_setting_rows, &app.bus },
        { "broker", broker_setting_rows, &app.broker },
        { "edge", edge_setting_rows, &app.edge },
        { "actor", actor_setting_rows, &app.actor },
        { "auth", auth_actor.settings, auth_actor.settings_target },
        { "analysis", analysis_actor.settings, analysis_actor.settings_target },
        { "cache", cache_actor.settings, cache_actor.settings_target },
        { "limiter", limiter_actor.settings, limiter_actor.settings_target },
        { "jobs", jobs_actor.settings, jobs_actor.settings_target },
        { "metrics", metrics_actor.settings, metrics_actor.settings_target },
        { "outbound", outbound_setting_rows, &outbound_settings },
        { "http", http_actor.settings, http_actor.settings_target },
        { "webhook", webhook_actor.settings, webhook_actor.settings_target },
        { "mail", mail_actor.settings, mail_actor.settings_target },
        { 0 },
    };
    if (argc < 2)
        return s_print_usage(APP_EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return s_print_usage(APP_EXIT_OK);
    if (strcmp(argv[1], "--version") == 0)
        return s_print_version();
    const command_t *command = s_find_command(argv[1]);
    if (!command)
        return APP_EXIT_USAGE;
    signals_block();
    app.settings = settings_new(sections);
    int status = s_run_command(&app, command, argc - 2, argv + 2);
    settings_destroy(&app.settings);
    arena_free(&app.texts);
    return status;
}
