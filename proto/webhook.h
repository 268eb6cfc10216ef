/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the contract of the service that tells others by calling them
 *
 * Messages are signed as Standard Webhooks 1.0.0 has it. What is refused (4xx) is not sent again;
 * what may be taken later (408, 425, 429, 5xx, no answer) is a failure that allows a retry, and a
 * Retry-After is passed on: as a job, `webhook.deliver` is tried again accordingly.
 *
 * Accounts subscribe: an URL, and the kinds of events it wants. A kind is dotted text
 * ("analysis.finished"); "analysis.*" is all of a service, "*" is everything. Whoever makes events
 * calls `webhook.publish`, as a job of its own transaction or out of an outbox of its own, with an
 * id: each event is stored once by it, together with one delivery for each subscription that wants
 * it, and a job (`webhook.send`) is enqueued for every delivery. So any number of instances, and
 * any number of repetitions, make one delivery.
 *
 * The other way round, providers tell us: what they sign is stored once by its id, and a job is
 * enqueued that calls the method configured for them with {provider, id, type, body}.
 */
#ifndef SIGNALBOX_PROTO_WEBHOOK_H
#define SIGNALBOX_PROTO_WEBHOOK_H

#include "proto/method.h"

#define WEBHOOK_TYPE_BYTES    64
#define WEBHOOK_EVENT_BYTES   64 /* of an event's id */
#define WEBHOOK_SECRETS_MAX   4
#define WEBHOOK_EVENTS_MAX    20    /* kinds of one subscription */
#define WEBHOOK_SUBSCRIPTIONS 50    /* of one account */
#define WEBHOOK_HOOK_BYTES    60000 /* of what a provider tells: what fits into a job */

/* telling, for services */
extern const method_t webhook_deliver, webhook_publish, webhook_send;
/* subscriptions */
extern const method_t webhook_create, webhook_list, webhook_get, webhook_update, webhook_delete,
    webhook_rotate, webhook_test;
/* what became of telling */
extern const method_t webhook_deliveries, webhook_delivery, webhook_replay;

/* what others tell us */
extern const method_t webhook_hook, webhook_provider_set, webhook_providers,
    webhook_provider_delete, webhook_billing;

extern const service_t webhook_service;

#endif
