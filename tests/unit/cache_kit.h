/* SPDX-License-Identifier: MPL-2.0
 *
 * cache_kit - a bus with instances of the cache on it, and calls as a test wants to write them
 */
#ifndef SIGNALBOX_TEST_CACHE_KIT_H
#define SIGNALBOX_TEST_CACHE_KIT_H

#include "actors/base/clock.h"
#include "actors/cache/cache.h"
#include "tests/kit/bus.h"

#define KIT_INSTANCES 2
#define KIT_WAIT_MS   5000 /* a wait that is not meant to end by time */

typedef struct {
    bus_t bus;
    db_settings_t storage;
    actor_settings_t settings[KIT_INSTANCES];
    actor_config_t config[KIT_INSTANCES];
    actor_t *actors[KIT_INSTANCES];
    arena_t arena; /* of answers */
} stage_t;

static inline void kit_start(stage_t *stage, size_t index)
{
    static const char *const names[KIT_INSTANCES] = { "cache-1", "cache-2" };
    char why[300];
    bus_presets(actor_setting_rows, &stage->settings[index]);
    stage->settings[index].instance = names[index];
    stage->settings[index].threads = 1;
    stage->config[index] = (actor_config_t){ .actor = &stage->settings[index],
                                             .bus = &stage->bus.bus,
                                             .storage = &stage->storage };
    stage->actors[index] = actor_start(stage->bus.context, &cache_actor, &stage->config[index],
                                       DB_MIGRATE_APPLY, why, sizeof why);
    if (!stage->actors[index])
        die("%s", why);
}

static inline void kit_open(stage_t *stage, size_t instances, const char *redis)
{
    memset(stage, 0, sizeof *stage);
    bus_open(&stage->bus, NULL);
    bus_presets(db_setting_rows, &stage->storage);
    bus_presets(cache_actor.settings, &cache_settings);
    stage->storage.redis = redis;
    for (size_t i = 0; i < instances; i++)
        kit_start(stage, i);
}

static inline void kit_close(stage_t *stage)
{
    for (size_t i = 0; i < KIT_INSTANCES; i++)
        actor_stop(&stage->actors[i]);
    arena_free(&stage->arena);
    ok(bus_balance(&stage->bus));
    bus_close(&stage->bus);
}

static inline int64_t kit_stat(const stage_t *stage, cache_stat_t row)
{
    int64_t sum = 0;
    for (size_t i = 0; i < KIT_INSTANCES; i++)
        if (stage->actors[i])
            sum += stats_get(actor_stats(stage->actors[i]), row);
    return sum;
}

/* Waits until a number of all instances together is at least `least`. */
static inline bool kit_wait_stat(const stage_t *stage, cache_stat_t row, int64_t least)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 1000; tries++) {
        if (kit_stat(stage, row) >= least)
            return true;
        clock_sleep_ms(1);
    }
    return false;
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* The body of a request about a key; `pairs` more are packed by the caller. */
static inline void kit_begin(buf_t *body, pack_t *pack, const char *key, size_t pairs)
{
    pack_init(pack, body);
    pack_map(pack, pairs + 1);
    pack_pair_text(pack, "key", key);
}

static inline void kit_send(stage_t *stage, outcome_t *outcome, const char *method, const char *key,
                            buf_t *body)
{
    bus_send(stage->bus.client, outcome,
             (client_request_t){ .service = "cache",
                                 .method = method,
                                 .body = body,
                                 .deadline_ms = BUS_PATIENCE_S * 1000,
                                 .flags = key ? FRAME_ROUTE_KEY : 0,
                                 .route_key = key ? cache_route_key(key, strlen(key)) : 0 });
}

/* The answer; NULL when it was none, or an error. */
static inline const value_t *kit_answer(stage_t *stage, outcome_t *outcome)
{
    value_verdict_t verdict;
    if (!bus_wait(&outcome->done) || outcome->code != ERROR_NONE) {
        note("failed with %d: %s", outcome->code, outcome->detail);
        return NULL;
    }
    const char *copy = arena_text(&stage->arena, outcome->body, outcome->size);
    return value_parse(&stage->arena, copy, outcome->size, VALUE_LIMITS, &verdict);
}

static inline const value_t *kit_call(stage_t *stage, const char *method, const char *key,
                                      buf_t *body)
{
    outcome_t outcome;
    kit_send(stage, &outcome, method, key, body);
    return kit_answer(stage, &outcome);
}

typedef struct {
    const char *state, *value; /* of the stage's arena; "failed" when there was no answer */
    int64_t age_ms, ttl_ms, lease;
} got_t;

static inline got_t kit_got(stage_t *stage, const value_t *answer)
{
    const value_t *value = value_get(answer, "value");
    return (got_t){ .state = answer ? value_dup_text(&stage->arena, answer, "state") : "failed",
                    .value = value_is_type(value, VALUE_BINARY)
                                 ? arena_text(&stage->arena, value->bytes, value->count)
                                 : "",
                    .age_ms = value_get_int(answer, "age_ms", -1),
                    .ttl_ms = value_get_int(answer, "ttl_ms", -1),
                    .lease = value_get_int(answer, "lease", -1) };
}

static inline void kit_send_get(stage_t *stage, outcome_t *outcome, const char *key,
                                int64_t wait_ms, int64_t lease_ms)
{
    buf_t body = { 0 };
    pack_t pack;
    kit_begin(&body, &pack, key, 2);
    pack_pair_int(&pack, "wait_ms", wait_ms);
    pack_pair_int(&pack, "lease_ms", lease_ms);
    kit_send(stage, outcome, "get", key, &body);
}

static inline got_t kit_get(stage_t *stage, const char *key, int64_t wait_ms, int64_t lease_ms)
{
    outcome_t outcome;
    kit_send_get(stage, &outcome, key, wait_ms, lease_ms);
    return kit_got(stage, kit_answer(stage, &outcome));
}

/* "stored", or why not. `tag` may be NULL. */
static inline const char *kit_set(stage_t *stage, const char *key, const char *value, int64_t ttl_s,
                                  const char *tag, int64_t lease)
{
    buf_t body = { 0 };
    pack_t pack;
    kit_begin(&body, &pack, key, 4);
    pack_text(&pack, "value");
    pack_bytes(&pack, value, strlen(value));
    pack_pair_int(&pack, "ttl_s", ttl_s);
    pack_pair_int(&pack, "lease", lease);
    pack_text(&pack, "tags");
    pack_array(&pack, tag ? 2 : 0);
    if (tag) {
        pack_text(&pack, tag);
        pack_text(&pack, tag); /* twice is once */
    }
    const value_t *answer = kit_call(stage, "set", key, &body);
    if (!answer)
        return "failed";
    return value_get_bool(answer, "stored", false)
               ? "stored"
               : value_dup_text(&stage->arena, answer, "reason");
}

static inline bool kit_about_key(stage_t *stage, const char *method, const char *key, int64_t lease,
                                 const char *field)
{
    buf_t body = { 0 };
    pack_t pack;
    kit_begin(&body, &pack, key, lease ? 1 : 0);
    if (lease)
        pack_pair_int(&pack, "lease", lease);
    return value_get_bool(kit_call(stage, method, key, &body), field, false);
}

static inline bool kit_release(stage_t *stage, const char *key, int64_t lease)
{
    return kit_about_key(stage, "release", key, lease, "released");
}

static inline bool kit_delete(stage_t *stage, const char *key)
{
    return kit_about_key(stage, "delete", key, 0, "deleted");
}

/* Each may be NULL. */
static inline const value_t *kit_invalidate(stage_t *stage, const char *tag, const char *prefix)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, (size_t)(tag != NULL) + (prefix != NULL));
    if (tag) {
        pack_text(&pack, "tags");
        pack_array(&pack, 1);
        pack_text(&pack, tag);
    }
    if (prefix)
        pack_pair_text(&pack, "prefix", prefix);
    return kit_call(stage, "invalidate", NULL, &body);
}

#endif
