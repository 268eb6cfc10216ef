/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_account - the rows of the auth service for users about themselves: profile, account, API
 * keys
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_erase_errors[] = { ERROR_UNAUTHENTICATED,     ERROR_UNPROCESSABLE,
                                               ERROR_RATE_LIMIT_EXCEEDED, ERROR_OVERLOADED,
                                               ERROR_UNAVAILABLE,         ERROR_NONE };
static const error_code_t s_member_errors[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE, ERROR_NONE };

/* ---- the user and the account ---------------------------------------------------------------- */

const method_t auth_me = {
    .name = "me",
    .summary = "The user who calls",
    .reply = auth_user_fields,
    READ_COMMON,
    .http = { .route = "GET /v1/me" },
};

static const field_t s_name_request[] = { NAME_FIELD(.required = true, "The new name"), { 0 } };

const method_t auth_me_update = {
    .name = "me_update",
    .summary = "Changes the user's name",
    .request = s_name_request,
    .reply = auth_user_fields,
    ACCOUNT_COMMON,
    .idempotent = true,
    .http = { .route = "PATCH /v1/me" },
};

const method_t auth_account = {
    .name = "account",
    .summary = "The account of the user who calls",
    .reply = auth_account_fields,
    READ_COMMON,
    .http = { .route = "GET /v1/account" },
};

const method_t auth_account_update = {
    .name = "account_update",
    .summary = "Changes the account's name",
    .request = s_name_request,
    .reply = auth_account_fields,
    ACCOUNT_COMMON,
    .role = "owner",
    .idempotent = true,
    .http = { .route = "PATCH /v1/account" },
};

const method_t auth_members = {
    .name = "members",
    .summary = "The users of the account",
    .request = auth_page_request,
    .reply = auth_users_reply,
    READ_COMMON,
    .scope = "account",
    .http = { .route = "GET /v1/account/members" },
};

const method_t auth_member_delete = {
    .name = "member_delete",
    .summary = "Shuts a user out of the account",
    .about = "The user is disabled; sessions and keys end at once. The last owner stays.",
    .request = auth_id_request,
    .errors = s_member_errors,
    ACCOUNT_COMMON,
    .role = "owner",
    .sensitive = true,
    .http = { .route = "DELETE /v1/account/members/{id}", .status = 204 },
};

static const field_t s_account_invite_request[] = {
    { "email", FIELD_STRING, .format = "email", .max = 254,
      .about = "Only this address may use it; it is sent there" },
    { 0 },
};

const method_t auth_account_invite = {
    .name = "account_invite",
    .summary = "Invites somebody into the account",
    .request = s_account_invite_request,
    .reply = auth_invite_reply,
    ACCOUNT_COMMON,
    .role = "owner",
    .sensitive = true,
    .http = { .route = "POST /v1/account/invites", .status = 201 },
};

/* ---- API keys -------------------------------------------------------------------------------- */

static const field_t s_keys_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_key_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t auth_keys = {
    .name = "keys",
    .summary = "The user's API keys",
    .request = auth_page_request,
    .reply = s_keys_reply,
    READ_COMMON,
    .scope = "account",
    .http = { .route = "GET /v1/keys" },
};

static const field_t s_key_create_request[] = { KEY_FIELDS, { 0 } };

const method_t auth_key_create = {
    .name = "key_create",
    .summary = "Makes an API key",
    .about = "The key itself is shown once: only its hash is kept. A key has at most the scopes of "
             "whoever makes it.",
    .request = s_key_create_request,
    .reply = auth_new_key_fields,
    .errors = s_unfit,
    ACCOUNT_COMMON,
    .sensitive = true,
    .http = { .route = "POST /v1/keys", .status = 201 },
};

const method_t auth_key_delete = {
    .name = "key_delete",
    .summary = "Revokes an API key",
    .request = auth_id_request,
    .errors = s_missing,
    ACCOUNT_COMMON,
    .sensitive = true,
    .http = { .route = "DELETE /v1/keys/{id}", .status = 204 },
};

/* ---- what is stored of somebody -------------------------------------------------------------- */

#define EXPORTED(list, rows, text)                                                                 \
    {                                                                                              \
        list, FIELD_OBJECT, .required = true, .fields = (rows), .about = (text)                    \
    }
#define EXPORTED_FIELDS(of)                                                                        \
    {                                                                                              \
        { "items", FIELD_ARRAY, .required = true, .fields = (of), .about = "The newest first" },   \
            { "more", FIELD_BOOLEAN, .required = true,                                             \
              .about = "Whether there are older ones, which are not shown" },                      \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static const field_t s_exported_sessions[] = EXPORTED_FIELDS(auth_session_fields);
static const field_t s_exported_keys[] = EXPORTED_FIELDS(auth_key_fields);
static const field_t s_exported_entries[] = EXPORTED_FIELDS(auth_entry_fields);

static const field_t s_export_reply[] = {
    EXPORTED("user", auth_user_fields, "The user"),
    EXPORTED("account", auth_account_fields, "The account the user belongs to"),
    EXPORTED("sessions", s_exported_sessions, "Sessions that last"),
    EXPORTED("keys", s_exported_keys, "API keys"),
    EXPORTED("audit", s_exported_entries, "What the user did"),
    { 0 },
};

const method_t auth_export = {
    .name = "export",
    .summary = "What is stored of the user here",
    .about = "Other services tell what they hold by their own methods.",
    .reply = s_export_reply,
    ACCOUNT_COMMON,
    .cost = 10,
    .idempotent = true,
    .http = { .route = "GET /v1/me/export" },
};

static const field_t s_erase_request[] = {
    OWN_PASSWORD_FIELD,
    { "code", FIELD_STRING, .min = 6, .max = 32, .example = "\"287082\"",
      .about = "Of the second factor, where the user has one" },
    { 0 },
};

const method_t auth_me_erase = {
    .name = "me_erase",
    .summary = "Erases the user",
    .about = "For ever, at once, with sessions and keys. The audit log keeps an id that leads to "
             "nobody. What belongs to the account stays; the last owner erases the account.",
    .request = s_erase_request,
    .errors = s_erase_errors,
    SECRET_COMMON,
    .http = { .route = "POST /v1/me/erase", .status = 204 },
};

const method_t auth_account_erase = {
    .name = "account_erase",
    .summary = "Erases the account with all its users",
    .about = "For ever, at once; other services delete what they hold of it when they hear of it, "
             "which is within a minute of their being there.",
    .request = s_erase_request,
    .errors = s_erase_errors,
    SECRET_COMMON,
    .role = "owner",
    .http = { .route = "POST /v1/account/erase", .status = 204 },
};
