/* SPDX-License-Identifier: MPL-2.0
 *
 * store_invites - invitations
 */
#include "config.h"

#include "actors/auth/store.h"

/* ---- invitations ----------------------------------------------------------------------------- */

#define INVITE                                                                                     \
    "SELECT id, email, account_id, role, tier, created_at, expires_at, used_at FROM invites"

static const db_sql_t s_add = {
    "auth.add_invite",
    "INSERT INTO invites (id, hash, email, account_id, role, tier, created_at, expires_at)"
    " VALUES ($id, $hash, $email, $account, $role, $tier, $created, $expires)",
    NULL
};
static const db_sql_t s_get = { "auth.invite", INVITE " WHERE hash = $hash", NULL };
static const db_sql_t s_use = {
    "auth.use_invite", "UPDATE invites SET used_at = $now WHERE id = $id AND used_at IS NULL", NULL
};
static const db_sql_t s_list = { "auth.invites",
                                 INVITE " WHERE (created_at, id) < ($at, $id)"
                                        " ORDER BY created_at DESC, id DESC LIMIT $limit",
                                 NULL };
static const db_sql_t s_delete = { "auth.delete_invite", "DELETE FROM invites WHERE id = $id",
                                   NULL };

const db_sql_t *const auth_store_invite_lists[] = { &s_list, NULL };

static invite_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (invite_t){
        .id = db_dup_text(rows, arena, "id"),
        .email = db_dup_text(rows, arena, "email"),
        .account_id = db_dup_text(rows, arena, "account_id"),
        .role = db_dup_text(rows, arena, "role"),
        .tier = db_dup_text(rows, arena, "tier"),
        .created_ms = db_int(rows, "created_at"),
        .expires_ms = db_int(rows, "expires_at"),
        .used_ms = db_int(rows, "used_at"),
    };
}

db_status_t auth_store_add_invite(db_conn_t *conn, const invite_t *invite,
                                  const uint8_t hash[TOKEN_BYTES])
{
    return DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", invite->id),
                  DB_P_BLOB("hash", hash, TOKEN_BYTES), DB_P_TEXT("email", invite->email),
                  DB_P_TEXT("account", invite->account_id), DB_P_TEXT("role", invite->role),
                  DB_P_TEXT("tier", invite->tier), DB_P_INT("created", invite->created_ms),
                  DB_P_INT("expires", invite->expires_ms));
}

db_status_t auth_store_invite(db_conn_t *conn, arena_t *arena, const uint8_t hash[TOKEN_BYTES],
                              const invite_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_BLOB("hash", hash, TOKEN_BYTES));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        invite_t *invite = arena_alloc(arena, sizeof *invite);
        *invite = s_read(rows, arena);
        *found = invite;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_use_invite(db_conn_t *conn, const char *id, int64_t now_ms, bool *changed)
{
    return STORE_CHANGE(conn, &s_use, changed, DB_P_TEXT("id", id), DB_P_INT("now", now_ms));
}

db_status_t auth_store_invites(db_conn_t *conn, arena_t *arena, const cursor_t *from, size_t limit,
                               invites_t *invites)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_list, &rows, DB_P_INT("at", from->at_ms),
                                DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    *invites = (invites_t){ 0 };
    if (status != DB_OK)
        return status;
    invite_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        list[invites->count++] = s_read(rows, arena);
    invites->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_delete_invite(db_conn_t *conn, const char *id, bool *changed)
{
    return STORE_CHANGE(conn, &s_delete, changed, DB_P_TEXT("id", id));
}
