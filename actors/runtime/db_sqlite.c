/* SPDX-License-Identifier: MPL-2.0
 *
 * db_sqlite - a SQLite connection: prepared statements, results, deadlines, errors
 *
 * A result is stepped to its first row when the statement is run, so that errors show at once and
 * whatever a statement writes is written, and lazily from there on.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <uthash.h>

#include "actors/base/clock.h"
#include "actors/runtime/db_sqlite.h"

/* Steps of SQLite's machine between looks at the clock: about 0.1 ms. */
#define DB_SQLITE_STEPS 4000

/* The log is written back into the database after this many pages, with a fifth more writes/s than
 * after SQLite's own 1000, and cut to this many bytes after a large transaction. */
#define DB_SQLITE_LOG_PAGES "4000"
#define DB_SQLITE_LOG_BYTES "67108864"

struct sqlite_statement {
    const db_sql_t *sql; /* key */
    sqlite3_stmt *handle;
    /* Of the parameters, in SQLite's order. Copies: SQLite prepares a statement again by itself
     * when the schema or a pattern changes, and its own names are gone then. */
    char **names;
    size_t name_count;
    bool busy; /* its result is not closed */
    UT_hash_handle hh;
};

typedef struct {
    db_rows_t base;
    sqlite_statement_t *statement;
    int code;   /* of the last step: SQLITE_ROW while there is a row */
    bool fresh; /* that row was not given out yet */
} sqlite_rows_t;

static sqlite_rows_t *s_rows(const db_rows_t *base)
{
    return CONTAINER_OF(base, sqlite_rows_t, base);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static const struct {
    int code;
    db_status_t status;
    const char *name;
} s_codes[] = {
    { SQLITE_CONSTRAINT, DB_CONSTRAINT, "constraint" },
    { SQLITE_TOOBIG, DB_CONSTRAINT, "too_big" },
    { SQLITE_FULL, DB_FULL, "full" },
    { SQLITE_INTERRUPT, DB_TIMEOUT, "deadline" },
    /* another process (a backup, an operator's shell) held the file for a whole deadline */
    { SQLITE_BUSY, DB_TIMEOUT, "busy" },
    { SQLITE_IOERR, DB_UNAVAILABLE, "io" },
    { SQLITE_CANTOPEN, DB_UNAVAILABLE, "cannot_open" },
    { SQLITE_PROTOCOL, DB_UNAVAILABLE, "protocol" },
    { SQLITE_NOMEM, DB_UNAVAILABLE, "memory" },
};

/* The status of a SQLite result code, taken down together with what SQLite says. */
static db_status_t s_failed(sqlite_conn_t *self, const char *what, int code)
{
    const char *message = sqlite3_errmsg(self->handle);
    /* the shared-memory file and temporary files report a full disk as an I/O error */
    int system = sqlite3_system_errno(self->handle);
    if ((code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT))
        code = SQLITE_FULL;
    for (size_t i = 0; i < COUNT_OF(s_codes); i++)
        if (s_codes[i].code == (code & 0xff))
            return db_failed(&self->base, what, s_codes[i].status, s_codes[i].name, message);
    return db_failed(&self->base, what, DB_BROKEN, sqlite3_errstr(code), message);
}

/* ---- connection ------------------------------------------------------------------------------ */

static int s_is_late(void *memory)
{
    const sqlite_conn_t *self = memory;
    return self->deadline_us != DB_SQLITE_NO_DEADLINE && clock_us() > self->deadline_us;
}

/* Statements without parameters or result: BEGIN and the like. */
static db_status_t s_script(sqlite_conn_t *self, const char *what, const char *text)
{
    int code = sqlite3_exec(self->handle, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? DB_OK : s_failed(self, what, code);
}

bool sqlite_connect(sqlite_conn_t *self, const char *path, bool writes)
{
    /* readers are many: they cache little and leave the rest to the system's page cache */
    static const char *const pragmas[] = {
        "PRAGMA case_sensitive_like = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -512;",
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;"
        "PRAGMA wal_autocheckpoint = " DB_SQLITE_LOG_PAGES ";"
        "PRAGMA journal_size_limit = " DB_SQLITE_LOG_BYTES ";",
    };
    db_t *db = self->base.db;
    insist(sqlite3_threadsafe());
    int flags = SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(path, &self->handle, flags, NULL);
    if (code != SQLITE_OK) {
        s_failed(self, "open", code);
        sqlite3_close(self->handle);
        self->handle = NULL;
        return false;
    }
    atomic_fetch_add(&db->open, 1);
    sqlite3_extended_result_codes(self->handle, 1);
    sqlite3_busy_timeout(self->handle, (int)db->settings.statement_ms);
    sqlite3_progress_handler(self->handle, DB_SQLITE_STEPS, s_is_late, self);
    /* "name" is an identifier and never a text, as in PostgreSQL */
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    self->deadline_us = DB_SQLITE_NO_DEADLINE;
    for (size_t i = 0; i < (writes ? COUNT_OF(pragmas) : 1); i++)
        if (s_script(self, "open", pragmas[i]) != DB_OK) {
            sqlite3_close(self->handle);
            self->handle = NULL;
            atomic_fetch_sub(&db->open, 1);
            return false;
        }
    return true;
}

static db_conn_t *s_conn_new(db_t *db)
{
    sqlite_conn_t *self = mem_zeroed(sizeof *self);
    self->base.db = db;
    return &self->base;
}

static bool s_conn_ready(db_conn_t *conn)
{
    sqlite_conn_t *self = sqlite_conn(conn);
    return self->handle || sqlite_connect(self, sqlite_path(conn->db), false);
}

static void s_conn_free(db_conn_t *conn)
{
    sqlite_conn_t *self = sqlite_conn(conn);
    sqlite_statement_t *statement, *next;
    HASH_ITER(hh, self->statements, statement, next)
    {
        HASH_DEL(self->statements, statement);
        sqlite3_finalize(statement->handle);
        for (size_t i = 0; i < statement->name_count; i++)
            mem_free(statement->names[i]);
        mem_free(statement->names);
        mem_free(statement);
    }
    if (self->handle) {
        insist(sqlite3_close(self->handle) == SQLITE_OK);
        atomic_fetch_sub(&conn->db->open, 1);
    }
    mem_free(self);
}

/* ---- statements ------------------------------------------------------------------------------ */

static sqlite_statement_t *s_prepare(sqlite_conn_t *self, const db_sql_t *sql, db_status_t *status)
{
    sqlite3_stmt *handle;
    const char *rest;
    int code = sqlite3_prepare_v3(self->handle, sql->sqlite, -1, SQLITE_PREPARE_PERSISTENT, &handle,
                                  &rest);
    if (code != SQLITE_OK) {
        *status = s_failed(self, sql->name, code);
        return NULL;
    }
    insist(handle && rest[strspn(rest, " \n;")] == '\0'); /* one statement */
    sqlite_statement_t *statement = mem_zeroed(sizeof *statement);
    statement->sql = sql;
    statement->handle = handle;
    statement->name_count = (size_t)sqlite3_bind_parameter_count(handle);
    insist(statement->name_count <= DB_PARAMS_MAX);
    statement->names = mem_array(statement->name_count, sizeof *statement->names);
    for (size_t i = 0; i < statement->name_count; i++) {
        const char *name = sqlite3_bind_parameter_name(handle, (int)i + 1);
        insist(name && name[0] == '$');
        statement->names[i] = mem_strdup(name + 1);
    }
    HASH_ADD_PTR(self->statements, sql, statement);
    return statement;
}

static int s_bind_one(sqlite3_stmt *handle, int at, const db_param_t *param,
                      sqlite3_destructor_type keep)
{
    switch (param->type) {
    case DB_INT:
        return sqlite3_bind_int64(handle, at, param->integer);
    case DB_DOUBLE: /* SQLite itself stores NaN as NULL */
        return sqlite3_bind_double(handle, at, param->number);
    case DB_TEXT:
        return sqlite3_bind_text64(handle, at, param->bytes, param->size, keep, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(handle, at, param->bytes, param->size, keep);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(handle, at);
}

static int s_bind(const sqlite_statement_t *statement, const db_param_t *params, size_t count,
                  sqlite3_destructor_type keep)
{
    size_t order[DB_PARAMS_MAX];
    int code = SQLITE_OK;
    db_match(statement->sql, (const char *const *)statement->names, statement->name_count, params,
             count, order);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = s_bind_one(statement->handle, (int)i + 1, &params[order[i]], keep);
    return code;
}

static int s_step(sqlite_conn_t *self, sqlite3_stmt *handle, uint64_t start_us)
{
    self->deadline_us = start_us + db_statement_us(self->base.db);
    int code = sqlite3_step(handle);
    self->deadline_us = DB_SQLITE_NO_DEADLINE;
    return code;
}

static db_rows_t *s_rows_new(sqlite_conn_t *self, sqlite_statement_t *statement, int code)
{
    sqlite_rows_t *rows = mem_zeroed(sizeof *rows);
    rows->base = (db_rows_t){ .conn = &self->base,
                              .sql = statement->sql,
                              .columns = (size_t)sqlite3_column_count(statement->handle) };
    if (rows->base.columns == 0)
        rows->base.count = sqlite3_changes(self->handle);
    rows->statement = statement;
    rows->code = code;
    rows->fresh = code == SQLITE_ROW;
    statement->busy = true;
    return &rows->base;
}

static db_status_t s_run(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                         size_t count, int64_t *changed, db_rows_t **rows)
{
    sqlite_conn_t *self = sqlite_conn(conn);
    sqlite_statement_t *statement;
    db_status_t status = DB_OK;
    HASH_FIND_PTR(self->statements, &sql, statement);
    if (!statement)
        statement = s_prepare(self, sql, &status);
    if (!statement)
        return status;
    insist(!statement->busy);

    uint64_t start = clock_us();
    /* for a result that is stepped later the bytes are copied: the caller's may be gone by then */
    int code = s_bind(statement, params, count, rows ? SQLITE_TRANSIENT : SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = s_step(self, statement->handle, start);
    while (code == SQLITE_ROW && !rows)
        code = s_step(self, statement->handle, start);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = s_failed(self, sql->name, code);
    else if (rows)
        *rows = s_rows_new(self, statement, code);
    if (code == SQLITE_DONE && changed)
        *changed = sqlite3_changes(self->handle);
    if (code != SQLITE_ROW)
        sqlite3_reset(statement->handle);
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

static bool s_next(db_rows_t *base)
{
    sqlite_rows_t *rows = s_rows(base);
    sqlite_conn_t *self = sqlite_conn(base->conn);
    sqlite3_stmt *handle = rows->statement->handle;
    if (rows->code != SQLITE_ROW)
        return false;
    if (rows->fresh) {
        rows->fresh = false;
        return true;
    }
    uint64_t start = clock_us();
    rows->code = s_step(self, handle, start - base->spent_us);
    base->spent_us += clock_us() - start;
    if (rows->code == SQLITE_ROW)
        return true;
    if (rows->code != SQLITE_DONE)
        base->status = s_failed(self, base->sql->name, rows->code);
    sqlite3_reset(handle); /* ends the read transaction before the caller closes the result */
    return false;
}

static const char *s_column(const db_rows_t *base, size_t index)
{
    return sqlite3_column_name(s_rows(base)->statement->handle, (int)index);
}

static db_cell_t s_cell(const db_rows_t *base, size_t index)
{
    sqlite3_stmt *handle = s_rows(base)->statement->handle;
    int at = (int)index;
    switch (sqlite3_column_type(handle, at)) {
    case SQLITE_INTEGER:
        return (db_cell_t){ .type = DB_INT, .integer = sqlite3_column_int64(handle, at) };
    case SQLITE_FLOAT:
        return (db_cell_t){ .type = DB_DOUBLE, .number = sqlite3_column_double(handle, at) };
    case SQLITE_TEXT:
        return (db_cell_t){ .type = DB_TEXT,
                            .bytes = sqlite3_column_text(handle, at),
                            .size = (size_t)sqlite3_column_bytes(handle, at) };
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(handle, at); /* NULL for an empty one */
        return (db_cell_t){ .type = DB_BLOB,
                            .bytes = bytes ? bytes : "",
                            .size = (size_t)sqlite3_column_bytes(handle, at) };
    }
    default:
        return (db_cell_t){ .type = DB_NULL };
    }
}

static void s_rows_free(db_rows_t *base)
{
    sqlite_rows_t *rows = s_rows(base);
    sqlite3_reset(rows->statement->handle);
    rows->statement->busy = false;
    mem_free(rows);
}

/* ---- migrations ------------------------------------------------------------------------------ */

/* Foreign keys are off, so that a table may be rebuilt as SQLite's manual says (ALTER TABLE,
 * "Making Other Kinds Of Table Schema Changes"); they are checked before the end. */
static db_status_t s_migrate_begin(db_conn_t *conn)
{
    return s_script(sqlite_conn(conn), "migrate.begin",
                    "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
}

static db_status_t s_migrate_script(db_conn_t *conn, const char *text)
{
    sqlite_conn_t *self = sqlite_conn(conn);
    db_status_t status = s_script(self, "migrate", text);
    if (status == DB_OK && sqlite3_get_autocommit(self->handle))
        status = db_failed(conn, "migrate", DB_BROKEN, "transaction",
                           "the file ends the transaction it runs in");
    return status;
}

static db_status_t s_check_foreign_keys(db_conn_t *conn)
{
    static const db_sql_t check = { "migrate.foreign_keys",
                                    "SELECT \"table\" AS name FROM pragma_foreign_key_check",
                                    NULL };
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &check, &rows);
    if (status == DB_OK && db_next(rows))
        status = db_failed(conn, "migrate.foreign_keys", DB_CONSTRAINT, db_text(rows, "name"),
                           "rows refer to rows that are not there");
    db_rows_close(&rows);
    return status;
}

static db_status_t s_migrate_end(db_conn_t *conn, bool commit)
{
    sqlite_conn_t *self = sqlite_conn(conn);
    db_status_t status = DB_OK;
    if (commit)
        status = s_check_foreign_keys(conn);
    if (commit && status == DB_OK)
        status = s_script(self, "migrate.commit", "COMMIT");
    if (!sqlite3_get_autocommit(self->handle)) {
        db_status_t undone = s_script(self, "migrate.rollback", "ROLLBACK");
        status = status ? status : undone;
    }
    db_status_t on = s_script(self, "migrate.end", "PRAGMA foreign_keys = ON");
    return status ? status : on;
}

const db_backend_t db_sqlite = {
    .open = sqlite_open,
    .close = sqlite_close,
    .conn_new = s_conn_new,
    .conn_ready = s_conn_ready,
    .conn_free = s_conn_free,
    .run = s_run,
    .next = s_next,
    .column = s_column,
    .cell = s_cell,
    .rows_free = s_rows_free,
    .write = sqlite_write,
    .write_one = sqlite_write_one,
    .migrator = sqlite_writer,
    .migrate_begin = s_migrate_begin,
    .migrate_script = s_migrate_script,
    .migrate_end = s_migrate_end,
};
