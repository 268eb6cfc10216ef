/* SPDX-License-Identifier: MPL-2.0
 *
 * dispatch - who works on a request, and when; private to broker/
 */
#ifndef SIGNALBOX_BROKER_DISPATCH_H
#define SIGNALBOX_BROKER_DISPATCH_H

#include "broker/pending.h"

/* Gives a loose request to the instance it belongs to, or queues it, or ends it with an error. */
void dispatch_place(broker_t *broker, pending_t *pending);

/* The same for a part of a broadcast, which is for this instance alone. */
void dispatch_place_part(broker_t *broker, pending_t *part, worker_t *worker);

/* An instance has credit: gives it what is queued for it, then what any instance may take. */
void dispatch_queued(broker_t *broker, worker_t *worker);

/* The instance takes nothing new: what is queued for it alone goes to its successors. */
void dispatch_drain(broker_t *broker, worker_t *worker);

/* The instance is gone. What it worked on is given to another one if that does no harm. */
void dispatch_lose(broker_t *broker, worker_t *worker);

#endif
