/* SPDX-License-Identifier: MPL-2.0
 *
 * Transactions, deadlines, health, threads, settings. Built for both databases.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "tests/kit/database.h"

static const db_sql_t s_insert_id = { "test.insert_id", "INSERT INTO thing (id) VALUES ($id)",
                                      NULL };
static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM thing", NULL };

/* ---- transactions ---------------------------------------------------------------------------- */

typedef struct {
    db_status_t verdict;       /* what the work returns */
    int64_t second;            /* id of the second insert; 1 fails */
    db_status_t first, failed; /* what the statements said */
    db_status_t after;
    int64_t seen; /* rows seen inside */
} story_t;

static db_status_t s_story(db_conn_t *conn, void *memory)
{
    story_t *story = memory;
    db_rows_t *rows;
    story->first = DB_RUN(conn, &s_insert_id, NULL, DB_P_INT("id", 1));
    story->failed = DB_RUN(conn, &s_insert_id, NULL, DB_P_INT("id", story->second));
    story->after = DB_RUN(conn, &s_count, &rows);
    if (story->after == DB_OK && db_next(rows))
        story->seen = db_int(rows, "n");
    db_rows_close(&rows);
    return story->verdict;
}

static void test_transactions(void)
{
    static const struct {
        const char *what;
        story_t story;
        db_status_t expected;
        int64_t rows;
    } cases[] = {
        { "commits", { .verdict = DB_OK, .second = 2 }, DB_OK, 2 },
        { "rolls back when the work says so", { .verdict = DB_BROKEN, .second = 2 }, DB_BROKEN, 0 },
        { "rolls back when the work passes a failure on",
          { .verdict = DB_CONSTRAINT, .second = 1 },
          DB_CONSTRAINT,
          0 },
        { "rolls back when the work hides a failure",
          { .verdict = DB_OK, .second = 1 },
          DB_CONSTRAINT,
          0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        place_t place;
        db_t *db = place_start(&place);
        story_t story = cases[i].story;
        ok_named(db_write(db, s_story, &story) == cases[i].expected, cases[i].what);
        bool fails = story.second == 1;
        is_int(story.first, DB_OK);
        is_int(story.failed, fails ? DB_CONSTRAINT : DB_OK);
        is_int(story.after, fails ? DB_CONSTRAINT : DB_OK);
        is_int(story.seen, fails ? 0 : 2);
        is_int(place_number(db, &s_count), cases[i].rows);
        /* the connection is as good as before */
        is_int(DB_WRITE_ONE(db, &s_insert_id, NULL, DB_P_INT("id", 9)), DB_OK);
        place_end(&place, &db);
    }
}

static db_status_t s_nothing(db_conn_t *conn, void *memory)
{
    (void)conn;
    *(bool *)memory = true;
    return DB_OK;
}

static void test_empty_transaction(void)
{
    bool ran = false;
    place_t place;
    db_t *db = place_start(&place);
    is_int(db_write(db, s_nothing, &ran), DB_OK);
    ok(ran);
    place_end(&place, &db);
}

static void test_writing_past_db_write(void)
{
    place_t place;
    db_t *db = place_start(&place);
    db_status_t expected = ON_POSTGRES ? DB_OK : DB_BROKEN; /* SQLite's is read-only */
    is_int(DB_RUN(db_conn(db), &s_insert_id, NULL, DB_P_INT("id", 1)), expected);
    is_int(place_number(db, &s_count), ON_POSTGRES);
    ok(db_is_sqlite(db) == !ON_POSTGRES);
    place_end(&place, &db);
}

/* ---- time, health, numbers ------------------------------------------------------------------- */

/* Never ends; the first row comes at once on SQLite. */
static const db_sql_t s_endless = {
    "test.endless",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS n FROM n"
    " WHERE i = 1 OR i < 0",
    "SELECT 1 AS n FROM pg_sleep(1000)",
};

/* Takes more than a millisecond. */
static const db_sql_t s_slow = {
    "test.slow",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    " SELECT count(*) AS n FROM n",
    "SELECT count(*) AS n FROM generate_series(1, 100000)",
};

static db_status_t s_drain(db_conn_t *conn, const db_sql_t *sql)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, sql, &rows);
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        ;
    status = db_rows_status(rows);
    db_rows_close(&rows);
    return status;
}

static void test_deadline(void)
{
    enum { DEADLINE_MS = 200 };
    place_t place;
    place_make(&place);
    place.settings.statement_ms = DEADLINE_MS;
    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_APPLY);
    uint64_t start = clock_ms();
    is_int(DB_RUN(db_conn(db), &s_endless, NULL), DB_TIMEOUT);
    is_int(s_drain(db_conn(db), &s_endless), DB_TIMEOUT);
    ok(clock_ms() - start < (2 * DEADLINE_MS + 1000) * 5);
    is_int(stats_get(db_stats(db), DB_QUERY_ERRORS), 2);
    is_int(place_number(db, &s_count), 0); /* the connection is as good as before */
    is_int(db_error(DB_TIMEOUT), ERROR_DEADLINE);
    place_end(&place, &db);
}

static void test_slow_is_counted_and_logged(void)
{
    char line[4096] = "";
    place_t place;
    place_make(&place);
    place.settings.slow_ms = 1;
    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_APPLY);
    int64_t before = stats_get(db_stats(db), DB_SLOW_QUERIES);
    FILE *log = tmpfile();
    int standard_error = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(log), STDERR_FILENO);
    is_int(place_number(db, &s_slow), 100000);
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    rewind(log);
    line[fread(line, 1, sizeof line - 1, log)] = '\0';
    fclose(log);
    ok(stats_get(db_stats(db), DB_SLOW_QUERIES) > before);
    ok(strstr(line, "\"db.slow\"") && strstr(line, "\"test.slow\""));
    place_end(&place, &db);
}

static void test_health_and_numbers(void)
{
    uint64_t latency_us = 0;
    place_t place;
    db_t *db = place_start(&place);
    int64_t before = stats_get(db_stats(db), DB_QUERIES);
    ok(db_ping(db, &latency_us));
    ok(latency_us > 0);
    is_int(stats_get(db_stats(db), DB_QUERIES), before + 1);
    is_int(stats_get(db_stats(db), DB_IDLE), ON_POSTGRES ? 1 : 2);
    ok(histogram_count(db_stats(db)->histograms[DB_QUERY_TIME]) > 0);
    place_end(&place, &db);
}

static void *s_visit(void *memory)
{
    db_t *db = memory;
    return (void *)(intptr_t)place_number(db, &s_count);
}

/* A thread that ends takes its connection along. */
static void test_threads_come_and_go(void)
{
    place_t place;
    db_t *db = place_start(&place);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *result;
        insist(pthread_create(&thread, NULL, s_visit, db) == 0);
        pthread_join(thread, &result);
        is_int((intptr_t)result, 0);
    }
    is_int(stats_get(db_stats(db), DB_IDLE), 1);
    place_end(&place, &db);
}

static void test_settings(void)
{
    char why[256] = "";
    place_t place;
    place_make(&place);
    place.settings.database = "mysql://localhost/x";
    ok(!db_open(&place.settings, place.service, test_migrations, DB_MIGRATE_APPLY, why,
                sizeof why));
    ok(strstr(why, "postgresql://"));
    place_remove(&place);
}

DATABASE_TESTS({ "transactions", test_transactions },
               { "an empty transaction", test_empty_transaction },
               { "writing past db_write", test_writing_past_db_write },
               { "deadline", test_deadline },
               { "slow is counted and logged", test_slow_is_counted_and_logged },
               { "health and numbers", test_health_and_numbers },
               { "threads come and go", test_threads_come_and_go }, { "settings", test_settings })
