/* SPDX-License-Identifier: MPL-2.0
 *
 * connections - the table of open connections, and who has to go when there are too many
 */
#include "config.h"

#include <sys/socket.h>

#include <uthash.h>

#include "actors/base/clock.h"
#include "edge/connections.h"
#include "edge/counters.h"

#define IDLE_GRACE_US 100000 /* a client between two requests is not idle yet */

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
    mem_free(self->slots);
    monitor_free(&self->monitor);
}

/* ---- making room ---------------------------------------------------------------------------- */

static uint64_t s_since(const connection_t *connection)
{
    return atomic_load_explicit(&connection->since_us, memory_order_relaxed);
}

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
    connection_state_t state = connection_state(connection);
    uint64_t stuck = s_stuck(connection), since = stuck ? stuck : s_since(connection);
    uint64_t age = now_us > since ? now_us - since : 0;
    if (connection->is_shut)
        return UINT64_MAX;
    if (state == CONNECTION_IDLE && (urgent || age >= IDLE_GRACE_US))
        return since;
    if ((state == CONNECTION_READING || stuck) && age >= CONNECTION_SLOW_GRACE_US)
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
        if (connection_state(connection) == CONNECTION_FREE)
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

static bool s_make_room(connections_t *self, bool urgent)
{
    uint64_t floor = 0, now_us = clock_us();
    connection_t *first = s_lowest(self, &floor, urgent, now_us);
    /* with a request that its thread has not seen yet it is not idle, and would not leave soon */
    while (first && connection_state(first) == CONNECTION_IDLE && connection_has_input(first))
        first = s_lowest(self, &floor, urgent, now_us);
    if (!first)
        return false;
    stats_add(self->stats,
              connection_state(first) == CONNECTION_IDLE ? COUNT_SHUT_IDLE : COUNT_SHUT_SLOW, 1);
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
    if (self->rules.is_draining)
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
        insist(connection_state(connection) == CONNECTION_FREE);
        *connection = (connection_t){
            .rules = &self->rules, .fd = fd, .address = peer->sin_addr.s_addr, .awaits_head = true
        };
        connection_enter(connection, CONNECTION_IDLE, self->rules.head_ms);
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
    return connection_state(connection) == CONNECTION_FREE ? NULL : connection;
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
        if (due && due < now_ms && connection_state(connection) != CONNECTION_FREE &&
            !connection->is_shut)
            s_shut(self, connection);
    }
}

void connections_tick(connections_t *self, uint64_t now_ms)
{
    monitor_lock(&self->monitor);
    s_end_overdue(self, now_ms);
    while (s_is_busy(self) && s_make_room(self, false))
        ;
    monitor_unlock(&self->monitor);
}

static void s_shut_all(connections_t *self, connection_state_t state)
{
    for (int fd = 0; fd < self->top; fd++)
        if (connection_state(&self->slots[fd]) == state && !self->slots[fd].is_shut)
            s_shut(self, &self->slots[fd]);
}

void connections_drain(connections_t *self)
{
    monitor_lock(&self->monitor);
    self->rules.is_draining = true;
    s_shut_all(self, CONNECTION_IDLE);
    monitor_unlock(&self->monitor);
}

void connections_end(connections_t *self)
{
    monitor_lock(&self->monitor);
    self->rules.has_ended = true;
    s_shut_all(self, CONNECTION_IDLE);
    s_shut_all(self, CONNECTION_READING);
    for (int fd = 0; fd < self->top; fd++)
        if (connection_state(&self->slots[fd]) != CONNECTION_FREE && s_stuck(&self->slots[fd]))
            s_shut(self, &self->slots[fd]);
    monitor_unlock(&self->monitor);
}
