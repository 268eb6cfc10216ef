/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erase - everything of an account that was erased
 */
#include "config.h"

#include "actors/analysis/store.h"
#include "actors/runtime/erasures.h"

/* The last one has what the others refer to. */
static const db_sql_t s_erase[] = {
    ERASURES_TABLE("analysis", "outbox", "id"),
    ERASURES_TABLE("analysis", "submission", "id"),
    ERASURES_TABLE("analysis", "occurrence", "account, what, created_at, analysis_id"),
    ERASURES_TABLE("analysis", "analysis", "id"),
    ERASURES_TABLE("analysis", "workflow", "id"),
};

db_status_t store_erase(db_t *db, const char *account, int64_t most, bool *more)
{
    return erasures_delete(db, s_erase, COUNT_OF(s_erase), account, most, more);
}
