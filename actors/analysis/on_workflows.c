/* SPDX-License-Identifier: MPL-2.0
 *
 * on_workflows - workflows over their versions: list, one, trend, baseline, diff
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/diff.h"
#include "actors/analysis/service.h"
#include "actors/base/clock.h"

#define NEWEST_SHOWN 10 /* analyses shown with a workflow */

/* ---- workflows ------------------------------------------------------------------------------- */

/* Five pairs; proto/analysis.c lists them. */
static void s_write_workflow(pack_t *pack, const workflow_t *workflow)
{
    pack_pair_text(pack, "id", workflow->id);
    pack_pair_text(pack, "kind", workflow->kind);
    pack_pair_text(pack, "name", workflow->name);
    pack_pair_time(pack, "created_at", workflow->created_ms);
    pack_pair_time(pack, "updated_at", workflow->updated_ms);
}

void on_workflows(call_t *call, void *self)
{
    cursor_t from;
    workflows_t workflows;
    size_t limit = (size_t)call_int(call, "limit");
    (void)self;
    if (!page_require_cursor(call, CURSOR_WORKFLOWS, &from))
        return;
    db_status_t status = store_workflows(call_db(call), call_arena(call), service_account(call),
                                         &from, limit + 1, &workflows);
    if (status != DB_OK) {
        call_fail_db(call, status);
        return;
    }
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, workflows.count, limit);
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, 6);
        s_write_workflow(pack, &workflows.list[i]);
        pack_text(pack, "latest");
        if (workflows.list[i].latest)
            reply_brief(pack, workflows.list[i].latest);
        else
            pack_nil(pack);
    }
    const workflow_t *last = workflows.count > shown ? &workflows.list[shown - 1] : NULL;
    page_end(pack, CURSOR_WORKFLOWS, last ? last->updated_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* The workflow that the field `id` names. NULL: the call has been answered. */
static const workflow_t *s_require_workflow(call_t *call)
{
    const workflow_t *found;
    db_status_t status = store_workflow(call_db(call), call_arena(call), service_account(call),
                                        call_text(call, "id"), &found);
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (!found)
        call_fail(call, ERROR_NOT_FOUND, "There is no workflow with this id");
    return found;
}

/* Analyses of the workflow, the newest first. False: the call has been answered. */
static bool s_require_briefs(call_t *call, const store_filter_t *filter, briefs_t *briefs)
{
    db_status_t status =
        store_list(call_db(call), call_arena(call), service_account(call), filter, briefs);
    if (status != DB_OK)
        call_fail_db(call, status);
    return status == DB_OK;
}

void on_workflow(call_t *call, void *self)
{
    briefs_t briefs;
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (!workflow)
        return;
    store_filter_t filter = store_any;
    filter.workflow_id = workflow->id;
    filter.limit = NEWEST_SHOWN;
    if (!s_require_briefs(call, &filter, &briefs))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, 6);
    s_write_workflow(pack, workflow);
    pack_text(pack, "analyses");
    pack_array(pack, briefs.count);
    for (size_t i = 0; i < briefs.count; i++)
        reply_brief(pack, &briefs.list[i]);
    call_reply(call, 0);
}

/* ---- trend ----------------------------------------------------------------------------------- */

static void s_write_point(pack_t *pack, const brief_t *brief)
{
    pack_map(pack, 5);
    pack_pair_text(pack, "id", brief->id);
    pack_pair_time(pack, "created_at", brief->created_ms);
    pack_pair_int(pack, "score", brief->score);
    pack_pair_text(pack, "grade", brief->grade);
    reply_severities(pack, brief->by_severity);
}

void on_trend(call_t *call, void *self)
{
    briefs_t briefs;
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (!workflow)
        return;
    store_filter_t filter = store_any;
    filter.workflow_id = workflow->id;
    filter.profile = call_text(call, "profile");
    filter.limit = (size_t)call_int(call, "limit");
    if (!s_require_briefs(call, &filter, &briefs))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "points");
    pack_array(pack, briefs.count);
    for (size_t i = briefs.count; i-- > 0;)
        s_write_point(pack, &briefs.list[i]);
    call_reply(call, 0);
}

/* ---- baseline -------------------------------------------------------------------------------- */

static void s_answer_baseline(call_t *call, const workflow_t *workflow)
{
    const stored_t *found;
    const measured_t any = { .account = service_account(call),
                             .workflow_id = workflow->id,
                             .profile = "",
                             .at = CURSOR_START };
    db_status_t status = store_get_baseline(call_db(call), call_arena(call), &any, &found);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!found) {
        call_fail(call, ERROR_NOT_FOUND, "The workflow has no baseline");
    } else {
        pack_t *pack = call_pack(call);
        pack_map(pack, 2);
        pack_pair_time(pack, "pinned_at", found->pinned_ms);
        pack_text(pack, "analysis");
        reply_brief(pack, &found->brief);
        call_reply(call, 0);
    }
}

void on_baseline_put(call_t *call, void *self)
{
    bool pinned;
    const char *id = call_text(call, "analysis_id");
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (!workflow)
        return;
    db_status_t status =
        store_pin(call_db(call), service_account(call), workflow->id, id, clock_wall_ms(), &pinned);
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (pinned)
        s_answer_baseline(call, workflow);
    else
        call_fail(call, ERROR_NOT_FOUND, "The workflow has no analysis %.36s",
                  id ? id : "any more");
}

void on_baseline_get(call_t *call, void *self)
{
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (workflow)
        s_answer_baseline(call, workflow);
}

void on_baseline_delete(call_t *call, void *self)
{
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (!workflow)
        return;
    db_status_t status = store_unpin(call_db(call), service_account(call), workflow->id);
    if (status != DB_OK)
        call_fail_db(call, status);
    else
        call_reply(call, 0);
}

/* ---- diff ------------------------------------------------------------------------------------ */

/* One side of the comparison. */
typedef struct {
    const stored_t *stored;
    sketch_t sketch;
    version_t version;
} side_t;

static bool s_read_side(call_t *call, side_t *side)
{
    side->version = (version_t){ .sketch = &side->sketch,
                                 .result = service_require_result(call, side->stored) };
    return side->version.result && service_require_sketch(call, side->stored, &side->sketch);
}

/* The analysis with that id, which has to be of this workflow. */
static bool s_require_version(call_t *call, const workflow_t *workflow, const char *id,
                              side_t *side)
{
    db_status_t status =
        store_get(call_db(call), call_arena(call), service_account(call), id, &side->stored);
    bool is_there = status == DB_OK && side->stored &&
                    strcmp(side->stored->brief.workflow_id, workflow->id) == 0;
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (!is_there)
        call_fail(call, ERROR_NOT_FOUND, "The workflow has no analysis %.36s", id);
    return is_there && s_read_side(call, side);
}

static bool s_require_newest(call_t *call, const workflow_t *workflow, side_t *side)
{
    briefs_t briefs;
    store_filter_t filter = store_any;
    filter.workflow_id = workflow->id;
    filter.limit = 1;
    if (!s_require_briefs(call, &filter, &briefs))
        return false;
    if (briefs.count == 0) {
        call_fail(call, ERROR_UNPROCESSABLE, "The workflow has no version any more");
        return false;
    }
    return s_require_version(call, workflow, briefs.list[0].id, side);
}

/* What `to` is measured against. */
static bool s_require_reference(call_t *call, const brief_t *to, side_t *side)
{
    const measured_t measured = service_measured(call, to);
    db_status_t status =
        store_get_reference(call_db(call), call_arena(call), &measured, &side->stored);
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (!side->stored)
        call_fail(call, ERROR_UNPROCESSABLE,
                  "The workflow has no second version with the same profile to compare with");
    return status == DB_OK && side->stored && s_read_side(call, side);
}

static bool s_require_sides(call_t *call, const workflow_t *workflow, side_t *from, side_t *to)
{
    const char *older = call_text(call, "from"), *newer = call_text(call, "to");
    if (newer ? !s_require_version(call, workflow, newer, to)
              : !s_require_newest(call, workflow, to))
        return false;
    const brief_t *brief = &to->stored->brief;
    if (older ? !s_require_version(call, workflow, older, from)
              : !s_require_reference(call, brief, from))
        return false;
    if (strcmp(from->stored->brief.profile, brief->profile) == 0)
        return true;
    call_fail(call, ERROR_UNPROCESSABLE,
              "The analyses have different profiles, %s and %s: their issues do not compare",
              from->stored->brief.profile, brief->profile);
    return false;
}

void on_diff(call_t *call, void *self)
{
    side_t from, to;
    (void)self;
    const workflow_t *workflow = s_require_workflow(call);
    if (!workflow || !s_require_sides(call, workflow, &from, &to))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, 2 + DIFF_PAIRS);
    pack_text(pack, "from");
    reply_brief(pack, &from.stored->brief);
    pack_text(pack, "to");
    reply_brief(pack, &to.stored->brief);
    diff_write(&from.version, &to.version, pack);
    call_reply(call, 0);
}
