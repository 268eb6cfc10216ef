/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_stage - the analysis service on a stage (tests/kit/stage.h), and accounts that call
 */
#ifndef SIGNALBOX_ANALYSIS_STAGE_H
#define SIGNALBOX_ANALYSIS_STAGE_H

#include "actors/analysis/service.h"
#include "tests/kit/stage.h"

static inline void stage_open(stage_t *self)
{
    stage_prepare(self, &analysis_actor);
    /* kept for ever: tests date rows back, which the actor's own tick would purge */
    *(analysis_settings_t *)self->spec.settings_target = (analysis_settings_t){ 0 };
    stage_start(self, 0);
}

/* A counter over all instances. */
static inline int64_t stage_count(const stage_t *self, analysis_stat_t row)
{
    int64_t sum = 0;
    for (size_t i = 0; i < STAGE_ACTORS; i++)
        if (self->actors[i])
            sum += stats_get(actor_stats(self->actors[i]), row);
    return sum;
}

/* Submissions that ended like this, over all instances and tiers. */
static inline int64_t stage_ended(const stage_t *self, const char *status)
{
    int64_t sum = 0;
    for (size_t i = 0; i < STAGE_ACTORS; i++) {
        family_t *family =
            self->actors[i] ? actor_stats(self->actors[i])->families[ANALYSIS_ENDED] : NULL;
        size_t slot = 0;
        for (series_t *at; family && (at = family_next(family, &slot));)
            sum += strcmp(at->labels[1], status) == 0 ? series_get(at) : 0;
    }
    return sum;
}

/* Calls for an account of a tier; NULL is a service that calls for itself. The arena is the
 * caller's, so that several threads can call. */
static inline reply_t stage_call_as(stage_t *self, arena_t *arena, const char *account,
                                    const char *tier, const char *method, const char *json)
{
    principal_t who = { 0 };
    if (account) {
        text_copy(who.account, sizeof who.account, account, strlen(account));
        text_copy(who.tier, sizeof who.tier, tier, strlen(tier));
    }
    return stage_call_in(self, arena, account ? &who : NULL, method, json);
}

static inline reply_t stage_call(stage_t *self, const char *account, const char *method,
                                 const char *json)
{
    return stage_call_as(self, &self->arena, account, "free", method, json);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* A workflow of the plain kind: a schedule and `steps` steps behind each other. */
static inline const char *stage_chain(stage_t *self, const char *name, int steps)
{
    buf_t text = { 0 };
    buf_printf(&text, "{\"name\":\"%s\",\"nodes\":[{\"id\":\"s0\",\"type\":\"schedule\"}", name);
    for (int i = 1; i <= steps; i++)
        buf_printf(&text, ",{\"id\":\"s%d\",\"type\":\"transform\",\"name\":\"Step %d\"}", i, i);
    buf_add_text(&text, "],\"edges\":[");
    for (int i = 1; i <= steps; i++)
        buf_printf(&text, "%s{\"from\":\"s%d\",\"to\":\"s%d\"}", i > 1 ? "," : "", i - 1, i);
    buf_add_text(&text, "]}");
    const char *chain = arena_text(&self->arena, text.bytes, text.size);
    buf_free(&text);
    return chain;
}

/* Submits a document with more members of the request, such as ",\"profile\":\"gate\"". */
static inline reply_t stage_submit(stage_t *self, const char *account, const char *document,
                                   const char *more)
{
    return stage_call(self, account, "submit",
                      arena_format(&self->arena, "{\"workflow\":%s%s}", document, more));
}

/* A request that names one thing by its id. */
static inline const char *stage_id(stage_t *self, const char *id)
{
    return arena_format(&self->arena, "{\"id\":\"%s\"}", id);
}

/* Pins an analysis as the baseline of its workflow. */
static inline void stage_pin(stage_t *self, const char *account, const char *workflow,
                             const char *analysis)
{
    reply_t reply = stage_call(
        self, account, "baseline_put",
        arena_format(&self->arena, "{\"id\":\"%s\",\"analysis_id\":\"%s\"}", workflow, analysis));
    is_int(reply.code, ERROR_NONE);
}

/* Submits a chain, which has to be new; the id of the analysis. */
static inline const char *stage_new(stage_t *self, const char *account, const char *name, int steps)
{
    reply_t reply = stage_submit(self, account, stage_chain(self, name, steps), "");
    is_int(reply.status, 201);
    return stage_text(self, reply.body, "id");
}

/* A file of the fixtures. */
static inline const char *stage_fixture(stage_t *self, const char *name)
{
    const char *srcdir = getenv("srcdir");
    FILE *file = fopen(
        arena_format(&self->arena, "%s/tests/fixtures/analysis/%s", srcdir ? srcdir : ".", name),
        "re");
    buf_t text = { 0 };
    if (!file)
        die("there is no fixture %s", name);
    for (size_t got = 1; got > 0; text.size += got)
        got = fread(buf_reserve(&text, 65536), 1, 65536, file);
    fclose(file);
    const char *copy = arena_text(&self->arena, text.bytes, text.size);
    buf_free(&text);
    return copy;
}

/* A stored analysis without content, for lists: number `n` is in its key and in its id. */
typedef struct {
    int n;
    const char *kind, *profile, *grade, *workflow, *occurs, *tier;
    int64_t created_ms, score;
} stage_row_t;

static inline const char *stage_uuid(stage_t *self, const char *head, int n)
{
    return arena_format(&self->arena, "%s-0000-7000-8000-%012d", head, n);
}

/* What a row leaves out is: of the kind and workflow "generic", without issues, of a free account.
 */
static inline new_analysis_t stage_analysis(stage_t *self, const char *account,
                                            const stage_row_t *row)
{
    static const uint8_t nothing[] = { 0x80 };
    const squeezed_t content = { .bytes = nothing, .size = 1, .full = 1 };
    uint8_t *key = arena_alloc(&self->arena, ANALYSIS_KEY_BYTES);
    put_u32(key, (uint32_t)row->n);
    return (new_analysis_t){
        .stored = { .brief = { .id = stage_uuid(self, "0000000a", row->n),
                               .workflow_id =
                                   row->workflow ? row->workflow : stage_uuid(self, "0000000b", 0),
                               .name = "Stored",
                               .kind = row->kind ? row->kind : "generic",
                               .profile = row->profile ? row->profile : "default",
                               .grade = row->grade ? row->grade : "A",
                               .created_ms = row->created_ms,
                               .score = row->score },
                    .result = content,
                    .sketch = content },
        .account = account,
        .key = key,
        .tier = row->tier ? row->tier : "free",
        .occurs = row->occurs ? row->occurs : "[]",
    };
}

static inline const char *stage_store(stage_t *self, const char *account, const stage_row_t *row)
{
    new_analysis_t analysis = stage_analysis(self, account, row);
    store_add(stage_db(self), (new_analysis_t *[]){ &analysis }, 1);
    if (analysis.status != DB_OK || !analysis.is_added)
        die("row %d cannot be stored", row->n);
    return analysis.stored.brief.id;
}

/* Runs a statement with the parameter $id behind the service's back, as an operator might. */
static inline void stage_tamper(stage_t *self, const db_sql_t *sql, const char *id)
{
    is_int(DB_WRITE_ONE(stage_db(self), sql, NULL, DB_P_TEXT("id", id)), DB_OK);
}

#endif
