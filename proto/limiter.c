/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter - the rows of the service that counts who has used how much
 *
 * `take` is not idempotent: the same message twice counts twice.
 */
#include "config.h"

#include "proto/limiter.h"

#define NAME_PATTERN "^[a-z][a-z0-9._-]{0,63}$"
#define ALGORITHMS   "window gcra"

#define TAKE_DEADLINE_MS  1000
#define ADMIN_DEADLINE_MS 5000

static const error_code_t s_unknown[] = { ERROR_NOT_FOUND, ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_UNAVAILABLE, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE, ERROR_NONE };

/* ---- fields that several messages have ------------------------------------------------------ */

#define SUBJECT_FIELD                                                                              \
    {                                                                                              \
        "subject", FIELD_STRING, .required = true, .min = 1, .max = LIMITER_SUBJECT_LENGTH,        \
                                 .example = "\"account:acme\"", .about = "Who is counted"          \
    }
#define POLICIES_FIELD                                                                             \
    {                                                                                              \
        "policies", FIELD_ARRAY,                                                                   \
            .required = true, .items = FIELD_STRING, .min = 1, .max = LIMITER_TAKE_POLICIES,       \
            .example = "[\"pro\", \"pro.analysis\"]", .about = "Names of the policies that apply"  \
    }
#define COST_FIELD                                                                                 \
    {                                                                                              \
        "cost", FIELD_INTEGER, .preset = "1", .min = 1, .max = LIMITER_COST_MAX,                   \
                               .about = "How much is used"                                         \
    }
#define NAME_FIELD                                                                                 \
    {                                                                                              \
        "name", FIELD_STRING, .required = true, .pattern = NAME_PATTERN, .example = "\"pro\"",     \
                              .about = "The policy's name"                                         \
    }
#define LIMIT_FIELD                                                                                \
    {                                                                                              \
        "limit", FIELD_INTEGER, .required = true, .min = 1, .max = LIMITER_LIMIT_MAX,              \
                                .example = "100", .about = "How much is allowed in a window"       \
    }
#define WINDOW_FIELD                                                                               \
    {                                                                                              \
        "window_ms", FIELD_INTEGER, .required = true, .min = 1, .max = LIMITER_WINDOW_MS_MAX,      \
                                    .example = "60000", .about = "Length of the window"            \
    }
#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991, .about = (text) \
    }

/* ---- counting ------------------------------------------------------------------------------- */

static const field_t s_take_request[] = {
    SUBJECT_FIELD,
    POLICIES_FIELD,
    COST_FIELD,
    { "lease", FIELD_INTEGER, .preset = "0", .max = LIMITER_LEASE_MAX,
      .about = "How much more the caller would like to hold, to use it without asking" },
    { 0 },
};

static const field_t s_peek_request[] = { SUBJECT_FIELD, POLICIES_FIELD, COST_FIELD, { 0 } };

static const field_t s_standing[] = {
    NAME_FIELD,
    LIMIT_FIELD,
    WINDOW_FIELD,
    { "remaining", FIELD_INTEGER, .required = true, .min = 0, .max = LIMITER_LIMIT_MAX,
      .about = "How much may still be used now" },
    TIME_FIELD("reset_at_ms", "When everything is free again, if nothing more is used"),
    { 0 },
};

static const field_t s_lease[] = {
    { "count", FIELD_INTEGER, .required = true, .min = 0, .max = LIMITER_LEASE_MAX,
      .about = "How much the caller holds now; it counts as used" },
    TIME_FIELD("until_ms", "From when on what is left of it may not be used any more; 0 without a "
                           "lease"),
    { 0 },
};

#define STANDING_FIELDS                                                                            \
    { "allowed", FIELD_BOOLEAN, .required = true, .about = "Whether all policies allow it" },      \
        { "refused_by", FIELD_STRING, .required = true, .nullable = true,                          \
          .about = "The policy that refuses it longest" },                                         \
        TIME_FIELD("at_ms", "When it was counted; what `refund` asks for"),                        \
        TIME_FIELD("retry_at_ms", "When the same would be allowed, if nothing else is used; 0 "    \
                                  "when it is allowed"),                                           \
    {                                                                                              \
        "policies", FIELD_ARRAY, .required = true, .fields = s_standing,                           \
                                 .about = "How each policy stands afterwards, in the order asked"  \
    }

static const field_t s_peek_reply[] = { STANDING_FIELDS, { 0 } };

static const field_t s_take_reply[] = {
    STANDING_FIELDS,
    { "lease", FIELD_OBJECT, .required = true, .fields = s_lease, .about = "What was lent" },
    { 0 },
};

const method_t limiter_take = {
    .name = "take",
    .summary = "Counts a use under several policies: all of them, or none",
    .about = "Times are milliseconds since 1970. A policy of the kind gcra lends nothing.",
    .request = s_take_request,
    .reply = s_take_reply,
    .errors = s_unknown,
    .access = ACCESS_INTERNAL,
    .deadline_ms = TAKE_DEADLINE_MS,
};

const method_t limiter_peek = {
    .name = "peek",
    .summary = "What `take` would answer, without counting anything",
    .request = s_peek_request,
    .reply = s_peek_reply,
    .errors = s_unknown,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = TAKE_DEADLINE_MS,
};

static const field_t s_refund_request[] = {
    SUBJECT_FIELD,
    POLICIES_FIELD,
    COST_FIELD,
    TIME_FIELD("at_ms", "`at_ms` of the answer to the take; for what is left of a lease its "
                        "`until_ms`"),
    { 0 },
};

static const field_t s_refund_reply[] = {
    { "refunded", FIELD_INTEGER, .required = true, .min = 0, .max = LIMITER_COST_MAX,
      .about = "How much was given back under every one of the policies" },
    { 0 },
};

const method_t limiter_refund = {
    .name = "refund",
    .summary = "Gives back what was taken and not used",
    .about = "Only what still counts at that moment can be given back: what has left the window is "
             "free already.",
    .request = s_refund_request,
    .reply = s_refund_reply,
    .errors = s_unknown,
    .access = ACCESS_INTERNAL,
    .deadline_ms = TAKE_DEADLINE_MS,
};

/* ---- administration ------------------------------------------------------------------------- */

#define ADMIN .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read"

static const field_t s_top_request[] = {
    { "limit", FIELD_INTEGER, .preset = "20", .min = 1, .max = LIMITER_TOP_MAX,
      .about = "How many" },
    { 0 },
};

static const field_t s_hot[] = {
    { "subject", FIELD_STRING, .required = true, .about = "Who" },
    { "count", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "How much it asked for lately; never less than it did" },
    { "error", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "By how much `count` may be too high" },
    { "refused", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "How much of it was refused since the subject is watched" },
    { 0 },
};

static const field_t s_top_reply[] = {
    { "instance", FIELD_STRING, .required = true, .about = "Whose subjects these are" },
    { "items", FIELD_ARRAY, .required = true, .fields = s_hot, .about = "The busiest first" },
    { 0 },
};

const method_t limiter_top = {
    .name = "top",
    .summary = "The busiest subjects of one instance",
    .about = "What counts fades by half each minute.",
    .request = s_top_request,
    .reply = s_top_reply,
    ADMIN,
    .idempotent = true,
    .deadline_ms = ADMIN_DEADLINE_MS,
    .http = { .route = "GET /v1/admin/limits/top" },
};

#define POLICY_FIELDS                                                                              \
    NAME_FIELD, LIMIT_FIELD, WINDOW_FIELD,                                                         \
        { "algorithm",                                                                             \
          FIELD_STRING,                                                                            \
          .required = true,                                                                        \
          .choices = ALGORITHMS,                                                                   \
          .example = "\"window\"",                                                                 \
          .about = "window: never more than `limit` in any window. gcra: an even rate of `limit` " \
                   "a window, and `burst` at once" },                                              \
    {                                                                                              \
        "burst", FIELD_INTEGER, .required = true, .min = 0, .max = LIMITER_LIMIT_MAX,              \
                                .example = "0", .about = "Of gcra: how much at once; else 0"       \
    }

static const field_t s_policy[] = { POLICY_FIELDS, { 0 } };

static const field_t s_policies_reply[] = {
    { "version", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "Grows with every change" },
    { "policies", FIELD_ARRAY, .required = true, .fields = s_policy, .about = "By name" },
    { 0 },
};

const method_t limiter_policies = {
    .name = "policies",
    .summary = "The policies in force",
    .reply = s_policies_reply,
    ADMIN,
    .idempotent = true,
    .deadline_ms = ADMIN_DEADLINE_MS,
    .http = { .route = "GET /v1/admin/limits" },
};

static const field_t s_policy_set_request[] = {
    NAME_FIELD,
    LIMIT_FIELD,
    WINDOW_FIELD,
    { "algorithm", FIELD_STRING, .preset = "\"window\"", .choices = ALGORITHMS,
      .about = "How it counts; see `policies`" },
    { "burst", FIELD_INTEGER, .preset = "0", .max = LIMITER_LIMIT_MAX,
      .about = "Of gcra: how much at once, at least 1" },
    { 0 },
};

const method_t limiter_policy_set = {
    .name = "policy_set",
    .summary = "Adds or changes a policy",
    .about = "It holds at once, on every instance within a second. What has been used stays "
             "counted.",
    .request = s_policy_set_request,
    .reply = s_policy,
    .errors = s_unfit,
    ADMIN,
    .idempotent = true,
    .deadline_ms = ADMIN_DEADLINE_MS,
    .sensitive = true,
    .http = { .route = "PUT /v1/admin/limits/{name}" },
};

static const field_t s_policy_delete_request[] = { NAME_FIELD, { 0 } };

const method_t limiter_policy_delete = {
    .name = "policy_delete",
    .summary = "Deletes a policy",
    .about = "Whoever names it afterwards is answered NOT_FOUND.",
    .request = s_policy_delete_request,
    .errors = s_missing,
    ADMIN,
    .deadline_ms = ADMIN_DEADLINE_MS,
    .sensitive = true,
    .http = { .route = "DELETE /v1/admin/limits/{name}", .status = 204 },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t limiter_service = {
    .name = "limiter",
    .version = "1.0.0",
    .about = "Counts who has used how much, exactly, and says who may not use more",
    .methods = (const method_t *const[]){ &limiter_take, &limiter_peek, &limiter_refund,
                                          &limiter_top, &limiter_policies, &limiter_policy_set,
                                          &limiter_policy_delete, NULL },
};
