/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erase - everything of an account that was erased
 *
 * A job that was to make a delivery finds it gone, and ends. What a provider has told goes when it
 * named the account.
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"
#include "actors/runtime/erasures.h"

/* Deliveries first: a subscription would take all of its own with it at once, and they refer to
 * events. */
static const db_sql_t s_erase[] = {
    ERASURES_PARTS("webhook", "delivery", "subscription", "subscription_id"),
    ERASURES_TABLE("webhook", "subscription", "id"),
    ERASURES_TABLE("webhook", "event", "id"),
    ERASURES_TABLE("webhook", "inbound", "provider, id"),
    ERASURES_TABLE("webhook", "billing", "account"),
};

db_status_t webhook_store_erase(db_t *db, const char *account, int64_t most, bool *more)
{
    return erasures_delete(db, s_erase, COUNT_OF(s_erase), account, most, more);
}

const db_sql_t *const webhook_store_erase_lookups[] = { &s_erase[0], &s_erase[1], &s_erase[2],
                                                        &s_erase[3], &s_erase[4], NULL };
