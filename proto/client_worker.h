/* SPDX-License-Identifier: MPL-2.0
 *
 * client_worker - the worker's side: registering and requests, on the I/O thread; private to the
 * client
 */
#ifndef SIGNALBOX_CLIENT_WORKER_H
#define SIGNALBOX_CLIENT_WORKER_H

#include "proto/client_link.h"

/* Registers when it is time to. */
void worker_tick(client_t *client, link_t *link);

/* The broker's answer to READY: taken, or refused. */
void worker_registered(client_t *client, link_t *link);
void worker_refused(client_t *client, link_t *link, const frame_t *frame, zmq_msg_t *parts,
                    size_t count);

/* A request; header and parts are moved from. */
void worker_take(client_t *client, const link_t *link, const frame_t *frame, zmq_msg_t *header,
                 zmq_msg_t *parts, size_t count);

/* A caller gives up a request. */
void worker_cancelled(client_t *client, const link_t *link, const frame_t *frame);

/* The broker sends nothing more: it was asked to, or wants this instance to leave. */
void worker_told_to_drain(client_t *client, link_t *link);

/* Tells every broker good-bye. */
void worker_say_goodbye(client_t *client);

#endif
