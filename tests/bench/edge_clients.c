/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_clients - HTTP clients for edge_bench
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "tests/bench/edge_clients.h"

#define ANSWER_BYTES  65536
#define SERIAL_DIGITS 8
#define PATIENCE_MS   10000

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

static void s_send(int fd, const buf_t *request)
{
    if (send(fd, request->bytes, request->size, MSG_NOSIGNAL) != (ssize_t)request->size)
        die("a request could not be sent");
}

static bool s_has_answer(const http_client_t *client)
{
    const char *end = memmem(client->answer, client->have, "\r\n\r\n", 4);
    if (!end)
        return false;
    const char *length = memmem(client->answer, client->have, "Content-Length: ", 16);
    if (strncmp(client->answer, "HTTP/1.1 20", 11) != 0 || !length)
        die("a request was refused: %.*s", (int)client->have, client->answer);
    return client->have >= (size_t)(end + 4 - client->answer) + strtoul(length + 16, NULL, 10);
}

/* Reads what has come; true when the answer is whole, and forgets it then. */
static bool s_read(http_client_t *client)
{
    ssize_t got = read(client->fd, client->answer + client->have, ANSWER_BYTES - client->have);
    if (got <= 0)
        die("a connection was closed");
    client->have += (size_t)got;
    if (!s_has_answer(client))
        return false;
    client->have = 0;
    return true;
}

/* The next request: the same, but for its number. */
static void s_send_next(const http_client_t *client, clients_request_t *request, uint64_t number)
{
    char *at = (char *)request->bytes.bytes + request->serial_at;
    for (size_t i = SERIAL_DIGITS; request->serial_at && i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    s_send(client->fd, &request->bytes);
}

uint64_t clients_run(unsigned port, clients_request_t *request, uint64_t requests, size_t count)
{
    static uint64_t serial; /* goes on: what was asked once is known */
    http_client_t *clients = mem_array(count, sizeof *clients);
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t sent = 0, received = 0, begun = clock_us();
    for (size_t i = 0; i < count; i++, sent++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &clients[i] };
        clients[i].fd = s_connect(port);
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, clients[i].fd, &event);
        s_send_next(&clients[i], request, serial++);
    }
    while (received < requests) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, COUNT_OF(events), PATIENCE_MS);
        if (ready <= 0)
            die("no answer within %d ms", PATIENCE_MS);
        for (int i = 0; i < ready; i++) {
            if (!s_read(events[i].data.ptr))
                continue;
            received++;
            if (sent++ < requests)
                s_send_next(events[i].data.ptr, request, serial++);
        }
    }
    uint64_t took = clock_us() - begun;
    for (size_t i = 0; i < count; i++)
        close(clients[i].fd);
    close(poll_fd);
    mem_free(clients);
    return took;
}

void clients_ask(unsigned port, const buf_t *request, buf_t *answer)
{
    http_client_t *client = mem_zeroed(sizeof *client);
    client->fd = s_connect(port);
    s_send(client->fd, request);
    while (!s_read(client))
        ;
    answer->size = 0;
    buf_add_text(answer, client->answer);
    close(client->fd);
    mem_free(client);
}

void clients_write_get(const char *path, const char *headers, buf_t *out)
{
    out->size = 0;
    buf_printf(out, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, headers);
}

void clients_write_post(const char *path, const char *headers, const buf_t *body, buf_t *out)
{
    out->size = 0;
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s"
               "Content-Length: %zu\r\n\r\n",
               path, headers, body->size);
    buf_add(out, body->bytes, body->size);
}
