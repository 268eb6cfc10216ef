/* SPDX-License-Identifier: MPL-2.0
 *
 * store_signing - what requests are signed with
 */
#include "config.h"

#include "actors/auth/store.h"

#define WORKS " k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $now)"
#define SET(secret)                                                                                \
    "INSERT INTO signing_secrets (key_id, secret, created_at)"                                     \
    " SELECT k.id, " secret                                                                        \
    ", $now FROM api_keys k WHERE k.id = $key AND k.user_id = $user AND" WORKS                     \
    " ON CONFLICT (key_id) DO UPDATE SET secret = excluded.secret,"                                \
    " created_at = excluded.created_at"

static const db_sql_t s_set = { "auth.set_signing", SET("$secret"), SET("CAST($secret AS bytea)") };
static const db_sql_t s_delete = {
    "auth.delete_signing",
    "DELETE FROM signing_secrets WHERE key_id = $key AND EXISTS"
    " (SELECT 1 FROM api_keys k WHERE k.id = $key AND k.user_id = $user)",
    NULL
};
static const db_sql_t s_get = {
    "auth.signing",
    "SELECT s.secret AS secret FROM signing_secrets s JOIN api_keys k ON k.id = s.key_id"
    " WHERE s.key_id = $key AND" WORKS,
    NULL
};

db_status_t auth_store_set_signing(db_conn_t *conn, const char *user_id, const char *key_id,
                                   const buf_t *secret, int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_set, changed, DB_P_TEXT("user", user_id), DB_P_TEXT("key", key_id),
                        DB_P_BLOB("secret", secret->bytes, secret->size), DB_P_INT("now", now_ms));
}

db_status_t auth_store_delete_signing(db_conn_t *conn, const char *user_id, const char *key_id,
                                      bool *changed)
{
    return STORE_CHANGE(conn, &s_delete, changed, DB_P_TEXT("user", user_id),
                        DB_P_TEXT("key", key_id));
}

db_status_t auth_store_signing(db_conn_t *conn, const char *key_id, int64_t now_ms, buf_t *secret)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_get, &rows, DB_P_TEXT("key", key_id), DB_P_INT("now", now_ms));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        const uint8_t *bytes = db_blob(rows, "secret", &size);
        buf_add(secret, bytes, size);
    }
    return db_rows_end(rows);
}
