/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_password - the rows of the auth service for passwords and addresses
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_password_errors[] = { ERROR_UNAUTHENTICATED, ERROR_UNPROCESSABLE,
                                                  ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_verify_errors[] = { ERROR_UNPROCESSABLE, ERROR_CONFLICT, ERROR_NONE };
static const error_code_t s_email_errors[] = { ERROR_UNAUTHENTICATED, ERROR_OVERLOADED,
                                               ERROR_NONE };
static const error_code_t s_begin_errors[] = { ERROR_UNAUTHENTICATED, ERROR_CONFLICT,
                                               ERROR_OVERLOADED, ERROR_NONE };
static const error_code_t s_confirm_errors[] = { ERROR_NOT_FOUND, ERROR_CONFLICT,
                                                 ERROR_UNPROCESSABLE, ERROR_NONE };
static const error_code_t s_end_errors[] = { ERROR_UNAUTHENTICATED,     ERROR_NOT_FOUND,
                                             ERROR_RATE_LIMIT_EXCEEDED, ERROR_OVERLOADED,
                                             ERROR_UNAVAILABLE,         ERROR_NONE };
static const error_code_t s_reset_errors[] = { ERROR_UNPROCESSABLE, ERROR_OVERLOADED, ERROR_NONE };

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
    SECRET_COMMON,
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

/* ---- addresses ------------------------------------------------------------------------------- */

static const field_t s_verify_request[] = {
    { "token", FIELD_STRING, .required = true, .min = 1, .max = 128,
      .about = "The code from the mail" },
    { 0 },
};

const method_t auth_verify = {
    .name = "verify",
    .summary = "Proves an address by the code that was mailed there",
    .about = "When it is a new address of the user, it takes the place of the old one now.",
    .request = s_verify_request,
    .errors = s_verify_errors,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/verify", .status = 204 },
};

const method_t auth_verify_resend = {
    .name = "verify_resend",
    .summary = "Sends another code to verify an address with",
    .about = "The answer does not tell whether the address is known, or verified already.",
    .request = s_forgot_request,
    PUBLIC_COMMON,
    .http = { .route = "POST /v1/auth/verify/resend", .status = 202 },
};

static const field_t s_email_change_request[] = {
    EMAIL_FIELD("The new address"),
    OWN_PASSWORD_FIELD,
    { 0 },
};

const method_t auth_email_change = {
    .name = "email_change",
    .summary = "Sends a code to a new address of the user",
    .about = "The old address stays until the code is shown to `verify`.",
    .request = s_email_change_request,
    .errors = s_email_errors,
    SECRET_COMMON,
    .http = { .route = "POST /v1/me/email", .status = 202 },
};

/* ---- the second factor ----------------------------------------------------------------------- */

#define CODE_FIELD(most, text)                                                                     \
    {                                                                                              \
        "code", FIELD_STRING, .required = true, .min = 6, .max = (most), .example = "\"287082\"",  \
                              .about = (text)                                                      \
    }

static const field_t s_totp_begin_request[] = { OWN_PASSWORD_FIELD, { 0 } };

static const field_t s_totp_begin_reply[] = {
    { "secret", FIELD_STRING, .required = true, .about = "To type into the app, in base32" },
    { "uri", FIELD_STRING, .required = true,
      .about = "The same for the app to read as a picture (otpauth://)" },
    { 0 },
};

const method_t auth_totp_begin = {
    .name = "totp_begin",
    .summary = "Makes the secret of a second factor (RFC 6238)",
    .about = "Nobody is asked for codes until a first one has been shown to `totp_confirm`.",
    .request = s_totp_begin_request,
    .reply = s_totp_begin_reply,
    .errors = s_begin_errors,
    SECRET_COMMON,
    .http = { .route = "POST /v1/me/totp", .status = 201 },
};

static const field_t s_totp_confirm_request[] = {
    CODE_FIELD(6, "What the app shows now"),
    { 0 },
};

static const field_t s_totp_confirm_reply[] = {
    { "recovery_codes", FIELD_ARRAY, .required = true, .items = FIELD_STRING,
      .about = "Each stands once for a code of the app, for when it is lost; shown this once" },
    { 0 },
};

const method_t auth_totp_confirm = {
    .name = "totp_confirm",
    .summary = "Begins to ask for codes when signing in",
    .request = s_totp_confirm_request,
    .reply = s_totp_confirm_reply,
    .errors = s_confirm_errors,
    SECRET_COMMON,
    .http = { .route = "POST /v1/me/totp/confirm" },
};

static const field_t s_totp_end_request[] = {
    OWN_PASSWORD_FIELD,
    CODE_FIELD(32, "Of the app, or a recovery code"),
    { 0 },
};

const method_t auth_totp_end = {
    .name = "totp_end",
    .summary = "Gives the second factor up",
    .request = s_totp_end_request,
    .errors = s_end_errors,
    SECRET_COMMON,
    .http = { .route = "POST /v1/me/totp/end", .status = 204 },
};
