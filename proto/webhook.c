/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the rows of the service that tells others by calling them
 */
#include "config.h"

#include "proto/webhook_fields.h"

#define DELIVER_DEADLINE_MS 30000

static const error_code_t s_deliver_errors[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE,
                                                 ERROR_DEADLINE, ERROR_OVERLOADED, ERROR_NONE };

static const field_t s_deliver_request[] = {
    { "url", FIELD_STRING, .required = true, .min = 1, .max = 2048,
      .example = "\"https://example.com/hooks\"", .about = "Who is told" },
    { "id", FIELD_STRING, .required = true, .pattern = "^[A-Za-z0-9_-]{1,64}$",
      .example = "\"msg_2f9c\"",
      .about = "Of the message: the same when it is sent again, so that it counts once" },
    TYPE_FIELD,
    { "at", FIELD_STRING, .format = "date-time",
      .about = "When it happened; now when it is left out" },
    { "data", FIELD_OBJECT, .open = true, .required = true, .about = "What is told" },
    { "secrets", FIELD_ARRAY, .items = FIELD_STRING, .max = WEBHOOK_SECRETS_MAX, .preset = "[]",
      .about = "`whsec_...`: the message is signed with each" },
    { 0 },
};

static const field_t s_deliver_reply[] = {
    { "status", FIELD_INTEGER, .required = true, .min = 200, .max = 299,
      .about = "What the receiver answered" },
    { "address", FIELD_STRING, .required = true, .about = "Which address answered" },
    { "duration_ms", FIELD_NUMBER, .required = true, .about = "How long it took" },
    { 0 },
};

const method_t webhook_deliver = {
    .name = "deliver",
    .summary = "Sends one signed message to an URL",
    .about = "A POST of {type, timestamp, data}. Redirects are not followed; addresses that are "
             "not public are not called.",
    .request = s_deliver_request,
    .reply = s_deliver_reply,
    .errors = s_deliver_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = DELIVER_DEADLINE_MS,
};

/* ---- events ---------------------------------------------------------------------------------- */

static const error_code_t s_too_large[] = { ERROR_TOO_LARGE, ERROR_STORAGE_FULL, ERROR_NONE };

static const field_t s_publish_request[] = {
    { "id", FIELD_STRING, .required = true, .pattern = "^[A-Za-z0-9_.-]{1,64}$",
      .about = "Of the event: the same when it is published again, so that it counts once" },
    { "account", FIELD_STRING, .required = true, .min = 1, .max = 64, .about = "Whose it is" },
    TYPE_FIELD,
    { "at", FIELD_STRING, .format = "date-time",
      .about = "When it happened; now when it is left out" },
    { "data", FIELD_OBJECT, .open = true, .required = true, .about = "What is told" },
    { 0 },
};

static const field_t s_publish_reply[] = {
    { "deliveries", FIELD_INTEGER, .required = true, .min = 0, .max = WEBHOOK_SUBSCRIPTIONS,
      .about = "Subscriptions that want it" },
    { "duplicate", FIELD_BOOLEAN, .required = true,
      .about = "Whether it was known already, and nothing was done" },
    { 0 },
};

const method_t webhook_publish = {
    .name = "publish",
    .summary = "Tells an account's subscriptions of an event",
    .about = "Answered when it is on disk. An event that must not be lost is published by a job "
             "enqueued in the transaction that it tells of, or out of an outbox.",
    .request = s_publish_request,
    .reply = s_publish_reply,
    .errors = s_too_large,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};

static const field_t s_send_request[] = {
    { "delivery_id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which one" },
    { 0 },
};

static const field_t s_send_reply[] = {
    { "state", FIELD_STRING, .required = true, .choices = "delivered failed gone",
      .about = "What became of it; `gone`: it was deleted" },
    { 0 },
};

const method_t webhook_send = {
    .name = "send",
    .summary = "Makes an attempt at a delivery",
    .about = "Fails when another attempt is to be made; succeeds when there is nothing left to do.",
    .request = s_send_request,
    .reply = s_send_reply,
    .errors = s_deliver_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = DELIVER_DEADLINE_MS,
};

static const method_t *const s_methods[] = {
    &webhook_deliver,
    &webhook_publish,
    &webhook_send,
    &webhook_create,
    &webhook_list,
    &webhook_get,
    &webhook_update,
    &webhook_delete,
    &webhook_rotate,
    &webhook_test,
    &webhook_deliveries,
    &webhook_delivery,
    &webhook_replay,
    &webhook_hook,
    &webhook_provider_set,
    &webhook_providers,
    &webhook_provider_delete,
    &webhook_billing,
    NULL,
};

const service_t webhook_service = {
    .name = "webhook",
    .version = "1.0.0",
    .about = "Tells others by calling them",
    .methods = s_methods,
};
