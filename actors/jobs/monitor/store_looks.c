/* SPDX-License-Identifier: MPL-2.0
 *
 * store_looks - what monitors have found, how their status changed, and what is to be told of it
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/monitor/store.h"

/* ---- looks ------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "reason, detail, status, dns_us, connect_us, tls_us, first_byte_us, total_us, size, "          \
    "redirects,"                                                                                   \
    " address, certificate_at"

static const db_sql_t s_add = {
    "http.add_look",
    "INSERT INTO look (id, monitor_id, at, " COLUMNS ") VALUES ($id, $monitor, $at, $reason,"
    " $detail, $status, $dns, $connect, $tls, $first, $total, $size, $redirects, $address,"
    " $certificate)",
    NULL
};
static const db_sql_t s_looks = {
    "http.looks",
    "SELECT id, at, " COLUMNS " FROM look WHERE monitor_id = $monitor AND (at, id) < ($at, $id)"
    " AND at >= $since AND ($up = -1 OR ($up = 1 AND reason IS NULL) OR ($up = 0 AND reason IS NOT"
    " NULL)) ORDER BY at DESC, id DESC LIMIT $limit",
    NULL
};
static const db_sql_t s_uptime = { "http.uptime",
                                   "SELECT count(*) AS n, count(*) - count(reason) AS up FROM look"
                                   " WHERE monitor_id = $monitor AND at >= $since",
                                   NULL };

db_status_t monitor_store_add_look(db_conn_t *conn, const char *monitor_id, const look_t *look)
{
    const check_result_t *result = &look->result;
    return DB_CHANGE(
        conn, &s_add, NULL, DB_P_TEXT("id", look->id), DB_P_TEXT("monitor", monitor_id),
        DB_P_INT("at", look->at_ms), DB_P_TEXT("reason", result->reason),
        DB_P_TEXT("detail", result->is_up ? NULL : result->detail),
        DB_P_INT("status", result->status), DB_P_INT("dns", (int64_t)result->dns_us),
        DB_P_INT("connect", (int64_t)result->connect_us), DB_P_INT("tls", (int64_t)result->tls_us),
        DB_P_INT("first", (int64_t)result->first_byte_us),
        DB_P_INT("total", (int64_t)result->total_us), DB_P_INT("size", result->size),
        DB_P_INT("redirects", result->redirects), DB_P_TEXT("address", result->address),
        DB_P_INT("certificate", result->certificate_expires_ms));
}

static look_t s_read(const db_rows_t *rows, arena_t *arena)
{
    look_t look = { .id = db_dup_text(rows, arena, "id"), .at_ms = db_int(rows, "at") };
    check_result_t *result = &look.result;
    const char *detail = db_text(rows, "detail"), *address = db_text(rows, "address");
    result->reason = db_dup_text(rows, arena, "reason");
    result->is_up = result->reason == NULL;
    snprintf(result->detail, sizeof result->detail, "%s", detail ? detail : "");
    result->status = (uint32_t)db_int(rows, "status");
    result->dns_us = (uint64_t)db_int(rows, "dns_us");
    result->connect_us = (uint64_t)db_int(rows, "connect_us");
    result->tls_us = (uint64_t)db_int(rows, "tls_us");
    result->first_byte_us = (uint64_t)db_int(rows, "first_byte_us");
    result->total_us = (uint64_t)db_int(rows, "total_us");
    result->size = db_int(rows, "size");
    result->redirects = (uint32_t)db_int(rows, "redirects");
    text_copy(result->address, sizeof result->address, address, strlen(address));
    result->certificate_expires_ms = db_int(rows, "certificate_at");
    return look;
}

db_status_t monitor_store_looks(db_conn_t *conn, arena_t *arena, const char *monitor_id,
                                const look_filter_t *filter, looks_t *looks)
{
    db_rows_t *rows;
    *looks = (looks_t){ 0 };
    db_status_t status = DB_RUN(
        conn, &s_looks, &rows, DB_P_TEXT("monitor", monitor_id), DB_P_INT("at", filter->from.at_ms),
        DB_P_TEXT("id", filter->from.id), DB_P_INT("since", filter->since_ms),
        DB_P_INT("up", filter->up), DB_P_INT("limit", (int64_t)filter->limit));
    if (status != DB_OK)
        return status;
    look_t *list = arena_array(arena, filter->limit, sizeof *list);
    for (; looks->count < filter->limit && db_next(rows); looks->count++)
        list[looks->count] = s_read(rows, arena);
    looks->list = list;
    return db_rows_end(rows);
}

db_status_t monitor_store_uptime(db_conn_t *conn, const char *monitor_id, int64_t since_ms,
                                 int64_t *count, int64_t *up)
{
    db_rows_t *rows;
    *count = *up = 0;
    db_status_t status = DB_RUN(conn, &s_uptime, &rows, DB_P_TEXT("monitor", monitor_id),
                                DB_P_INT("since", since_ms));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        *count = db_int(rows, "n");
        *up = db_int(rows, "up");
    }
    return db_rows_end(rows);
}

/* ---- changes ----------------------------------------------------------------------------- */

static const db_sql_t s_settle = {
    "http.settle",
    "UPDATE monitor SET status = $status, failures = $failures, since_at = $since WHERE id = $id",
    NULL
};
static const db_sql_t s_add_change = {
    "http.add_change",
    "INSERT INTO change (monitor_id, at, status, detail) VALUES ($id, $since, $status, $detail)"
    " ON CONFLICT (monitor_id, at) DO NOTHING",
    NULL
};
static const db_sql_t s_changes = {
    "http.changes",
    "SELECT at, status, detail FROM change WHERE monitor_id = $monitor ORDER BY at DESC"
    " LIMIT $limit",
    NULL
};

db_status_t monitor_store_settle(db_conn_t *conn, const monitored_t *monitor, bool changed,
                                 const char *detail)
{
    db_status_t status = DB_CHANGE(
        conn, &s_settle, NULL, DB_P_TEXT("id", monitor->id), DB_P_TEXT("status", monitor->status),
        DB_P_INT("failures", monitor->failures), DB_P_INT("since", monitor->since_ms));
    if (status == DB_OK && changed)
        status = DB_CHANGE(conn, &s_add_change, NULL, DB_P_TEXT("id", monitor->id),
                           DB_P_INT("since", monitor->since_ms),
                           DB_P_TEXT("status", monitor->status), DB_P_TEXT("detail", detail));
    return status;
}

db_status_t monitor_store_changes(db_conn_t *conn, arena_t *arena, const char *monitor_id,
                                  size_t limit, changes_t *changes)
{
    db_rows_t *rows;
    *changes = (changes_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_changes, &rows, DB_P_TEXT("monitor", monitor_id),
                                DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    change_t *list = arena_array(arena, limit, sizeof *list);
    for (; changes->count < limit && db_next(rows); changes->count++)
        list[changes->count] = (change_t){ .status = db_dup_text(rows, arena, "status"),
                                           .detail = db_dup_text(rows, arena, "detail"),
                                           .at_ms = db_int(rows, "at") };
    changes->list = list;
    return db_rows_end(rows);
}

/* ---- retention --------------------------------------------------------------------------- */

#define OLD "at < $before ORDER BY at"
#define PURGE(table, key)                                                                          \
    {                                                                                              \
        "http.purge_" table, DB_DELETE_SOME(table, key, OLD, OLD)                                  \
    }

static const db_sql_t s_purge[] = {
    PURGE("look", "id"),
    PURGE("change", "monitor_id, at"),
};

db_status_t monitor_store_purge(db_conn_t *conn, int64_t before_ms, int64_t *count)
{
    db_status_t status = DB_OK;
    *count = 0;
    for (size_t i = 0; status == DB_OK && i < COUNT_OF(s_purge); i++) {
        int64_t purged;
        status = DB_CHANGE(conn, &s_purge[i], &purged, DB_P_INT("before", before_ms),
                           DB_P_INT("most", MONITOR_PURGE_MOST));
        *count += purged;
    }
    return status;
}

const db_sql_t *const monitor_store_look_lookups[] = { &s_looks,   &s_uptime,   &s_settle,
                                                       &s_changes, &s_purge[0], &s_purge[1],
                                                       NULL };
