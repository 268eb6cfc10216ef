/* SPDX-License-Identifier: MPL-2.0
 *
 * app - what the commands of `signalbox` share
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/notify.h"
#include "actors/base/signals.h"
#include "deploy/app.h"
#include "deploy/cell.h"
#include "proto/json.h"

#define APP_SOCKETS    8192 /* libzmq's own limit is 1023 */
#define APP_CONNECT_MS 3000
#define APP_TICK_MS    100

int app_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("signalbox: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

int app_misunderstood(const char *argument)
{
    return app_fail(APP_EXIT_USAGE, "'%s' is not understood here; try --help", argument);
}

const actor_spec_t *app_actor(const char *name)
{
    for (const actor_spec_t *const *at = app_actors; *at; at++)
        if (strcmp((*at)->service->name, name) == 0)
            return *at;
    return NULL;
}

void *app_context(void)
{
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, APP_SOCKETS);
    return context;
}

client_t *app_connect(app_t *app, void *zmq_context)
{
    char name[ID_INSTANCE_SIZE];
    client_t *client = client_new(zmq_context, &(client_config_t){ .settings = &app->bus,
                                                                   .name = id_instance("cli", name),
                                                                   .part = "cli",
                                                                   .is_guest = true });
    if (!client_wait_ready(client, APP_CONNECT_MS)) {
        app_fail(APP_EXIT_FAILED, "no broker answers at %s (set --bus.brokers or --data)",
                 app->bus.brokers);
        client_destroy(&client);
    }
    return client;
}

int app_with_client(app_t *app, int (*work)(client_t *client, void *arg), void *arg)
{
    void *context = app_context();
    client_t *client = app_connect(app, context);
    int status = client ? work(client, arg) : APP_EXIT_FAILED;
    client_destroy(&client);
    zmq_ctx_term(context);
    return status;
}

void app_print_body(const uint8_t *bytes, size_t size, bool pretty)
{
    arena_t arena = { 0 };
    buf_t text = { 0 };
    value_verdict_t verdict;
    const value_t *value = value_parse(&arena, bytes, size, VALUE_LIMITS, &verdict);
    if (!value)
        buf_printf(&text, "\"(%zu bytes that are no msgpack: %s)\"", size,
                   value_verdict_text(verdict));
    else if (pretty)
        json_write_pretty(value, &text);
    else
        json_write(value, &text);
    cell_print_json(&text);
    buf_free(&text);
    arena_free(&arena);
}

int app_fail_answer(const answer_t *answer)
{
    const failure_t *failure = &answer->failure;
    char why[sizeof failure->detail + 4], where[SCHEMA_POINTER_SIZE + 4];
    cell_line(failure->detail, strlen(failure->detail), why, sizeof why);
    app_fail(APP_EXIT_FAILED, "%s: %s", error_row(failure->code)->symbol,
             why[0] ? why : error_row(failure->code)->sentence);
    for (size_t i = 0; i < answer->fields.count; i++) {
        const schema_error_t *field = &answer->fields.list[i];
        fprintf(stderr, "  %s: %s\n",
                cell_line(field->pointer, strlen(field->pointer), where, sizeof where),
                cell_line(field->why, strlen(field->why), why, sizeof why));
    }
    return APP_EXIT_FAILED;
}

int app_show(client_t *client, const client_request_t *request)
{
    answer_t answer;
    const bool good = client_call(client, request, &answer);
    if (good && answer_size(&answer) > 1) /* an empty map says nothing */
        app_print_body(answer_bytes(&answer), answer_size(&answer), true);
    const int status = good ? APP_EXIT_OK : app_fail_answer(&answer);
    answer_close(&answer);
    return status;
}

const value_t *app_ask(client_t *client, const client_request_t *request, arena_t *arena)
{
    answer_t answer;
    value_verdict_t verdict;
    const value_t *tree = NULL;
    if (!client_call(client, request, &answer)) {
        app_fail_answer(&answer);
    } else {
        const size_t size = answer_size(&answer);
        tree = value_parse(arena, arena_text(arena, answer_bytes(&answer), size), size,
                           VALUE_LIMITS, &verdict);
        if (!tree)
            app_fail(APP_EXIT_FAILED, "the answer cannot be read: %s", value_verdict_text(verdict));
    }
    answer_close(&answer);
    return tree;
}

void app_make_data_folder(const app_t *app)
{
    if (mkdir(app->storage.data, 0700) < 0 && errno != EEXIST)
        die("cannot make the data folder '%s': %s", app->storage.data, strerror(errno));
}

static void s_reload(app_t *app)
{
    buf_t problems = { 0 };
    log_level_t level;
    notify_reloading();
    if (!settings_reload(app->settings, &problems))
        LOG(LOG_ERROR, "settings.not_reloaded", LOG_TEXT("why", buf_text(&problems)));
    else
        LOG(LOG_INFO, "settings.reloaded", LOG_TEXT("level", app->log.level));
    if (log_level_parse(app->log.level, &level))
        log_set_level(level);
    insist(log_set_format(app->log.format));
    buf_free(&problems);
    notify_ready(NULL);
}

void app_wait(app_t *app, bool (*tick)(void *arg), void *arg)
{
    while (!tick || tick(arg)) {
        int number = tick ? signals_wait_for(APP_TICK_MS) : signals_wait();
        if (number == SIGHUP)
            s_reload(app);
        else if (number)
            break;
    }
}
