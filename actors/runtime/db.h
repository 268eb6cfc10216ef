/* SPDX-License-Identifier: MPL-2.0
 *
 * db - the database of one actor, SQLite or PostgreSQL behind the same few functions
 *
 * Every actor has a database of its own: a file `<data>/<service>.db` (SQLite, the embedded
 * default) or a schema named after the service (PostgreSQL). SQL is written once, with parameters
 * as `$name`; where the dialects differ a statement has two texts side by side.
 *
 * SQLite: WAL, synchronous=FULL, one process a file (a lock; the second one is refused with a
 * sentence). Reads use a read-only connection of the calling thread. Writes of all threads go to
 * one writer thread, which commits what has arrived together (group commit). PostgreSQL: every
 * handler thread has its own connection, made on first use and again after a loss; that is the
 * connection pool.
 *
 * Results are read by column name and must be checked. Text handed out is valid until the next row.
 *
 * What is the same on both: text is UTF-8 without NUL, LIKE is case-sensitive, a parameter that is
 * not a number is stored as NULL, and after the first failed statement a transaction can only be
 * rolled back. Columns are BIGINT, DOUBLE PRECISION, TEXT and BLOB/BYTEA (on PostgreSQL also
 * SMALLINT, INTEGER, BOOLEAN, VARCHAR); anything else is cast in the statement. Times are BIGINT
 * milliseconds. A list is passed as the text of a JSON array: json_each($ids) on SQLite,
 * json_array_elements_text(CAST($ids AS TEXT)::json) on PostgreSQL.
 */
#ifndef SIGNALBOX_DB_H
#define SIGNALBOX_DB_H

#include "actors/base/arena.h"
#include "actors/base/settings.h"
#include "actors/base/stats.h"
#include "proto/error.h"

typedef struct db db_t;           /* one actor's database; shared by its threads */
typedef struct db_conn db_conn_t; /* what a thread works with */
typedef struct db_rows db_rows_t; /* the result of a statement */

/* ---- settings ------------------------------------------------------------------------------- */

typedef struct {
    const char *data;     /* folder of the SQLite files, made when it is missing */
    const char *database; /* "" for SQLite, or a postgresql:// URL */
    int64_t statement_ms; /* a statement that takes longer is ended */
    int64_t slow_ms;      /* a statement that takes longer is logged and counted */
    const char *redis;    /* "" for none, or a URL (redis_url.h) */
    int64_t redis_ms;     /* a command that takes longer is given up */
} db_settings_t;

extern const setting_t db_setting_rows[]; /* section "storage" */

typedef enum {
    DB_QUERIES,
    DB_QUERY_TIME,
    DB_QUERY_ERRORS,
    DB_SLOW_QUERIES,
    DB_ACTIVE,
    DB_IDLE,
    DB_COMMITS,
    DB_STATS
} db_stat_t;

/* ---- statements ----------------------------------------------------------------------------- */

/* One statement, const, with static storage: its address names the prepared statement, so it is
 * prepared once a connection. Name the columns instead of `*`: a schema that gains a column while
 * the program runs changes what `*` means. */
typedef struct {
    const char *name;     /* for the logs: "analysis.insert" */
    const char *sqlite;   /* parameters as $name */
    const char *postgres; /* NULL: the same text */
} db_sql_t;

/* The two texts of a statement by which transactions take turns on PostgreSQL: who runs it waits
 * until no other transaction holds the same `what` with the same parameter, and holds it until his
 * own ends. SQLite writes one after the other anyway. */
#define DB_TAKE_TURNS(what, parameter)                                                             \
    NULL, "SELECT CAST(pg_advisory_xact_lock(hashtextextended('" what " ' || CAST(" parameter      \
          " AS TEXT), 0)) AS TEXT) AS locked"

/* The two texts of a statement that deletes rows of a table, at most `$most`: those that `which`
 * describes, in each dialect. `key` is the table's. PostgreSQL finds them again where they lie: by
 * a key it would rather read a table from end to end once they are some hundred. Several instances
 * may do it at once there: each takes what no other one has taken. */
#define DB_DELETE_SOME(table, key, which_sqlite, which_postgres)                                   \
    "DELETE FROM " table " WHERE (" key ") IN (SELECT " key " FROM " table " WHERE " which_sqlite  \
    " LIMIT $most)",                                                                               \
        "DELETE FROM " table " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " table                    \
        " WHERE " which_postgres " LIMIT $most FOR UPDATE SKIP LOCKED))"

typedef enum { DB_NULL, DB_INT, DB_DOUBLE, DB_TEXT, DB_BLOB } db_type_t;

typedef struct {
    const char *name; /* without the $ */
    db_type_t type;
    int64_t integer;
    double number;
    const void *bytes; /* text or blob, borrowed for the call; NULL is stored as NULL */
    size_t size;
} db_param_t;

#define DB_P_INT(n, v)     ((db_param_t){ .name = (n), .type = DB_INT, .integer = (v) })
#define DB_P_DOUBLE(n, v)  ((db_param_t){ .name = (n), .type = DB_DOUBLE, .number = (v) })
#define DB_P_BLOB(n, b, s) ((db_param_t){ .name = (n), .type = DB_BLOB, .bytes = (b), .size = (s) })
#define DB_P_TEXT(n, v)    db_param_text(n, v)
#define DB_P_SIZED(n, v, s)                                                                        \
    ((db_param_t){ .name = (n), .type = DB_TEXT, .bytes = (v), .size = (s) })
#define DB_P_NULL(n) ((db_param_t){ .name = (n), .type = DB_NULL })

db_param_t db_param_text(const char *name, const char *text);

/* Why a statement or a transaction failed. */
typedef enum {
    DB_OK,
    DB_CONSTRAINT,  /* a constraint, a range, text that is not UTF-8: the caller's data */
    DB_UNAVAILABLE, /* connection lost or refused, or an I/O error; later may work */
    DB_TIMEOUT,     /* statement deadline */
    DB_FULL,        /* disk full: STORAGE_FULL to the client */
    DB_CONFLICT,    /* serialization or lock: the transaction may be tried again */
    DB_BROKEN,      /* anything else: our fault */
} db_status_t;

/* The error a handler answers with. A constraint is CONFLICT, which a caller does not retry; what
 * two transactions did to each other is UNAVAILABLE, which it may. */
error_code_t db_error(db_status_t status);

/* A sentence for the caller that names the database and says nothing of its inside; "" where it is
 * not the database that is to blame. */
const char *db_error_text(db_status_t status);

/* Runs a statement. `rows` may be NULL when no result is wanted; otherwise it is set on DB_OK, NULL
 * on failure, and freed by the caller with `db_rows_close` before the same statement is run on the
 * connection again. Every $name of the text needs a parameter and every parameter a $name: the
 * opposite is a fault of ours and stops the process. */
db_status_t db_run(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                   db_rows_t **rows) MUST_CHECK;

#define DB_RUN(conn, sql, rows, ...)                                                               \
    db_run(conn, sql, (const db_param_t[]){ __VA_ARGS__ },                                         \
           COUNT_OF(((const db_param_t[]){ __VA_ARGS__ })), rows)

/* Steps to the next row; false behind the last. A failure while stepping (SQLite runs lazily) shows
 * in `db_rows_status`. */
bool db_next(db_rows_t *rows) MUST_CHECK;
db_status_t db_rows_status(const db_rows_t *rows);
void db_rows_close(db_rows_t **rows_p);

/* Closes, and returns what the status was. */
db_status_t db_rows_end(db_rows_t *rows) MUST_CHECK;

/* Rows returned so far; of a statement that returns none, rows changed. */
int64_t db_changed(const db_rows_t *rows);

/* Runs a statement that returns no rows and tells how many it changed; `changed` may be NULL. */
db_status_t db_change(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                      int64_t *changed) MUST_CHECK;

#define DB_CHANGE(conn, sql, changed, ...)                                                         \
    db_change(conn, sql, (const db_param_t[]){ __VA_ARGS__ },                                      \
              COUNT_OF(((const db_param_t[]){ __VA_ARGS__ })), changed)

/* Runs a statement and tells the number in a column of its first row; 0 when there is none. */
db_status_t db_number(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params, size_t count,
                      const char *column, int64_t *number) MUST_CHECK;

#define DB_NUMBER(conn, sql, column, number, ...)                                                  \
    db_number(conn, sql, (const db_param_t[]){ __VA_ARGS__ },                                      \
              COUNT_OF(((const db_param_t[]){ __VA_ARGS__ })), column, number)

/* Columns of the present row by name. A name the result does not have, or a column of another type,
 * is a fault of ours. db_double reads integers too, db_blob text too. NULL is 0, 0.0, NULL. */
bool db_is_null(const db_rows_t *rows, const char *column);
int64_t db_int(const db_rows_t *rows, const char *column);
double db_double(const db_rows_t *rows, const char *column);
const char *db_text(const db_rows_t *rows, const char *column);
const char *db_dup_text(const db_rows_t *rows, arena_t *arena, const char *column); /* a copy */
const uint8_t *db_blob(const db_rows_t *rows, const char *column, size_t *size);

/* ---- connections and transactions ----------------------------------------------------------- */

/* What a thread reads with. On PostgreSQL single statements that write may be run on it too, each
 * in a transaction of its own; on SQLite it is read-only and writing goes through `db_write`. NULL
 * when the database cannot be reached. Owned by the database, one a thread. */
db_conn_t *db_conn(db_t *self);

/* Runs `work` in a transaction and returns after the commit: what it wrote is durable. `work`
 * returns DB_OK to commit, anything else to roll back, and closes its results. After a statement
 * has failed there is only rolling back: further ones return the same status, and so does
 * `db_write`, whatever `work` returns.
 *
 * `work` may be run more than once (a serialization failure on PostgreSQL, a neighbour that took
 * the common transaction down on SQLite), so it sets its results anew each time and has no other
 * effects. On SQLite it runs on the writer thread, where it holds up all other writes: it computes
 * nothing it could have computed before. It uses `conn` alone, neither `db_conn` nor `db_write`.
 *
 * DB_UNAVAILABLE and DB_TIMEOUT may mean that the answer to the commit was lost: the caller cannot
 * know whether it happened, which is what idempotency keys are for. */
typedef db_status_t (*db_work_t)(db_conn_t *conn, void *arg);
db_status_t db_write(db_t *self, db_work_t work, void *arg) MUST_CHECK;

/* Runs one statement in a transaction of its own, as `db_write` would; `changed`, which may be
 * NULL, receives the rows it changed. On PostgreSQL one round trip instead of two. */
db_status_t db_write_one(db_t *self, const db_sql_t *sql, const db_param_t *params, size_t count,
                         int64_t *changed) MUST_CHECK;

#define DB_WRITE_ONE(db, sql, changed, ...)                                                        \
    db_write_one(db, sql, (const db_param_t[]){ __VA_ARGS__ },                                     \
                 COUNT_OF(((const db_param_t[]){ __VA_ARGS__ })), changed)

bool db_is_sqlite(const db_t *self);
bool db_conn_is_sqlite(const db_conn_t *conn); /* the same, asked within a transaction */

/* ---- life ----------------------------------------------------------------------------------- */

/* A migration: numbered from 1 without gaps, forward only, never edited once released (its checksum
 * is recorded). Each runs in a transaction of its own, which it must not end. Constraints are never
 * deferred: on SQLite one that fails at the commit would fail the neighbours' writes too. The texts
 * come from actors/<name>/sql/ by way of the build: see embed.awk. */
typedef struct {
    uint32_t number;
    const char *name;
    const char *sqlite;
    const char *postgres;
} db_migration_t;

typedef enum {
    DB_MIGRATE_APPLY, /* bring the schema up to date */
    DB_MIGRATE_CHECK, /* only say whether it is; an actor that starts does this on PostgreSQL */
} db_migrate_t;

/* Opens the database of `service`. NULL with a sentence in `why` when it cannot be used: locked by
 * another process, behind or newer than this program, a checksum that differs, not reachable.
 * `migrations` ends with a zeroed row; the texts of `settings` are borrowed until `db_close`. */
db_t *db_open(const db_settings_t *settings, const char *service, const db_migration_t *migrations,
              db_migrate_t migrate, char *why, size_t why_size);

/* Waits for writes under way and closes everything; all users of the database have ended. */
void db_close(db_t **self_p);

stats_t *db_stats(db_t *self);

/* A trivial statement, for health: false when the database does not answer. */
bool db_ping(db_t *self, uint64_t *latency_us);

#endif
