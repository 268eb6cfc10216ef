/* SPDX-License-Identifier: MPL-2.0
 *
 * db_run - statements and results: counting, timing, the slow query log, failures, parameters and
 * columns by name
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/runtime/db.h"
#include "actors/runtime/db_backend.h"
#include "actors/runtime/traced.h"

/* What each status means to a client, and how loud it is in the log. */
static const struct {
    error_code_t error;
    log_level_t level;
    const char *text;
} s_statuses[] = {
    [DB_OK] = { ERROR_NONE, LOG_DEBUG, "" },
    [DB_CONSTRAINT] = { ERROR_CONFLICT, LOG_DEBUG, "" },
    [DB_UNAVAILABLE] = { ERROR_UNAVAILABLE, LOG_WARN, "The database is not available; try again" },
    [DB_TIMEOUT] = { ERROR_DEADLINE, LOG_WARN, "The database did not answer in time" },
    [DB_FULL] = { ERROR_STORAGE_FULL, LOG_ERROR, "The database has no room for this" },
    [DB_CONFLICT] = { ERROR_UNAVAILABLE, LOG_INFO,
                      "The database gave way to another request at the same time; try again" },
    [DB_BROKEN] = { ERROR_INTERNAL, LOG_ERROR, "" },
};

db_param_t db_param_text(const char *name, const char *text)
{
    return (db_param_t){
        .name = name, .type = DB_TEXT, .bytes = text, .size = text ? strlen(text) : 0
    };
}

error_code_t db_error(db_status_t status)
{
    insist(status < COUNT_OF(s_statuses));
    return s_statuses[status].error;
}

const char *db_error_text(db_status_t status)
{
    insist(status < COUNT_OF(s_statuses));
    return s_statuses[status].text;
}

/* ---- statements ------------------------------------------------------------------------------ */

/* The end of a statement. */
static void s_count(const db_conn_t *conn, const db_sql_t *sql, uint64_t spent_us)
{
    db_t *db = conn->db;
    atomic_fetch_sub(&db->active, 1);
    stats_add(&db->stats, DB_QUERIES, 1);
    stats_record(&db->stats, DB_QUERY_TIME, spent_us);
    if (spent_us > (uint64_t)db->settings.slow_ms * 1000u) {
        stats_add(&db->stats, DB_SLOW_QUERIES, 1);
        LOG(LOG_WARN, "db.slow", LOG_TEXT("db.namespace", db->service),
            LOG_TEXT("db.operation.name", sql->name), LOG_INT("duration_us", spent_us));
        traced_query(db->service, sql->name, spent_us);
    }
}

db_status_t db_failed(db_conn_t *conn, const char *what, db_status_t status, const char *code,
                      const char *message)
{
    /* PostgreSQL's texts end in a newline and may have several lines; the first says it */
    text_copy(conn->message, sizeof conn->message, message, strcspn(message, "\n"));
    if (status != DB_CONSTRAINT)
        stats_add(&conn->db->stats, DB_QUERY_ERRORS, 1);
    LOG(s_statuses[status].level, "db.failed", LOG_TEXT("db.namespace", conn->db->service),
        LOG_TEXT("db.operation.name", what), LOG_TEXT("db.response.status_code", code),
        LOG_TEXT("message", conn->message));
    return status;
}

/* PostgreSQL refuses other text by itself, SQLite would keep it. */
static bool s_is_storable(const db_param_t *param)
{
    return param->type != DB_TEXT || !param->bytes ||
           (!memchr(param->bytes, '\0', param->size) && text_is_utf8(param->bytes, param->size));
}

static db_status_t s_run(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                         size_t count, int64_t *changed, db_rows_t **rows)
{
    for (size_t i = 0; i < count; i++)
        if (!s_is_storable(&params[i]))
            return db_failed(conn, sql->name, DB_CONSTRAINT, params[i].name,
                             "a text parameter is not UTF-8 without NUL");
    return conn->db->backend->run(conn, sql, params, count, changed, rows);
}

/* Counts, times and logs a statement. */
static db_status_t s_run_counted(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                                 size_t count, int64_t *changed, db_rows_t **rows)
{
    if (rows)
        *rows = NULL;
    if (conn->failed)
        return conn->failed;
    uint64_t start = clock_us();
    atomic_fetch_add(&conn->db->active, 1);
    db_status_t status = s_run(conn, sql, params, count, changed, rows);
    uint64_t spent_us = clock_us() - start;
    if (conn->in_work)
        conn->failed = status;
    if (rows && *rows) {
        conn->open_rows++;
        (*rows)->spent_us += spent_us;
    } else {
        s_count(conn, sql, spent_us);
    }
    return status;
}

db_status_t db_run(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                   db_rows_t **rows)
{
    return s_run_counted(conn, sql, params, count, NULL, rows);
}

db_status_t db_change(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                      int64_t *changed)
{
    if (changed)
        *changed = 0;
    return s_run_counted(conn, sql, params, count, changed, NULL);
}

bool db_is_right(bool good, const db_sql_t *sql, const char *fault, const char *name)
{
    if (!good)
        LOG(LOG_ERROR, fault, LOG_TEXT("statement", sql->name), LOG_TEXT("name", name));
    return good;
}

void db_match(const db_sql_t *sql, const char *const *names, size_t name_count,
              const db_param_t *params, size_t count, size_t order[DB_PARAMS_MAX])
{
    for (size_t i = 0; i < name_count; i++) {
        size_t at = i, tried = 0; /* mostly they stand in the same order */
        for (; tried < count; tried++, at++)
            if (strcmp(names[i], params[at % count].name) == 0)
                break;
        insist(db_is_right(tried < count, sql, "db.parameter.missing", names[i]));
        order[i] = at % count;
    }
    insist(db_is_right(name_count == count, sql, "db.parameter.unused", ""));
}

/* ---- results --------------------------------------------------------------------------------- */

bool db_next(db_rows_t *rows)
{
    db_conn_t *conn = rows->conn;
    rows->on_row = rows->columns > 0 && rows->status == DB_OK && conn->db->backend->next(rows);
    rows->count += rows->on_row;
    if (rows->status && conn->in_work && !conn->failed)
        conn->failed = rows->status;
    return rows->on_row;
}

db_status_t db_rows_status(const db_rows_t *rows)
{
    return rows->status;
}

void db_rows_close(db_rows_t **rows_p)
{
    db_rows_t *rows = *rows_p;
    if (!rows)
        return;
    *rows_p = NULL;
    rows->conn->open_rows--;
    s_count(rows->conn, rows->sql, rows->spent_us);
    rows->conn->db->backend->rows_free(rows);
}

db_status_t db_rows_end(db_rows_t *rows)
{
    db_status_t status = db_rows_status(rows);
    db_rows_close(&rows);
    return status;
}

int64_t db_changed(const db_rows_t *rows)
{
    return rows->count;
}

static db_cell_t s_cell(const db_rows_t *rows, const char *column)
{
    const db_backend_t *backend = rows->conn->db->backend;
    insist(rows->on_row);
    size_t at = rows->conn->column, tried = 0;
    do
        at = at + 1 < rows->columns ? at + 1 : 0;
    while (strcmp(backend->column(rows, at), column) != 0 && ++tried < rows->columns);
    insist(db_is_right(tried < rows->columns, rows->sql, "db.column.missing", column));
    rows->conn->column = at;
    return backend->cell(rows, at);
}

bool db_is_null(const db_rows_t *rows, const char *column)
{
    return s_cell(rows, column).type == DB_NULL;
}

int64_t db_int(const db_rows_t *rows, const char *column)
{
    db_cell_t cell = s_cell(rows, column);
    insist(cell.type == DB_INT || cell.type == DB_NULL);
    return cell.integer;
}

double db_double(const db_rows_t *rows, const char *column)
{
    db_cell_t cell = s_cell(rows, column);
    insist(cell.type == DB_DOUBLE || cell.type == DB_INT || cell.type == DB_NULL);
    return cell.type == DB_INT ? (double)cell.integer : cell.number;
}

const char *db_text(const db_rows_t *rows, const char *column)
{
    db_cell_t cell = s_cell(rows, column);
    insist(cell.type == DB_TEXT || cell.type == DB_NULL);
    return cell.bytes;
}

const char *db_dup_text(const db_rows_t *rows, arena_t *arena, const char *column)
{
    const char *text = db_text(rows, column);
    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

db_status_t db_number(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                      const char *column, int64_t *number)
{
    db_rows_t *rows;
    *number = 0;
    db_status_t status = db_run(conn, sql, params, count, &rows);
    if (status != DB_OK)
        return status;
    if (db_next(rows))
        *number = db_int(rows, column);
    return db_rows_end(rows);
}

const uint8_t *db_blob(const db_rows_t *rows, const char *column, size_t *size)
{
    db_cell_t cell = s_cell(rows, column);
    insist(cell.type == DB_BLOB || cell.type == DB_TEXT || cell.type == DB_NULL);
    *size = cell.size;
    return cell.bytes;
}
