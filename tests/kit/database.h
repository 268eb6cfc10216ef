/* SPDX-License-Identifier: MPL-2.0
 *
 * database - a database of its own for each test, on the backend the test is built for
 *
 * A test of the database layer is built twice from one source: as it is for SQLite, where each test
 * has a new folder, and with TEST_ON_POSTGRES, where each test has a new schema on the server that
 * TEST_POSTGRES_URL names (tests/kit/postgres.py starts one). Without the variable the program is
 * skipped.
 */
#ifndef SIGNALBOX_TEST_DATABASE_H
#define SIGNALBOX_TEST_DATABASE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "actors/base/id.h"
#include "actors/runtime/db.h"
#include "tests/tap.h"

#ifdef TEST_ON_POSTGRES
#    define ON_POSTGRES true
#else
#    define ON_POSTGRES false
#endif

extern const db_migration_t test_migrations[]; /* of tests/unit/sql */

/* Where one test's database is. */
typedef struct {
    char folder[32];
    char service[32];
    db_settings_t settings;
    char why[512]; /* why the last place_open failed */
} place_t;

/* The server's URL, or NULL. */
static inline const char *place_url(void)
{
    const char *url = getenv("TEST_POSTGRES_URL");
    return url && url[0] ? url : NULL;
}

static inline void place_make(place_t *self)
{
    uint8_t unique[4];
    char hex[2 * sizeof unique + 1];
    id_random(unique, sizeof unique);
    *self = (place_t){ .folder = "/tmp/sbx-db-XXXXXX" };
    insist(mkdtemp(self->folder));
    snprintf(self->service, sizeof self->service, "test_%s", id_hex(unique, sizeof unique, hex));
    self->settings = (db_settings_t){ .data = self->folder,
                                      .database = ON_POSTGRES ? place_url() : "",
                                      .statement_ms = 10000,
                                      .slow_ms = 10000 };
}

/* NULL with the sentence in `why`. */
static inline db_t *place_open(place_t *self, const db_migration_t *migrations, db_migrate_t how)
{
    self->why[0] = '\0';
    return db_open(&self->settings, self->service, migrations, how, self->why, sizeof self->why);
}

/* A statement as an operator would type it, past the layer under test. */
static inline void place_psql(const char *text)
{
    PGconn *admin = PQconnectdb(place_url());
    PGresult *result = PQexec(admin, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        note("%s: %s", text, PQerrorMessage(admin));
    PQclear(result);
    PQfinish(admin);
}

static inline void place_remove(place_t *self)
{
    char path[512];
    DIR *folder = opendir(self->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%s", self->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(folder);
    rmdir(self->folder);
    if (ON_POSTGRES) {
        snprintf(path, sizeof path,
                 "SET client_min_messages = error; DROP SCHEMA IF EXISTS %s CASCADE",
                 self->service);
        place_psql(path);
    }
}

/* A new database with the tables of tests/unit/sql. */
static inline db_t *place_start(place_t *self)
{
    place_make(self);
    db_t *db = place_open(self, test_migrations, DB_MIGRATE_APPLY);
    if (!db)
        note("%s", self->why);
    insist(db);
    return db;
}

static inline void place_end(place_t *self, db_t **db)
{
    db_close(db);
    place_remove(self);
}

/* The one number that a statement without parameters returns as `n`; -1 when it fails. */
static inline int64_t place_number(db_t *db, const db_sql_t *sql)
{
    db_rows_t *rows;
    db_conn_t *conn = db_conn(db);
    if (!conn || DB_RUN(conn, sql, &rows) != DB_OK)
        return -1;
    int64_t number = db_next(rows) ? db_int(rows, "n") : -1;
    db_rows_close(&rows);
    return number;
}

/* Stands for TESTS in these programs. */
#define DATABASE_TESTS(...)                                                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const tap_test_t tests[] = { __VA_ARGS__ };                                         \
        if (ON_POSTGRES && !place_url()) {                                                         \
            printf("1..0 # SKIP TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py\n");    \
            return 0;                                                                              \
        }                                                                                          \
        return tap_main(tests, sizeof tests / sizeof tests[0], argc, argv);                        \
    }

#endif
