/* SPDX-License-Identifier: MPL-2.0
 *
 * connection - one open connection: what it is doing, since when, and writing to it
 *
 * Its thread moves it from state to state; others only look, and shut it under the lock of the
 * table that it is in (connections.h).
 */
#ifndef SIGNALBOX_EDGE_CONNECTION_H
#define SIGNALBOX_EDGE_CONNECTION_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "edge/guard.h"

#define CONNECTION_SLOW_GRACE_US                                                                   \
    1000000 /* an honest client's head has come, or its answer gone                                \
             */

typedef enum {
    CONNECTION_FREE,
    CONNECTION_IDLE,    /* waits for the first byte of a request */
    CONNECTION_READING, /* a head or a body is arriving */
    CONNECTION_WORKING, /* does not wait for the client */
} connection_state_t;

/* What holds for all connections of a table. */
typedef struct {
    uint32_t head_ms; /* from the first byte of a head to its last */
    guard_limits_t guard;
    _Atomic bool is_draining;
    _Atomic bool has_ended; /* nobody is waited for any more */
} connection_rules_t;

typedef struct {
    const connection_rules_t *rules;
    int fd;
    in_addr_t address;         /* of the peer, network order */
    bool awaits_head;          /* the next bytes are a head, not a body */
    bool is_late;              /* the deadline passed while it was read */
    _Atomic bool is_shut;      /* nothing more is read from it; set under the table's lock */
    _Atomic int state;         /* connection_state_t */
    _Atomic uint64_t since_us; /* when it entered this state */
    _Atomic uint64_t due_ms;   /* when it is shut; 0: never */
    _Atomic uint64_t stuck_us; /* since when an answer waits to be taken; 0: none does */
    guard_head_t head;         /* of the request being served */
} connection_t;

/* Moves a connection to a state; the one function that does. It is shut when it stays longer than
 * `within_ms`; 0: it may. */
void connection_enter(connection_t *self, connection_state_t state, uint32_t within_ms);

connection_state_t connection_state(const connection_t *self);

/* Whether bytes have arrived that nobody has read. */
bool connection_has_input(const connection_t *self);

/* Writes everything or fails: within `timeout_ms`, also when the peer takes a byte now and then;
 * and earlier when others need the thread. Changes `parts`. */
bool connection_write(connection_t *self, struct iovec *parts, int count,
                      uint32_t timeout_ms) MUST_CHECK;

#endif
