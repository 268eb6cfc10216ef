/* SPDX-License-Identifier: MPL-2.0
 *
 * store_submissions - workflows that wait for their analysis
 */
#include "config.h"

#include "actors/analysis/store.h"

static const db_sql_t s_add = {
    "analysis.add_submission",
    "INSERT INTO submission (id, account, created_at, request_size, request)"
    " VALUES ($id, $account, $created_at, $request_size, $request)",
    NULL
};

/* Several that are changed together. */
typedef struct {
    const kept_t *list;
    size_t count;
    const char *account;
    int64_t now_ms;
} several_t;

static db_status_t s_add_work(db_conn_t *conn, void *arg)
{
    const several_t *self = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < self->count; i++) {
        const squeezed_t *request = &self->list[i].request;
        status = DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", self->list[i].id),
                        DB_P_TEXT("account", self->account), DB_P_INT("created_at", self->now_ms),
                        DB_P_INT("request_size", (int64_t)request->full),
                        DB_P_BLOB("request", request->bytes, request->size));
    }
    return status;
}

db_status_t store_add_submissions(db_t *db, const kept_t *waiting, size_t count,
                                  const char *account, int64_t now_ms)
{
    return db_write(
        db, s_add_work,
        &(several_t){ .list = waiting, .count = count, .account = account, .now_ms = now_ms });
}

static const db_sql_t s_get = { "analysis.get_submission",
                                "SELECT request_size, request, analysis_id FROM submission"
                                " WHERE id = $id AND account = $account",
                                NULL };

db_status_t store_get_submission(db_t *db, arena_t *arena, const char *account, const char *id,
                                 const kept_t **found)
{
    db_rows_t *rows;
    db_conn_t *conn = db_conn(db);
    *found = NULL;
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status =
        DB_RUN(conn, &s_get, &rows, DB_P_TEXT("id", id), DB_P_TEXT("account", account));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        kept_t *waiting = arena_alloc(arena, sizeof *waiting);
        const uint8_t *bytes = db_blob(rows, "request", &size);
        *waiting = (kept_t){ .id = id,
                             .analysis_id = db_dup_text(rows, arena, "analysis_id"),
                             .request = { .full = (size_t)db_int(rows, "request_size") } };
        if (bytes) {
            waiting->request.bytes = (const uint8_t *)arena_text(arena, bytes, size);
            waiting->request.size = size;
        }
        *found = waiting;
    }
    return db_rows_end(rows);
}

static const db_sql_t s_end = { "analysis.end_submission",
                                "UPDATE submission SET request = NULL, analysis_id = $analysis_id"
                                " WHERE id = $id",
                                NULL };

db_status_t store_end_submission(db_t *db, const char *id, const char *analysis_id)
{
    return DB_WRITE_ONE(db, &s_end, NULL, DB_P_TEXT("id", id),
                        DB_P_TEXT("analysis_id", analysis_id));
}

static const db_sql_t s_drop = { "analysis.drop_submission",
                                 "DELETE FROM submission WHERE id = $id", NULL };

static db_status_t s_drop_work(db_conn_t *conn, void *arg)
{
    const several_t *self = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < self->count; i++)
        status = DB_RUN(conn, &s_drop, NULL, DB_P_TEXT("id", self->list[i].id));
    return status;
}

db_status_t store_drop_submissions(db_t *db, const kept_t *waiting, size_t count)
{
    return db_write(db, s_drop_work, &(several_t){ .list = waiting, .count = count });
}

static const db_sql_t s_purge = {
    "analysis.purge_submissions",
    "DELETE FROM submission WHERE id IN (SELECT id FROM submission WHERE created_at < $before"
    " ORDER BY created_at LIMIT $most)",
    NULL
};

db_status_t store_purge_submissions(db_t *db, int64_t before_ms, int64_t most, int64_t *deleted)
{
    return DB_WRITE_ONE(db, &s_purge, deleted, DB_P_INT("before", before_ms),
                        DB_P_INT("most", most));
}
