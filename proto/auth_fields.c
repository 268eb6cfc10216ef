/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_fields - fields that several messages of the auth service have
 */
#include "config.h"

#include "proto/auth_fields.h"

const field_t auth_id_request[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which one" },
    { 0 },
};

const field_t auth_page_request[] = { PAGE_LIMIT_FIELD, PAGE_CURSOR_FIELD, { 0 } };

const field_t auth_user_fields[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The user" },
    { "account_id", FIELD_STRING, .required = true, .format = "uuid", .about = "Its account" },
    { "email", FIELD_STRING, .required = true, .nullable = true,
      .about = "The address; null for users that are programs" },
    MAYBE_TIME_FIELD("email_verified_at", "When the address was proven to be the user's"),
    { "second_factor", FIELD_BOOLEAN, .required = true,
      .about = "Whether signing in asks for a code besides the password" },
    { "name", FIELD_STRING, .required = true, .about = "How to address the user" },
    { "role", FIELD_STRING, .required = true, .choices = AUTH_ROLES, .about = "The user's role" },
    { "owner", FIELD_BOOLEAN, .required = true, .about = "Whether the account is the user's" },
    { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS,
      .about = "The tier of the account" },
    { "status", FIELD_STRING, .required = true, .choices = "active disabled",
      .about = "Whether the user may sign in" },
    TIME_FIELD("created_at", "When the user was made"),
    MAYBE_TIME_FIELD("last_login_at", "When the user last signed in"),
    { 0 },
};

#define KEY_SHOWN                                                                                  \
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The key" },                \
        { "name", FIELD_STRING, .required = true, .about = "What it is for" },                     \
        SCOPES_FIELD(.required = true, "What it may do"),                                          \
        { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS,                           \
          .about = "The tier of the account, by which it is limited" },                            \
        TIME_FIELD("created_at", "When it was made"),                                              \
        MAYBE_TIME_FIELD("expires_at", "When it stops working"),                                   \
        MAYBE_TIME_FIELD("last_used_at", "When it was last used, to a minute"),                    \
        MAYBE_TIME_FIELD("revoked_at", "When it was revoked"),                                     \
    {                                                                                              \
        "signs", FIELD_BOOLEAN, .required = true,                                                  \
                                .about = "Whether its sensitive requests must be signed"           \
    }

const field_t auth_key_fields[] = { KEY_SHOWN, { 0 } };

const field_t auth_new_key_fields[] = {
    KEY_SHOWN,
    { "key", FIELD_STRING, .required = true, .about = "The key itself, shown this once" },
    { 0 },
};

#define INVITE_SHOWN                                                                               \
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The invitation" },         \
        { "email", FIELD_STRING, .required = true, .nullable = true,                               \
          .about = "Who alone may use it" },                                                       \
        { "account_id", FIELD_STRING, .required = true, .nullable = true,                          \
          .about = "Which account it leads to; null: a new one" },                                 \
        { "role", FIELD_STRING, .required = true, .choices = AUTH_ROLES,                           \
          .about = "The role of whoever uses it" },                                                \
        { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS,                           \
          .about = "The tier of the new account" },                                                \
        TIME_FIELD("created_at", "When it was made"),                                              \
        TIME_FIELD("expires_at", "When it stops working"),                                         \
        MAYBE_TIME_FIELD("used_at", "When it was used")

const field_t auth_invite_fields[] = { INVITE_SHOWN, { 0 } };

const field_t auth_invite_reply[] = {
    INVITE_SHOWN,
    { "code", FIELD_STRING, .required = true,
      .about = "What `register` takes as `invite`, shown this once" },
    { 0 },
};

const field_t auth_users_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = auth_user_fields,
      .about = "The newest first" },
    PAGE_NEXT_FIELD,
    { 0 },
};

const field_t auth_session_fields[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The session" },
    { "current", FIELD_BOOLEAN, .required = true, .about = "Whether it is the caller's own" },
    TIME_FIELD("created_at", "When the user signed in"),
    TIME_FIELD("last_used_at", "When its tokens were last renewed"),
    TIME_FIELD("expires_at", "When it ends unless its tokens are renewed before"),
    { "address", FIELD_STRING, .required = true, .nullable = true,
      .about = "Where the user signed in from; null when it is not known" },
    { 0 },
};

const field_t auth_entry_fields[] = {
    { "sequence", FIELD_INTEGER, .required = true, .min = 1, .max = 9007199254740991,
      .about = "Its number, without gaps" },
    TIME_FIELD("at", "When"),
    { "action", FIELD_STRING, .required = true, .example = "\"key.created\"", .about = "What" },
    { "user_id", FIELD_STRING, .required = true, .nullable = true,
      .about = "Who did it; null: a part of the system, or nobody known" },
    { "account_id", FIELD_STRING, .required = true, .nullable = true, .about = "Whose account" },
    { "target", FIELD_STRING, .required = true, .nullable = true, .about = "To what" },
    { "address", FIELD_STRING, .required = true, .nullable = true, .about = "From where" },
    { "request_id", FIELD_STRING, .required = true, .nullable = true, .about = "By which request" },
    { "detail", FIELD_STRING, .required = true, .nullable = true, .about = "What more there is" },
    { "hash", FIELD_STRING, .required = true, .pattern = "^[0-9a-f]{64}$",
      .about = "Keyed hash of the entry and of all before it" },
    { 0 },
};

const field_t auth_account_fields[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The account" },
    { "name", FIELD_STRING, .required = true, .about = "What it is called" },
    { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS, .about = "Its tier" },
    TIME_FIELD("created_at", "When it was made"),
    { 0 },
};
