/* SPDX-License-Identifier: MPL-2.0
 *
 * store_once - what may happen once
 */
#include "config.h"

#include "actors/auth/store.h"

static const db_sql_t s_add = { "auth.add_once",
                                "INSERT INTO once (name, expires_at) VALUES ($name, $expires)"
                                " ON CONFLICT (name) DO NOTHING",
                                NULL };
static const db_sql_t s_purge = { "auth.purge_once", "DELETE FROM once WHERE expires_at < $now",
                                  NULL };

db_status_t auth_store_once(db_conn_t *conn, const char *name, int64_t expires_ms, bool *is_first)
{
    return STORE_CHANGE(conn, &s_add, is_first, DB_P_TEXT("name", name),
                        DB_P_INT("expires", expires_ms));
}

db_status_t auth_store_purge_once(db_conn_t *conn, int64_t now_ms)
{
    return DB_RUN(conn, &s_purge, NULL, DB_P_INT("now", now_ms));
}
