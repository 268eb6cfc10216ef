/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erase - everything of an account that was erased
 *
 * A look that is under way finds its monitor gone and is not stored.
 */
#include "config.h"

#include "actors/jobs/monitor/store.h"
#include "actors/runtime/erasures.h"

/* Looks first: a monitor would take all of its own with it at once, as it does with the few changes
 * of its status. */
static const db_sql_t s_erase[] = {
    ERASURES_PARTS("http", "look", "monitor", "monitor_id"),
    ERASURES_TABLE("http", "monitor", "id"),
    ERASURES_TABLE("http", "outbox", "id"),
};

db_status_t monitor_store_erase(db_t *db, const char *account, int64_t most, bool *more)
{
    return erasures_delete(db, s_erase, COUNT_OF(s_erase), account, most, more);
}

const db_sql_t *const monitor_store_erase_lookups[] = { &s_erase[0], &s_erase[1], &s_erase[2],
                                                        NULL };
