/* SPDX-License-Identifier: MPL-2.0
 *
 * on_batch - many workflows at once: kept, analysed by a job each, and summed up when all have
 * ended
 *
 * Either all of them are accepted, or none. A workflow that is in it twice is analysed twice and
 * stored once, as ever; what was analysed before is what its job answers. The submissions are kept
 * before the jobs are enqueued: when that fails they are dropped again, and what a crash leaves
 * behind goes after a week.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/analysis/later.h"
#include "actors/analysis/service.h"
#include "actors/analysis/submission.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/runtime/enqueue.h"
#include "proto/jobs.h"
#include "proto/page.h"
#include "proto/value_pack.h"

/* One page of children holds all of a batch. */
_Static_assert(ANALYSIS_BATCH_MAX <= PAGE_MAX, "on_summarize asks for one page");

typedef struct {
    call_t *call;
    const value_t *items;
    kept_t *waiting; /* one for each */
} batch_t;

/* ---- what is in it --------------------------------------------------------------------------- */

static void s_note_unfit(schema_errors_t *errors, uint32_t index, const char *why)
{
    if (errors->count == SCHEMA_ERRORS_MAX)
        return;
    schema_error_t *error = &errors->list[errors->count++];
    snprintf(error->pointer, sizeof error->pointer, "/items/%u/workflow", index);
    snprintf(error->why, sizeof error->why, "%s", why);
}

/* Whether one can be analysed; it is kept for its job. */
static bool s_keep(batch_t *self, uint32_t index, arena_t *scratch, char why[ANALYSIS_WHY_SIZE])
{
    submission_t what;
    char id[ID_UUID_SIZE];
    arena_t *arena = call_arena(self->call);
    const value_t *item = value_item(self->items, index);
    if (!submission_read(&what, scratch, service_account(self->call), NULL, item, why) ||
        analysis_check(scratch, what.document, &what.options, why) != ANALYSIS_DONE)
        return false;
    buf_t packed = { 0 };
    pack_t pack;
    pack_init(&pack, &packed);
    value_pack(item, &pack);
    const char *bytes = arena_text(arena, packed.bytes, packed.size); /* what is small stays so */
    self->waiting[index] = (kept_t){ .id = arena_text(arena, id_uuid7(id), ID_UUID_SIZE - 1),
                                     .request = squeeze(arena, bytes, packed.size) };
    buf_free(&packed);
    return true;
}

/* False: the call has been answered, with what is wrong with which. */
static bool s_require_all(batch_t *self)
{
    char why[ANALYSIS_WHY_SIZE];
    arena_t scratch = { 0 };
    schema_errors_t *errors = arena_alloc(call_arena(self->call), sizeof *errors);
    for (uint32_t i = 0; i < self->items->count; i++) {
        if (!s_keep(self, i, &scratch, why)) {
            service_count_end(self->call, "unfit");
            s_note_unfit(errors, i, why);
        }
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    if (errors->count == 0)
        return true;
    call_fail_with(self->call, &(failure_t){ .code = ERROR_VALIDATION_FAILED, .fields = errors });
    return false;
}

/* ---- the jobs -------------------------------------------------------------------------------- */

/* The request without its key: with the same key another one is refused. */
static void s_pack_key(pack_t *pack, const batch_t *self, const char *key)
{
    uint8_t hash[32];
    char hex[2 * sizeof hash + 1];
    buf_t packed = { 0 };
    pack_t said;
    pack_init(&said, &packed);
    value_pack(self->items, &said);
    crypto_generichash(hash, sizeof hash, packed.bytes, packed.size, NULL, 0);
    buf_free(&packed);
    pack_pair_text(pack, "idempotency_key", key);
    pack_pair_text(pack, "key_says", id_hex(hash, sizeof hash, hex));
}

static void s_pack_family(const batch_t *self, buf_t *body)
{
    const principal_t *who = call_principal(self->call);
    const char *key = call_text(self->call, "idempotency_key");
    pack_t pack;
    pack_init(&pack, body);
    pack_map(&pack, 2u + (who->account[0] ? 1 : 0) + (key ? 2 : 0));
    pack_text(&pack, "parent");
    pack_map(&pack, 1);
    pack_pair_text(&pack, "kind", "analysis.summarize");
    pack_text(&pack, "children");
    pack_array(&pack, self->items->count);
    for (uint32_t i = 0; i < self->items->count; i++) {
        pack_map(&pack, LATER_PAIRS);
        later_pack_job(&pack, self->waiting[i].id);
    }
    if (who->account[0])
        enqueue_pack_as(&pack, who);
    if (key)
        s_pack_key(&pack, self, key);
}

/* {job_id, items: [{job_id}]} of the jobs' receipts. */
static void s_write_reply(call_t *call, const answer_t *answer)
{
    value_verdict_t verdict;
    pack_t *pack = call_pack(call);
    const value_t *body = value_parse(call_arena(call), answer_bytes(answer), answer_size(answer),
                                      VALUE_LIMITS, &verdict);
    const value_t *children = value_get(body, "children"), *child;
    pack_map(pack, 2);
    pack_pair_int(pack, "job_id", value_get_int(value_get(body, "parent"), "id", 0));
    pack_text(pack, "items");
    pack_array(pack, children ? children->count : 0);
    for (uint32_t i = 0; (child = value_item(children, i)); i++) {
        pack_map(pack, 1);
        pack_pair_int(pack, "job_id", value_get_int(child, "id", 0));
    }
}

static void s_drop(const batch_t *self)
{
    if (store_drop_submissions(call_db(self->call), self->waiting, self->items->count) != DB_OK)
        LOG(LOG_WARN, "analysis.batch_left_behind", LOG_INT("submissions", self->items->count));
}

static void s_enqueue(batch_t *self)
{
    answer_t answer;
    buf_t body = { 0 };
    s_pack_family(self, &body);
    bool good = call_service(self->call, jobs_service.name, jobs_enqueue_family_as.name, false,
                             &body, &answer);
    bool is_repeated =
        good && answer.status == 200; /* the other time's jobs have its submissions */
    /* after a lost answer they may be there, and need what they are to run */
    if (is_repeated || (!good && !error_row(answer.failure.code)->retry))
        s_drop(self);
    if (good) {
        for (uint32_t i = 0; !is_repeated && i < self->items->count; i++)
            service_count_end(self->call, "handed_over");
        s_write_reply(self->call, &answer);
        call_reply(self->call, 0);
    } else {
        call_fail_with(self->call, &answer.failure);
    }
    answer_close(&answer);
    buf_free(&body);
}

void on_batch(call_t *call, void *self)
{
    batch_t batch = { .call = call, .items = value_get(call_request(call), "items") };
    (void)self;
    batch.waiting = arena_array(call_arena(call), batch.items->count, sizeof *batch.waiting);
    if (!s_require_all(&batch))
        return;
    db_status_t status = store_add_submissions(call_db(call), batch.waiting, batch.items->count,
                                               service_account(call), clock_wall_ms());
    if (status == DB_OK)
        s_enqueue(&batch);
    else
        call_fail_db(call, status);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void s_copy_text(pack_t *pack, arena_t *arena, const char *key, const value_t *from,
                        const char *field)
{
    pack_pair_text(pack, key, value_dup_text(arena, from, field));
}

static void s_write_item(pack_t *pack, arena_t *arena, const value_t *child)
{
    const value_t *brief = value_get(child, "result");
    pack_map(pack, 7);
    pack_pair_int(pack, "job_id", value_get_int(child, "id", 0));
    s_copy_text(pack, arena, "state", child, "state");
    s_copy_text(pack, arena, "error", child, "error");
    s_copy_text(pack, arena, "analysis_id", brief, "id");
    s_copy_text(pack, arena, "workflow_id", brief, "workflow_id");
    s_copy_text(pack, arena, "grade", brief, "grade");
    pack_text(pack, "score");
    if (value_get(brief, "score"))
        pack_int(pack, value_get_int(brief, "score", 0));
    else
        pack_nil(pack);
}

static void s_write_summary(call_t *call, const value_t *children)
{
    const value_t *child;
    int64_t analysed = 0;
    pack_t *pack = call_pack(call);
    for (uint32_t i = 0; (child = value_item(children, i)); i++)
        analysed += value_is(value_get(child, "state"), "done");
    pack_map(pack, 3);
    pack_pair_int(pack, "analysed", analysed);
    pack_pair_int(pack, "failed", (int64_t)children->count - analysed);
    pack_text(pack, "items");
    pack_array(pack, children->count);
    for (uint32_t i = 0; (child = value_item(children, i)); i++)
        s_write_item(pack, call_arena(call), child);
}

void on_summarize(call_t *call, void *self)
{
    answer_t answer;
    value_verdict_t verdict;
    buf_t body = { 0 };
    pack_t pack;
    const job_run_t *job = call_job(call);
    (void)self;
    if (!job) {
        call_fail(call, ERROR_UNPROCESSABLE, "This is called by the jobs of batches only");
        return;
    }
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_int(&pack, "id", job->id);
    pack_pair_int(&pack, "limit", ANALYSIS_BATCH_MAX);
    bool good = call_service(call, job->service, jobs_children.name, true, &body, &answer);
    const value_t *reply = good ? value_parse(call_arena(call), answer_bytes(&answer),
                                              answer_size(&answer), VALUE_LIMITS, &verdict)
                                : NULL;
    const value_t *children = value_get(reply, "items");
    if (value_is_type(children, VALUE_ARRAY)) {
        s_write_summary(call, children);
        call_reply(call, 0);
    } else if (good) {
        call_fail(call, ERROR_BAD_REPLY, "The list of children cannot be read");
    } else {
        call_fail_with(call, &answer.failure);
    }
    answer_close(&answer);
    buf_free(&body);
}
