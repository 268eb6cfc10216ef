/* SPDX-License-Identifier: MPL-2.0
 *
 * client_events - receiving and publishing, on the I/O thread; private to the client
 */
#ifndef SIGNALBOX_CLIENT_EVENTS_H
#define SIGNALBOX_CLIENT_EVENTS_H

#include "proto/client_link.h"

/* Reads what the link's SUB holds, at most a round. */
void events_read(client_t *client, link_t *link);

/* A part of a snapshot: [event header][body] behind a header that names the topic. */
void events_take_snapshot(client_t *client, const link_t *link, const frame_t *frame,
                          zmq_msg_t *parts, size_t count);

/* The end of a snapshot: what the link's older connections brought below the prefix is void. */
void events_end_snapshot(client_t *client, const link_t *link, const frame_t *frame);

/* What lost brokers said is void as soon as another one is reached. */
void events_void_lost(client_t *client);

/* Asks the broker for the retained values of everything subscribed to: after the link was lost. */
void events_ask_snapshots(client_t *client, link_t *link);

void events_free_all(client_t *client);

#endif
