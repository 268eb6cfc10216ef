/* SPDX-License-Identifier: MPL-2.0
 *
 * auth - the rows of the service that knows who somebody is: what anybody and what users may call
 *
 * The rows of administrators and of other parts of the system stand in auth_admin.c.
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_wrong[] = { ERROR_UNAUTHENTICATED, ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_register_errors[] = { ERROR_FORBIDDEN, ERROR_CONFLICT,
                                                  ERROR_UNPROCESSABLE, ERROR_OVERLOADED,
                                                  ERROR_NONE };
static const error_code_t s_password_errors[] = { ERROR_UNAUTHENTICATED, ERROR_UNPROCESSABLE,
                                                  ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_reset_errors[] = { ERROR_UNPROCESSABLE, ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_member_errors[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE, ERROR_NONE };

#define PUBLIC_COMMON  .access = ACCESS_PUBLIC, .rate = "auth.failures", .deadline_ms = 10000
#define READ_COMMON    .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000
#define ACCOUNT_COMMON .access = ACCESS_USER, .scope = "account", .rate = "read"

/* ---- signing in ----------------------------------------------------------------------------- */

#define TOKEN_FIELDS                                                                               \
    { "access_token", FIELD_STRING, .required = true, .about = "For `Authorization: Bearer`" },    \
        { "token_type", FIELD_STRING, .required = true, .choices = "Bearer",                       \
          .about = "How the access token is used (RFC 6750)" },                                    \
        { "expires_in",                                                                            \
          FIELD_INTEGER,                                                                           \
          .required = true,                                                                        \
          .min = 0,                                                                                \
          .max = 86400,                                                                            \
          .example = "600",                                                                        \
          .about = "Seconds the access token is good for" },                                       \
        { "refresh_token", FIELD_STRING, .required = true,                                         \
          .about = "Good once, for the next pair of tokens" },                                     \
        { "session_id", FIELD_STRING, .required = true, .format = "uuid",                          \
          .about = "The session the tokens belong to" },                                           \
    {                                                                                              \
        "user", FIELD_OBJECT, .required = true, .fields = auth_user_fields,                        \
                              .about = "Who signed in"                                             \
    }

static const field_t s_tokens[] = { TOKEN_FIELDS, { 0 } };

static const field_t s_register_request[] = {
    EMAIL_FIELD("The address to sign in with"),
    PASSWORD_FIELD("password", "A long one; spaces and any characters are fine"),
    NAME_FIELD(.preset = NULL, "How to address the user; the part before the @ when left out"),
    { "invite", FIELD_STRING, .min = 1, .max = 128,
      .about = "The code of an invitation; needed where registration is by invitation" },
    { 0 },
};

const method_t auth_register = {
    .name = "register",
    .summary = "Makes a user with an account and signs in",
    .about = "With an invitation to an account, the user becomes a member of that one.",
    .request = s_register_request,
    .reply = s_tokens,
    .errors = s_register_errors,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/register", .status = 201, .location = "/v1/me" },
};

static const field_t s_login_request[] = {
    EMAIL_FIELD("The address"),
    { "password", FIELD_STRING, .required = true, .min = 1, .max = AUTH_PASSWORD_BYTES,
      .about = "The password" },
    { 0 },
};

const method_t auth_login = {
    .name = "login",
    .summary = "Signs in with address and password",
    .about = "Whether the address is unknown, the password wrong or the user disabled makes no "
             "difference to the answer.",
    .request = s_login_request,
    .reply = s_tokens,
    .errors = s_wrong,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/login" },
};

static const field_t s_refresh_request[] = {
    { "refresh_token", FIELD_STRING, .required = true, .min = 1, .max = 128,
      .about = "The newest one" },
    { 0 },
};

const method_t auth_refresh = {
    .name = "refresh",
    .summary = "Exchanges a refresh token for the next pair of tokens",
    .about = "A token is good once. Using it again ends the session, since one of two who have it "
             "is a thief; only within ten seconds, and while the next one has not been used, it is "
             "taken for a retry and answered with the same next token.",
    .request = s_refresh_request,
    .reply = s_tokens,
    .errors = s_wrong,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/refresh" },
};

const method_t auth_logout = {
    .name = "logout",
    .summary = "Ends the session of a refresh token",
    .request = s_refresh_request,
    PUBLIC_COMMON,
    .idempotent = true,
    .http = { .route = "POST /v1/auth/logout", .status = 204 },
};

static const field_t s_count_reply[] = {
    { "ended", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "How many sessions were ended" },
    { 0 },
};

const method_t auth_logout_all = {
    .name = "logout_all",
    .summary = "Ends all sessions of the user",
    .reply = s_count_reply,
    ACCOUNT_COMMON,
    .http = { .route = "POST /v1/auth/logout-all" },
};

static const field_t s_session[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The session" },
    { "current", FIELD_BOOLEAN, .required = true, .about = "Whether it is the caller's own" },
    TIME_FIELD("created_at", "When the user signed in"),
    TIME_FIELD("last_used_at", "When its tokens were last renewed"),
    TIME_FIELD("expires_at", "When it ends unless its tokens are renewed before"),
    { "address", FIELD_STRING, .required = true, .nullable = true,
      .about = "Where the user signed in from; null when it is not known" },
    { 0 },
};

static const field_t s_sessions_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_session, .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t auth_sessions = {
    .name = "sessions",
    .summary = "The sessions of the user",
    .request = auth_page_request,
    .reply = s_sessions_reply,
    READ_COMMON,
    .scope = "account",
    .http = { .route = "GET /v1/auth/sessions" },
};

const method_t auth_session_delete = {
    .name = "session_delete",
    .summary = "Ends a session",
    .request = auth_id_request,
    .errors = s_missing,
    ACCOUNT_COMMON,
    .http = { .route = "DELETE /v1/auth/sessions/{id}", .status = 204 },
};

/* ---- passwords ------------------------------------------------------------------------------ */

static const field_t s_password_change_request[] = {
    { "current", FIELD_STRING, .required = true, .min = 1, .max = AUTH_PASSWORD_BYTES,
      .about = "The present password" },
    PASSWORD_FIELD("new", "The next one"),
    { 0 },
};

const method_t auth_password_change = {
    .name = "password_change",
    .summary = "Changes the password and ends all other sessions",
    .request = s_password_change_request,
    .errors = s_password_errors,
    .access = ACCESS_USER,
    .scope = "account",
    .rate = "auth.failures",
    .http = { .route = "POST /v1/auth/password", .status = 204 },
};

static const field_t s_forgot_request[] = { EMAIL_FIELD("The user's address"), { 0 } };

const method_t auth_password_forgot = {
    .name = "password_forgot",
    .summary = "Sends a code to set a new password with",
    .about = "The answer does not tell whether the address is known.",
    .request = s_forgot_request,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/password/forgot", .status = 202 },
};

static const field_t s_reset_request[] = {
    { "token", FIELD_STRING, .required = true, .min = 1, .max = 128,
      .about = "The code from the mail" },
    PASSWORD_FIELD("password", "The new password"),
    { 0 },
};

const method_t auth_password_reset = {
    .name = "password_reset",
    .summary = "Sets a new password and ends all sessions",
    .request = s_reset_request,
    .errors = s_reset_errors,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/password/reset", .status = 204 },
};

/* ---- keys that tokens are verified with ------------------------------------------------------ */

static const field_t s_jwk[] = {
    { "kty", FIELD_STRING, .required = true, .choices = "OKP", .about = "Type (RFC 8037)" },
    { "crv", FIELD_STRING, .required = true, .choices = "Ed25519", .about = "Curve" },
    { "alg", FIELD_STRING, .required = true, .choices = "EdDSA", .about = "Algorithm" },
    { "use", FIELD_STRING, .required = true, .choices = "sig", .about = "For signatures" },
    { "kid", FIELD_STRING, .required = true, .about = "Its name in the headers of tokens" },
    { "x", FIELD_STRING, .required = true, .about = "The public key, base64url" },
    { 0 },
};

static const field_t s_jwks_reply[] = {
    { "keys", FIELD_ARRAY, .required = true, .fields = s_jwk,
      .about = "Keys in use, about to be used, and used lately" },
    { 0 },
};

const method_t auth_jwks = {
    .name = "jwks",
    .summary = "The keys that access tokens are verified with (RFC 7517)",
    .reply = s_jwks_reply,
    .access = ACCESS_PUBLIC,
    .rate = "read",
    .idempotent = true,
    .http = { .route = "GET /v1/auth/jwks" },
};

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

static const field_t s_users_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_user_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const method_t auth_members = {
    .name = "members",
    .summary = "The users of the account",
    .request = auth_page_request,
    .reply = s_users_reply,
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
    .http = { .route = "POST /v1/keys", .status = 201 },
};

const method_t auth_key_delete = {
    .name = "key_delete",
    .summary = "Revokes an API key",
    .request = auth_id_request,
    .errors = s_missing,
    ACCOUNT_COMMON,
    .http = { .route = "DELETE /v1/keys/{id}", .status = 204 },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t auth_service = {
    .name = "auth",
    .version = "1.0.0",
    .about = "Users, accounts, sessions, API keys, invitations, the audit log and feature flags",
    .methods = (const method_t *const[]){ &auth_register,
                                          &auth_login,
                                          &auth_refresh,
                                          &auth_logout,
                                          &auth_logout_all,
                                          &auth_sessions,
                                          &auth_session_delete,
                                          &auth_password_change,
                                          &auth_password_forgot,
                                          &auth_password_reset,
                                          &auth_jwks,
                                          &auth_me,
                                          &auth_me_update,
                                          &auth_account,
                                          &auth_account_update,
                                          &auth_members,
                                          &auth_member_delete,
                                          &auth_account_invite,
                                          &auth_keys,
                                          &auth_key_create,
                                          &auth_key_delete,
                                          &auth_users,
                                          &auth_user,
                                          &auth_user_update,
                                          &auth_invites,
                                          &auth_invite_create,
                                          &auth_invite_delete,
                                          &auth_audit,
                                          &auth_flags,
                                          &auth_flag_set,
                                          &auth_flag_delete,
                                          &auth_rotate,
                                          &auth_identify,
                                          &auth_account_tier,
                                          &auth_key_issue,
                                          &auth_key_revoke,
                                          &auth_reset_issue,
                                          &auth_audit_verify,
                                          NULL },
};
