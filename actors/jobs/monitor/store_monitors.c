/* SPDX-License-Identifier: MPL-2.0
 *
 * store_monitors - what is looked at, and when next
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/monitor/store.h"

#define COLUMNS                                                                                    \
    "id, account, name, url, method, timeout_ms, redirects, expect, interval_ms, confirmations,"   \
    " paused, status, failures, since_at, next_at, created_at, updated_at"
#define MONITOR "SELECT " COLUMNS " FROM monitor"

static const db_sql_t s_add = {
    "http.add",
    "INSERT INTO monitor (" COLUMNS ") VALUES ($id, $account, $name, $url, $method, $timeout,"
    " $redirects, $expect, $interval, $confirmations, 0, 'unknown', 0, $now, $now, $now, $now)",
    NULL
};
static const db_sql_t s_get = { "http.get",
                                MONITOR " WHERE id = $id AND ($account = '' OR account = $account)",
                                NULL };
static const db_sql_t s_list = {
    "http.list",
    MONITOR " WHERE account = $account AND ($status = '' OR status = $status)"
            " AND (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $limit",
    NULL
};
/* Whoever makes one for an account waits for who does, so that they count each other's. */
static const db_sql_t s_lock_account = { "http.lock_account",
                                         DB_TAKE_TURNS("monitor", "$account") };
static const db_sql_t s_count = { "http.count",
                                  "SELECT count(*) AS n FROM monitor WHERE account = $account",
                                  NULL };
static const db_sql_t s_update = {
    "http.update",
    "UPDATE monitor SET name = $name, interval_ms = $interval, confirmations = $confirmations,"
    " expect = $expect, paused = $paused, next_at = $now, updated_at = $now"
    " WHERE id = $id AND account = $account",
    NULL
};
static const db_sql_t s_delete = { "http.delete",
                                   "DELETE FROM monitor WHERE id = $id AND account = $account",
                                   NULL };
/* Two that take at once see the same rows; the second waits for the first and finds them no longer
 * due. */
static const db_sql_t s_take_due = {
    "http.take_due",
    "UPDATE monitor SET next_at = $now + interval_ms - (($now - next_at) % interval_ms)"
    " WHERE next_at <= $now AND paused = 0 AND id IN (SELECT id FROM monitor WHERE paused = 0"
    " AND next_at <= $now ORDER BY next_at LIMIT $limit) RETURNING id",
    NULL
};

static monitored_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (monitored_t){ .id = db_dup_text(rows, arena, "id"),
                          .account = db_dup_text(rows, arena, "account"),
                          .name = db_dup_text(rows, arena, "name"),
                          .url = db_dup_text(rows, arena, "url"),
                          .method = db_dup_text(rows, arena, "method"),
                          .status = db_dup_text(rows, arena, "status"),
                          .expect = db_dup_text(rows, arena, "expect"),
                          .timeout_ms = db_int(rows, "timeout_ms"),
                          .redirects = db_int(rows, "redirects"),
                          .interval_ms = db_int(rows, "interval_ms"),
                          .confirmations = db_int(rows, "confirmations"),
                          .failures = db_int(rows, "failures"),
                          .since_ms = db_int(rows, "since_at"),
                          .next_ms = db_int(rows, "next_at"),
                          .created_ms = db_int(rows, "created_at"),
                          .updated_ms = db_int(rows, "updated_at"),
                          .is_paused = db_int(rows, "paused") != 0 };
}

db_status_t monitor_store_add(db_conn_t *conn, const monitored_t *monitor)
{
    return DB_CHANGE(
        conn, &s_add, NULL, DB_P_TEXT("id", monitor->id), DB_P_TEXT("account", monitor->account),
        DB_P_TEXT("name", monitor->name), DB_P_TEXT("url", monitor->url),
        DB_P_TEXT("method", monitor->method), DB_P_INT("timeout", monitor->timeout_ms),
        DB_P_INT("redirects", monitor->redirects), DB_P_TEXT("expect", monitor->expect),
        DB_P_INT("interval", monitor->interval_ms),
        DB_P_INT("confirmations", monitor->confirmations), DB_P_INT("now", monitor->created_ms));
}

db_status_t monitor_store_update(db_conn_t *conn, const monitored_t *monitor)
{
    return DB_CHANGE(
        conn, &s_update, NULL, DB_P_TEXT("id", monitor->id), DB_P_TEXT("account", monitor->account),
        DB_P_TEXT("name", monitor->name), DB_P_INT("interval", monitor->interval_ms),
        DB_P_INT("confirmations", monitor->confirmations), DB_P_TEXT("expect", monitor->expect),
        DB_P_INT("paused", monitor->is_paused), DB_P_INT("now", monitor->updated_ms));
}

db_status_t monitor_store_get(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                              const monitored_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("id", id),
                                DB_P_TEXT("account", account ? account : ""));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        monitored_t *monitor = arena_alloc(arena, sizeof *monitor);
        *monitor = s_read(rows, arena);
        *found = monitor;
    }
    return db_rows_end(rows);
}

db_status_t monitor_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                               const char *status, const cursor_t *from, size_t limit,
                               monitoreds_t *monitors)
{
    db_rows_t *rows;
    *monitors = (monitoreds_t){ 0 };
    db_status_t good = DB_RUN(conn, &s_list, &rows, DB_P_TEXT("account", account),
                              DB_P_TEXT("status", status), DB_P_INT("at", from->at_ms),
                              DB_P_TEXT("id", from->id), DB_P_INT("limit", (int64_t)limit));
    if (good != DB_OK)
        return good;
    monitored_t *list = arena_array(arena, limit, sizeof *list);
    for (; monitors->count < limit && db_next(rows); monitors->count++)
        list[monitors->count] = s_read(rows, arena);
    monitors->list = list;
    return db_rows_end(rows);
}

db_status_t monitor_store_count(db_conn_t *conn, const char *account, int64_t *count)
{
    db_status_t status = DB_OK;
    *count = 0;
    if (!db_conn_is_sqlite(conn))
        status = DB_RUN(conn, &s_lock_account, NULL, DB_P_TEXT("account", account));
    return status == DB_OK ? DB_NUMBER(conn, &s_count, "n", count, DB_P_TEXT("account", account))
                           : status;
}

db_status_t monitor_store_delete(db_conn_t *conn, const char *account, const char *id,
                                 bool *changed)
{
    int64_t count;
    db_status_t status =
        DB_CHANGE(conn, &s_delete, &count, DB_P_TEXT("id", id), DB_P_TEXT("account", account));
    *changed = count > 0;
    return status;
}

db_status_t monitor_store_take_due(db_conn_t *conn, int64_t now_ms, due_t *due)
{
    db_rows_t *rows;
    due->count = 0;
    db_status_t status = DB_RUN(conn, &s_take_due, &rows, DB_P_INT("now", now_ms),
                                DB_P_INT("limit", MONITOR_DUE_MAX));
    if (status != DB_OK)
        return status;
    while (due->count < MONITOR_DUE_MAX && db_next(rows)) {
        const char *id = db_text(rows, "id");
        text_copy(due->ids[due->count++], ID_UUID_SIZE, id, strlen(id));
    }
    return db_rows_end(rows);
}

static const db_sql_t s_pull_back = {
    "http.pull_back",
    "UPDATE monitor SET next_at = $now WHERE paused = 0 AND next_at > $now + interval_ms + $margin",
    NULL
};

db_status_t monitor_store_pull_back(db_conn_t *conn, int64_t now_ms, int64_t *count)
{
    return DB_CHANGE(conn, &s_pull_back, count, DB_P_INT("now", now_ms),
                     DB_P_INT("margin", MONITOR_CLOCK_MARGIN_MS));
}

const db_sql_t *const monitor_store_monitor_lookups[] = { &s_get,    &s_list,   &s_count,
                                                          &s_update, &s_delete, &s_take_due,
                                                          NULL };
