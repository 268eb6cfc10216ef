/* SPDX-License-Identifier: MPL-2.0
 *
 * connection - the table of open connections, and who has to go when there are too many
 *
 * civetweb gives every connection a thread for as long as it is open. So the number of connections
 * is the resource to manage: this table knows each of them by its descriptor, what it is doing and
 * since when. Above CONNECTIONS_BUSY_PERCENT of the threads, whoever has waited longest for its
 * client is shut to make room; at the limit, and above an address's own limit, newcomers are
 * answered 503 before they get a thread.
 *
 * Shutting is shutdown(2) for reading: what had arrived is still read and answered, so that no
 * request is lost. Only a client that does not take its answer is shut both ways. A descriptor is
 * only shut under the lock that its owner takes before it closes it, so a number that was given out
 * again is never hit.
 */
#ifndef SIGNALBOX_EDGE_CONNECTION_H
#define SIGNALBOX_EDGE_CONNECTION_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "edge/guard.h"

#define CONNECTIONS_FD_MAX       65536 /* descriptors at or above are refused */
#define CONNECTIONS_BUSY_PERCENT 80
#define CONNECTIONS_LINGER_MAX   128

typedef enum {
    CONNECTION_FREE,
    CONNECTION_IDLE,    /* waits for the first byte of a request */
    CONNECTION_READING, /* a head or a body is arriving */
    CONNECTION_WORKING, /* does not wait for the client */
} connection_state_t;

typedef struct connections connections_t;

typedef struct {
    connections_t *table;
    int fd;
    in_addr_t address;         /* of the peer, network order */
    bool awaits_head;          /* the next bytes are a head, not a body */
    bool is_late;              /* the deadline passed while it was read */
    _Atomic bool is_shut;      /* nothing more is read from it; set under the lock */
    _Atomic int state;         /* connection_state_t */
    _Atomic uint64_t since_us; /* when it entered this state */
    _Atomic uint64_t due_ms;   /* when it is shut; 0: never */
    _Atomic uint64_t stuck_us; /* since when an answer waits to be taken; 0: none does */
    guard_head_t head;         /* of the request being served */
} connection_t;

typedef struct peer peer_t;

typedef struct {
    int fd;
    uint64_t due_ms;
} lingering_t;

/* What the thread that reads does with a head that was refused: it answers, and the connection
 * ends. */
typedef void (*bad_head_fn)(void *arg, connection_t *connection, guard_verdict_t verdict);

struct connections {
    /* set before the first connection */
    uint32_t limit;       /* connections at once: the number of threads */
    uint32_t per_address; /* of one address; 0: no limit of its own */
    uint32_t head_ms;     /* from the first byte of a head to its last */
    uint32_t body_ms;     /* from there to the last byte of the body */
    guard_limits_t guard;
    bad_head_fn on_bad_head;
    void *arg;
    stats_t *stats;

    monitor_t monitor;   /* over the rest, except for a connection's atomics */
    connection_t *slots; /* CONNECTIONS_FD_MAX, by descriptor */
    int top;             /* one above the highest descriptor used so far */
    uint32_t live;
    uint32_t leaving; /* of them shut */
    peer_t *peers;
    _Atomic bool draining;
    _Atomic bool has_ended; /* nobody is waited for any more */
    lingering_t lingering[CONNECTIONS_LINGER_MAX];
    uint32_t lingering_count;
};

/* The fields above the monitor are the caller's to set. */
void connections_init(connections_t *self);
void connections_free(connections_t *self);

typedef enum { ADMIT_YES, ADMIT_FULL, ADMIT_ADDRESS, ADMIT_DRAINING } admission_t;

/* Enters an accepted socket; makes room when most threads are in use. When it is refused the
 * descriptor is still the caller's. */
admission_t connections_admit(connections_t *self, int fd, const struct sockaddr_in *peer);

/* The connection of a descriptor; NULL when it is none of ours. */
connection_t *connections_find(connections_t *self, int fd);

/* Takes a connection out: from now on its descriptor may be closed. */
void connections_leave(connections_t *self, connection_t *connection);

/* The periodic work: ends what is overdue, makes room, closes what lingered long enough. */
void connections_tick(connections_t *self, uint64_t now_ms);

/* From now on nobody is admitted, and idle connections are shut once what they sent is answered. */
void connections_drain(connections_t *self);

/* The end of draining: also whoever is still sending, or does not take its answer, is shut. */
void connections_end(connections_t *self);

uint32_t connections_live(connections_t *self);

/* Waits until no connection is left; false when some are by `until_ms`. */
bool connections_wait_empty(connections_t *self, uint64_t until_ms);

/* Moves a connection to a state; the one function that does. It is shut when it stays longer than
 * `within_ms`; 0: it may. */
void connection_enter(connection_t *self, connection_state_t state, uint32_t within_ms);

/* Whether bytes have arrived that nobody has read. */
bool connection_has_input(const connection_t *self);

/* Writes everything or fails: within `timeout_ms`, also when the peer takes a byte now and then;
 * and earlier when others need the thread. Changes `parts`. */
bool connection_write(connection_t *self, struct iovec *parts, int count,
                      uint32_t timeout_ms) MUST_CHECK;

/* Keeps a socket alive for a moment after its owner has closed it, and throws away what still
 * arrives: a close with bytes unread would reset the connection, and the answer with it. Takes over
 * `fd`, which has been written to. */
void connections_linger(connections_t *self, int fd);

/* The same for a connection that its owner is about to close. */
void connection_linger(connection_t *self);

#endif
