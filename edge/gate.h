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

#include "edge/connection.h"

/* This thread accepts connections for the table: civetweb's master thread. `refusal` is the
 * complete answer for those that are not admitted; it outlives the thread. */
void gate_enter_acceptor(connections_t *table, const char *refusal, size_t size);

/* This thread reads connections of the table: a worker of civetweb. */
void gate_enter_worker(connections_t *table);

/* The connection this worker reads: NULL before its first byte has come. */
connection_t *gate_current(void);

/* Whether other libraries call our functions. */
bool gate_is_in_place(void);

#endif
