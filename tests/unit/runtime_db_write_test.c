/* SPDX-License-Identifier: MPL-2.0
 *
 * Many threads write: what was acknowledged is there, and nobody pays for a neighbour. Built for
 * both databases.
 */
#include "config.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

#include "actors/base/clock.h"
#include "tests/kit/database.h"

static const db_sql_t s_insert = {
    "test.insert",
    "INSERT INTO ledger (thread, number, body) VALUES ($thread, $number, $body)",
    NULL,
};
static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM ledger", NULL };
static const db_sql_t s_has = {
    "test.has", "SELECT count(*) AS n FROM ledger WHERE thread = $thread AND number = $number", NULL
};

typedef struct {
    int64_t thread, number;
} entry_t;

static db_status_t s_write_entry(db_conn_t *conn, void *memory)
{
    const entry_t *entry = memory;
    return DB_RUN(conn, &s_insert, NULL, DB_P_INT("thread", entry->thread),
                  DB_P_INT("number", entry->number), DB_P_TEXT("body", "some text"));
}

/* ---- group commit ---------------------------------------------------------------------------- */

enum { THREADS = 16, WRITES = 200 };

typedef struct {
    db_t *db;
    int64_t thread;
    int acknowledged;
} writer_t;

static void *s_writer(void *memory)
{
    writer_t *self = memory;
    for (int64_t i = 0; i < WRITES; i++) {
        entry_t entry = { self->thread, i };
        self->acknowledged += db_write(self->db, s_write_entry, &entry) == DB_OK;
    }
    return NULL;
}

static void test_group_commit(void)
{
    place_t place;
    db_t *db = place_start(&place);
    pthread_t threads[THREADS];
    writer_t writers[THREADS];
    int acknowledged = 0;
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (writer_t){ .db = db, .thread = i };
        insist(pthread_create(&threads[i], NULL, s_writer, &writers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        acknowledged += writers[i].acknowledged;
    }
    int64_t commits = stats_get(db_stats(db), DB_COMMITS);
    is_int(acknowledged, THREADS * WRITES);
    is_int(place_number(db, &s_count), THREADS * WRITES);
    note("%lld commits for %d writes", (long long)commits, THREADS * WRITES);
    if (db_is_sqlite(db))
        ok(commits < THREADS * WRITES);
    else
        is_int(commits, THREADS * WRITES);
    place_end(&place, &db);
}

/* ---- neighbours ------------------------------------------------------------------------------ */

/* Writes that wait behind a work which holds the writer up, so that on SQLite they all end in one
 * transaction; on PostgreSQL each has its own, with the same outcome. */
typedef struct {
    const char *name;
    db_work_t work;
    db_status_t expected, status;
    db_t *db;
    entry_t entry;
    int runs;
} neighbour_t;

static sem_t s_started, s_go_on;

static db_status_t s_hold(db_conn_t *conn, void *arg)
{
    (void)conn;
    (void)arg;
    sem_post(&s_started);
    sem_wait(&s_go_on);
    return DB_OK;
}

static db_status_t s_good(db_conn_t *conn, void *memory)
{
    neighbour_t *self = memory;
    self->runs++;
    return s_write_entry(conn, &self->entry);
}

static db_status_t s_twice_the_same(db_conn_t *conn, void *memory)
{
    neighbour_t *self = memory;
    self->entry.number = 1000;
    if (s_good(conn, self) != DB_OK)
        return DB_BROKEN;
    return s_good(conn, self);
}

static db_status_t s_changes_its_mind(db_conn_t *conn, void *memory)
{
    db_status_t status = s_good(conn, memory);
    return status ? status : DB_CONSTRAINT;
}

/* A write that does not come to its end; SQLite takes the whole transaction down for it. */
static db_status_t s_takes_for_ever(db_conn_t *conn, void *memory)
{
    static const db_sql_t endless = {
        "test.endless",
        "INSERT INTO ledger (thread, number, body)"
        " WITH RECURSIVE n(i) AS (SELECT 2000 UNION ALL SELECT i + 1 FROM n)"
        " SELECT -1, i, 'x' FROM n WHERE i < 2010",
        "INSERT INTO ledger (thread, number, body) SELECT -1, 2000, 'x' FROM pg_sleep(1000)",
    };
    neighbour_t *self = memory;
    self->runs++;
    return DB_RUN(conn, &endless, NULL);
}

static void *s_neighbour(void *memory)
{
    neighbour_t *self = memory;
    sem_post(&s_started);
    self->status = db_write(self->db, self->work, self);
    return NULL;
}

typedef struct {
    db_t *db;
    db_status_t status;
} holder_t;

static void *s_hold_thread(void *memory)
{
    holder_t *self = memory;
    self->status = db_write(self->db, s_hold, NULL);
    return NULL;
}

static void test_neighbours(void)
{
    neighbour_t cases[] = {
        { .name = "a good one first", .work = s_good, .expected = DB_OK },
        { .name = "a constraint", .work = s_twice_the_same, .expected = DB_CONSTRAINT },
        { .name = "a good one", .work = s_good, .expected = DB_OK },
        { .name = "one that rolls back", .work = s_changes_its_mind, .expected = DB_CONSTRAINT },
        { .name = "a deadline", .work = s_takes_for_ever, .expected = DB_TIMEOUT },
        { .name = "a good one after it", .work = s_good, .expected = DB_OK },
        { .name = "another deadline", .work = s_takes_for_ever, .expected = DB_TIMEOUT },
        { .name = "a good one last", .work = s_good, .expected = DB_OK },
    };
    pthread_t threads[COUNT_OF(cases)], holding;
    place_t place;
    place_make(&place);
    place.settings.statement_ms = 200;
    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_APPLY);
    holder_t holder = { .db = db };
    int64_t good = 0;
    sem_init(&s_started, 0, 0);
    sem_init(&s_go_on, 0, 0);
    insist(pthread_create(&holding, NULL, s_hold_thread, &holder) == 0);
    sem_wait(&s_started);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cases[i].db = db;
        cases[i].entry = (entry_t){ (int64_t)i, 1 };
        insist(pthread_create(&threads[i], NULL, s_neighbour, &cases[i]) == 0);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        sem_wait(&s_started);
    sem_post(&s_go_on);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pthread_join(threads[i], NULL);
        ok_named(cases[i].status == cases[i].expected, cases[i].name);
        ok(cases[i].runs > 0);
        good += cases[i].expected == DB_OK;
    }
    pthread_join(holding, NULL);
    is_int(holder.status, DB_OK);
    is_int(place_number(db, &s_count), good);
    place_end(&place, &db);
}

/* ---- kill -9 --------------------------------------------------------------------------------- */

enum { KILL_THREADS = 4, KILL_AFTER = 400 };

typedef struct {
    db_t *db;
    int64_t thread;
    int pipe;
} reporter_t;

/* Reports every write that was acknowledged, for ever. */
static void *s_reporter(void *memory)
{
    reporter_t *self = memory;
    for (entry_t entry = { .thread = self->thread };; entry.number++)
        if (db_write(self->db, s_write_entry, &entry) == DB_OK &&
            write(self->pipe, &entry, sizeof entry) != sizeof entry)
            break;
    return NULL;
}

static void s_child(place_t *place, int pipe)
{
    pthread_t threads[KILL_THREADS];
    reporter_t reporters[KILL_THREADS];
    db_t *db = place_open(place, test_migrations, DB_MIGRATE_APPLY);
    for (int i = 0; db && i < KILL_THREADS; i++) {
        reporters[i] = (reporter_t){ .db = db, .thread = i, .pipe = pipe };
        insist(pthread_create(&threads[i], NULL, s_reporter, &reporters[i]) == 0);
    }
    for (int i = 0; db && i < KILL_THREADS; i++)
        pthread_join(threads[i], NULL);
    _exit(1);
}

static void test_kill(void)
{
    place_t place;
    entry_t *entries = NULL;
    size_t count = 0, there = 0;
    int ends[2];
    place_make(&place);
    insist(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0)
        s_child(&place, ends[1]);
    close(ends[1]);
    for (;;) { /* what was reported before the end arrives after it */
        entries = mem_resize(entries, (count + 1) * sizeof *entries);
        if (read(ends[0], &entries[count], sizeof *entries) != sizeof *entries)
            break;
        if (++count == KILL_AFTER)
            kill(child, SIGKILL);
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    ok(count >= KILL_AFTER);

    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_CHECK);
    if (!ok(db != NULL))
        note("%s", place.why);
    for (size_t i = 0; db && i < count; i++) {
        db_rows_t *rows;
        if (DB_RUN(db_conn(db), &s_has, &rows, DB_P_INT("thread", entries[i].thread),
                   DB_P_INT("number", entries[i].number)) == DB_OK &&
            db_next(rows))
            there += db_int(rows, "n") == 1;
        db_rows_close(&rows);
    }
    is_int(there, count);
    /* at most what was under way is there without having been acknowledged */
    ok(db && place_number(db, &s_count) <= (int64_t)count + KILL_THREADS);
    mem_free(entries);
    place_end(&place, &db);
}

DATABASE_TESTS({ "group commit", test_group_commit }, { "neighbours", test_neighbours },
               { "kill -9", test_kill })
