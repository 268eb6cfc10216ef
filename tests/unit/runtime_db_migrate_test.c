/* SPDX-License-Identifier: MPL-2.0
 *
 * Migrations, applied, checked and refused. Built for both databases.
 */
#include "config.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/kit/database.h"

/* Both dialects at once, where they do not differ. */
#define BOTH(number, name, text)                                                                   \
    {                                                                                              \
        number, name, text, text                                                                   \
    }

static const db_migration_t s_none[] = { { 0 } };

/* The second shows by its row how often it ran. */
#define ONE BOTH(1, "one", "CREATE TABLE one (id BIGINT)")
#define TWO BOTH(2, "two", "INSERT INTO one VALUES (1); CREATE TABLE two (id BIGINT);")

static const db_migration_t s_one[] = { ONE, { 0 } };
static const db_migration_t s_two[] = { ONE, TWO, { 0 } };
static const db_migration_t s_edited[] = { BOTH(1, "one", "CREATE TABLE one (id BIGINT) "),
                                           TWO,
                                           { 0 } };
static const db_migration_t s_gap[] = { ONE, BOTH(3, "three", "SELECT 1"), { 0 } };
static const db_migration_t s_failing[] = {
    ONE, TWO, BOTH(3, "bad", "INSERT INTO one VALUES (2); INSERT INTO nosuch VALUES (1)"), { 0 }
};
static const db_migration_t s_ending[] = {
    ONE, TWO, BOTH(3, "ends", "INSERT INTO one VALUES (2); ROLLBACK"), { 0 }
};
static const db_migration_t s_mended[] = {
    ONE, TWO, BOTH(3, "good", "INSERT INTO one VALUES (3)"), { 0 }
};

static const db_sql_t s_ones = { "test.ones", "SELECT count(*) AS n FROM one", NULL };
static const db_sql_t s_applied = { "test.applied", "SELECT count(*) AS n FROM schema_migrations",
                                    NULL };

/* Opens, checks the outcome, and closes. `said` is part of the sentence, NULL when it opens. */
static void s_open(place_t *place, const db_migration_t *migrations, db_migrate_t how,
                   const char *what, const char *said)
{
    db_t *db = place_open(place, migrations, how);
    ok_named(!db == (said != NULL), what);
    if (said && !ok_named(strstr(place->why, said) != NULL, said))
        note("it said: %s", place->why);
    if (said && !ok_named(!strchr(place->why, '\n'), "one sentence"))
        note("it said: %s", place->why);
    if (!db && !said)
        note("%s", place->why);
    db_close(&db);
}

/* `rows` of table one, after all. */
static void s_rows(place_t *place, const db_migration_t *migrations, int64_t applied, int64_t rows)
{
    db_t *db = place_open(place, migrations, DB_MIGRATE_CHECK);
    if (!ok(db != NULL)) {
        note("%s", place->why);
        return;
    }
    is_int(place_number(db, &s_applied), applied);
    if (applied > 0)
        is_int(place_number(db, &s_ones), rows);
    db_close(&db);
}

static void test_apply(void)
{
    place_t place;
    place_make(&place);
    s_open(&place, s_one, DB_MIGRATE_APPLY, "a new database", NULL);
    s_rows(&place, s_one, 1, 0);
    s_open(&place, s_one, DB_MIGRATE_APPLY, "again", NULL);
    s_rows(&place, s_one, 1, 0);
    s_open(&place, s_two, DB_MIGRATE_APPLY, "a newer program", NULL);
    s_rows(&place, s_two, 2, 1);
    s_open(&place, s_two, DB_MIGRATE_APPLY, "again", NULL);
    s_rows(&place, s_two, 2, 1);
    place_remove(&place);
}

static void test_check(void)
{
    place_t place;
    place_make(&place);
    s_open(&place, s_two, DB_MIGRATE_CHECK, "nothing there", "run signalbox migrate");
    s_open(&place, s_two, DB_MIGRATE_CHECK, "checking made nothing", "run signalbox migrate");
    s_open(&place, s_one, DB_MIGRATE_APPLY, "made", NULL);
    s_open(&place, s_one, DB_MIGRATE_CHECK, "up to date", NULL);
    s_open(&place, s_two, DB_MIGRATE_CHECK, "behind", "is at migration 1 of 2");
    s_rows(&place, s_one, 1, 0);
    place_remove(&place);
}

static void test_none(void)
{
    place_t place;
    place_make(&place);
    s_open(&place, s_none, DB_MIGRATE_APPLY, "no migrations at all", NULL);
    place_remove(&place);
}

static void test_refused(void)
{
    static const db_migrate_t hows[] = { DB_MIGRATE_APPLY, DB_MIGRATE_CHECK };
    for (size_t i = 0; i < COUNT_OF(hows); i++) {
        place_t place;
        place_make(&place);
        s_open(&place, s_two, DB_MIGRATE_APPLY, "made", NULL);
        s_open(&place, s_one, hows[i], "newer", "start the newer program");
        s_open(&place, s_edited, hows[i], "edited", "was changed after it was applied");
        s_open(&place, s_gap, hows[i], "gap in the program", "migration 2 of test_");
        s_rows(&place, s_two, 2, 1);
        place_remove(&place);
    }
}

static void test_gap_in_the_database(void)
{
    static const db_sql_t forget = { "test.forget",
                                     "DELETE FROM schema_migrations WHERE number = 1", NULL };
    place_t place;
    place_make(&place);
    db_t *db = place_open(&place, s_two, DB_MIGRATE_APPLY);
    is_int(DB_WRITE_ONE(db, &forget, NULL), DB_OK);
    db_close(&db);
    s_open(&place, s_two, DB_MIGRATE_APPLY, "lacks the first", "lacks migration 1 'one'");
    place_remove(&place);
}

static void test_failing_is_undone(void)
{
    place_t place;
    place_make(&place);
    s_open(&place, s_failing, DB_MIGRATE_APPLY, "fails", "migration 3 'bad' of test_");
    s_rows(&place, s_two, 2, 1);
    s_open(&place, s_ending, DB_MIGRATE_APPLY, "ends its transaction",
           "the file ends the transaction");
    s_rows(&place, s_two, 2, 1);
    s_open(&place, s_mended, DB_MIGRATE_APPLY, "mended", NULL);
    s_rows(&place, s_mended, 3, 2);
    place_remove(&place);
}

/* On SQLite a table is changed by building another one; what refers to it must still find it. */
static void test_foreign_keys(void)
{
#define PARENT                                                                                     \
    BOTH(1, "parent",                                                                              \
         "CREATE TABLE one (id BIGINT PRIMARY KEY);"                                               \
         "CREATE TABLE child (one BIGINT REFERENCES one (id) ON DELETE CASCADE);"                  \
         "INSERT INTO one VALUES (1); INSERT INTO child VALUES (1)")
    static const db_migration_t rebuilt[] = {
        PARENT,
        { 2, "rebuild",
          "CREATE TABLE new (id BIGINT PRIMARY KEY, more BIGINT);"
          "INSERT INTO new (id) SELECT id FROM one; DROP TABLE one; ALTER TABLE new RENAME TO one",
          "ALTER TABLE one ADD more BIGINT" },
        { 0 },
    };
    static const db_migration_t broken[] = {
        PARENT,
        BOTH(2, "break", "INSERT INTO child VALUES (7)"),
        { 0 },
    };
    static const db_sql_t children = { "test.children", "SELECT count(*) AS n FROM child", NULL };
    static const db_sql_t orphan = { "test.orphan", "INSERT INTO child VALUES (8)", NULL };
    place_t place;
    place_make(&place);
    s_open(&place, broken, DB_MIGRATE_APPLY, "an orphan", "migration 2 'break'");
    db_t *db = place_open(&place, rebuilt, DB_MIGRATE_APPLY);
    ok(db != NULL);
    is_int(place_number(db, &children), 1);
    is_int(DB_WRITE_ONE(db, &orphan, NULL), DB_CONSTRAINT); /* checked again afterwards */
    place_end(&place, &db);
}

/* ---- many at once ---------------------------------------------------------------------------- */

enum { PROCESSES = 10 };

typedef struct {
    bool opened, in_use;
} outcome_t;

/* All wait for the end of `go`, open, and report; those that opened stay until all have done so. */
static void s_process(place_t *place, int go, int report)
{
    char byte;
    while (read(go, &byte, 1) > 0)
        ;
    db_t *db = place_open(place, s_two, DB_MIGRATE_APPLY);
    outcome_t outcome = { .opened = db, .in_use = strstr(place->why, "is in use by process") };
    if (write(report, &outcome, sizeof outcome) != sizeof outcome)
        _exit(1);
    pause();
}

static void test_ten_at_once(void)
{
    place_t place;
    pid_t children[PROCESSES];
    int go[2], report[2], opened = 0, in_use = 0;
    place_make(&place);
    insist(pipe(go) == 0 && pipe(report) == 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(go[1]);
            s_process(&place, go[0], report[1]);
        }
    }
    close(go[0]);
    close(go[1]);
    close(report[1]);
    for (int i = 0; i < PROCESSES; i++) {
        outcome_t outcome = { 0 };
        ok(read(report[0], &outcome, sizeof outcome) == sizeof outcome);
        opened += outcome.opened;
        in_use += outcome.in_use;
    }
    close(report[0]);
    for (int i = 0; i < PROCESSES; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    /* a SQLite file has one process; PostgreSQL serves all */
    is_int(opened, ON_POSTGRES ? PROCESSES : 1);
    is_int(in_use, ON_POSTGRES ? 0 : PROCESSES - 1);
    s_rows(&place, s_two, 2, 1);
    place_remove(&place);
}

/* ---- rights ---------------------------------------------------------------------------------- */

/* A role that may not create schemas is told so; once the schema is there it needs no more. */
static void test_rights(void)
{
    if (!ON_POSTGRES)
        return;
    place_t place;
    char text[256], url[256];
    place_make(&place);
    const char *own = place.settings.database;
    snprintf(text, sizeof text, "CREATE ROLE %s", place.service);
    place_psql(text);
    snprintf(url, sizeof url, "%s%coptions=-c%%20role%%3D%s", own, strchr(own, '?') ? '&' : '?',
             place.service);
    place.settings.database = url;
    s_open(&place, s_two, DB_MIGRATE_APPLY, "may not", "permission denied");
    snprintf(text, sizeof text, "CREATE SCHEMA %s AUTHORIZATION %s", place.service, place.service);
    place_psql(text);
    s_open(&place, s_two, DB_MIGRATE_APPLY, "may", NULL);
    s_rows(&place, s_two, 2, 1);
    place_remove(&place);
    snprintf(text, sizeof text, "DROP ROLE %s", place.service);
    place_psql(text);
}

DATABASE_TESTS({ "apply", test_apply }, { "check", test_check }, { "none", test_none },
               { "refused", test_refused }, { "gap in the database", test_gap_in_the_database },
               { "failing is undone", test_failing_is_undone },
               { "foreign keys", test_foreign_keys }, { "ten at once", test_ten_at_once },
               { "rights", test_rights })
