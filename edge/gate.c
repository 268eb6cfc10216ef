/* SPDX-License-Identifier: MPL-2.0
 *
 * gate - stands between civetweb and its sockets, by defining accept(), recv() and shutdown()
 *
 * civetweb waits until a connection is readable and calls recv(). When a head is due, our recv()
 * stays until the head is complete, refused, or late, and hands it over as a whole with as much of
 * a body of known length as came along: never a byte of the request behind it, since civetweb would
 * parse that without asking us. For that the bytes are first looked at (MSG_PEEK) and then taken
 * (MSG_TRUNC: without being copied again).
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "edge/counters.h"
#include "edge/gate.h"

#define ACCEPT_PAUSE_MS 10

static _Thread_local const gate_t *s_accepting, *s_reading;
static _Thread_local connection_t *s_current;

void gate_enter_acceptor(const gate_t *gate)
{
    s_accepting = gate;
}

void gate_enter_worker(const gate_t *gate)
{
    s_reading = gate;
}

connection_t *gate_current(void)
{
    return s_current;
}

/* What a library that calls `name` gets. Comparing as bytes, since a function's address and a data
 * pointer are different things to C. */
static bool s_finds(const char *name, const void *ours, size_t size)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    return size == sizeof found && memcmp(&found, ours, size) == 0;
}

bool gate_is_in_place(void)
{
    int (*accepts)(int, struct sockaddr *, socklen_t *) = accept;
    ssize_t (*receives)(int, void *, size_t, int) = recv;
    int (*shuts)(int, int) = shutdown;
    return s_finds("accept", &accepts, sizeof accepts) &&
           s_finds("recv", &receives, sizeof receives) && s_finds("shutdown", &shuts, sizeof shuts);
}

/* ---- accept --------------------------------------------------------------------------------- */

static void s_refuse(const gate_t *gate, int fd)
{
    /* a fresh socket's buffer has room for it; a peer that does not take it is not worth more */
    if (send(fd, gate->refusal->bytes, gate->refusal->size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        close(fd);
        return;
    }
    linger_add(gate->linger, fd);
}

static int s_accept(const gate_t *gate, int listener)
{
    connections_t *table = gate->table;
    struct sockaddr_in peer = { 0 };
    socklen_t size = sizeof peer;
    int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            stats_add(table->stats, COUNT_ACCEPT_FAILURES, errno != EINVAL);
            /* civetweb calls again at once: where the reason stays (no descriptors left, or the
             * listening socket is shut for draining) that would be a busy loop */
            clock_sleep_ms(ACCEPT_PAUSE_MS);
        }
        return -1;
    }
    if (connections_admit(table, fd, &peer) == ADMIT_YES)
        return fd;
    s_refuse(gate, fd);
    errno = ECONNABORTED;
    return -1;
}

int accept(int listener, struct sockaddr *restrict address, socklen_t *restrict size)
{
    if (!s_accepting)
        return accept4(listener, address, size, 0);
    int fd = s_accept(s_accepting, listener);
    if (fd >= 0 && address && size && getpeername(fd, address, size) != 0) {
        /* the peer is gone already: civetweb finds out when it reads */
        memset(address, 0, *size);
        address->sa_family = AF_INET;
    }
    return fd;
}

/* ---- recv ----------------------------------------------------------------------------------- */

/* Removes bytes that were peeked at from the socket. */
static bool s_take(int fd, char *bytes, size_t size)
{
    return size == 0 ||
           recvfrom(fd, bytes, size, MSG_TRUNC | MSG_DONTWAIT, NULL, NULL) == (ssize_t)size;
}

/* The verdict on what is there, and how many of its bytes are to be taken. `*size` becomes the
 * bytes civetweb gets, 0 while the head is incomplete. */
static guard_verdict_t s_look(connection_t *self, char *bytes, size_t *size, size_t *scanned,
                              size_t *take)
{
    const guard_limits_t *limits = &self->rules->guard;
    size_t have = *size, end = guard_end(bytes, have, scanned);
    *take = have;
    *size = 0;
    if (!end)
        return guard_partial(bytes, have, limits);
    size_t head = end;
    guard_verdict_t verdict = guard_check(bytes, &head, limits, &self->head);
    if (verdict)
        return verdict;
    size_t body = have - end;
    if (body > self->head.length)
        body = (size_t)self->head.length;
    if (head < end)
        memmove(bytes + head, bytes + end, body);
    *take = end + body;
    *size = head + body;
    return GUARD_GOOD;
}

/* Looks at what has arrived: the number of bytes, 0 when the connection has ended, -1 when `due_ms`
 * came first. */
static ssize_t s_peek(int fd, char *to, size_t room, uint64_t due_ms)
{
    for (;;) {
        uint64_t now = clock_ms();
        if (now >= due_ms)
            return -1;
        ssize_t got = recvfrom(fd, to, room, MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
        if (got >= 0)
            return got;
        struct pollfd item = { .fd = fd, .events = POLLIN };
        if ((errno != EAGAIN && errno != EINTR) ||
            (poll(&item, 1, (int)(due_ms - now)) < 0 && errno != EINTR))
            return 0;
    }
}

/* Reads on until there is a verdict. `*used` is what has been taken from the socket; a good head
 * leaves in `*size` what civetweb gets. A connection that ended by itself is GUARD_GOOD and 0. */
static guard_verdict_t s_collect(connection_t *self, char *to, size_t room, size_t *used,
                                 size_t *size)
{
    uint64_t due = clock_ms() + self->rules->head_ms;
    size_t scanned = 0, take;
    for (;;) {
        ssize_t got = s_peek(self->fd, to + *used, room - *used, due);
        if (got < 0 || (got == 0 && self->is_shut)) /* late, or shut because it was slow */
            return GUARD_TIMEOUT;
        size_t blank = *used ? 0 : guard_blank(to, (size_t)got);
        if (got == 0 || (blank && !s_take(self->fd, to, blank)))
            return GUARD_GOOD;
        if (blank)
            continue;
        if (*used == 0)
            connection_enter(self, CONNECTION_READING, self->rules->head_ms);
        *size = *used + (size_t)got;
        guard_verdict_t verdict = s_look(self, to, size, &scanned, &take);
        if (!s_take(self->fd, to + *used, take - *used)) {
            *size = 0;
            return GUARD_GOOD;
        }
        *used = take;
        if (verdict || *size)
            return verdict;
    }
}

/* Reads a head into `to`. The bytes civetweb gets, or 0 when the connection has ended for it. */
static ssize_t s_read_head(const gate_t *gate, connection_t *self, char *to, size_t room)
{
    size_t used = 0, size = 0;
    guard_verdict_t verdict = s_collect(self, to, room, &used, &size);
    if (verdict == GUARD_GOOD && size) {
        self->awaits_head = false;
        connection_enter(self, CONNECTION_WORKING, 0);
        return (ssize_t)size;
    }
    if (verdict && used) { /* else a client that had nothing to say, and is told nothing */
        stats_add(gate->table->stats, verdict == GUARD_TIMEOUT ? COUNT_LATE_HEADS : COUNT_BAD_HEADS,
                  1);
        gate->on_bad_head(gate->arg, self, verdict);
    }
    return 0;
}

static ssize_t s_read_body(connection_t *self, void *to, size_t room, int flags)
{
    uint64_t due = atomic_load_explicit(&self->due_ms, memory_order_relaxed);
    if (due && due < clock_ms()) {
        self->is_late = true;
        errno = ETIMEDOUT;
        return -1;
    }
    ssize_t got = recvfrom(self->fd, to, room, flags, NULL, NULL);
    if (got == 0 && self->is_shut)
        self->is_late = true;
    return got;
}

ssize_t recv(int fd, void *to, size_t room, int flags)
{
    connection_t *connection = s_reading ? connections_find(s_reading->table, fd) : NULL;
    if (!connection)
        return recvfrom(fd, to, room, flags, NULL, NULL);
    s_current = connection;
    return connection->awaits_head ? s_read_head(s_reading, connection, to, room)
                                   : s_read_body(connection, to, room, flags);
}

/* ---- shutdown ------------------------------------------------------------------------------- */

int shutdown(int fd, int how)
{
    connection_t *connection = s_reading ? connections_find(s_reading->table, fd) : NULL;
    if (connection) {
        /* civetweb closes it next; before that nobody else can have got its number */
        s_current = NULL;
        connections_leave(s_reading->table, connection);
    }
    return (int)syscall(SYS_shutdown, fd, how);
}
