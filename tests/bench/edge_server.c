/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_server - servers of one process for edge_bench to ask
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <civetweb.h>
#include <zmq.h>

#include "actors/base/log.h"
#include "broker/broker.h"
#include "edge/edge.h"
#include "tests/bench/edge_server.h"
#include "tests/bench/service.h"
#include "tests/kit/described.h"

#define READY_MS 10000

static const char s_service[] =
    "{\"service\":\"echo\",\"version\":\"1\",\"methods\":[{\"name\":\"echo\",\"access\":\"user\","
    "\"http\":{\"route\":\"POST /v1/echo\"},\"request\":{\"type\":\"object\","
    "\"additionalProperties\":false,\"properties\":{\"list\":{\"type\":\"array\",\"items\":{"
    "\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":40},"
    "\"size\":{\"type\":\"integer\"}}}}}}},"
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

static void s_on_request(void *arg, worker_request_t *request)
{
    client_t *const *client = arg;
    buf_t body = { 0 };
    buf_add(&body, zmq_msg_data(&request->body), zmq_msg_size(&request->body));
    client_reply(*client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

typedef struct {
    void *context;
    broker_settings_t broker;
    client_settings_t bus, trusted;
    edge_settings_t settings;
    edge_t *edge;
    client_t *echo;
} server_t;

static server_t s_server;

static void s_start_edge(server_t *self)
{
    char why[300];
    log_set_level(getenv("BENCH_LOG") ? LOG_INFO : LOG_ERROR);
    self->context = zmq_ctx_new();
    bench_presets(broker_setting_rows, &self->broker);
    bench_presets(client_setting_rows, &self->bus);
    bench_presets(edge_setting_rows, &self->settings);
    self->broker.requests = self->bus.brokers = "inproc://bus";
    self->broker.trusted = "inproc://trusted";
    self->broker.events = self->bus.events = "inproc://events";
    self->trusted = self->bus;
    self->trusted.brokers = self->broker.trusted;
    self->settings.port = 0;
    self->settings.allow_anonymous = true;
    self->settings.limits = false;
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

static void s_start_echo(server_t *self)
{
    static client_worker_t worker = { .service = "echo",
                                      .instance = "echo-1",
                                      .version = "1",
                                      .credit = 1000,
                                      .weight = 1,
                                      .on_request = s_on_request };
    const buf_t descriptor = described_pack(s_service);
    worker.descriptor = descriptor.bytes;
    worker.descriptor_size = descriptor.size;
    worker.arg = &self->echo;
    self->echo = client_new(self->context, &(client_config_t){ .settings = &self->bus,
                                                               .name = worker.instance,
                                                               .part = "bench",
                                                               .worker = &worker });
}

void edge_server_plain(void *arg)
{
    s_start_edge(&s_server);
    s_start_echo(&s_server);
    if (!edge_wait_service(s_server.edge, "echo", READY_MS))
        die("the routes were not bound in time");
    s_tell(arg, edge_port(s_server.edge));
}
