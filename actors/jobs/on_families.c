/* SPDX-License-Identifier: MPL-2.0
 *
 * on_families - jobs that wait for others: enqueued, and looked at
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/jobs.h"
#include "actors/jobs/store_families.h"

#define CHILDREN_LIST 12 /* of cursors */

/* ---- enqueuing ------------------------------------------------------------------------------- */

/* A parent has its turn before its children: behind it in the same order they would wait for it,
 * and it for them. False: the call has been answered. */
static bool s_require_other_orders(call_t *call, const job_new_t *parent, const job_new_t *children,
                                   size_t count)
{
    for (size_t i = 0; parent->order_key && i < count; i++)
        if (children[i].order_key && strcmp(children[i].order_key, parent->order_key) == 0 &&
            strcmp(children[i].queue, parent->queue) == 0) {
            call_fail(call, ERROR_UNPROCESSABLE,
                      "Child %zu has the order key of its parent, and would wait for it for ever",
                      i);
            return false;
        }
    return true;
}

static void s_enqueue(call_t *call, jobs_t *self, uint16_t repeated_status)
{
    arena_t *arena = call_arena(call);
    const value_t *asked = call_request(call), *list = value_get(asked, "children");
    const value_t *as = value_get(asked, "as");
    const size_t count = 1 + list->count;
    intake_request_t *request = arena_alloc(arena, sizeof *request);
    *request =
        (intake_request_t){ .call = call,
                            .count = count,
                            .form = INTAKE_FAMILY,
                            .needs_children = call_bool(call, "needs_children"),
                            .repeated_status = repeated_status,
                            .jobs = arena_array(arena, count, sizeof *request->jobs),
                            .receipts = arena_array(arena, count, sizeof *request->receipts) };
    bool good = jobs_require_job(self, call, value_get(asked, "parent"), as, &request->jobs[0]);
    for (uint32_t i = 0; good && i < list->count; i++)
        good = jobs_require_job(self, call, value_item(list, i), as, &request->jobs[1 + i]);
    if (!good || !s_require_other_orders(call, request->jobs, request->jobs + 1, list->count))
        return;
    jobs_read_key(request);
    intake_add(self->intake, request);
}

void jobs_on_enqueue_family(call_t *call, void *self)
{
    s_enqueue(call, self, 0);
}

/* A service has to know whether what it made for the jobs is theirs. */
void jobs_on_enqueue_family_as(call_t *call, void *self)
{
    s_enqueue(call, self, 200);
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
