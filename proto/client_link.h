/* SPDX-License-Identifier: MPL-2.0
 *
 * client_link - one broker: its sockets, its heartbeats, whether it is there; private to the client
 */
#ifndef SIGNALBOX_CLIENT_LINK_H
#define SIGNALBOX_CLIENT_LINK_H

#include "proto/client_state.h"

/* Makes the sockets of a link, closing older ones, and connects. Its state stays. */
void link_open(client_t *client, link_t *link);
void link_close(link_t *link);

/* Sends [header][parts ...]; the parts are given away. False when the broker's queue is full or the
 * link is closed: counted, the parts are closed. */
bool link_send(client_t *client, link_t *link, const frame_t *frame, zmq_msg_t *parts,
               size_t count);

/* Notes that the broker has spoken. */
void link_heard(client_t *client, link_t *link);

/* The broker is gone: nothing is sent over this link until it speaks again. */
void link_lose(link_t *link);

/* Whether the broker's end of the connection has closed: it was killed, or started again. */
bool link_has_ended(link_t *link);

/* Beats when due. True when the broker was silent too long: the link is lost, and is to be opened
 * again; it stays lost until the broker speaks. */
bool link_tick(client_t *client, link_t *link);

/* The link that calls go over: the preferred one, or the next that is not lost. NULL: none is. */
link_t *link_choose(client_t *client);

static inline uint32_t link_index(const client_t *client, const link_t *link)
{
    return (uint32_t)(link - client->links);
}

/* An initialised frame that owns the bytes of the buffer, empty afterwards. NULL: an empty one. */
void link_take(zmq_msg_t *frame, buf_t *bytes);

/* The same with a copy of the bytes. */
void link_copy(zmq_msg_t *frame, const void *bytes, size_t size);

#endif
