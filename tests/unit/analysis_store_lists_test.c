/* SPDX-License-Identifier: MPL-2.0
 *
 * How the databases would read the lists of a large history: along an index that has the order of
 * the list, never the whole table, never sorting.
 */
#include "config.h"

#include "actors/runtime/db_params.h"
#include "tests/unit/analysis_stage.h"

/* 2,000 rows for each of 50 accounts; of account 7 all are versions of one workflow. */
#define FILL_WORKFLOWS(rows)                                                                       \
    "INSERT INTO workflow (id, account, kind, name, created_at, updated_at)"                       \
    " SELECT " UUID("b", "n") ", 'a' || (n % 50), 'n8n', 'w', n, n FROM " rows " WHERE n < 5000"
#define FILL_ANALYSES(rows)                                                                        \
    "INSERT INTO analysis (id, account, key, workflow_id, kind, profile, name, tier, created_at,"  \
    " score, grade, nodes, wires, critical, error, warning, info, occurs, result_size, result,"    \
    " sketch_size, sketch) SELECT " UUID("a", "n") ", 'a' || (n % 50), " KEY("n") ", " UUID(       \
        "b", "CASE n % 50 WHEN 7 THEN 7 ELSE n % 5000 END") ", CASE n / 50 % 3 WHEN 0 THEN 'n8n' " \
                                                            "WHEN 1 THEN 'asl' ELSE 'generic'"     \
                                                            " END, 'default', 'w', 'pro', n / 3, " \
                                                            "n % 101, substr('ABCDF', 1 + n / "    \
                                                            "50 % 5, 1), 5, 4, 0, 0,"              \
                                                            " 1, 0, '[\"warning\",\"WF' || (200 "  \
                                                            "+ n / 50 % 12) || '\"]', 3, " BLOB    \
                                                            ", 3, " BLOB " FROM " rows
#define FILL_OCCURRENCES(rows)                                                                     \
    "INSERT INTO occurrence (account, what, created_at, analysis_id) SELECT 'a' || (n % 50),"      \
    " what, n / 3, " UUID("a", "n") " FROM (SELECT n, 'warning' AS what FROM " rows                \
                                    " UNION ALL SELECT n, 'WF' || (200 + n / 50 % 12) FROM " rows  \
                                    ") AS o"

/* The two databases make numbers and texts of them in different ways. */
#if defined(TEST_ON_POSTGRES)
#    define UUID(head, n) "'0000000" head "-0000-7000-8000-' || lpad(CAST(" n " AS TEXT), 12, '0')"
#    define KEY(n)        "decode(lpad(to_hex(" n "), 64, '0'), 'hex')"
#    define BLOB          "'\\x808080'"
#    define NUMBERS       "generate_series(0, 99999) AS numbers (n)"
#else
#    define UUID(head, n) "printf('0000000" head "-0000-7000-8000-%012d', " n ")"
#    define KEY(n)        "CAST(printf('%032d', " n ") AS BLOB)"
#    define BLOB          "X'808080'"
#    define NUMBERS                                                                                \
        "(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n <"   \
        " 99999) SELECT n FROM numbers)"
#endif

static const db_sql_t s_fill[] = {
    { "test.workflows", FILL_WORKFLOWS(NUMBERS), FILL_WORKFLOWS(NUMBERS) },
    { "test.analyses", FILL_ANALYSES(NUMBERS), FILL_ANALYSES(NUMBERS) },
    { "test.occurrences", FILL_OCCURRENCES(NUMBERS), FILL_OCCURRENCES(NUMBERS) },
};

/* Values for every parameter that a list has. */
static const struct {
    const char *name, *text;
    int64_t number;
} s_values[] = {
    { "account", "a7", 0 },
    { "kind", "", 0 },
    { "profile", "", 0 },
    { "grade", "", 0 },
    { "workflow", "", 0 },
    { "min", NULL, 0 },
    { "max", NULL, 100 },
    { "rule", "%", 0 },
    { "severity", "%", 0 },
    { "at", NULL, 30000 },
    { "id", "0000000a-0000-7000-8000-000000090007", 0 },
    { "since", NULL, 0 },
    { "limit", NULL, 21 },
    { "what", "WF203", 0 },
};

/* What leads the list is set. */
static const char *s_leading(const char *statement, const char *name, const char *text)
{
    static const struct {
        const char *statement, *name, *text;
    } leading[] = {
        { "analysis.list_by_kind", "kind", "asl" },
        { "analysis.list_by_grade", "grade", "D" },
        { "analysis.list_by_workflow", "workflow", "0000000b-0000-7000-8000-000000000007" },
        { "analysis.get_workflow", "id", "0000000b-0000-7000-8000-000000000007" },
    };
    for (size_t i = 0; i < COUNT_OF(leading); i++)
        if (strcmp(statement, leading[i].statement) == 0 && strcmp(name, leading[i].name) == 0)
            return leading[i].text;
    return text;
}

static db_param_t s_value(const char *statement, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(s_values); i++)
        if (strcmp(name, s_values[i].name) == 0)
            return s_values[i].text
                       ? DB_P_TEXT(s_values[i].name, s_leading(statement, name, s_values[i].text))
                       : DB_P_INT(s_values[i].name, s_values[i].number);
    die("the test has no value for $%s", name);
}

/* A line of a plan that reads or sorts more than the page. */
static bool s_is_good(const char *line)
{
    static const char *const bad[] = { "Seq Scan", "Sort", "Bitmap",      "Materialize",
                                       "Hash",     "SCAN", "TEMP B-TREE", "AUTOMATIC" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (strstr(line, bad[i]))
            return false;
    return true;
}

/* ---- SQLite ----------------------------------------------------------------------------------
 */

static void s_explain_sqlite(stage_t *stage, const db_sql_t *sql)
{
    static db_sql_t explain; /* its address is the key of a prepared statement */
    db_param_t values[DB_PARAMS_MAX];
    db_params_t params;
    db_rows_t *rows;
    bool is_good = true;
    int lines = 0;
    db_params_parse(&params, sql->sqlite);
    for (size_t i = 0; i < params.count; i++)
        values[i] = s_value(sql->name, params.names[i]);
    explain = (db_sql_t){ sql->name,
                          arena_format(&stage->arena, "EXPLAIN QUERY PLAN %s", sql->sqlite), NULL };
    db_t *db = place_open(&stage->place, analysis_migrations, DB_MIGRATE_CHECK);
    insist(db);
    is_int(db_run(db_conn(db), &explain, values, params.count, &rows), DB_OK);
    for (; db_next(rows); lines++) {
        is_good &= s_is_good(db_text(rows, "detail"));
        if (!is_good)
            note("%s", db_text(rows, "detail"));
    }
    db_rows_close(&rows);
    db_close(&db);
    db_params_free(&params);
    ok_named(is_good && lines > 0, sql->name);
}

/* ---- PostgreSQL ------------------------------------------------------------------------------
 */

enum { RUNS = 10 };

static PGresult *s_exec(PGconn *server, const char *text)
{
    PGresult *result = PQexec(server, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die("%s: %s", text, PQerrorMessage(server));
    return result;
}

/* As a prepared statement: its first plan, and the one the server has settled on when it has run
 * often, which may be a plan for any values (PostgreSQL manual, "PREPARE"). */
static void s_explain_postgres(stage_t *stage, PGconn *server, const db_sql_t *sql)
{
    db_params_t params;
    buf_t call = { 0 };
    db_params_parse(&params, sql->postgres ? sql->postgres : sql->sqlite);
    PQclear(
        s_exec(server, arena_format(&stage->arena, "PREPARE list AS %s", buf_text(&params.text))));
    buf_add_text(&call, "EXPLAIN EXECUTE list");
    for (size_t i = 0; i < params.count; i++) {
        db_param_t value = s_value(sql->name, params.names[i]);
        const char *before = i ? ", " : " (";
        if (value.type == DB_INT)
            buf_printf(&call, "%s%lld", before, (long long)value.integer);
        else
            buf_printf(&call, "%s'%s'", before, (const char *)value.bytes);
    }
    buf_add_byte(&call, ')');
    for (int run = 0; run < RUNS; run++) {
        bool is_good = true;
        PGresult *plan = s_exec(server, buf_text(&call));
        for (int i = 0; i < PQntuples(plan); i++)
            is_good &= s_is_good(PQgetvalue(plan, i, 0));
        for (int i = 0; i < PQntuples(plan) && !is_good; i++)
            note("%s", PQgetvalue(plan, i, 0));
        if (run == 0 || run == RUNS - 1)
            ok_named(is_good && PQntuples(plan) > 0, sql->name);
        PQclear(plan);
    }
    PQclear(s_exec(server, "DEALLOCATE list"));
    buf_free(&call);
    db_params_free(&params);
}

static void test_plans(void)
{
    stage_t stage = { 0 };
    PGconn *server = NULL;
    place_make(&stage.place);
    db_t *db = place_open(&stage.place, analysis_migrations, DB_MIGRATE_APPLY);
    insist(db);
    for (size_t i = 0; i < COUNT_OF(s_fill); i++)
        is_int(db_write_one(db, &s_fill[i], NULL, 0, NULL), DB_OK);
    db_close(&db);
    if (ON_POSTGRES) {
        server = PQconnectdb(place_url());
        PQclear(s_exec(server, arena_format(&stage.arena, "SET search_path = %s; ANALYZE",
                                            stage.place.service)));
    }
    for (const db_sql_t *const *sql = store_list_statements; *sql; sql++) {
        if (ON_POSTGRES)
            s_explain_postgres(&stage, server, *sql);
        else
            s_explain_sqlite(&stage, *sql);
    }
    if (server)
        PQfinish(server);
    place_remove(&stage.place);
    arena_free(&stage.arena);
}

DATABASE_TESTS({ "plans", test_plans })
