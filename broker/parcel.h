/* SPDX-License-Identifier: MPL-2.0
 *
 * parcel - the frames of a message that are passed on unread; private to broker/
 *
 * Frames are moved, never copied: a parcel that is sent is empty afterwards. A native message has
 * at most two such frames (principal, body), which need no memory of their own; MDP may have more.
 */
#ifndef SIGNALBOX_BROKER_PARCEL_H
#define SIGNALBOX_BROKER_PARCEL_H

#include <zmq.h>

#include "actors/base/base.h"

#define PARCEL_FRAMES_MAX 16
#define PARCEL_FEW        2

typedef struct {
    uint8_t count;
    zmq_msg_t few[PARCEL_FEW];
    zmq_msg_t *many; /* all of them when there are more than PARCEL_FEW */
} parcel_t;

/* Takes over `count` frames (moved). */
void parcel_take(parcel_t *self, zmq_msg_t *frames, size_t count);

/* A second parcel with the same content, shared by reference. */
void parcel_share(parcel_t *self, parcel_t *from);

void parcel_close(parcel_t *self);

size_t parcel_bytes(parcel_t *self);

zmq_msg_t *parcel_frame(parcel_t *self, size_t index);

/* Takes the first frame out and closes it. */
void parcel_drop_first(parcel_t *self);

#endif
