/* SPDX-License-Identifier: MPL-2.0
 *
 * store_users - accounts and users
 */
#include "config.h"

#include "actors/auth/store.h"

/* ---- what the files of the store share ------------------------------------------------------- */

db_status_t auth_store_change(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                              size_t count, bool *changed)
{
    int64_t rows;
    db_status_t status = db_change(conn, sql, params, count, &rows);
    *changed = rows > 0;
    return status;
}

/* ---- accounts -------------------------------------------------------------------------------- */

static const db_sql_t s_add_account = { "auth.add_account",
                                        "INSERT INTO accounts (id, name, tier, created_at)"
                                        " VALUES ($id, $name, $tier, $now)",
                                        NULL };
static const db_sql_t s_account = {
    "auth.account", "SELECT id, name, tier, created_at FROM accounts WHERE id = $id", NULL
};
static const db_sql_t s_name_account = { "auth.name_account",
                                         "UPDATE accounts SET name = $name WHERE id = $id", NULL };
static const db_sql_t s_set_tier = { "auth.set_tier",
                                     "UPDATE accounts SET tier = $tier WHERE id = $id", NULL };

db_status_t auth_store_add_account(db_conn_t *conn, const account_t *account)
{
    return DB_RUN(conn, &s_add_account, NULL, DB_P_TEXT("id", account->id),
                  DB_P_TEXT("name", account->name), DB_P_TEXT("tier", account->tier),
                  DB_P_INT("now", account->created_ms));
}

db_status_t auth_store_account(db_conn_t *conn, arena_t *arena, const char *id,
                               const account_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_account, &rows, DB_P_TEXT("id", id));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        account_t *account = arena_alloc(arena, sizeof *account);
        *account = (account_t){ .id = db_dup_text(rows, arena, "id"),
                                .name = db_dup_text(rows, arena, "name"),
                                .tier = db_dup_text(rows, arena, "tier"),
                                .created_ms = db_int(rows, "created_at") };
        *found = account;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_name_account(db_conn_t *conn, const char *id, const char *name,
                                    bool *changed)
{
    return STORE_CHANGE(conn, &s_name_account, changed, DB_P_TEXT("id", id),
                        DB_P_TEXT("name", name));
}

db_status_t auth_store_set_tier(db_conn_t *conn, const char *id, const char *tier, bool *changed)
{
    return STORE_CHANGE(conn, &s_set_tier, changed, DB_P_TEXT("id", id), DB_P_TEXT("tier", tier));
}

/* ---- reading users --------------------------------------------------------------------------- */

#define USER                                                                                       \
    "SELECT u.id AS id, u.account_id AS account_id, u.email AS email, u.email_key AS email_key,"   \
    " u.name AS name, u.role AS role, u.status AS status, u.password AS password,"                 \
    " u.is_owner AS is_owner, u.created_at AS created_at, u.last_login_at AS last_login_at,"       \
    " u.email_verified_at AS email_verified_at,"                                                   \
    " (SELECT f.confirmed_at FROM second_factors f WHERE f.user_id = u.id) AS factor_at,"          \
    " (SELECT a.tier FROM accounts a WHERE a.id = u.account_id) AS tier FROM users u"
#define WINDOW                                                                                     \
    " (u.created_at, u.id) < ($at, $id) ORDER BY u.created_at DESC, u.id DESC LIMIT $limit"

static const db_sql_t s_user = { "auth.user", USER " WHERE u.id = $id", NULL };
static const db_sql_t s_user_by_email = { "auth.user_by_email", USER " WHERE u.email_key = $email",
                                          NULL };
static const db_sql_t s_users = { "auth.users", USER " WHERE" WINDOW, NULL };
static const db_sql_t s_members = { "auth.members",
                                    USER " WHERE u.account_id = $account AND" WINDOW, NULL };
static const db_sql_t s_has_users = { "auth.has_users", "SELECT id FROM users LIMIT 1", NULL };
static const db_sql_t s_owners = {
    "auth.owners",
    "SELECT id FROM users WHERE account_id = $account AND is_owner = 1 AND status = 'active'",
    "SELECT id FROM users WHERE account_id = $account AND is_owner = 1 AND status = 'active'"
    " FOR UPDATE"
};

const db_sql_t *const auth_store_user_lists[] = { &s_users, &s_members, &s_user_by_email, NULL };

static user_t s_read_user(const db_rows_t *rows, arena_t *arena)
{
    return (user_t){
        .id = db_dup_text(rows, arena, "id"),
        .account_id = db_dup_text(rows, arena, "account_id"),
        .email = db_dup_text(rows, arena, "email"),
        .email_key = db_dup_text(rows, arena, "email_key"),
        .name = db_dup_text(rows, arena, "name"),
        .role = db_dup_text(rows, arena, "role"),
        .status = db_dup_text(rows, arena, "status"),
        .password = db_dup_text(rows, arena, "password"),
        .tier = db_dup_text(rows, arena, "tier"),
        .is_owner = db_int(rows, "is_owner") != 0,
        .created_ms = db_int(rows, "created_at"),
        .last_login_ms = db_int(rows, "last_login_at"),
        .verified_ms = db_int(rows, "email_verified_at"),
        .factor_ms = db_int(rows, "factor_at"),
    };
}

static db_status_t s_read_one(db_rows_t *rows, arena_t *arena, const user_t **found)
{
    if (db_next(rows)) {
        user_t *user = arena_alloc(arena, sizeof *user);
        *user = s_read_user(rows, arena);
        *found = user;
    }
    return db_rows_end(rows);
}

static db_status_t s_read_list(db_rows_t *rows, arena_t *arena, size_t limit, users_t *users)
{
    user_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        list[users->count++] = s_read_user(rows, arena);
    users->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_user(db_conn_t *conn, arena_t *arena, const char *id, const user_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_user, &rows, DB_P_TEXT("id", id));
    *found = NULL;
    return status == DB_OK ? s_read_one(rows, arena, found) : status;
}

db_status_t auth_store_user_by_email(db_conn_t *conn, arena_t *arena, const char *email_key,
                                     const user_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_user_by_email, &rows, DB_P_TEXT("email", email_key));
    *found = NULL;
    return status == DB_OK ? s_read_one(rows, arena, found) : status;
}

db_status_t auth_store_users(db_conn_t *conn, arena_t *arena, const cursor_t *from, size_t limit,
                             users_t *users)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_users, &rows, DB_P_INT("at", from->at_ms),
                                DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    *users = (users_t){ 0 };
    return status == DB_OK ? s_read_list(rows, arena, limit, users) : status;
}

db_status_t auth_store_members(db_conn_t *conn, arena_t *arena, const char *account_id,
                               const cursor_t *from, size_t limit, users_t *users)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_members, &rows, DB_P_TEXT("account", account_id),
                                DB_P_INT("at", from->at_ms), DB_P_TEXT("id", from->id),
                                DB_P_INT("limit", (int64_t)limit));
    *users = (users_t){ 0 };
    return status == DB_OK ? s_read_list(rows, arena, limit, users) : status;
}

db_status_t auth_store_has_users(db_conn_t *conn, bool *has)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_has_users, &rows);
    if (status != DB_OK)
        return status;
    *has = db_next(rows);
    return db_rows_end(rows);
}

db_status_t auth_store_count_owners(db_conn_t *conn, const char *account_id, int64_t *count)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_owners, &rows, DB_P_TEXT("account", account_id));
    *count = 0;
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        ++*count;
    return db_rows_end(rows);
}

/* ---- changing users -------------------------------------------------------------------------- */

static const db_sql_t s_add_user = {
    "auth.add_user",
    "INSERT INTO users (id, account_id, email, email_key, name, password, role, is_owner, status,"
    " created_at, email_verified_at, veil) VALUES ($id, $account, $email, $email_key, $name,"
    " $password, $role, $is_owner, 'active', $now, $verified, $veil)",
    NULL
};
static const db_sql_t s_name_user = { "auth.name_user",
                                      "UPDATE users SET name = $name WHERE id = $id", NULL };
static const db_sql_t s_set_email = {
    "auth.set_email",
    "UPDATE users SET email = $email, email_key = $email_key, email_verified_at = $now"
    " WHERE id = $id",
    NULL
};
static const db_sql_t s_set_verified = {
    "auth.set_verified", "UPDATE users SET email_verified_at = $verified WHERE id = $id", NULL
};
static const db_sql_t s_set_password = { "auth.set_password",
                                         "UPDATE users SET password = $password WHERE id = $id",
                                         NULL };
static const db_sql_t s_set_role = {
    "auth.set_role", "UPDATE users SET role = $role, status = $status WHERE id = $id", NULL
};
static const db_sql_t s_logged_in = { "auth.logged_in",
                                      "UPDATE users SET last_login_at = $now WHERE id = $id",
                                      NULL };

db_status_t auth_store_add_user(db_conn_t *conn, const user_t *user)
{
    uint8_t veil[VAULT_KEY_BYTES];
    id_random(veil, sizeof veil);
    return DB_RUN(conn, &s_add_user, NULL, DB_P_TEXT("id", user->id),
                  DB_P_TEXT("account", user->account_id), DB_P_TEXT("email", user->email),
                  DB_P_TEXT("email_key", user->email_key), DB_P_TEXT("name", user->name),
                  DB_P_TEXT("password", user->password), DB_P_TEXT("role", user->role),
                  DB_P_INT("is_owner", user->is_owner), DB_P_INT("now", user->created_ms),
                  auth_store_time("verified", user->verified_ms),
                  DB_P_BLOB("veil", veil, sizeof veil));
}

db_status_t auth_store_name_user(db_conn_t *conn, const char *id, const char *name, bool *changed)
{
    return STORE_CHANGE(conn, &s_name_user, changed, DB_P_TEXT("id", id), DB_P_TEXT("name", name));
}

db_status_t auth_store_set_email(db_conn_t *conn, const char *id, const char *email,
                                 const char *email_key, int64_t now_ms)
{
    return DB_RUN(conn, &s_set_email, NULL, DB_P_TEXT("id", id), DB_P_TEXT("email", email),
                  DB_P_TEXT("email_key", email_key), DB_P_INT("now", now_ms));
}

db_status_t auth_store_set_verified(db_conn_t *conn, const char *id, int64_t verified_ms)
{
    return DB_RUN(conn, &s_set_verified, NULL, DB_P_TEXT("id", id),
                  auth_store_time("verified", verified_ms));
}

db_status_t auth_store_set_password(db_conn_t *conn, const char *id, const char *hash)
{
    return DB_RUN(conn, &s_set_password, NULL, DB_P_TEXT("id", id), DB_P_TEXT("password", hash));
}

db_status_t auth_store_set_role(db_conn_t *conn, const char *id, const char *role,
                                const char *status)
{
    return DB_RUN(conn, &s_set_role, NULL, DB_P_TEXT("id", id), DB_P_TEXT("role", role),
                  DB_P_TEXT("status", status));
}

db_status_t auth_store_logged_in(db_conn_t *conn, const char *id, int64_t now_ms)
{
    return DB_RUN(conn, &s_logged_in, NULL, DB_P_TEXT("id", id), DB_P_INT("now", now_ms));
}
