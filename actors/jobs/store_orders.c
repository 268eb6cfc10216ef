/* SPDX-License-Identifier: MPL-2.0
 *
 * store_orders - jobs that run one after the other
 *
 * Of the jobs with one order key at most one is not blocked: a unique index says so. Whoever adds
 * to an order and whoever ends its first job both then look for the next one; on PostgreSQL they
 * take turns by an advisory lock of the order, without which each could miss what the other does.
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/store.h"
#include "proto/json.h"

static const db_sql_t s_lock = {
    "jobs.lock_orders", NULL,
    "SELECT count(pg_advisory_xact_lock(o.lock)) AS locked FROM (SELECT DISTINCT"
    " hashtextextended(k.account || ' ' || k.queue || ' ' || k.key, 0) AS lock"
    " FROM json_to_recordset(CAST(CAST($orders AS TEXT) AS json))"
    " AS k (account TEXT, queue TEXT, key TEXT) ORDER BY 1) o"
};

/* What a key stands for in the table: its first blocked job, when nothing is before that. */
#define FIRST_OF(account, queue, key)                                                              \
    "(SELECT b.id FROM job b WHERE b.account = " account " AND b.queue = " queue                   \
    " AND b.order_key = " key " AND b.state = 3 AND NOT EXISTS (SELECT 1 FROM job h"               \
    " WHERE h.account = " account " AND h.queue = " queue " AND h.order_key = " key                \
    " AND h.state < 3) ORDER BY b.id LIMIT 1)"

#define FREED "id, state, queue, priority, run_at"

static const db_sql_t s_free = {
    "jobs.free_orders",
    "UPDATE job SET state = CASE WHEN run_at > " STORE_NOW_SQLITE " THEN 2 ELSE 0 END"
    " WHERE pending_children = 0 AND id IN (SELECT " FIRST_OF(
        "json_extract(k.value, '$.account')", "json_extract(k.value, '$.queue')",
        "json_extract(k.value, '$.key')") " FROM json_each($orders) k) RETURNING " FREED,
    "UPDATE job SET state = CASE WHEN run_at > " STORE_NOW_POSTGRES " THEN 2 ELSE 0 END"
    " WHERE pending_children = 0 AND id IN (SELECT " FIRST_OF(
        "k.account", "k.queue",
        "k.key") " FROM json_to_recordset(CAST(CAST($orders AS TEXT) AS json))"
                 " AS k (account TEXT, queue TEXT, key TEXT)) RETURNING " FREED
};

void jobs_store_add_order(job_orders_t *self, const char *account, const char *queue,
                          const char *order_key)
{
    buf_add_text(&self->json, self->count++ ? ",{\"account\":" : "[{\"account\":");
    json_add_text(&self->json, account, strlen(account));
    jobs_store_add_text(&self->json, "queue", queue);
    jobs_store_add_text(&self->json, "key", order_key);
    buf_add_byte(&self->json, '}');
}

db_status_t jobs_store_lock_orders(db_conn_t *conn, job_orders_t *orders)
{
    if (orders->count == 0)
        return DB_OK;
    buf_add_byte(&orders->json, ']');
    if (db_conn_is_sqlite(conn))
        return DB_OK;
    return DB_RUN(conn, &s_lock, NULL, DB_P_TEXT("orders", buf_text(&orders->json)));
}

db_status_t jobs_store_free_orders(db_conn_t *conn, job_orders_t *orders, job_freed_fn each,
                                   void *arg)
{
    db_rows_t *rows;
    if (orders->count == 0)
        return DB_OK;
    db_status_t status = DB_RUN(conn, &s_free, &rows, DB_P_TEXT("orders", buf_text(&orders->json)));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        if (each)
            each(arg, &(job_freed_t){ .id = db_int(rows, "id"),
                                      .state = (job_state_t)db_int(rows, "state"),
                                      .queue = db_text(rows, "queue"),
                                      .at = { db_int(rows, "priority"), db_int(rows, "run_at") } });
    return db_rows_end(rows);
}

const db_sql_t *const jobs_store_orders_lookups[] = { &s_free, NULL };
