/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_password - the rows of the auth service for passwords and addresses
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_password_errors[] = { ERROR_UNAUTHENTICATED, ERROR_UNPROCESSABLE,
                                                  ERROR_OVERLOADED, ERROR_NONE };
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
    .access = ACCESS_USER,
    .scope = "account",
    .rate = "auth.failures",
    .sensitive = true,
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
