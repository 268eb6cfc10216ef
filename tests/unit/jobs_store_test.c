/* SPDX-License-Identifier: MPL-2.0
 *
 * The life of jobs in the tables: begun in order, ended once, tried again, moved, lost and found.
 */
#include "config.h"

#include "tests/unit/jobs_kit.h"

static const db_sql_t s_live = { "test.live", "SELECT count(*) AS n FROM job", NULL };
static const db_sql_t s_done = { "test.done", "SELECT count(*) AS n FROM done", NULL };
static const db_sql_t s_dead = { "test.dead", "SELECT count(*) AS n FROM dead", NULL };
static const db_sql_t s_due_now = { "test.due", "UPDATE job SET run_at = 1 WHERE state = 2", NULL };

static void s_note_due(void *arg, const char *queue, const job_mark_t *at)
{
    (void)queue;
    (void)at;
    ++*(size_t *)arg;
}

typedef struct {
    size_t seen, count;
} promoted_t;

static db_status_t s_promote_work(db_conn_t *conn, void *arg)
{
    promoted_t *promoted = arg;
    promoted->seen = 0;
    return jobs_store_promote(conn, 100, s_note_due, &promoted->seen, &promoted->count);
}

static size_t s_promote(db_t *db)
{
    promoted_t promoted = { 0 };
    is_int(db_write(db, s_promote_work, &promoted), DB_OK);
    is_int(promoted.seen, promoted.count);
    return promoted.count;
}

/* ---- claiming -------------------------------------------------------------------------------- */

static void test_order_of_claims(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    job_new_t jobs[] = { kit_job(), kit_job(), kit_job(), kit_job() };
    job_receipt_t receipts[4];
    jobs[0].priority = 9;
    jobs[2].priority = 0;
    jobs[3].delay_ms = 60000;
    is_int(kit_add(db, jobs, 4, receipts), DB_OK);
    is_int(kit_begin(db, &arena, worker, 2, &begun), 2);
    is_int(begun[0].id, receipts[2].id);
    is_int(begun[1].id, receipts[1].id);
    is_int(begun[0].fence, 1);
    is_text(begun[0].kind, "echo.say");
    is_int(begun[0].payload.size, 1);
    is_int(kit_begin(db, &arena, worker, 5, &begun), 1);
    is_int(begun[0].id, receipts[0].id);
    is_int(kit_begin(db, &arena, worker, 5, &begun), 0);
    is_int(s_promote(db), 0);
    is_int(db_write_one(db, &s_due_now, NULL, 0, NULL), DB_OK);
    is_int(s_promote(db), 1);
    is_int(kit_begin(db, &arena, worker, 5, &begun), 1);
    arena_free(&arena);
    place_end(&place, &db);
}

static void test_marks(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_turned_t turned;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    job_new_t jobs[] = { kit_job(), kit_job() };
    job_receipt_t receipts[2];
    jobs[0].run_at = 1000;
    jobs[1].run_at = 2000;
    is_int(kit_add(db, jobs, 2, receipts), DB_OK);
    job_wish_t wish = { .queue = "echo", .most = 5, .from = { 5, 1500 } };
    job_turn_t turn = { .worker_id = worker, .wishes = &wish, .wish_count = 1 };
    is_int(jobs_store_turn(db, &arena, &turn, &turned), DB_OK);
    is_int(turned.begun_count, 1);
    is_int(turned.begun[0].id, receipts[1].id);
    wish.from = (job_mark_t){ 0, 0 };
    is_int(jobs_store_turn(db, &arena, &turn, &turned), DB_OK);
    is_int(turned.begun_count, 1);
    arena_free(&arena);
    place_end(&place, &db);
}

static void test_several_queues(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_turned_t turned;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    job_new_t jobs[6];
    job_receipt_t receipts[6];
    for (size_t i = 0; i < 6; i++) {
        jobs[i] = kit_job();
        jobs[i].queue = i % 2 ? "a" : "b";
    }
    is_int(kit_add(db, jobs, 6, receipts), DB_OK);
    const job_wish_t wishes[] = { { .queue = "a", .most = 2 }, { .queue = "b", .most = 1 } };
    job_turn_t turn = { .worker_id = worker, .wishes = wishes, .wish_count = 2 };
    is_int(jobs_store_turn(db, &arena, &turn, &turned), DB_OK);
    is_int(turned.begun_count, 3);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void test_fence(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db), id = kit_add_one(db, kit_job());
    is_int(kit_begin(db, &arena, worker, 1, &begun), 1);
    /* it goes back, as after a lost lease, and is begun again */
    ok(kit_settle(db, (job_end_t){ .id = id, .fence = 1, .how = SETTLE_BACK }).is_accepted);
    ok(!kit_succeed(db, &arena, id, 1));
    is_int(kit_begin(db, &arena, worker, 1, &begun), 1);
    is_int(begun[0].fence, 2);
    ok(!kit_succeed(db, &arena, id, 1));
    ok(!kit_settle(db, (job_end_t){ .id = id, .fence = 1, .how = SETTLE_DEAD }).is_accepted);
    ok(kit_succeed(db, &arena, id, 2));
    ok(!kit_succeed(db, &arena, id, 2));
    is_int(place_number(db, &s_live), 0);
    is_int(place_number(db, &s_done), 1);
    arena_free(&arena);
    place_end(&place, &db);
}

static void test_ends(void)
{
    static const struct {
        settle_t how;
        int64_t delay_ms;
        bool cancel;
        job_state_t state;
    } cases[] = {
        { SETTLE_DONE, 0, false, JOB_DONE },     { SETTLE_CANCELLED, 0, false, JOB_CANCELLED },
        { SETTLE_DEAD, 0, false, JOB_DEAD },     { SETTLE_AGAIN, 5000, false, JOB_SCHEDULED },
        { SETTLE_AGAIN, 0, false, JOB_READY },   { SETTLE_BACK, 0, false, JOB_READY },
        { SETTLE_BACK, 0, true, JOB_CANCELLED }, { SETTLE_AGAIN, 5000, true, JOB_CANCELLED },
        { SETTLE_DONE, 0, true, JOB_DONE },      { SETTLE_DEAD, 0, true, JOB_CANCELLED },
    };
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        job_new_t job = kit_job();
        const job_t *found;
        job.account = "ada";
        int64_t id = kit_add_one(db, job);
        is_int(kit_begin(db, &arena, worker, 1, &begun), 1);
        if (cases[i].cancel) {
            static const db_sql_t mark = { "test.mark", "UPDATE job SET is_cancelled = 1", NULL };
            is_int(db_write_one(db, &mark, NULL, 0, NULL), DB_OK);
        }
        job_settled_t settled = kit_settle(db, (job_end_t){ .id = id,
                                                            .fence = 1,
                                                            .how = cases[i].how,
                                                            .delay_ms = cases[i].delay_ms,
                                                            .tries = 1,
                                                            .error_code = "UNAVAILABLE",
                                                            .error_text = "away" });
        ok(settled.is_accepted);
        is_int(settled.state, cases[i].state);
        is_int(jobs_store_get(db_conn(db), &arena, id, "ada", &found), DB_OK);
        ok(found && found->state == cases[i].state);
        ok(found && (found->state == JOB_DONE || found->state == JOB_CANCELLED ||
                     (found->tries == 1 && strcmp(found->error_code, "UNAVAILABLE") == 0)));
        is_int(jobs_store_get(db_conn(db), &arena, id, "bob", &found), DB_OK);
        ok(!found);
        static const db_sql_t clear = { "test.clear", "DELETE FROM job", NULL };
        is_int(db_write_one(db, &clear, NULL, 0, NULL), DB_OK);
    }
    arena_free(&arena);
    place_end(&place, &db);
}

/* First in, first out, whatever becomes of the first. */
static void test_orders(void)
{
    static const settle_t ends[] = { SETTLE_DONE, SETTLE_DEAD, SETTLE_CANCELLED };
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    job_new_t jobs[4];
    job_receipt_t receipts[4];
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = kit_job();
        jobs[i].order_key = "one";
    }
    is_int(kit_add(db, jobs, 4, receipts), DB_OK);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        is_int(kit_begin(db, &arena, worker, 9, &begun), 1);
        is_int(begun[0].id, receipts[i].id);
        /* a failure holds the others up */
        kit_settle(db, (job_end_t){ .id = begun[0].id, .fence = 1, .how = SETTLE_AGAIN });
        is_int(kit_begin(db, &arena, worker, 9, &begun), 1);
        is_int(begun[0].id, receipts[i].id);
        kit_settle(
            db,
            (job_end_t){ .id = begun[0].id, .fence = 2, .how = ends[i], .error_code = "INTERNAL" });
    }
    is_int(kit_begin(db, &arena, worker, 9, &begun), 1);
    is_int(begun[0].id, receipts[3].id);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

typedef struct {
    arena_t *arena;
    int64_t id;
    const char *account;
    job_cancelled_t cancelled;
} cancelling_t;

static db_status_t s_cancel_work(db_conn_t *conn, void *arg)
{
    cancelling_t *self = arg;
    return jobs_store_cancel(conn, self->arena, self->id, self->account, &self->cancelled);
}

static job_cancelled_t s_cancel(db_t *db, arena_t *arena, int64_t id, const char *account)
{
    cancelling_t cancelling = { .arena = arena, .id = id, .account = account };
    is_int(db_write(db, s_cancel_work, &cancelling), DB_OK);
    return cancelling.cancelled;
}

static void test_cancel(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    job_new_t jobs[] = { kit_job(), kit_job(), kit_job() };
    job_receipt_t receipts[3];
    int64_t ids[4];
    size_t count;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    for (size_t i = 0; i < 3; i++) {
        jobs[i].account = "ada";
        jobs[i].order_key = "one";
    }
    is_int(kit_add(db, jobs, 3, receipts), DB_OK);
    ok(!s_cancel(db, &arena, receipts[0].id, "bob").is_there);
    ok(!s_cancel(db, &arena, 999999, NULL).is_there);
    /* one that waits behind another, the first, and one that runs */
    is_int(s_cancel(db, &arena, receipts[1].id, "ada").state, JOB_CANCELLED);
    is_int(s_cancel(db, &arena, receipts[0].id, NULL).state, JOB_CANCELLED);
    is_int(kit_begin(db, &arena, worker, 9, &begun), 1);
    is_int(begun[0].id, receipts[2].id);
    is_int(jobs_store_to_cancel(db_conn(db), worker, ids, COUNT_OF(ids), &count), DB_OK);
    is_int(count, 0);
    is_int(s_cancel(db, &arena, receipts[2].id, "ada").state, JOB_RUNNING);
    is_int(jobs_store_to_cancel(db_conn(db), worker, ids, COUNT_OF(ids), &count), DB_OK);
    is_int(count, 1);
    is_int(ids[0], receipts[2].id);
    ok(!s_cancel(db, &arena, receipts[1].id, "ada").is_there);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- limits ---------------------------------------------------------------------------------- */

typedef struct {
    arena_t *arena;
    int64_t worker;
    size_t most, count;
    job_begun_t begun[16];
} limited_t;

static db_status_t s_limited_work(db_conn_t *conn, void *arg)
{
    limited_t *self = arg;
    const job_wish_t wish = { .queue = "echo", .most = self->most };
    return jobs_store_claim_limited(conn, self->arena, self->worker, &wish, self->begun,
                                    &self->count);
}

static size_t s_begin_limited(db_t *db, limited_t *limited, size_t most)
{
    limited->most = most;
    is_int(db_write(db, s_limited_work, limited), DB_OK);
    return limited->count;
}

static db_status_t s_set_work(db_conn_t *conn, void *arg)
{
    return jobs_store_set_queue(conn, arg);
}

static void s_set(db_t *db, job_queue_change_t change)
{
    change.name = "echo";
    is_int(db_write(db, s_set_work, &change), DB_OK);
}

static void test_limits(void)
{
    static const db_sql_t age = { "test.age", "UPDATE beginning SET at = at - 60500", NULL };
    place_t place;
    arena_t arena = { 0 };
    job_new_t jobs[16];
    job_receipt_t receipts[16];
    job_queues_t queues;
    db_t *db = kit_open(&place);
    limited_t limited = { .arena = &arena, .worker = kit_worker(db) };
    for (size_t i = 0; i < 16; i++)
        jobs[i] = kit_job();
    is_int(kit_add(db, jobs, 16, receipts), DB_OK);
    s_set(db, (job_queue_change_t){ .is_paused = 1,
                                    .is_pulled = -1,
                                    .max_running = -1,
                                    .rate_limit = -1,
                                    .rate_window_ms = -1 });
    is_int(s_begin_limited(db, &limited, 9), 0);
    s_set(db, (job_queue_change_t){ .is_paused = 0,
                                    .is_pulled = -1,
                                    .max_running = -1,
                                    .rate_limit = 3,
                                    .rate_window_ms = 60000 });
    is_int(s_begin_limited(db, &limited, 2), 2);
    is_int(s_begin_limited(db, &limited, 9), 1);
    is_int(s_begin_limited(db, &limited, 9), 0);
    is_int(db_write_one(db, &age, NULL, 0, NULL), DB_OK);
    is_int(s_begin_limited(db, &limited, 9), 3);
    /* six run */
    s_set(db, (job_queue_change_t){ .is_paused = -1,
                                    .is_pulled = -1,
                                    .max_running = 8,
                                    .rate_limit = 0,
                                    .rate_window_ms = -1 });
    is_int(s_begin_limited(db, &limited, 9), 2);
    is_int(s_begin_limited(db, &limited, 9), 0);
    is_int(jobs_store_queues(db_conn(db), &arena, true, &queues), DB_OK);
    is_int(queues.count, 1);
    is_text(queues.list[0].name, "echo");
    is_int(queues.list[0].max_running, 8);
    is_int(queues.list[0].rate_window_ms, 60000);
    is_int(queues.list[0].running, 8);
    is_int(queues.list[0].ready, 8);
    ok(!queues.list[0].is_paused);
    arena_free(&arena);
    place_end(&place, &db);
}

/* The clock was two hours ahead for a moment: what was begun then does not keep the queue shut for
 * two hours, but for its window. */
static void test_limits_after_a_wrong_clock(void)
{
    static const db_sql_t ahead = { "test.ahead", "UPDATE beginning SET at = at + 7200000", NULL };
    static const db_sql_t begun = { "test.begun", "SELECT max(at) AS n FROM beginning", NULL };
    static const db_sql_t now = { "test.now", "SELECT " STORE_NOW_SQLITE " AS n",
                                  "SELECT " STORE_NOW_POSTGRES " AS n" };
    static const db_sql_t age = { "test.age", "UPDATE beginning SET at = at - 60500", NULL };
    place_t place;
    arena_t arena = { 0 };
    job_new_t jobs[4];
    job_receipt_t receipts[4];
    db_t *db = kit_open(&place);
    limited_t limited = { .arena = &arena, .worker = kit_worker(db) };
    for (size_t i = 0; i < 4; i++)
        jobs[i] = kit_job();
    is_int(kit_add(db, jobs, 4, receipts), DB_OK);
    s_set(db, (job_queue_change_t){ .is_paused = -1,
                                    .is_pulled = -1,
                                    .max_running = -1,
                                    .rate_limit = 2,
                                    .rate_window_ms = 60000 });
    is_int(s_begin_limited(db, &limited, 9), 2);
    is_int(db_write_one(db, &ahead, NULL, 0, NULL), DB_OK);
    is_int(s_begin_limited(db, &limited, 9), 0);
    ok(place_number(db, &begun) <= place_number(db, &now));
    is_int(db_write_one(db, &age, NULL, 0, NULL), DB_OK);
    is_int(s_begin_limited(db, &limited, 9), 2);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- workers --------------------------------------------------------------------------------- */

typedef struct {
    int64_t id, lease_ms, released;
    bool is_there;
} working_t;

static db_status_t s_renew_work(db_conn_t *conn, void *arg)
{
    working_t *self = arg;
    return jobs_store_renew_worker(conn, self->id, self->lease_ms, &self->is_there);
}

static db_status_t s_remove_work(db_conn_t *conn, void *arg)
{
    working_t *self = arg;
    return jobs_store_remove_worker(conn, self->id, &self->released);
}

static db_status_t s_forget_work(db_conn_t *conn, void *arg)
{
    (void)arg;
    return jobs_store_forget_workers(conn, false);
}

static void test_workers(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    job_lost_t lost[4];
    job_ref_t *runs;
    size_t count;
    db_t *db = kit_open(&place);
    working_t worker = { .id = kit_worker(db), .lease_ms = 60000 };
    int64_t id = kit_add_one(db, kit_job());
    is_int(kit_begin(db, &arena, worker.id, 9, &begun), 1);
    is_int(jobs_store_lost(db_conn(db), false, lost, 4, &count), DB_OK);
    is_int(count, 0);
    is_int(jobs_store_lost(db_conn(db), true, lost, 4, &count), DB_OK);
    is_int(count, 1);
    is_int(jobs_store_runs(db_conn(db), &arena, worker.id, &runs, &count), DB_OK);
    is_int(count, 1);
    is_int(runs[0].id, id);
    /* its lease ends */
    worker.lease_ms = -1000;
    is_int(db_write(db, s_renew_work, &worker), DB_OK);
    ok(worker.is_there);
    is_int(jobs_store_lost(db_conn(db), false, lost, 4, &count), DB_OK);
    is_int(count, 1);
    is_int(lost[0].id, id);
    ok(!lost[0].was_pulled);
    is_int(db_write(db, s_forget_work, NULL), DB_OK);
    is_int(db_write(db, s_renew_work, &worker), DB_OK);
    ok(worker.is_there); /* it has a run, so it is not forgotten */
    is_int(db_write(db, s_remove_work, &worker), DB_OK);
    is_int(worker.released, 1);
    is_int(db_write(db, s_renew_work, &worker), DB_OK);
    ok(!worker.is_there);
    /* a run of nobody's */
    is_int(kit_begin(db, &arena, worker.id, 9, &begun), 1);
    is_int(jobs_store_lost(db_conn(db), false, lost, 4, &count), DB_OK);
    is_int(count, 0);
    is_int(jobs_store_orphans(db_conn(db), lost, 4, &count), DB_OK);
    is_int(count, 1);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- lists and retention --------------------------------------------------------------------- */

typedef struct {
    job_retention_t retention;
    size_t count;
} purging_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purging_t *self = arg;
    return jobs_store_purge(conn, &self->retention, &self->count);
}

static void test_lists_and_purge(void)
{
    static const db_sql_t age_done = { "test.age_done", "UPDATE done SET finished_at = 1", NULL };
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    jobs_list_t jobs;
    int64_t ids[5];
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    for (size_t i = 0; i < 5; i++) {
        job_new_t job = kit_job();
        job.account = i % 2 ? "bob" : "ada";
        ids[i] = kit_add_one(db, job);
    }
    is_int(jobs_store_list(db_conn(db), &arena, TABLE_LIVE, "ada", INT64_MAX, 2, &jobs), DB_OK);
    is_int(jobs.count, 2);
    is_int(jobs.list[0].id, ids[4]);
    is_int(jobs_store_list(db_conn(db), &arena, TABLE_LIVE, "ada", jobs.list[1].id, 2, &jobs),
           DB_OK);
    is_int(jobs.count, 1);
    is_int(jobs_store_list(db_conn(db), &arena, TABLE_LIVE, NULL, INT64_MAX, 9, &jobs), DB_OK);
    is_int(jobs.count, 5);
    is_int(kit_begin(db, &arena, worker, 9, &begun), 5);
    for (size_t i = 0; i < 5; i++)
        kit_settle(db, (job_end_t){ .id = ids[i],
                                    .fence = 1,
                                    .how = i < 3 ? SETTLE_DONE : SETTLE_DEAD,
                                    .error_code = "INTERNAL" });
    is_int(jobs_store_list(db_conn(db), &arena, TABLE_DONE, NULL, INT64_MAX, 9, &jobs), DB_OK);
    is_int(jobs.count, 3);
    is_int(jobs_store_list(db_conn(db), &arena, TABLE_DEAD, "bob", INT64_MAX, 9, &jobs), DB_OK);
    is_int(jobs.count, 1);
    is_text(jobs.list[0].error_code, "INTERNAL");
    purging_t purging = { .retention = { .done_ms = 60000, .dead_ms = 60000, .most = 2 } };
    is_int(db_write(db, s_purge_work, &purging), DB_OK);
    is_int(purging.count, 0);
    is_int(db_write_one(db, &age_done, NULL, 0, NULL), DB_OK);
    is_int(db_write(db, s_purge_work, &purging), DB_OK);
    is_int(purging.count, 2);
    is_int(place_number(db, &s_done), 1);
    is_int(place_number(db, &s_dead), 2);
    is_int(jobs_store_vacuum(db_conn(db)), DB_OK);
    arena_free(&arena);
    place_end(&place, &db);
}

DATABASE_TESTS({ "order of claims", test_order_of_claims }, { "marks", test_marks },
               { "several queues", test_several_queues }, { "fence", test_fence },
               { "ends", test_ends }, { "orders", test_orders }, { "cancel", test_cancel },
               { "limits", test_limits },
               { "limits after a wrong clock", test_limits_after_a_wrong_clock },
               { "workers", test_workers }, { "lists and purge", test_lists_and_purge })
