/* SPDX-License-Identifier: MPL-2.0
 *
 * With 100,000 jobs of each sort, schedules and firings, nothing of the jobs service reads a table
 * from end to end.
 */
#include "config.h"

#include "actors/jobs/store_families.h"
#include "actors/jobs/store_schedules.h"
#include "tests/unit/outside_kit.h"

/* Of 1,000 accounts and ten kinds; every tenth job runs, every tenth is due later, and every tenth
 * waits for another one. */
#define JOB_COLUMNS                                                                                \
    "queue, kind, state, priority, run_at, max_attempts, timeout_ms, backoff_ms, created_at,"      \
    " unique_key, order_key, parent_id, account, worker_id, payload"
#define JOB_VALUES                                                                                 \
    "'queue-' || (n % 10), 'kind.' || (n % 10), CASE n % 10 WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3"    \
    " THEN 3 ELSE 0 END, n % 9, n, 5, 1000, 1000, n, 'unique-' || n, 'order-' || n, n,"            \
    " 'account-' || (n % 1000), CASE n % 10 WHEN 1 THEN 1 + n % 3 END, " BYTES
#define ENDED(queue_state)                                                                         \
    "1000000 + n, 'queue-' || (n % 10), 'kind.' || (n % 10), " queue_state                         \
    "5, 1, 0, 5, n, n, n, 'account-' || (n % 1000)"

static const db_sql_t s_many[] = {
    FILL("job", JOB_COLUMNS, JOB_VALUES),
    FILL("done",
         "id, queue, kind, state, priority, fence, tries, max_attempts, created_at, finished_at,"
         " parent_id, account",
         ENDED("4, ")),
    FILL("dead",
         "id, queue, kind, priority, fence, tries, max_attempts, created_at, finished_at,"
         " parent_id, account, crashes, replays, timeout_ms, backoff_ms, error_code, payload",
         ENDED("") ", 0, 0, 1000, 1000, 'UNPROCESSABLE', " BYTES),
    FILL("progress", "job_id, fence, percent, updated_at", "n, 1, 50, n"),
    FILL("idempotency", "account, key, hash, reply, expires_at",
         "'account-' || (n % 1000), 'key-' || n, " BYTES ", " BYTES ", n"),
    FILL("schedule",
         "account, name, cron, zone, kind, queue, priority, max_attempts, timeout_ms, backoff_ms,"
         " catch_up, skips_overlap, decided_until, next_at, created_at, updated_at, payload",
         "'account-' || (n % 1000), 'name-' || n, '* * * * *', 'UTC', 'kind.1', 'queue-1', 5, 5,"
         " 1000, 1000, 1, 0, n, n, n, n, " BYTES),
    FILL("schedule_fire", "schedule_id, fire_at, fired_at, job_id", "n % 1000, n, n, n"),
    FILL("beginning", "queue, at, count", "'queue-' || (n % 100), n, 1"),
};

static db_param_t s_value(const char *statement, const char *name)
{
    static const outside_value_t values[] = {
        { "account", "account-7", 0 },
        { "queue", "queue-7", 0 },
        { "kind", "kind.7", 0 },
        { "code", "UNPROCESSABLE", 0 },
        { "name", "name-7", 0 },
        { "key", "key-7", 0 },
        { "unique_key", "unique-7", 0 },
        { "ids", "[7,17,27]", 0 },
        { "wishes", "[{\"n\":50,\"p\":5,\"at\":50000,\"last\":9,\"q\":\"queue-7\"}]", 0 },
        { "successes", "[{\"i\":7,\"f\":1},{\"i\":17,\"f\":1}]", 0 },
        { "orders", "[{\"account\":\"account-7\",\"queue\":\"queue-7\",\"key\":\"order-7\"}]", 0 },
        { "list", "[{\"p\":7,\"f\":0}]", 0 },
        { "note", "half", 0 },
        { "id", NULL, 7 },
        { "fence", NULL, 1 },
        { "worker", NULL, 1 },
        { "lease", NULL, 1000 },
        { "percent", NULL, 50 },
        { "parent", NULL, 7 },
        { "schedule", NULL, 7 },
        { "next_at", NULL, 50000 },
        { "decided_until", NULL, 50000 },
        { "all", NULL, 0 },
        { "after", NULL, 0 },
        { "until", NULL, 2000000 },
        { "before", NULL, 2000000 },
        { "priority", NULL, 5 },
        { "run_at", NULL, 50000 },
        { "last", NULL, 9 },
        { "slack", NULL, 500 },
        { "at", NULL, 50000 },
        { "now", NULL, 50000 },
        { "age", NULL, INT64_C(1000000000000) },
        { "room", NULL, 200 },
        { "limit", NULL, 21 },
        { "most", NULL, 500 },
    };
    return outside_value(values, COUNT_OF(values), statement, name);
}

static void test_plans(void)
{
    static const db_sql_t *const *const files[] = {
        jobs_store_answers_lookups,  jobs_store_dead_lookups,      jobs_store_enqueue_lookups,
        jobs_store_erase_lookups,    jobs_store_families_lookups,  jobs_store_fires_lookups,
        jobs_store_limits_lookups,   jobs_store_lists_lookups,     jobs_store_orders_lookups,
        jobs_store_progress_lookups, jobs_store_schedules_lookups, jobs_store_settle_lookups,
        jobs_store_time_lookups,     jobs_store_turn_lookups,      jobs_store_workers_lookups,
    };
    const db_sql_t *lookups[80];
    outside_gather(files, COUNT_OF(files), lookups, COUNT_OF(lookups));
    plans_check(&(plans_t){
        .migrations = jobs_migrations,
        .fill = s_many,
        .fill_count = COUNT_OF(s_many),
        .lookups = lookups,
        /* the last three are what a statement has found already */
        .small = (const char *const[]){ "queue", "q", "worker", "w", "e", "c", "r", NULL },
        .value = s_value,
    });
}

DATABASE_TESTS({ "plans", test_plans })
