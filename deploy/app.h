/* SPDX-License-Identifier: MPL-2.0
 *
 * app - what the commands of `signalbox` share: the parts' settings, and the parts themselves
 *
 * The only place that knows every part. A command is one row of a table; its file ends in the row.
 */
#ifndef SIGNALBOX_APP_H
#define SIGNALBOX_APP_H

#include "actors/runtime/actor.h"
#include "broker/broker.h"
#include "edge/edge.h"

#define APP_EXIT_OK     0
#define APP_EXIT_FAILED 1 /* the thing asked for did not succeed */
#define APP_EXIT_USAGE  2 /* wrong arguments or settings: nothing was tried */

#define APP_ACTORS_MAX 16

typedef struct {
    const char *level, *format;
} log_settings_t;

typedef struct {
    settings_t *settings;
    log_settings_t log;
    client_settings_t bus;
    db_settings_t storage;
    actor_settings_t actor;
    broker_settings_t broker;
    edge_settings_t edge;
    arena_t texts; /* endpoints derived from the data folder */
} app_t;

typedef struct {
    const char *name;
    const char *arguments;
    const char *about;           /* one line */
    const char *help;            /* more lines; may be NULL */
    const char *const *sections; /* settings that matter to it, for --help; ends with NULL */
    /* `argv` holds what is left when settings have been taken out; returns the exit status. */
    int (*run)(app_t *app, int argc, char **argv);
} command_t;

/* Every actor there is, at most APP_ACTORS_MAX, ending with NULL. */
extern const actor_spec_t *const app_actors[];
const actor_spec_t *app_actor(const char *name);

/* A ZeroMQ context large enough for every part. */
void *app_context(void);

/* Connects to the bus as a client that is no service; NULL, with a sentence on standard error, when
 * no broker answers within some seconds. */
client_t *app_connect(app_t *app, void *zmq_context);

/* Runs `work` with such a client; returns its exit status. */
int app_with_client(app_t *app, int (*work)(client_t *client, void *arg), void *arg);

/* Prints msgpack as JSON on a line, or indented; what cannot be read is said to be so. */
void app_print_body(const uint8_t *bytes, size_t size, bool pretty);

/* Calls and prints the answer, if it says anything; returns the exit status. */
int app_show(client_t *client, const client_request_t *request);

/* Calls; the answer as a tree that lives as long as the arena. NULL: said why there is none. */
const value_t *app_ask(client_t *client, const client_request_t *request, arena_t *arena);

/* Prints why a call failed on standard error; returns APP_EXIT_FAILED. */
int app_fail_answer(const answer_t *answer);

/* The folder of the data, made when it is missing. */
void app_make_data_folder(const app_t *app);

/* Waits for SIGTERM or SIGINT; reloads the settings on SIGHUP. `tick` (may be NULL) runs several
 * times a second; waiting ends when it returns false. */
void app_wait(app_t *app, bool (*tick)(void *arg), void *arg);

/* Says that an argument is not understood; returns APP_EXIT_USAGE. */
int app_misunderstood(const char *argument);

/* Prints a sentence on standard error as "signalbox: ..."; returns `status`. */
int app_fail(int status, const char *format, ...) PRINTF_LIKE(2, 3);

extern const command_t command_run, command_broker, command_edge, command_actor, command_migrate,
    command_config, command_call, command_watch, command_ps, command_drain, command_log_level,
    command_analyze, command_openapi, command_health, command_top, command_trace, command_user,
    command_key, command_audit, command_jobs, command_errors;

#endif
