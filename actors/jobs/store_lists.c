/* SPDX-License-Identifier: MPL-2.0
 *
 * store_lists - looking at jobs, one or a page
 *
 * A list runs down an index by id. Each table has its own statement, by account and for all.
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/store_families.h"

#define COMMON                                                                                     \
    "j.id AS id, j.queue AS queue, j.kind AS kind, j.priority AS priority, j.fence AS fence,"      \
    " j.tries AS tries, j.max_attempts AS max_attempts, j.created_at AS created_at,"               \
    " j.started_at AS started_at, j.parent_id AS parent_id, j.unique_key AS unique_key,"           \
    " j.order_key AS order_key, j.account AS account"
#define LIVE                                                                                       \
    COMMON ", j.state AS state, j.run_at AS run_at, 0 AS finished_at, j.replays AS replays, "      \
           "j.crashes AS crashes, j.backoff_ms AS backoff_ms,"                                     \
           " j.error_code AS error_code, j.error_text AS error_text, j.children AS children,"      \
           " j.pending_children AS pending_children"
#define ENDED                                                                                      \
    COMMON ", j.state AS state, 0 AS run_at, j.finished_at AS finished_at, 0 AS replays, 0 AS "    \
           "crashes, 0 AS backoff_ms,"                                                             \
           " NULL AS error_code, NULL AS error_text, 0 AS children, 0 AS pending_children"
#define BURIED                                                                                     \
    COMMON ", 6 AS state, 0 AS run_at, j.finished_at AS finished_at, j.replays AS replays, "       \
           "j.crashes AS crashes, j.backoff_ms AS backoff_ms,"                                     \
           " j.error_code AS error_code, j.error_text AS error_text, 0 AS children,"               \
           " 0 AS pending_children"

#define PAGE(what, table, whose)                                                                   \
    "SELECT " what " FROM " table " j WHERE " whose "j.id < $before ORDER BY j.id DESC LIMIT "     \
    "$limit"
#define MINE "j.account = $account AND "

/* By table, then whether it is of one account. */
static const db_sql_t s_lists[][2] = {
    [TABLE_LIVE] = { { "jobs.list_live", PAGE(LIVE, "job", ""), NULL },
                     { "jobs.list_live_mine", PAGE(LIVE, "job", MINE), NULL } },
    [TABLE_DONE] = { { "jobs.list_done", PAGE(ENDED, "done", ""), NULL },
                     { "jobs.list_done_mine", PAGE(ENDED, "done", MINE), NULL } },
    [TABLE_DEAD] = { { "jobs.list_dead", PAGE(BURIED, "dead", ""), NULL },
                     { "jobs.list_dead_mine", PAGE(BURIED, "dead", MINE), NULL } },
};

/* One job has what is large, too. */
#define ONE(what, payload, result, table)                                                          \
    "SELECT " what ", " payload " AS payload, " result " AS result, p.percent AS percent,"         \
    " p.note AS note FROM " table " j LEFT JOIN progress p ON p.job_id = j.id"                     \
    " AND p.fence = j.fence WHERE j.id = $id"

static const db_sql_t s_one[] = {
    [TABLE_LIVE] = { "jobs.get_live", ONE(LIVE, "j.payload", "NULL", "job"),
                     ONE(LIVE, "j.payload", "CAST(NULL AS BYTEA)", "job") },
    [TABLE_DONE] = { "jobs.get_done", ONE(ENDED, "NULL", "j.result", "done"),
                     ONE(ENDED, "CAST(NULL AS BYTEA)", "j.result", "done") },
    [TABLE_DEAD] = { "jobs.get_dead", ONE(BURIED, "j.payload", "NULL", "dead"),
                     ONE(BURIED, "j.payload", "CAST(NULL AS BYTEA)", "dead") },
};

static job_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (job_t){
        .id = db_int(rows, "id"),
        .queue = db_dup_text(rows, arena, "queue"),
        .kind = db_dup_text(rows, arena, "kind"),
        .state = (job_state_t)db_int(rows, "state"),
        .priority = db_int(rows, "priority"),
        .fence = db_int(rows, "fence"),
        .tries = db_int(rows, "tries"),
        .max_attempts = db_int(rows, "max_attempts"),
        .created_at = db_int(rows, "created_at"),
        .run_at = db_int(rows, "run_at"),
        .started_at = db_int(rows, "started_at"),
        .finished_at = db_int(rows, "finished_at"),
        .parent_id = db_int(rows, "parent_id"),
        .replays = db_int(rows, "replays"),
        .crashes = db_int(rows, "crashes"),
        .backoff_ms = db_int(rows, "backoff_ms"),
        .unique_key = db_dup_text(rows, arena, "unique_key"),
        .order_key = db_dup_text(rows, arena, "order_key"),
        .account = db_dup_text(rows, arena, "account"),
        .error_code = db_dup_text(rows, arena, "error_code"),
        .error_text = db_dup_text(rows, arena, "error_text"),
        .percent = -1,
    };
}

db_status_t jobs_store_list(db_conn_t *conn, arena_t *arena, jobs_table_t table,
                            const char *account, int64_t before, size_t limit, jobs_list_t *jobs)
{
    const db_param_t params[] = { DB_P_INT("before", before), DB_P_INT("limit", (int64_t)limit),
                                  DB_P_TEXT("account", account) };
    db_rows_t *rows;
    *jobs = (jobs_list_t){ .list = arena_array(arena, limit, sizeof(job_t)) };
    db_status_t status =
        db_run(conn, &s_lists[table][account != NULL], params, account ? 3 : 2, &rows);
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        jobs->list[jobs->count++] = s_read(rows, arena);
    return db_rows_end(rows);
}

/* What waits for others is as far as they are. */
static void s_count_children(const db_rows_t *rows, arena_t *arena, job_t *job)
{
    char note[JOBS_FAMILY_NOTE_SIZE];
    job->percent = jobs_store_family_progress(db_int(rows, "children"),
                                              db_int(rows, "pending_children"), note);
    job->note = arena_text(arena, note, strlen(note));
}

static db_status_t s_get_from(db_conn_t *conn, arena_t *arena, jobs_table_t table, int64_t id,
                              const job_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_one[table], &rows, DB_P_INT("id", id));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        job_t *job = arena_alloc(arena, sizeof *job);
        *job = s_read(rows, arena);
        job->payload = jobs_store_dup_bytes(rows, arena, "payload");
        job->result = jobs_store_dup_bytes(rows, arena, "result");
        if (!db_is_null(rows, "percent"))
            job->percent = db_int(rows, "percent");
        job->note = db_dup_text(rows, arena, "note");
        if (job->state == JOB_BLOCKED && db_int(rows, "children"))
            s_count_children(rows, arena, job);
        *found = job;
    }
    return db_rows_end(rows);
}

/* In the order in which a job moves, so that one that moves meanwhile is found behind. One that is
 * replayed moves the other way: it is looked for once more. */
db_status_t jobs_store_get(db_conn_t *conn, arena_t *arena, int64_t id, const char *account,
                           const job_t **found)
{
    static const jobs_table_t order[] = { TABLE_LIVE, TABLE_DONE, TABLE_DEAD, TABLE_LIVE };
    db_status_t status = DB_OK;
    *found = NULL;
    for (size_t i = 0; status == DB_OK && !*found && i < COUNT_OF(order); i++)
        status = s_get_from(conn, arena, order[i], id, found);
    if (*found && account && strcmp((*found)->account, account) != 0)
        *found = NULL;
    return status;
}

const db_sql_t *const jobs_store_lists_lookups[] = {
    &s_lists[0][0], &s_lists[0][1], &s_lists[1][0], &s_lists[1][1], &s_lists[2][0],
    &s_lists[2][1], &s_one[0],      &s_one[1],      &s_one[2],      NULL
};
