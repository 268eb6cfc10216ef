/* SPDX-License-Identifier: MPL-2.0
 *
 * socket - the broker's sockets: made, bound to a list of endpoints, closed; private to broker/
 */
#ifndef SIGNALBOX_BROKER_SOCKET_H
#define SIGNALBOX_BROKER_SOCKET_H

#include "actors/base/base.h"

/* A ROUTER that says whom it cannot reach, or an XPUB that is told of every subscription. */
void *socket_open(void *zmq_context, int type, int64_t message_bytes);

/* Binds to each of `endpoints`, which are separated by commas. False with a sentence in `why`: it
 * cannot be bound, somebody listens there already, it is tcp:// without `allow_tcp`, or not of this
 * machine though the socket is private. A private ipc:// endpoint is its owner's alone. */
bool socket_bind(void *socket, const char *endpoints, bool is_private, bool allow_tcp, char *why,
                 size_t why_size) MUST_CHECK;

/* Unbinds from the same endpoints, bound or not, and closes. */
void socket_close(void *socket, const char *endpoints);

#endif
