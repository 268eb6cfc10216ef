/* SPDX-License-Identifier: MPL-2.0
 *
 * server - civetweb: how it is started, what it calls, and what stands between it and its sockets
 */
#ifndef SIGNALBOX_EDGE_SERVER_H
#define SIGNALBOX_EDGE_SERVER_H

#include "edge/exchange.h"

/* The table of connections and the gate before them. */
void server_init(edge_t *edge);
void server_free(edge_t *edge);

/* Listens, and serves from now on. False with a sentence in `why`. */
bool server_start(edge_t *edge, char *why, size_t why_size) MUST_CHECK;

/* Takes no new connections and answers all that has begun to arrive, with "Connection: close"; ends
 * whatever is left after `drain_ms`. NULL before civetweb runs. */
void server_stop(edge_t *edge);

#endif
