/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_login - the rows of the auth service for signing in and out
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_wrong[] = { ERROR_UNAUTHENTICATED, ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_login_errors[] = { ERROR_UNAUTHENTICATED, ERROR_FORBIDDEN,
                                               ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_code_errors[] = { ERROR_UNAUTHENTICATED, ERROR_RATE_LIMIT_EXCEEDED,
                                              ERROR_UNAVAILABLE, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_register_errors[] = { ERROR_FORBIDDEN, ERROR_CONFLICT,
                                                  ERROR_UNPROCESSABLE, ERROR_OVERLOADED,
                                                  ERROR_NONE };

/* ---- signing in ----------------------------------------------------------------------------- */

#define TOKEN_FIELDS(is)                                                                           \
    { "access_token", FIELD_STRING, .required = (is), .about = "For `Authorization: Bearer`" },    \
        { "token_type", FIELD_STRING, .required = (is), .choices = "Bearer",                       \
          .about = "How the access token is used (RFC 6750)" },                                    \
        { "expires_in",                                                                            \
          FIELD_INTEGER,                                                                           \
          .required = (is),                                                                        \
          .min = 0,                                                                                \
          .max = 86400,                                                                            \
          .example = "600",                                                                        \
          .about = "Seconds the access token is good for" },                                       \
        { "refresh_token", FIELD_STRING, .required = (is),                                         \
          .about = "Good once, for the next pair of tokens" },                                     \
        { "session_id", FIELD_STRING, .required = (is), .format = "uuid",                          \
          .about = "The session the tokens belong to" },                                           \
    {                                                                                              \
        "user", FIELD_OBJECT, .required = (is), .fields = auth_user_fields,                        \
                              .about = "Who signed in"                                             \
    }

static const field_t s_tokens[] = { TOKEN_FIELDS(true), { 0 } };

static const field_t s_registered[] = {
    { "step", FIELD_STRING, .required = true, .choices = "done verify",
      .about = "`done`: the tokens are here; `verify`: they are there for whoever signs in once "
               "the address has been verified" },
    TOKEN_FIELDS(false),
    { 0 },
};

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
    .about = "With an invitation to an account, the user becomes a member of that one. A code is "
             "mailed to the address, to verify it with, unless an invitation was sent there.",
    .request = s_register_request,
    .reply = s_registered,
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

static const field_t s_entered[] = {
    { "step", FIELD_STRING, .required = true, .choices = "done code",
      .about = "`done`: the tokens are here; `code`: show a code and the challenge to "
               "/v1/auth/login/code" },
    { "challenge", FIELD_STRING, .about = "With `code`: good for `expires_in` seconds" },
    TOKEN_FIELDS(false),
    { 0 },
};

const method_t auth_login = {
    .name = "login",
    .summary = "Signs in with address and password",
    .about = "Whether the address is unknown, the password wrong or the user disabled makes no "
             "difference to the answer. Where the user has a second factor, it is a challenge.",
    .request = s_login_request,
    .reply = s_entered,
    .errors = s_login_errors,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/login" },
};

static const field_t s_code_request[] = {
    { "challenge", FIELD_STRING, .required = true, .min = 1, .max = 256,
      .about = "What `login` has answered" },
    { "code", FIELD_STRING, .required = true, .min = 6, .max = 32, .example = "\"287082\"",
      .about = "Of the authenticator app, or a recovery code" },
    { 0 },
};

static const field_t s_code_reply[] = {
    { "step", FIELD_STRING, .required = true, .choices = "done", .about = "The tokens are here" },
    TOKEN_FIELDS(true),
    { 0 },
};

const method_t auth_login_code = {
    .name = "login_code",
    .summary = "Signs in with a code, after address and password",
    .about = "A code works once. Wrong ones are counted by user as well, wherever they come from.",
    .request = s_code_request,
    .reply = s_code_reply,
    .errors = s_code_errors,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/login/code" },
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
    .sensitive = true,
    .http = { .route = "POST /v1/auth/logout-all" },
};

static const field_t s_sessions_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_session_fields,
      .about = "The newest first" },
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
