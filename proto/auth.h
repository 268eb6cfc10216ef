/* SPDX-License-Identifier: MPL-2.0
 *
 * auth - the contract of the service that knows who somebody is and what they may do
 *
 * Users belong to one account (the tenant), which has a tier. Whoever signs in gets an access token
 * (proto/jwt.h), good for some minutes and verified by the edge itself, and a refresh token, good
 * once, for the next pair. Programs use API keys.
 *
 * Roles: `user` is everybody who is signed in, `owner` the owner of their account; `admin`, `ops`
 * and `service` are given by administrators. Scopes limit keys: a person who signed in has the
 * scope
 * `*`, which is every scope; a key has those it was made with.
 *
 * Topics:
 *
 * `auth.keys` (retained) {issuer, audience, keys: [{kid, x: 32 bytes, not_before_ms,
 * expires_at_ms}]}: what access tokens are verified with. Every instance publishes the same.
 *
 * `auth.changed` {what, id, sequence}: what is known about somebody is no longer true. `what` is
 * "user", "account", "session", "key", "all", or "beacon", which says that nothing else happened.
 * `sequence` counts the entries of the audit log, which is the same for all instances. Each
 * instance publishes every change, its own and the others', and a beacon every AUTH_BEACON_MS:
 * whoever has heard nothing for AUTH_STALE_MS, or has missed an event, no longer knows whose rights
 * were taken away. An instance that leaves says "bye", so that its silence means nothing;
 * one that begins sends a beacon and then tells the last changes once more.
 *
 * `account.erased` {account, sequence}: a hint to ask `auth.erased`, the list that nobody misses
 * (actors/runtime/erasures.h).
 *
 * `auth.flags` (retained) {flags: [{name, enabled, tiers: [text], percentage, accounts: [text]}]}.
 */
#ifndef SIGNALBOX_PROTO_AUTH_H
#define SIGNALBOX_PROTO_AUTH_H

#include "proto/method.h"

#define AUTH_BEACON_MS 250
#define AUTH_STALE_MS  750

#define AUTH_ROLES "user admin ops service"
#define AUTH_TIERS "free pro enterprise"

#define AUTH_SCOPE_ALL      "*"
#define AUTH_SCOPES_MAX     16
#define AUTH_PASSWORD_BYTES 1024 /* of the longest password */
#define AUTH_KEY_PREFIX     "sbx_live_"
#define AUTH_NONCE_PATTERN  "^[A-Za-z0-9_-]{16,64}$" /* of a signed request */
#define AUTH_FRESH_S        300                      /* how old, or early, one may be */
#define AUTH_TARGET_BYTES   200 /* of what something was done to, as the audit log keeps it */

/* public */
extern const method_t auth_register, auth_login, auth_login_code, auth_refresh, auth_logout,
    auth_password_forgot, auth_password_reset, auth_verify, auth_verify_resend, auth_jwks;
/* of whoever is signed in */
extern const method_t auth_logout_all, auth_sessions, auth_session_delete, auth_password_change,
    auth_email_change, auth_totp_begin, auth_totp_confirm, auth_totp_end, auth_export,
    auth_me_erase, auth_account_erase, auth_me, auth_me_update, auth_keys, auth_key_create,
    auth_key_delete, auth_signing_create, auth_signing_delete, auth_account, auth_account_update,
    auth_members, auth_member_delete, auth_account_invite;
/* of administrators */
extern const method_t auth_users, auth_user, auth_user_update, auth_invites, auth_invite_create,
    auth_invite_delete, auth_audit, auth_flags, auth_flag_set, auth_flag_delete, auth_rotate;
/* of other parts of the system */
extern const method_t auth_identify, auth_signature_check, auth_account_tier, auth_key_issue,
    auth_key_revoke, auth_reset_issue, auth_audit_record, auth_audit_verify, auth_erased,
    auth_mail_deliver;

extern const service_t auth_service;

#endif
