/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the rows of the service that tells others by calling them
 */
#include "config.h"

#include "proto/webhook.h"

#define DELIVER_DEADLINE_MS 30000

static const error_code_t s_deliver_errors[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE,
                                                 ERROR_DEADLINE, ERROR_OVERLOADED, ERROR_NONE };

static const field_t s_deliver_request[] = {
    { "url", FIELD_STRING, .required = true, .min = 1, .max = 2048,
      .example = "\"https://example.com/hooks\"", .about = "Who is told" },
    { "id", FIELD_STRING, .required = true, .pattern = "^[A-Za-z0-9_-]{1,64}$",
      .example = "\"msg_2f9c\"",
      .about = "Of the message: the same when it is sent again, so that it counts once" },
    { "type", FIELD_STRING, .required = true, .pattern = "^[a-z0-9_.]{1,64}$",
      .example = "\"analysis.finished\"", .about = "What has happened" },
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

static const method_t *const s_methods[] = { &webhook_deliver, NULL };

const service_t webhook_service = {
    .name = "webhook",
    .version = "1.0.0",
    .about = "Tells others by calling them",
    .methods = s_methods,
};
