/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_account - the rows of the auth service for users about themselves: profile, account, API
 * keys
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
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

static const field_t s_account[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The account" },
    { "name", FIELD_STRING, .required = true, .about = "What it is called" },
    { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS, .about = "Its tier" },
    TIME_FIELD("created_at", "When it was made"),
    { 0 },
};

const method_t auth_account = {
    .name = "account",
    .summary = "The account of the user who calls",
    .reply = s_account,
    READ_COMMON,
    .http = { .route = "GET /v1/account" },
};

const method_t auth_account_update = {
    .name = "account_update",
    .summary = "Changes the account's name",
    .request = s_name_request,
    .reply = s_account,
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
