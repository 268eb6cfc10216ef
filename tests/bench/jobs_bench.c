/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_bench - what jobs cost, on SQLite and, where TEST_POSTGRES_URL names a server, on PostgreSQL
 *
 * `control` ends 50 jobs and claims the next 50 with nothing but SQL on the same tables; `turn` is
 * the same by the store: the middle of ROUNDS runs each, in turn; `cpu_us` is this process's alone.
 * `enqueue` is single requests over the bus, from 8 clients with 64 under way each; `dispatch` runs
 * jobs by an instance that calls a service through the broker, all in this process. BENCH_JOBS is
 * the size of a run.
 *
 * BENCH_ONLY=snapshot runs another case, on PostgreSQL alone, for three minutes: see
 * jobs_snapshot.h.
 */
#include "config.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "tests/bench/jobs_snapshot.h"
#include "tests/bench/service.h"

#define ROUNDS    3
#define BATCH     50  /* jobs of one claim */
#define FILL      500 /* jobs of one transaction that fills the table */
#define IN_FLIGHT 64

static db_t *s_open(const place_t *place)
{
    char why[300];
    db_t *db = db_open(&place->storage, SYSTEM_SERVICE, jobs_migrations, DB_MIGRATE_APPLY, why,
                       sizeof why);
    if (!db)
        die("%s", why);
    return db;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const char s_payload[100];

static db_status_t s_fill_work(db_conn_t *conn, void *arg)
{
    static job_new_t jobs[FILL];
    static job_receipt_t receipts[FILL];
    (void)arg;
    for (size_t i = 0; i < FILL; i++)
        jobs[i] = (job_new_t){ .kind = "echo.say",
                               .queue = "echo",
                               .priority = 5,
                               .max_attempts = 5,
                               .timeout_ms = 60000,
                               .backoff_ms = 2000,
                               .account = "",
                               .payload = { s_payload, sizeof s_payload } };
    return jobs_store_enqueue(conn, jobs, FILL, receipts);
}

static void s_fill(const place_t *place)
{
    static const db_sql_t empty = { "bench.empty", "DELETE FROM done", NULL };
    db_t *db = s_open(place);
    insist(db_write_one(db, &empty, NULL, 0, NULL) == DB_OK);
    for (uint64_t i = 0; i < place->jobs; i += FILL)
        insist(db_write(db, s_fill_work, NULL) == DB_OK);
    insist(jobs_store_vacuum(db_conn(db)) == DB_OK);
    db_close(&db);
}

/* ---- by the store ---------------------------------------------------------------------------- */

static db_status_t s_worker_work(db_conn_t *conn, void *arg)
{
    return jobs_store_add_worker(conn, "bench", false, 60000, arg);
}

static uint64_t s_turn(const place_t *place)
{
    job_success_t successes[BATCH];
    job_wish_t wish = { .queue = "echo", .most = BATCH };
    job_turn_t turn = { .successes = successes, .wishes = &wish, .wish_count = 1 };
    uint64_t ended = 0;
    arena_t arena = { 0 };
    job_turned_t turned;
    db_t *db = s_open(place);
    insist(db_write(db, s_worker_work, &turn.worker_id) == DB_OK);
    uint64_t start_us = clock_us();
    do {
        arena_reset(&arena);
        insist(jobs_store_turn(db, &arena, &turn, &turned) == DB_OK);
        ended += turned.accepted_count;
        turn.success_count = turned.begun_count;
        for (size_t i = 0; i < turned.begun_count; i++) {
            successes[i] =
                (job_success_t){ .id = turned.begun[i].id, .fence = turned.begun[i].fence };
            wish.from = (job_mark_t){ turned.begun[i].priority, turned.begun[i].run_at };
        }
    } while (turned.begun_count);
    uint64_t spent_us = clock_us() - start_us;
    insist(ended == place->jobs);
    arena_free(&arena);
    db_close(&db);
    return spent_us;
}

/* ---- by SQL alone: PostgreSQL ---------------------------------------------------------------- */

#define KEPT                                                                                       \
    "id, queue, kind, priority, fence, tries, max_attempts, created_at, started_at, parent_id,"    \
    " unique_key, order_key, account"
#define BEGUN                                                                                      \
    "id, fence, run_at, priority, tries, crashes, max_attempts, timeout_ms, backoff_ms, kind,"     \
    " queue, account, order_key, parent_id, principal, trace, payload"

static const char s_pg_turn[] =
    "WITH ended AS (DELETE FROM job USING unnest($1::bigint[], $2::int[]) r(i, f)"
    " WHERE job.id = r.i AND job.fence = r.f AND job.state = 1 RETURNING job.*),"
    " kept AS (INSERT INTO done (" KEPT ", state, finished_at) SELECT " KEPT
    ", 4, CAST(extract(epoch FROM now()) * 1000 AS BIGINT) FROM ended),"
    " next AS MATERIALIZED (SELECT id FROM job WHERE queue = 'echo' AND state = 0"
    " AND (priority, run_at) >= (5, $3::bigint) ORDER BY priority, run_at, id LIMIT 50"
    " FOR UPDATE SKIP LOCKED)"
    " UPDATE job SET state = 1, fence = fence + 1, worker_id = 1,"
    " started_at = CAST(extract(epoch FROM now()) * 1000 AS BIGINT)"
    " WHERE id = ANY (ARRAY(SELECT id FROM next)) RETURNING " BEGUN;

static void s_add(char *list, size_t room, const char *number)
{
    size_t used = strlen(list);
    snprintf(list + used, room - used, "%s%s", used > 1 ? "," : "", number);
}

static void s_close_list(char *list, size_t room)
{
    size_t used = strlen(list);
    snprintf(list + used, room - used, "}");
}

static uint64_t s_control_postgres(const place_t *place)
{
    char ids[BATCH * 24], fences[BATCH * 12], from[24] = "0";
    uint64_t begun = 0;
    int rows;
    PGconn *server = PQconnectdb(place->storage.database);
    PQclear(PQexec(server, "SET search_path = " SYSTEM_SERVICE));
    PQclear(PQprepare(server, "turn", s_pg_turn, 0, NULL));
    snprintf(ids, sizeof ids, "{");
    snprintf(fences, sizeof fences, "{");
    uint64_t start_us = clock_us();
    do {
        s_close_list(ids, sizeof ids);
        s_close_list(fences, sizeof fences);
        PGresult *result = PQexecPrepared(
            server, "turn", 3, (const char *const[]){ ids, fences, from }, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            die("%s", PQerrorMessage(server));
        rows = PQntuples(result);
        begun += (uint64_t)rows;
        snprintf(ids, sizeof ids, "{");
        snprintf(fences, sizeof fences, "{");
        for (int i = 0; i < rows; i++) {
            s_add(ids, sizeof ids, PQgetvalue(result, i, 0));
            s_add(fences, sizeof fences, PQgetvalue(result, i, 1));
        }
        if (rows)
            snprintf(from, sizeof from, "%s", PQgetvalue(result, rows - 1, 2));
        PQclear(result);
    } while (rows);
    uint64_t spent_us = clock_us() - start_us;
    insist(begun == place->jobs);
    PQfinish(server);
    return spent_us;
}

/* ---- by SQL alone: SQLite -------------------------------------------------------------------- */

static sqlite3_stmt *s_prepare(sqlite3 *file, const char *text)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(file, text, -1, &statement, NULL) != SQLITE_OK)
        die("%s", sqlite3_errmsg(file));
    return statement;
}

static void s_step(sqlite3_stmt *statement, int64_t id, int64_t fence)
{
    sqlite3_bind_int64(statement, 1, id);
    if (fence)
        sqlite3_bind_int64(statement, 2, fence);
    insist(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
}

#define NOW "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"

static uint64_t s_control_sqlite(const place_t *place)
{
    char path[200];
    int64_t ids[BATCH], fences[BATCH], from = 0;
    size_t had = 0;
    uint64_t begun = 0;
    sqlite3 *file;
    snprintf(path, sizeof path, "%s/" SYSTEM_SERVICE ".db", place->storage.data);
    insist(sqlite3_open(path, &file) == SQLITE_OK);
    insist(sqlite3_exec(file, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL,
                        NULL) == SQLITE_OK);
    sqlite3_stmt *keep =
        s_prepare(file, "INSERT INTO done (" KEPT ", state, finished_at) SELECT " KEPT ", 4, " NOW
                        " FROM job WHERE id = ? AND fence = ?"
                        " AND state = 1");
    sqlite3_stmt *drop = s_prepare(file, "DELETE FROM job WHERE id = ?");
    sqlite3_stmt *claim = s_prepare(
        file, "UPDATE job SET state = 1, fence = fence + 1, worker_id = 1, started_at = " NOW
              " WHERE id IN (SELECT id FROM job WHERE queue = 'echo' AND state = 0"
              " AND (priority, run_at) >= (5, ?) ORDER BY priority, run_at, id LIMIT 50)"
              " RETURNING " BEGUN);
    uint64_t start_us = clock_us();
    do {
        insist(sqlite3_exec(file, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
        for (size_t i = 0; i < had; i++) {
            s_step(keep, ids[i], fences[i]);
            s_step(drop, ids[i], 0);
        }
        had = 0;
        sqlite3_bind_int64(claim, 1, from);
        while (sqlite3_step(claim) == SQLITE_ROW) {
            ids[had] = sqlite3_column_int64(claim, 0);
            fences[had] = sqlite3_column_int64(claim, 1);
            from = sqlite3_column_int64(claim, 2);
            had++;
        }
        sqlite3_reset(claim);
        insist(sqlite3_exec(file, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
        begun += had;
    } while (had);
    uint64_t spent_us = clock_us() - start_us;
    insist(begun == place->jobs);
    sqlite3_finalize(keep);
    sqlite3_finalize(drop);
    sqlite3_finalize(claim);
    sqlite3_close(file);
    return spent_us;
}

static int s_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void s_print(const place_t *place, const char *name, uint64_t operations, uint64_t wall_us,
                    double cpu_us)
{
    char full[64];
    snprintf(full, sizeof full, "%s-%s", place->name, name);
    bench_print("jobs", full, operations, wall_us, cpu_us);
}

/* The middle of several runs by the clock, and the CPU time of all of them. */
typedef struct {
    uint64_t wall_us[ROUNDS], cpu_us;
} runs_t;

static void s_measure(const place_t *place, runs_t *runs, int round,
                      uint64_t (*run)(const place_t *place))
{
    s_fill(place);
    uint64_t cpu_us = clock_cpu_us();
    runs->wall_us[round] = run(place);
    runs->cpu_us += clock_cpu_us() - cpu_us;
}

static void s_print_runs(const place_t *place, const char *name, runs_t *runs)
{
    qsort(runs->wall_us, ROUNDS, sizeof *runs->wall_us, s_compare);
    s_print(place, name, place->jobs, runs->wall_us[ROUNDS / 2],
            (double)runs->cpu_us / (double)place->jobs / ROUNDS);
}

static void s_bench_turns(const place_t *place)
{
    runs_t control = { 0 }, turn = { 0 };
    const bool is_postgres = place->storage.database[0];
    for (int round = 0; round < ROUNDS; round++) {
        s_measure(place, &control, round, is_postgres ? s_control_postgres : s_control_sqlite);
        s_measure(place, &turn, round, s_turn);
    }
    s_print_runs(place, "control", &control);
    s_print_runs(place, "turn", &turn);
}

/* ---- over the bus ---------------------------------------------------------------------------- */

/* Enqueuing by all clients. */
typedef struct {
    system_t system;
    sem_t done;
    atomic_ullong sent, answered, failed;
    uint64_t wanted;
} enqueuing_t;

typedef struct {
    enqueuing_t *all;
    size_t client;
} lane_of_t;

static void s_enqueue_next(lane_of_t *lane);

/* Each answer is followed by the next request of its client. */
static void s_on_enqueued(void *arg, answer_t *answer)
{
    lane_of_t *lane = arg;
    enqueuing_t *self = lane->all;
    if (answer->failure.code != ERROR_NONE)
        atomic_fetch_add(&self->failed, 1);
    if (atomic_fetch_add(&self->answered, 1) + 1 == self->wanted)
        sem_post(&self->done);
    s_enqueue_next(lane);
}

static void s_enqueue_next(lane_of_t *lane)
{
    enqueuing_t *self = lane->all;
    if (atomic_fetch_add(&self->sent, 1) < self->wanted)
        system_enqueue(&self->system, lane->client, s_on_enqueued, lane);
}

static void s_bench_enqueue(enqueuing_t *self, const place_t *place)
{
    lane_of_t lanes[SYSTEM_CLIENTS];
    uint64_t cpu_us = clock_cpu_us(), wall_us = clock_us();
    sem_init(&self->done, 0, 0);
    self->wanted = place->jobs;
    for (size_t i = 0; i < SYSTEM_CLIENTS; i++)
        lanes[i] = (lane_of_t){ self, i };
    for (int n = 0; n < IN_FLIGHT; n++)
        for (size_t i = 0; i < SYSTEM_CLIENTS; i++)
            s_enqueue_next(&lanes[i]);
    while (sem_wait(&self->done) != 0)
        ;
    insist(self->failed == 0);
    s_print(place, "enqueue", place->jobs, clock_us() - wall_us,
            (double)(clock_cpu_us() - cpu_us) / (double)place->jobs);
}

static void s_bench_dispatch(system_t *self, const place_t *place)
{
    uint64_t cpu_us = clock_cpu_us(), wall_us = clock_us();
    system_set_paused(self, false);
    while (stats_get(actor_stats(self->jobs), JOBS_SUCCEEDED) < (int64_t)place->jobs)
        clock_sleep_ms(1);
    s_print(place, "dispatch", place->jobs, clock_us() - wall_us,
            (double)(clock_cpu_us() - cpu_us) / (double)place->jobs);
}

static void s_bench_bus(const place_t *place)
{
    static enqueuing_t enqueuing;
    enqueuing = (enqueuing_t){ 0 };
    system_start(&enqueuing.system, place);
    system_set_paused(&enqueuing.system, true);
    s_bench_enqueue(&enqueuing, place);
    s_bench_dispatch(&enqueuing.system, place);
    system_stop(&enqueuing.system);
}

/* ---- both ------------------------------------------------------------------------------------ */

static void s_drop_schema(const char *url)
{
    PGconn *server = PQconnectdb(url);
    PQclear(PQexec(server, "SET client_min_messages = error"));
    PQclear(PQexec(server, "DROP SCHEMA IF EXISTS " SYSTEM_SERVICE " CASCADE"));
    PQfinish(server);
}

int main(void)
{
    char folder[200];
    const char *url = getenv("TEST_POSTGRES_URL"), *parent = getenv("TMPDIR"),
               *only = getenv("BENCH_ONLY");
    const bool is_snapshot = only && strcmp(only, "snapshot") == 0;
    place_t place = { .name = "sqlite", .jobs = bench_number("JOBS", 20000) / FILL * FILL };
    log_set_level(LOG_ERROR);
    snprintf(folder, sizeof folder, "%.150s/sbx-bench-XXXXXX", parent ? parent : "/tmp");
    insist(mkdtemp(folder));
    bench_presets(db_setting_rows, &place.storage);
    place.storage.data = folder;
    if (!is_snapshot) {
        s_bench_turns(&place);
        s_bench_bus(&place);
    }
    if (url && url[0]) {
        place.name = "postgres";
        place.storage.database = url;
        s_drop_schema(url);
        if (is_snapshot) {
            bench_snapshot(&place);
        } else {
            s_bench_turns(&place);
            s_bench_bus(&place);
        }
        s_drop_schema(url);
    } else if (is_snapshot) {
        die("the case is about PostgreSQL: TEST_POSTGRES_URL names none");
    }
    bench_remove_folder(folder);
    return 0;
}
