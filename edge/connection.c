/* SPDX-License-Identifier: MPL-2.0
 *
 * connection - one open connection: what it is doing, since when, and writing to it
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "actors/base/clock.h"
#include "edge/connection.h"

void connection_enter(connection_t *self, connection_state_t state, uint32_t within_ms)
{
    uint64_t now_us = clock_us();
    atomic_store_explicit(&self->since_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&self->due_ms, within_ms ? now_us / 1000 + within_ms : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&self->state, (int)state, memory_order_relaxed);
}

connection_state_t connection_state(const connection_t *self)
{
    return (connection_state_t)atomic_load_explicit(&self->state, memory_order_relaxed);
}

bool connection_has_input(const connection_t *self)
{
    int waiting = 0;
    return ioctl(self->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool s_wait_writable(int fd, uint64_t due_ms)
{
    for (;;) {
        uint64_t now = clock_ms();
        if (now >= due_ms)
            return false;
        struct pollfd item = { .fd = fd, .events = POLLOUT };
        int ready = poll(&item, 1, (int)(due_ms - now));
        if (ready > 0)
            return (item.revents & POLLOUT) != 0;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* How long a client may let us wait: one that is to leave, and at the end everybody, not for long.
 */
static uint32_t s_patience(const connection_t *self, uint32_t timeout_ms)
{
    const uint32_t grace_ms = CONNECTION_SLOW_GRACE_US / 1000;
    const connection_rules_t *rules = self->rules;
    bool hurries = rules->has_ended || (self->is_shut && !rules->is_draining);
    return hurries && timeout_ms > grace_ms ? grace_ms : timeout_ms;
}

static bool s_write(connection_t *self, struct iovec *parts, int count, uint32_t timeout_ms)
{
    uint64_t due = 0;
    while (count) {
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
        ssize_t sent = sendmsg(self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            if (!due) {
                atomic_store_explicit(&self->stuck_us, clock_us(), memory_order_relaxed);
                due = clock_ms() + s_patience(self, timeout_ms);
            }
            if ((errno != EAGAIN && errno != EWOULDBLOCK) || !s_wait_writable(self->fd, due))
                return false;
            continue;
        }
        size_t done = (size_t)sent;
        while (count && done >= parts->iov_len) {
            done -= parts->iov_len;
            parts++;
            count--;
        }
        if (count) {
            parts->iov_base = (char *)parts->iov_base + done;
            parts->iov_len -= done;
        }
    }
    return true;
}

bool connection_write(connection_t *self, struct iovec *parts, int count, uint32_t timeout_ms)
{
    bool done = s_write(self, parts, count, timeout_ms);
    atomic_store_explicit(&self->stuck_us, 0, memory_order_relaxed);
    return done;
}
