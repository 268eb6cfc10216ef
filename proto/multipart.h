/* SPDX-License-Identifier: MPL-2.0
 *
 * multipart - receives ZeroMQ messages of several frames
 */
#ifndef SIGNALBOX_MULTIPART_H
#define SIGNALBOX_MULTIPART_H

#include <zmq.h>

#include "actors/base/base.h"

/* Receives one message without waiting: its first `room` frames into `frames`, which the caller
 * closes; what is more is dropped. Returns how many frames the message has, 0 when there is none.
 */
size_t multipart_receive(void *socket, zmq_msg_t *frames, size_t room) MUST_CHECK;

/* Closes the frames that a message of `count` has left in `frames`. */
void multipart_close(zmq_msg_t *frames, size_t room, size_t count);

#endif
