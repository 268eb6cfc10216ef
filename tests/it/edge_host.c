/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_host - a process for tests: an edge, a broker, and the service `demo` behind it
 *
 *     edge_host [--host.broker false] [--host.demo false] [--section.name value ...]
 *
 * Prints "ready PORT" when the routes of `demo` are bound, answers until SIGTERM, and then leaves
 * in order with status 0. On SIGHUP `demo` leaves, or comes back. The service answers with what it
 * was asked, and with what the tests need to see.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "actors/base/log.h"
#include "actors/base/signals.h"
#include "proto/method.h"
#include "tests/it/host.h"

/* ---- the contract of the service ------------------------------------------------------------ */

static const field_t s_thing[] = {
    { "id", FIELD_INTEGER, .required = true, .min = 1, .max = 1000000, .about = "Number",
      .example = "7" },
    { "tag", FIELD_ARRAY, .items = FIELD_STRING, .max = 4, .about = "Labels" },
    { "ratio", FIELD_NUMBER, .about = "A number with a fraction" },
    { "deep", FIELD_BOOLEAN, .preset = "false", .about = "Whether to look deeper" },
    { "name", FIELD_STRING, .max = 40, .about = "What it is called", .example = "\"seven\"" },
    { 0 },
};

static const field_t s_new_thing[] = {
    { "name", FIELD_STRING, .required = true, .min = 1, .max = 40, .about = "What it is called",
      .example = "\"seven\"" },
    { "note", FIELD_STRING, .about = "Any text" },
    { 0 },
};

static const field_t s_document[] = {
    { "id", FIELD_INTEGER, .required = true, .min = 1, .max = 1000000, .about = "Number" },
    { "document", FIELD_ANY, .required = true, .about = "Any JSON" },
    { 0 },
};

static const field_t s_number[] = {
    { "id", FIELD_INTEGER, .required = true, .min = 1, .max = 1000000, .about = "Number" },
    { 0 },
};

static const field_t s_wait[] = {
    { "ms", FIELD_INTEGER, .required = true, .min = 0, .max = 60000, .about = "How long" },
    { 0 },
};

static const field_t s_events[] = {
    { "ms", FIELD_INTEGER, .required = true, .min = 0, .max = 60000, .about = "A number" },
    { "count", FIELD_INTEGER, .preset = "1", .min = 1, .max = 10000, .about = "How many" },
    { 0 },
};

static const field_t s_failure[] = {
    { "code", FIELD_STRING, .required = true, .about = "A symbol of proto/error.def" },
    { 0 },
};

static const field_t s_size[] = {
    { "size", FIELD_INTEGER, .required = true, .min = 0, .max = 4000000, .about = "Bytes" },
    { 0 },
};

static const field_t s_echo[] = { { "request", FIELD_ANY, .about = "What was asked" }, { 0 } };
static const field_t s_created[] = {
    { "id", FIELD_INTEGER, .required = true, .about = "Number" },
    { "name", FIELD_STRING, .about = "What it is called" },
    { 0 },
};
static const field_t s_content[] = { { "content", FIELD_STRING, .about = "The page" }, { 0 } };
static const error_code_t s_errors[] = { ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_NONE };

/* clang-format off */
static const method_t s_get = {
    .name = "get", .summary = "One thing", .request = s_thing, .reply = s_echo,
    .errors = s_errors, .access = ACCESS_USER, .rate = "read", .idempotent = true,
    .http = { .route = "GET /v1/demo/things/{id}" } };
static const method_t s_create = {
    .name = "create", .summary = "Makes a thing", .request = s_new_thing, .reply = s_created,
    .access = ACCESS_USER, .http = { .route = "POST /v1/demo/things", .status = 201,
                                     .location = "/v1/demo/things/{id}" } };
static const method_t s_put = {
    .name = "put", .summary = "Replaces a document", .request = s_document, .reply = s_echo,
    .access = ACCESS_USER, .http = { .route = "PUT /v1/demo/things/{id}", .body = "document" } };
static const method_t s_change = {
    .name = "change", .summary = "Changes a thing", .request = s_thing, .reply = s_echo,
    .access = ACCESS_USER, .http = { .route = "PATCH /v1/demo/things/{id}" } };
static const method_t s_remove = {
    .name = "remove", .summary = "Removes a thing", .request = s_number, .access = ACCESS_USER,
    .http = { .route = "DELETE /v1/demo/things/{id}", .status = 204,
              .sunset = "2030-01-31T00:00:00Z" } };
static const method_t s_slow = {
    .name = "slow", .summary = "Answers later", .request = s_wait, .reply = s_echo,
    .access = ACCESS_USER, .deadline_ms = 5000, .http = { .route = "POST /v1/demo/slow" } };
static const method_t s_fail = {
    .name = "fail", .summary = "Fails", .request = s_failure, .reply = s_echo,
    .access = ACCESS_USER, .http = { .route = "POST /v1/demo/failures" } };
static const method_t s_big = {
    .name = "big", .summary = "A long text", .request = s_size, .reply = s_content,
    .access = ACCESS_USER, .http = { .route = "GET /v1/demo/big" } };
static const method_t s_page = {
    .name = "page", .summary = "A page", .request = NULL, .reply = s_content,
    .access = ACCESS_USER, .http = { .route = "GET /v1/demo/page",
                                     .media = "text/html; charset=utf-8" } };
static const method_t s_broken = {
    .name = "broken", .summary = "Answers with what is no msgpack", .request = NULL,
    .access = ACCESS_USER, .http = { .route = "GET /v1/demo/broken" } };
static const method_t s_publish = {
    .name = "publish", .summary = "Publishes events", .request = s_events,
    .access = ACCESS_USER, .http = { .route = "POST /v1/demo/events", .status = 204 } };
static const method_t s_admin = {
    .name = "admin", .summary = "For those with a role", .request = NULL, .access = ACCESS_USER,
    .role = "admin", .http = { .route = "GET /v1/demo/admin" } };
static const method_t s_open = {
    .name = "open", .summary = "For everybody", .request = NULL, .reply = s_echo,
    .access = ACCESS_PUBLIC, .http = { .route = "GET /v1/demo/open" } };
static const method_t s_foreign = {
    .name = "foreign", .summary = "A path of somebody else's", .request = NULL,
    .access = ACCESS_USER, .http = { .route = "GET /v1/analyses/mine" } };
/* clang-format on */

static const service_t s_service = {
    .name = "demo",
    .version = "1.0.0",
    .about = "A service for tests",
    .methods = (const method_t *const[]){ &s_get, &s_create, &s_put, &s_change, &s_remove, &s_slow,
                                          &s_fail, &s_big, &s_page, &s_broken, &s_publish, &s_admin,
                                          &s_open, &s_foreign, NULL },
};

/* ---- its handlers --------------------------------------------------------------------------- */

typedef struct {
    pthread_mutex_t mutex; /* held until `client` is there: a request may come before */
    client_t *client;
    arena_t arena; /* of the request in work: they come one after the other, on one thread */
} demo_t;

typedef struct {
    client_t *client;
    worker_request_t *request;
    int64_t ms;
} delayed_t;

static void s_reply(client_t *client, worker_request_t *request, buf_t *body)
{
    client_reply(client, request, FRAME_FINAL, 0, body);
    worker_request_destroy(&request);
}

/* {request: what came} */
static void s_reply_echo(client_t *client, worker_request_t *request)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "request");
    pack_raw(&pack, zmq_msg_data(&request->body), zmq_msg_size(&request->body));
    s_reply(client, request, &body);
}

static void *s_answer_later(void *arg)
{
    delayed_t *delayed = arg;
    const struct timespec pause = { .tv_sec = delayed->ms / 1000,
                                    .tv_nsec = delayed->ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
    s_reply_echo(delayed->client, delayed->request);
    mem_free(delayed);
    return NULL;
}

static void s_on_slow(demo_t *self, worker_request_t *request, const value_t *map)
{
    pthread_t thread;
    delayed_t *delayed = mem_zeroed(sizeof *delayed);
    *delayed = (delayed_t){ self->client, request, value_get_int(map, "ms", 0) };
    insist(pthread_create(&thread, NULL, s_answer_later, delayed) == 0);
    pthread_detach(thread);
}

static void s_on_create(demo_t *self, worker_request_t *request, const value_t *map)
{
    size_t size;
    const char *name = value_get_text(map, "name", &size);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_int(&pack, "id", 7);
    pack_text(&pack, "name");
    pack_string(&pack, name, size);
    s_reply(self->client, request, &body);
}

static void s_on_fail(demo_t *self, worker_request_t *request, const value_t *map)
{
    size_t size;
    const char *symbol = value_get_text(map, "code", &size);
    failure_t failure = { .code = error_from_symbol(symbol, size) };
    snprintf(failure.detail, sizeof failure.detail, "As asked");
    client_reply_failure(self->client, request, &failure);
    worker_request_destroy(&request);
}

static void s_reply_content(demo_t *self, worker_request_t *request, const char *text, size_t size)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "content");
    pack_string(&pack, text, size);
    s_reply(self->client, request, &body);
}

static void s_on_big(demo_t *self, worker_request_t *request, const value_t *map)
{
    size_t size = (size_t)value_get_int(map, "size", 0);
    char *text = mem_alloc(size);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i % 7);
    s_reply_content(self, request, text, size);
    mem_free(text);
}

static void s_on_page(demo_t *self, worker_request_t *request, const value_t *map)
{
    static const char page[] = "<p>hello</p>";
    (void)map;
    s_reply_content(self, request, page, sizeof page - 1);
}

static void s_on_broken(demo_t *self, worker_request_t *request, const value_t *map)
{
    buf_t body = { 0 };
    (void)map;
    buf_add(&body, "\xc1", 1);
    s_reply(self->client, request, &body);
}

static void s_publish_one(demo_t *self, const char *account, int64_t number)
{
    buf_t event = { 0 };
    pack_t pack;
    pack_init(&pack, &event);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "account", account);
    pack_pair_int(&pack, "number", number);
    client_publish(self->client, "analysis.finished", false, &event);
}

/* An event of another account, and then some of the caller's. */
static void s_on_publish(demo_t *self, worker_request_t *request, const value_t *map)
{
    int64_t number = value_get_int(map, "ms", 0), count = value_get_int(map, "count", 1);
    s_publish_one(self, "another", number);
    for (int64_t i = 0; i < count; i++)
        s_publish_one(self, "anonymous", number);
    s_reply_echo(self->client, request);
}

static const struct {
    const char *method;
    void (*handle)(demo_t *self, worker_request_t *request, const value_t *map);
} s_handlers[] = {
    { "slow", s_on_slow },       { "create", s_on_create }, { "fail", s_on_fail },
    { "big", s_on_big },         { "page", s_on_page },     { "broken", s_on_broken },
    { "publish", s_on_publish },
};

static void s_on_request(void *arg, worker_request_t *request)
{
    demo_t *self = arg;
    value_verdict_t verdict;
    const frame_t *frame = &request->frame;
    pthread_mutex_lock(&self->mutex);
    pthread_mutex_unlock(&self->mutex);
    arena_reset(&self->arena);
    const value_t *map = value_parse(&self->arena, zmq_msg_data(&request->body),
                                     zmq_msg_size(&request->body), VALUE_LIMITS, &verdict);
    insist(map);
    for (size_t i = 0; i < COUNT_OF(s_handlers); i++)
        if (strlen(s_handlers[i].method) == frame->method_size &&
            memcmp(s_handlers[i].method, frame->method, frame->method_size) == 0) {
            s_handlers[i].handle(self, request, map);
            return;
        }
    s_reply_echo(self->client, request);
}

static void s_start_demo(demo_t *self, void *context, const client_settings_t *bus)
{
    buf_t descriptor = { 0 };
    pack_t pack;
    pack_init(&pack, &descriptor);
    descriptor_write(&s_service, &pack);
    const client_worker_t worker = {
        .service = s_service.name,
        .version = s_service.version,
        .instance = "demo-1",
        .descriptor = descriptor.bytes,
        .descriptor_size = descriptor.size,
        .credit = 1000,
        .weight = 1,
        .arg = self,
        .on_request = s_on_request,
    };
    pthread_mutex_lock(&self->mutex);
    self->client = client_new(
        context,
        &(client_config_t){ .settings = bus, .name = "demo-1", .part = "demo", .worker = &worker });
    pthread_mutex_unlock(&self->mutex);
    buf_free(&descriptor);
}

/* ---- the process ---------------------------------------------------------------------------- */

typedef struct {
    bool broker, demo;
} parts_t;

static const setting_t s_rows[] = {
    { "broker", SETTING_BOOL, offsetof(parts_t, broker), .preset = "true", .about = "Is here" },
    { "demo", SETTING_BOOL, offsetof(parts_t, demo), .preset = "true", .about = "Is here" },
    { 0 },
};

int main(int argc, char **argv)
{
    char why[300];
    host_settings_t host;
    parts_t parts;
    static const host_preset_t none;
    demo_t demo = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    broker_t *broker = NULL;
    signals_block();
    log_set_level(getenv("EDGE_HOST_LOG") ? LOG_INFO : LOG_ERROR);
    settings_t *settings =
        host_read(&host, (const settings_section_t[]){ { "host", s_rows, &parts }, { 0 } }, &none,
                  argc, argv);
    void *context = zmq_ctx_new();
    if (parts.broker && !(broker = broker_start(context, &host.broker, why, sizeof why)))
        die("%s", why);
    edge_t *edge = edge_start(context,
                              &(edge_config_t){ .settings = &host.edge,
                                                .bus = &host.trusted,
                                                .instance = "edge-1",
                                                .version = "1.2.3" },
                              why, sizeof why);
    if (!edge)
        die("%s", why);
    if (parts.demo)
        s_start_demo(&demo, context, &host.bus);
    host_say_ready(edge, parts.demo && parts.broker ? s_service.name : NULL);
    while (signals_wait() == SIGHUP) {
        if (demo.client)
            client_destroy(&demo.client);
        else
            s_start_demo(&demo, context, &host.bus);
    }
    edge_stop(&edge);
    if (demo.client)
        client_destroy(&demo.client);
    if (broker)
        broker_stop(&broker);
    arena_free(&demo.arena);
    zmq_ctx_term(context);
    settings_destroy(&settings);
    return 0;
}
