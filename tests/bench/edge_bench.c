/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_bench - HTTP requests a second, and the CPU time of all our processes for each
 *
 * Edge, broker and an echoing service run in one process over inproc, as `signalbox run` does; the
 * clients keep one request each under way over connections that stay open. The control case is a
 * civetweb that answers the same bytes as /v1/ping and does nothing else. BENCH_REQUESTS and
 * BENCH_CLIENTS change the size of a run.
 */
#include "config.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <civetweb.h>
#include <zmq.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "broker/broker.h"
#include "edge/edge.h"
#include "tests/bench/bench.h"
#include "tests/kit/described.h"

#define CLIENTS_MAX  500
#define ANSWER_BYTES 65536
#define READY_MS     10000
#define BODY_BYTES   10000

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

static void s_run_hello(void *arg)
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

static void s_presets(const setting_t *rows, void *target)
{
    const settings_section_t sections[] = { { "bench", rows, target }, { 0 } };
    settings_new(sections); /* lives as long as the process */
}

static void s_run_edge(void *arg)
{
    static broker_settings_t broker;
    static client_settings_t bus, trusted;
    static edge_settings_t settings;
    static client_t *service;
    void *context = zmq_ctx_new();
    char why[300];
    log_set_level(getenv("BENCH_LOG") ? LOG_INFO : LOG_ERROR);
    s_presets(broker_setting_rows, &broker);
    s_presets(client_setting_rows, &bus);
    s_presets(edge_setting_rows, &settings);
    broker.requests = bus.brokers = "inproc://bus";
    broker.trusted = "inproc://trusted";
    broker.events = bus.events = "inproc://events";
    trusted = bus;
    trusted.brokers = broker.trusted;
    settings.port = 0;
    settings.allow_anonymous = true;
    if (!broker_start(context, &broker, why, sizeof why))
        die("%s", why);
    edge_t *edge =
        edge_start(context,
                   &(edge_config_t){
                       .settings = &settings, .bus = &trusted, .instance = "", .version = "bench" },
                   why, sizeof why);
    if (!edge)
        die("%s", why);
    buf_t descriptor = described_pack(s_service);
    const client_worker_t worker = { .service = "echo",
                                     .version = "1",
                                     .instance = "echo-1",
                                     .descriptor = descriptor.bytes,
                                     .descriptor_size = descriptor.size,
                                     .credit = 1000,
                                     .weight = 1,
                                     .arg = &service,
                                     .on_request = s_on_request };
    service = client_new(
        context, &(client_config_t){
                     .settings = &bus, .name = "echo-1", .part = "echo", .worker = &worker });
    if (!edge_wait_ready(edge, READY_MS))
        die("the routes were not bound in time");
    s_tell(arg, edge_port(edge));
}

/* ---- clients -------------------------------------------------------------------------------- */

typedef struct {
    int fd;
    char answer[ANSWER_BYTES];
    size_t have;
} http_client_t;

static int s_connect(unsigned port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect");
    return fd;
}

static void s_send(const http_client_t *client, const buf_t *request)
{
    if (send(client->fd, request->bytes, request->size, MSG_NOSIGNAL) != (ssize_t)request->size)
        die("a request could not be sent");
}

/* Whether a whole answer is there; ends the benchmark when it is not 200. */
static bool s_has_answer(const http_client_t *client)
{
    const char *end = memmem(client->answer, client->have, "\r\n\r\n", 4);
    if (!end)
        return false;
    const char *length = memmem(client->answer, client->have, "Content-Length: ", 16);
    if (strncmp(client->answer, "HTTP/1.1 200", 12) != 0 || !length)
        die("a request was refused: %.200s", client->answer);
    return client->have >= (size_t)(end + 4 - client->answer) + strtoul(length + 16, NULL, 10);
}

/* Closed loop: every client sends its next request when it has its answer. */
static uint64_t s_run_clients(unsigned port, const buf_t *request, uint64_t requests, size_t count)
{
    http_client_t *clients = mem_array(count, sizeof *clients);
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t sent = 0, received = 0, begun = clock_us();
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &clients[i] };
        clients[i].fd = s_connect(port);
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, clients[i].fd, &event);
        s_send(&clients[i], request);
        sent++;
    }
    while (received < requests) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, COUNT_OF(events), 10000);
        if (ready <= 0)
            die("no answer within ten seconds");
        for (int i = 0; i < ready; i++) {
            http_client_t *client = events[i].data.ptr;
            ssize_t got =
                read(client->fd, client->answer + client->have, ANSWER_BYTES - client->have);
            if (got <= 0)
                die("a connection was closed");
            client->have += (size_t)got;
            if (!s_has_answer(client))
                continue;
            client->have = 0;
            received++;
            if (sent++ < requests)
                s_send(client, request);
        }
    }
    uint64_t took = clock_us() - begun;
    for (size_t i = 0; i < count; i++)
        close(clients[i].fd);
    close(poll_fd);
    mem_free(clients);
    return took;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static void s_run(const char *name, void (*server)(void *arg), const buf_t *request,
                  uint64_t requests, size_t clients)
{
    int pipe_fds[2];
    unsigned port = 0;
    if (pipe(pipe_fds) != 0)
        die("cannot make a pipe");
    pid_t pid = bench_fork(server, &pipe_fds[1]);
    close(pipe_fds[1]);
    if (read(pipe_fds[0], &port, sizeof port) != sizeof port)
        die("the server did not start");
    close(pipe_fds[0]);
    uint64_t took = s_run_clients(port, request, requests, clients);
    uint64_t cpu = bench_reap(pid, SIGKILL);
    bench_print("edge", name, requests, took, (double)cpu / (double)requests);
}

static void s_write_requests(buf_t *ping, buf_t *get, buf_t *post)
{
    buf_t body = { 0 };
    buf_add_text(&body, "{\"list\":[");
    for (int i = 0; body.size < BODY_BYTES; i++)
        buf_printf(&body, "%s{\"name\":\"part number %d of a list\",\"size\":%d}", i ? "," : "", i,
                   i * 37);
    buf_add_text(&body, "]}");
    buf_add_text(ping, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    buf_add_text(get, "GET /v1/echo/12345 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    buf_printf(post,
               "POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               body.size);
    buf_add(post, body.bytes, body.size);
    buf_free(&body);
}

int main(void)
{
    uint64_t requests = bench_number("REQUESTS", 100000), rounds = bench_number("ROUNDS", 3);
    size_t clients = (size_t)bench_number("CLIENTS", 64);
    buf_t ping = { 0 }, get = { 0 }, post = { 0 };
    if (clients < 1 || clients > CLIENTS_MAX)
        die("BENCH_CLIENTS must be from 1 to %d", CLIENTS_MAX);
    s_write_requests(&ping, &get, &post);
    for (uint64_t round = 0; round < rounds; round++) {
        s_run("civetweb hello (control)", s_run_hello, &ping, requests, clients);
        s_run("ping", s_run_edge, &ping, requests, clients);
        s_run("get over the bus", s_run_edge, &get, requests, clients);
        s_run("post 10 kB over the bus", s_run_edge, &post, requests / 4, clients);
    }
    buf_free(&ping);
    buf_free(&get);
    buf_free(&post);
    return 0;
}
