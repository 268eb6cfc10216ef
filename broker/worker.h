/* SPDX-License-Identifier: MPL-2.0
 *
 * worker - an instance's life: registering, beating, leaving; private to broker/
 */
#ifndef SIGNALBOX_BROKER_WORKER_H
#define SIGNALBOX_BROKER_WORKER_H

#include "broker/request.h"

/* A native READY: `body` is {instance, credit, weight, heartbeat_ms, descriptor}. The peer is told
 * READY or the reason why not. */
void worker_ready(broker_t *broker, peer_t *peer, const frame_t *frame, const void *body,
                  size_t size);

/* An MDP READY: its workers take one request at a time (RFC 7, RFC 18), unless broker.mdp_credit
 * says that those of 0.2 take more. */
void worker_ready_mdp(broker_t *broker, peer_t *peer, const char *service, size_t size);

/* Its timer fired: it is lost when it was silent too long, otherwise it is sent a beat when due. */
void worker_beat(broker_t *broker, worker_t *worker);

/* It is gone, or said good-bye: its requests are given to others or ended, it is freed. */
void worker_leave(broker_t *broker, worker_t *worker);

/* It wants nothing new. */
void worker_drain(broker_t *broker, worker_t *worker);

#endif
