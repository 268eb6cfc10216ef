/* SPDX-License-Identifier: MPL-2.0
 *
 * store_codes - codes that prove an address or stand for a password
 */
#include "config.h"

#include "actors/auth/store.h"

static const db_sql_t s_drop = { "auth.drop_codes",
                                 "DELETE FROM codes WHERE user_id = $user AND purpose = $purpose",
                                 NULL };
static const db_sql_t s_add = {
    "auth.add_code",
    "INSERT INTO codes (hash, purpose, user_id, email, created_at, expires_at)"
    " VALUES ($hash, $purpose, $user, $email, $now, $expires)",
    NULL
};
static const db_sql_t s_find = { "auth.find_code",
                                 "SELECT user_id, email FROM codes WHERE hash = $hash AND purpose ="
                                 " $purpose AND expires_at > $now",
                                 NULL };
static const db_sql_t s_take = { "auth.take_code",
                                 "DELETE FROM codes WHERE hash = $hash AND purpose = $purpose AND"
                                 " expires_at > $now RETURNING user_id, email",
                                 NULL };
static const db_sql_t s_has = { "auth.has_code",
                                "SELECT hash FROM codes WHERE user_id = $user AND purpose ="
                                " $purpose AND created_at > $since LIMIT 1",
                                NULL };

const db_sql_t *const auth_store_code_lists[] = { &s_drop, &s_find, &s_has, NULL };

db_status_t auth_store_drop_codes(db_conn_t *conn, const char *user_id, const char *purpose)
{
    return DB_RUN(conn, &s_drop, NULL, DB_P_TEXT("user", user_id), DB_P_TEXT("purpose", purpose));
}

db_status_t auth_store_add_code(db_conn_t *conn, const stored_code_t *code)
{
    db_status_t status = auth_store_drop_codes(conn, code->user_id, code->purpose);
    if (status != DB_OK)
        return status;
    return DB_RUN(conn, &s_add, NULL, DB_P_BLOB("hash", code->hash, TOKEN_BYTES),
                  DB_P_TEXT("purpose", code->purpose), DB_P_TEXT("user", code->user_id),
                  DB_P_TEXT("email", code->email), DB_P_INT("now", code->created_ms),
                  DB_P_INT("expires", code->expires_ms));
}

static db_status_t s_read(db_conn_t *conn, const db_sql_t *sql, arena_t *arena, int64_t now_ms,
                          stored_code_t *code)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, sql, &rows, DB_P_BLOB("hash", code->hash, TOKEN_BYTES),
                                DB_P_TEXT("purpose", code->purpose), DB_P_INT("now", now_ms));
    code->user_id = code->email = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        code->user_id = db_dup_text(rows, arena, "user_id");
        code->email = db_dup_text(rows, arena, "email");
    }
    return db_rows_end(rows);
}

db_status_t auth_store_find_code(db_conn_t *conn, arena_t *arena, int64_t now_ms,
                                 stored_code_t *code)
{
    return s_read(conn, &s_find, arena, now_ms, code);
}

db_status_t auth_store_take_code(db_conn_t *conn, arena_t *arena, int64_t now_ms,
                                 stored_code_t *code)
{
    return s_read(conn, &s_take, arena, now_ms, code);
}

db_status_t auth_store_has_code(db_conn_t *conn, const char *user_id, const char *purpose,
                                int64_t since_ms, bool *has)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_has, &rows, DB_P_TEXT("user", user_id),
                                DB_P_TEXT("purpose", purpose), DB_P_INT("since", since_ms));
    *has = false;
    if (status != DB_OK)
        return status;
    *has = db_next(rows);
    return db_rows_end(rows);
}
