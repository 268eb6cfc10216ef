/* SPDX-License-Identifier: MPL-2.0
 *
 * PostgreSQL that is restarted, crashes, hangs, or refuses: what the layer makes of it. The test
 * has a server of its own.
 */
#include "config.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#define TEST_ON_POSTGRES
#include "actors/base/clock.h"
#include "tests/kit/database.h"
#include "tests/kit/server.h"

static server_t s_server;

static const db_sql_t s_insert = {
    "test.insert", "INSERT INTO ledger (thread, number, body) VALUES (1, $number, 'x')", NULL
};
static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM ledger", NULL };
static const db_sql_t s_pid = { "test.pid", "SELECT pg_backend_pid() AS n", NULL };

/* ---- restarts -------------------------------------------------------------------------------- */

/* Five times the longest pause between attempts to connect. */
enum { RECOVERY_MS = 5 * 3200 };

/* Tries until a write goes through; meanwhile it is told UNAVAILABLE. */
static bool s_recovers(db_t *db, int64_t number)
{
    uint64_t end = clock_ms() + RECOVERY_MS;
    db_status_t status;
    do {
        status = DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", number));
        if (status != DB_OK)
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    } while (status == DB_UNAVAILABLE && clock_ms() < end);
    return status == DB_OK;
}

static void test_away_and_back(void)
{
    static const char *const ways[] = { "stop", "kill" };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        uint64_t latency_us;
        is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", (int64_t)i)), DB_OK);
        ok_named(server_do(&s_server, ways[i]), ways[i]);
        ok(!db_ping(db, &latency_us));
        ok(db_conn(db) == NULL);
        is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 100)), DB_UNAVAILABLE);
        is_int(stats_get(db_stats(db), DB_IDLE), 0);
        ok(server_do(&s_server, "start"));
        ok(s_recovers(db, 10 + (int64_t)i));
        ok(db_ping(db, &latency_us));
        is_int(place_number(db, &s_count), 2 * ((int64_t)i + 1)); /* what was acknowledged */
    }
    place_end(&place, &db);
}

/* A connection that was idle while the server was restarted costs nobody an error. */
static void test_restarted_while_idle(void)
{
    place_t place;
    db_t *db = place_start(&place);
    is_int(place_number(db, &s_count), 0);
    ok(server_do(&s_server, "stop"));
    ok(server_do(&s_server, "start"));
    is_int(place_number(db, &s_count), 0);
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 1)), DB_OK);
    place_end(&place, &db);
}

static db_status_t s_lose(db_conn_t *conn, void *memory)
{
    db_status_t *second = memory;
    db_status_t first = DB_RUN(conn, &s_insert, NULL, DB_P_INT("number", 1));
    if (first != DB_OK)
        return first;
    server_do(&s_server, "kill");
    *second = DB_RUN(conn, &s_insert, NULL, DB_P_INT("number", 2));
    return DB_OK;
}

static void test_lost_in_a_transaction(void)
{
    db_status_t second = DB_OK;
    place_t place;
    db_t *db = place_start(&place);
    is_int(db_write(db, s_lose, &second), DB_UNAVAILABLE);
    is_int(second, DB_UNAVAILABLE);
    ok(server_do(&s_server, "start"));
    ok(s_recovers(db, 3));
    is_int(place_number(db, &s_count), 1);
    place_end(&place, &db);
}

static void test_not_there_at_the_start(void)
{
    place_t place;
    place_make(&place);
    ok(server_do(&s_server, "stop"));
    ok(!place_open(&place, test_migrations, DB_MIGRATE_APPLY));
    if (!ok(strstr(place.why, "cannot use PostgreSQL for test_")))
        note("it said: %s", place.why);
    ok(server_do(&s_server, "start"));
    place_remove(&place);
}

/* ---- a server that hangs --------------------------------------------------------------------- */

static void test_hangs(void)
{
    enum { DEADLINE_MS = 200, GRACE_MS = 500 };
    place_t place;
    place_make(&place);
    place.settings.statement_ms = DEADLINE_MS;
    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_APPLY);
    pid_t backend = (pid_t)place_number(db, &s_pid);
    insist(backend > 0);
    kill(backend, SIGSTOP);
    uint64_t start = clock_ms();
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 1)), DB_TIMEOUT);
    ok(clock_ms() - start < (DEADLINE_MS + GRACE_MS) * 5);
    kill(backend, SIGCONT);
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 2)),
           DB_OK); /* another connection */
    place_end(&place, &db);
}

/* ---- conflicts ------------------------------------------------------------------------------- */

/* Two works that lock the same two rows in opposite order, the first time each after the other has
 * its first lock: a deadlock, of which PostgreSQL ends one. */
typedef struct {
    db_t *db;
    int64_t first, second; /* rows */
    int runs;
    db_status_t status;
} dancer_t;

static pthread_barrier_t s_both_have_one;

static db_status_t s_dance(db_conn_t *conn, void *memory)
{
    static const db_sql_t touch = { "test.touch",
                                    "UPDATE ledger SET body = body || 'x' WHERE number = $number",
                                    NULL };
    dancer_t *self = memory;
    db_status_t status = DB_RUN(conn, &touch, NULL, DB_P_INT("number", self->first));
    if (self->runs++ == 0)
        pthread_barrier_wait(&s_both_have_one);
    if (status == DB_OK)
        status = DB_RUN(conn, &touch, NULL, DB_P_INT("number", self->second));
    return status;
}

static void *s_dancer(void *memory)
{
    dancer_t *self = memory;
    self->status = db_write(self->db, s_dance, self);
    return NULL;
}

static void test_deadlock_is_tried_again(void)
{
    static const db_sql_t touched = { "test.touched",
                                      "SELECT count(*) AS n FROM ledger WHERE body = 'xxx'", NULL };
    place_t place;
    db_t *db = place_start(&place);
    dancer_t dancers[] = { { .db = db, .first = 1, .second = 2 },
                           { .db = db, .first = 2, .second = 1 } };
    pthread_t threads[COUNT_OF(dancers)];
    pthread_barrier_init(&s_both_have_one, NULL, COUNT_OF(dancers));
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 1)), DB_OK);
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 2)), DB_OK);
    for (size_t i = 0; i < COUNT_OF(dancers); i++)
        insist(pthread_create(&threads[i], NULL, s_dancer, &dancers[i]) == 0);
    for (size_t i = 0; i < COUNT_OF(dancers); i++) {
        pthread_join(threads[i], NULL);
        is_int(dancers[i].status, DB_OK);
    }
    /* the one that was sent back may be quick enough to get in the other's way again */
    ok(dancers[0].runs + dancers[1].runs >= 3);
    is_int(place_number(db, &touched), 2);
    pthread_barrier_destroy(&s_both_have_one);
    place_end(&place, &db);
}

/* ---- what the error codes mean --------------------------------------------------------------- */

static void test_error_codes(void)
{
    static const db_sql_t fail = { "test.fail", NULL, "SELECT fail($state) AS n" };
    static const struct {
        const char *state;
        db_status_t expected;
        bool renewed; /* the connection is of no further use */
        int tries;
    } cases[] = {
        { "23505", DB_CONSTRAINT, false, 1 },  { "22003", DB_CONSTRAINT, false, 1 },
        { "53100", DB_FULL, false, 1 },        { "57014", DB_TIMEOUT, false, 1 },
        { "40001", DB_CONFLICT, false, 5 },    { "40P01", DB_CONFLICT, false, 5 },
        { "55P03", DB_CONFLICT, false, 5 },    { "53300", DB_UNAVAILABLE, false, 1 },
        { "58030", DB_UNAVAILABLE, false, 1 }, { "25006", DB_UNAVAILABLE, true, 1 },
        { "0A000", DB_UNAVAILABLE, true, 1 },  { "57P01", DB_UNAVAILABLE, true, 1 },
        { "22012", DB_BROKEN, false, 1 },      { "42P01", DB_BROKEN, false, 1 },
    };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t before = place_number(db, &s_pid);
        int64_t queries = stats_get(db_stats(db), DB_QUERIES);
        ok_named(DB_WRITE_ONE(db, &fail, NULL, DB_P_TEXT("state", cases[i].state)) ==
                     cases[i].expected,
                 cases[i].state);
        is_int(stats_get(db_stats(db), DB_QUERIES) - queries, cases[i].tries);
        ok((place_number(db, &s_pid) != before) == cases[i].renewed);
    }
    place_end(&place, &db);
}

/* The schema changes under a prepared `SELECT *`: the caller may come again and is served. */
static void test_schema_changes_underneath(void)
{
    static const db_sql_t all = { "test.all", "SELECT * FROM thing", NULL };
    char text[128];
    place_t place;
    db_t *db = place_start(&place);
    is_int(DB_RUN(db_conn(db), &all, NULL), DB_OK);
    snprintf(text, sizeof text, "ALTER TABLE %s.thing ADD more BIGINT", place.service);
    place_psql(text);
    is_int(DB_RUN(db_conn(db), &all, NULL), DB_UNAVAILABLE);
    is_int(DB_RUN(db_conn(db), &all, NULL), DB_OK);
    place_end(&place, &db);
}

int main(int argc, char **argv)
{
    static const tap_test_t tests[] = {
        { "away and back", test_away_and_back },
        { "restarted while idle", test_restarted_while_idle },
        { "lost in a transaction", test_lost_in_a_transaction },
        { "not there at the start", test_not_there_at_the_start },
        { "hangs", test_hangs },
        { "a deadlock is tried again", test_deadlock_is_tried_again },
        { "error codes", test_error_codes },
        { "the schema changes underneath", test_schema_changes_underneath },
    };
    if (!server_start(&s_server, "postgres")) {
        printf("1..0 # SKIP no PostgreSQL could be started: install postgresql\n");
        return 0;
    }
    setenv("TEST_POSTGRES_URL", s_server.url, 1);
    int status = tap_main(tests, COUNT_OF(tests), argc, argv);
    server_end(&s_server);
    return status;
}
