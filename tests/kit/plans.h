/* SPDX-License-Identifier: MPL-2.0
 *
 * plans - how the databases would read the lists of a large history: along an index that has the
 * order of the list, never the whole table, never sorting; and how they would find what any other
 * statement is about: by an index, though it may sort and hash the little that it finds
 */
#ifndef SIGNALBOX_TEST_PLANS_H
#define SIGNALBOX_TEST_PLANS_H

#include "actors/runtime/db_params.h"
#include "tests/kit/database.h"

#define PLANS_FILL_MS 600000 /* the rows come in one statement, however busy the machine is */

/* What fills the tables, and what the lists are asked. */
typedef struct {
    const db_migration_t *migrations;
    const db_sql_t *fill;
    size_t fill_count;
    const db_sql_t *const *lists; /* ends with NULL; may be NULL */
    const db_sql_t *const
        *lookups;             /* any other statements; likewise. "" or NULL for SQLite: none */
    const char *const *small; /* tables that never have many rows; likewise */
    /* A value for a parameter of a statement. */
    db_param_t (*value)(const char *statement, const char *name);
} plans_t;

/* A line of a plan that reads or sorts more than the page. */
static inline bool plans_is_good(const char *line)
{
    static const char *const bad[] = { "Seq Scan", "Sort", "Bitmap",      "Materialize",
                                       "Hash",     "SCAN", "TEMP B-TREE", "AUTOMATIC" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (strstr(line, bad[i]))
            return false;
    return true;
}

/* A line of a plan that reads a table from end to end, unless it is a small one. */
static inline bool plans_finds(const plans_t *self, const char *line)
{
    static const char *const reads[] = { "Seq Scan on ", "SCAN " };
    const char *at = NULL;
    for (size_t i = 0; !at && i < COUNT_OF(reads); i++)
        if ((at = strstr(line, reads[i])))
            at += strlen(reads[i]);
    if (!at || strstr(at, " USING ") || strstr(at, "VIRTUAL") || strstr(at, "CONSTANT"))
        return true;
    for (const char *const *small = self->small; small && *small; small++)
        if (strncmp(at, *small, strlen(*small)) == 0)
            return true;
    return false;
}

/* ---- SQLite ---------------------------------------------------------------------------------- */

static inline void plans_explain_sqlite(const plans_t *self, place_t *place, arena_t *arena,
                                        const db_sql_t *sql, bool is_list)
{
    static db_sql_t explain; /* its address is the key of a prepared statement */
    db_param_t values[DB_PARAMS_MAX];
    db_params_t params;
    db_rows_t *rows;
    bool is_good = true;
    int lines = 0;
    db_params_parse(&params, sql->sqlite);
    for (size_t i = 0; i < params.count; i++)
        values[i] = self->value(sql->name, params.names[i]);
    explain =
        (db_sql_t){ sql->name, arena_format(arena, "EXPLAIN QUERY PLAN %s", sql->sqlite), NULL };
    db_t *db = place_open(place, self->migrations, DB_MIGRATE_CHECK);
    insist(db);
    is_int(db_run(db_conn(db), &explain, values, params.count, &rows), DB_OK);
    for (; db_next(rows); lines++) {
        const char *line = db_text(rows, "detail");
        is_good &= is_list ? plans_is_good(line) : plans_finds(self, line);
        if (!is_good)
            note("%s", db_text(rows, "detail"));
    }
    db_rows_close(&rows);
    db_close(&db);
    db_params_free(&params);
    ok_named(is_good && lines > 0, sql->name);
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

enum { PLANS_RUNS = 10 };

static inline PGresult *plans_exec(PGconn *server, const char *text)
{
    PGresult *result = PQexec(server, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die("%s: %s", text, PQerrorMessage(server));
    return result;
}

/* As a prepared statement: its first plan, and the one the server has settled on when it has run
 * often, which may be a plan for any values (PostgreSQL manual, "PREPARE"). */
static inline void plans_explain_postgres(const plans_t *self, PGconn *server, arena_t *arena,
                                          const db_sql_t *sql, bool is_list)
{
    db_params_t params;
    buf_t call = { 0 };
    db_params_parse(&params, sql->postgres ? sql->postgres : sql->sqlite);
    PQclear(plans_exec(server, arena_format(arena, "PREPARE list AS %s", buf_text(&params.text))));
    buf_add_text(&call, "EXPLAIN EXECUTE list");
    for (size_t i = 0; i < params.count; i++) {
        db_param_t value = self->value(sql->name, params.names[i]);
        const char *before = i ? ", " : " (";
        if (value.type == DB_INT)
            buf_printf(&call, "%s%lld", before, (long long)value.integer);
        else
            buf_printf(&call, "%s'%s'", before, (const char *)value.bytes);
    }
    if (params.count)
        buf_add_byte(&call, ')');
    for (int run = 0; run < PLANS_RUNS; run++) {
        bool is_good = true;
        PGresult *plan = plans_exec(server, buf_text(&call));
        for (int i = 0; i < PQntuples(plan); i++)
            is_good &= is_list ? plans_is_good(PQgetvalue(plan, i, 0))
                               : plans_finds(self, PQgetvalue(plan, i, 0));
        for (int i = 0; i < PQntuples(plan) && !is_good; i++)
            note("%s", PQgetvalue(plan, i, 0));
        if (run == 0 || run == PLANS_RUNS - 1)
            ok_named(is_good && PQntuples(plan) > 0, sql->name);
        PQclear(plan);
    }
    PQclear(plans_exec(server, "DEALLOCATE list"));
    buf_free(&call);
    db_params_free(&params);
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Fills a database of its own and checks the plan of every list. */
static inline void plans_check(const plans_t *self)
{
    arena_t arena = { 0 };
    place_t place;
    PGconn *server = NULL;
    place_make(&place);
    place.settings.statement_ms = PLANS_FILL_MS;
    db_t *db = place_open(&place, self->migrations, DB_MIGRATE_APPLY);
    insist(db);
    for (size_t i = 0; i < self->fill_count; i++)
        is_int(db_write_one(db, &self->fill[i], NULL, 0, NULL), DB_OK);
    db_close(&db);
    if (ON_POSTGRES) {
        server = PQconnectdb(place_url());
        PQclear(plans_exec(server,
                           arena_format(&arena, "SET search_path = %s; ANALYZE", place.service)));
    }
    for (int is_list = 0; is_list <= 1; is_list++)
        for (const db_sql_t *const *sql = is_list ? self->lists : self->lookups; sql && *sql;
             sql++) {
            if (ON_POSTGRES && (!(*sql)->postgres || (*sql)->postgres[0]))
                plans_explain_postgres(self, server, &arena, *sql, is_list);
            else if (!ON_POSTGRES && (*sql)->sqlite)
                plans_explain_sqlite(self, &place, &arena, *sql, is_list);
        }
    if (server)
        PQfinish(server);
    place_remove(&place);
    arena_free(&arena);
}

#endif
