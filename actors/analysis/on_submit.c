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

#include "actors/analysis/service.h"
#include "actors/base/clock.h"

#define NAMED_ID_BYTES 8 /* shorter ids of documents are counted up by each installation anew */

typedef struct {
    call_t *call;
    const value_t *document;
    analysis_options_t options;
    const char *account;
    const char *name;                /* NULL: nothing says */
    uint8_t key[ANALYSIS_KEY_BYTES]; /* of content and name */
    char workflow_id[ID_UUID_SIZE];
} submission_t;

static bool s_fail_unfit(const submission_t *self, const char *why)
{
    service_count_end(self->call, "unfit");
    call_fail(self->call, ERROR_UNPROCESSABLE, "%s", why);
    return false;
}

/* ---- what it is --------------------------------------------------------------------------------
 */

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
    const char *own = call_text(self->call, "name"), *tie;
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
    const char *kind = call_text(self->call, "kind");
    self->document = value_get(call_request(self->call), "workflow");
    const analyser_t *analyser =
        kind ? analyser_named(slice_literal(kind)) : analyser_detected(self->document);
    self->options = (analysis_options_t){
        .kind = analyser ? analyser->kind : kind,
        .profile = call_text(self->call, "profile"),
    };
    if (analysis_key(call_arena(self->call), self->document, &self->options, content, why) !=
        ANALYSIS_DONE)
        return s_fail_unfit(self, why);
    self->account = service_account(self->call);
    s_identify(self, content);
    return true;
}

/* ---- known already -----------------------------------------------------------------------------
 */

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
    reply_analysis(call_pack(self->call), &found->brief, REPEATED_YES, result, found->result.full);
    call_reply(self->call, 200);
    return true;
}

/* ---- analysing ---------------------------------------------------------------------------------
 */

static bool s_proceed(void *context, unsigned done, unsigned total)
{
    const call_t *call = context;
    (void)done;
    (void)total;
    return !call_is_cancelled(call) && call_left_ms(call) > 0;
}

static bool s_run(submission_t *self, analysis_result_t *result)
{
    uint64_t start = clock_us();
    self->options.proceed = s_proceed;
    self->options.context = self->call;
    analysis_verdict_t verdict =
        analysis_run(call_arena(self->call), self->document, &self->options, result);
    stats_record(actor_stats(call_actor(self->call)), ANALYSIS_RUN_TIME, clock_us() - start);
    if (verdict == ANALYSIS_DONE)
        return true;
    if (verdict == ANALYSIS_REFUSED)
        return s_fail_unfit(self, result->why);
    service_count_end(self->call, "aborted");
    if (call_is_cancelled(self->call))
        call_fail(self->call, ERROR_CANCELLED, "The caller gave the analysis up");
    else
        call_fail(self->call, ERROR_DEADLINE, "The analysis took longer than the caller waits");
    return false;
}

/* ---- storing -----------------------------------------------------------------------------------
 */

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
        reply_analysis(call_pack(self->call), brief, REPEATED_NO, answer->bytes, answer->size);
        call_reply(self->call, 201);
    }
}

void on_submit(call_t *call, void *self)
{
    submission_t submission = { .call = call };
    analysis_result_t result;
    buf_t answer = { 0 }, sketch = { 0 };
    pack_t pack;
    (void)self;
    if (!s_read(&submission) || s_answer_stored(&submission) || !s_run(&submission, &result))
        return;
    pack_init(&pack, &answer);
    result_write(&result, &pack);
    s_store(&submission, &result, &answer, &sketch);
    buf_free(&answer);
    buf_free(&sketch);
}
