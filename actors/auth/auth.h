/* SPDX-License-Identifier: MPL-2.0
 *
 * auth - the actor that knows who somebody is and what they may do
 *
 * Promises: a change of several rows is one transaction with its entry in the audit log; whoever
 * loses rights loses them on every edge within a second (herald.h); what is secret is stored as a
 * hash or sealed (vault.h); an address that is unknown costs and tells the same as one that is
 * known. Nothing secret is logged.
 *
 * Does not: limit how often somebody tries (the limiter does, by the rate class of the method),
 * send mails (the mail service does; on_mail.c says when), verify access tokens for others
 * (proto/jwt.h does).
 *
 * The handlers stand in on_*.c, a family a file; proto/auth*.c say what each takes and answers.
 */
#ifndef SIGNALBOX_AUTH_H
#define SIGNALBOX_AUTH_H

#include "actors/auth/hasher.h"
#include "actors/auth/herald.h"
#include "actors/auth/keyring.h"
#include "actors/auth/password.h"
#include "actors/auth/store.h"
#include "actors/runtime/page.h"
#include "proto/auth.h"

typedef struct {
    const char *registration; /* open, invite, closed */
    const char *issuer, *audience, *secret;
    int64_t access_s, session_days, invite_days, reset_minutes, verify_minutes;
    bool login_unverified;
    int64_t password_length;
    int64_t hash_memory_kib, hash_passes, hash_threads, hash_waiting;
    int64_t key_days, key_lead_s;
} auth_settings_t;

typedef enum {
    AUTH_REGISTERED,
    AUTH_LOGINS,
    AUTH_LOGINS_REFUSED,
    AUTH_REFRESHES,
    AUTH_REFRESHES_REFUSED,
    AUTH_REFRESHES_REUSED,
    AUTH_IDENTIFIED,
    AUTH_IDENTIFY_REFUSED,
    AUTH_SIGNATURES,
    AUTH_SIGNATURES_REFUSED,
    AUTH_OVERLOADED,
    AUTH_PURGED,
    AUTH_MAILS_SENT,
    AUTH_MAILS_REFUSED,
    AUTH_HASH_TIME,
    AUTH_ACTIVE,
    AUTH_TIER_EVENTS,
    AUTH_STATS
} auth_stat_t;

typedef struct {
    actor_t *actor;
    db_t *db;
    vault_t vault;
    keyring_t keyring;
    hasher_t *hasher;
    herald_t *herald;
    password_cost_t cost;
    char decoy[PASSWORD_HASH_SIZE]; /* compared with when the address is unknown */
    uint32_t ticks;
    uint32_t relay_wait_s; /* until mails are handed over again */
} auth_t;

extern const actor_spec_t auth_actor;
extern auth_settings_t auth_settings;

/* The API key of the first administrator, when the actor started in this process has made one. It
 * is told once: only its hash is stored. */
bool auth_take_first_key(char key[TOKEN_KEY_SIZE]);

/* How long signing keys live, by the settings. */
keyring_times_t auth_key_times(void);

/* ---- its parts ------------------------------------------------------------------------------- */

/* What must be there before the first request: a signing key, and somebody to begin with. False
 * with a sentence. (first_start.c) */
bool auth_begin(auth_t *self, char *why, size_t why_size);

/* What is periodic, each second. (upkeep.c) */
void auth_keep_up(auth_t *self);

/* Hands mails of the outbox to the jobs service, each second. (relay.c) */
void auth_relay_mails(auth_t *self);

/* Publishes what is retained, an auth_t's; on the herald's thread. (on_published.c) */
void auth_publish_state(void *arg);

/* ---- handlers -------------------------------------------------------------------------------- */

typedef void auth_handler_t(call_t *call, void *self);

auth_handler_t auth_on_register;                                             /* on_register.c */
auth_handler_t auth_on_login, auth_on_login_code;                            /* on_login.c */
auth_handler_t auth_on_refresh, auth_on_logout, auth_on_identify;            /* on_tokens.c */
auth_handler_t auth_on_logout_all, auth_on_sessions, auth_on_session_delete; /* on_sessions.c */
auth_handler_t auth_on_password_change, auth_on_password_forgot,
    auth_on_password_reset, /* on_password.c */
    auth_on_reset_issue;
auth_handler_t auth_on_totp_begin, auth_on_totp_confirm, auth_on_totp_end;  /* on_second.c */
auth_handler_t auth_on_verify, auth_on_verify_resend, auth_on_email_change; /* on_email.c */
auth_handler_t auth_on_me, auth_on_me_update, auth_on_account,
    auth_on_account_update, /* on_profile.c */
    auth_on_members, auth_on_member_delete;
auth_handler_t auth_on_mail_deliver;                                    /* on_mail.c */
auth_handler_t auth_on_export;                                          /* on_export.c */
auth_handler_t auth_on_me_erase, auth_on_account_erase, auth_on_erased; /* on_erase.c */
auth_handler_t auth_on_users, auth_on_user, auth_on_user_update,
    auth_on_account_tier; /* on_users.c */
auth_handler_t auth_on_invites, auth_on_invite_create, auth_on_invite_delete,
    auth_on_account_invite; /* on_invites.c */
auth_handler_t auth_on_keys, auth_on_key_create, auth_on_key_delete, auth_on_key_issue,
    auth_on_key_revoke; /* on_keys.c */
auth_handler_t auth_on_signing_create, auth_on_signing_delete,
    auth_on_signature_check;                        /* on_signing.c */
auth_handler_t auth_on_audit, auth_on_audit_verify; /* on_audit.c */
auth_handler_t auth_on_audit_record;                /* on_audit_record.c */
auth_handler_t auth_on_flags, auth_on_flag_set, auth_on_flag_delete, auth_on_jwks,
    auth_on_rotate; /* on_published.c */

/* ---- what handlers share (share.c) ----------------------------------------------------------- */

void auth_count(call_t *call, auth_stat_t row);

/* Defers the call to the threads that hash passwords; `work` ends it there, unless they are busy.
 */
void auth_defer(call_t *call, auth_t *self, hasher_work_t work);

/* A new hash, and whether a password is that of a hash; both are timed and counted. */
void auth_hash(auth_t *self, const char *password, char hash[PASSWORD_HASH_SIZE]);
bool auth_fits(auth_t *self, const char *hash, const char *password);

/* One change: when, by whom, and what it says in the audit log. */
typedef struct {
    auth_t *auth;
    arena_t *arena;
    int64_t now_ms;
    audit_t audit;
} deed_t;

/* `target` is what it is done to, `changed` what others must forget (both may be NULL). */
deed_t auth_deed(call_t *call, auth_t *self, const char *action, const char *target,
                 const char *changed);

/* Copies what the deed borrows from its call into `own`, which is its arena from then on: for what
 * is done after the answer. */
void auth_keep(deed_t *deed, arena_t *own);

/* Appends the deed's entry; the last step of its transaction. */
db_status_t auth_record(db_conn_t *conn, const deed_t *deed);

/* Puts a mail into the outbox: {name, code}, sealed; both may be NULL. */
db_status_t auth_add_mail(db_conn_t *conn, const deed_t *deed, const char *kind,
                          const char *recipient, const char *name, const char *code,
                          int64_t expires_ms);

/* Runs the transaction and tells the herald. False: the call has been answered. */
bool auth_require_write(call_t *call, auth_t *self, db_work_t work, void *arg);

/* Writes the deed's entry and nothing else. */
db_status_t auth_record_alone(deed_t *deed);

/* Changes the one thing that the deed's target names, of `owner`. */
typedef db_status_t (*auth_change_t)(db_conn_t *conn, const deed_t *deed, const char *owner,
                                     bool *changed);

/* Makes the change and records it. False: the call has been answered, with `missing` when there was
 * nothing to change. */
bool auth_require_changed(call_t *call, const deed_t *deed, const char *owner, auth_change_t change,
                          const char *missing);

/* The paged lists, as their cursors tell them apart. */
typedef enum { LIST_SESSIONS = 1, LIST_USERS, LIST_MEMBERS, LIST_INVITES, LIST_KEYS } list_t;

/* Which page is asked for; one row more than `limit` is read, to know whether there is another. */
typedef struct {
    cursor_t from;
    size_t limit;
} listing_t;

/* What to read it with. NULL: the call has been answered. */
db_conn_t *auth_require_page(call_t *call, list_t list, listing_t *listing);

/* A thread's connection. NULL: the call has been answered. */
db_conn_t *auth_require_conn(call_t *call);

/* Whether a status is good; otherwise the call has been answered. */
bool auth_require_ok(call_t *call, db_status_t status);

/* The user who calls, who must be active. NULL: the call has been answered. */
const user_t *auth_require_user(call_t *call);

/* Whether the password may be taken. False: the call has been answered with `field` named. */
bool auth_require_password(call_t *call, const char *field, const char *password, const char *email,
                           const char *name);

/* Whether what is known of the user's address is enough to sign in. */
bool auth_may_enter(const user_t *user);

/* Whether the password is the one of the user who calls, at the cost of a hash: on the hasher's
 * threads only. False: the call has been answered. */
bool auth_require_own_password(call_t *call, auth_t *self, const user_t *user,
                               const char *password);

/* Answers VALIDATION_FAILED about one field ("/password"). */
void auth_fail_field(call_t *call, const char *pointer, const char *why);

/* The address by which a user is one: in lower case. */
const char *auth_email_key(arena_t *arena, const char *email);

/* ---- replies (reply.c) ----------------------------------------------------------------------- */

void auth_reply_maybe_time(pack_t *pack, const char *key, int64_t wall_ms); /* 0: null */
void auth_reply_user(pack_t *pack, const user_t *user);
/* A page of users, one map; of `limit` + 1 that were asked for. */
void auth_reply_users(pack_t *pack, uint8_t list, const users_t *users, size_t limit);
void auth_reply_session(pack_t *pack, const session_t *session, const char *current);
void auth_reply_account(pack_t *pack, const account_t *account);
void auth_reply_entry(pack_t *pack, const vault_t *vault, arena_t *arena,
                      const audit_entry_t *entry);
/* The pairs of a key, into a map that its caller has begun. */
#define AUTH_KEY_PAIRS 9
void auth_reply_key_pairs(pack_t *pack, const api_key_t *key);
/* A JSON array of texts, as it is stored. False when it cannot be read. */
void auth_reply_names(pack_t *pack, const char *key, const char *json);
/* The same the other way round: an array of the request as JSON text. */
const char *auth_reply_json(arena_t *arena, const value_t *value);

/* ---- sessions (session.c) -------------------------------------------------------------------- */

/* A session about to be made, or renewed: its newest refresh token. */
typedef struct {
    char id[ID_UUID_SIZE];
    uint8_t token[TOKEN_BYTES];
} fresh_t;

void session_prepare(fresh_t *fresh);

/* Inserts the session with its first refresh token. */
db_status_t session_open(db_conn_t *conn, const deed_t *deed, const char *user_id,
                         const fresh_t *fresh);

typedef enum {
    REFRESH_GOOD,
    REFRESH_UNKNOWN, /* nobody's token */
    REFRESH_ENDED,   /* of a session that is over, or of a user that is disabled */
    REFRESH_REUSED,  /* a second time: the session was ended now */
} refresh_verdict_t;

typedef struct {
    refresh_verdict_t verdict;
    const user_t *user;
    fresh_t fresh;
} refreshed_t;

#define REFRESH_GRACE_MS 10000

/* Exchanges a refresh token. What was decided is durable when it returns DB_OK. */
db_status_t session_refresh(const deed_t *deed, const uint8_t token[TOKEN_BYTES],
                            refreshed_t *result);

/* Ends a session by its token; `ended` tells whether there was one. */
db_status_t session_end(const deed_t *deed, const uint8_t token[TOKEN_BYTES], bool *ended);

/* The reply of whoever has signed in, with a new access token; `has_step`: also says that no
 * further step is needed. */
void session_reply(call_t *call, auth_t *self, const user_t *user, const fresh_t *fresh,
                   int64_t now_ms, bool has_step);

/* The roles of a user, into a principal. */
void session_roles(const user_t *user, principal_t *who);

#endif
