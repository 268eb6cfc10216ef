/* SPDX-License-Identifier: MPL-2.0
 *
 * on_families - jobs that wait for others: enqueued, and looked at
 */
#include "config.h"

#include "actors/jobs/jobs.h"
#include "actors/jobs/store_families.h"

#define CHILDREN_LIST 12 /* of cursors */

/* ---- enqueuing ------------------------------------------------------------------------------- */

/* The parent stands first. */
typedef struct {
    job_new_t *jobs;
    job_receipt_t *receipts;
    size_t children;
    bool needs_children;
} relatives_t;

/* False: the call has been answered. */
static bool s_read(relatives_t *self, call_t *call, jobs_t *jobs)
{
    const value_t *request = call_request(call), *list = value_get(request, "children");
    bool good = jobs_require_job(jobs, call, value_get(request, "parent"), true, &self->jobs[0]);
    for (uint32_t i = 0; good && i < list->count; i++)
        good = jobs_require_job(jobs, call, value_item(list, i), true, &self->jobs[1 + i]);
    return good;
}

static db_status_t s_work(db_conn_t *conn, void *arg)
{
    relatives_t *self = arg;
    return jobs_store_add_family(conn, &self->jobs[0], self->needs_children, self->jobs + 1,
                                 self->children, self->receipts);
}

static void s_pack(const relatives_t *self, pack_t *pack)
{
    size_t shown = self->receipts[0].is_duplicate ? 0 : self->children;
    pack_map(pack, 2);
    pack_text(pack, "parent");
    jobs_pack_receipt(pack, self->jobs[0].kind, self->jobs[0].queue, &self->receipts[0]);
    pack_text(pack, "children");
    pack_array(pack, shown);
    for (size_t i = 1; i <= shown; i++)
        jobs_pack_receipt(pack, self->jobs[i].kind, self->jobs[i].queue, &self->receipts[i]);
}

void jobs_on_enqueue_family(call_t *call, void *jobs)
{
    arena_t *arena = call_arena(call);
    size_t children = value_get(call_request(call), "children")->count;
    relatives_t family = { .jobs = arena_array(arena, 1 + children, sizeof *family.jobs),
                           .receipts = arena_array(arena, 1 + children, sizeof *family.receipts),
                           .children = children,
                           .needs_children = call_bool(call, "needs_children") };
    if (!s_read(&family, call, jobs) ||
        !jobs_require_ok(call, db_write(call_db(call), s_work, &family)))
        return;
    size_t count = family.receipts[0].is_duplicate ? 1 : 1 + children;
    jobs_tell_enqueued(jobs, family.jobs, family.receipts, count);
    s_pack(&family, call_pack(call));
    call_reply(call, 0);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void s_pack_child(pack_t *pack, const job_child_t *child)
{
    pack_map(pack, 5);
    pack_pair_int(pack, "id", child->id);
    pack_pair_text(pack, "kind", child->kind);
    pack_pair_text(pack, "state", jobs_store_state(child->state));
    pack_pair_text(pack, "error", child->error_code);
    pack_text(pack, "result");
    if (child->result.bytes)
        pack_raw(pack, child->result.bytes, child->result.size);
    else
        pack_nil(pack);
}

void jobs_on_children(call_t *call, void *self)
{
    cursor_t cursor;
    job_children_t children;
    size_t limit = (size_t)call_int(call, "limit");
    (void)self;
    if (!page_require_cursor(call, CHILDREN_LIST, &cursor))
        return;
    int64_t after = cursor.at_ms == INT64_MAX ? 0 : cursor.at_ms; /* the start of other lists */
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn ||
        !jobs_require_ok(call, jobs_store_children(conn, call_arena(call), call_int(call, "id"),
                                                   jobs_scope(call), after, limit + 1, &children)))
        return;
    pack_t *pack = call_pack(call);
    size_t shown = page_begin(pack, children.count, limit);
    for (size_t i = 0; i < shown; i++)
        s_pack_child(pack, &children.list[i]);
    bool has_more = children.count > shown;
    jobs_end_page(pack, CHILDREN_LIST, has_more ? children.list[shown - 1].id : 0);
    call_reply(call, 0);
}
