/* SPDX-License-Identifier: MPL-2.0
 *
 * store_factors - second factors: secrets of one-time passwords, and recovery codes
 */
#include "config.h"

#include "actors/auth/store.h"

static const db_sql_t s_set = {
    "auth.set_factor",
    "INSERT INTO second_factors (user_id, secret, created_at) VALUES ($user, $secret, $now)"
    " ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret,"
    " created_at = excluded.created_at WHERE second_factors.confirmed_at IS NULL",
    NULL
};
static const db_sql_t s_get = {
    "auth.factor",
    "SELECT secret, confirmed_at, last_step FROM second_factors WHERE user_id = $user", NULL
};
static const db_sql_t s_confirm = {
    "auth.confirm_factor",
    "UPDATE second_factors SET confirmed_at = $now, last_step = $step WHERE user_id = $user AND"
    " confirmed_at IS NULL",
    NULL
};
static const db_sql_t s_step = {
    "auth.step_factor",
    "UPDATE second_factors SET last_step = $step WHERE user_id = $user AND confirmed_at IS NOT NULL"
    " AND last_step < $step",
    NULL
};
static const db_sql_t s_drop = { "auth.drop_factor",
                                 "DELETE FROM second_factors WHERE user_id = $user", NULL };
static const db_sql_t s_add_recovery = {
    "auth.add_recovery", "INSERT INTO recovery_codes (hash, user_id) VALUES ($hash, $user)", NULL
};
static const db_sql_t s_take_recovery = {
    "auth.take_recovery", "DELETE FROM recovery_codes WHERE hash = $hash AND user_id = $user", NULL
};

db_status_t auth_store_set_factor(db_conn_t *conn, const char *user_id, const buf_t *secret,
                                  int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_set, changed, DB_P_TEXT("user", user_id),
                        DB_P_BLOB("secret", secret->bytes, secret->size), DB_P_INT("now", now_ms));
}

db_status_t auth_store_factor(db_conn_t *conn, arena_t *arena, const char *user_id,
                              const factor_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("user", user_id));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        factor_t *factor = arena_alloc(arena, sizeof *factor);
        const uint8_t *secret = db_blob(rows, "secret", &size);
        *factor = (factor_t){ .secret = (const uint8_t *)arena_text(arena, secret, size),
                              .secret_size = size,
                              .confirmed_ms = db_int(rows, "confirmed_at"),
                              .last_step = db_int(rows, "last_step") };
        *found = factor;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_confirm_factor(db_conn_t *conn, const char *user_id, int64_t step,
                                      int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_confirm, changed, DB_P_TEXT("user", user_id),
                        DB_P_INT("step", step), DB_P_INT("now", now_ms));
}

db_status_t auth_store_step_factor(db_conn_t *conn, const char *user_id, int64_t step,
                                   bool *changed)
{
    return STORE_CHANGE(conn, &s_step, changed, DB_P_TEXT("user", user_id), DB_P_INT("step", step));
}

db_status_t auth_store_drop_factor(db_conn_t *conn, const char *user_id, bool *changed)
{
    return STORE_CHANGE(conn, &s_drop, changed, DB_P_TEXT("user", user_id));
}

db_status_t auth_store_add_recovery(db_conn_t *conn, const char *user_id,
                                    const uint8_t hash[TOKEN_BYTES])
{
    return DB_RUN(conn, &s_add_recovery, NULL, DB_P_TEXT("user", user_id),
                  DB_P_BLOB("hash", hash, TOKEN_BYTES));
}

db_status_t auth_store_take_recovery(db_conn_t *conn, const char *user_id,
                                     const uint8_t hash[TOKEN_BYTES], bool *changed)
{
    return STORE_CHANGE(conn, &s_take_recovery, changed, DB_P_TEXT("user", user_id),
                        DB_P_BLOB("hash", hash, TOKEN_BYTES));
}
