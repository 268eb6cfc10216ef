/* SPDX-License-Identifier: MPL-2.0
 *
 * multipart - receives ZeroMQ messages of several frames
 */
#include "config.h"

#include "proto/multipart.h"

size_t multipart_receive(void *socket, zmq_msg_t *frames, size_t room)
{
    size_t count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t extra, *frame = count < room ? &frames[count] : &extra;
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            break; /* only before a first frame: a message arrives whole or not at all */
        }
        more = zmq_msg_more(frame);
        if (frame == &extra)
            zmq_msg_close(frame);
        count++;
    }
    return count;
}

void multipart_close(zmq_msg_t *frames, size_t room, size_t count)
{
    for (size_t i = 0; i < count && i < room; i++)
        zmq_msg_close(&frames[i]);
}
