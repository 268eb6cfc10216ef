/* SPDX-License-Identifier: MPL-2.0
 *
 * Values, statements, results and constraints. Built for both databases.
 */
#include "config.h"

#include <float.h>
#include <math.h>

#include "tests/kit/database.h"

static const db_sql_t s_insert = {
    "test.insert",
    "INSERT INTO thing (id, small, number, flag, name, body)"
    " VALUES ($id, $small, $number, $flag, $name, $body)",
    NULL,
};
static const db_sql_t s_insert_id = { "test.insert_id", "INSERT INTO thing (id) VALUES ($id)",
                                      NULL };
static const db_sql_t s_insert_small = { "test.insert_small",
                                         "INSERT INTO thing (id, small) VALUES ($id, $small)",
                                         NULL };
static const db_sql_t s_insert_name = { "test.insert_name",
                                        "INSERT INTO thing (id, name) VALUES ($id, $name)", NULL };
static const db_sql_t s_select = {
    "test.select", "SELECT id, small, number, flag, name, body FROM thing WHERE id = $id", NULL
};
static const db_sql_t s_ids = { "test.ids", "SELECT id FROM thing ORDER BY id", NULL };
static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM thing", NULL };

/* ---- values ---------------------------------------------------------------------------------- */

static void test_types(void)
{
    static const struct {
        const char *what;
        db_param_t small, number, flag, name, body;
    } cases[] = {
        { "nothing", DB_P_NULL(""), DB_P_NULL(""), DB_P_NULL(""), DB_P_NULL(""), DB_P_NULL("") },
        { "zeros and empty", DB_P_INT("", 0), DB_P_DOUBLE("", 0.0), DB_P_INT("", 0),
          DB_P_SIZED("", "", 0), DB_P_BLOB("", "", 0) },
        { "ordinary", DB_P_INT("", 100), DB_P_DOUBLE("", 0.1), DB_P_INT("", 1),
          DB_P_SIZED("", "text", 4), DB_P_BLOB("", "\0\1\0\xff\0", 5) },
        { "UTF-8 and quotes", DB_P_INT("", 1), DB_P_DOUBLE("", -DBL_MAX), DB_P_INT("", 1),
          DB_P_SIZED("", "h\xc3\xa9'\"\\ \xe2\x82\xac \xf0\x9f\x9a\xa6", 15),
          DB_P_BLOB("", "'\\x00", 5) },
        { "bytes that are NULL", DB_P_INT("", 1), DB_P_DOUBLE("", DBL_MIN), DB_P_INT("", 0),
          DB_P_SIZED("", NULL, 0), DB_P_BLOB("", NULL, 0) },
        { "part of a text", DB_P_INT("", 1), DB_P_INT("", 7), DB_P_INT("", 0),
          DB_P_SIZED("", "inside only", 6), DB_P_BLOB("", "abc", 1) },
    };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        db_param_t params[] = { cases[i].small, cases[i].number, cases[i].flag,
                                cases[i].name,  cases[i].body,   DB_P_INT("id", (int64_t)i) };
        params[0].name = "small";
        params[1].name = "number";
        params[2].name = "flag";
        params[3].name = "name";
        params[4].name = "body";
        ok_named(db_write_one(db, &s_insert, params, COUNT_OF(params), NULL) == DB_OK,
                 cases[i].what);

        db_rows_t *rows;
        is_int(DB_RUN(db_conn(db), &s_select, &rows, DB_P_INT("id", (int64_t)i)), DB_OK);
        ok(db_next(rows));
        ok(db_is_null(rows, "small") == (params[0].type == DB_NULL));
        is_int(db_int(rows, "small"), params[0].integer);
        double number = params[1].type == DB_INT ? (double)params[1].integer : params[1].number;
        ok(db_double(rows, "number") == number);
        is_int(db_int(rows, "flag"), params[2].integer);
        size_t size = 99;
        const char *text = db_text(rows, "name");
        ok(db_is_null(rows, "name") == !params[3].bytes);
        ok(!text == !params[3].bytes);
        ok(!text ||
           (strlen(text) == params[3].size && memcmp(text, params[3].bytes, params[3].size) == 0));
        const uint8_t *bytes = db_blob(rows, "body", &size);
        is_int(size, params[4].size);
        ok(!bytes == !params[4].bytes);
        ok(!bytes || memcmp(bytes, params[4].bytes, size) == 0);
        ok(!db_next(rows));
        db_rows_close(&rows);
        ok(rows == NULL);
    }
    place_end(&place, &db);
}

static void test_integers(void)
{
    static const int64_t cases[] = { 0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        db_rows_t *rows;
        is_int(DB_WRITE_ONE(db, &s_insert_id, NULL, DB_P_INT("id", cases[i])), DB_OK);
        is_int(DB_RUN(db_conn(db), &s_select, &rows, DB_P_INT("id", cases[i])), DB_OK);
        ok(db_next(rows) && db_int(rows, "id") == cases[i]);
        db_rows_close(&rows);
    }
    place_end(&place, &db);
}

static void test_not_a_number_is_null(void)
{
    static const db_sql_t insert = { "test.nan",
                                     "INSERT INTO thing (id, number) VALUES ($id, $number)", NULL };
    place_t place;
    db_t *db = place_start(&place);
    db_rows_t *rows;
    is_int(DB_WRITE_ONE(db, &insert, NULL, DB_P_INT("id", 1), DB_P_DOUBLE("number", NAN)), DB_OK);
    is_int(DB_RUN(db_conn(db), &s_select, &rows, DB_P_INT("id", 1)), DB_OK);
    ok(db_next(rows) && db_is_null(rows, "number"));
    db_rows_close(&rows);
    place_end(&place, &db);
}

static void test_text_that_is_none(void)
{
    static const struct {
        const char *what, *text;
        size_t size;
        db_status_t expected;
    } cases[] = {
        { "plain", "plain", 5, DB_OK },
        { "a NUL inside", "a\0b", 3, DB_CONSTRAINT },
        { "a lone continuation byte", "\x80", 1, DB_CONSTRAINT },
        { "a surrogate", "\xed\xa0\x80", 3, DB_CONSTRAINT },
        { "cut in the middle of a character", "\xe2\x82\xac", 2, DB_CONSTRAINT },
    };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(DB_WRITE_ONE(db, &s_insert_name, NULL, DB_P_INT("id", (int64_t)i),
                              DB_P_SIZED("name", cases[i].text, cases[i].size)) ==
                     cases[i].expected,
                 cases[i].what);
    is_int(place_number(db, &s_count), 1);
    place_end(&place, &db);
}

/* ---- statements and results ------------------------------------------------------------------ */

static void test_parameters(void)
{
    static const db_sql_t twice = {
        "test.twice",
        "SELECT CAST($b AS BIGINT) AS b, CAST($a AS TEXT) AS a, CAST($b AS BIGINT) + 1 AS n,"
        " '$a' AS literal -- $c is a comment\n",
        NULL,
    };
    place_t place;
    db_t *db = place_start(&place);
    for (int i = 0; i < 3; i++) { /* prepared, and prepared already */
        db_rows_t *rows;
        is_int(DB_RUN(db_conn(db), &twice, &rows, DB_P_TEXT("a", "x"), DB_P_INT("b", i)), DB_OK);
        ok(db_next(rows));
        is_text(db_text(rows, "a"), "x");
        is_text(db_text(rows, "literal"), "$a");
        is_int(db_int(rows, "b"), i);
        is_int(db_int(rows, "n"), i + 1);
        db_rows_close(&rows);
    }
    place_end(&place, &db);
}

/* A database may plan a statement anew when other values are bound to it. */
static void test_parameters_of_a_pattern(void)
{
    static const db_sql_t like = {
        "test.like", "SELECT count(*) AS n FROM thing WHERE name LIKE $pattern AND id > $least",
        NULL
    };
    static const struct {
        const char *pattern;
        int64_t least, found;
    } cases[] = { { "a%", 0, 2 }, { "b%", 0, 1 }, { "%", 2, 1 }, { "%c", 0, 1 }, { "a%", 1, 1 } };
    static const char *const names[] = { "ab", "ac", "bb" };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        is_int(DB_WRITE_ONE(db, &s_insert_name, NULL, DB_P_INT("id", (int64_t)i + 1),
                            DB_P_TEXT("name", names[i])),
               DB_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        db_rows_t *rows;
        is_int(DB_RUN(db_conn(db), &like, &rows, DB_P_TEXT("pattern", cases[i].pattern),
                      DB_P_INT("least", cases[i].least)),
               DB_OK);
        ok(db_next(rows) && db_int(rows, "n") == cases[i].found);
        db_rows_close(&rows);
    }
    place_end(&place, &db);
}

static void test_results(void)
{
    static const db_sql_t rename = { "test.rename",
                                     "UPDATE thing SET small = $small WHERE id > $id", NULL };
    static const db_sql_t remove = { "test.remove",
                                     "DELETE FROM thing WHERE id = $id RETURNING id, small", NULL };
    place_t place;
    db_t *db = place_start(&place);
    db_rows_t *rows;
    int64_t changed = -1, sum = 0;

    is_int(DB_RUN(db_conn(db), &s_ids, &rows), DB_OK);
    ok(!db_next(rows));
    ok(!db_next(rows));
    is_int(db_changed(rows), 0);
    db_rows_close(&rows);

    for (int64_t id = 1; id <= 100; id++)
        is_int(DB_WRITE_ONE(db, &s_insert_id, &changed, DB_P_INT("id", id)), DB_OK);
    is_int(changed, 1);
    is_int(DB_WRITE_ONE(db, &rename, &changed, DB_P_INT("id", 90), DB_P_INT("small", 3)), DB_OK);
    is_int(changed, 10);
    is_int(DB_WRITE_ONE(db, &rename, &changed, DB_P_INT("id", 100), DB_P_INT("small", 3)), DB_OK);
    is_int(changed, 0);
    is_int(DB_WRITE_ONE(db, &remove, &changed, DB_P_INT("id", 7)), DB_OK);
    is_int(changed, 1);

    is_int(DB_RUN(db_conn(db), &s_ids, &rows), DB_OK);
    while (db_next(rows))
        sum += db_int(rows, "id");
    is_int(db_rows_status(rows), DB_OK);
    is_int(db_changed(rows), 99);
    is_int(sum, 5050 - 7);
    db_rows_close(&rows);

    is_int(DB_RUN(db_conn(db), &s_ids, &rows), DB_OK); /* closed before its end, and run again */
    ok(db_next(rows));
    db_rows_close(&rows);
    is_int(DB_RUN(db_conn(db), &s_ids, &rows), DB_OK);
    ok(db_next(rows) && db_int(rows, "id") == 1);
    db_rows_close(&rows);
    db_rows_close(&rows);
    place_end(&place, &db);
}

static void test_same_on_both(void)
{
    static const db_sql_t like = { "test.like",
                                   "SELECT CASE WHEN 'Abc' LIKE 'a%' THEN 1 ELSE 0 END AS n",
                                   NULL };
    static const db_sql_t quoted = { "test.quoted", "SELECT \"nosuch\" AS n", NULL };
    static const db_sql_t list = {
        "test.list",
        "SELECT count(*) AS n FROM thing WHERE id IN (SELECT value FROM json_each($ids))",
        "SELECT count(*) AS n FROM thing WHERE id IN (SELECT value::bigint FROM"
        " json_array_elements_text(CAST($ids AS TEXT)::json))",
    };
    place_t place;
    db_t *db = place_start(&place);
    db_rows_t *rows;
    is_int(place_number(db, &like), 0);
    is_int(DB_RUN(db_conn(db), &quoted, &rows), DB_BROKEN);
    ok(rows == NULL);
    for (int64_t id = 1; id <= 5; id++)
        is_int(DB_WRITE_ONE(db, &s_insert_id, NULL, DB_P_INT("id", id)), DB_OK);
    is_int(DB_RUN(db_conn(db), &list, &rows, DB_P_TEXT("ids", "[2, 4, 6]")), DB_OK);
    ok(db_next(rows) && db_int(rows, "n") == 2);
    db_rows_close(&rows);
    place_end(&place, &db);
}

static void test_constraints(void)
{
    place_t place;
    db_t *db = place_start(&place);
    is_int(DB_WRITE_ONE(db, &s_insert_name, NULL, DB_P_INT("id", 1), DB_P_TEXT("name", "a")),
           DB_OK);
    is_int(DB_WRITE_ONE(db, &s_insert_id, NULL, DB_P_INT("id", 1)), DB_CONSTRAINT);
    is_int(DB_WRITE_ONE(db, &s_insert_name, NULL, DB_P_INT("id", 2), DB_P_TEXT("name", "a")),
           DB_CONSTRAINT);
    is_int(DB_WRITE_ONE(db, &s_insert_small, NULL, DB_P_INT("id", 2), DB_P_INT("small", 101)),
           DB_CONSTRAINT);
    is_int(DB_WRITE_ONE(db, &s_insert_small, NULL, DB_P_INT("id", 2), DB_P_INT("small", 1000000)),
           DB_CONSTRAINT);
    is_int(place_number(db, &s_count), 1);
    is_int(stats_get(db_stats(db), DB_QUERY_ERRORS), 0);
    is_int(db_error(DB_CONSTRAINT), ERROR_CONFLICT);
    is_int(db_error(DB_FULL), ERROR_STORAGE_FULL);
    place_end(&place, &db);
}

/* A caller learns what kind of thing is to blame, and a fault of ours is not put on the database.
 */
static void test_failures_name_the_database(void)
{
    static const db_status_t blamed[] = { DB_UNAVAILABLE, DB_TIMEOUT, DB_FULL, DB_CONFLICT };
    static const db_status_t others[] = { DB_OK, DB_CONSTRAINT, DB_BROKEN };
    for (size_t i = 0; i < COUNT_OF(blamed); i++)
        ok(strstr(db_error_text(blamed[i]), "database"));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        is_text(db_error_text(others[i]), "");
}

DATABASE_TESTS({ "failures name the database", test_failures_name_the_database },
               { "types", test_types }, { "integers", test_integers },
               { "not a number is NULL", test_not_a_number_is_null },
               { "text that is none", test_text_that_is_none }, { "parameters", test_parameters },
               { "parameters of a pattern", test_parameters_of_a_pattern },
               { "results", test_results }, { "the same on both", test_same_on_both },
               { "constraints", test_constraints })
