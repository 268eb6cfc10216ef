/* SPDX-License-Identifier: MPL-2.0
 *
 * store_keys - API keys, and the keys that access tokens are signed with
 */
#include "config.h"

#include <string.h>

#include "actors/auth/store.h"
#include "actors/base/text.h"

/* ---- API keys -------------------------------------------------------------------------------- */

#define KEY                                                                                        \
    "SELECT k.id AS id, k.user_id AS user_id, k.name AS name, k.hash AS hash, k.scopes AS scopes," \
    " k.created_at AS created_at, k.expires_at AS expires_at, k.last_used_at AS last_used_at,"     \
    " k.revoked_at AS revoked_at,"                                                                 \
    " (SELECT count(*) FROM signing_secrets s WHERE s.key_id = k.id) AS signs, (SELECT a.tier "    \
    "FROM users u JOIN accounts a"                                                                 \
    " ON a.id = u.account_id WHERE u.id = k.user_id) AS tier FROM api_keys k"

static const db_sql_t s_add = {
    "auth.add_key",
    "INSERT INTO api_keys (id, user_id, name, hash, scopes, created_at, expires_at)"
    " VALUES ($id, $user, $name, $hash, $scopes, $created, $expires)",
    NULL
};
static const db_sql_t s_get = { "auth.key", KEY " WHERE k.id = $id", NULL };
static const db_sql_t s_list = { "auth.keys",
                                 KEY
                                 " WHERE k.user_id = $user AND (k.created_at, k.id) < ($at, $id)"
                                 " ORDER BY k.created_at DESC, k.id DESC LIMIT $limit",
                                 NULL };
static const db_sql_t s_count = {
    "auth.count_keys",
    "SELECT count(*) AS n FROM api_keys WHERE user_id = $user AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > $now)",
    NULL
};
static const db_sql_t s_revoke = {
    "auth.revoke_key",
    "UPDATE api_keys SET revoked_at = $now WHERE id = $id AND ($user = '' OR user_id = $user)"
    " AND revoked_at IS NULL",
    NULL
};
const db_sql_t auth_store_touch_key = { "auth.touch_key",
                                        "UPDATE api_keys SET last_used_at = $now WHERE id = $id",
                                        NULL };

const db_sql_t *const auth_store_key_lists[] = { &s_list, NULL };

static api_key_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (api_key_t){
        .id = db_dup_text(rows, arena, "id"),
        .user_id = db_dup_text(rows, arena, "user_id"),
        .name = db_dup_text(rows, arena, "name"),
        .scopes = db_dup_text(rows, arena, "scopes"),
        .tier = db_dup_text(rows, arena, "tier"),
        .created_ms = db_int(rows, "created_at"),
        .expires_ms = db_int(rows, "expires_at"),
        .last_used_ms = db_int(rows, "last_used_at"),
        .revoked_ms = db_int(rows, "revoked_at"),
        .signs = db_int(rows, "signs") != 0,
    };
}

static void s_read_bytes(const db_rows_t *rows, const char *column, uint8_t *to, size_t room)
{
    size_t size;
    const uint8_t *bytes = db_blob(rows, column, &size);
    insist(size == room); /* the table says so */
    memcpy(to, bytes, size);
}

db_status_t auth_store_add_key(db_conn_t *conn, const api_key_t *key,
                               const uint8_t hash[TOKEN_BYTES])
{
    return DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", key->id), DB_P_TEXT("user", key->user_id),
                  DB_P_TEXT("name", key->name), DB_P_BLOB("hash", hash, TOKEN_BYTES),
                  DB_P_TEXT("scopes", key->scopes), DB_P_INT("created", key->created_ms),
                  auth_store_time("expires", key->expires_ms));
}

db_status_t auth_store_key(db_conn_t *conn, arena_t *arena, const char *id,
                           uint8_t hash[TOKEN_BYTES], const api_key_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("id", id));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        api_key_t *key = arena_alloc(arena, sizeof *key);
        *key = s_read(rows, arena);
        s_read_bytes(rows, "hash", hash, TOKEN_BYTES);
        *found = key;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_keys(db_conn_t *conn, arena_t *arena, const char *user_id,
                            const cursor_t *from, size_t limit, api_keys_t *keys)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_list, &rows, DB_P_TEXT("user", user_id), DB_P_INT("at", from->at_ms),
               DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    *keys = (api_keys_t){ 0 };
    if (status != DB_OK)
        return status;
    api_key_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        list[keys->count++] = s_read(rows, arena);
    keys->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_count_keys(db_conn_t *conn, const char *user_id, int64_t now_ms,
                                  int64_t *count)
{
    return DB_NUMBER(conn, &s_count, "n", count, DB_P_TEXT("user", user_id),
                     DB_P_INT("now", now_ms));
}

db_status_t auth_store_revoke_key(db_conn_t *conn, const char *user_id, const char *id,
                                  int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_revoke, changed, DB_P_TEXT("id", id), DB_P_TEXT("user", user_id),
                        DB_P_INT("now", now_ms));
}

/* ---- signing keys ---------------------------------------------------------------------------- */

static const db_sql_t s_signing_keys = {
    "auth.signing_keys",
    "SELECT kid, x, seed, created_at, signs_from, expires_at FROM signing_keys"
    " ORDER BY signs_from, kid",
    NULL
};
static const db_sql_t s_add_signing_key = {
    "auth.add_signing_key",
    "INSERT INTO signing_keys (kid, x, seed, created_at, signs_from)"
    " VALUES ($kid, $x, $seed, $now, $from)",
    NULL
};
static const db_sql_t s_end_signing_keys = {
    "auth.end_signing_keys",
    "UPDATE signing_keys SET expires_at = $expires WHERE expires_at IS NULL", NULL
};

db_status_t auth_store_signing_keys(db_conn_t *conn, signing_key_t keys[STORE_SIGNING_KEYS],
                                    size_t *count)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_signing_keys, &rows);
    *count = 0;
    if (status != DB_OK)
        return status;
    while (*count < STORE_SIGNING_KEYS && db_next(rows)) {
        signing_key_t *key = &keys[(*count)++];
        const char *kid = db_text(rows, "kid");
        size_t size;
        const uint8_t *seed = db_blob(rows, "seed", &size);
        *key = (signing_key_t){ .signs_from_ms = db_int(rows, "signs_from") };
        text_copy(key->key.kid, sizeof key->key.kid, kid, strlen(kid));
        s_read_bytes(rows, "x", key->key.x, sizeof key->key.x);
        key->key.not_before_ms = db_int(rows, "created_at");
        key->key.expires_at_ms =
            db_is_null(rows, "expires_at") ? INT64_MAX : db_int(rows, "expires_at");
        buf_add(&key->seed, seed, size);
    }
    return db_rows_end(rows);
}

db_status_t auth_store_add_signing_key(db_conn_t *conn, const signing_key_t *key, int64_t now_ms)
{
    return DB_RUN(conn, &s_add_signing_key, NULL, DB_P_TEXT("kid", key->key.kid),
                  DB_P_BLOB("x", key->key.x, sizeof key->key.x),
                  DB_P_BLOB("seed", key->seed.bytes, key->seed.size), DB_P_INT("now", now_ms),
                  DB_P_INT("from", key->signs_from_ms));
}

db_status_t auth_store_end_signing_keys(db_conn_t *conn, int64_t expires_ms)
{
    return DB_RUN(conn, &s_end_signing_keys, NULL, DB_P_INT("expires", expires_ms));
}
