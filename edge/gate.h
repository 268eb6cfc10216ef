/* SPDX-License-Identifier: MPL-2.0
 *
 * gate - stands between civetweb and its sockets, by defining accept(), recv() and shutdown()
 *
 * Debian's civetweb 1.15 has no hook for three things this edge needs: to refuse a connection when
 * all threads are taken (it would wait for a thread, unanswered), to know a connection's descriptor
 * (so that a stuck one can be shut), and to see a request's bytes before its lenient parser does.
 * Since functions of an executable take the place of libc's for every library it loads (ELF symbol
 * interposition), three are defined here: accept() decides who is admitted, recv() reads heads, and
 * shutdown(), which civetweb calls before it closes a connection, takes it out of the table. A
 * thread that has not entered the gate, and a descriptor that is no connection of ours, get exactly
 * what libc would do.
 *
 * Whoever links the edge must let these definitions win: `gate_is_in_place` says whether they do,
 * and the edge does not start without them.
 */
#ifndef SIGNALBOX_EDGE_GATE_H
#define SIGNALBOX_EDGE_GATE_H

#include "actors/base/buf.h"
#include "edge/connections.h"
#include "edge/linger.h"

/* What the thread that reads does with a head that was refused: it answers, and the connection
 * ends. */
typedef void (*bad_head_fn)(void *arg, connection_t *connection, guard_verdict_t verdict);

/* Where a gate stands; outlives the threads that enter it. */
typedef struct {
    connections_t *table;
    linger_t *linger;
    const buf_t *refusal; /* the complete answer to a connection that is not admitted */
    bad_head_fn on_bad_head;
    void *arg;
} gate_t;

/* This thread accepts connections: civetweb's master thread. */
void gate_enter_acceptor(const gate_t *gate);

/* This thread reads connections: a worker of civetweb. */
void gate_enter_worker(const gate_t *gate);

/* The connection this worker reads: NULL before its first byte has come. */
connection_t *gate_current(void);

/* Whether other libraries call our functions. */
bool gate_is_in_place(void);

#endif
