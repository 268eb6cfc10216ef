/* SPDX-License-Identifier: MPL-2.0
 *
 * db - what both databases share: settings, counters, the connection of each thread, and the rules
 * of a transaction; statements and results are in db_run.c
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/runtime/db.h"
#include "actors/runtime/db_backend.h"

#define DB_SERVICE_BYTES 48 /* PostgreSQL cuts names at 63 */

const setting_t db_setting_rows[] = {
    { .name = "data",
      .type = SETTING_TEXT,
      .offset = offsetof(db_settings_t, data),
      .preset = "var",
      .about = "Folder of the SQLite files and of the local sockets; made when it is missing." },
    { .name = "database",
      .type = SETTING_TEXT,
      .offset = offsetof(db_settings_t, database),
      .preset = "",
      .secret = true,
      .about = "postgresql:// URL of the database; empty for SQLite files in the data folder." },
    { .name = "statement_ms",
      .type = SETTING_INT,
      .offset = offsetof(db_settings_t, statement_ms),
      .preset = "5000",
      .min = 10,
      .max = 600000,
      .unit = "ms",
      .about = "A statement that takes longer is ended." },
    { .name = "slow_ms",
      .type = SETTING_INT,
      .offset = offsetof(db_settings_t, slow_ms),
      .preset = "250",
      .min = 1,
      .max = 600000,
      .unit = "ms",
      .about = "A statement that takes longer is logged and counted." },
    { .name = "redis",
      .type = SETTING_TEXT,
      .offset = offsetof(db_settings_t, redis),
      .preset = "",
      .secret = true,
      .about = "redis://:password@host:6379/0 or unix:///path of a Redis that instances share; "
               "empty for none." },
    { .name = "redis_ms",
      .type = SETTING_INT,
      .offset = offsetof(db_settings_t, redis_ms),
      .preset = "250",
      .min = 10,
      .max = 60000,
      .unit = "ms",
      .about = "A Redis command that takes longer is given up." },
    { 0 },
};

static const stats_row_t s_stats[] = {
    [DB_QUERIES] = { "database_queries_total", STATS_COUNTER, "Statements run" },
    [DB_QUERY_TIME] = { "database_query_duration_seconds", STATS_HISTOGRAM,
                        "Time a statement took" },
    [DB_QUERY_ERRORS] = { "database_query_errors_total", STATS_COUNTER,
                          "Statements, commits and attempts to connect that failed for another "
                          "reason than a constraint" },
    [DB_SLOW_QUERIES] = { "database_slow_queries_total", STATS_COUNTER,
                          "Statements that took longer than storage.slow_ms" },
    [DB_ACTIVE] = { "database_connections_active", STATS_GAUGE,
                    "Connections to the database on which a statement runs or is read" },
    [DB_IDLE] = { "database_connections_idle", STATS_GAUGE,
                  "Connections to the database that are open beside these" },
    [DB_COMMITS] = { "database_commits_total", STATS_COUNTER,
                     "Transactions committed; one may hold the writes of many requests" },
    [DB_STATS] = { 0 },
};

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

/* A connection that is lost in the middle of a statement is gone first and active until the end. */
static void s_show_connections(db_t *self)
{
    int64_t open = atomic_load(&self->open), active = atomic_load(&self->active);
    active = active < open ? active : open;
    stats_set(&self->stats, DB_ACTIVE, active);
    stats_set(&self->stats, DB_IDLE, open - active);
}

stats_t *db_stats(db_t *self)
{
    s_show_connections(self);
    return &self->stats;
}

bool db_is_sqlite(const db_t *self)
{
    return self->backend == &db_sqlite;
}

bool db_conn_is_sqlite(const db_conn_t *conn)
{
    return db_is_sqlite(conn->db);
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
