/* SPDX-License-Identifier: MPL-2.0
 *
 * answer - what a client is sent, in its own dialect; private to broker/
 */
#ifndef SIGNALBOX_BROKER_ANSWER_H
#define SIGNALBOX_BROKER_ANSWER_H

#include "broker/peer.h"
#include "proto/error.h"

/* Whom an answer goes to. */
typedef struct {
    peer_t *client;
    uint64_t client_id;
    mdp_dialect_t mdp; /* MDP_NONE: native */
    const char *asked; /* MDP: the service as the client named it, which it expects back */
    size_t asked_size;
} answer_to_t;

/* Sends PARTIAL, FINAL or ERROR as `frame` says. `header`, when given, is the instance's encoded
 * header and is reused; the parcel is the body. Both are consumed. MDP has no ERROR: there a
 * failure is a FINAL whose body is the map {"error": {code, detail ...}}; 0.1 has no PARTIAL, which
 * is dropped and counted. False when the client is gone or takes nothing more. */
bool answer_send(broker_t *broker, const answer_to_t *to, const frame_t *frame, zmq_msg_t *header,
                 parcel_t *parcel);

/* Sends a failure of the broker's own. */
bool answer_failure(broker_t *broker, const answer_to_t *to, const failure_t *failure);

/* Sends a FINAL with this body, which is copied. */
bool answer_body(broker_t *broker, const answer_to_t *to, const buf_t *body);

#endif
