/* SPDX-License-Identifier: MPL-2.0
 *
 * pending - a request inside the broker: the lists it is in, and its end; private to broker/
 */
#ifndef SIGNALBOX_BROKER_PENDING_H
#define SIGNALBOX_BROKER_PENDING_H

#include "broker/answer.h"
#include "broker/service.h"

/* A request in no list, without client, header or body. NULL when there are too many. */
pending_t *pending_new(broker_t *broker, broker_service_t *service, uint32_t deadline_ms);

/* Puts it into the list of its client and under its deadline. */
void pending_attach(broker_t *broker, pending_t *pending, peer_t *client);

/* Takes it out of its client's list: nobody waits for the answer any more. */
void pending_detach(pending_t *pending);

/* Into the queue of its service, or of `owner`. False when it would be too long or too large. */
bool pending_enqueue(broker_t *broker, pending_t *pending, worker_t *owner) MUST_CHECK;
void pending_leave_queue(broker_t *broker, pending_t *pending);

/* Takes it out of every list and frees it; its instance's credit comes back. */
void pending_release(broker_t *broker, pending_t *pending);

/* Ends it with an error of ours, counted. When an instance is at work on it, it is told, and the
 * request stays, without client, as long as it holds the instance's credit. */
void pending_end(broker_t *broker, pending_t *pending, error_code_t code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* One part of a broadcast is over; the last one ends the broadcast with a FINAL that holds
 * {instances, answered, failed}. `group` may be gone already. */
void pending_end_part(broker_t *broker, uint64_t group, bool answered);

/* Whom its answer goes to. */
answer_to_t pending_answer_to(const pending_t *pending);

/* Under which counter a request ends that fails with `code`. */
broker_stat_t pending_counter(error_code_t code);

#endif
