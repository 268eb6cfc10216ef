/* SPDX-License-Identifier: MPL-2.0
 *
 * The limiter on a real bus in one process, once on each database: its methods, what outlives a
 * restart, and instances that come and go.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/limiter/limiter.h"
#include "tests/kit/bus.h"
#include "tests/kit/database.h"
#include "tests/kit/described.h"

#define ACTORS 3

typedef struct {
    bus_t bus;
    place_t place;
    actor_settings_t settings[ACTORS];
    actor_config_t config[ACTORS];
    actor_t *actors[ACTORS];
    arena_t arena;
} stage_t;

static void s_start(stage_t *stage, size_t i)
{
    static const char *const names[ACTORS] = { "limiter-1", "limiter-2", "limiter-3" };
    char why[300];
    bus_presets(actor_setting_rows, &stage->settings[i]);
    stage->settings[i].instance = names[i];
    stage->config[i] = (actor_config_t){ .actor = &stage->settings[i],
                                         .bus = &stage->bus.bus,
                                         .storage = &stage->place.settings };
    stage->actors[i] = actor_start(stage->bus.context, &limiter_actor, &stage->config[i],
                                   DB_MIGRATE_APPLY, why, sizeof why);
    if (!stage->actors[i])
        die("%s", why);
}

static void s_open(stage_t *stage)
{
    *stage = (stage_t){ 0 };
    place_make(&stage->place);
    memcpy(stage->place.service, "limiter", sizeof "limiter");
    bus_presets(limiter_actor.settings, limiter_actor.settings_target);
    bus_open(&stage->bus, NULL);
    s_start(stage, 0);
}

static void s_close(stage_t *stage)
{
    for (size_t i = 0; i < ACTORS; i++)
        actor_stop(&stage->actors[i]);
    ok(bus_balance(&stage->bus));
    bus_close(&stage->bus);
    place_remove(&stage->place);
    arena_free(&stage->arena);
}

/* Calls with a body of JSON; the answer as a tree, NULL when it failed with `code`. */
static const value_t *s_call(stage_t *stage, const char *method, const char *json,
                             error_code_t code)
{
    outcome_t outcome;
    value_verdict_t verdict;
    buf_t body = described_pack(json);
    const value_t *request =
        value_parse(&stage->arena, body.bytes, body.size, VALUE_LIMITS, &verdict);
    const char *subject = value_dup_text(&stage->arena, request, "subject");
    client_request_t message = { .service = "limiter", .method = method };
    uint8_t *copy = arena_alloc(&stage->arena, body.size + 1);
    memcpy(copy, body.bytes, body.size);
    message.body = &body;
    if (subject) {
        message.flags = FRAME_ROUTE_KEY;
        message.route_key = limiter_route_key(subject);
    }
    bus_send(stage->bus.client, &outcome, message);
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, code);
    if (outcome.code != ERROR_NONE) {
        if (outcome.code != code)
            note("%s: %s", json, outcome.detail);
        return NULL;
    }
    uint8_t *answer = arena_alloc(&stage->arena, outcome.size + 1);
    memcpy(answer, outcome.body, outcome.size);
    return value_parse(&stage->arena, answer, outcome.size, VALUE_LIMITS, &verdict);
}

/* What is left of the first policy after a take; -1 when it is refused. */
static int64_t s_take(stage_t *stage, const char *json)
{
    const value_t *answer = s_call(stage, "take", json, ERROR_NONE);
    const value_t *standing = value_item(value_get(answer, "policies"), 0);
    return value_get_bool(answer, "allowed", false) ? value_get_int(standing, "remaining", -2) : -1;
}

/* ---- methods --------------------------------------------------------------------------------- */

static void test_take(void)
{
    stage_t stage;
    s_open(&stage);
    for (int64_t left = 4; left >= -1; left--)
        is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), left);
    const value_t *answer =
        s_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"free\",\"auth.failures\"]}",
               ERROR_NONE);
    ok(!value_get_bool(answer, "allowed", true));
    ok(value_is(value_get(answer, "refused_by"), "auth.failures"));
    is_int(value_get_int(answer, "retry_at_ms", 0) > clock_wall_ms(), true);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":3}"), 17);
    is_int(s_take(&stage, "{\"subject\":\"b\",\"policies\":[\"auth.failures\"]}"), 4);
    s_close(&stage);
}

static void test_refusals(void)
{
    static const struct {
        const char *method, *json;
        error_code_t code;
    } cases[] = {
        { "take", "{\"subject\":\"a\",\"policies\":[\"nobody\"]}", ERROR_NOT_FOUND },
        { "peek", "{\"subject\":\"a\",\"policies\":[\"nobody\"]}", ERROR_NOT_FOUND },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\",\"free\"]}", ERROR_BAD_REQUEST },
        { "take", "{\"subject\":\"a\",\"policies\":[]}", ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"\",\"policies\":[\"free\"]}", ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":0}",
          ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":1001}",
          ERROR_VALIDATION_FAILED },
        { "refund", "{\"subject\":\"a\",\"policies\":[\"free\"]}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"X\",\"limit\":1,\"window_ms\":1}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"x\",\"limit\":0,\"window_ms\":1}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"x\",\"limit\":1,\"window_ms\":1,\"algorithm\":\"gcra\"}",
          ERROR_UNPROCESSABLE },
        { "policy_set", "{\"name\":\"x\",\"limit\":1,\"window_ms\":1,\"burst\":2}",
          ERROR_UNPROCESSABLE },
        { "policy_delete", "{\"name\":\"x\"}", ERROR_NOT_FOUND },
    };
    stage_t stage;
    s_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        s_call(&stage, cases[i].method, cases[i].json, cases[i].code);
    s_close(&stage);
}

static void test_peek_and_refund(void)
{
    stage_t stage;
    char json[200];
    s_open(&stage);
    const value_t *answer =
        s_call(&stage, "peek", "{\"subject\":\"a\",\"policies\":[\"free\"]}", ERROR_NONE);
    is_int(value_get_int(value_item(value_get(answer, "policies"), 0), "remaining", -1), 20);
    answer = s_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":5}",
                    ERROR_NONE);
    snprintf(json, sizeof json,
             "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":3,\"at_ms\":%lld}",
             (long long)value_get_int(answer, "at_ms", 0));
    answer = s_call(&stage, "refund", json, ERROR_NONE);
    is_int(value_get_int(answer, "refunded", -1), 3);
    answer = s_call(&stage, "refund", json, ERROR_NONE);
    is_int(value_get_int(answer, "refunded", -1), 2);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}"), 19);
    s_close(&stage);
}

static void test_lease(void)
{
    stage_t stage;
    s_open(&stage);
    const value_t *answer = s_call(
        &stage, "take", "{\"subject\":\"a\",\"policies\":[\"pro\"],\"lease\":10}", ERROR_NONE);
    const value_t *lease = value_get(answer, "lease");
    is_int(value_get_int(lease, "count", 0), 10);
    is_int(value_get_int(lease, "until_ms", 0) - value_get_int(answer, "at_ms", 0), 5000);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"pro\"]}"), 88);
    s_close(&stage);
}

static void test_top(void)
{
    stage_t stage;
    s_open(&stage);
    for (int i = 0; i < 7; i++)
        s_take(&stage, "{\"subject\":\"busy\",\"policies\":[\"auth.failures\"]}");
    s_take(&stage, "{\"subject\":\"idle\",\"policies\":[\"auth.failures\"]}");
    const value_t *answer = s_call(&stage, "top", "{\"limit\":1}", ERROR_NONE);
    const value_t *items = value_get(answer, "items"), *first = value_item(items, 0);
    is_int(items->count, 1);
    ok(value_is(value_get(answer, "instance"), "limiter-1"));
    ok(value_is(value_get(first, "subject"), "busy"));
    is_int(value_get_int(first, "count", 0), 7);
    is_int(value_get_int(first, "refused", 0), 2);
    s_close(&stage);
}

/* ---- policies -------------------------------------------------------------------------------- */

typedef struct {
    sem_t heard;
    int64_t version, policies;
} listener_t;

static void s_on_policies(void *arg, const client_event_t *event)
{
    listener_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    self->version = value_get_int(body, "version", -1);
    self->policies = value_get(body, "policies")->count;
    arena_free(&arena);
    sem_post(&self->heard);
}

static void test_policies_change(void)
{
    stage_t stage;
    listener_t listener = { 0 };
    s_open(&stage);
    sem_init(&listener.heard, 0, 0);
    client_subscribe(stage.bus.client, "limiter.policies", s_on_policies, &listener);
    ok(bus_wait(&listener.heard)); /* what was published before */
    is_int(listener.version, 1);
    int64_t before = listener.policies;
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":2}"), 18);
    s_call(&stage, "policy_set", "{\"name\":\"free\",\"limit\":5,\"window_ms\":60000}", ERROR_NONE);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}"), 2);
    s_call(
        &stage, "policy_set",
        "{\"name\":\"even\",\"limit\":60,\"window_ms\":60000,\"algorithm\":\"gcra\",\"burst\":3}",
        ERROR_NONE);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"even\"]}"), 2);
    s_call(&stage, "policy_delete", "{\"name\":\"enqueue\"}", ERROR_NONE);
    s_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"enqueue\"]}", ERROR_NOT_FOUND);
    while (listener.version < 4 && bus_wait(&listener.heard))
        ;
    is_int(listener.version, 4);
    is_int(listener.policies, before);
    actor_stop(&stage.actors[0]);
    s_start(&stage, 0); /* what was changed is kept */
    const value_t *answer = s_call(&stage, "policies", "{}", ERROR_NONE);
    is_int(value_get_int(answer, "version", 0), 4);
    is_int(value_get(answer, "policies")->count, before);
    is_int(s_take(&stage, "{\"subject\":\"new\",\"policies\":[\"free\"]}"), 4);
    s_close(&stage);
}

/* ---- restart --------------------------------------------------------------------------------- */

static void test_restart(void)
{
    stage_t stage;
    s_open(&stage);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"],\"cost\":4}"), 1);
    is_int(s_take(&stage, "{\"subject\":\"b \\\"q\\\" \\u00e9\",\"policies\":[\"free\",\"pro\"]}"),
           19);
    actor_stop(&stage.actors[0]);
    s_start(&stage, 0);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), 0);
    is_int(s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), -1);
    is_int(s_take(&stage, "{\"subject\":\"b \\\"q\\\" \\u00e9\",\"policies\":[\"pro\"]}"), 98);
    is_int(s_take(&stage, "{\"subject\":\"c\",\"policies\":[\"pro\"]}"), 99);
    s_close(&stage);
}

/* What is flushed is known without a last word: the row is there while the actor still runs. */
static void test_written_behind(void)
{
    static const db_sql_t count = { "test.count", "SELECT count(*) AS n FROM usage", NULL };
    stage_t stage;
    s_open(&stage);
    s_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}");
    int64_t rows = 0;
    for (int tries = 0; rows == 0 && tries < BUS_PATIENCE_S * 100; tries++) {
        rows = place_number(actor_db(stage.actors[0]), &count);
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    is_int(rows, 1);
    s_close(&stage);
}

/* ---- several instances: they share a database, so it is a server ------------------------------
 */

/* How many of 40 subjects have `left` left after another take. */
static int s_take_forty(stage_t *stage, int64_t left)
{
    char json[100];
    int good = 0;
    for (int i = 0; i < 40; i++) {
        snprintf(json, sizeof json, "{\"subject\":\"s%d\",\"policies\":[\"free\"]}", i);
        good += s_take(stage, json) == left;
    }
    return good;
}

static void test_instances_come_and_go(void)
{
    stage_t stage;
    if (!ON_POSTGRES)
        return;
    s_open(&stage);
    is_int(s_take_forty(&stage, 19), 40);
    s_start(&stage, 1); /* takes some of them over, and knows what was used */
    is_int(s_take_forty(&stage, 18), 40);
    s_start(&stage, 2);
    is_int(s_take_forty(&stage, 17), 40);
    actor_stop(&stage.actors[0]);
    is_int(s_take_forty(&stage, 16), 40);
    actor_stop(&stage.actors[2]);
    is_int(s_take_forty(&stage, 15), 40);
    s_start(&stage, 0);
    is_int(s_take_forty(&stage, 14), 40);
    s_close(&stage);
}

/* Each of the instances obeys a change that one of them was told. */
static void test_all_hear_of_a_change(void)
{
    stage_t stage;
    char json[100];
    if (!ON_POSTGRES)
        return;
    s_open(&stage);
    s_start(&stage, 1);
    s_start(&stage, 2);
    is_int(s_take_forty(&stage, 19), 40);
    s_call(&stage, "policy_set", "{\"name\":\"free\",\"limit\":1,\"window_ms\":60000}", ERROR_NONE);
    for (int i = 0; i < 40; i++) {
        snprintf(json, sizeof json, "{\"subject\":\"s%d\",\"policies\":[\"free\"]}", i);
        int64_t left = 0;
        for (int tries = 0; left != -1 && tries < BUS_PATIENCE_S * 100; tries++) {
            left = s_take(&stage, json);
            if (left != -1)
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        is_int(left, -1);
    }
    s_close(&stage);
}

DATABASE_TESTS({ "take", test_take }, { "refusals", test_refusals },
               { "peek_and_refund", test_peek_and_refund }, { "lease", test_lease },
               { "top", test_top }, { "policies_change", test_policies_change },
               { "restart", test_restart }, { "written_behind", test_written_behind },
               { "instances_come_and_go", test_instances_come_and_go },
               { "all_hear_of_a_change", test_all_hear_of_a_change })
