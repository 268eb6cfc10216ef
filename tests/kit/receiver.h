/* SPDX-License-Identifier: MPL-2.0
 *
 * receiver - somebody outside whom a C test calls: HTTP on an address of this machine
 *
 * The path says what it answers: /ok, /status/429, /large, /redirect (to `location`), /cut (less
 * than declared), /silent (nothing, until it is stopped).
 */
#ifndef SIGNALBOX_TEST_RECEIVER_H
#define SIGNALBOX_TEST_RECEIVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/base/base.h"

#define RECEIVER_LARGE (1 << 20)

typedef struct {
    int fd;
    unsigned port;
    pthread_t thread;
    char location[256];
    _Atomic int connections;
    int silent[16]; /* connections that nobody answers */
    size_t silent_count;
} receiver_t;

static inline void receiver_say(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        size -= (size_t)sent;
    }
}

static inline void receiver_answer(const receiver_t *self, int fd, const char *path)
{
    char head[512];
    static const char hello[] = "hello";
    int status = strncmp(path, "/status/", 8) == 0 ? atoi(path + 8) : 200;
    if (strncmp(path, "/redirect", 9) == 0) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", self->location);
        receiver_say(fd, head, strlen(head));
    } else if (strncmp(path, "/large", 6) == 0) {
        char *large = calloc(1, RECEIVER_LARGE);
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                 RECEIVER_LARGE);
        receiver_say(fd, head, strlen(head));
        receiver_say(fd, large, RECEIVER_LARGE);
        free(large);
    } else {
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d Said\r\nRetry-After: 7\r\nContent-Length: %d\r\n\r\n%s", status,
                 strncmp(path, "/cut", 4) == 0 ? 100 : 5, hello);
        receiver_say(fd, head, strlen(head));
    }
}

static inline void *receiver_run(void *arg)
{
    receiver_t *self = arg;
    int fd;
    while ((fd = accept(self->fd, NULL, NULL)) >= 0) {
        char request[4096] = "", path[256] = "";
        size_t size = 0;
        ssize_t got;
        atomic_fetch_add(&self->connections, 1);
        while (size < sizeof request - 1 && !strstr(request, "\r\n\r\n") &&
               (got = recv(fd, request + size, sizeof request - 1 - size, 0)) > 0)
            size += (size_t)got;
        sscanf(request, "%*s %255s", path);
        if (strncmp(path, "/silent", 7) == 0 && self->silent_count < COUNT_OF(self->silent)) {
            self->silent[self->silent_count++] = fd;
            continue;
        }
        receiver_answer(self, fd, path);
        close(fd);
    }
    return NULL;
}

/* Listens on `address`, at `port` or at any when that is 0. */
static inline void receiver_start(receiver_t *self, const char *address, unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t size = sizeof at;
    const int on = 1;
    *self = (receiver_t){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    inet_pton(AF_INET, address, &at.sin_addr);
    setsockopt(self->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    insist(bind(self->fd, (struct sockaddr *)&at, sizeof at) == 0);
    insist(listen(self->fd, 64) == 0);
    getsockname(self->fd, (struct sockaddr *)&at, &size);
    self->port = ntohs(at.sin_port);
    insist(pthread_create(&self->thread, NULL, receiver_run, self) == 0);
}

static inline void receiver_stop(receiver_t *self)
{
    shutdown(self->fd, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->fd);
    for (size_t i = 0; i < self->silent_count; i++)
        close(self->silent[i]);
}

#endif
