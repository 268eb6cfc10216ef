/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erase - everything of an account that was erased
 *
 * A run that is under way finds its job gone when it ends: its report is stale. Firings of
 * schedules say nothing of anybody and go with their age.
 */
#include "config.h"

#include "actors/jobs/store.h"
#include "actors/runtime/erasures.h"

/* Schedules first: they would enqueue more. */
static const db_sql_t s_erase[] = {
    ERASURES_TABLE("jobs", "schedule", "id"),
    ERASURES_TABLE("jobs", "job", "id"),
    ERASURES_TABLE("jobs", "done", "id"),
    ERASURES_TABLE("jobs", "dead", "id"),
    ERASURES_TABLE("jobs", "idempotency", "account, key"),
};

db_status_t jobs_store_erase(db_t *db, const char *account, int64_t most, bool *more)
{
    return erasures_delete(db, s_erase, COUNT_OF(s_erase), account, most, more);
}

const db_sql_t *const jobs_store_erase_lookups[] = { &s_erase[0], &s_erase[1], &s_erase[2],
                                                     &s_erase[3], &s_erase[4], NULL };
