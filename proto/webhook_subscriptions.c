/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook_subscriptions - the rows of subscriptions and of what became of telling them
 */
#include "config.h"

#include "proto/webhook_fields.h"

#define COMMON .access = ACCESS_USER, .scope = "webhooks", .rate = "read"

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_STORAGE_FULL, ERROR_NONE };
static const error_code_t s_missing_or_unfit[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                                   ERROR_NONE };

/* ---- subscriptions ----------------------------------------------------------------------- */

#define URL_FIELD(is)                                                                              \
    {                                                                                              \
        "url", FIELD_STRING, is, .min = 1, .max = 2048,                                            \
                                 .example = "\"https://example.com/hooks\"",                       \
                                 .about = "Who is told"                                            \
    }
#define EVENTS_FIELD(is)                                                                           \
    {                                                                                              \
        "events", FIELD_ARRAY, is, .items = FIELD_STRING, .min = 1, .max = WEBHOOK_EVENTS_MAX,     \
                                   .example = "[\"analysis.finished\", \"monitor.*\"]",            \
                                   .about = "Kinds of events it is told of; `*` is all"            \
    }
#define ABOUT_FIELD(is)                                                                            \
    {                                                                                              \
        "about", FIELD_STRING, is, .max = 200, .about = "What it is for"                           \
    }
#define SUBSCRIPTION_SHOWN                                                                         \
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The subscription" },       \
        URL_FIELD(.required = true), EVENTS_FIELD(.required = true),                               \
        { "about", FIELD_STRING, .required = true, .nullable = true, .about = "What it is for" },  \
        { "status", FIELD_STRING, .required = true, .choices = "active paused disabled",           \
          .about =                                                                                 \
              "`paused` hears of nothing new; `disabled` has answered 410, and hears nothing" },   \
        { "reason", FIELD_STRING, .required = true, .nullable = true,                              \
          .about = "Why, if disabled" },                                                           \
        MAYBE_TIME_FIELD("old_secret_until",                                                       \
                         "Until when messages are signed with the secret before, too"),            \
        TIME_FIELD("created_at", "When it was made"),                                              \
        TIME_FIELD("updated_at", "When it was last changed")
#define SECRET_FIELD                                                                               \
    {                                                                                              \
        "secret", FIELD_STRING, .required = true,                                                  \
                                .about = "What messages are signed with, shown this once"          \
    }

static const field_t s_subscription[] = { SUBSCRIPTION_SHOWN, { 0 } };
static const field_t s_new_subscription[] = { SUBSCRIPTION_SHOWN, SECRET_FIELD, { 0 } };

static const field_t s_create_request[] = {
    URL_FIELD(.required = true),
    EVENTS_FIELD(.required = true),
    ABOUT_FIELD(.required = false),
    { 0 },
};

const method_t webhook_create = {
    .name = "create",
    .summary = "Subscribes an URL to events",
    .about = "The answer holds the secret that messages are signed with (Standard Webhooks); it is "
             "not shown again.",
    .request = s_create_request,
    .reply = s_new_subscription,
    .errors = s_unfit,
    COMMON,
    .http = { .route = "POST /v1/webhooks", .status = 201, .location = "/v1/webhooks/{id}" },
};

static const field_t s_page_request[] = { PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 } };

static const field_t s_list_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_subscription,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t webhook_list = {
    .name = "list",
    .summary = "Subscriptions of the account",
    .request = s_page_request,
    .reply = s_list_reply,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/webhooks" },
};

#define ID_FIELD                                                                                   \
    {                                                                                              \
        "id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which subscription"      \
    }
#define DELIVERY_ID_FIELD                                                                          \
    {                                                                                              \
        "delivery_id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which delivery" \
    }

static const field_t s_id_request[] = { ID_FIELD, { 0 } };

const method_t webhook_get = {
    .name = "get",
    .summary = "One subscription",
    .request = s_id_request,
    .reply = s_subscription,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/webhooks/{id}" },
};

static const field_t s_update_request[] = {
    ID_FIELD,
    URL_FIELD(.required = false),
    EVENTS_FIELD(.required = false),
    ABOUT_FIELD(.required = false),
    { "status", FIELD_STRING, .choices = "active paused", .about = "Whether it hears of anything" },
    { 0 },
};

const method_t webhook_update = {
    .name = "update",
    .summary = "Changes a subscription, pauses it, or takes it up again",
    .request = s_update_request,
    .reply = s_subscription,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "PATCH /v1/webhooks/{id}" },
};

const method_t webhook_delete = {
    .name = "delete",
    .summary = "Ends a subscription",
    .about = "With all that is known of its deliveries; what is under way is not sent any more.",
    .request = s_id_request,
    .errors = s_missing,
    COMMON,
    .http = { .route = "DELETE /v1/webhooks/{id}", .status = 204 },
};

static const field_t s_rotate_request[] = {
    ID_FIELD,
    { "overlap_hours", FIELD_INTEGER, .preset = "24", .min = 0, .max = 168,
      .about = "How long messages are signed with the secret before, too" },
    { 0 },
};

const method_t webhook_rotate = {
    .name = "rotate",
    .summary = "Makes a new secret",
    .request = s_rotate_request,
    .reply = s_new_subscription,
    .errors = s_missing,
    COMMON,
    .http = { .route = "POST /v1/webhooks/{id}/rotate" },
};

/* ---- deliveries -------------------------------------------------------------------------- */

#define STATES "waiting queued delivered failed"

static const field_t s_delivery[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The delivery" },
    { "event_id", FIELD_STRING, .required = true, .about = "`webhook-id` of the message" },
    TYPE_FIELD,
    { "state", FIELD_STRING, .required = true, .choices = STATES, .about = "How far it is" },
    { "attempts", FIELD_INTEGER, .required = true, .min = 0, .max = 1000,
      .about = "How often it was tried" },
    { "replays", FIELD_INTEGER, .required = true, .min = 0, .max = 1000000,
      .about = "How often it was begun anew" },
    { "status", FIELD_INTEGER, .required = true, .nullable = true,
      .about = "What the receiver answered last" },
    { "detail", FIELD_STRING, .required = true, .nullable = true, .about = "What went wrong last" },
    { "duration_ms", FIELD_NUMBER, .required = true, .nullable = true,
      .about = "How long the last attempt took" },
    TIME_FIELD("created_at", "When it began"),
    TIME_FIELD("updated_at", "When it last changed"),
    { 0 },
};

static const field_t s_deliveries_request[] = {
    ID_FIELD,
    { "state", FIELD_STRING, .choices = STATES, .about = "Only those that are so far" },
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { 0 },
};

static const field_t s_deliveries_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_delivery, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t webhook_deliveries = {
    .name = "deliveries",
    .summary = "What a subscription was told",
    .request = s_deliveries_request,
    .reply = s_deliveries_reply,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/webhooks/{id}/deliveries" },
};

static const field_t s_delivery_request[] = { ID_FIELD, DELIVERY_ID_FIELD, { 0 } };

const method_t webhook_delivery = {
    .name = "delivery",
    .summary = "One delivery",
    .request = s_delivery_request,
    .reply = s_delivery,
    .errors = s_missing,
    COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/webhooks/{id}/deliveries/{delivery_id}" },
};

const method_t webhook_replay = {
    .name = "replay",
    .summary = "Delivers once more what was delivered or has failed",
    .about = "Under the same `webhook-id`.",
    .request = s_delivery_request,
    .reply = s_delivery,
    .errors = s_missing_or_unfit,
    COMMON,
    .http = { .route = "POST /v1/webhooks/{id}/deliveries/{delivery_id}/replay", .status = 202 },
};

const method_t webhook_test = {
    .name = "test",
    .summary = "Tells a subscription of `webhook.test`",
    .request = s_id_request,
    .reply = s_delivery,
    .errors = s_missing_or_unfit,
    COMMON,
    .http = { .route = "POST /v1/webhooks/{id}/test", .status = 202 },
};
