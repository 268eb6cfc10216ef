/* SPDX-License-Identifier: MPL-2.0
 *
 * Events in the outbox of a service: taken, refused for good, or left for later. The webhook
 * service is played here. How events outlive those who hand them over is in
 * tests/it/webhook_events.py.
 */
#include "config.h"

#include "actors/runtime/outbox.h"
#include "proto/webhook.h"
#include "tests/kit/beside.h"
#include "tests/unit/analysis_stage.h"

static const db_sql_t s_waiting = { "test.waiting", "SELECT count(*) AS n FROM outbox", NULL };

/* What it answers, and what it was told. */
static struct {
    _Atomic error_code_t failure;
    atomic_int calls;
    char id[80], account[80], type[80];
    int64_t score;
} s_web;

static void s_copy(char to[80], const char *text)
{
    snprintf(to, 80, "%s", text);
}

static void s_on_publish(call_t *call, void *self)
{
    (void)self;
    s_copy(s_web.id, call_text(call, "id"));
    s_copy(s_web.account, call_text(call, "account"));
    s_copy(s_web.type, call_text(call, "type"));
    s_web.score = value_get_int(value_get(call_request(call), "data"), "score", -1);
    const error_code_t failure = s_web.failure;
    atomic_fetch_add(&s_web.calls, 1);
    if (failure != ERROR_NONE) {
        call_fail(call, failure, "As the test wants it");
        return;
    }
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "deliveries", 1);
    pack_pair_bool(call_pack(call), "duplicate", false);
    call_reply(call, 0);
}

typedef struct {
    stage_t stage;
    beside_t webhook;
} outbox_stage_t;

static void s_open(outbox_stage_t *self)
{
    memset(&s_web, 0, sizeof s_web);
    *self = (outbox_stage_t){ 0 };
    stage_open(&self->stage);
    beside_play(&self->webhook, &self->stage, &webhook_service, &webhook_publish, s_on_publish);
}

static void s_close(outbox_stage_t *self)
{
    beside_stop(&self->webhook);
    stage_close(&self->stage);
}

/* Whether a counter comes to be `wanted`. */
static bool s_reaches(const outbox_stage_t *self, outbox_stat_t row, int64_t wanted)
{
    const analysis_stat_t at = (analysis_stat_t)(ANALYSIS_OUTBOX + row);
    for (int i = 0; i < BUS_PATIENCE_S * 100 && stage_count(&self->stage, at) != wanted; i++)
        clock_sleep_ms(10);
    return stage_count(&self->stage, at) == wanted;
}

static bool s_is_empty(const outbox_stage_t *self)
{
    for (int i = 0; i < BUS_PATIENCE_S * 100 && place_number(stage_db(&self->stage), &s_waiting);
         i++)
        clock_sleep_ms(10);
    return place_number(stage_db(&self->stage), &s_waiting) == 0;
}

static void test_taken(void)
{
    outbox_stage_t stage;
    s_open(&stage);
    const char *id = stage_new(&stage.stage, "acme", "flow", 2);
    ok(s_reaches(&stage, OUTBOX_TOLD, 1));
    is_text(s_web.id, arena_format(&stage.stage.arena, "analysis.finished-%s", id));
    is_text(s_web.account, "acme");
    is_text(s_web.type, "analysis.finished");
    ok(s_web.score >= 0);
    ok_named(s_is_empty(&stage), "what was taken is deleted");
    is_int(atomic_load(&s_web.calls), 1);
    s_close(&stage);
}

static void test_refused(void)
{
    outbox_stage_t stage;
    s_open(&stage);
    s_web.failure = ERROR_TOO_LARGE;
    stage_new(&stage.stage, "acme", "flow", 2);
    ok(s_reaches(&stage, OUTBOX_GIVEN_UP, 1));
    ok_named(s_is_empty(&stage), "what will never be taken is deleted, too");
    s_close(&stage);
}

static void test_later(void)
{
    outbox_stage_t stage;
    s_open(&stage);
    s_web.failure = ERROR_UNAVAILABLE;
    stage_new(&stage.stage, "acme", "flow", 2);
    ok(s_reaches(&stage, OUTBOX_NOT_TOLD, 1));
    is_int(place_number(stage_db(&stage.stage), &s_waiting), 1);
    s_web.failure = ERROR_NONE;
    ok_named(s_reaches(&stage, OUTBOX_TOLD, 1), "what was left is told later");
    ok(s_is_empty(&stage));
    s_close(&stage);
}

DATABASE_TESTS({ "taken", test_taken }, { "refused", test_refused }, { "later", test_later })
