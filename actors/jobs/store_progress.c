/* SPDX-License-Identifier: MPL-2.0
 *
 * store_progress - how far a run is, as it says itself
 */
#include "config.h"

#include "actors/jobs/store.h"

#define TELL(now, percent, note)                                                                   \
    "INSERT INTO progress (job_id, fence, percent, note, updated_at)"                              \
    " SELECT id, fence, " percent ", " note ", " now " FROM job"                                   \
    " WHERE id = $id AND fence = $fence AND " STORE_RUNS                                           \
    " ON CONFLICT (job_id) DO UPDATE SET fence = excluded.fence, percent = excluded.percent,"      \
    " note = excluded.note, updated_at = excluded.updated_at RETURNING job_id"

static const db_sql_t s_tell = { "jobs.progress", TELL(STORE_NOW_SQLITE, "$percent", "$note"),
                                 TELL(STORE_NOW_POSTGRES, "CAST($percent AS SMALLINT)",
                                      "CAST($note AS TEXT)") };

db_status_t jobs_store_progress(db_conn_t *conn, const job_progress_t *progress, bool *is_current)
{
    db_rows_t *rows;
    *is_current = false;
    db_status_t status = DB_RUN(conn, &s_tell, &rows, DB_P_INT("percent", progress->percent),
                                DB_P_TEXT("note", progress->note), DB_P_INT("id", progress->id),
                                DB_P_INT("fence", progress->fence));
    if (status != DB_OK)
        return status;
    *is_current = db_next(rows);
    return db_rows_end(rows);
}

const db_sql_t *const jobs_store_progress_lookups[] = { &s_tell, NULL };
