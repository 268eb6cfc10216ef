/* SPDX-License-Identifier: MPL-2.0
 *
 * on_submit - a workflow comes in: known already, or analysed and stored
 *
 * The key is worked out first and looked up with one indexed read, so that what was analysed before
 * is not analysed again. It is also what makes a table of idempotency keys needless: a submission
 * sent twice is the same content, and the content decides. Two at the same time both analyse, one
 * of them is stored, and both are answered with that one.
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/later.h"
#include "actors/analysis/service.h"
#include "actors/base/clock.h"
#include "proto/value_pack.h"

#define NAMED_ID_BYTES 8 /* shorter ids of documents are counted up by each installation anew */

typedef struct {
    call_t *call;
    const value_t *request; /* workflow, kind, profile, name */
    const char *waiting;    /* the kept submission that a job runs; NULL: it came with the call */
    const value_t *document;
    analysis_options_t options;
    const char *account;
    const char *name;                /* NULL: nothing says */
    uint8_t key[ANALYSIS_KEY_BYTES]; /* of content and name */
    char workflow_id[ID_UUID_SIZE];
    uint64_t patient_until_us; /* then it is handed to a job; 0: never */
    bool is_answered;          /* by the job that it was handed to */
} submission_t;

static bool s_fail_unfit(const submission_t *self, const char *why)
{
    service_count_end(self->call, "unfit");
    call_fail(self->call, ERROR_UNPROCESSABLE, "%s", why);
    return false;
}

/* ---- what it is ------------------------------------------------------------------------------ */

/* BLAKE2b over texts that are told apart by the NUL behind each. */
static void s_hash(uint8_t hash[ANALYSIS_KEY_BYTES], const char *const *texts, size_t count,
                   const uint8_t *key)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, key ? ANALYSIS_KEY_BYTES : 0, ANALYSIS_KEY_BYTES);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, (const uint8_t *)texts[i], strlen(texts[i]) + 1);
    crypto_generichash_final(&state, hash, ANALYSIS_KEY_BYTES);
}

static const char *s_clean(arena_t *arena, slice_t text)
{
    char room[SLICE_CLEAN_BYTES];
    slice_t clean = slice_clean(text, room);
    return arena_text(arena, clean.text, clean.size);
}

/* What ties versions together: the caller's own name for the workflow, or the document's id, or its
 * name. A document without any of them is tied to nothing but itself, so its content is its name.
 */
static void s_identify(submission_t *self, const uint8_t content[ANALYSIS_KEY_BYTES])
{
    char hex[2 * ANALYSIS_KEY_BYTES + 1];
    arena_t *arena = call_arena(self->call);
    const char *own = value_dup_text(arena, self->request, "name"), *tie;
    slice_t id, name;
    analyser_identify(analyser_named(slice_literal(self->options.kind)), self->document, &id,
                      &name);
    if (own)
        name = slice_literal(own);
    self->name = name.size ? s_clean(arena, name) : NULL;
    if (own)
        tie = arena_format(arena, "own %s", own);
    else if (id.size >= NAMED_ID_BYTES)
        tie = arena_format(arena, "id %s", s_clean(arena, id));
    else if (self->name)
        tie = arena_format(arena, "name %s", self->name);
    else
        tie = arena_format(arena, "content %s", id_hex(content, ANALYSIS_KEY_BYTES, hex));

    uint8_t hash[ANALYSIS_KEY_BYTES];
    const char *const whose[] = { self->account, self->options.kind, tie };
    s_hash(hash, whose, COUNT_OF(whose), NULL);
    id_uuid8(hash, self->workflow_id);
    s_hash(self->key, &tie, 1, content);
}

/* False: the call has been answered. */
static bool s_read(submission_t *self)
{
    uint8_t content[ANALYSIS_KEY_BYTES];
    char why[ANALYSIS_WHY_SIZE];
    arena_t *arena = call_arena(self->call);
    const char *kind = value_dup_text(arena, self->request, "kind");
    const char *profile = value_dup_text(arena, self->request, "profile");
    self->document = value_get(self->request, "workflow");
    const analyser_t *analyser =
        kind ? analyser_named(slice_literal(kind)) : analyser_detected(self->document);
    self->options = (analysis_options_t){
        .kind = analyser ? analyser->kind : kind,
        .profile = profile ? profile : "default",
    };
    if (analysis_key(arena, self->document, &self->options, content, why) != ANALYSIS_DONE)
        return s_fail_unfit(self, why);
    self->account = service_account(self->call);
    s_identify(self, content);
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* To a caller all of it, to a job in brief; the kept submission is needed no more. */
static void s_reply(const submission_t *self, const brief_t *brief, repeated_t repeated,
                    const uint8_t *result, size_t size)
{
    pack_t *pack = call_pack(self->call);
    if (!self->waiting) {
        reply_analysis(pack, brief, repeated, result, size);
        call_reply(self->call, repeated == REPEATED_YES ? 200 : 201);
        return;
    }
    db_status_t status = store_end_submission(call_db(self->call), self->waiting, brief->id);
    if (status != DB_OK) {
        call_fail_db(self->call, status);
        return;
    }
    reply_brief(pack, brief);
    call_reply(self->call, 0);
}

/* ---- known already --------------------------------------------------------------------------- */

/* True when it was, and the call has been answered; also when the database failed. */
static bool s_answer_stored(submission_t *self)
{
    const stored_t *found;
    db_status_t status =
        store_find(call_db(self->call), call_arena(self->call), self->account, self->key, &found);
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
    s_reply(self, &found->brief, REPEATED_YES, result, found->result.full);
    return true;
}

/* ---- later ----------------------------------------------------------------------------------- */

static bool s_hand_over(submission_t *self, later_t *result)
{
    pack_t pack;
    buf_t request = { 0 };
    char hex[2 * ANALYSIS_KEY_BYTES + 1];
    pack_init(&pack, &request);
    value_pack(self->request, &pack);
    self->is_answered = later(self->call, self->account, &request,
                              id_hex(self->key, ANALYSIS_KEY_BYTES, hex), result);
    buf_free(&request);
    if (!self->is_answered)
        return false;
    service_count_end(self->call, "handed_over");
    pack_map(call_pack(self->call), 1);
    pack_pair_int(call_pack(self->call), "job_id", result->job_id);
    return true;
}

/* The caller wants it later: without a job there is nothing. */
static void s_answer_later(submission_t *self)
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
    submission_t *self = context;
    later_t result;
    if (self->waiting)
        call_progress(self->call, total ? done * 100 / total : 0, NULL);
    if (self->patient_until_us && clock_us() > self->patient_until_us) {
        self->patient_until_us = 0; /* once: if nobody takes it, it is finished here */
        if (s_hand_over(self, &result))
            return false;
    }
    return !call_is_cancelled(self->call) && call_left_ms(self->call) > 0;
}

static bool s_run(submission_t *self, analysis_result_t *result)
{
    uint64_t start = clock_us();
    self->options.proceed = s_proceed;
    self->options.context = self;
    analysis_verdict_t verdict =
        analysis_run(call_arena(self->call), self->document, &self->options, result);
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

static squeezed_t s_sketch(submission_t *self, const analysis_result_t *result, buf_t *bytes)
{
    sketch_t sketch;
    pack_t pack;
    pack_init(&pack, bytes);
    sketch_make(&sketch, call_arena(self->call), result);
    sketch_write(&sketch, &pack);
    return s_squeeze(call_arena(self->call), bytes);
}

static brief_t s_brief(const submission_t *self, const analysis_result_t *result, const char *id)
{
    arena_t *arena = call_arena(self->call);
    brief_t brief = {
        .id = id,
        .workflow_id = self->workflow_id,
        .name = self->name,
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

static void s_publish(const submission_t *self, const brief_t *brief)
{
    buf_t body = { 0 };
    pack_t pack;
    int64_t issues = 0;
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        issues += brief->by_severity[s];
    pack_init(&pack, &body);
    pack_map(&pack, 9);
    pack_pair_text(&pack, "id", brief->id);
    pack_pair_text(&pack, "workflow_id", brief->workflow_id);
    pack_pair_text(&pack, "account", self->account);
    pack_pair_text(&pack, "kind", brief->kind);
    pack_pair_text(&pack, "profile", brief->profile);
    pack_pair_int(&pack, "score", brief->score);
    pack_pair_text(&pack, "grade", brief->grade);
    pack_pair_int(&pack, "issues", issues);
    reply_severities(&pack, brief->by_severity);
    actor_publish(call_actor(self->call), topic_row(TOPIC_ANALYSIS_FINISHED)->prefix, false, &body);
}

/* Somebody else's submission of the same was stored first. That one may be deleted again before we
 * read it, but not for ever. */
static void s_answer_other(submission_t *self)
{
    if (!s_answer_stored(self))
        call_fail(self->call, ERROR_UNAVAILABLE,
                  "The same workflow was stored and deleted meanwhile; submit it again");
}

static void s_store(submission_t *self, const analysis_result_t *result, const buf_t *answer,
                    buf_t *sketch)
{
    char id[ID_UUID_SIZE];
    bool added;
    arena_t *arena = call_arena(self->call);
    const new_analysis_t analysis = {
        .stored = { .brief = s_brief(self, result, id_uuid7(id)),
                    .result = s_squeeze(arena, answer),
                    .sketch = s_sketch(self, result, sketch) },
        .account = self->account,
        .key = self->key,
        .tier = service_tier(self->call),
        .occurs = s_occurs(result, arena),
    };
    const brief_t *brief = &analysis.stored.brief;
    db_status_t status = store_add(call_db(self->call), &analysis, &added);
    if (status != DB_OK) {
        call_fail_db(self->call, status);
    } else if (!added) {
        s_answer_other(self);
    } else {
        service_count_end(self->call, "completed");
        service_count_issues(self->call, result);
        s_publish(self, brief);
        s_reply(self, brief, REPEATED_NO, answer->bytes, answer->size);
    }
}

static void s_submit(submission_t *self)
{
    analysis_result_t result;
    buf_t answer = { 0 }, sketch = { 0 };
    pack_t pack;
    if (!s_run(self, &result))
        return;
    pack_init(&pack, &answer);
    result_write(&result, &pack);
    s_store(self, &result, &answer, &sketch);
    buf_free(&answer);
    buf_free(&sketch);
}

void on_submit(call_t *call, void *self)
{
    submission_t submission = { .call = call,
                                .request = call_request(call),
                                .patient_until_us = service_patient_until_us() };
    (void)self;
    if (!s_read(&submission) || s_answer_stored(&submission))
        return;
    if (call_bool(call, "respond_async"))
        s_answer_later(&submission);
    else
        s_submit(&submission);
}

/* ---- a job ----------------------------------------------------------------------------------- */

/* What an earlier run has stored already. */
static void s_answer_ended(call_t *call, const char *analysis_id)
{
    const stored_t *stored;
    db_status_t status =
        store_get(call_db(call), call_arena(call), service_account(call), analysis_id, &stored);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!stored) {
        call_fail(call, ERROR_NOT_FOUND, "The analysis has been deleted");
    } else {
        reply_brief(call_pack(call), &stored->brief);
        call_reply(call, 0);
    }
}

/* NULL: the call has been answered. */
static const value_t *s_require_kept(call_t *call, const kept_t *waiting)
{
    value_verdict_t verdict;
    const uint8_t *bytes = unsqueeze(call_arena(call), &waiting->request, STORE_RESULT_BYTES);
    const value_t *request =
        bytes ? value_parse(call_arena(call), bytes, waiting->request.full, VALUE_LIMITS, &verdict)
              : NULL;
    if (!request)
        call_fail(call, ERROR_INTERNAL, "The kept submission cannot be read");
    return request;
}

void on_run_later(call_t *call, void *self)
{
    const kept_t *waiting;
    submission_t submission = { .call = call, .waiting = call_text(call, "submission") };
    db_status_t status = store_get_submission(call_db(call), call_arena(call),
                                              service_account(call), submission.waiting, &waiting);
    (void)self;
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!waiting) {
        call_fail(call, ERROR_NOT_FOUND, "The submission is not kept any more");
    } else if (waiting->analysis_id) {
        s_answer_ended(call, waiting->analysis_id);
    } else {
        submission.request = s_require_kept(call, waiting);
        if (submission.request && s_read(&submission) && !s_answer_stored(&submission))
            s_submit(&submission);
    }
}
