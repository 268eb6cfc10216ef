/* SPDX-License-Identifier: MPL-2.0
 *
 * on_tokens - refresh tokens from users, sessions and API keys from edges
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define REMEMBER_MS   INT64_C(600000) /* how long an identity may be remembered at most */
#define TOUCH_EACH_MS 60000           /* how exact `last_used_at` of a key is */

/* ---- refreshing and signing out -------------------------------------------------------------- */

static void s_refuse_refresh(call_t *call)
{
    auth_count(call, AUTH_REFRESHES_REFUSED);
    call_fail(call, ERROR_UNAUTHENTICATED, "The refresh token is not valid: sign in again");
}

void auth_on_refresh(call_t *call, void *arg)
{
    auth_t *self = arg;
    uint8_t token[TOKEN_BYTES];
    refreshed_t result;
    const deed_t deed = auth_deed(call, self, "session.refreshed", NULL, NULL);
    if (!token_read(TOKEN_REFRESH, call_text(call, "refresh_token"), token)) {
        s_refuse_refresh(call);
        return;
    }
    if (!auth_require_ok(call, session_refresh(&deed, token, &result)))
        return;
    if (result.verdict == REFRESH_GOOD) {
        auth_count(call, AUTH_REFRESHES);
        session_reply(call, self, result.user, &result.fresh, deed.now_ms, false);
        return;
    }
    if (result.verdict == REFRESH_REUSED) {
        auth_count(call, AUTH_REFRESHES_REUSED);
        herald_wake(self->herald, false);
        LOG(LOG_WARN, "auth.token_reused", LOG_TEXT("user", result.user->id));
    }
    s_refuse_refresh(call);
}

/* Whether there was such a session makes no difference: it is over. */
void auth_on_logout(call_t *call, void *arg)
{
    auth_t *self = arg;
    uint8_t token[TOKEN_BYTES];
    bool ended = false;
    const deed_t deed = auth_deed(call, self, "session.ended", NULL, "session");
    if (token_read(TOKEN_REFRESH, call_text(call, "refresh_token"), token) &&
        !auth_require_ok(call, session_end(&deed, token, &ended)))
        return;
    if (ended)
        herald_wake(self->herald, false);
    call_reply(call, 0);
}

/* ---- who somebody is ------------------------------------------------------------------------- */

static void s_refuse_identity(call_t *call)
{
    auth_count(call, AUTH_IDENTIFY_REFUSED);
    call_fail(call, ERROR_UNAUTHENTICATED, "The key or session is not valid, or no longer");
}

/* What somebody has shown: a session or a key. */
typedef struct {
    const char *session_id, *key_id; /* one of them is NULL */
    const char *scopes;              /* a JSON array */
    int64_t expires_ms;              /* 0: never */
    bool signs;
} shown_t;

static void s_reply_identity(call_t *call, const user_t *user, const shown_t *shown, int64_t now_ms)
{
    pack_t *pack = call_pack(call);
    principal_t who = { 0 };
    const int64_t latest_ms = now_ms + REMEMBER_MS, ends_ms = shown->expires_ms;
    session_roles(user, &who);
    pack_map(pack, 9);
    pack_pair_text(pack, "account", user->account_id);
    pack_pair_text(pack, "user", user->id);
    pack_pair_text(pack, "tier", user->tier);
    pack_text(pack, "roles");
    pack_array(pack, who.role_count);
    for (size_t i = 0; i < who.role_count; i++)
        pack_text(pack, who.roles[i]);
    auth_reply_names(pack, "scopes", shown->scopes);
    pack_pair_int(pack, "expires_at_ms", ends_ms && ends_ms < latest_ms ? ends_ms : latest_ms);
    pack_pair_text(pack, "key_id", shown->key_id);
    pack_pair_text(pack, "session", shown->session_id);
    pack_pair_bool(pack, "signs", shown->signs);
    auth_count(call, AUTH_IDENTIFIED);
    call_reply(call, 0);
}

static bool s_is_active(const user_t *user)
{
    return user && strcmp(user->status, "active") == 0;
}

static void s_identify_session(call_t *call, db_conn_t *conn, const char *user_id,
                               const char *session_id)
{
    const session_t *session;
    const user_t *user = NULL;
    const int64_t now_ms = clock_wall_ms();
    arena_t *arena = call_arena(call);
    db_status_t status = auth_store_session(conn, arena, session_id, &session);
    if (status == DB_OK && session)
        status = auth_store_user(conn, arena, session->user_id, &user);
    if (!auth_require_ok(call, status))
        return;
    if (!session || session->revoked_ms || session->expires_ms <= now_ms || !s_is_active(user) ||
        strcmp(user->id, user_id) != 0)
        s_refuse_identity(call);
    else
        s_reply_identity(call, user,
                         &(shown_t){ .session_id = session->id,
                                     .scopes = "[\"" AUTH_SCOPE_ALL "\"]",
                                     .expires_ms = session->expires_ms },
                         now_ms);
}

/* After the answer: nobody waits for it, and losing it does no harm. */
static void s_touch(db_t *db, const char *key_id, int64_t now_ms)
{
    if (DB_WRITE_ONE(db, &auth_store_touch_key, NULL, DB_P_TEXT("id", key_id),
                     DB_P_INT("now", now_ms)) != DB_OK)
        LOG(LOG_WARN, "auth.key_not_touched", LOG_TEXT("key", key_id));
}

static void s_identify_key(call_t *call, auth_t *self, db_conn_t *conn, const char *text)
{
    char id[ID_UUID_SIZE] = "";
    uint8_t secret[TOKEN_BYTES] = { 0 }, hash[TOKEN_BYTES], expected[TOKEN_BYTES] = { 0 };
    const api_key_t *key = NULL;
    const user_t *user = NULL;
    const int64_t now_ms = clock_wall_ms();
    db_status_t status = DB_OK;
    if (token_read_key(text, id, secret))
        status = auth_store_key(conn, call_arena(call), id, expected, &key);
    token_hash(secret, hash);
    bool fits = sodium_memcmp(hash, expected, sizeof hash) == 0 && key && !key->revoked_ms &&
                (!key->expires_ms || key->expires_ms > now_ms);
    if (status == DB_OK && fits)
        status = auth_store_user(conn, call_arena(call), key->user_id, &user);
    if (!auth_require_ok(call, status))
        return;
    if (!fits || !s_is_active(user)) {
        s_refuse_identity(call);
        return;
    }
    bool is_due = now_ms - key->last_used_ms >= TOUCH_EACH_MS;
    s_reply_identity(call, user,
                     &(shown_t){ .key_id = key->id,
                                 .scopes = key->scopes,
                                 .expires_ms = key->expires_ms,
                                 .signs = key->signs },
                     now_ms);
    if (is_due)
        s_touch(self->db, id, now_ms);
}

void auth_on_identify(call_t *call, void *arg)
{
    const char *key = call_text(call, "key"), *user = call_text(call, "user"),
               *session = call_text(call, "session");
    db_conn_t *conn = auth_require_conn(call);
    if (!conn)
        return;
    if (key)
        s_identify_key(call, arg, conn, key);
    else if (user && session)
        s_identify_session(call, conn, user, session);
    else
        call_fail(call, ERROR_VALIDATION_FAILED, "Give a key, or else user and session");
}
