/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the contract of the service that tells others by calling them
 *
 * Messages are signed as Standard Webhooks 1.0.0 has it. What is refused (4xx) is not sent again;
 * what may be taken later (408, 425, 429, 5xx, no answer) is a failure that allows a retry, and a
 * Retry-After is passed on: as a job, `webhook.deliver` is tried again accordingly.
 */
#ifndef SIGNALBOX_PROTO_WEBHOOK_H
#define SIGNALBOX_PROTO_WEBHOOK_H

#include "proto/method.h"

#define WEBHOOK_TYPE_BYTES  64
#define WEBHOOK_SECRETS_MAX 4

extern const method_t webhook_deliver;

extern const service_t webhook_service;

#endif
