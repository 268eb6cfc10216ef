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

static inline db_t *kit_open(place_t *place)
{
    place_make(place);
    db_t *db = place_open(place, jobs_migrations, DB_MIGRATE_APPLY);
    if (!db)
        die("%s", place->why);
    return db;
}

#endif
