/* SPDX-License-Identifier: MPL-2.0
 *
 * on_jobs - looking at jobs
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/jobs.h"

typedef enum { LIST_LIVE = 1, LIST_ENDED, LIST_BURIED } list_t;

void jobs_reply_one(call_t *call, bool only_dead)
{
    const job_t *job;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, jobs_store_get(conn, call_arena(call), call_int(call, "id"),
                                                       jobs_scope(call), &job)))
        return;
    if (!job || (only_dead && job->state != JOB_DEAD)) {
        call_fail(call, ERROR_NOT_FOUND, "There is no such job, or it has been forgotten");
        return;
    }
    jobs_pack_job(call_pack(call), job, true);
    call_reply(call, 0);
}

void jobs_on_get(call_t *call, void *self)
{
    (void)self;
    jobs_reply_one(call, false);
}

/* Jobs are ordered by their number alone, which stands where other lists' cursors have a moment. */
static const char s_no_id[] = "00000000-0000-0000-0000-000000000000";

void jobs_reply_page(call_t *call, jobs_table_t table, const char *account)
{
    jobs_list_t jobs;
    cursor_t cursor;
    const uint8_t list = (uint8_t)(LIST_LIVE + table);
    size_t limit = (size_t)call_int(call, "limit");
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !page_require_cursor(call, list, &cursor))
        return;
    if (!jobs_require_ok(call, jobs_store_list(conn, call_arena(call), table, account, cursor.at_ms,
                                               limit + 1, &jobs)))
        return;
    pack_t *pack = call_pack(call);
    size_t shown = page_begin(pack, jobs.count, limit);
    for (size_t i = 0; i < shown; i++)
        jobs_pack_job(pack, &jobs.list[i], false);
    bool has_more = jobs.count > shown;
    page_end(pack, list, has_more ? jobs.list[shown - 1].id : 0, has_more ? s_no_id : NULL);
    call_reply(call, 0);
}

const char *jobs_whose(call_t *call)
{
    return call_bool(call, "all") && !jobs_scope(call) ? NULL : call_principal(call)->account;
}

void jobs_on_list(call_t *call, void *self)
{
    (void)self;
    bool is_live = strcmp(call_text(call, "state"), "live") == 0;
    jobs_reply_page(call, is_live ? TABLE_LIVE : TABLE_DONE, jobs_whose(call));
}
