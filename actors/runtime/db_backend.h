/* SPDX-License-Identifier: MPL-2.0
 *
 * db_backend - what the files of the database layer share; private to them
 *
 * A backend is one const table of functions. db.c and db_run.c hold what both have in common: the
 * connection of each thread, the rules of a transaction, counting, timing, columns by name.
 */
#ifndef SIGNALBOX_DB_BACKEND_H
#define SIGNALBOX_DB_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>

#include "actors/runtime/db.h"

#define DB_PARAMS_MAX    64 /* parameters of one statement */
#define DB_MESSAGE_BYTES 256

typedef struct db_backend db_backend_t;

struct db {
    const db_backend_t *backend;
    void *state; /* the backend's own */
    char *service;
    db_settings_t settings;
    stats_t stats;
    _Atomic int64_t open;   /* connections */
    _Atomic int64_t active; /* of them, on which a statement runs or is read */
    pthread_key_t mine;     /* the calling thread's connection */
    pthread_mutex_t mutex;  /* guards `conns` */
    db_conn_t *conns;       /* of all threads */
};

/* A backend's connection begins with this. */
struct db_conn {
    db_t *db;
    db_conn_t *prev, *next;         /* in the database's list */
    size_t open_rows;               /* results not closed yet */
    size_t column;                  /* read last: the next one asked for is mostly behind it */
    bool in_work;                   /* inside the work of a db_write */
    db_status_t failed;             /* there: of the first statement that failed */
    char message[DB_MESSAGE_BYTES]; /* what the database said when it failed last */
};

/* A backend's result begins with this. */
struct db_rows {
    db_conn_t *conn;
    const db_sql_t *sql;
    size_t columns;
    int64_t count; /* rows returned so far, or changed when there are no columns */
    bool on_row;   /* db_next has returned true */
    db_status_t status;
    uint64_t spent_us;
};

/* The value of a column in the present row. */
typedef struct {
    db_type_t type;
    int64_t integer;
    double number;
    const void *bytes; /* of a text followed by a NUL; not NULL unless the value is */
    size_t size;
} db_cell_t;

struct db_backend {
    /* Makes the database usable, or says why not. What is not there is made only if `create`. */
    bool (*open)(db_t *db, bool create, char *why, size_t why_size);
    void (*close)(db_t *db);

    /* A thread's connection, opened when `conn_ready` is asked, and again after a loss. */
    db_conn_t *(*conn_new)(db_t *db);
    bool (*conn_ready)(db_conn_t *conn);
    void (*conn_free)(db_conn_t *conn);

    /* A statement. `changed` and `rows` may be NULL, not both given. */
    db_status_t (*run)(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                       int64_t *changed, db_rows_t **rows);
    bool (*next)(db_rows_t *rows);
    const char *(*column)(const db_rows_t *rows, size_t index);
    db_cell_t (*cell)(const db_rows_t *rows, size_t index);
    void (*rows_free)(db_rows_t *rows);

    db_status_t (*write)(db_t *db, db_work_t work, void *arg);
    db_status_t (*write_one)(db_t *db, const db_sql_t *sql, const db_param_t *params, size_t count,
                             int64_t *changed);

    /* Migrations: the connection for them, a transaction that holds off other migrators and knows
     * no deadline, and statements as they stand in a file. */
    db_conn_t *(*migrator)(db_t *db);
    db_status_t (*migrate_begin)(db_conn_t *conn);
    db_status_t (*migrate_script)(db_conn_t *conn, const char *text);
    db_status_t (*migrate_end)(db_conn_t *conn, bool commit);
};

extern const db_backend_t db_sqlite, db_postgres;

/* ---- for the backends ------------------------------------------------------------------------ */

/* Runs a work with the rules of a transaction; the caller begins and ends the transaction. */
db_status_t db_work(db_conn_t *conn, db_work_t work, void *arg);

/* Counts a failure and takes down why, for the log and for whoever migrates; returns `status`. */
db_status_t db_failed(db_conn_t *conn, const char *what, db_status_t status, const char *code,
                      const char *message);

/* Returns `good`; when it is false, says first which statement and which name in it are at fault.
 * For use inside `insist`. */
bool db_is_right(bool good, const db_sql_t *sql, const char *fault, const char *name);

/* For each of the statement's parameter names, the index of the parameter in `params`; stops the
 * process when the two lists are not of the same names. */
void db_match(const db_sql_t *sql, const char *const *names, size_t name_count,
              const db_param_t *params, size_t count, size_t order[DB_PARAMS_MAX]);

static inline uint64_t db_statement_us(const db_t *db)
{
    return (uint64_t)db->settings.statement_ms * 1000u;
}

/* ---- db_migrate.c ---------------------------------------------------------------------------- */

/* Brings the schema up to date or says whether it is; false with a sentence. */
bool db_migrate(db_t *db, const db_migration_t *migrations, db_migrate_t how, char *why,
                size_t why_size);

#endif
