/* SPDX-License-Identifier: MPL-2.0
 *
 * db_postgres - statements, results and transactions on PostgreSQL
 *
 * A statement is prepared when a connection first runs it; the server then says of which types its
 * parameters are, and they are encoded for those.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/runtime/db_postgres.h"

#define POSTGRES_NAME_BYTES 16
#define POSTGRES_TRIES      5       /* of a work that met a conflict */
#define POSTGRES_PAUSE_NS   2000000 /* before the second try; grows with each */

struct postgres_prepared {
    const db_sql_t *sql; /* key */
    char name[POSTGRES_NAME_BYTES];
    db_params_t params;
    Oid types[DB_PARAMS_MAX]; /* of the parameters, as the server deduced them */
    UT_hash_handle hh;
};

typedef struct {
    db_rows_t base;
    PGresult *result;
    int row; /* the present one */
} postgres_rows_t;

static postgres_rows_t *s_rows(const db_rows_t *base)
{
    return CONTAINER_OF(base, postgres_rows_t, base);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void s_free_prepared(postgres_prepared_t *prepared)
{
    db_params_free(&prepared->params);
    mem_free(prepared);
}

void postgres_forget(postgres_conn_t *self)
{
    postgres_prepared_t *prepared, *next;
    HASH_ITER(hh, self->prepared, prepared, next)
    {
        HASH_DEL(self->prepared, prepared);
        s_free_prepared(prepared);
    }
}

static db_status_t s_prepare(postgres_conn_t *self, const db_sql_t *sql,
                             postgres_prepared_t **prepared_p)
{
    postgres_prepared_t *prepared = mem_zeroed(sizeof *prepared);
    PGresult *described;
    prepared->sql = sql;
    db_params_parse(&prepared->params, sql->postgres ? sql->postgres : sql->sqlite);
    snprintf(prepared->name, sizeof prepared->name, "s%u", self->prepared_count++);
    bool queued =
        PQsendPrepare(self->link, prepared->name, buf_text(&prepared->params.text), 0, NULL) &&
        PQsendDescribePrepared(self->link, prepared->name);
    db_status_t status = postgres_exchange(self, sql->name, queued, &described);
    if (status != DB_OK) {
        s_free_prepared(prepared);
        return status;
    }
    insist(PQnparams(described) == (int)prepared->params.count);
    for (int i = 0; i < PQnparams(described); i++)
        prepared->types[i] = PQparamtype(described, i);
    for (int i = 0; i < PQnfields(described); i++)
        insist(db_is_right(postgres_reads(PQftype(described, i)), sql, "db.column.type",
                           PQfname(described, i)));
    PQclear(described);
    HASH_ADD_PTR(self->prepared, sql, prepared);
    *prepared_p = prepared;
    return DB_OK;
}

static bool s_encode(const postgres_prepared_t *prepared, const db_param_t *params, size_t count,
                     postgres_values_t *values)
{
    size_t order[DB_PARAMS_MAX];
    db_match(prepared->sql, prepared->params.names, prepared->params.count, params, count, order);
    for (size_t i = 0; i < count; i++) {
        const db_param_t *param = &params[order[i]];
        Oid type = prepared->types[i];
        /* the statement lacks a cast, or the handler passes a text for a number */
        insist(db_is_right(postgres_takes(param, type), prepared->sql, "db.parameter.type",
                           param->name));
        if (!postgres_encode(values, i, param, type))
            return false;
    }
    return true;
}

static db_rows_t *s_rows_new(postgres_conn_t *self, const db_sql_t *sql, PGresult *result,
                             int64_t changed)
{
    postgres_rows_t *rows = mem_zeroed(sizeof *rows);
    rows->base =
        (db_rows_t){ .conn = &self->base, .sql = sql, .columns = (size_t)PQnfields(result) };
    if (rows->base.columns == 0)
        rows->base.count = changed;
    rows->result = result;
    rows->row = -1;
    return &rows->base;
}

static db_status_t s_run(db_conn_t *conn, const db_sql_t *sql, const db_param_t *params,
                         size_t count, int64_t *changed, db_rows_t **rows)
{
    postgres_conn_t *self = postgres_conn(conn);
    postgres_prepared_t *prepared;
    postgres_values_t values;
    PGresult *result;
    db_status_t status = self->link ? DB_OK : DB_UNAVAILABLE;
    HASH_FIND_PTR(self->prepared, &sql, prepared);
    if (status == DB_OK && !prepared)
        status = s_prepare(self, sql, &prepared);
    if (status != DB_OK)
        return status;
    if (!s_encode(prepared, params, count, &values))
        return db_failed(conn, sql->name, DB_CONSTRAINT, "range",
                         "a parameter is out of the range of its column");

    bool queued =
        (!self->begin || PQsendQueryPrepared(self->link, "begin", 0, NULL, NULL, NULL, 0)) &&
        PQsendQueryPrepared(self->link, prepared->name, (int)count, values.values, values.sizes,
                            values.formats, 1);
    status = postgres_exchange(self, sql->name, queued, &result);
    self->begin = false;
    if (status != DB_OK)
        return status;

    int64_t rows_changed = 0;
    const char *number = PQcmdTuples(result);
    if (!text_to_i64(number, strlen(number), &rows_changed))
        rows_changed = 0; /* empty after a statement that changes no rows */
    if (changed)
        *changed = rows_changed;
    if (rows)
        *rows = s_rows_new(self, sql, result, rows_changed);
    else
        PQclear(result);
    return DB_OK;
}

/* ---- results --------------------------------------------------------------------------------- */

static bool s_next(db_rows_t *base)
{
    postgres_rows_t *rows = s_rows(base);
    if (rows->row < PQntuples(rows->result))
        rows->row++;
    return rows->row < PQntuples(rows->result);
}

static const char *s_column(const db_rows_t *base, size_t index)
{
    return PQfname(s_rows(base)->result, (int)index);
}

static db_cell_t s_cell(const db_rows_t *base, size_t index)
{
    const postgres_rows_t *rows = s_rows(base);
    return postgres_decode(rows->result, rows->row, (int)index);
}

static void s_rows_free(db_rows_t *base)
{
    PQclear(s_rows(base)->result);
    mem_free(s_rows(base));
}

/* ---- transactions ---------------------------------------------------------------------------- */

static db_status_t s_command(postgres_conn_t *self, const char *name)
{
    PGresult *result;
    if (!self->link)
        return DB_UNAVAILABLE;
    bool queued = PQsendQueryPrepared(self->link, name, 0, NULL, NULL, NULL, 0);
    db_status_t status = postgres_exchange(self, name, queued, &result);
    if (status != DB_OK)
        return status;
    /* the COMMIT of a transaction that failed is answered with ROLLBACK, and is no error */
    insist(strcmp(name, "commit") != 0 || strcmp(PQcmdStatus(result), "COMMIT") == 0);
    PQclear(result);
    return DB_OK;
}

static db_status_t s_try(postgres_conn_t *self, db_work_t work, void *arg)
{
    self->begin = true; /* sent with the first statement; without one there is no transaction */
    db_status_t status = db_work(&self->base, work, arg);
    bool began = self->link && !self->begin;
    self->begin = false;
    if (began && status == DB_OK) {
        status = s_command(self, "commit");
        if (status == DB_OK)
            stats_add(&self->base.db->stats, DB_COMMITS, 1);
    } else if (began && s_command(self, "rollback") != DB_OK) {
        postgres_disconnect(self);
    }
    return status;
}

/* Two works that met each other are kept apart by a pause of random length. */
static void s_pause(int tries)
{
    uint64_t spread = id_random_u64() % (uint64_t)(POSTGRES_PAUSE_NS * tries);
    nanosleep(&(struct timespec){ .tv_nsec = POSTGRES_PAUSE_NS / 2 + (long)spread }, NULL);
}

static db_status_t s_write(db_t *db, db_work_t work, void *arg)
{
    db_conn_t *conn = db_conn(db);
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status = s_try(postgres_conn(conn), work, arg);
    for (int tries = 1; status == DB_CONFLICT && tries < POSTGRES_TRIES; tries++) {
        s_pause(tries);
        status = s_try(postgres_conn(conn), work, arg);
    }
    return status;
}

static db_status_t s_write_one(db_t *db, const db_sql_t *sql, const db_param_t *params,
                               size_t count, int64_t *changed)
{
    db_conn_t *conn = db_conn(db);
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status = db_change(conn, sql, params, count, changed);
    for (int tries = 1; status == DB_CONFLICT && tries < POSTGRES_TRIES; tries++) {
        s_pause(tries);
        status = db_change(conn, sql, params, count, changed);
    }
    if (status == DB_OK)
        stats_add(&db->stats, DB_COMMITS, 1);
    return status;
}

/* ---- migrations ------------------------------------------------------------------------------ */

/* Migrators of one schema wait for each other. A transaction may take as long as it likes, but
 * waits for a lock no longer than a minute: meanwhile everybody else would wait behind it. */
static db_status_t s_migrate_begin(db_conn_t *conn)
{
    static const db_sql_t schema = {
        "migrate.schema", NULL,
        "SELECT count(*) AS there FROM pg_namespace WHERE nspname = CAST($schema AS TEXT)"
    };
    postgres_conn_t *self = postgres_conn(conn);
    const char *service = conn->db->service;
    char *text =
        mem_format("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';"
                   "SELECT pg_advisory_xact_lock(%" PRId64 ")",
                   (int64_t)id_hash(service, strlen(service)));
    db_status_t status = postgres_script(self, "migrate.begin", text);
    mem_free(text);
    db_rows_t *rows = NULL;
    if (status == DB_OK)
        status = DB_RUN(conn, &schema, &rows, DB_P_TEXT("schema", service));
    if (status == DB_OK && db_next(rows) && db_int(rows, "there") == 0) {
        char *name = PQescapeIdentifier(self->link, service, strlen(service));
        text = mem_format("CREATE SCHEMA %s", name);
        status = postgres_script(self, "migrate.create_schema", text);
        mem_free(text);
        PQfreemem(name);
    }
    db_rows_close(&rows);
    return status;
}

static db_status_t s_migrate_script(db_conn_t *conn, const char *text)
{
    postgres_conn_t *self = postgres_conn(conn);
    db_status_t status = postgres_script(self, "migrate", text);
    if (status == DB_OK && PQtransactionStatus(self->link) != PQTRANS_INTRANS)
        status = db_failed(conn, "migrate", DB_BROKEN, "transaction",
                           "the file ends the transaction it runs in");
    return status;
}

static db_status_t s_migrate_end(db_conn_t *conn, bool commit)
{
    postgres_conn_t *self = postgres_conn(conn);
    return postgres_script(self, "migrate.end", commit ? "COMMIT" : "ROLLBACK");
}

/* ---- life ------------------------------------------------------------------------------------ */

static db_conn_t *s_conn_new(db_t *db)
{
    postgres_conn_t *self = mem_zeroed(sizeof *self);
    self->base.db = db;
    return &self->base;
}

static bool s_conn_ready(db_conn_t *conn)
{
    return postgres_connect(postgres_conn(conn));
}

static void s_conn_free(db_conn_t *conn)
{
    postgres_disconnect(postgres_conn(conn));
    mem_free(conn);
}

static void s_close(db_t *db)
{
    postgres_gate_t *gate = db->state;
    pthread_mutex_destroy(&gate->mutex);
    mem_free(gate);
}

static bool s_open(db_t *db, bool create, char *why, size_t why_size)
{
    (void)create; /* a schema that is not there is found missing, or made, by db_migrate */
    postgres_gate_t *gate = mem_zeroed(sizeof *gate);
    insist(pthread_mutex_init(&gate->mutex, NULL) == 0);
    db->state = gate;
    if (db_conn(db))
        return true;
    const db_conn_t *conn = pthread_getspecific(db->mine);
    snprintf(why, why_size, "cannot use PostgreSQL for %s: %s", db->service, conn->message);
    s_close(db);
    return false;
}

const db_backend_t db_postgres = {
    .open = s_open,
    .close = s_close,
    .conn_new = s_conn_new,
    .conn_ready = s_conn_ready,
    .conn_free = s_conn_free,
    .run = s_run,
    .next = s_next,
    .column = s_column,
    .cell = s_cell,
    .rows_free = s_rows_free,
    .write = s_write,
    .write_one = s_write_one,
    .migrator = db_conn,
    .migrate_begin = s_migrate_begin,
    .migrate_script = s_migrate_script,
    .migrate_end = s_migrate_end,
};
