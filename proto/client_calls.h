/* SPDX-License-Identifier: MPL-2.0
 *
 * client_calls - calls under way, on the I/O thread; private to the client
 */
#ifndef SIGNALBOX_CLIENT_CALLS_H
#define SIGNALBOX_CLIENT_CALLS_H

#include "proto/client_link.h"

/* An answer or a part of one from a broker. `parts` are the frames behind the header; they stay the
 * caller's to close. */
void calls_answer(client_t *client, const link_t *link, const frame_t *frame, zmq_msg_t *parts,
                  size_t count);

/* Ends the calls whose time is over. */
void calls_expire(client_t *client);

/* Ends every call over this connection, or over all when `link` is NULL. */
void calls_end(client_t *client, const link_t *link, error_code_t code, const char *detail);

#endif
