/* SPDX-License-Identifier: MPL-2.0
 *
 * majordomo - messages of MDP/0.1 and MDP/0.2 (ZeroMQ RFC 7 and RFC 18); private to broker/
 */
#ifndef SIGNALBOX_BROKER_MAJORDOMO_H
#define SIGNALBOX_BROKER_MAJORDOMO_H

#include "broker/state.h"

/* A message whose header frame (behind an empty one, if any) may name an MDP dialect. All frames
 * are consumed; what is not MDP is counted and dropped. */
void majordomo_take(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames, size_t count);

#endif
