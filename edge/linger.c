/* SPDX-License-Identifier: MPL-2.0
 *
 * linger - sockets that are kept for a moment after the last answer
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "edge/linger.h"

#define READS_MAX 64 /* of a socket, a tick: whoever sends without end does not hold us up */

void linger_init(linger_t *self)
{
    *self = (linger_t){ .count = 0 };
    pthread_mutex_init(&self->mutex, NULL);
}

void linger_free(linger_t *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        close(self->list[i].fd);
    pthread_mutex_destroy(&self->mutex);
}

void linger_add(linger_t *self, int fd)
{
    shutdown(fd, SHUT_WR);
    pthread_mutex_lock(&self->mutex);
    if (self->count == LINGER_MAX) {
        close(self->list[0].fd);
        self->list[0] = self->list[--self->count];
    }
    self->list[self->count++] = (lingering_t){ .fd = fd, .due_ms = clock_ms() + LINGER_MS };
    pthread_mutex_unlock(&self->mutex);
}

void linger_add_copy(linger_t *self, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
        linger_add(self, copy);
}

/* True when the peer has closed its side, or nothing is left to wait for. */
static bool s_is_gone(int fd)
{
    char waste[4096];
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t got = recvfrom(fd, waste, sizeof waste, MSG_DONTWAIT, NULL, NULL);
        if (got <= 0)
            return got == 0 || (errno != EAGAIN && errno != EINTR);
    }
    return false;
}

void linger_tick(linger_t *self, uint64_t now_ms)
{
    uint32_t kept = 0;
    pthread_mutex_lock(&self->mutex);
    for (uint32_t i = 0; i < self->count; i++) {
        const lingering_t item = self->list[i];
        if (item.due_ms <= now_ms || s_is_gone(item.fd))
            close(item.fd);
        else
            self->list[kept++] = item;
    }
    self->count = kept;
    pthread_mutex_unlock(&self->mutex);
}
