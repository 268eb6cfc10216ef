/* SPDX-License-Identifier: MPL-2.0
 *
 * peer - whoever has spoken to the broker, and sending to them; private to broker/
 */
#ifndef SIGNALBOX_BROKER_PEER_H
#define SIGNALBOX_BROKER_PEER_H

#include "broker/state.h"

/* The peer with this routing id behind `door`. `make` adds it when it is new; NULL when it is not
 * known, or when there are too many (counted as OVERLOADED by the caller). */
peer_t *peer_find(broker_t *broker, door_t door, const void *id, size_t size, bool make);

/* Notes that the peer has spoken. */
void peer_heard(broker_t *broker, peer_t *peer);

/* Whether the peer may say something in this dialect: the first one it speaks is its own, since
 * what is sent to it later must be in one that it understands. */
bool peer_speaks(peer_t *peer, dialect_t dialect, mdp_dialect_t mdp);

/* Puts a peer that is gone into the list of the lost; the loop takes its work away later, so that
 * sending never changes what a caller is walking. */
void peer_lose(broker_t *broker, peer_t *peer);

/* Forgets a peer that has neither worker nor requests. */
void peer_forget(broker_t *broker, peer_t *peer);

/* Starts a message: the routing id is sent, frames must follow. False when the peer is gone (it is
 * lost then) or takes nothing more; both counted. */
bool peer_begin(broker_t *broker, peer_t *peer) MUST_CHECK;

/* The frames of a message begun. A message frame is given away, bytes are copied. */
void peer_frame(broker_t *broker, peer_t *peer, zmq_msg_t *frame, bool more);
void peer_bytes(broker_t *broker, peer_t *peer, const void *bytes, size_t size, bool more);

/* Sends all frames of a parcel and leaves it empty; nothing may follow. */
void peer_parcel(broker_t *broker, peer_t *peer, parcel_t *parcel);

/* A whole native message: header alone, or with a body that is copied. */
bool peer_send(broker_t *broker, peer_t *peer, const frame_t *frame, const buf_t *body);

/* An MDP command without body to a worker, in its dialect; its lead frame is mirrored. */
bool peer_send_mdp(broker_t *broker, peer_t *peer, mdp_command_t command);

/* Good-bye, or "I do not know you", in the peer's dialect. */
void peer_send_disconnect(broker_t *broker, peer_t *peer);

/* Starts an MDP message: lead frame, header, and the command byte where the dialect has one. */
bool peer_begin_mdp(broker_t *broker, peer_t *peer, mdp_command_t command) MUST_CHECK;

/* Makes an initialised message frame of an encoded header. */
void peer_encode(zmq_msg_t *to, const frame_t *frame);

#endif
