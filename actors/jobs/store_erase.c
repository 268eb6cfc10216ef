/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erase - everything of an account that was erased
 *
 * A run that is under way finds its job gone when it ends: its report is stale. Firings of
 * schedules say nothing of anybody and go with their age.
 */
#include "config.h"

#include "actors/jobs/store.h"

/* Several instances may do it at once on PostgreSQL: each takes what no other one has taken. */
#define SOME(table, key, locked)                                                                   \
    "DELETE FROM " table " WHERE (" key ") IN (SELECT " key " FROM " table                         \
    " WHERE account = $account LIMIT $most" locked ")"
#define ERASE(table, key)                                                                          \
    {                                                                                              \
        "jobs.erase_" table, SOME(table, key, ""), SOME(table, key, " FOR UPDATE SKIP LOCKED")     \
    }

/* Schedules first: they would enqueue more. */
static const db_sql_t s_erase[] = {
    ERASE("schedule", "id"),
    ERASE("job", "id"),
    ERASE("done", "id"),
    ERASE("dead", "id"),
    ERASE("idempotency", "account, key"),
};

typedef struct {
    const char *account;
    int64_t most;
    bool more;
} erasure_t;

static db_status_t s_erase_work(db_conn_t *conn, void *arg)
{
    erasure_t *self = arg;
    db_status_t status = DB_OK;
    self->more = false;
    for (size_t i = 0; i < COUNT_OF(s_erase) && status == DB_OK && !self->more; i++) {
        db_rows_t *rows;
        status = DB_RUN(conn, &s_erase[i], &rows, DB_P_TEXT("account", self->account),
                        DB_P_INT("most", self->most));
        if (status != DB_OK)
            break;
        self->more = db_changed(rows) == self->most;
        db_rows_close(&rows);
    }
    return status;
}

db_status_t jobs_store_erase(db_t *db, const char *account, int64_t most, bool *more)
{
    erasure_t erasure = { .account = account, .most = most };
    db_status_t status = db_write(db, s_erase_work, &erasure);
    *more = status == DB_OK && erasure.more;
    return status;
}
