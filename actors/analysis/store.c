/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the history of accounts: reading and removing analyses
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/store.h"

static db_conn_t *s_conn(db_t *db, db_status_t *status)
{
    db_conn_t *conn = db_conn(db);
    *status = conn ? DB_OK : DB_UNAVAILABLE;
    return conn;
}

/* ---- reading --------------------------------------------------------------------------------- */

#define FIND                                                                                       \
    "SELECT " STORE_BRIEF ", a.result_size AS result_size, a.result AS result"                     \
    " FROM analysis a WHERE a.key = $key AND "
static const db_sql_t s_find = { "analysis.find", FIND "a.account = $account",
                                 FIND STORE_OF_ACCOUNT };

static const db_sql_t s_get = { "analysis.get",
                                "SELECT " STORE_WHOLE
                                " FROM analysis a WHERE a.id = $id AND " STORE_OF_ACCOUNT,
                                NULL };

brief_t store_read_brief(const db_rows_t *rows, arena_t *arena)
{
    return (brief_t){
        .id = db_dup_text(rows, arena, "id"),
        .workflow_id = db_dup_text(rows, arena, "workflow_id"),
        .name = db_dup_text(rows, arena, "name"),
        .kind = db_dup_text(rows, arena, "kind"),
        .profile = db_dup_text(rows, arena, "profile"),
        .grade = db_dup_text(rows, arena, "grade"),
        .created_ms = db_int(rows, "created_at"),
        .score = db_int(rows, "score"),
        .nodes = db_int(rows, "nodes"),
        .wires = db_int(rows, "wires"),
        .by_severity = { [SEVERITY_CRITICAL] = db_int(rows, "critical"),
                         [SEVERITY_ERROR] = db_int(rows, "error"),
                         [SEVERITY_WARNING] = db_int(rows, "warning"),
                         [SEVERITY_INFO] = db_int(rows, "info") },
    };
}

static squeezed_t s_read_squeezed(const db_rows_t *rows, arena_t *arena, const char *column,
                                  const char *size_column)
{
    size_t size;
    const uint8_t *bytes = db_blob(rows, column, &size);
    uint8_t *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, bytes, size);
    return (squeezed_t){ .bytes = copy, .size = size, .full = (size_t)db_int(rows, size_column) };
}

static stored_t *s_read_stored(const db_rows_t *rows, arena_t *arena)
{
    stored_t *stored = arena_alloc(arena, sizeof *stored);
    stored->brief = store_read_brief(rows, arena);
    stored->result = s_read_squeezed(rows, arena, "result", "result_size");
    return stored;
}

db_status_t store_read_whole(db_rows_t *rows, arena_t *arena, const stored_t **found)
{
    if (db_next(rows)) {
        stored_t *stored = s_read_stored(rows, arena);
        stored->sketch = s_read_squeezed(rows, arena, "sketch", "sketch_size");
        stored->pinned_ms = db_int(rows, "pinned_at");
        *found = stored;
    }
    return db_rows_end(rows);
}

db_status_t store_find(db_t *db, arena_t *arena, const char *account, const uint8_t *key,
                       const stored_t **found)
{
    db_status_t status;
    db_rows_t *rows;
    db_conn_t *conn = s_conn(db, &status);
    *found = NULL;
    if (conn)
        status = DB_RUN(conn, &s_find, &rows, DB_P_BLOB("key", key, ANALYSIS_KEY_BYTES),
                        DB_P_TEXT("account", account));
    if (status != DB_OK)
        return status;
    if (db_next(rows))
        *found = s_read_stored(rows, arena);
    return db_rows_end(rows);
}

db_status_t store_get(db_t *db, arena_t *arena, const char *account, const char *id,
                      const stored_t **found)
{
    db_status_t status;
    db_rows_t *rows;
    db_conn_t *conn = s_conn(db, &status);
    *found = NULL;
    if (conn)
        status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("id", id), DB_P_TEXT("account", account));
    return status == DB_OK ? store_read_whole(rows, arena, found) : status;
}

/* ---- removing -------------------------------------------------------------------------------- */

/* What may be deleted: baselines stay. */
#define DELETABLE "a.id = $id AND " STORE_OF_ACCOUNT " AND a.pinned_at IS NULL"

/* Two that delete the last two versions of a workflow at once would each see the other's and leave
 * the workflow behind, so on PostgreSQL they take turns: the analysis is locked first, then the
 * workflow, everywhere in this order. A submission of a new version waits for the workflow, too.
 * SQLite writes one after the other anyway. */
static const db_sql_t s_lock = {
    "analysis.lock", NULL,
    "WITH a AS (SELECT a.workflow_id FROM analysis a WHERE " DELETABLE " FOR UPDATE)"
    " SELECT w.id FROM a JOIN workflow w ON w.id = a.workflow_id FOR UPDATE OF w"
};
#define DELETE_OCCURRENCES(list)                                                                   \
    "DELETE FROM occurrence WHERE (account, what, created_at, analysis_id) IN"                     \
    " (SELECT a.account, o.value, a.created_at, a.id FROM analysis a, " list " o WHERE " DELETABLE \
    ")"
static const db_sql_t s_delete_occurrences = {
    "analysis.delete_occurrences", DELETE_OCCURRENCES("json_each(a.occurs)"),
    DELETE_OCCURRENCES("json_array_elements_text(CAST(a.occurs AS json))")
};
static const db_sql_t s_delete_analysis = { "analysis.delete_analysis",
                                            "DELETE FROM analysis AS a WHERE " DELETABLE
                                            " RETURNING workflow_id",
                                            NULL };
static const db_sql_t s_delete_workflow = { "analysis.delete_workflow",
                                            "DELETE FROM workflow WHERE id = $id AND NOT EXISTS"
                                            " (SELECT 1 FROM analysis a WHERE a.workflow_id = $id)",
                                            NULL };

typedef struct {
    const char *account, *id;
    bool is_sqlite;
    bool deleted;
} deletion_t;

/* Whether there is something to be deleted, which then nobody else deletes or pins meanwhile. */
static db_status_t s_lock_deletable(db_conn_t *conn, const db_param_t of[2], bool *is_there)
{
    db_rows_t *rows;
    db_status_t status = db_run(conn, &s_lock, of, 2, &rows);
    if (status != DB_OK)
        return status;
    *is_there = db_next(rows);
    return db_rows_end(rows);
}

/* What an analysis leaves behind goes with it. */
static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deletion_t *self = arg;
    const db_param_t of[] = { DB_P_TEXT("id", self->id), DB_P_TEXT("account", self->account) };
    db_rows_t *rows;
    db_status_t status = DB_OK;
    bool is_there = true;
    self->deleted = false;
    if (!self->is_sqlite)
        status = s_lock_deletable(conn, of, &is_there);
    if (status != DB_OK || !is_there)
        return status;
    status = db_run(conn, &s_delete_occurrences, of, COUNT_OF(of), NULL);
    if (status == DB_OK)
        status = db_run(conn, &s_delete_analysis, of, COUNT_OF(of), &rows);
    if (status != DB_OK)
        return status;
    self->deleted = db_next(rows);
    if (self->deleted)
        status =
            DB_RUN(conn, &s_delete_workflow, NULL, DB_P_TEXT("id", db_text(rows, "workflow_id")));
    db_rows_close(&rows);
    return status;
}

db_status_t store_delete(db_t *db, const char *account, const char *id, bool *deleted)
{
    deletion_t deletion = { .account = account, .id = id, .is_sqlite = db_is_sqlite(db) };
    db_status_t status = db_write(db, s_delete_work, &deletion);
    *deleted = status == DB_OK && deletion.deleted;
    return status;
}

/* ---- retention ------------------------------------------------------------------------------- */

/* The oldest analyses of a tier, with the tier of their account's newest. Several instances purge
 * at once on PostgreSQL: each takes what no other one has taken, and locks workflows in one order.
 */
#define OLDEST(locked)                                                                             \
    "SELECT o.id AS id, o.account AS account, (SELECT n.tier FROM analysis n WHERE"                \
    " n.account = o.account ORDER BY n.created_at DESC, n.id DESC LIMIT 1) AS newest"              \
    " FROM (SELECT a.id, a.account, a.workflow_id FROM analysis a WHERE a.tier = $tier"            \
    "  AND a.created_at < $before AND a.pinned_at IS NULL ORDER BY a.created_at LIMIT "            \
    "$most" locked ") AS o"                                                                        \
    " ORDER BY o.workflow_id"

static const db_sql_t s_oldest = { "analysis.oldest", OLDEST(""),
                                   OLDEST(" FOR UPDATE SKIP LOCKED") };
static const db_sql_t s_keep = { "analysis.keep", "UPDATE analysis SET tier = $tier WHERE id = $id",
                                 NULL };

typedef struct {
    const char *tier;
    int64_t before_ms, most;
    bool is_sqlite;
    arena_t arena;
    struct {
        const char *id, *account, *newest;
    } * list;
    size_t seen, deleted;
} purge_t;

static db_status_t s_read_oldest(db_conn_t *conn, purge_t *self)
{
    db_rows_t *rows;
    self->list = arena_array(&self->arena, (size_t)self->most, sizeof *self->list);
    db_status_t status = DB_RUN(conn, &s_oldest, &rows, DB_P_TEXT("tier", self->tier),
                                DB_P_INT("before", self->before_ms), DB_P_INT("most", self->most));
    if (status != DB_OK)
        return status;
    while (db_next(rows)) {
        self->list[self->seen].id = db_dup_text(rows, &self->arena, "id");
        self->list[self->seen].account = db_dup_text(rows, &self->arena, "account");
        self->list[self->seen].newest = db_dup_text(rows, &self->arena, "newest");
        self->seen++;
    }
    return db_rows_end(rows);
}

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purge_t *self = arg;
    self->seen = self->deleted = 0;
    arena_reset(&self->arena);
    db_status_t status = s_read_oldest(conn, self);
    for (size_t i = 0; i < self->seen && status == DB_OK; i++) {
        const char *id = self->list[i].id, *newest = self->list[i].newest;
        if (strcmp(newest, self->tier) != 0) {
            status = DB_RUN(conn, &s_keep, NULL, DB_P_TEXT("tier", newest), DB_P_TEXT("id", id));
            continue;
        }
        deletion_t deletion = { .account = self->list[i].account,
                                .id = id,
                                .is_sqlite = self->is_sqlite };
        status = s_delete_work(conn, &deletion);
        self->deleted += deletion.deleted;
    }
    return status;
}

db_status_t store_purge(db_t *db, const char *tier, int64_t before_ms, int64_t most, size_t *seen,
                        size_t *deleted)
{
    purge_t purge = {
        .tier = tier, .before_ms = before_ms, .most = most, .is_sqlite = db_is_sqlite(db)
    };
    db_status_t status = db_write(db, s_purge_work, &purge);
    *seen = purge.seen;
    *deleted = status == DB_OK ? purge.deleted : 0;
    arena_free(&purge.arena);
    return status;
}
