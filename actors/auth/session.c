/* SPDX-License-Identifier: MPL-2.0
 *
 * session - signing in as a thing: its refresh tokens, one after the other, and its end
 *
 * Each token follows from the one before by a key only we have (vault_next_token). So a client that
 * did not get the answer, and asks again with the same token, gets the same next one: two answers
 * to one question never make two lines of tokens.
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"

#define MS_PER_DAY INT64_C(86400000)

void session_prepare(fresh_t *fresh)
{
    id_uuid7(fresh->id);
    id_random(fresh->token, sizeof fresh->token);
}

static int64_t s_expires_ms(int64_t now_ms)
{
    return now_ms + auth_settings.session_days * MS_PER_DAY;
}

db_status_t session_open(db_conn_t *conn, const deed_t *deed, const char *user_id,
                         const fresh_t *fresh)
{
    uint8_t hash[TOKEN_BYTES];
    const session_t session = { .id = fresh->id,
                                .user_id = user_id,
                                .address = deed->audit.address,
                                .created_ms = deed->now_ms,
                                .expires_ms = s_expires_ms(deed->now_ms) };
    token_hash(fresh->token, hash);
    db_status_t status = auth_store_add_session(conn, &session);
    return status == DB_OK ? auth_store_add_refresh(conn, hash, fresh->id, deed->now_ms) : status;
}

/* ---- refreshing ------------------------------------------------------------------------------ */

typedef struct {
    deed_t deed;
    const uint8_t *token;
    uint8_t hash[TOKEN_BYTES], next_hash[TOKEN_BYTES];
    refreshed_t *result;
} refreshing_t;

/* The session is locked first and the token read then: of two who come at once, the second one sees
 * what the first one did. */
static db_status_t s_find(db_conn_t *conn, refreshing_t *self, const refresh_t **refresh,
                          const session_t **session)
{
    arena_t *arena = self->deed.arena;
    db_status_t status = auth_store_refresh(conn, arena, self->hash, refresh);
    if (status == DB_OK && *refresh)
        status = auth_store_lock_session(conn, arena, (*refresh)->session_id, session);
    if (status == DB_OK && *session)
        status = auth_store_refresh(conn, arena, self->hash, refresh);
    if (status == DB_OK && *refresh && *session)
        status = auth_store_user(conn, arena, (*session)->user_id, &self->result->user);
    return status;
}

static db_status_t s_step(db_conn_t *conn, refreshing_t *self, const session_t *session)
{
    const int64_t now_ms = self->deed.now_ms;
    db_status_t status = auth_store_use_refresh(conn, self->hash, now_ms);
    if (status == DB_OK)
        status = auth_store_add_refresh(conn, self->next_hash, session->id, now_ms);
    if (status == DB_OK)
        status = auth_store_renew_session(conn, session->id, now_ms, s_expires_ms(now_ms));
    return status;
}

/* A used token within the grace, while its successor has not been used, is a retry. */
static db_status_t s_look_for_retry(db_conn_t *conn, refreshing_t *self, const refresh_t *refresh,
                                    bool *is_retry)
{
    const refresh_t *next;
    db_status_t status = auth_store_refresh(conn, self->deed.arena, self->next_hash, &next);
    *is_retry = status == DB_OK && next && next->used_ms == 0 &&
                self->deed.now_ms - refresh->used_ms <= REFRESH_GRACE_MS;
    return status;
}

static db_status_t s_revoke(db_conn_t *conn, refreshing_t *self, const session_t *session)
{
    bool changed;
    deed_t *deed = &self->deed;
    deed->audit.action = "session.token_reused";
    deed->audit.changed = "session";
    deed->audit.target = session->id;
    deed->audit.user_id = session->user_id;
    db_status_t status =
        auth_store_revoke_session(conn, session->user_id, session->id, deed->now_ms, &changed);
    return status == DB_OK ? auth_record(conn, deed) : status;
}

static db_status_t s_refresh_work(db_conn_t *conn, void *arg)
{
    refreshing_t *self = arg;
    refreshed_t *result = self->result;
    const refresh_t *refresh = NULL;
    const session_t *session = NULL;
    bool is_retry = false;
    *result = (refreshed_t){ .verdict = REFRESH_UNKNOWN };
    db_status_t status = s_find(conn, self, &refresh, &session);
    if (status != DB_OK || !refresh || !session)
        return status;
    result->verdict = REFRESH_ENDED;
    if (session->revoked_ms || session->expires_ms <= self->deed.now_ms || !result->user ||
        strcmp(result->user->status, "active") != 0)
        return DB_OK;
    if (refresh->used_ms)
        status = s_look_for_retry(conn, self, refresh, &is_retry);
    else
        status = s_step(conn, self, session);
    if (status != DB_OK)
        return status;
    if (refresh->used_ms && !is_retry) {
        result->verdict = REFRESH_REUSED;
        return s_revoke(conn, self, session);
    }
    result->verdict = REFRESH_GOOD;
    memcpy(result->fresh.id, session->id, ID_UUID_SIZE);
    vault_next_token(&self->deed.auth->vault, self->token, result->fresh.token);
    return DB_OK;
}

db_status_t session_refresh(const deed_t *deed, const uint8_t token[TOKEN_BYTES],
                            refreshed_t *result)
{
    uint8_t next[TOKEN_BYTES];
    refreshing_t refreshing = { .deed = *deed, .token = token, .result = result };
    token_hash(token, refreshing.hash);
    vault_next_token(&deed->auth->vault, token, next);
    token_hash(next, refreshing.next_hash);
    mem_wipe(next, sizeof next);
    return db_write(deed->auth->db, s_refresh_work, &refreshing);
}

/* ---- ending ---------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    uint8_t hash[TOKEN_BYTES];
    bool ended;
} ending_t;

static db_status_t s_end_work(db_conn_t *conn, void *arg)
{
    ending_t *self = arg;
    const refresh_t *refresh;
    const session_t *session = NULL;
    self->ended = false;
    db_status_t status = auth_store_refresh(conn, self->deed.arena, self->hash, &refresh);
    if (status == DB_OK && refresh)
        status = auth_store_session(conn, self->deed.arena, refresh->session_id, &session);
    if (status != DB_OK || !session)
        return status;
    self->deed.audit.target = session->id;
    self->deed.audit.user_id = session->user_id;
    status = auth_store_revoke_session(conn, session->user_id, session->id, self->deed.now_ms,
                                       &self->ended);
    return status == DB_OK && self->ended ? auth_record(conn, &self->deed) : status;
}

db_status_t session_end(const deed_t *deed, const uint8_t token[TOKEN_BYTES], bool *ended)
{
    ending_t ending = { .deed = *deed };
    token_hash(token, ending.hash);
    db_status_t status = db_write(deed->auth->db, s_end_work, &ending);
    *ended = status == DB_OK && ending.ended;
    return status;
}

/* ---- the reply ------------------------------------------------------------------------------- */

static void s_add_role(principal_t *who, const char *role)
{
    memcpy(who->roles[who->role_count++], role, strlen(role) + 1);
}

void session_roles(const user_t *user, principal_t *who)
{
    s_add_role(who, "user");
    if (strcmp(user->role, "user") != 0)
        s_add_role(who, user->role);
    if (user->is_owner)
        s_add_role(who, "owner");
}

static void s_sign(auth_t *self, const user_t *user, const fresh_t *fresh, int64_t now_ms,
                   buf_t *out)
{
    jwt_claims_t claims = { .issued_s = now_ms / 1000,
                            .expires_s = now_ms / 1000 + auth_settings.access_s,
                            .principal = { .scope_count = 1, .scopes = { AUTH_SCOPE_ALL } } };
    principal_t *who = &claims.principal;
    memcpy(who->user, user->id, strlen(user->id) + 1);
    memcpy(who->account, user->account_id, strlen(user->account_id) + 1);
    memcpy(who->tier, user->tier, strlen(user->tier) + 1);
    memcpy(who->session, fresh->id, ID_UUID_SIZE);
    session_roles(user, who);
    id_uuid7(claims.id);
    keyring_sign(&self->keyring, auth_settings.issuer, auth_settings.audience, &claims, now_ms,
                 out);
}

void session_reply(call_t *call, auth_t *self, const user_t *user, const fresh_t *fresh,
                   int64_t now_ms, bool has_step)
{
    pack_t *pack = call_pack(call);
    char refresh[TOKEN_SIZE];
    buf_t token = { 0 };
    s_sign(self, user, fresh, now_ms, &token);
    pack_map(pack, has_step ? 7 : 6);
    if (has_step)
        pack_pair_text(pack, "step", "done");
    pack_pair_text(pack, "access_token", buf_text(&token));
    pack_pair_text(pack, "token_type", "Bearer");
    pack_pair_int(pack, "expires_in", auth_settings.access_s);
    pack_pair_text(pack, "refresh_token", token_write(TOKEN_REFRESH, fresh->token, refresh));
    pack_pair_text(pack, "session_id", fresh->id);
    pack_text(pack, "user");
    auth_reply_user(pack, user);
    buf_free(&token);
    mem_wipe(refresh, sizeof refresh);
    call_reply(call, 0);
}
