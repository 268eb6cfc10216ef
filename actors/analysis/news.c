/* SPDX-License-Identifier: MPL-2.0
 *
 * news - what an account is told of a new analysis
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/fingerprints.h"
#include "actors/analysis/news.h"
#include "actors/analysis/service.h"
#include "proto/json.h"

/* Kinds of events are named as the topics are. */
static const char *s_finished(void)
{
    return topic_row(TOPIC_ANALYSIS_FINISHED)->prefix;
}

static const char *s_regressed(void)
{
    return topic_row(TOPIC_ANALYSIS_REGRESSED)->prefix;
}

/* ---- finished -------------------------------------------------------------------------------- */

static void s_pack_finished(pack_t *pack, const char *account, const brief_t *brief)
{
    int64_t issues = 0;
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        issues += brief->by_severity[s];
    pack_map(pack, 10);
    pack_pair_text(pack, "id", brief->id);
    pack_pair_text(pack, "workflow_id", brief->workflow_id);
    pack_pair_text(pack, "name", brief->name);
    pack_pair_text(pack, "account", account);
    pack_pair_text(pack, "kind", brief->kind);
    pack_pair_text(pack, "profile", brief->profile);
    pack_pair_int(pack, "score", brief->score);
    pack_pair_text(pack, "grade", brief->grade);
    pack_pair_int(pack, "issues", issues);
    reply_severities(pack, brief->by_severity);
}

/* ---- regressed ------------------------------------------------------------------------------- */

typedef struct {
    const brief_t *before;
    bool is_baseline; /* that one is pinned; else it is the version before */
    int64_t new_issues[SEVERITY_COUNT];
} regression_t;

static bool s_is_worse(const regression_t *self, const brief_t *now)
{
    return now->score < self->before->score || self->new_issues[SEVERITY_CRITICAL] > 0 ||
           self->new_issues[SEVERITY_ERROR] > 0;
}

static void s_pack_regressed(pack_t *pack, const news_of_t *of, const regression_t *regression)
{
    const brief_t *now = of->brief, *before = regression->before;
    pack_map(pack, 11);
    pack_pair_text(pack, "id", now->id);
    pack_pair_text(pack, "workflow_id", now->workflow_id);
    pack_pair_text(pack, "name", now->name);
    pack_pair_text(pack, "account", of->account);
    pack_pair_text(pack, "kind", now->kind);
    pack_pair_text(pack, "profile", now->profile);
    pack_pair_int(pack, "score", now->score);
    pack_pair_text(pack, "grade", now->grade);
    pack_pair_int(pack, "score_change", now->score - before->score);
    pack_text(pack, "before");
    pack_map(pack, 4);
    pack_pair_text(pack, "id", before->id);
    pack_pair_int(pack, "score", before->score);
    pack_pair_text(pack, "grade", before->grade);
    pack_pair_bool(pack, "baseline", regression->is_baseline);
    pack_text(pack, "new_issues");
    pack_map(pack, SEVERITY_COUNT);
    for (severity_t s = SEVERITY_COUNT; s-- > 0;)
        pack_pair_int(pack, severity_name(s), regression->new_issues[s]);
}

static const value_t *s_tree(arena_t *arena, const uint8_t *bytes, size_t size)
{
    value_verdict_t verdict;
    return bytes ? value_parse(arena, bytes, size, VALUE_LIMITS, &verdict) : NULL;
}

/* ---- both ------------------------------------------------------------------------------------ */

static void s_add(news_t *self, arena_t *arena, const news_of_t *of, const char *type,
                  const buf_t *packed)
{
    buf_t json = { 0 };
    json_write(s_tree(arena, packed->bytes, packed->size), &json);
    self->events[self->count++] =
        (outbox_event_t){ .id = arena_format(arena, "%s-%s", type, of->brief->id),
                          .account = of->account,
                          .type = type,
                          .at_ms = of->brief->created_ms,
                          .data = arena_text(arena, json.bytes, json.size) };
    buf_free(&json);
}

static void s_add_finished(news_t *self, arena_t *arena, const news_of_t *of)
{
    buf_t packed = { 0 };
    pack_t pack;
    pack_init(&pack, &packed);
    s_pack_finished(&pack, of->account, of->brief);
    s_add(self, arena, of, s_finished(), &packed);
    buf_free(&packed);
}

static db_status_t s_add_regressed(news_t *self, call_t *call, const news_of_t *of)
{
    const stored_t *stored;
    arena_t *arena = call_arena(call);
    const measured_t newest = { .account = of->account,
                                .workflow_id = of->brief->workflow_id,
                                .profile = of->brief->profile,
                                .at = CURSOR_START };
    db_status_t status = store_get_reference(call_db(call), arena, &newest, &stored);
    if (status != DB_OK || !stored)
        return status;
    regression_t regression = { .before = &stored->brief, .is_baseline = stored->pinned_ms != 0 };
    const value_t *before =
        s_tree(arena, unsqueeze(arena, &stored->result, STORE_RESULT_BYTES), stored->result.full);
    const value_t *after = s_tree(arena, of->result->bytes, of->result->size);
    if (before)
        fingerprints_count_new(arena, before, after, regression.new_issues);
    if (!s_is_worse(&regression, of->brief))
        return DB_OK;
    buf_t packed = { 0 };
    pack_t pack;
    pack_init(&pack, &packed);
    s_pack_regressed(&pack, of, &regression);
    s_add(self, arena, of, s_regressed(), &packed);
    buf_free(&packed);
    return DB_OK;
}

db_status_t news_gather(news_t *self, call_t *call, outbox_t *outbox, const news_of_t *of)
{
    self->count = 0;
    if (outbox_wants(outbox, of->account, s_finished()))
        s_add_finished(self, call_arena(call), of);
    if (outbox_wants(outbox, of->account, s_regressed()))
        return s_add_regressed(self, call, of);
    return DB_OK;
}

void news_tell(const news_t *self, call_t *call, outbox_t *outbox, const news_of_t *of)
{
    buf_t body = { 0 };
    pack_t pack;
    json_error_t error;
    pack_init(&pack, &body);
    s_pack_finished(&pack, of->account, of->brief);
    actor_publish(call_actor(call), s_finished(), false, &body);
    for (size_t i = 0; i < self->count; i++) {
        const outbox_event_t *event = &self->events[i];
        outbox_send(outbox, event);
        if (strcmp(event->type, s_regressed()) != 0)
            continue;
        bool good =
            json_to_msgpack(event->data, strlen(event->data), VALUE_LIMITS, 0, &body, &error);
        insist(good); /* we wrote it */
        actor_publish(call_actor(call), event->type, false, &body);
    }
}
