/* SPDX-License-Identifier: MPL-2.0
 *
 * store_flags - feature flags
 */
#include "config.h"

#include "actors/auth/store.h"

static const db_sql_t s_list = {
    "auth.flags",
    "SELECT name, about, is_enabled, tiers, accounts, percentage, updated_at FROM flags"
    " ORDER BY name",
    NULL
};
static const db_sql_t s_set = {
    "auth.set_flag",
    "INSERT INTO flags (name, about, is_enabled, tiers, accounts, percentage, updated_at)"
    " VALUES ($name, $about, $is_enabled, $tiers, $accounts, $percentage, $updated)"
    " ON CONFLICT (name) DO UPDATE SET about = excluded.about, is_enabled = excluded.is_enabled,"
    " tiers = excluded.tiers, accounts = excluded.accounts, percentage = excluded.percentage,"
    " updated_at = excluded.updated_at",
    NULL
};
static const db_sql_t s_delete = { "auth.delete_flag", "DELETE FROM flags WHERE name = $name",
                                   NULL };

db_status_t auth_store_flags(db_conn_t *conn, arena_t *arena, flags_t *flags)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_list, &rows);
    *flags = (flags_t){ 0 };
    if (status != DB_OK)
        return status;
    flag_t *list = arena_array(arena, STORE_FLAGS, sizeof *list);
    while (flags->count < STORE_FLAGS && db_next(rows))
        list[flags->count++] = (flag_t){
            .name = db_dup_text(rows, arena, "name"),
            .about = db_dup_text(rows, arena, "about"),
            .tiers = db_dup_text(rows, arena, "tiers"),
            .accounts = db_dup_text(rows, arena, "accounts"),
            .is_enabled = db_int(rows, "is_enabled") != 0,
            .percentage = db_int(rows, "percentage"),
            .updated_ms = db_int(rows, "updated_at"),
        };
    flags->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_set_flag(db_conn_t *conn, const flag_t *flag)
{
    return DB_RUN(conn, &s_set, NULL, DB_P_TEXT("name", flag->name),
                  DB_P_TEXT("about", flag->about), DB_P_INT("is_enabled", flag->is_enabled),
                  DB_P_TEXT("tiers", flag->tiers), DB_P_TEXT("accounts", flag->accounts),
                  DB_P_INT("percentage", flag->percentage), DB_P_INT("updated", flag->updated_ms));
}

db_status_t auth_store_delete_flag(db_conn_t *conn, const char *name, bool *changed)
{
    return STORE_CHANGE(conn, &s_delete, changed, DB_P_TEXT("name", name));
}
