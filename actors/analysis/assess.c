/* SPDX-License-Identifier: MPL-2.0
 *
 * assess - from a submission to an analysis in the history: known already, or analysed and stored
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/assess.h"
#include "actors/analysis/later.h"
#include "actors/analysis/news.h"
#include "actors/base/clock.h"
#include "proto/value_pack.h"

static bool s_fail_unfit(const assessment_t *self, const char *why)
{
    service_count_end(self->call, "unfit");
    call_fail(self->call, ERROR_UNPROCESSABLE, "%s", why);
    return false;
}

bool assess_require(assessment_t *self, const value_t *request)
{
    char why[ANALYSIS_WHY_SIZE];
    const char *workflow_id = self->into ? self->into->id : NULL;
    if (!submission_read(&self->what, call_arena(self->call), service_account(self->call),
                         workflow_id, request, why))
        return s_fail_unfit(self, why);
    if (self->into && !self->what.name)
        self->what.name = self->into->name;
    return true;
}

/* ---- known already --------------------------------------------------------------------------- */

/* True when it was, and the call has been answered; also when the database failed. */
static bool s_answer_stored(assessment_t *self)
{
    const stored_t *found;
    db_status_t status = store_find(call_db(self->call), call_arena(self->call), self->what.account,
                                    self->what.key, &found);
    if (status != DB_OK) {
        call_fail_db(self->call, status);
        return true;
    }
    if (!found)
        return false;
    const uint8_t *result = service_require_result_bytes(self->call, found);
    if (!result)
        return true;
    service_count_end(self->call, "repeated");
    self->reply(self, &found->brief, REPEATED_YES, result, found->result.full);
    return true;
}

/* ---- later ----------------------------------------------------------------------------------- */

static bool s_hand_over(assessment_t *self, later_t *result)
{
    pack_t pack;
    buf_t request = { 0 };
    char hex[2 * ANALYSIS_KEY_BYTES + 1];
    pack_init(&pack, &request);
    value_pack(self->what.request, &pack);
    self->is_answered = later(self->call, self->what.account, &request,
                              id_hex(self->what.key, ANALYSIS_KEY_BYTES, hex), result);
    buf_free(&request);
    if (!self->is_answered)
        return false;
    service_count_end(self->call, "handed_over");
    pack_map(call_pack(self->call), 1);
    pack_pair_int(call_pack(self->call), "job_id", result->job_id);
    return true;
}

/* Without a job there is nothing. */
static void s_answer_later(assessment_t *self)
{
    later_t result;
    if (s_hand_over(self, &result))
        call_reply(self->call, 202);
    else if (result.status != DB_OK)
        call_fail_db(self->call, result.status);
    else
        call_fail_with(self->call, &result.failure);
}

/* ---- analysing ------------------------------------------------------------------------------- */

static bool s_proceed(void *context, unsigned done, unsigned total)
{
    assessment_t *self = context;
    later_t result;
    call_progress(self->call, total ? done * 100 / total : 0, NULL);
    const uint64_t now_us = clock_us();
    if (now_us > self->look_us) {
        archive_look(&self->service->archive);
        self->look_us = now_us + ARCHIVE_US;
    }
    if (self->patient_until_us && now_us > self->patient_until_us) {
        self->patient_until_us = 0; /* once: if nobody takes it, it is finished here */
        if (s_hand_over(self, &result))
            return false;
    }
    return !call_is_cancelled(self->call) && call_left_ms(self->call) > 0;
}

static bool s_run(assessment_t *self, analysis_result_t *result)
{
    uint64_t start = clock_us();
    self->look_us = start + ARCHIVE_US;
    self->what.options.proceed = s_proceed;
    self->what.options.context = self;
    analysis_verdict_t verdict =
        analysis_run(call_arena(self->call), self->what.document, &self->what.options, result);
    stats_record(actor_stats(call_actor(self->call)), ANALYSIS_RUN_TIME, clock_us() - start);
    if (verdict == ANALYSIS_DONE)
        return true;
    if (verdict == ANALYSIS_REFUSED)
        return s_fail_unfit(self, result->why);
    if (self->is_answered) {
        call_reply(self->call, 202);
        return false;
    }
    service_count_end(self->call, "aborted");
    if (call_is_cancelled(self->call))
        call_fail(self->call, ERROR_CANCELLED, "The caller gave the analysis up");
    else
        call_fail(self->call, ERROR_DEADLINE, "The analysis took longer than the caller waits");
    return false;
}

/* ---- storing --------------------------------------------------------------------------------- */

/* The severities of the issues and the rules that fired, as a JSON array. Findings stand in order
 * of severity and rule, so those of one rule are neighbours. */
static const char *s_occurs(const analysis_result_t *result, arena_t *arena)
{
    buf_t list = { 0 };
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        if (result->by_severity[s])
            buf_printf(&list, ",\"%s\"", severity_name(s));
    for (uint32_t i = 0; i < result->finding_count; i++)
        if (i == 0 || result->findings[i]->rule != result->findings[i - 1]->rule)
            buf_printf(&list, ",\"%s\"", result->findings[i]->rule->id);
    buf_add_byte(&list, ']');
    list.bytes[0] = '['; /* in the place of the first comma, or of the only bracket */
    const char *text = list.size > 1 ? arena_text(arena, list.bytes, list.size) : "[]";
    buf_free(&list);
    return text;
}

static squeezed_t s_squeeze(arena_t *arena, const buf_t *bytes)
{
    return squeeze(arena, bytes->bytes, bytes->size);
}

static brief_t s_brief(const assessment_t *self, const analysis_result_t *result, const char *id)
{
    arena_t *arena = call_arena(self->call);
    brief_t brief = {
        .id = id,
        .workflow_id = self->what.workflow_id,
        .name = self->what.name,
        .kind = result->analyser->kind,
        .profile = result->profile,
        .grade = arena_text(arena, &result->score.grade, 1),
        .created_ms = clock_wall_ms(),
        .score = result->score.score,
        .nodes = result->nodes,
        .wires = result->wires,
    };
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        brief.by_severity[s] = (int64_t)result->by_severity[s];
    return brief;
}

/* Somebody else's submission of the same was stored first. That one may be deleted again before we
 * read it, but not for ever. */
static void s_answer_other(assessment_t *self)
{
    if (!s_answer_stored(self))
        call_fail(self->call, ERROR_UNAVAILABLE,
                  "The same workflow was stored and deleted meanwhile; submit it again");
}

/* What waits to be stored; in the call's arena. */
typedef struct {
    archive_entry_t entry;
    assessment_t assessment;
    analysis_result_t result;
    buf_t answer, sketch; /* packed; the entry may point to them */
    news_t news;
} pending_t;

static news_of_t s_news_of(const pending_t *self)
{
    return (news_of_t){ .account = self->assessment.what.account,
                        .brief = &self->entry.analysis.stored.brief,
                        .result = &self->answer };
}

static void s_on_stored(archive_entry_t *entry)
{
    pending_t *self = CONTAINER_OF(entry, pending_t, entry);
    assessment_t *assessment = &self->assessment;
    call_t *call = assessment->call;
    buf_t answer = self->answer, sketch = self->sketch; /* `self` goes with the call */
    if (entry->analysis.status != DB_OK) {
        call_fail_db(call, entry->analysis.status);
    } else if (!entry->analysis.is_added) {
        s_answer_other(assessment);
    } else {
        const news_of_t of = s_news_of(self);
        service_count_end(call, "completed");
        service_count_issues(call, &self->result);
        news_tell(&self->news, call, &assessment->service->outbox, &of);
        assessment->reply(assessment, of.brief, REPEATED_NO, answer.bytes, answer.size);
    }
    buf_free(&answer);
    buf_free(&sketch);
}

static void s_pack(pending_t *self)
{
    pack_t pack;
    sketch_t sketch;
    pack_init(&pack, &self->answer);
    result_write(&self->result, &pack);
    pack_init(&pack, &self->sketch);
    sketch_make(&sketch, call_arena(self->assessment.call), &self->result);
    sketch_write(&sketch, &pack);
}

static void s_store(pending_t *self)
{
    const assessment_t *assessment = &self->assessment;
    call_t *call = assessment->call;
    arena_t *arena = call_arena(call);
    new_analysis_t *analysis = &self->entry.analysis;
    s_pack(self);
    const char *id = arena_text(arena, id_uuid7((char[ID_UUID_SIZE]){ 0 }), ID_UUID_SIZE - 1);
    *analysis = (new_analysis_t){
        .stored = { .brief = s_brief(assessment, &self->result, id),
                    .result = s_squeeze(arena, &self->answer),
                    .sketch = s_squeeze(arena, &self->sketch) },
        .account = assessment->what.account,
        .key = assessment->what.key,
        .tier = service_tier(call),
        .occurs = s_occurs(&self->result, arena),
    };
    const news_of_t of = s_news_of(self);
    analysis->status = news_gather(&self->news, call, &assessment->service->outbox, &of);
    analysis->events = self->news.events;
    analysis->event_count = self->news.count;
    self->entry.call = call;
    self->entry.on_stored = s_on_stored;
    if (analysis->status == DB_OK)
        archive_add(&assessment->service->archive, &self->entry);
    else
        s_on_stored(&self->entry);
}

static void s_analyse(const assessment_t *assessment)
{
    pending_t *self = arena_alloc(call_arena(assessment->call), sizeof *self);
    self->assessment = *assessment;
    if (s_run(&self->assessment, &self->result))
        s_store(self);
}

/* ---- both ------------------------------------------------------------------------------------ */

void assess(assessment_t *self)
{
    if (!s_answer_stored(self))
        s_analyse(self);
}

void assess_later(assessment_t *self)
{
    char why[ANALYSIS_WHY_SIZE];
    if (s_answer_stored(self))
        return;
    if (analysis_check(call_arena(self->call), self->what.document, &self->what.options, why) ==
        ANALYSIS_DONE)
        s_answer_later(self);
    else
        s_fail_unfit(self, why);
}
