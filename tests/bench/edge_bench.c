/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_bench - HTTP requests a second, and the CPU time of all our processes for each
 *
 * The clients keep one request each under way over connections that stay open; what answers them is
 * told in edge_server.h. The control case is a civetweb that answers the same bytes as /v1/ping and
 * does nothing else. "ping", "get" and "post" count no limits and keep no answers. R1 is a ping
 * whose limit is counted, R2 an answer of 2 kB that is kept, to a user with a token and a limit,
 * R3c a workflow of 10 kB that has been analysed before. BENCH_REQUESTS and BENCH_CLIENTS change
 * the size of a run.
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

#include "actors/base/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/documents.h"
#include "tests/bench/edge_server.h"

#define CLIENTS_MAX  500
#define ANSWER_BYTES 65536
#define BODY_BYTES   10000

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

/* Two requests whose answers are not looked at: what is made once is made, and kept. */
static void s_warm_up(unsigned port, const buf_t *request)
{
    for (int i = 0; i < 2; i++) {
        http_client_t client = { .fd = s_connect(port) };
        s_send(&client, request);
        if (read(client.fd, client.answer, ANSWER_BYTES) <= 0)
            die("no answer");
        close(client.fd);
    }
}

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
    s_warm_up(port, request);
    uint64_t took = s_run_clients(port, request, requests, clients);
    uint64_t cpu = bench_reap(pid, SIGKILL);
    edge_server_tidy();
    bench_print("edge", name, requests, took, (double)cpu / (double)requests);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void s_write_post(buf_t *out, const char *path, const char *headers, const buf_t *body)
{
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s"
               "Content-Length: %zu\r\n\r\n",
               path, headers, body->size);
    buf_add(out, body->bytes, body->size);
}

static void s_write_list(buf_t *body)
{
    buf_add_text(body, "{\"list\":[");
    for (int i = 0; body->size < BODY_BYTES; i++)
        buf_printf(body, "%s{\"name\":\"part number %d of a list\",\"size\":%d}", i ? "," : "", i,
                   i * 37);
    buf_add_text(body, "]}");
}

int main(void)
{
    uint64_t requests = bench_number("REQUESTS", 100000), rounds = bench_number("ROUNDS", 3);
    size_t clients = (size_t)bench_number("CLIENTS", 64);
    buf_t ping = { 0 }, get = { 0 }, post = { 0 }, page = { 0 }, repeated = { 0 };
    buf_t list = { 0 }, workflow = { 0 }, bearer = { 0 };
    if (clients < 1 || clients > CLIENTS_MAX)
        die("BENCH_CLIENTS must be from 1 to %d", CLIENTS_MAX);
    buf_add_text(&bearer, "Authorization: Bearer ");
    edge_server_token(&bearer);
    buf_add_text(&bearer, "\r\n");
    s_write_list(&list);
    documents_n8n(&workflow, BODY_BYTES / 1000);
    buf_add_text(&ping, "GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    buf_add_text(&get, "GET /v1/echo/12345 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    buf_printf(&page, "GET /v1/echo/page/7 HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
               buf_text(&bearer));
    s_write_post(&post, "/v1/echo", "", &list);
    s_write_post(&repeated, "/v1/analyses", buf_text(&bearer), &workflow);
    for (uint64_t round = 0; round < rounds; round++) {
        s_run("civetweb hello (control)", edge_server_hello, &ping, requests, clients);
        s_run("ping", edge_server_plain, &ping, requests, clients);
        s_run("get over the bus", edge_server_plain, &get, requests, clients);
        s_run("post 10 kB over the bus", edge_server_plain, &post, requests / 4, clients);
        s_run("R1 ping, limit counted", edge_server_guarded, &ping, requests, clients);
        s_run("R2 kept get, token and limit", edge_server_guarded, &page, requests, clients);
        s_run("R3c repeated workflow of 10 kB", edge_server_guarded, &repeated, requests, clients);
    }
    buf_t *const all[] = { &ping, &get, &post, &page, &repeated, &list, &workflow, &bearer };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        buf_free(all[i]);
    return 0;
}
