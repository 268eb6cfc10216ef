/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_admin - the rows of the auth service for administrators
 */
#include "config.h"

#include "proto/auth_fields.h"

#define ADMIN_COMMON .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read"

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_missing_or_unfit[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                                   ERROR_NONE };

/* ---- users ---------------------------------------------------------------------------------- */

static const field_t s_users_request[] = {
    PAGE_LIMIT_FIELD,
    PAGE_CURSOR_FIELD,
    { "account_id", FIELD_STRING, .format = "uuid", .about = "Only users of this account" },
    { "email", FIELD_STRING, .min = 1, .max = 254, .about = "Only the user with this address" },
    { 0 },
};

const method_t auth_users = {
    .name = "users",
    .summary = "All users",
    .request = s_users_request,
    .reply = auth_users_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/users" },
};

const method_t auth_user = {
    .name = "user",
    .summary = "One user",
    .request = auth_id_request,
    .reply = auth_user_fields,
    .errors = s_missing,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/users/{id}" },
};

static const field_t s_user_update_request[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which one" },
    { "role", FIELD_STRING, .choices = AUTH_ROLES, .about = "The new role" },
    { "tier", FIELD_STRING, .choices = AUTH_TIERS, .about = "The new tier of the user's account" },
    { "status", FIELD_STRING, .choices = "active disabled",
      .about = "`disabled` ends all sessions and shuts the user's keys" },
    { "email_verified", FIELD_BOOLEAN,
      .about = "Whether the address is taken for the user's, as if a code had proven it" },
    { "second_factor", FIELD_BOOLEAN,
      .about = "`false` takes the second factor away, for whoever has lost it and all codes" },
    { 0 },
};

const method_t auth_user_update = {
    .name = "user_update",
    .summary = "Changes a user's role, tier or status, or helps who is locked out",
    .about = "Felt at once. Nobody takes away their own rights, so that an administrator remains.",
    .request = s_user_update_request,
    .reply = auth_user_fields,
    .errors = s_missing_or_unfit,
    ADMIN_COMMON,
    .idempotent = true,
    .sensitive = true,
    .http = { .route = "PATCH /v1/admin/users/{id}" },
};

/* ---- invitations ----------------------------------------------------------------------------- */

static const field_t s_invites_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_invite_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t auth_invites = {
    .name = "invites",
    .summary = "All invitations",
    .request = auth_page_request,
    .reply = s_invites_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/invites" },
};

static const field_t s_invite_create_request[] = {
    { "email", FIELD_STRING, .format = "email", .max = 254,
      .about = "Only this address may use it; it is sent there" },
    { "account_id", FIELD_STRING, .format = "uuid",
      .about = "Leads into this account; into a new one when left out" },
    { "role", FIELD_STRING, .choices = AUTH_ROLES, .preset = "\"user\"",
      .about = "The role of whoever uses it" },
    { "tier", FIELD_STRING, .choices = AUTH_TIERS, .preset = "\"free\"",
      .about = "The tier of the new account" },
    { 0 },
};

const method_t auth_invite_create = {
    .name = "invite_create",
    .summary = "Makes an invitation",
    .request = s_invite_create_request,
    .reply = auth_invite_reply,
    .errors = s_unfit,
    ADMIN_COMMON,
    .sensitive = true,
    .http = { .route = "POST /v1/admin/invites", .status = 201 },
};

const method_t auth_invite_delete = {
    .name = "invite_delete",
    .summary = "Takes an invitation back",
    .request = auth_id_request,
    .errors = s_missing,
    ADMIN_COMMON,
    .sensitive = true,
    .http = { .route = "DELETE /v1/admin/invites/{id}", .status = 204 },
};

/* ---- the audit log --------------------------------------------------------------------------- */

static const field_t s_audit_request[] = {
    PAGE_LIMIT_FIELD,
    { "before", FIELD_INTEGER, .min = 1, .max = 9007199254740991,
      .about = "Only entries before this one; `next_before` of the page before" },
    { "user_id", FIELD_STRING, .format = "uuid", .about = "Only what this user did" },
    { "action", FIELD_STRING, .min = 1, .max = 64, .example = "\"user.login\"",
      .about = "Only this action" },
    { 0 },
};

static const field_t s_audit_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_entry_fields,
      .about = "The newest first" },
    { "next_before", FIELD_INTEGER, .required = true, .nullable = true,
      .about = "Where the next page begins; null on the last one" },
    { 0 },
};

const method_t auth_audit = {
    .name = "audit",
    .summary = "What was done, by whom",
    .request = s_audit_request,
    .reply = s_audit_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/audit" },
};

/* ---- feature flags --------------------------------------------------------------------------- */

#define FLAG_NAME_FIELD                                                                            \
    {                                                                                              \
        "name", FIELD_STRING, .required = true, .pattern = "^[a-z][a-z0-9_.-]{0,63}$",             \
                              .example = "\"new-console\"", .about = "Which one"                   \
    }
#define FLAG_FIELDS(is)                                                                            \
    FLAG_NAME_FIELD,                                                                               \
        { "about", FIELD_STRING, is, .max = 200, .preset = "\"\"", .about = "What it switches" },  \
        { "enabled", FIELD_BOOLEAN, .required = true, .about = "Off is off for everybody" },       \
        { "tiers",                                                                                 \
          FIELD_ARRAY,                                                                             \
          is,                                                                                      \
          .max = 3,                                                                                \
          .items = FIELD_STRING,                                                                   \
          .preset = "[]",                                                                          \
          .about = "Tiers it is on for" },                                                         \
        { "accounts",                                                                              \
          FIELD_ARRAY,                                                                             \
          is,                                                                                      \
          .max = 100,                                                                              \
          .items = FIELD_STRING,                                                                   \
          .preset = "[]",                                                                          \
          .about = "Accounts it is on for" },                                                      \
    {                                                                                              \
        "percentage", FIELD_INTEGER, is, .min = 0, .max = 100, .preset = "0",                      \
                                         .about = "Share of the other accounts it is on for"       \
    }

static const field_t s_flag_name_request[] = { FLAG_NAME_FIELD, { 0 } };
static const field_t s_flag_set_request[] = { FLAG_FIELDS(.required = false), { 0 } };
static const field_t s_flag[] = { FLAG_FIELDS(.required = true),
                                  TIME_FIELD("updated_at", "When it was last changed"),
                                  { 0 } };
static const field_t s_flags_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_flag, .about = "By name" },
    { 0 },
};

const method_t auth_flags = {
    .name = "flags",
    .summary = "All feature flags",
    .reply = s_flags_reply,
    ADMIN_COMMON,
    .idempotent = true,
    .http = { .route = "GET /v1/admin/flags" },
};

const method_t auth_flag_set = {
    .name = "flag_set",
    .summary = "Makes or changes a feature flag",
    .request = s_flag_set_request,
    .reply = s_flag,
    .errors = s_unfit,
    ADMIN_COMMON,
    .idempotent = true,
    .sensitive = true,
    .http = { .route = "PUT /v1/admin/flags/{name}" },
};

const method_t auth_flag_delete = {
    .name = "flag_delete",
    .summary = "Removes a feature flag",
    .request = s_flag_name_request,
    .errors = s_missing,
    ADMIN_COMMON,
    .sensitive = true,
    .http = { .route = "DELETE /v1/admin/flags/{name}", .status = 204 },
};

/* ---- signing keys ---------------------------------------------------------------------------- */

static const field_t s_rotate_reply[] = {
    { "kid", FIELD_STRING, .required = true, .about = "The new key" },
    TIME_FIELD("signs_from", "When tokens begin to be signed with it"),
    { 0 },
};

const method_t auth_rotate = {
    .name = "rotate",
    .summary = "Makes the next key that access tokens are signed with",
    .about = "It is published first and signed with later; the old one is kept until the last "
             "token signed with it has expired.",
    .reply = s_rotate_reply,
    ADMIN_COMMON,
    .sensitive = true,
    .http = { .route = "POST /v1/admin/signing-keys/rotate", .status = 201 },
};
