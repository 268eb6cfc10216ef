/* SPDX-License-Identifier: MPL-2.0
 *
 * db_migrate - brings a schema up to date, one numbered file after the other
 *
 * What was applied is kept in the table schema_migrations with a SHA-256 of its text. Each file
 * runs in a transaction of its own, at whose beginning the table is read under a lock that only one
 * migrator holds: any number of processes may start at once, and one that comes second finds
 * nothing left to do.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/runtime/db_backend.h"

#define CHECKSUM_SIZE (2 * crypto_hash_sha256_BYTES + 1)

static const char s_create[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                               " number BIGINT PRIMARY KEY,"
                               " name TEXT NOT NULL,"
                               " checksum TEXT NOT NULL,"
                               " applied_ms BIGINT NOT NULL)";

static const db_sql_t s_exists = {
    "migrate.exists",
    "SELECT count(*) AS there FROM sqlite_schema WHERE type = 'table' AND name = "
    "'schema_migrations'",
    "SELECT count(*) AS there FROM pg_class WHERE oid = to_regclass('schema_migrations')",
};

static const db_sql_t s_list = {
    "migrate.list", "SELECT number, name, checksum FROM schema_migrations ORDER BY number", NULL
};

static const db_sql_t s_record = {
    "migrate.record",
    "INSERT INTO schema_migrations (number, name, checksum, applied_ms)"
    " VALUES ($number, $name, $checksum, $now)",
    NULL,
};

typedef struct {
    db_t *db;
    db_conn_t *conn;
    const db_migration_t *migrations;
    uint32_t known;   /* migrations of this program */
    uint32_t applied; /* of them, to the database */
    char *why;
    size_t why_size;
} migration_t;

static bool s_refuse(migration_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

static bool s_refuse(migration_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->why, self->why_size, format, args);
    va_end(args);
    return false;
}

static const char *s_text(const migration_t *self, const db_migration_t *migration)
{
    return db_is_sqlite(self->db) ? migration->sqlite : migration->postgres;
}

static const char *s_checksum(const char *text, char hex[CHECKSUM_SIZE])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
    return id_hex(hash, sizeof hash, hex);
}

static bool s_is_unchanged(const char *text, const char *checksum)
{
    char hex[CHECKSUM_SIZE];
    return strcmp(checksum, s_checksum(text, hex)) == 0;
}

/* The program's own list. */
static bool s_count_known(migration_t *self)
{
    for (const db_migration_t *at = self->migrations; at->number; at++)
        if (at->number != ++self->known)
            return s_refuse(self,
                            "migration %u of %s is missing from this program, which has %u '%s': "
                            "number the files in actors/%s/sql from 1 without gaps",
                            self->known, self->db->service, at->number, at->name,
                            self->db->service);
    return true;
}

/* Compares a row of the database with the program. */
static bool s_compare(migration_t *self, int64_t number, const char *name, const char *checksum)
{
    const char *service = self->db->service;
    if (number > self->known)
        return s_refuse(self,
                        "the database of %s has migration %lld '%s', and this program knows only "
                        "%u: start the newer program that made it, or restore a backup from before",
                        service, (long long)number, name, self->known);
    const db_migration_t *expected = &self->migrations[self->applied];
    if (number != expected->number)
        return s_refuse(self,
                        "the database of %s lacks migration %u '%s', but has %lld '%s': restore a "
                        "backup, since what is in it cannot be known",
                        service, expected->number, expected->name, (long long)number, name);
    if (!s_is_unchanged(s_text(self, expected), checksum))
        return s_refuse(self,
                        "migration %u of %s was changed after it was applied (as '%s'): put "
                        "'%s' back as it was, and make the change in a new file",
                        expected->number, service, name, expected->name);
    self->applied++;
    return true;
}

static bool s_unreadable(migration_t *self)
{
    return s_refuse(self, "cannot read which migrations the database of %s has: %s",
                    self->db->service, self->conn->message);
}

/* Counts what was applied, and refuses what does not fit. */
static bool s_read(migration_t *self)
{
    db_rows_t *rows;
    bool good = true;
    self->applied = 0;
    if (DB_RUN(self->conn, &s_exists, &rows) != DB_OK)
        return s_unreadable(self);
    bool there = db_next(rows) && db_int(rows, "there") > 0;
    db_rows_close(&rows);
    if (!there)
        return true;
    if (DB_RUN(self->conn, &s_list, &rows) != DB_OK)
        return s_unreadable(self);
    while (good && db_next(rows))
        good = s_compare(self, db_int(rows, "number"), db_text(rows, "name"),
                         db_text(rows, "checksum"));
    if (good && db_rows_status(rows) != DB_OK)
        good = s_unreadable(self);
    db_rows_close(&rows);
    return good;
}

static db_status_t s_apply(migration_t *self, const db_migration_t *migration)
{
    const db_backend_t *backend = self->db->backend;
    char hex[CHECKSUM_SIZE];
    db_status_t status = backend->migrate_script(self->conn, s_create);
    if (status == DB_OK)
        status = backend->migrate_script(self->conn, s_text(self, migration));
    if (status == DB_OK)
        status = DB_RUN(self->conn, &s_record, NULL, DB_P_INT("number", migration->number),
                        DB_P_TEXT("name", migration->name),
                        DB_P_TEXT("checksum", s_checksum(s_text(self, migration), hex)),
                        DB_P_INT("now", clock_wall_ms()));
    return status;
}

/* One transaction: looks, applies the next file if there is one, commits. `*done` when there was
 * none. */
static bool s_step(migration_t *self, bool *done)
{
    const db_backend_t *backend = self->db->backend;
    uint64_t start = clock_us();
    db_status_t status = backend->migrate_begin(self->conn);
    if (status != DB_OK) {
        s_refuse(self, "cannot migrate the database of %s: %s", self->db->service,
                 self->conn->message);
        (void)backend->migrate_end(self->conn, false);
        return false;
    }
    bool good = s_read(self);
    *done = good && self->applied == self->known;
    if (!good || *done) {
        (void)backend->migrate_end(self->conn, false); /* nothing was written */
        return good;
    }
    const db_migration_t *next = &self->migrations[self->applied];
    status = s_apply(self, next);
    char message[DB_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s", self->conn->message);
    db_status_t ended = backend->migrate_end(self->conn, status == DB_OK);
    if (status == DB_OK && ended != DB_OK)
        snprintf(message, sizeof message, "%s", self->conn->message);
    if (status != DB_OK || ended != DB_OK)
        return s_refuse(self, "migration %u '%s' of %s failed and was undone: %s", next->number,
                        next->name, self->db->service, message);
    LOG(LOG_INFO, "db.migrated", LOG_TEXT("service", self->db->service),
        LOG_INT("number", next->number), LOG_TEXT("name", next->name),
        LOG_INT("duration_ms", (clock_us() - start) / 1000));
    return true;
}

bool db_migrate(db_t *db, const db_migration_t *migrations, db_migrate_t how, char *why,
                size_t why_size)
{
    migration_t self = { .db = db, .migrations = migrations, .why = why, .why_size = why_size };
    bool done = false;
    self.conn = db->backend->migrator(db);
    if (!self.conn)
        return s_refuse(&self, "cannot reach the database of %s", db->service);
    if (!s_count_known(&self))
        return false;
    if (how == DB_MIGRATE_APPLY) {
        while (!done)
            if (!s_step(&self, &done))
                return false;
        return true;
    }
    if (!s_read(&self))
        return false;
    if (self.applied < self.known)
        return s_refuse(&self,
                        "the database of %s is at migration %u of %u: run signalbox migrate, and "
                        "start again",
                        db->service, self.applied, self.known);
    return true;
}
