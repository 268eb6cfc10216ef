/* SPDX-License-Identifier: MPL-2.0
 *
 * db - what both databases share: the connection of each thread, counting and timing, columns by
 * name, and the rules of a transaction
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/runtime/db.h"
#include "actors/runtime/db_backend.h"

#define DB_SERVICE_BYTES 48 /* PostgreSQL cuts names at 63 */

const setting_t db_setting_rows[] = {
    { .name = "data",
      .type = SETTING_TEXT,
      .offset = offsetof(db_settings_t, data),
      .preset = "data",
      .about = "Folder of the SQLite files; made when it is missing" },
    { .name = "database",
      .type = SETTING_TEXT,
      .offset = offsetof(db_settings_t, database),
      .preset = "",
      .secret = true,
      .about = "postgresql:// URL of the database; empty for SQLite files in the data folder" },
    { .name = "statement_ms",
      .type = SETTING_INT,
      .offset = offsetof(db_settings_t, statement_ms),
      .preset = "5000",
      .min = 10,
      .max = 600000,
      .unit = "ms",
      .about = "A statement that takes longer is ended" },
    { .name = "slow_ms",
      .type = SETTING_INT,
      .offset = offsetof(db_settings_t, slow_ms),
      .preset = "250",
      .min = 1,
      .max = 600000,
      .unit = "ms",
      .about = "A statement that takes longer is logged and counted" },
    { 0 },
};

static const stats_row_t s_stats[] = {
    [DB_QUERIES] = { "db_queries_total", STATS_COUNTER, "Statements run" },
    [DB_QUERY_TIME] = { "db_query_microseconds", STATS_HISTOGRAM, "Time a statement took" },
    [DB_QUERY_ERRORS] = { "db_query_errors_total", STATS_COUNTER,
                          "Statements, commits and attempts to connect that failed for another "
                          "reason than a "
                          "constraint" },
    [DB_SLOW_QUERIES] = { "db_slow_queries_total", STATS_COUNTER,
                          "Statements that took longer than storage.slow_ms" },
    [DB_CONNECTIONS] = { "db_connections", STATS_GAUGE, "Connections to the database" },
    [DB_COMMITS] = { "db_commits_total", STATS_COUNTER,
                     "Transactions committed; one may hold the writes of many requests" },
    [DB_STATS] = { 0 },
};

/* What each status means to a client, and how loud it is in the log. */
static const struct {
    error_code_t error;
    log_level_t level;
} s_statuses[] = {
    [DB_OK] = { ERROR_NONE, LOG_DEBUG },
    [DB_CONSTRAINT] = { ERROR_CONFLICT, LOG_DEBUG },
    [DB_UNAVAILABLE] = { ERROR_UNAVAILABLE, LOG_WARN },
    [DB_TIMEOUT] = { ERROR_DEADLINE, LOG_WARN },
    [DB_FULL] = { ERROR_STORAGE_FULL, LOG_ERROR },
    [DB_CONFLICT] = { ERROR_UNAVAILABLE, LOG_INFO },
    [DB_BROKEN] = { ERROR_INTERNAL, LOG_ERROR },
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

/* ---- life ------------------------------------------------------------------------------------ */

static void s_thread_ends(void *memory)
{
    db_conn_t *conn = memory;
    db_t *self = conn->db;
    pthread_mutex_lock(&self->mutex);
    DL_DELETE(self->conns, conn);
    pthread_mutex_unlock(&self->mutex);
    self->backend->conn_free(conn);
}

static const db_backend_t *s_backend(const char *database)
{
    if (!database[0])
        return &db_sqlite;
    if (text_starts(database, "postgresql://") || text_starts(database, "postgres://"))
        return &db_postgres;
    return NULL;
}

static void s_free_conns(db_t *self)
{
    db_conn_t *conn, *next;
    DL_FOREACH_SAFE(self->conns, conn, next)
    {
        insist(conn->open_rows == 0);
        self->backend->conn_free(conn);
    }
    self->conns = NULL;
}

static void s_free(db_t *self)
{
    s_free_conns(self);
    pthread_key_delete(self->mine);
    pthread_mutex_destroy(&self->mutex);
    stats_free(&self->stats);
    mem_free(self->service);
    mem_free(self);
}

db_t *db_open(const db_settings_t *settings, const char *service, const db_migration_t *migrations,
              db_migrate_t migrate, char *why, size_t why_size)
{
    insist(id_is_name(service, strlen(service), DB_SERVICE_BYTES));
    const db_backend_t *backend = s_backend(settings->database);
    if (!backend) {
        snprintf(why, why_size,
                 "storage.database does not begin with postgresql://: write the URL of a "
                 "PostgreSQL database, or nothing for SQLite");
        return NULL;
    }
    db_t *self = mem_zeroed(sizeof *self);
    self->backend = backend;
    self->service = mem_strdup(service);
    self->settings = *settings;
    stats_init(&self->stats, s_stats);
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
    if (pthread_key_create(&self->mine, s_thread_ends) != 0)
        die("too many databases are open in one process");
    if (!backend->open(self, migrate == DB_MIGRATE_APPLY, why, why_size)) {
        s_free(self);
        return NULL;
    }
    if (!db_migrate(self, migrations, migrate, why, why_size))
        db_close(&self);
    return self;
}

void db_close(db_t **self_p)
{
    db_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    s_free_conns(self); /* before the backend's: SQLite tidies up when the writer closes last */
    self->backend->close(self);
    s_free(self);
}

stats_t *db_stats(db_t *self)
{
    return &self->stats;
}

bool db_is_sqlite(const db_t *self)
{
    return self->backend == &db_sqlite;
}

bool db_ping(db_t *self, uint64_t *latency_us)
{
    static const db_sql_t ping = { "db.ping", "SELECT 1 AS one", NULL };
    uint64_t start = clock_us();
    db_conn_t *conn = db_conn(self);
    bool answers = conn && DB_RUN(conn, &ping, NULL) == DB_OK;
    *latency_us = clock_us() - start;
    return answers;
}

/* ---- connections and transactions ------------------------------------------------------------ */

db_conn_t *db_conn(db_t *self)
{
    db_conn_t *conn = pthread_getspecific(self->mine);
    if (!conn) {
        conn = self->backend->conn_new(self);
        insist(pthread_setspecific(self->mine, conn) == 0);
        pthread_mutex_lock(&self->mutex);
        DL_APPEND(self->conns, conn);
        pthread_mutex_unlock(&self->mutex);
    }
    insist(!conn->in_work);
    return self->backend->conn_ready(conn) ? conn : NULL;
}

/* A work that writes by way of the database instead of its connection would wait for itself. */
static void s_insist_outside_work(db_t *self)
{
    const db_conn_t *conn = pthread_getspecific(self->mine);
    insist(!conn || !conn->in_work);
}

db_status_t db_write(db_t *self, db_work_t work, void *arg)
{
    s_insist_outside_work(self);
    return self->backend->write(self, work, arg);
}

db_status_t db_write_one(db_t *self, const db_sql_t *sql, const db_param_t *params, size_t count,
                         int64_t *changed)
{
    s_insist_outside_work(self);
    return self->backend->write_one(self, sql, params, count, changed);
}

db_status_t db_work(db_conn_t *conn, db_work_t work, void *arg)
{
    size_t open_rows = conn->open_rows;
    conn->in_work = true;
    db_status_t status = work(conn, arg);
    insist(conn->open_rows == open_rows);
    if (conn->failed)
        status = conn->failed;
    conn->in_work = false;
    conn->failed = DB_OK;
    return status;
}

/* ---- statements ------------------------------------------------------------------------------ */

static void s_count(const db_conn_t *conn, const db_sql_t *sql, uint64_t spent_us)
{
    db_t *db = conn->db;
    stats_add(&db->stats, DB_QUERIES, 1);
    stats_record(&db->stats, DB_QUERY_TIME, spent_us);
    if (spent_us > (uint64_t)db->settings.slow_ms * 1000u) {
        stats_add(&db->stats, DB_SLOW_QUERIES, 1);
        LOG(LOG_WARN, "db.slow", LOG_TEXT("service", db->service), LOG_TEXT("statement", sql->name),
            LOG_INT("duration_ms", spent_us / 1000));
    }
}

db_status_t db_failed(db_conn_t *conn, const char *what, db_status_t status, const char *code,
                      const char *message)
{
    /* PostgreSQL's texts end in a newline and may have several lines; the first says it */
    text_copy(conn->message, sizeof conn->message, message, strcspn(message, "\n"));
    if (status != DB_CONSTRAINT)
        stats_add(&conn->db->stats, DB_QUERY_ERRORS, 1);
    LOG(s_statuses[status].level, "db.failed", LOG_TEXT("service", conn->db->service),
        LOG_TEXT("statement", what), LOG_TEXT("code", code), LOG_TEXT("message", conn->message));
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

db_status_t db_run_counted(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                           size_t count, int64_t *changed, db_rows_t **rows)
{
    if (rows)
        *rows = NULL;
    if (conn->failed)
        return conn->failed;
    uint64_t start = clock_us();
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
    return db_run_counted(conn, sql, params, count, NULL, rows);
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

int64_t db_changed(const db_rows_t *rows)
{
    return rows->count;
}

static db_cell_t s_cell(const db_rows_t *rows, const char *column)
{
    const db_backend_t *backend = rows->conn->db->backend;
    insist(rows->on_row);
    size_t i = 0;
    while (i < rows->columns && strcmp(backend->column(rows, i), column) != 0)
        i++;
    insist(db_is_right(i < rows->columns, rows->sql, "db.column.missing", column));
    return backend->cell(rows, i);
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

const uint8_t *db_blob(const db_rows_t *rows, const char *column, size_t *size)
{
    db_cell_t cell = s_cell(rows, column);
    insist(cell.type == DB_BLOB || cell.type == DB_TEXT || cell.type == DB_NULL);
    *size = cell.size;
    return cell.bytes;
}
