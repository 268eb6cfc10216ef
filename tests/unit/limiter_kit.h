/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter_kit - a stage for the limiter: a bus, a database, and up to three instances
 */
#ifndef SIGNALBOX_TEST_LIMITER_KIT_H
#define SIGNALBOX_TEST_LIMITER_KIT_H

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
    const client_settings_t
        *way; /* to the broker, of who starts from now on; NULL: the straight one */
    arena_t arena;
} stage_t;

static inline void stage_start(stage_t *stage, size_t i)
{
    static const char *const names[ACTORS] = { "limiter-1", "limiter-2", "limiter-3" };
    char why[300];
    bus_presets(actor_setting_rows, &stage->settings[i]);
    stage->settings[i].instance = names[i];
    stage->config[i] = (actor_config_t){ .actor = &stage->settings[i],
                                         .bus = stage->way ? stage->way : &stage->bus.bus,
                                         .storage = &stage->place.settings };
    stage->actors[i] = actor_start(stage->bus.context, &limiter_actor, &stage->config[i],
                                   DB_MIGRATE_APPLY, why, sizeof why);
    if (!stage->actors[i])
        die("%s", why);
}

/* `database` and `redis` are where usage goes; NULL: the database the test is built for, and none.
 */
static inline void stage_open_at(stage_t *stage, const char *database, const char *redis)
{
    *stage = (stage_t){ 0 };
    place_make(&stage->place);
    if (database)
        stage->place.settings.database = database;
    stage->place.settings.redis = redis ? redis : "";
    stage->place.settings.redis_ms = 1000;
    memcpy(stage->place.service, "limiter", sizeof "limiter");
    bus_presets(limiter_actor.settings, limiter_actor.settings_target);
    bus_open(&stage->bus, NULL);
    stage_start(stage, 0);
}

static inline void stage_open(stage_t *stage)
{
    stage_open_at(stage, NULL, NULL);
}

static inline void stage_close(stage_t *stage)
{
    for (size_t i = 0; i < ACTORS; i++)
        actor_stop(&stage->actors[i]);
    ok(bus_balance(&stage->bus));
    bus_close(&stage->bus);
    place_remove(&stage->place);
    arena_free(&stage->arena);
}

/* Calls with a body of JSON; the answer as a tree, NULL when it failed with `code`. */
static inline const value_t *stage_call(stage_t *stage, const char *method, const char *json,
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
static inline int64_t stage_take(stage_t *stage, const char *json)
{
    const value_t *answer = stage_call(stage, "take", json, ERROR_NONE);
    const value_t *standing = value_item(value_get(answer, "policies"), 0);
    return value_get_bool(answer, "allowed", false) ? value_get_int(standing, "remaining", -2) : -1;
}

#endif
