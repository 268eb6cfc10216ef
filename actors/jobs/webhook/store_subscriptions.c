/* SPDX-License-Identifier: MPL-2.0
 *
 * store_subscriptions - who wants to be told of what
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"

#define COLUMNS                                                                                    \
    "id, account, url, about, events, status, reason, secret, old_secret, old_until, created_at,"  \
    " updated_at"
#define SUBSCRIPTION "SELECT " COLUMNS " FROM subscription"
#define GET          SUBSCRIPTION " WHERE id = $id AND ($account = '' OR account = $account)"

static const db_sql_t s_add = { "webhook.add",
                                "INSERT INTO subscription (" COLUMNS ")"
                                " VALUES ($id, $account, $url, $about, $events, $status, $reason,"
                                " $secret, $old, $until, $now, $now)",
                                NULL };
static const db_sql_t s_get = { "webhook.get", GET, NULL };
static const db_sql_t s_lock = { "webhook.lock", GET, GET " FOR UPDATE" };
static const db_sql_t s_list = { "webhook.list",
                                 SUBSCRIPTION
                                 " WHERE account = $account AND (created_at, id) < ($at, $id)"
                                 " ORDER BY created_at DESC, id DESC LIMIT $limit",
                                 NULL };
static const db_sql_t s_now = {
    "webhook.now", "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) AS at",
    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS at"
};
static const db_sql_t s_active = {
    "webhook.active",
    "SELECT account, events FROM subscription WHERE status = 'active' LIMIT $limit", NULL
};
/* Whoever makes one for an account waits for who does, so that they count each other's. */
static const db_sql_t s_lock_account = { "webhook.lock_account",
                                         DB_TAKE_TURNS("subscription", "$account") };
static const db_sql_t s_count = { "webhook.count",
                                  "SELECT count(*) AS n FROM subscription WHERE account = $account",
                                  NULL };
static const db_sql_t s_update = {
    "webhook.update",
    "UPDATE subscription SET url = $url, about = $about, events = $events, status = $status,"
    " reason = $reason, secret = $secret, old_secret = $old, old_until = $until, updated_at = $now"
    " WHERE id = $id AND account = $account",
    NULL
};
static const db_sql_t s_delete = { "webhook.delete",
                                   "DELETE FROM subscription WHERE id = $id AND account = $account",
                                   NULL };
static const db_sql_t s_disable = {
    "webhook.disable",
    "UPDATE subscription SET status = 'disabled', reason = $reason, updated_at = $now"
    " WHERE id = $id AND url = $url",
    NULL
};

const uint8_t *webhook_store_bytes(const db_rows_t *rows, arena_t *arena, const char *column,
                                   size_t *size)
{
    const uint8_t *bytes = db_blob(rows, column, size);
    if (!bytes)
        *size = 0;
    return bytes ? (const uint8_t *)arena_text(arena, bytes, *size) : NULL;
}

static subscription_t s_read(const db_rows_t *rows, arena_t *arena)
{
    subscription_t read = { .id = db_dup_text(rows, arena, "id"),
                            .account = db_dup_text(rows, arena, "account"),
                            .url = db_dup_text(rows, arena, "url"),
                            .about = db_dup_text(rows, arena, "about"),
                            .events = db_dup_text(rows, arena, "events"),
                            .status = db_dup_text(rows, arena, "status"),
                            .reason = db_dup_text(rows, arena, "reason"),
                            .old_until_ms = db_int(rows, "old_until"),
                            .created_ms = db_int(rows, "created_at"),
                            .updated_ms = db_int(rows, "updated_at") };
    read.secret = webhook_store_bytes(rows, arena, "secret", &read.secret_size);
    read.old_secret = webhook_store_bytes(rows, arena, "old_secret", &read.old_secret_size);
    return read;
}

/* The parameters that adding and changing have in common. */
#define VALUES(s)                                                                                  \
    DB_P_TEXT("id", (s)->id), DB_P_TEXT("account", (s)->account), DB_P_TEXT("url", (s)->url),      \
        DB_P_TEXT("about", (s)->about), DB_P_TEXT("events", (s)->events),                          \
        DB_P_TEXT("status", (s)->status), DB_P_TEXT("reason", (s)->reason),                        \
        DB_P_BLOB("secret", (s)->secret, (s)->secret_size),                                        \
        DB_P_BLOB("old", (s)->old_secret, (s)->old_secret_size),                                   \
        DB_P_INT("until", (s)->old_until_ms), DB_P_INT("now", (s)->updated_ms)

db_status_t webhook_store_add(db_conn_t *conn, const subscription_t *subscription)
{
    return DB_CHANGE(conn, &s_add, NULL, VALUES(subscription));
}

db_status_t webhook_store_update(db_conn_t *conn, const subscription_t *subscription)
{
    return DB_CHANGE(conn, &s_update, NULL, VALUES(subscription));
}

static db_status_t s_find(db_conn_t *conn, const db_sql_t *sql, arena_t *arena, const char *account,
                          const char *id, const subscription_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status =
        DB_RUN(conn, sql, &rows, DB_P_TEXT("id", id), DB_P_TEXT("account", account ? account : ""));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        subscription_t *read = arena_alloc(arena, sizeof *read);
        *read = s_read(rows, arena);
        *found = read;
    }
    return db_rows_end(rows);
}

db_status_t webhook_store_get(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                              const subscription_t **found)
{
    return s_find(conn, &s_get, arena, account, id, found);
}

db_status_t webhook_store_lock(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                               const subscription_t **found)
{
    return s_find(conn, &s_lock, arena, account, id, found);
}

db_status_t webhook_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                               const cursor_t *from, size_t limit, subscriptions_t *subscriptions)
{
    db_rows_t *rows;
    *subscriptions = (subscriptions_t){ 0 };
    db_status_t status =
        DB_RUN(conn, &s_list, &rows, DB_P_TEXT("account", account), DB_P_INT("at", from->at_ms),
               DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    subscription_t *list = arena_array(arena, limit, sizeof *list);
    for (; subscriptions->count < limit && db_next(rows); subscriptions->count++)
        list[subscriptions->count] = s_read(rows, arena);
    subscriptions->list = list;
    return db_rows_end(rows);
}

db_status_t webhook_store_active(db_conn_t *conn, size_t limit, int64_t *at, webhook_each_t each,
                                 void *arg)
{
    db_rows_t *rows;
    db_status_t status = DB_NUMBER(conn, &s_now, "at", at);
    if (status == DB_OK)
        status = DB_RUN(conn, &s_active, &rows, DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        each(arg, db_text(rows, "account"), db_text(rows, "events"));
    return db_rows_end(rows);
}

db_status_t webhook_store_count(db_conn_t *conn, const char *account, int64_t *count)
{
    db_status_t status = DB_OK;
    *count = 0;
    if (!db_conn_is_sqlite(conn))
        status = DB_RUN(conn, &s_lock_account, NULL, DB_P_TEXT("account", account));
    return status == DB_OK ? DB_NUMBER(conn, &s_count, "n", count, DB_P_TEXT("account", account))
                           : status;
}

db_status_t webhook_store_delete(db_conn_t *conn, const char *account, const char *id,
                                 bool *changed)
{
    int64_t count;
    db_status_t status =
        DB_CHANGE(conn, &s_delete, &count, DB_P_TEXT("id", id), DB_P_TEXT("account", account));
    *changed = count > 0;
    return status;
}

db_status_t webhook_store_disable(db_conn_t *conn, const char *id, const char *url,
                                  const char *reason, int64_t now_ms)
{
    return DB_CHANGE(conn, &s_disable, NULL, DB_P_TEXT("id", id), DB_P_TEXT("url", url),
                     DB_P_TEXT("reason", reason), DB_P_INT("now", now_ms));
}

const db_sql_t *const webhook_store_subscription_lookups[] = { &s_get,    &s_list,   &s_count,
                                                               &s_update, &s_delete, &s_disable,
                                                               NULL };
