/* SPDX-License-Identifier: MPL-2.0
 *
 * store_families - jobs that wait for others: parents and children
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/jobs/store_families.h"

/* ---- adding ---------------------------------------------------------------------------------- */

static const db_sql_t s_block = { "jobs.family_block",
                                  "UPDATE job SET state = 3, children = $pending,"
                                  " pending_children = $pending, needs_children = $needs"
                                  " WHERE id = $id",
                                  NULL };

db_status_t jobs_store_add_family(db_conn_t *conn, const job_new_t *parent, bool needs_children,
                                  job_new_t *children, size_t count, job_receipt_t *receipts)
{
    int64_t added = 0;
    db_status_t status = jobs_store_enqueue(conn, parent, 1, receipts);
    if (status != DB_OK || receipts->is_duplicate)
        return status;
    for (size_t i = 0; i < count; i++)
        children[i].parent_id = receipts->id;
    status = jobs_store_enqueue(conn, children, count, receipts + 1);
    for (size_t i = 0; status == DB_OK && i < count; i++)
        added += !receipts[1 + i].is_duplicate;
    if (status != DB_OK || added == 0)
        return status;
    receipts->state = JOB_BLOCKED;
    return DB_RUN(conn, &s_block, NULL, DB_P_INT("pending", added),
                  DB_P_INT("needs", needs_children), DB_P_INT("id", receipts->id));
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* What waits for nobody any more becomes due now, and is found by whoever looks for what is due;
 * one that belongs to an order waits for its turn. */
#define COUNT_DOWN(now, ended, failed, greatest)                                                   \
    "UPDATE job SET pending_children = pending_children - " ended                                  \
    ", failed_children = failed_children + needs_children * " failed                               \
    ", state = CASE WHEN pending_children <= " ended                                               \
    " AND order_key IS NULL THEN 2 ELSE 3 END, run_at = CASE WHEN pending_children <= " ended      \
    " THEN " greatest "(run_at, " now ") ELSE run_at END"
#define WAITS " AND state = 3 AND pending_children >= "

#define PARENT                                                                                     \
    " RETURNING job.id AS id, job.account AS account, queue, kind, fence, order_key, children,"    \
    " pending_children"

static const db_sql_t s_count_down = {
    "jobs.family_end",
    COUNT_DOWN(
        STORE_NOW_SQLITE, "e.ended", "e.failed",
        "max") " FROM (SELECT json_extract(value, '$.p') AS parent, count(*) AS ended,"
               " sum(json_extract(value, '$.f')) AS failed FROM json_each($list) GROUP BY 1) AS e"
               " WHERE job.id = e.parent" WAITS "e.ended" PARENT,
    COUNT_DOWN(STORE_NOW_POSTGRES, "e.ended", "e.failed",
               "greatest") " FROM (SELECT r.p AS parent, CAST(count(*) AS INTEGER) AS ended,"
                           " CAST(sum(r.f) AS INTEGER) AS failed FROM"
                           " json_to_recordset(CAST(CAST($list AS TEXT) AS json)) AS r (p BIGINT, "
                           "f INTEGER)"
                           " GROUP BY 1 ORDER BY 1) AS e WHERE job.id = e.parent" WAITS
                           "e.ended" PARENT
};

void jobs_store_add_ended(job_families_t *self, int64_t parent_id, bool has_failed)
{
    buf_printf(&self->json, "%c{\"p\":%" PRId64 ",\"f\":%d}", self->count++ ? ',' : '[', parent_id,
               has_failed);
}

static db_status_t s_read_parents(db_rows_t *rows, arena_t *arena, job_orders_t *orders,
                                  job_parents_t *parents)
{
    while (db_next(rows)) {
        job_parent_t *parent = &parents->list[parents->count++];
        *parent = (job_parent_t){ .id = db_int(rows, "id"),
                                  .fence = db_int(rows, "fence"),
                                  .children = db_int(rows, "children"),
                                  .pending = db_int(rows, "pending_children"),
                                  .kind = db_dup_text(rows, arena, "kind"),
                                  .queue = db_dup_text(rows, arena, "queue"),
                                  .account = db_dup_text(rows, arena, "account") };
        if (parent->pending == 0 && !db_is_null(rows, "order_key"))
            jobs_store_add_order(orders, parent->account, parent->queue,
                                 db_text(rows, "order_key"));
    }
    return db_rows_end(rows);
}

db_status_t jobs_store_end_children(db_conn_t *conn, arena_t *arena, job_families_t *families,
                                    job_orders_t *orders, job_parents_t *parents)
{
    db_rows_t *rows;
    db_status_t status = DB_OK;
    *parents = (job_parents_t){ 0 };
    if (families->count) {
        parents->list = arena_array(arena, families->count, sizeof *parents->list);
        buf_add_byte(&families->json, ']');
        status = DB_RUN(conn, &s_count_down, &rows, DB_P_TEXT("list", buf_text(&families->json)));
        if (status == DB_OK)
            status = s_read_parents(rows, arena, orders, parents);
    }
    buf_free(&families->json);
    return status;
}

int64_t jobs_store_family_progress(int64_t children, int64_t pending,
                                   char note[JOBS_FAMILY_NOTE_SIZE])
{
    const int64_t ended = children > pending ? children - pending : 0;
    snprintf(note, JOBS_FAMILY_NOTE_SIZE, "%" PRId64 " of %" PRId64 " jobs it waits for have ended",
             ended, children);
    return children > 0 ? ended * 100 / children : 0;
}

/* A death that is taken back was no failure. */
#define REVIVE(listed)                                                                             \
    "UPDATE job SET pending_children = pending_children + e.revived,"                              \
    " failed_children = CASE WHEN failed_children > e.revived THEN failed_children - e.revived"    \
    " ELSE 0 END FROM (SELECT parent_id AS parent, count(*) AS revived FROM job WHERE id "         \
    "IN " listed " AND parent_id IS NOT NULL GROUP BY 1) AS e WHERE job.id = e.parent" WAITS "1"

static const db_sql_t s_revive = {
    "jobs.family_revive", REVIVE("(SELECT value FROM json_each($ids))"),
    REVIVE("(SELECT CAST(v AS BIGINT) FROM"
           " json_array_elements_text(CAST(CAST($ids AS TEXT) AS json)) v)")
};

db_status_t jobs_store_revive_children(db_conn_t *conn, const char *ids)
{
    return DB_RUN(conn, &s_revive, NULL, DB_P_TEXT("ids", ids));
}

/* ---- looking --------------------------------------------------------------------------------- */

#define CHILDREN(account)                                                                          \
    "SELECT * FROM (SELECT id, state, kind, error_code, NULL AS result, account FROM job"          \
    " WHERE parent_id = $parent AND id > $after"                                                   \
    " UNION ALL SELECT id, state, kind, NULL, result, account FROM done"                           \
    " WHERE parent_id = $parent AND id > $after"                                                   \
    " UNION ALL SELECT id, 6, kind, error_code, NULL, account FROM dead"                           \
    " WHERE parent_id = $parent AND id > $after) AS c"                                             \
    " WHERE (" account " = '*' OR c.account = $account) ORDER BY id LIMIT $limit"

static const db_sql_t s_children = { "jobs.children", CHILDREN("$account"),
                                     CHILDREN("CAST($account AS TEXT)") };

db_status_t jobs_store_children(db_conn_t *conn, arena_t *arena, int64_t parent_id,
                                const char *account, int64_t after, size_t limit,
                                job_children_t *children)
{
    db_rows_t *rows;
    *children = (job_children_t){ .list = arena_array(arena, limit, sizeof *children->list) };
    db_status_t status =
        DB_RUN(conn, &s_children, &rows, DB_P_INT("parent", parent_id), DB_P_INT("after", after),
               DB_P_TEXT("account", account ? account : "*"), DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    while (children->count < limit && db_next(rows))
        children->list[children->count++] = (job_child_t){
            .id = db_int(rows, "id"),
            .state = (job_state_t)db_int(rows, "state"),
            .kind = db_dup_text(rows, arena, "kind"),
            .error_code = db_dup_text(rows, arena, "error_code"),
            .result = jobs_store_dup_bytes(rows, arena, "result"),
        };
    return db_rows_end(rows);
}

const db_sql_t *const jobs_store_families_lookups[] = { &s_count_down, &s_revive, &s_children,
                                                        NULL };
