/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_internal - the rows of the auth service for other parts of the system and for operators
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_wrong[] = { ERROR_UNAUTHENTICATED, ERROR_NONE };
static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_missing_or_unfit[] = { ERROR_NOT_FOUND, ERROR_UNPROCESSABLE,
                                                   ERROR_NONE };

/* ---- who somebody is ------------------------------------------------------------------------- */

static const field_t s_identify_request[] = {
    { "key", FIELD_STRING, .min = 1, .max = 128, .about = "An API key; or else:" },
    { "user", FIELD_STRING, .min = 1, .max = 64, .about = "`sub` of an access token, and" },
    { "session", FIELD_STRING, .min = 1, .max = 64, .about = "its `sid`" },
    { 0 },
};

static const field_t s_identity[] = {
    { "account", FIELD_STRING, .required = true, .about = "The account" },
    { "user", FIELD_STRING, .required = true, .about = "The user" },
    { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS, .about = "Of the account" },
    { "roles", FIELD_ARRAY, .required = true, .items = FIELD_STRING, .about = "Roles now" },
    SCOPES_FIELD(.required = true, "Scopes; `*` is all"),
    { "expires_at_ms", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "Until when it may be remembered" },
    { "key_id", FIELD_STRING, .required = true, .nullable = true, .about = "Of the API key" },
    { "session", FIELD_STRING, .required = true, .nullable = true, .about = "The session" },
    { "signs", FIELD_BOOLEAN, .required = true,
      .about = "Whether its sensitive requests must be signed" },
    { 0 },
};

const method_t auth_identify = {
    .name = "identify",
    .summary = "Who has this API key, or this session, and what they may do now",
    .request = s_identify_request,
    .reply = s_identity,
    .errors = s_wrong,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = 2000,
};

static const field_t s_account_tier_request[] = {
    { "account", FIELD_STRING, .required = true, .format = "uuid", .about = "Which account" },
    { "tier", FIELD_STRING, .required = true, .choices = AUTH_TIERS, .about = "Its new tier" },
    { "reason", FIELD_STRING, .max = 100, .about = "What it follows from, for the audit log" },
    { 0 },
};

const method_t auth_account_tier = {
    .name = "account_tier",
    .summary = "Sets the tier of an account",
    .about = "For whoever hears of subscriptions.",
    .request = s_account_tier_request,
    .errors = s_missing,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};

static const field_t s_key_issue_request[] = {
    { "user_id", FIELD_STRING, .required = true, .format = "uuid", .about = "Whose key" },
    KEY_FIELDS,
    { 0 },
};

const method_t auth_key_issue = {
    .name = "key_issue",
    .summary = "Makes an API key for any user",
    .request = s_key_issue_request,
    .reply = auth_new_key_fields,
    .errors = s_missing_or_unfit,
    .access = ACCESS_INTERNAL,
};

const method_t auth_key_revoke = {
    .name = "key_revoke",
    .summary = "Revokes any API key",
    .request = auth_id_request,
    .errors = s_missing,
    .access = ACCESS_INTERNAL,
};

static const field_t s_reset_reply[] = {
    { "token", FIELD_STRING, .required = true, .about = "What `password_reset` takes" },
    TIME_FIELD("expires_at", "When it stops working"),
    { 0 },
};

const method_t auth_reset_issue = {
    .name = "reset_issue",
    .summary = "Makes a code to set a user's password with",
    .request = auth_id_request,
    .reply = s_reset_reply,
    .errors = s_missing_or_unfit,
    .access = ACCESS_INTERNAL,
};

/* ---- the audit log --------------------------------------------------------------------------- */

static const field_t s_audit_record_request[] = {
    { "event", FIELD_STRING, .required = true, .format = "uuid",
      .about = "Told once: an entry that was told before is not written again" },
    { "at_ms", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "When it was done" },
    { "action", FIELD_STRING, .required = true, .min = 1, .max = 2 * METHOD_NAME_BYTES + 1,
      .example = "\"limiter.policy_set\"", .about = "Service and method" },
    { "user_id", FIELD_STRING, .max = 64, .about = "Who did it" },
    { "account_id", FIELD_STRING, .max = 64, .about = "Whose account" },
    { "target", FIELD_STRING, .max = AUTH_TARGET_BYTES, .about = "To what" },
    { "address", FIELD_STRING, .max = 64, .about = "From where" },
    { "request_id", FIELD_STRING, .max = 64, .about = "By which request" },
    { "detail", FIELD_STRING, .max = 200, .about = "What more there is" },
    { 0 },
};

const method_t auth_audit_record = {
    .name = "audit_record",
    .summary = "Writes into the audit log what was done elsewhere",
    .about = "For the edge, which tells of what administrators do with other services.",
    .request = s_audit_record_request,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};

static const field_t s_audit_verify_request[] = {
    { "after", FIELD_INTEGER, .preset = "0", .min = 0, .max = 9007199254740991,
      .about = "Verified so far" },
    { 0 },
};

static const field_t s_audit_verify_reply[] = {
    { "good", FIELD_BOOLEAN, .required = true, .about = "Whether every entry looked at is whole" },
    { "verified", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "The last entry that is" },
    { "head", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "The newest entry" },
    { "hash", FIELD_STRING, .required = true, .about = "Of the entry `verified`" },
    { 0 },
};

const method_t auth_audit_verify = {
    .name = "audit_verify",
    .summary = "Looks whether the next entries of the audit log are as they were written",
    .request = s_audit_verify_request,
    .reply = s_audit_verify_reply,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};

/* ---- accounts that were erased --------------------------------------------------------------- */

static const field_t s_erased_request[] = {
    { "after", FIELD_INTEGER, .preset = "0", .min = 0, .max = 9007199254740991,
      .about = "Only after this one" },
    { "limit", FIELD_INTEGER, .preset = "100", .min = 1, .max = 1000, .about = "At most so many" },
    { 0 },
};

static const field_t s_erased_item[] = {
    { "sequence", FIELD_INTEGER, .required = true, .min = 1, .max = 9007199254740991,
      .about = "Its place in the audit log, which never changes" },
    { "account", FIELD_STRING, .required = true, .about = "The account that was" },
    { "age_ms", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "How long ago it was erased" },
    { 0 },
};

static const field_t s_erased_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_erased_item,
      .about = "The oldest first" },
    { 0 },
};

const method_t auth_erased = {
    .name = "erased",
    .summary = "Accounts that were erased",
    .about = "For services that hold data of accounts: each remembers how far it has obeyed.",
    .request = s_erased_request,
    .reply = s_erased_reply,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
};

/* ---- mails ----------------------------------------------------------------------------------- */

static const error_code_t s_mail_errors[] = { ERROR_UNPROCESSABLE, ERROR_UNAVAILABLE, ERROR_NONE };

const method_t auth_mail_deliver = {
    .name = "mail_deliver",
    .summary = "Sends a mail of the outbox, by its id",
    .about = "What a job of this kind is asked to do. One that is no longer there is done with.",
    .request = auth_id_request,
    .errors = s_mail_errors,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = 60000,
};
