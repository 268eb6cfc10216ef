/* SPDX-License-Identifier: MPL-2.0
 *
 * command_admin - what is done beside a running system: migrate, config, openapi, health
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "deploy/app.h"
#include "proto/json.h"

#define HEALTH_TIMEOUT_S 5

/* ---- migrate -------------------------------------------------------------------------------- */

static bool s_migrate(app_t *app, const actor_spec_t *spec, db_migrate_t mode)
{
    char why[512];
    db_t *db = db_open(&app->storage, spec->service->name, spec->migrations, mode, why, sizeof why);
    if (db)
        printf("%s: up to date\n", spec->service->name);
    else
        printf("%s: %s\n", spec->service->name, why);
    bool good = db != NULL;
    db_close(&db);
    return good;
}

static int s_run_migrate(app_t *app, int argc, char **argv)
{
    bool is_check = argc == 1 && strcmp(argv[0], "--check") == 0, good = true;
    if (argc > (is_check ? 1 : 0))
        return app_misunderstood(argv[0]);
    if (!is_check)
        app_make_data_folder(app);
    for (const actor_spec_t *const *spec = app_actors; *spec; spec++)
        if ((*spec)->migrations)
            good &= s_migrate(app, *spec, is_check ? DB_MIGRATE_CHECK : DB_MIGRATE_APPLY);
    return good ? APP_EXIT_OK : APP_EXIT_FAILED;
}

static const char *const s_storage_sections[] = { "storage", NULL };

const command_t command_migrate = {
    .name = "migrate",
    .arguments = "[--check]",
    .about = "Brings every database schema up to date; --check only says whether it is",
    .sections = s_storage_sections,
    .run = s_run_migrate,
};

/* ---- config --------------------------------------------------------------------------------- */

static int s_run_config(app_t *app, int argc, char **argv)
{
    buf_t text = { 0 };
    bool is_document = argc == 1 && strcmp(argv[0], "--markdown") == 0;
    if (argc > (is_document ? 1 : 0))
        return app_misunderstood(argv[0]);
    if (is_document)
        settings_document(app->settings, &text);
    else
        settings_print(app->settings, &text);
    fputs(buf_text(&text), stdout);
    buf_free(&text);
    return APP_EXIT_OK;
}

const command_t command_config = {
    .name = "config",
    .arguments = "[--markdown] [--SETTING VALUE ...]",
    .about = "Prints the effective settings and where each value came from",
    .help = "  --markdown   the tables of docs/configuration.md instead",
    .run = s_run_config,
};

/* ---- openapi -------------------------------------------------------------------------------- */

/* The edge serves the document on one line; people read it, and its diffs, indented. */
static void s_print_indented(const buf_t *json)
{
    const value_limits_t limits = { .depth = VALUE_LIMITS.depth, .nodes = UINT32_MAX };
    arena_t arena = { 0 };
    buf_t packed = { 0 }, text = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    bool good = json_to_msgpack((const char *)json->bytes, json->size, limits, 0, &packed, &error);
    insist(good);
    const value_t *tree = value_parse(&arena, packed.bytes, packed.size, limits, &verdict);
    insist(tree);
    json_write_pretty(tree, &text);
    printf("%s\n", buf_text(&text));
    buf_free(&text);
    buf_free(&packed);
    arena_free(&arena);
}

static int s_run_openapi(app_t *app, int argc, char **argv)
{
    descriptor_t *descriptors[APP_ACTORS_MAX] = { NULL };
    size_t count = 0;
    char why[DESCRIPTOR_WHY_SIZE];
    (void)app;
    if (argc > 0)
        return app_misunderstood(argv[0]);
    for (const actor_spec_t *const *spec = app_actors; *spec; spec++) {
        insist(count < APP_ACTORS_MAX);
        buf_t bytes = { 0 };
        pack_t pack;
        pack_init(&pack, &bytes);
        descriptor_write((*spec)->service, &pack);
        descriptors[count] = descriptor_read(bytes.bytes, bytes.size, why);
        buf_free(&bytes);
        if (!descriptors[count++])
            die("the service %s is not described well: %s", (*spec)->service->name, why);
    }
    buf_t text = { 0 };
    edge_write_openapi((const descriptor_t *const *)descriptors, count, PACKAGE_VERSION, &text);
    s_print_indented(&text);
    buf_free(&text);
    while (count > 0)
        descriptor_destroy(&descriptors[--count]);
    return APP_EXIT_OK;
}

const command_t command_openapi = {
    .name = "openapi",
    .arguments = "",
    .about = "Prints the API document of the built-in services",
    .run = s_run_openapi,
};

/* ---- health --------------------------------------------------------------------------------- */

/* Asks the edge on this machine whether it is ready; the first line of its answer says it all. */
static int s_run_health(app_t *app, int argc, char **argv)
{
    char request[200], answer[64] = "";
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)app->edge.port) };
    const struct timeval limit = { .tv_sec = HEALTH_TIMEOUT_S };
    if (argc > 0)
        return app_misunderstood(argv[0]);
    if (inet_pton(AF_INET, app->edge.address, &address.sin_addr) != 1 ||
        address.sin_addr.s_addr == INADDR_ANY)
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int size = snprintf(request, sizeof request,
                        "GET /health/ready HTTP/1.1\r\nHost: localhost:%lld\r\n"
                        "Connection: close\r\n\r\n",
                        (long long)app->edge.port);
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                send(fd, request, (size_t)size, MSG_NOSIGNAL) == size &&
                recv(fd, answer, sizeof answer - 1, MSG_WAITALL) > 0;
    if (fd >= 0)
        close(fd);
    if (!good)
        return app_fail(APP_EXIT_FAILED, "no edge answers on port %lld", (long long)app->edge.port);
    good = strncmp(answer, "HTTP/1.1 200", 12) == 0;
    printf("%s\n", good ? "ready" : "not ready");
    return good ? APP_EXIT_OK : APP_EXIT_FAILED;
}

const command_t command_health = {
    .name = "health",
    .arguments = "[--port N]",
    .about = "Exits with 0 when the edge on this machine is ready",
    .run = s_run_health,
};
