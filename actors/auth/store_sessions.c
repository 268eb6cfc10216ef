/* SPDX-License-Identifier: MPL-2.0
 *
 * store_sessions - sessions, refresh tokens, and the removal of what is over
 */
#include "config.h"

#include "actors/auth/store.h"

#define SESSION                                                                                    \
    "SELECT id, user_id, address, created_at, last_used_at, expires_at, revoked_at FROM sessions"

static const db_sql_t s_add = {
    "auth.add_session",
    "INSERT INTO sessions (id, user_id, address, created_at, last_used_at, expires_at)"
    " VALUES ($id, $user, $address, $created, $created, $expires)",
    NULL
};
static const db_sql_t s_get = { "auth.session", SESSION " WHERE id = $id", NULL };
static const db_sql_t s_lock = { "auth.lock_session", SESSION " WHERE id = $id",
                                 SESSION " WHERE id = $id FOR UPDATE" };
static const db_sql_t s_list = {
    "auth.sessions",
    SESSION " WHERE user_id = $user AND (created_at, id) < ($at, $id) AND revoked_at IS NULL"
            " AND expires_at > $now ORDER BY created_at DESC, id DESC LIMIT $limit",
    NULL
};
static const db_sql_t s_renew = {
    "auth.renew_session",
    "UPDATE sessions SET last_used_at = $now, expires_at = $expires WHERE id = $id", NULL
};
static const db_sql_t s_revoke = {
    "auth.revoke_session",
    "UPDATE sessions SET revoked_at = $now WHERE id = $id AND user_id = $user AND revoked_at IS"
    " NULL",
    NULL
};
static const db_sql_t s_revoke_all = {
    "auth.revoke_sessions",
    "UPDATE sessions SET revoked_at = $now WHERE user_id = $user AND id <> $kept AND revoked_at IS"
    " NULL AND expires_at > $now",
    NULL
};

const db_sql_t *const auth_store_session_lists[] = { &s_list, NULL };

static session_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (session_t){
        .id = db_dup_text(rows, arena, "id"),
        .user_id = db_dup_text(rows, arena, "user_id"),
        .address = db_dup_text(rows, arena, "address"),
        .created_ms = db_int(rows, "created_at"),
        .last_used_ms = db_int(rows, "last_used_at"),
        .expires_ms = db_int(rows, "expires_at"),
        .revoked_ms = db_int(rows, "revoked_at"),
    };
}

db_status_t auth_store_add_session(db_conn_t *conn, const session_t *session)
{
    return DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", session->id),
                  DB_P_TEXT("user", session->user_id), DB_P_TEXT("address", session->address),
                  DB_P_INT("created", session->created_ms),
                  DB_P_INT("expires", session->expires_ms));
}

static db_status_t s_find(db_conn_t *conn, const db_sql_t *sql, arena_t *arena, const char *id,
                          const session_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, sql, &rows, DB_P_TEXT("id", id));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        session_t *session = arena_alloc(arena, sizeof *session);
        *session = s_read(rows, arena);
        *found = session;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_session(db_conn_t *conn, arena_t *arena, const char *id,
                               const session_t **found)
{
    return s_find(conn, &s_get, arena, id, found);
}

db_status_t auth_store_lock_session(db_conn_t *conn, arena_t *arena, const char *id,
                                    const session_t **found)
{
    return s_find(conn, &s_lock, arena, id, found);
}

db_status_t auth_store_sessions(db_conn_t *conn, arena_t *arena, const char *user_id,
                                int64_t now_ms, const cursor_t *from, size_t limit,
                                sessions_t *sessions)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_list, &rows, DB_P_TEXT("user", user_id),
                                DB_P_INT("now", now_ms), DB_P_INT("at", from->at_ms),
                                DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    *sessions = (sessions_t){ 0 };
    if (status != DB_OK)
        return status;
    session_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        list[sessions->count++] = s_read(rows, arena);
    sessions->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_renew_session(db_conn_t *conn, const char *id, int64_t now_ms,
                                     int64_t expires_ms)
{
    return DB_RUN(conn, &s_renew, NULL, DB_P_TEXT("id", id), DB_P_INT("now", now_ms),
                  DB_P_INT("expires", expires_ms));
}

db_status_t auth_store_revoke_session(db_conn_t *conn, const char *user_id, const char *id,
                                      int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_revoke, changed, DB_P_TEXT("id", id), DB_P_TEXT("user", user_id),
                        DB_P_INT("now", now_ms));
}

db_status_t auth_store_revoke_sessions(db_conn_t *conn, const char *user_id, const char *kept,
                                       int64_t now_ms, int64_t *count)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_revoke_all, &rows, DB_P_TEXT("user", user_id),
                                DB_P_TEXT("kept", kept), DB_P_INT("now", now_ms));
    *count = 0;
    if (status != DB_OK)
        return status;
    *count = db_changed(rows);
    db_rows_close(&rows);
    return DB_OK;
}

/* ---- refresh tokens -------------------------------------------------------------------------- */

static const db_sql_t s_add_refresh = {
    "auth.add_refresh",
    "INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ($hash, $session, $now)", NULL
};
static const db_sql_t s_refresh = {
    "auth.refresh", "SELECT session_id, used_at FROM refresh_tokens WHERE hash = $hash", NULL
};
static const db_sql_t s_use_refresh = {
    "auth.use_refresh", "UPDATE refresh_tokens SET used_at = $now WHERE hash = $hash", NULL
};

db_status_t auth_store_add_refresh(db_conn_t *conn, const uint8_t hash[TOKEN_BYTES],
                                   const char *session_id, int64_t now_ms)
{
    return DB_RUN(conn, &s_add_refresh, NULL, DB_P_BLOB("hash", hash, TOKEN_BYTES),
                  DB_P_TEXT("session", session_id), DB_P_INT("now", now_ms));
}

db_status_t auth_store_refresh(db_conn_t *conn, arena_t *arena, const uint8_t hash[TOKEN_BYTES],
                               const refresh_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_refresh, &rows, DB_P_BLOB("hash", hash, TOKEN_BYTES));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        refresh_t *refresh = arena_alloc(arena, sizeof *refresh);
        *refresh = (refresh_t){ .session_id = db_dup_text(rows, arena, "session_id"),
                                .used_ms = db_int(rows, "used_at") };
        *found = refresh;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_use_refresh(db_conn_t *conn, const uint8_t hash[TOKEN_BYTES], int64_t now_ms)
{
    return DB_RUN(conn, &s_use_refresh, NULL, DB_P_BLOB("hash", hash, TOKEN_BYTES),
                  DB_P_INT("now", now_ms));
}

/* ---- what is over ---------------------------------------------------------------------------- */

#define OVER "SELECT id FROM sessions WHERE expires_at < $before ORDER BY expires_at LIMIT 500"

static const db_sql_t s_purge_sessions = { "auth.purge_sessions",
                                           "DELETE FROM sessions WHERE id IN (" OVER ")",
                                           "DELETE FROM sessions WHERE id IN (" OVER
                                           " FOR UPDATE SKIP LOCKED)" };
static const db_sql_t s_purge_codes = { "auth.purge_codes",
                                        "DELETE FROM codes WHERE expires_at < $now", NULL };
static const db_sql_t s_purge_mails = { "auth.purge_mails",
                                        "DELETE FROM mails WHERE expires_at < $now", NULL };
static const db_sql_t s_purge_signing_keys = { "auth.purge_signing_keys",
                                               "DELETE FROM signing_keys WHERE expires_at < $now",
                                               NULL };

db_status_t auth_store_purge(db_conn_t *conn, int64_t before_ms, int64_t now_ms, int64_t *count)
{
    static const db_sql_t *const others[] = { &s_purge_codes, &s_purge_mails,
                                              &s_purge_signing_keys };
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_purge_sessions, &rows, DB_P_INT("before", before_ms));
    *count = 0;
    if (status != DB_OK)
        return status;
    *count = db_changed(rows);
    db_rows_close(&rows);
    for (size_t i = 0; i < COUNT_OF(others) && status == DB_OK; i++)
        status = DB_RUN(conn, others[i], NULL, DB_P_INT("now", now_ms));
    return status;
}
