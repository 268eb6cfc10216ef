/* SPDX-License-Identifier: MPL-2.0
 *
 * stage - a service on a bus with a database of its own, and an edge that calls it
 *
 * Requests are written as JSON; an answer is a tree that lives as long as its arena. Built for each
 * of the two databases (tests/kit/database.h). The service has another name here, because its name
 * decides where its tables are.
 */
#ifndef SIGNALBOX_TEST_STAGE_H
#define SIGNALBOX_TEST_STAGE_H

#include "actors/runtime/actor.h"
#include "proto/json.h"
#include "tests/kit/bus.h"
#include "tests/kit/database.h"

#define STAGE_ACTORS 2 /* instances; the second on PostgreSQL only */

typedef struct {
    bus_t bus;
    place_t place;
    service_t service;
    actor_spec_t spec;
    actor_settings_t settings[STAGE_ACTORS];
    actor_config_t configs[STAGE_ACTORS]; /* borrowed by the actors */
    actor_t *actors[STAGE_ACTORS];
    client_t *edge; /* on the socket that may say for whom it calls */
    arena_t arena;
} stage_t;

/* What a call came back with. */
typedef struct {
    error_code_t code; /* ERROR_COUNT: with nothing that could be read */
    uint16_t status;
    const char *detail;
    const value_t *body; /* NULL on failure and when there is none */
} reply_t;

/* Starts an instance of what stands on the stage. */
static inline void stage_start(stage_t *self, size_t which)
{
    char why[300];
    bus_presets(actor_setting_rows, &self->settings[which]);
    self->settings[which].threads = 2;
    self->settings[which].instance =
        arena_format(&self->arena, "%s-%zu", self->place.service, which + 1);
    self->configs[which] = (actor_config_t){ .actor = &self->settings[which],
                                             .bus = &self->bus.bus,
                                             .storage = &self->place.settings };
    self->actors[which] = actor_start(self->bus.context, &self->spec, &self->configs[which],
                                      DB_MIGRATE_APPLY, why, sizeof why);
    if (!self->actors[which])
        die("%s", why);
}

/* Sets everything up but the actor: its settings are as they are by default, and may be changed
 * before `stage_start`. */
static inline void stage_prepare(stage_t *self, const actor_spec_t *spec)
{
    *self = (stage_t){ 0 };
    bus_open(&self->bus, NULL);
    place_make(&self->place);
    self->service = *spec->service;
    self->service.name = self->place.service;
    self->spec = *spec;
    self->spec.service = &self->service;
    bus_presets(self->spec.settings, self->spec.settings_target);
    self->edge = client_new(
        self->bus.context,
        &(client_config_t){ .settings = &self->bus.trusted, .name = "edge-1", .part = "test" });
}

static inline void stage_close(stage_t *self)
{
    client_destroy(&self->edge);
    for (size_t i = 0; i < STAGE_ACTORS; i++)
        if (self->actors[i])
            actor_stop(&self->actors[i]);
    ok(bus_balance(&self->bus));
    bus_close(&self->bus);
    place_remove(&self->place);
    arena_free(&self->arena);
}

static inline db_t *stage_db(const stage_t *self)
{
    return actor_db(self->actors[0]);
}

static inline void stage_pack(buf_t *body, const char *json)
{
    json_error_t error;
    if (!json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, body, &error))
        die("%s at byte %zu of %s", json_verdict_text(error.verdict), error.offset, json);
}

/* `who` NULL is a service that calls for itself. The arena is the caller's, so that several threads
 * can call. */
static inline reply_t stage_call_in(stage_t *self, arena_t *arena, const principal_t *who,
                                    const char *method, const char *json)
{
    buf_t body = { 0 }, principal = { 0 };
    pack_t pack;
    answer_t answer;
    value_verdict_t verdict;
    stage_pack(&body, json);
    pack_init(&pack, &principal);
    if (who)
        principal_write(who, &pack);
    client_call(self->edge,
                &(client_request_t){ .service = self->place.service,
                                     .method = method,
                                     .body = &body,
                                     .principal = who ? &principal : NULL,
                                     .deadline_ms = BUS_PATIENCE_S * 1000 },
                &answer);
    reply_t reply = { .code = answer.failure.code,
                      .status = answer.status,
                      .detail = arena_format(arena, "%s", answer.failure.detail) };
    if (reply.code == ERROR_NONE && answer_size(&answer)) {
        size_t size = answer_size(&answer);
        const char *bytes = arena_text(arena, answer_bytes(&answer), size);
        reply.body = value_parse(arena, bytes, size, VALUE_LIMITS, &verdict);
        if (!reply.body)
            reply.code = ERROR_COUNT;
    }
    answer_close(&answer);
    buf_free(&body);
    buf_free(&principal);
    return reply;
}

/* A text member of an answer, "" when it is missing. */
static inline const char *stage_text(stage_t *self, const value_t *map, const char *key)
{
    const char *text = value_dup_text(&self->arena, map, key);
    return text ? text : "";
}

#endif
