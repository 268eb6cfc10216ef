/* SPDX-License-Identifier: MPL-2.0
 *
 * parcel - the frames of a message that are passed on unread
 */
#include "config.h"

#include "broker/parcel.h"

zmq_msg_t *parcel_frame(parcel_t *self, size_t index)
{
    return self->many ? &self->many[index] : &self->few[index];
}

static void s_make_room(parcel_t *self, size_t count)
{
    insist(count <= PARCEL_FRAMES_MAX);
    self->count = (uint8_t)count;
    self->many = count > PARCEL_FEW ? mem_array(count, sizeof *self->many) : NULL;
    for (size_t i = 0; i < count; i++)
        zmq_msg_init(parcel_frame(self, i));
}

void parcel_take(parcel_t *self, zmq_msg_t *frames, size_t count)
{
    s_make_room(self, count);
    for (size_t i = 0; i < count; i++)
        zmq_msg_move(parcel_frame(self, i), &frames[i]);
}

void parcel_share(parcel_t *self, parcel_t *from)
{
    s_make_room(self, from->count);
    for (size_t i = 0; i < from->count; i++)
        zmq_msg_copy(parcel_frame(self, i), parcel_frame(from, i));
}

void parcel_close(parcel_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        zmq_msg_close(parcel_frame(self, i));
    mem_free(self->many);
    self->many = NULL;
    self->count = 0;
}

size_t parcel_bytes(parcel_t *self)
{
    size_t bytes = 0;
    for (size_t i = 0; i < self->count; i++)
        bytes += zmq_msg_size(parcel_frame(self, i));
    return bytes;
}

void parcel_drop_first(parcel_t *self)
{
    insist(self->count > 0);
    zmq_msg_close(parcel_frame(self, 0));
    for (size_t i = 1; i < self->count; i++) {
        zmq_msg_init(parcel_frame(self, i - 1));
        zmq_msg_move(parcel_frame(self, i - 1), parcel_frame(self, i));
    }
    zmq_msg_close(parcel_frame(self, --self->count));
    if (self->count == 0) {
        mem_free(self->many);
        self->many = NULL;
    }
}
