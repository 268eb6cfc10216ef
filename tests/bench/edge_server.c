/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_server - what edge_bench asks
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <civetweb.h>
#include <zmq.h>

#include "actors/analysis/service.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/cache/cache.h"
#include "actors/limiter/limiter.h"
#include "broker/broker.h"
#include "edge/edge.h"
#include "proto/auth.h"
#include "proto/jwt.h"
#include "proto/topic.h"
#include "tests/bench/edge_server.h"
#include "tests/kit/described.h"

#define READY_MS   10000
#define PAGE_BYTES 2000
#define ISSUER     "bench"
#define KID        "k1"

#define FOLDER_SIZE 64

static const char s_service[] =
    "{\"service\":\"echo\",\"version\":\"1\",\"methods\":[{\"name\":\"echo\",\"access\":\"user\","
    "\"http\":{\"route\":\"POST /v1/echo\"},\"request\":{\"type\":\"object\","
    "\"additionalProperties\":false,\"properties\":{\"list\":{\"type\":\"array\",\"items\":{"
    "\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":40},"
    "\"size\":{\"type\":\"integer\"}}}}}}},"
    "{\"name\":\"page\",\"access\":\"user\",\"rate\":\"read\",\"cache\":{\"ttl_s\":60,\"vary\":"
    "\"account\"},"
    "\"http\":{\"route\":\"GET /v1/echo/page/{id}\"},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}}}},"
    "{\"name\":\"get\",\"access\":\"user\",\"http\":{\"route\":\"GET /v1/echo/{id}\"},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}}}}]}";

/* ---- servers -------------------------------------------------------------------------------- */

static int s_on_hello(struct mg_connection *connection)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 13\r\n\r\n{\"pong\":true}";
    mg_write(connection, answer, sizeof answer - 1);
    return 200;
}

/* Tells the port to whoever forked us. */
static void s_tell(const int *pipe_fd, unsigned port)
{
    if (write(*pipe_fd, &port, sizeof port) != sizeof port)
        die("nobody waits for the port");
    for (;;)
        pause();
}

void edge_server_hello(void *arg)
{
    const char *options[] = { "listening_ports",
                              "127.0.0.1:0",
                              "num_threads",
                              "512",
                              "enable_keep_alive",
                              "yes",
                              "keep_alive_timeout_ms",
                              "5000",
                              "tcp_nodelay",
                              "1",
                              NULL };
    const struct mg_callbacks callbacks = { .begin_request = s_on_hello };
    struct mg_server_port port;
    struct mg_context *server = mg_start(&callbacks, NULL, options);
    if (!server || mg_get_server_ports(server, 1, &port) != 1)
        die("civetweb does not start");
    s_tell(arg, (unsigned)port.port);
}

static void s_pack_page(buf_t *body)
{
    char text[PAGE_BYTES];
    pack_t pack;
    memset(text, 'a', sizeof text);
    pack_init(&pack, body);
    pack_map(&pack, 1);
    pack_text(&pack, "text");
    pack_string(&pack, text, sizeof text);
}

static void s_on_request(void *arg, worker_request_t *request)
{
    client_t *const *client = arg;
    buf_t body = { 0 };
    if (request->frame.method_size == 4) /* "page" */
        s_pack_page(&body);
    else
        buf_add(&body, zmq_msg_data(&request->body), zmq_msg_size(&request->body));
    client_reply(*client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

/* ---- what an edge runs on ------------------------------------------------------------------- */

typedef struct {
    void *context;
    broker_settings_t broker;
    client_settings_t bus, trusted;
    edge_settings_t settings;
    actor_settings_t actor;
    db_settings_t storage;
    actor_config_t actor_config;
    edge_t *edge;
    client_t *echo, *auth;
} server_t;

static server_t s_server;

static void s_presets(const setting_t *rows, void *target)
{
    const settings_section_t sections[] = { { "bench", rows, target }, { 0 } };
    settings_new(sections); /* lives as long as the process */
}

static void s_start_edge(server_t *self, bool is_guarded)
{
    char why[300];
    log_set_level(getenv("BENCH_LOG") ? LOG_INFO : LOG_ERROR);
    self->context = zmq_ctx_new();
    s_presets(broker_setting_rows, &self->broker);
    s_presets(client_setting_rows, &self->bus);
    s_presets(edge_setting_rows, &self->settings);
    self->broker.requests = self->bus.brokers = "inproc://bus";
    self->broker.trusted = "inproc://trusted";
    self->broker.events = self->bus.events = "inproc://events";
    self->trusted = self->bus;
    self->trusted.brokers = self->broker.trusted;
    self->settings.port = 0;
    self->settings.allow_anonymous = true;
    self->settings.limits = is_guarded;
    if (!broker_start(self->context, &self->broker, why, sizeof why))
        die("%s", why);
    self->edge = edge_start(self->context,
                            &(edge_config_t){ .settings = &self->settings,
                                              .bus = &self->trusted,
                                              .instance = "",
                                              .version = "bench" },
                            why, sizeof why);
    if (!self->edge)
        die("%s", why);
}

static client_t *s_start_worker(server_t *self, client_worker_t *worker)
{
    worker->version = "1";
    worker->credit = 1000;
    worker->weight = 1;
    return client_new(self->context, &(client_config_t){ .settings = &self->bus,
                                                         .name = worker->instance,
                                                         .part = "bench",
                                                         .worker = worker });
}

static void s_start_echo(server_t *self)
{
    buf_t descriptor = described_pack(s_service);
    self->echo = s_start_worker(self, &(client_worker_t){ .service = "echo",
                                                          .instance = "echo-1",
                                                          .descriptor = descriptor.bytes,
                                                          .descriptor_size = descriptor.size,
                                                          .arg = &self->echo,
                                                          .on_request = s_on_request });
}

void edge_server_plain(void *arg)
{
    s_start_edge(&s_server, false);
    s_start_echo(&s_server);
    if (!edge_wait_service(s_server.edge, "echo", READY_MS))
        die("the routes were not bound in time");
    s_tell(arg, edge_port(s_server.edge));
}

/* ---- callers and limits --------------------------------------------------------------------- */

static const uint8_t s_seed[JWT_SEED_BYTES] = "a seed for the benchmark alone.";

void edge_server_token(buf_t *out)
{
    jwt_signer_t signer = { .issuer = ISSUER, .audience = ISSUER, .kid = KID };
    jwt_claims_t claims = { .principal = { .account = "acme",
                                           .user = "ann",
                                           .tier = "free",
                                           .session = "s1",
                                           .role_count = 1,
                                           .roles = { "user" },
                                           .scope_count = 1,
                                           .scopes = { "*" } },
                            .id = "t1",
                            .issued_s = clock_wall_ms() / 1000,
                            .expires_s = clock_wall_ms() / 1000 + 3600 };
    memcpy(signer.seed, s_seed, sizeof signer.seed);
    jwt_sign(&signer, &claims, out);
}

/* In place of auth, which would have to be signed in to: what it says of everybody. */
static void s_on_identify(void *arg, worker_request_t *request)
{
    client_t *const *client = arg;
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 7);
    pack_pair_text(&pack, "account", "acme");
    pack_pair_text(&pack, "user", "ann");
    pack_pair_text(&pack, "tier", "free");
    pack_pair_text(&pack, "session", "s1");
    pack_text(&pack, "roles");
    pack_array(&pack, 0);
    pack_text(&pack, "scopes");
    pack_array(&pack, 1);
    pack_text(&pack, "*");
    pack_pair_int(&pack, "expires_at_ms", clock_wall_ms() + 3600000);
    client_reply(*client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

static void s_publish_keys(client_t *client)
{
    buf_t event = { 0 };
    pack_t pack;
    uint8_t x[JWT_PUBLIC_BYTES];
    jwt_public(s_seed, x);
    pack_init(&pack, &event);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "issuer", ISSUER);
    pack_pair_text(&pack, "audience", ISSUER);
    pack_text(&pack, "keys");
    pack_array(&pack, 1);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "kid", KID);
    pack_text(&pack, "x");
    pack_bytes(&pack, x, sizeof x);
    pack_pair_int(&pack, "not_before_ms", clock_wall_ms() - 1000);
    pack_pair_int(&pack, "expires_at_ms", clock_wall_ms() + 3600000);
    client_publish(client, topic_row(TOPIC_AUTH_KEYS)->prefix, true, &event);
}

static void *s_beat(void *arg)
{
    client_t *client = arg;
    do {
        buf_t event = { 0 };
        pack_t pack;
        pack_init(&pack, &event);
        pack_map(&pack, 2);
        pack_pair_text(&pack, "what", "beacon");
        pack_pair_int(&pack, "sequence", 1);
        client_publish(client, topic_row(TOPIC_AUTH_CHANGED)->prefix, false, &event);
        clock_sleep_ms(AUTH_BEACON_MS);
    } while (client_is_ready(client));
    return NULL;
}

static void s_start_auth(server_t *self)
{
    pthread_t thread;
    self->auth = s_start_worker(self, &(client_worker_t){ .service = "auth",
                                                          .instance = "auth-1",
                                                          .arg = &self->auth,
                                                          .on_request = s_on_identify });
    if (!client_wait_ready(self->auth, READY_MS))
        die("no broker");
    s_publish_keys(self->auth);
    insist(pthread_create(&thread, NULL, s_beat, self->auth) == 0);
}

static void s_start_actor(server_t *self, const actor_spec_t *spec)
{
    char why[300];
    if (spec->settings)
        s_presets(spec->settings, spec->settings_target);
    self->actor_config =
        (actor_config_t){ .actor = &self->actor, .bus = &self->bus, .storage = &self->storage };
    if (!actor_start(self->context, spec, &self->actor_config, DB_MIGRATE_APPLY, why, sizeof why))
        die("%s", why);
}

/* Limits that are counted and never reached. */
static void s_raise(server_t *self, const char *policy)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "name", policy);
    pack_pair_int(&pack, "limit", LIMITER_LIMIT_MAX);
    pack_pair_int(&pack, "window_ms", 1000);
    if (!client_call(
            self->echo,
            &(client_request_t){ .service = "limiter", .method = "policy_set", .body = &body },
            &answer))
        die("%s: %s", policy, answer.failure.detail);
    answer_close(&answer);
}

static const char *s_folder(pid_t parent, char path[FOLDER_SIZE])
{
    snprintf(path, FOLDER_SIZE, "/tmp/edge_bench-%d", (int)parent);
    return path;
}

static void s_make_folder(server_t *self)
{
    static char path[FOLDER_SIZE];
    s_presets(actor_setting_rows, &self->actor);
    s_presets(db_setting_rows, &self->storage);
    self->storage.data = s_folder(getppid(), path);
    if (mkdir(path, 0700) != 0)
        die("cannot make %s", path);
}

void edge_server_tidy(void)
{
    char path[FOLDER_SIZE];
    bench_remove_folder(s_folder(getpid(), path));
}

void edge_server_guarded(void *arg)
{
    static const char *const policies[] = { "anonymous", "free", "read", "free.analysis" };
    server_t *self = &s_server;
    s_start_edge(self, true);
    s_start_echo(self);
    s_make_folder(self);
    s_start_auth(self);
    s_start_actor(self, &limiter_actor);
    s_start_actor(self, &cache_actor);
    s_start_actor(self, &analysis_actor);
    if (!edge_wait_service(self->edge, "analysis", READY_MS) ||
        !edge_wait_limits(self->edge, READY_MS))
        die("the edge was not ready in time");
    for (size_t i = 0; i < COUNT_OF(policies); i++)
        s_raise(self, policies[i]);
    clock_sleep_ms(2 * AUTH_BEACON_MS); /* routes of all, policies of all, and a beacon */
    s_tell(arg, edge_port(self->edge));
}
