/* SPDX-License-Identifier: MPL-2.0
 *
 * store_billing - which tier an account has paid for
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"

static const db_sql_t s_get = { "webhook.billed",
                                "SELECT changed_at, tier FROM billing WHERE account = $account",
                                NULL };
/* What is newer wins, and once more is the same. An end gives the tier that costs nothing: where
 * that holds already it is noted, so that what is told late does not begin what has ended. */
static const db_sql_t s_set = {
    "webhook.set_billed",
    "INSERT INTO billing (account, changed_at, tier, subscription)"
    " VALUES ($account, $at, $tier, $subscription) ON CONFLICT (account) DO UPDATE SET"
    " changed_at = excluded.changed_at, tier = excluded.tier,"
    " subscription = excluded.subscription WHERE billing.changed_at <= excluded.changed_at AND"
    " ($ends = 0 OR billing.tier IS NULL OR billing.tier = excluded.tier OR"
    " billing.subscription = excluded.subscription)",
    NULL
};

db_status_t webhook_store_billed(db_conn_t *conn, arena_t *arena, const char *account,
                                 billed_t *found)
{
    db_rows_t *rows;
    *found = (billed_t){ .account = account };
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("account", account));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        found->at_ms = db_int(rows, "changed_at");
        found->tier = db_dup_text(rows, arena, "tier");
    }
    return db_rows_end(rows);
}

db_status_t webhook_store_set_billed(db_conn_t *conn, const billed_t *billed, bool *changed)
{
    int64_t count;
    db_status_t status = DB_CHANGE(conn, &s_set, &count, DB_P_TEXT("account", billed->account),
                                   DB_P_INT("at", billed->at_ms), DB_P_TEXT("tier", billed->tier),
                                   DB_P_TEXT("subscription", billed->subscription),
                                   DB_P_INT("ends", billed->is_end));
    *changed = status == DB_OK && count > 0;
    return status;
}

const db_sql_t *const webhook_store_billing_lookups[] = { &s_get, NULL };
