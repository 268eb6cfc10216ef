/* SPDX-License-Identifier: MPL-2.0
 *
 * Enqueuing: what is there after the commit, in which state, and what is not added twice.
 */
#include "config.h"

#include <pthread.h>

#include "tests/unit/jobs_kit.h"

static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM job", NULL };
static const db_sql_t s_queues = { "test.queues", "SELECT count(*) AS n FROM queue", NULL };

static void test_states(void)
{
    static const struct {
        int64_t delay_ms, run_at;
        const char *order_key;
        job_state_t state;
    } cases[] = {
        { 0, 0, NULL, JOB_READY },
        { 60000, 0, NULL, JOB_SCHEDULED },
        { 0, 1000, NULL, JOB_READY }, /* a moment in the past */
        { 0, INT64_C(4102444800000), NULL, JOB_SCHEDULED },
        { 0, 0, "a", JOB_READY }, /* the first of its order */
        { 0, 0, "a", JOB_BLOCKED },
        { 0, 0, "b", JOB_READY },
        { 60000, 0, "c", JOB_SCHEDULED },
        { 0, 0, "c", JOB_BLOCKED },
    };
    place_t place;
    job_new_t jobs[COUNT_OF(cases)];
    job_receipt_t receipts[COUNT_OF(cases)];
    db_t *db = kit_open(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jobs[i] = kit_job();
        jobs[i].delay_ms = cases[i].delay_ms;
        jobs[i].run_at = cases[i].run_at;
        jobs[i].order_key = cases[i].order_key;
    }
    is_int(kit_add(db, jobs, COUNT_OF(cases), receipts), DB_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        is_int(receipts[i].state, cases[i].state);
        ok(!receipts[i].is_duplicate);
        ok(i == 0 || receipts[i].id > receipts[i - 1].id);
    }
    is_int(place_number(db, &s_count), COUNT_OF(cases));
    place_end(&place, &db);
}

static void test_unique(void)
{
    static const struct {
        const char *account, *queue, *key;
        bool is_duplicate;
    } cases[] = {
        { "a", "q", "1", false },  { "a", "q", "1", true },   { "a", "q", "2", false },
        { "b", "q", "1", false },  { "a", "r", "1", false },  { "a", "r", "1", true },
        { "a", "q", NULL, false }, { "a", "q", NULL, false },
    };
    place_t place;
    job_new_t jobs[COUNT_OF(cases)];
    job_receipt_t receipts[COUNT_OF(cases)];
    db_t *db = kit_open(&place);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jobs[i] = kit_job();
        jobs[i].account = cases[i].account;
        jobs[i].queue = cases[i].queue;
        jobs[i].unique_key = cases[i].key;
    }
    is_int(kit_add(db, jobs, COUNT_OF(cases), receipts), DB_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_int(receipts[i].is_duplicate, cases[i].is_duplicate);
    is_int(receipts[1].id, receipts[0].id);
    is_int(receipts[5].id, receipts[4].id);
    is_int(place_number(db, &s_count), 6);
    is_int(place_number(db, &s_queues), 2);
    place_end(&place, &db);
}

/* What cannot be stored takes the others of its transaction along. */
static void test_all_or_nothing(void)
{
    place_t place;
    job_receipt_t receipts[2];
    db_t *db = kit_open(&place);
    job_new_t jobs[] = { kit_job(), kit_job() };
    jobs[1].priority = 10;
    is_int(kit_add(db, jobs, 2, receipts), DB_CONSTRAINT);
    is_int(place_number(db, &s_count), 0);
    jobs[1].priority = 9;
    is_int(kit_add(db, jobs, 2, receipts), DB_OK);
    is_int(place_number(db, &s_count), 2);
    place_end(&place, &db);
}

/* ---- several at once ------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS  25

typedef struct {
    db_t *db;
    int good, ready;
} adder_t;

static void *s_add_in_order(void *arg)
{
    adder_t *self = arg;
    for (int i = 0; i < ROUNDS; i++) {
        job_receipt_t receipts[2] = { 0 };
        job_new_t jobs[] = { kit_job(), kit_job() };
        jobs[0].order_key = i % 2 ? "one" : "two";
        jobs[1].order_key = i % 2 ? "two" : "one"; /* so that locks are asked for crosswise */
        self->good += kit_add(self->db, jobs, 2, receipts) == DB_OK;
        self->ready += (receipts[0].state == JOB_READY) + (receipts[1].state == JOB_READY);
    }
    return NULL;
}

static void test_orders_at_once(void)
{
    static const db_sql_t heads = { "test.heads",
                                    "SELECT count(*) AS n FROM job WHERE state = 0 AND id IN"
                                    " (SELECT min(id) FROM job GROUP BY order_key)",
                                    NULL };
    place_t place;
    pthread_t threads[THREADS];
    adder_t adders[THREADS] = { 0 };
    int good = 0, ready = 0;
    db_t *db = kit_open(&place);
    for (int i = 0; i < THREADS; i++) {
        adders[i].db = db;
        insist(pthread_create(&threads[i], NULL, s_add_in_order, &adders[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        good += adders[i].good;
        ready += adders[i].ready;
    }
    is_int(good, THREADS * ROUNDS);
    is_int(ready, 2);
    is_int(place_number(db, &s_count), THREADS * ROUNDS * 2);
    is_int(place_number(db, &heads), 2);
    place_end(&place, &db);
}

DATABASE_TESTS({ "states", test_states }, { "unique", test_unique },
               { "all or nothing", test_all_or_nothing }, { "orders at once", test_orders_at_once })
