/* SPDX-License-Identifier: MPL-2.0
 *
 * store_baseline - the analysis of a workflow that later ones are measured against
 */
#include "config.h"

#include "actors/analysis/store.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* A workflow belongs to one account with all its versions: the one that is found is asked whose it
 * is. */
#define PINNED                                                                                     \
    "(SELECT b.id FROM analysis b WHERE b.workflow_id = $workflow AND b.pinned_at IS NOT NULL"     \
    " AND ($profile = '' OR b.profile = $profile) AND (b.created_at, b.id) <= ($at, $id))"
#define BEFORE                                                                                     \
    "(SELECT n.id FROM analysis n WHERE n.workflow_id = $workflow AND n.profile = $profile"        \
    " AND (n.created_at, n.id) < ($at, $id) ORDER BY n.created_at DESC, n.id DESC LIMIT 1)"
#define GET(which)                                                                                 \
    "SELECT " STORE_WHOLE " FROM analysis a WHERE a.id = " which " AND " STORE_OF_ACCOUNT

static const db_sql_t s_get_baseline = { "analysis.get_baseline", GET(PINNED), NULL };
static const db_sql_t s_get_reference = { "analysis.get_reference",
                                          GET("COALESCE(" PINNED ", " BEFORE ")"), NULL };

static db_status_t s_get(db_t *db, const db_sql_t *sql, arena_t *arena, const measured_t *measured,
                         const stored_t **found)
{
    db_rows_t *rows;
    db_conn_t *conn = db_conn(db);
    *found = NULL;
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status = DB_RUN(
        conn, sql, &rows, DB_P_TEXT("account", measured->account),
        DB_P_TEXT("workflow", measured->workflow_id), DB_P_TEXT("profile", measured->profile),
        DB_P_INT("at", measured->at.at_ms), DB_P_TEXT("id", measured->at.id));
    return status == DB_OK ? store_read_whole(rows, arena, found) : status;
}

db_status_t store_get_reference(db_t *db, arena_t *arena, const measured_t *measured,
                                const stored_t **found)
{
    return s_get(db, &s_get_reference, arena, measured, found);
}

db_status_t store_get_baseline(db_t *db, arena_t *arena, const measured_t *measured,
                               const stored_t **found)
{
    return s_get(db, &s_get_baseline, arena, measured, found);
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Two that pin at once would not see each other's, so on PostgreSQL they take turns. A lock of the
 * workflow's row would do, but whoever deletes an analysis takes that behind the analysis's. */
static const db_sql_t s_take_turns = { "analysis.pin_turns",
                                       DB_TAKE_TURNS("baseline", "$workflow") };

/* The analysis that is to be pinned, held until it is. */
#define CHOOSE                                                                                     \
    "SELECT a.id AS id, a.pinned_at AS pinned_at FROM analysis a"                                  \
    " WHERE a.id = COALESCE($id, (SELECT n.id FROM analysis n WHERE n.workflow_id = $workflow"     \
    " ORDER BY n.created_at DESC, n.id DESC LIMIT 1))"                                             \
    " AND a.workflow_id = $workflow AND " STORE_OF_ACCOUNT

static const db_sql_t s_choose = { "analysis.pin_choose", CHOOSE, CHOOSE " FOR UPDATE" };
static const db_sql_t s_unpin = { "analysis.unpin",
                                  "UPDATE analysis SET pinned_at = NULL WHERE"
                                  " workflow_id = $workflow AND account = $account"
                                  " AND pinned_at IS NOT NULL",
                                  NULL };
static const db_sql_t s_pin = { "analysis.pin",
                                "UPDATE analysis SET pinned_at = $now WHERE id = $id", NULL };

typedef struct {
    const char *account, *workflow_id, *id;
    int64_t now_ms;
    bool is_sqlite;
    bool pinned;
} pinning_t;

static db_status_t s_pin_chosen(db_conn_t *conn, pinning_t *self, const char *id)
{
    db_status_t status = DB_RUN(conn, &s_unpin, NULL, DB_P_TEXT("account", self->account),
                                DB_P_TEXT("workflow", self->workflow_id));
    if (status == DB_OK)
        status = DB_RUN(conn, &s_pin, NULL, DB_P_TEXT("id", id), DB_P_INT("now", self->now_ms));
    return status;
}

static db_status_t s_pin_work(db_conn_t *conn, void *arg)
{
    pinning_t *self = arg;
    db_rows_t *rows;
    db_status_t status = DB_OK;
    self->pinned = false;
    if (!self->is_sqlite)
        status = DB_RUN(conn, &s_take_turns, NULL, DB_P_TEXT("workflow", self->workflow_id));
    if (status == DB_OK)
        status = DB_RUN(conn, &s_choose, &rows, DB_P_TEXT("account", self->account),
                        DB_P_TEXT("workflow", self->workflow_id), DB_P_TEXT("id", self->id));
    if (status != DB_OK)
        return status;
    self->pinned = db_next(rows);
    if (self->pinned && db_is_null(rows, "pinned_at")) /* pinned again it stays as it is */
        status = s_pin_chosen(conn, self, db_text(rows, "id"));
    db_rows_close(&rows);
    return status;
}

db_status_t store_pin(db_t *db, const char *account, const char *workflow_id, const char *id,
                      int64_t now_ms, bool *pinned)
{
    pinning_t pinning = { .account = account,
                          .workflow_id = workflow_id,
                          .id = id,
                          .now_ms = now_ms,
                          .is_sqlite = db_is_sqlite(db) };
    db_status_t status = db_write(db, s_pin_work, &pinning);
    *pinned = status == DB_OK && pinning.pinned;
    return status;
}

db_status_t store_unpin(db_t *db, const char *account, const char *workflow_id)
{
    return DB_WRITE_ONE(db, &s_unpin, NULL, DB_P_TEXT("account", account),
                        DB_P_TEXT("workflow", workflow_id));
}

const db_sql_t *const store_baseline_statements[] = { &s_get_baseline, &s_get_reference, &s_choose,
                                                      &s_unpin,        &s_pin,           NULL };
