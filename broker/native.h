/* SPDX-License-Identifier: MPL-2.0
 *
 * native - messages of the native dialect; private to broker/
 */
#ifndef SIGNALBOX_BROKER_NATIVE_H
#define SIGNALBOX_BROKER_NATIVE_H

#include "broker/state.h"

/* A message behind `door` from the peer with this routing id: frames[0] is a native header. All
 * frames are consumed. */
void native_take(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames, size_t count);

#endif
