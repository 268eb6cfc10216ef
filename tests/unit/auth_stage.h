/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_stage - the auth service on a bus with a database of its own, and users that call
 *
 * Requests are written as JSON; an answer is a tree that lives until the stage is closed. Built for
 * each of the two databases (tests/kit/database.h). The service has another name here, because its
 * name decides where its tables are.
 */
#ifndef SIGNALBOX_AUTH_STAGE_H
#define SIGNALBOX_AUTH_STAGE_H

#include <stdarg.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "proto/json.h"
#include "proto/jwt.h"
#include "tests/kit/bus.h"
#include "tests/kit/database.h"

#define STAGE_ACTORS   2 /* instances; the second on PostgreSQL only */
#define STAGE_PASSWORD "correct horse battery staple"

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

static inline void stage_start(stage_t *self, size_t which)
{
    static const char *const names[STAGE_ACTORS] = { "auth-1", "auth-2" };
    char why[300];
    bus_presets(actor_setting_rows, &self->settings[which]);
    self->settings[which].threads = 2;
    self->settings[which].instance = names[which];
    self->configs[which] = (actor_config_t){ .actor = &self->settings[which],
                                             .bus = &self->bus.bus,
                                             .storage = &self->place.settings };
    self->actors[which] = actor_start(self->bus.context, &self->spec, &self->configs[which],
                                      DB_MIGRATE_APPLY, why, sizeof why);
    if (!self->actors[which])
        die("%s", why);
}

/* `adjust`, which may be NULL, changes settings before the actor starts. */
static inline void stage_open(stage_t *self, void (*adjust)(auth_settings_t *settings))
{
    *self = (stage_t){ 0 };
    bus_open(&self->bus, NULL);
    place_make(&self->place);
    self->service = auth_service;
    self->service.name = self->place.service;
    self->spec = auth_actor;
    self->spec.service = &self->service;
    bus_presets(self->spec.settings, self->spec.settings_target);
    auth_settings.hash_memory_kib = 8; /* the least there is: these are not tests of Argon2 */
    auth_settings.hash_passes = 1;
    if (adjust)
        adjust(&auth_settings);
    self->edge = client_new(
        self->bus.context,
        &(client_config_t){ .settings = &self->bus.trusted, .name = "edge-1", .part = "test" });
    stage_start(self, 0);
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

/* A counter of the first instance. */
static inline int64_t stage_count(const stage_t *self, auth_stat_t row)
{
    return stats_get(actor_stats(self->actors[0]), row);
}

/* ---- who calls ------------------------------------------------------------------------------- */

/* Whoever has signed in: the tokens, and the principal the edge would make of them. */
typedef struct {
    const char *access, *refresh, *user, *account, *session;
    principal_t who;
} person_t;

static inline void stage_set(char *field, size_t room, const char *text)
{
    text_copy(field, room, text, strlen(text));
}

static inline void stage_add_role(principal_t *who, const char *role)
{
    stage_set(who->roles[who->role_count++], sizeof who->roles[0], role);
}

static inline void stage_add_scope(principal_t *who, const char *scope)
{
    stage_set(who->scopes[who->scope_count++], sizeof who->scopes[0], scope);
}

/* ---- calls ----------------------------------------------------------------------------------- */

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

static inline reply_t stage_call(stage_t *self, const principal_t *who, const char *method,
                                 const char *format, ...) PRINTF_LIKE(4, 5);
static inline reply_t stage_call(stage_t *self, const principal_t *who, const char *method,
                                 const char *format, ...)
{
    char json[2048];
    va_list args;
    va_start(args, format);
    insist(vsnprintf(json, sizeof json, format, args) < (int)sizeof json);
    va_end(args);
    return stage_call_in(self, &self->arena, who, method, json);
}

/* A text member of an answer, "" when it is missing. */
static inline const char *stage_text(stage_t *self, const value_t *map, const char *key)
{
    const char *text = value_dup_text(&self->arena, map, key);
    return text ? text : "";
}

/* ---- people ---------------------------------------------------------------------------------- */

static inline person_t stage_person(stage_t *self, const value_t *tokens)
{
    const value_t *user = value_get(tokens, "user");
    person_t person = { .access = stage_text(self, tokens, "access_token"),
                        .refresh = stage_text(self, tokens, "refresh_token"),
                        .session = stage_text(self, tokens, "session_id"),
                        .user = stage_text(self, user, "id"),
                        .account = stage_text(self, user, "account_id") };
    principal_t *who = &person.who;
    stage_set(who->user, sizeof who->user, person.user);
    stage_set(who->account, sizeof who->account, person.account);
    stage_set(who->session, sizeof who->session, person.session);
    stage_set(who->address, sizeof who->address, "192.0.2.7");
    stage_set(who->request_id, sizeof who->request_id, "request-1");
    stage_add_role(who, "user");
    if (value_get_bool(user, "owner", false))
        stage_add_role(who, "owner");
    if (!value_is(value_get(user, "role"), "user"))
        stage_add_role(who, stage_text(self, user, "role"));
    stage_add_scope(who, AUTH_SCOPE_ALL);
    return person;
}

static inline person_t stage_register(stage_t *self, const char *email)
{
    reply_t reply = stage_call(self, NULL, "register", "{\"email\":\"%s\",\"password\":\"%s\"}",
                               email, STAGE_PASSWORD);
    is_int(reply.code, ERROR_NONE);
    return stage_person(self, reply.body);
}

static inline reply_t stage_login(stage_t *self, const char *email, const char *password)
{
    return stage_call(self, NULL, "login", "{\"email\":\"%s\",\"password\":\"%s\"}", email,
                      password);
}

static inline reply_t stage_refresh(stage_t *self, const char *token)
{
    return stage_call(self, NULL, "refresh", "{\"refresh_token\":\"%s\"}", token);
}

/* Whether the session is still good: what an edge would ask. */
static inline bool stage_is_in(stage_t *self, const person_t *person)
{
    return stage_call(self, NULL, "identify", "{\"user\":\"%s\",\"session\":\"%s\"}", person->user,
                      person->session)
               .code == ERROR_NONE;
}

/* An administrator. */
static inline principal_t stage_admin(void)
{
    principal_t who = { .account = "admins", .user = "admin-1" };
    stage_add_role(&who, "admin");
    stage_add_scope(&who, AUTH_SCOPE_ALL);
    return who;
}

#endif
