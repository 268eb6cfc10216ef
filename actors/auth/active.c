/* SPDX-License-Identifier: MPL-2.0
 *
 * active - how many users are at work, and what becomes of accounts, by tier
 */
#include "config.h"

#include <string.h>

#include "actors/auth/active.h"

static const char *const s_tiers[] = { "free", "pro", "enterprise" };

static const db_sql_t s_active = {
    "auth.active",
    "SELECT a.tier AS tier, count(*) AS users FROM"
    " (SELECT user_id FROM sessions WHERE last_used_at >= $since AND revoked_at IS NULL"
    " UNION SELECT user_id FROM api_keys WHERE last_used_at >= $since AND revoked_at IS NULL) w"
    " JOIN users u ON u.id = w.user_id JOIN accounts a ON a.id = u.account_id GROUP BY a.tier",
    NULL
};

/* A tier of which nobody is active is told, too. */
void active_show(actor_t *actor, int64_t now_ms)
{
    int64_t users[COUNT_OF(s_tiers)] = { 0 };
    db_conn_t *conn = db_conn(actor_db(actor));
    db_rows_t *rows = NULL;
    if (!conn || DB_RUN(conn, &s_active, &rows, DB_P_INT("since", now_ms - ACTIVE_MS)) != DB_OK)
        return;
    while (db_next(rows))
        for (size_t i = 0; i < COUNT_OF(s_tiers); i++)
            if (strcmp(db_text(rows, "tier"), s_tiers[i]) == 0)
                users[i] = db_int(rows, "users");
    db_rows_close(&rows);
    for (size_t i = 0; i < COUNT_OF(s_tiers); i++)
        series_set(stats_at(actor_stats(actor), AUTH_ACTIVE, &s_tiers[i]), users[i]);
}

void active_count_event(call_t *call, const char *event, const char *tier)
{
    const char *const labels[] = { event, tier };
    series_add(stats_at(actor_stats(call_actor(call)), AUTH_TIER_EVENTS, labels), 1);
}
