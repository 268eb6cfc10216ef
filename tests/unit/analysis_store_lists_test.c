/* SPDX-License-Identifier: MPL-2.0
 *
 * How the databases would read the lists of a large history: along an index that has the order of
 * the list, never the whole table, never sorting; and how they would find and change baselines.
 */
#include "config.h"

#include "actors/analysis/store.h"
#include "tests/kit/plans.h"

/* 2,000 rows for each of 50 accounts; of account 7 all are versions of one workflow. Workflows have
 * baselines, and so has that one. */
#define FILL_WORKFLOWS(rows)                                                                       \
    "INSERT INTO workflow (id, account, kind, name, created_at, updated_at)"                       \
    " SELECT " UUID("b", "n") ", 'a' || (n % 50), 'n8n', 'w', n, n FROM " rows " WHERE n < 5000"
#define WORKFLOW_OF  UUID("b", "CASE n % 50 WHEN 7 THEN 7 ELSE n % 5000 END")
#define KIND_OF      "CASE n / 50 % 3 WHEN 0 THEN 'n8n' WHEN 1 THEN 'asl' ELSE 'generic' END"
#define GRADE_OF     "substr('ABCDF', 1 + n / 50 % 5, 1)"
#define OCCURS_OF    "'[\"warning\",\"WF' || (200 + n / 50 % 12) || '\"]'"
#define PINNED_AT_OF "CASE WHEN n < 5000 AND (n % 50 <> 7 OR n = 7) THEN n END"
#define FILL_ANALYSES(rows)                                                                        \
    "INSERT INTO analysis (id, account, key, workflow_id, kind, profile, name, tier, created_at,"  \
    " score, grade, nodes, wires, critical, error, warning, info, occurs, result_size, result,"    \
    " sketch_size, sketch, pinned_at)"                                                             \
    " SELECT " UUID("a", "n") ", 'a' || (n % 50), " KEY(                                           \
        "n") ", " WORKFLOW_OF ", " KIND_OF ", 'default', 'w', 'pro', n / 3, n % 101, " GRADE_OF    \
             ", 5, 4, 0, 0, 1, 0, " OCCURS_OF ", 3, " BLOB ", 3, " BLOB ", " PINNED_AT_OF          \
             " FROM " rows
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
    { "now", NULL, 40000 },
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
        { "analysis.get_baseline", "workflow", "0000000b-0000-7000-8000-000000000007" },
        { "analysis.get_reference", "workflow", "0000000b-0000-7000-8000-000000000007" },
        { "analysis.get_reference", "profile", "default" },
        { "analysis.pin_choose", "workflow", "0000000b-0000-7000-8000-000000000007" },
        { "analysis.unpin", "workflow", "0000000b-0000-7000-8000-000000000007" },
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

static void test_plans(void)
{
    const plans_t plans = { .migrations = analysis_migrations,
                            .fill = s_fill,
                            .fill_count = COUNT_OF(s_fill),
                            .lists = store_list_statements,
                            .lookups = store_baseline_statements,
                            .value = s_value };
    plans_check(&plans);
}

DATABASE_TESTS({ "plans", test_plans })
