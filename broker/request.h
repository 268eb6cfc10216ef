/* SPDX-License-Identifier: MPL-2.0
 *
 * request - a request's way through the broker, from its client to one end; private to broker/
 *
 * Whatever the dialect, a request is kept as a native header and a parcel. It ends in exactly one
 * of the counters BROKER_ANSWERED to BROKER_CLIENT_GONE.
 */
#ifndef SIGNALBOX_BROKER_REQUEST_H
#define SIGNALBOX_BROKER_REQUEST_H

#include "broker/dispatch.h"

/* A request as it comes in. */
typedef struct {
    peer_t *client;
    frame_t frame;     /* names point into `header` */
    zmq_msg_t *header; /* encoded; moved from */
    parcel_t *parcel;  /* moved from; the principal first if frame.flags says so */
    mdp_dialect_t mdp; /* of the client; MDP_NONE when it is native */
    const char *asked; /* MDP: the service frame as it came */
    size_t asked_size;
} request_in_t;

/* Takes a request over: it is given to an instance, queued, or answered with an error at once. */
void request_take(broker_t *broker, const request_in_t *in);

/* An answer from an instance, or a part of one: frame.id names the request. `header` is the encoded
 * native header, or NULL when the instance speaks MDP. Both are moved from. */
void request_answer(broker_t *broker, worker_t *worker, const frame_t *frame, zmq_msg_t *header,
                    parcel_t *parcel);

/* The client no longer wants the answer to its request `client_id`. */
void request_cancel(broker_t *broker, peer_t *client, uint64_t client_id);

/* The request's deadline has passed. */
void request_expire(broker_t *broker, pending_t *pending);

/* The client is gone: nobody waits for its answers. */
void request_lose_client(broker_t *broker, peer_t *client);

/* Ends every request with an error: the broker stops. */
void request_end_all(broker_t *broker);

/* Answers from the broker itself: a failure, counted under its code, or a body. */
void request_refuse(broker_t *broker, const request_in_t *in, error_code_t code, const char *format,
                    ...) PRINTF_LIKE(4, 5);
void request_reply(broker_t *broker, const request_in_t *in, const buf_t *body);

#endif
