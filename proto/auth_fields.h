/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_fields - fields that several messages of the auth service have; private to auth*.c
 */
#ifndef SIGNALBOX_PROTO_AUTH_FIELDS_H
#define SIGNALBOX_PROTO_AUTH_FIELDS_H

#include "proto/auth.h"
#include "proto/page.h"

#define EMAIL_FIELD(text)                                                                          \
    {                                                                                              \
        "email", FIELD_STRING, .required = true, .format = "email", .max = 254,                    \
                               .example = "\"ada@example.dev\"", .about = (text)                   \
    }
#define PASSWORD_FIELD(field, text)                                                                \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .min = 8, .max = 256,                               \
                             .example = "\"correct horse battery staple\"", .about = (text)        \
    }
/* `is` says whether it is required. */
#define NAME_FIELD(is, text)                                                                       \
    {                                                                                              \
        "name", FIELD_STRING, is, .min = 1, .max = 100, .pattern = "^[^\\p{Cc}\\p{Zl}\\p{Zp}]+$",  \
                                  .example = "\"Ada\"", .about = (text)                            \
    }
#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .format = "date-time",                              \
                             .example = "\"2026-01-31T08:15:00.000Z\"", .about = (text)            \
    }
#define MAYBE_TIME_FIELD(field, text)                                                              \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .nullable = true, .format = "date-time",            \
                             .about = (text)                                                       \
    }
#define SCOPES_FIELD(is, text)                                                                     \
    {                                                                                              \
        "scopes", FIELD_ARRAY, is, .max = AUTH_SCOPES_MAX, .items = FIELD_STRING,                  \
                                   .example = "[\"account\"]", .about = (text)                     \
    }
/* What is asked for when a key is made. */
#define KEY_FIELDS                                                                                 \
    { "name",                                                                                      \
      FIELD_STRING,                                                                                \
      .required = true,                                                                            \
      .min = 1,                                                                                    \
      .max = 100,                                                                                  \
      .pattern = "^[^\\p{Cc}\\p{Zl}\\p{Zp}]+$",                                                    \
      .example = "\"ci\"",                                                                         \
      .about = "What it is for" },                                                                 \
        SCOPES_FIELD(.required = false,                                                            \
                     "What it may do besides what asks for no scope; `*` is everything the user "  \
                     "may"),                                                                       \
    {                                                                                              \
        "expires_in_days", FIELD_INTEGER, .min = 1, .max = 3650,                                   \
                                          .about = "It never expires when left out"                \
    }

/* What users may do about themselves, and anybody to sign in. */
#define PUBLIC_COMMON  .access = ACCESS_PUBLIC, .rate = "auth.failures", .deadline_ms = 10000
#define READ_COMMON    .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000
#define ACCOUNT_COMMON .access = ACCESS_USER, .scope = "account", .rate = "read"

/* What only who knows the password may do. */
#define SECRET_COMMON                                                                              \
    .access = ACCESS_USER, .scope = "account", .rate = "auth.failures", .sensitive = true
#define OWN_PASSWORD_FIELD                                                                         \
    {                                                                                              \
        "password", FIELD_STRING, .required = true, .min = 1, .max = AUTH_PASSWORD_BYTES,          \
                                  .about = "The user's password"                                   \
    }

extern const field_t auth_session_fields[], auth_entry_fields[], auth_account_fields[];
extern const field_t auth_id_request[], auth_page_request[];
extern const field_t auth_user_fields[], auth_users_reply[], auth_key_fields[],
    auth_new_key_fields[], auth_invite_fields[], auth_invite_reply[];

#endif
