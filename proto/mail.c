/* SPDX-License-Identifier: MPL-2.0
 *
 * mail - the row of the service that sends mails
 */
#include "config.h"

#include "proto/mail.h"

#define SEND_DEADLINE_MS 60000

static const error_code_t s_send_errors[] = { ERROR_UNPROCESSABLE, ERROR_NOT_IMPLEMENTED,
                                              ERROR_UNAVAILABLE,   ERROR_DEADLINE,
                                              ERROR_OVERLOADED,    ERROR_NONE };

static const field_t s_send_request[] = {
    { "to", FIELD_ARRAY, .required = true, .items = FIELD_STRING, .min = 1,
      .max = MAIL_RECIPIENTS_MAX, .example = "[\"ada@example.dev\"]", .about = "Who gets it" },
    { "subject", FIELD_STRING, .required = true, .min = 1, .max = 200, .example = "\"Your report\"",
      .about = "What it is about" },
    { "text", FIELD_STRING, .required = true, .max = MAIL_TEXT_MAX, .about = "What it says" },
    { "html", FIELD_STRING, .max = MAIL_TEXT_MAX, .about = "The same for programs that show HTML" },
    { "reply_to", FIELD_STRING, .format = "email", .max = 254, .about = "Whom answers go to" },
    { "id", FIELD_STRING, .pattern = "^[A-Za-z0-9_-]{1,64}$",
      .about =
          "Of the mail: the same when it is sent again, so that it can be told it is the same" },
    { 0 },
};

static const field_t s_send_reply[] = {
    { "id", FIELD_STRING, .required = true, .about = "Message-ID of the mail" },
    { "status", FIELD_INTEGER, .required = true, .about = "What the server said last" },
    { 0 },
};

const method_t mail_send = {
    .name = "send",
    .summary = "Sends a mail",
    .about = "By way of the server that is configured, in the name that is configured.",
    .request = s_send_request,
    .reply = s_send_reply,
    .errors = s_send_errors,
    .access = ACCESS_INTERNAL,
    .deadline_ms = SEND_DEADLINE_MS,
};

static const method_t *const s_methods[] = { &mail_send, NULL };

const service_t mail_service = {
    .name = "mail",
    .version = "1.0.0",
    .about = "Sends mails",
    .methods = s_methods,
};
