/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the only SQL of the actor: users and accounts, sessions, keys, invitations, audit, flags
 *
 * Every function works on a connection, so that several make one transaction (`db_write`) and the
 * same ones read outside of it. What is not there is no failure: the result is NULL, or `changed`
 * is false. Texts of results are in the arena. Times are milliseconds of the wall clock, 0 is
 * never.
 */
#ifndef SIGNALBOX_AUTH_STORE_H
#define SIGNALBOX_AUTH_STORE_H

#include "actors/auth/token.h"
#include "actors/auth/vault.h"
#include "actors/runtime/cursor.h"
#include "actors/runtime/db.h"
#include "proto/jwt.h"

extern const db_migration_t auth_migrations[];

/* The statements behind the lists of the API, for the test that looks at their plans; each of the
 * files' tables ends with NULL. */
extern const db_sql_t *const auth_store_user_lists[],
    *const auth_store_session_lists[], *const auth_store_key_lists[],
                                           *const auth_store_invite_lists[],
                                               *const auth_store_code_lists[],
                                                   *const auth_store_mail_lists[],
                                                       *const auth_store_erasure_lists[],
                                                           *const auth_store_audit_lists[];

/* ---- accounts and users (store_users.c) ------------------------------------------------------ */

typedef struct {
    const char *id, *name, *tier;
    int64_t created_ms;
} account_t;

typedef struct {
    const char *id, *account_id;
    const char *email, *email_key; /* NULL: a program */
    const char *name, *role, *status;
    const char *password; /* its hash; NULL: none */
    const char *tier;     /* of the account */
    bool is_owner;
    int64_t created_ms, last_login_ms;
    int64_t verified_ms; /* when the address was proven to be the user's */
    int64_t factor_ms;   /* when a second factor was confirmed */
} user_t;

typedef struct {
    const user_t *list;
    size_t count;
} users_t;

db_status_t auth_store_add_account(db_conn_t *conn, const account_t *account);
db_status_t auth_store_account(db_conn_t *conn, arena_t *arena, const char *id,
                               const account_t **found);
db_status_t auth_store_name_account(db_conn_t *conn, const char *id, const char *name,
                                    bool *changed);
db_status_t auth_store_set_tier(db_conn_t *conn, const char *id, const char *tier, bool *changed);

/* DB_CONSTRAINT when the address is taken. */
db_status_t auth_store_add_user(db_conn_t *conn, const user_t *user);
db_status_t auth_store_user(db_conn_t *conn, arena_t *arena, const char *id, const user_t **found);
db_status_t auth_store_user_by_email(db_conn_t *conn, arena_t *arena, const char *email_key,
                                     const user_t **found);
db_status_t auth_store_users(db_conn_t *conn, arena_t *arena, const cursor_t *from, size_t limit,
                             users_t *users);
db_status_t auth_store_members(db_conn_t *conn, arena_t *arena, const char *account_id,
                               const cursor_t *from, size_t limit, users_t *users);
db_status_t auth_store_has_users(db_conn_t *conn, bool *has);
/* Owners of the account that are active, locked until the end of the transaction. */
db_status_t auth_store_count_owners(db_conn_t *conn, const char *account_id, int64_t *count);

db_status_t auth_store_name_user(db_conn_t *conn, const char *id, const char *name, bool *changed);
/* The address is the user's, proven; DB_CONSTRAINT when it is another one's. */
db_status_t auth_store_set_email(db_conn_t *conn, const char *id, const char *email,
                                 const char *email_key, int64_t now_ms);
db_status_t auth_store_set_verified(db_conn_t *conn, const char *id, int64_t verified_ms);
db_status_t auth_store_set_password(db_conn_t *conn, const char *id, const char *hash);
db_status_t auth_store_set_role(db_conn_t *conn, const char *id, const char *role,
                                const char *status);
db_status_t auth_store_logged_in(db_conn_t *conn, const char *id, int64_t now_ms);

/* ---- sessions and refresh tokens (store_sessions.c) ------------------------------------------ */

typedef struct {
    const char *id, *user_id, *address; /* address may be NULL */
    int64_t created_ms, last_used_ms, expires_ms, revoked_ms;
} session_t;

typedef struct {
    const session_t *list;
    size_t count;
} sessions_t;

typedef struct {
    const char *session_id;
    int64_t used_ms;
} refresh_t;

db_status_t auth_store_add_session(db_conn_t *conn, const session_t *session);
db_status_t auth_store_session(db_conn_t *conn, arena_t *arena, const char *id,
                               const session_t **found);
/* The same, locked against another refresh and against being revoked meanwhile. */
db_status_t auth_store_lock_session(db_conn_t *conn, arena_t *arena, const char *id,
                                    const session_t **found);
db_status_t auth_store_sessions(db_conn_t *conn, arena_t *arena, const char *user_id,
                                int64_t now_ms, const cursor_t *from, size_t limit,
                                sessions_t *sessions);
db_status_t auth_store_renew_session(db_conn_t *conn, const char *id, int64_t now_ms,
                                     int64_t expires_ms);
/* One of the user's; `changed` tells whether there was one to revoke. */
db_status_t auth_store_revoke_session(db_conn_t *conn, const char *user_id, const char *id,
                                      int64_t now_ms, bool *changed);
/* All of the user's but `kept`, which may be "". */
db_status_t auth_store_revoke_sessions(db_conn_t *conn, const char *user_id, const char *kept,
                                       int64_t now_ms, int64_t *count);

db_status_t auth_store_add_refresh(db_conn_t *conn, const uint8_t hash[TOKEN_BYTES],
                                   const char *session_id, int64_t now_ms);
db_status_t auth_store_refresh(db_conn_t *conn, arena_t *arena, const uint8_t hash[TOKEN_BYTES],
                               const refresh_t **found);
db_status_t auth_store_use_refresh(db_conn_t *conn, const uint8_t hash[TOKEN_BYTES],
                                   int64_t now_ms);

/* Sessions that ended before `before_ms`, at most some hundred at once, and what else is over. */
db_status_t auth_store_purge(db_conn_t *conn, int64_t before_ms, int64_t now_ms, int64_t *count);

/* ---- invitations (store_invites.c) ----------------------------------------------------------- */

typedef struct {
    const char *id, *email, *account_id, *role, *tier; /* email and account_id may be NULL */
    int64_t created_ms, expires_ms, used_ms;
} invite_t;

typedef struct {
    const invite_t *list;
    size_t count;
} invites_t;

db_status_t auth_store_add_invite(db_conn_t *conn, const invite_t *invite,
                                  const uint8_t hash[TOKEN_BYTES]);
db_status_t auth_store_invite(db_conn_t *conn, arena_t *arena, const uint8_t hash[TOKEN_BYTES],
                              const invite_t **found);
/* False in `changed`: somebody else has used it. */
db_status_t auth_store_use_invite(db_conn_t *conn, const char *id, int64_t now_ms, bool *changed);
db_status_t auth_store_invites(db_conn_t *conn, arena_t *arena, const cursor_t *from, size_t limit,
                               invites_t *invites);
db_status_t auth_store_delete_invite(db_conn_t *conn, const char *id, bool *changed);

/* ---- codes (store_codes.c) ------------------------------------------------------------------- */

typedef struct {
    const uint8_t *hash; /* of TOKEN_BYTES */
    const char *purpose; /* "reset" or "verify" */
    const char *user_id;
    const char *email; /* that it proves; NULL: none */
    int64_t created_ms, expires_ms;
} stored_code_t;

/* Replaces the user's earlier ones of that purpose. */
db_status_t auth_store_add_code(db_conn_t *conn, const stored_code_t *code);
/* By hash and purpose: whose it is. `user_id` is NULL when there is none, or it has expired. */
db_status_t auth_store_find_code(db_conn_t *conn, arena_t *arena, int64_t now_ms,
                                 stored_code_t *code);
/* The same, taking it out: it works once. */
db_status_t auth_store_take_code(db_conn_t *conn, arena_t *arena, int64_t now_ms,
                                 stored_code_t *code);
/* Whether the user was given one after `since_ms`. */
db_status_t auth_store_has_code(db_conn_t *conn, const char *user_id, const char *purpose,
                                int64_t since_ms, bool *has);
db_status_t auth_store_drop_codes(db_conn_t *conn, const char *user_id, const char *purpose);

/* ---- mails (store_mails.c) ------------------------------------------------------------------- */

/* `content` is sealed with the mail's id as its name. */
typedef struct {
    const char *kind, *recipient;
    const uint8_t *content;
    size_t content_size;
    int64_t expires_ms;
} mail_row_t;

db_status_t auth_store_add_mail(db_conn_t *conn, const char *id, const char *kind,
                                const char *recipient, const buf_t *content, int64_t now_ms,
                                int64_t expires_ms);
/* Ids of at most `limit` that were not handed over since `before_ms`. */
db_status_t auth_store_due_mails(db_conn_t *conn, arena_t *arena, int64_t before_ms, size_t limit,
                                 const char **ids, size_t *count);
db_status_t auth_store_enqueued_mail(db_conn_t *conn, const char *id, int64_t now_ms);
/* NULL: there is none, or its time is over. */
db_status_t auth_store_mail(db_conn_t *conn, arena_t *arena, const char *id, int64_t now_ms,
                            const mail_row_t **found);
db_status_t auth_store_delete_mail(db_t *db, const char *id);

/* ---- second factors (store_factors.c) -------------------------------------------------------- */

typedef struct {
    const uint8_t *secret; /* sealed */
    size_t secret_size;
    int64_t confirmed_ms; /* 0: not yet */
    int64_t last_step;
} factor_t;

/* A new one to be confirmed; not `changed` when the user has one that is. */
db_status_t auth_store_set_factor(db_conn_t *conn, const char *user_id, const buf_t *secret,
                                  int64_t now_ms, bool *changed);
db_status_t auth_store_factor(db_conn_t *conn, arena_t *arena, const char *user_id,
                              const factor_t **found);
db_status_t auth_store_confirm_factor(db_conn_t *conn, const char *user_id, int64_t step,
                                      int64_t now_ms, bool *changed);
/* Takes the code of a step; not `changed` when one of it, or of a later one, was taken before. */
db_status_t auth_store_step_factor(db_conn_t *conn, const char *user_id, int64_t step,
                                   bool *changed);
/* With its recovery codes. */
db_status_t auth_store_drop_factor(db_conn_t *conn, const char *user_id, bool *changed);
db_status_t auth_store_add_recovery(db_conn_t *conn, const char *user_id,
                                    const uint8_t hash[TOKEN_BYTES]);
db_status_t auth_store_take_recovery(db_conn_t *conn, const char *user_id,
                                     const uint8_t hash[TOKEN_BYTES], bool *changed);

/* ---- API keys and signing keys (store_keys.c) ------------------------------------------------ */

typedef struct {
    const char *id, *user_id, *name, *scopes; /* a JSON array */
    const char *tier;                         /* of the account */
    int64_t created_ms, expires_ms, last_used_ms, revoked_ms;
    bool signs; /* it has a signing secret */
} api_key_t;

typedef struct {
    const api_key_t *list;
    size_t count;
} api_keys_t;

db_status_t auth_store_add_key(db_conn_t *conn, const api_key_t *key,
                               const uint8_t hash[TOKEN_BYTES]);
/* With its hash, for comparing. */
db_status_t auth_store_key(db_conn_t *conn, arena_t *arena, const char *id,
                           uint8_t hash[TOKEN_BYTES], const api_key_t **found);
db_status_t auth_store_keys(db_conn_t *conn, arena_t *arena, const char *user_id,
                            const cursor_t *from, size_t limit, api_keys_t *keys);
/* Keys of the user that work. */
db_status_t auth_store_count_keys(db_conn_t *conn, const char *user_id, int64_t now_ms,
                                  int64_t *count);
/* `user_id` "" is anybody's. */
db_status_t auth_store_revoke_key(db_conn_t *conn, const char *user_id, const char *id,
                                  int64_t now_ms, bool *changed);
extern const db_sql_t auth_store_touch_key; /* $id, $now */

typedef struct {
    jwt_key_t key;
    buf_t seed; /* sealed; freed by the caller */
    int64_t signs_from_ms;
} signing_key_t;

#define STORE_SIGNING_KEYS 16 /* that there may be at once */

/* The oldest first. */
db_status_t auth_store_signing_keys(db_conn_t *conn, signing_key_t keys[STORE_SIGNING_KEYS],
                                    size_t *count);
db_status_t auth_store_add_signing_key(db_conn_t *conn, const signing_key_t *key, int64_t now_ms);
/* Gives those that have no end yet one. */
db_status_t auth_store_end_signing_keys(db_conn_t *conn, int64_t expires_ms);

/* ---- feature flags (store_flags.c) ----------------------------------------------------------- */

typedef struct {
    const char *name, *about, *tiers, *accounts; /* the last two are JSON arrays */
    bool is_enabled;
    int64_t percentage, updated_ms;
} flag_t;

typedef struct {
    const flag_t *list;
    size_t count;
} flags_t;

#define STORE_FLAGS 200 /* that there may be */

db_status_t auth_store_flags(db_conn_t *conn, arena_t *arena, flags_t *flags);
db_status_t auth_store_set_flag(db_conn_t *conn, const flag_t *flag);
db_status_t auth_store_delete_flag(db_conn_t *conn, const char *name, bool *changed);

/* ---- erasing (store_erasure.c) --------------------------------------------------------------- */

/* A user with everything that is stored of them; "": all of the account. */
db_status_t auth_store_erase_user(db_conn_t *conn, const char *account_id, const char *user_id);
/* The account with all its users. */
db_status_t auth_store_erase_account(db_conn_t *conn, const char *account_id);

#define AUTH_ERASED_ACTION "account.erased" /* of the entry that an erased account leaves */

typedef struct {
    const char *account_id;
    int64_t sequence, at_ms;
} erased_t;

typedef struct {
    const erased_t *list;
    size_t count;
} erased_list_t;

/* Accounts that were erased, after an entry of the audit log, the oldest first. */
db_status_t auth_store_erased(db_conn_t *conn, arena_t *arena, int64_t after, size_t limit,
                              erased_list_t *erased);

/* ---- the audit log (store_audit.c) ----------------------------------------------------------- */

/* What was done, in whose name. Of the texts all but `action` may be NULL. */
typedef struct {
    const char *action; /* "user.login" */
    const char *user_id, *account_id, *target, *changed, *address, *request_id, *detail;
} audit_t;

/* As it is stored: an address that belongs to a user is sealed with the user's veil. */
typedef struct {
    audit_t what;
    int64_t sequence, at_ms;
    const uint8_t *veiled; /* the address; NULL: it is in `what`, or there is none */
    size_t veiled_size;
    const uint8_t *veil; /* VAULT_KEY_BYTES; NULL: the user has been erased */
    uint8_t hash[VAULT_HASH_BYTES];
} audit_entry_t;

typedef struct {
    const audit_entry_t *list;
    size_t count;
} audit_entries_t;

/* Appends to the chain; in the transaction of what is told, and last in it, since from then on
 * other transactions that append wait for its end. */
db_status_t auth_store_audit(db_conn_t *conn, const vault_t *vault, int64_t now_ms,
                             const audit_t *what);
db_status_t auth_store_audit_head(db_conn_t *conn, int64_t *sequence,
                                  uint8_t hash[VAULT_HASH_BYTES]);
/* The same, locked until the end of the transaction. */
db_status_t auth_store_lock_audit_head(db_conn_t *conn, int64_t *sequence,
                                       uint8_t hash[VAULT_HASH_BYTES]);
/* Entries before `before`, the newest first; `user_id` and `action` may be NULL. */
db_status_t auth_store_audit_list(db_conn_t *conn, arena_t *arena, int64_t before,
                                  const char *user_id, const char *action, size_t limit,
                                  audit_entries_t *entries);
/* Entries after `after`, the oldest first. */
db_status_t auth_store_audit_after(db_conn_t *conn, arena_t *arena, int64_t after, size_t limit,
                                   audit_entries_t *entries);
/* The address the entry came from; NULL when there is none, or none any more. */
const char *auth_store_audit_address(const vault_t *vault, arena_t *arena,
                                     const audit_entry_t *entry);
/* The hash an entry must have behind `previous`. */
void auth_store_audit_hash(const vault_t *vault, const uint8_t previous[VAULT_HASH_BYTES],
                           const audit_entry_t *entry, uint8_t hash[VAULT_HASH_BYTES]);

/* ---- what requests are signed with (store_signing.c) ----------------------------------------- */

/* `secret` is sealed. `changed` false: the user has no such key that works. */
db_status_t auth_store_set_signing(db_conn_t *conn, const char *user_id, const char *key_id,
                                   const buf_t *secret, int64_t now_ms, bool *changed);
db_status_t auth_store_delete_signing(db_conn_t *conn, const char *user_id, const char *key_id,
                                      bool *changed);
/* Appends the sealed secret of a key that works; nothing when it has none. */
db_status_t auth_store_signing(db_conn_t *conn, const char *key_id, int64_t now_ms, buf_t *secret);

/* ---- what may happen once (store_once.c) ----------------------------------------------------- */

/* Whether this is the first time, and from now on nobody's first any more until it expires. */
db_status_t auth_store_once(db_conn_t *conn, const char *name, int64_t expires_ms, bool *is_first);
db_status_t auth_store_purge_once(db_conn_t *conn, int64_t now_ms);

/* ---- what its files share -------------------------------------------------------------------- */

/* Runs a statement and tells whether it changed a row. */
db_status_t auth_store_change(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                              size_t count, bool *changed);
#define STORE_CHANGE(conn, sql, changed, ...)                                                      \
    auth_store_change(conn, sql, (const db_param_t[]){ __VA_ARGS__ },                              \
                      COUNT_OF(((const db_param_t[]){ __VA_ARGS__ })), changed)
/* A time that may be never. */
static inline db_param_t auth_store_time(const char *name, int64_t ms)
{
    return ms ? DB_P_INT(name, ms) : DB_P_NULL(name);
}

#endif
