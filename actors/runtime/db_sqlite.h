/* SPDX-License-Identifier: MPL-2.0
 *
 * db_sqlite - what the two files of the SQLite backend share; private to them
 *
 * db_sqlite.c: a connection, its statements and results. db_sqlite_writer.c: the file, its lock,
 * and the thread that writes.
 */
#ifndef SIGNALBOX_DB_SQLITE_H
#define SIGNALBOX_DB_SQLITE_H

#include <sqlite3.h>

#include "actors/runtime/db_backend.h"

typedef struct sqlite_statement sqlite_statement_t;

typedef struct {
    db_conn_t base;
    sqlite3 *handle; /* NULL until opened */
    sqlite_statement_t *statements;
    uint64_t deadline_us; /* of the step under way */
} sqlite_conn_t;

#define DB_SQLITE_NO_DEADLINE UINT64_MAX

static inline sqlite_conn_t *sqlite_conn(db_conn_t *base)
{
    return CONTAINER_OF(base, sqlite_conn_t, base);
}

/* A connection that writes has `writes`; false when the file cannot be opened. */
bool sqlite_connect(sqlite_conn_t *self, const char *path, bool writes);

/* ---- of the backend table, in db_sqlite_writer.c -------------------------------------------- */

bool sqlite_open(db_t *db, bool create, char *why, size_t why_size);
void sqlite_close(db_t *db);
const char *sqlite_path(const db_t *db);
db_conn_t *sqlite_writer(db_t *db);
db_status_t sqlite_write(db_t *db, db_work_t work, void *arg);
db_status_t sqlite_write_one(db_t *db, const db_sql_t *sql, const db_param_t *params, size_t count,
                             int64_t *changed);

#endif
