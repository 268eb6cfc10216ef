/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook_hooks - the rows of what others tell us, and of subscriptions that are paid for
 */
#include "config.h"

#include "proto/webhook_fields.h"

#define ADMIN_COMMON .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read"

static const error_code_t s_hook_errors[] = { ERROR_NOT_FOUND, ERROR_UNAUTHENTICATED,
                                              ERROR_TOO_LARGE, ERROR_STORAGE_FULL, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };

#define PROVIDER_FIELD                                                                             \
    {                                                                                              \
        "provider", FIELD_STRING, .required = true, .pattern = "^[a-z][a-z0-9-]{0,31}$",           \
                                  .example = "\"stripe\"", .about = "Who tells it"                 \
    }

/* ---- telling us -------------------------------------------------------------------------- */

static const field_t s_hook_request[] = {
    PROVIDER_FIELD,
    { "headers", FIELD_OBJECT, .required = true, .open = true, .about = "As they came" },
    { "body", FIELD_STRING, .required = true, .max = WEBHOOK_HOOK_BYTES,
      .about = "What is told, signed as it stands" },
    { 0 },
};

static const field_t s_hook_reply[] = {
    { "id", FIELD_STRING, .required = true, .about = "Of what was told" },
    { "duplicate", FIELD_BOOLEAN, .required = true, .about = "Whether it was known already" },
    { 0 },
};

const method_t webhook_hook = {
    .name = "hook",
    .summary = "Takes what a provider tells, and does what is configured for it",
    .about = "The signature is verified first. What is told is stored once by its id and answered "
             "when it is on disk; a job does the rest.",
    .request = s_hook_request,
    .reply = s_hook_reply,
    .errors = s_hook_errors,
    .access = ACCESS_PUBLIC,
    .idempotent = true,
    .http = { .route = "POST /v1/hooks/{provider}",
              .status = 202,
              .body = "body",
              .headers = "headers" },
};

/* ---- who may ----------------------------------------------------------------------------- */

#define SCHEME_FIELD                                                                               \
    {                                                                                              \
        "scheme", FIELD_STRING, .required = true, .choices = "standard stripe hmac",               \
                                .about = "How it signs: Standard Webhooks, as Stripe does, or "    \
                                         "HMAC-SHA256 of the body in hex"                          \
    }
#define HEADER_FIELD(is)                                                                           \
    {                                                                                              \
        "header", FIELD_STRING, is, .pattern = "^[a-z0-9-]{1,64}$", .preset = "\"x-signature\"",   \
                                    .about = "Of `hmac`: the header that holds the signature, in " \
                                             "lower case"                                          \
    }
#define KIND_FIELD                                                                                 \
    {                                                                                              \
        "kind", FIELD_STRING, .required = true, .pattern = "^[a-z0-9_.-]+\\.[a-z0-9_]+$",          \
                              .max = 127, .example = "\"webhook.billing\"",                        \
                              .about = "The method that a job calls with {provider, id, type, "    \
                                       "body}"                                                     \
    }

static const field_t s_provider[] = {
    PROVIDER_FIELD,
    SCHEME_FIELD,
    HEADER_FIELD(.required = true),
    KIND_FIELD,
    TIME_FIELD("updated_at", "When it was last changed"),
    { 0 },
};

static const field_t s_provider_set_request[] = {
    PROVIDER_FIELD,
    SCHEME_FIELD,
    HEADER_FIELD(.required = false),
    KIND_FIELD,
    { "secrets", FIELD_ARRAY, .required = true, .items = FIELD_STRING, .min = 1,
      .max = WEBHOOK_SECRETS_MAX,
      .about = "What it signs with, all that are good at the moment; stored sealed, never shown" },
    { 0 },
};

const method_t webhook_provider_set = {
    .name = "provider_set",
    .summary = "Says who may tell us something, how they sign, and what is done with it",
    .request = s_provider_set_request,
    .reply = s_provider,
    ADMIN_COMMON,
    .sensitive = true,
    .idempotent = true,
    .http = { .route = "PUT /v1/admin/hooks/{provider}" },
};

static const field_t s_providers_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_provider, .about = "By name" },
    { 0 },
};

const method_t webhook_providers = {
    .name = "providers",
    .summary = "Who may tell us something",
    .reply = s_providers_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/hooks" },
};

static const field_t s_provider_request[] = { PROVIDER_FIELD, { 0 } };

const method_t webhook_provider_delete = {
    .name = "provider_delete",
    .summary = "Lets somebody tell us nothing any more",
    .request = s_provider_request,
    .errors = s_missing,
    ADMIN_COMMON,
    .sensitive = true,
    .http = { .route = "DELETE /v1/admin/hooks/{provider}", .status = 204 },
};

/* ---- subscriptions that are paid for ----------------------------------------------------- */

static const error_code_t s_billing_errors[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE,
                                                 ERROR_NONE };

static const field_t s_billing_request[] = {
    PROVIDER_FIELD,
    { "id", FIELD_STRING, .required = true, .about = "Of the event" },
    { "type", FIELD_STRING, .required = true, .nullable = true, .about = "Of the event" },
    { "body", FIELD_ANY, .required = true, .about = "The event" },
    { 0 },
};

static const field_t s_billing_reply[] = {
    { "result", FIELD_STRING, .required = true, .choices = "set ignored late",
      .about = "`ignored`: it is about something else, or the end of a subscription that does not "
               "hold any more; `late`: something newer is known" },
    { "account", FIELD_STRING, .required = true, .nullable = true, .about = "Whose tier" },
    { "tier", FIELD_STRING, .required = true, .nullable = true, .about = "What it is now" },
    { 0 },
};

const method_t webhook_billing = {
    .name = "billing",
    .summary = "Sets the tier of an account by what happened to its subscription",
    .about = "Reads events as Stripe has them: customer.subscription.created, .updated and "
             ".deleted, with the account in the subscription's metadata.account and the price's "
             "lookup_key or id among `webhook.tiers`.",
    .request = s_billing_request,
    .reply = s_billing_reply,
    .errors = s_billing_errors,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};
