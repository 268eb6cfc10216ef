/* SPDX-License-Identifier: MPL-2.0
 *
 * connection - the table of open connections, and who has to go when there are too many
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uthash.h>

#include "actors/base/clock.h"
#include "edge/connection.h"
#include "edge/counters.h"

#define IDLE_GRACE_US 100000  /* a client between two requests is not idle yet */
#define SLOW_GRACE_US 1000000 /* an honest client's head has come by then, or its answer gone */
#define LINGER_MS     1000

struct peer {
    in_addr_t address;
    uint32_t count;
    UT_hash_handle hh;
};

void connections_init(connections_t *self)
{
    monitor_init(&self->monitor);
    /* zeroed memory costs nothing until it is touched: the highest descriptor decides */
    self->slots = mem_array(CONNECTIONS_FD_MAX, sizeof *self->slots);
}

void connections_free(connections_t *self)
{
    peer_t *peer, *next;
    HASH_ITER(hh, self->peers, peer, next)
    {
        HASH_DEL(self->peers, peer);
        mem_free(peer);
    }
    for (uint32_t i = 0; i < self->lingering_count; i++)
        close(self->lingering[i].fd);
    mem_free(self->slots);
    monitor_free(&self->monitor);
}

/* ---- states --------------------------------------------------------------------------------- */

static connection_state_t s_state(const connection_t *connection)
{
    return (connection_state_t)atomic_load_explicit(&connection->state, memory_order_relaxed);
}

static uint64_t s_since(const connection_t *connection)
{
    return atomic_load_explicit(&connection->since_us, memory_order_relaxed);
}

void connection_enter(connection_t *self, connection_state_t state, uint32_t within_ms)
{
    uint64_t now_us = clock_us();
    atomic_store_explicit(&self->since_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&self->due_ms, within_ms ? now_us / 1000 + within_ms : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&self->state, (int)state, memory_order_relaxed);
}

/* ---- making room ---------------------------------------------------------------------------- */

static bool s_is_busy(const connections_t *self)
{
    return (self->live - self->leaving) * 100u > self->limit * CONNECTIONS_BUSY_PERCENT;
}

static uint64_t s_stuck(const connection_t *connection)
{
    return atomic_load_explicit(&connection->stuck_us, memory_order_relaxed);
}

static void s_shut(connections_t *self, connection_t *connection)
{
    self->leaving += !connection->is_shut;
    connection->is_shut = true;
    shutdown(connection->fd, s_stuck(connection) ? SHUT_RDWR : SHUT_RD);
}

static bool s_is_full(const connections_t *self)
{
    return self->live - self->leaving >= self->limit;
}

/* How much a connection deserves to stay, or UINT64_MAX when it must: the lowest goes. Idle ones go
 * before those that send or take slowly, and of each kind the one that has waited longest; idle
 * ones may also be between two requests, and have a moment's grace unless it is `urgent`. */
static uint64_t s_rank(const connection_t *connection, bool urgent, uint64_t now_us)
{
    connection_state_t state = s_state(connection);
    uint64_t stuck = s_stuck(connection), since = stuck ? stuck : s_since(connection);
    uint64_t age = now_us > since ? now_us - since : 0;
    if (connection->is_shut)
        return UINT64_MAX;
    if (state == CONNECTION_IDLE && (urgent || age >= IDLE_GRACE_US))
        return since;
    if ((state == CONNECTION_READING || stuck) && age >= SLOW_GRACE_US)
        return since | UINT64_C(1) << 63;
    return UINT64_MAX;
}

/* The connection of the lowest rank above `*floor`, which becomes its rank. */
static connection_t *s_lowest(connections_t *self, uint64_t *floor, bool urgent, uint64_t now_us)
{
    connection_t *first = NULL;
    uint64_t lowest = UINT64_MAX;
    for (int fd = 0; fd < self->top; fd++) {
        connection_t *connection = &self->slots[fd];
        if (s_state(connection) == CONNECTION_FREE)
            continue;
        uint64_t rank = s_rank(connection, urgent, now_us);
        if (rank > *floor && rank < lowest) {
            lowest = rank;
            first = connection;
        }
    }
    *floor = lowest;
    return first;
}

bool connection_has_input(const connection_t *self)
{
    int waiting = 0;
    return ioctl(self->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static bool s_make_room(connections_t *self, bool urgent)
{
    uint64_t floor = 0, now_us = clock_us();
    connection_t *first = s_lowest(self, &floor, urgent, now_us);
    /* with a request that its thread has not seen yet it is not idle, and would not leave soon */
    while (first && s_state(first) == CONNECTION_IDLE && connection_has_input(first))
        first = s_lowest(self, &floor, urgent, now_us);
    if (!first)
        return false;
    stats_add(self->stats, s_state(first) == CONNECTION_IDLE ? COUNT_SHUT_IDLE : COUNT_SHUT_SLOW,
              1);
    s_shut(self, first);
    return true;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static peer_t *s_peer(connections_t *self, in_addr_t address)
{
    peer_t *peer;
    HASH_FIND(hh, self->peers, &address, sizeof address, peer);
    return peer;
}

static void s_count_peer(connections_t *self, in_addr_t address)
{
    peer_t *peer = s_peer(self, address);
    if (!peer) {
        peer = mem_zeroed(sizeof *peer);
        peer->address = address;
        HASH_ADD(hh, self->peers, address, sizeof peer->address, peer);
    }
    peer->count++;
}

static void s_discount_peer(connections_t *self, in_addr_t address)
{
    peer_t *peer = s_peer(self, address);
    insist(peer && peer->count);
    if (--peer->count == 0) {
        HASH_DEL(self->peers, peer);
        mem_free(peer);
    }
}

static admission_t s_admission(connections_t *self, int fd, in_addr_t address)
{
    if (self->draining)
        return ADMIT_DRAINING;
    const peer_t *peer = self->per_address ? s_peer(self, address) : NULL;
    if (peer && peer->count >= self->per_address)
        return ADMIT_ADDRESS;
    /* whoever is shut leaves its thread in a moment, for which the newcomer waits in a queue */
    if (fd >= CONNECTIONS_FD_MAX || (s_is_full(self) && !s_make_room(self, true)))
        return ADMIT_FULL;
    return ADMIT_YES;
}

admission_t connections_admit(connections_t *self, int fd, const struct sockaddr_in *peer)
{
    static const counter_t refusals[] = {
        [ADMIT_FULL] = COUNT_REFUSED_FULL,
        [ADMIT_ADDRESS] = COUNT_REFUSED_ADDRESS,
        [ADMIT_DRAINING] = COUNT_REFUSED_DRAINING,
    };
    monitor_lock(&self->monitor);
    admission_t admission = s_admission(self, fd, peer->sin_addr.s_addr);
    if (admission == ADMIT_YES) {
        connection_t *connection = &self->slots[fd];
        insist(s_state(connection) == CONNECTION_FREE);
        *connection = (connection_t){
            .table = self, .fd = fd, .address = peer->sin_addr.s_addr, .awaits_head = true
        };
        connection_enter(connection, CONNECTION_IDLE, self->head_ms);
        s_count_peer(self, connection->address);
        self->live++;
        if (self->top <= fd)
            self->top = fd + 1;
        stats_set(self->stats, COUNT_CONNECTIONS_LIVE, self->live);
    }
    if (admission == ADMIT_YES && s_is_busy(self))
        s_make_room(self, false);
    monitor_unlock(&self->monitor);
    stats_add(self->stats, admission == ADMIT_YES ? COUNT_CONNECTIONS : refusals[admission], 1);
    return admission;
}

connection_t *connections_find(connections_t *self, int fd)
{
    if (fd < 0 || fd >= CONNECTIONS_FD_MAX)
        return NULL;
    connection_t *connection = &self->slots[fd];
    return s_state(connection) == CONNECTION_FREE ? NULL : connection;
}

void connections_leave(connections_t *self, connection_t *connection)
{
    monitor_lock(&self->monitor);
    connection_enter(connection, CONNECTION_FREE, 0);
    s_discount_peer(self, connection->address);
    self->live--;
    self->leaving -= connection->is_shut;
    stats_set(self->stats, COUNT_CONNECTIONS_LIVE, self->live);
    if (self->live == 0)
        monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}

uint32_t connections_live(connections_t *self)
{
    monitor_lock(&self->monitor);
    uint32_t live = self->live;
    monitor_unlock(&self->monitor);
    return live;
}

bool connections_wait_empty(connections_t *self, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (self->live && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool is_empty = self->live == 0;
    monitor_unlock(&self->monitor);
    return is_empty;
}

/* ---- periodic work -------------------------------------------------------------------------- */

static void s_end_overdue(connections_t *self, uint64_t now_ms)
{
    for (int fd = 0; fd < self->top; fd++) {
        connection_t *connection = &self->slots[fd];
        uint64_t due = atomic_load_explicit(&connection->due_ms, memory_order_relaxed);
        if (due && due < now_ms && s_state(connection) != CONNECTION_FREE && !connection->is_shut)
            s_shut(self, connection);
    }
}

/* True when the peer has closed its side, or nothing is left to wait for. */
static bool s_is_gone(int fd)
{
    char waste[4096];
    for (int i = 0; i < 64; i++) {
        ssize_t got = recvfrom(fd, waste, sizeof waste, MSG_DONTWAIT, NULL, NULL);
        if (got <= 0)
            return got == 0 || (errno != EAGAIN && errno != EINTR);
    }
    return false;
}

static void s_end_lingering(connections_t *self, uint64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->lingering_count; i++) {
        lingering_t item = self->lingering[i];
        if (item.due_ms <= now_ms || s_is_gone(item.fd))
            close(item.fd);
        else
            self->lingering[kept++] = item;
    }
    self->lingering_count = kept;
}

void connections_tick(connections_t *self, uint64_t now_ms)
{
    monitor_lock(&self->monitor);
    s_end_overdue(self, now_ms);
    while (s_is_busy(self) && s_make_room(self, false))
        ;
    s_end_lingering(self, now_ms);
    monitor_unlock(&self->monitor);
}

static void s_shut_all(connections_t *self, connection_state_t state)
{
    for (int fd = 0; fd < self->top; fd++)
        if (s_state(&self->slots[fd]) == state && !self->slots[fd].is_shut)
            s_shut(self, &self->slots[fd]);
}

void connections_drain(connections_t *self)
{
    monitor_lock(&self->monitor);
    self->draining = true;
    s_shut_all(self, CONNECTION_IDLE);
    monitor_unlock(&self->monitor);
}

void connections_end(connections_t *self)
{
    monitor_lock(&self->monitor);
    self->has_ended = true;
    s_shut_all(self, CONNECTION_IDLE);
    s_shut_all(self, CONNECTION_READING);
    for (int fd = 0; fd < self->top; fd++)
        if (s_state(&self->slots[fd]) != CONNECTION_FREE && s_stuck(&self->slots[fd]))
            s_shut(self, &self->slots[fd]);
    monitor_unlock(&self->monitor);
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
    const connections_t *table = self->table;
    bool hurries = table->has_ended || (self->is_shut && !table->draining);
    return hurries && timeout_ms > SLOW_GRACE_US / 1000 ? SLOW_GRACE_US / 1000 : timeout_ms;
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

void connections_linger(connections_t *self, int fd)
{
    shutdown(fd, SHUT_WR);
    monitor_lock(&self->monitor);
    if (self->lingering_count == CONNECTIONS_LINGER_MAX) {
        close(self->lingering[0].fd);
        self->lingering[0] = self->lingering[--self->lingering_count];
    }
    self->lingering[self->lingering_count++] =
        (lingering_t){ .fd = fd, .due_ms = clock_ms() + LINGER_MS };
    monitor_unlock(&self->monitor);
}

void connection_linger(connection_t *self)
{
    int fd = fcntl(self->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        connections_linger(self->table, fd);
}
