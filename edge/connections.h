/* SPDX-License-Identifier: MPL-2.0
 *
 * connections - the table of open connections, and who has to go when there are too many
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
#ifndef SIGNALBOX_EDGE_CONNECTIONS_H
#define SIGNALBOX_EDGE_CONNECTIONS_H

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "edge/connection.h"

#define CONNECTIONS_FD_MAX       65536 /* descriptors at or above are refused */
#define CONNECTIONS_BUSY_PERCENT 80

typedef struct peer peer_t;

typedef struct {
    /* set before the first connection */
    uint32_t limit;       /* connections at once: the number of threads */
    uint32_t per_address; /* of one address; 0: no limit of its own */
    stats_t *stats;
    connection_rules_t rules;

    monitor_t monitor;   /* over the rest, except for a connection's atomics */
    connection_t *slots; /* CONNECTIONS_FD_MAX, by descriptor */
    int top;             /* one above the highest descriptor used so far */
    uint32_t live;
    uint32_t leaving; /* of them shut */
    peer_t *peers;
} connections_t;

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

/* The periodic work: ends what is overdue, makes room. */
void connections_tick(connections_t *self, uint64_t now_ms);

/* From now on nobody is admitted, and idle connections are shut once what they sent is answered. */
void connections_drain(connections_t *self);

/* The end of draining: also whoever is still sending, or does not take its answer, is shut. */
void connections_end(connections_t *self);

uint32_t connections_live(connections_t *self);

/* Waits until no connection is left; false when some are by `until_ms`. */
bool connections_wait_empty(connections_t *self, uint64_t until_ms);

#endif
