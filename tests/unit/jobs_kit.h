/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_kit - a database with the tables of jobs, and jobs to put into it
 */
#ifndef SIGNALBOX_JOBS_KIT_H
#define SIGNALBOX_JOBS_KIT_H

#include "actors/jobs/store.h"
#include "tests/kit/database.h"

static const uint8_t kit_empty_map[] = { 0x80 };

/* A job with all defaults, in a queue of its service's name. */
static inline job_new_t kit_job(void)
{
    return (job_new_t){ .kind = "echo.say",
                        .queue = "echo",
                        .priority = 5,
                        .max_attempts = 3,
                        .timeout_ms = 60000,
                        .backoff_ms = 2000,
                        .account = "",
                        .payload = { kit_empty_map, sizeof kit_empty_map } };
}

typedef struct {
    const job_new_t *jobs;
    size_t count;
    job_receipt_t *receipts;
} kit_adding_t;

static inline db_status_t kit_add_work(db_conn_t *conn, void *arg)
{
    const kit_adding_t *adding = arg;
    return jobs_store_enqueue(conn, adding->jobs, adding->count, adding->receipts);
}

static inline db_status_t kit_add(db_t *db, const job_new_t *jobs, size_t count,
                                  job_receipt_t *receipts)
{
    return db_write(db, kit_add_work,
                    &(kit_adding_t){ .jobs = jobs, .count = count, .receipts = receipts });
}

/* Adds one; its id, or 0. */
static inline int64_t kit_add_one(db_t *db, job_new_t job)
{
    job_receipt_t receipt = { 0 };
    return kit_add(db, &job, 1, &receipt) == DB_OK ? receipt.id : 0;
}

/* ---- beginning and ending -------------------------------------------------------------------- */

static inline db_status_t kit_worker_work(db_conn_t *conn, void *arg)
{
    return jobs_store_add_worker(conn, "kit", false, 60000, arg);
}

static inline int64_t kit_worker(db_t *db)
{
    int64_t id = 0;
    is_int(db_write(db, kit_worker_work, &id), DB_OK);
    return id;
}

/* Begins at most `most` jobs of the queue "echo"; how many they are. */
static inline size_t kit_begin(db_t *db, arena_t *arena, int64_t worker, size_t most,
                               job_begun_t **begun)
{
    const job_wish_t wish = { .queue = "echo", .most = most };
    const job_turn_t turn = { .worker_id = worker, .wishes = &wish, .wish_count = 1 };
    job_turned_t turned;
    is_int(jobs_store_turn(db, arena, &turn, &turned), DB_OK);
    *begun = turned.begun;
    return turned.begun_count;
}

/* Says that a run succeeded; whether that counted. */
static inline bool kit_succeed(db_t *db, arena_t *arena, int64_t id, int64_t fence)
{
    const job_success_t success = { .id = id,
                                    .fence = fence,
                                    .result = { kit_empty_map, sizeof kit_empty_map } };
    const job_turn_t turn = { .successes = &success, .success_count = 1 };
    job_turned_t turned;
    is_int(jobs_store_turn(db, arena, &turn, &turned), DB_OK);
    return turned.accepted_count == 1 && turned.accepted[0].id == id;
}

static inline db_status_t kit_settle_work(db_conn_t *conn, void *arg)
{
    return jobs_store_settle(conn, arg);
}

static inline job_settled_t kit_settle(db_t *db, job_end_t end)
{
    arena_t arena = { 0 };
    job_settled_t settled = { 0 };
    job_settling_t settling = { .ends = &end, .count = 1, .settled = &settled, .arena = &arena };
    is_int(db_write(db, kit_settle_work, &settling), DB_OK);
    arena_free(&arena);
    return settled;
}

static inline db_t *kit_open(place_t *place)
{
    place_make(place);
    db_t *db = place_open(place, jobs_migrations, DB_MIGRATE_APPLY);
    if (!db)
        die("%s", place->why);
    return db;
}

#endif
