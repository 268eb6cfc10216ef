/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_stage - the analysis service on a bus with a database of its own, and accounts that call
 *
 * Requests are written as JSON; an answer is a tree that lives until the stage is closed. Built for
 * each of the two databases (tests/kit/database.h). The service has another name here, because its
 * name decides where its tables are.
 */
#ifndef SIGNALBOX_ANALYSIS_STAGE_H
#define SIGNALBOX_ANALYSIS_STAGE_H

#include "actors/analysis/service.h"
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

static inline void stage_start(stage_t *self, size_t which)
{
    static const char *const names[STAGE_ACTORS] = { "analysis-1", "analysis-2" };
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

static inline void stage_open(stage_t *self)
{
    *self = (stage_t){ 0 };
    bus_open(&self->bus, NULL);
    place_make(&self->place);
    self->service = analysis_service;
    self->service.name = self->place.service;
    self->spec = analysis_actor;
    self->spec.service = &self->service;
    /* kept for ever: tests date rows back, which the actor's own tick would purge */
    *(analysis_settings_t *)self->spec.settings_target = (analysis_settings_t){ 0 };
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

/* A counter over all instances. */
static inline int64_t stage_count(const stage_t *self, analysis_stat_t row)
{
    int64_t sum = 0;
    for (size_t i = 0; i < STAGE_ACTORS; i++)
        if (self->actors[i])
            sum += stats_get(actor_stats(self->actors[i]), row);
    return sum;
}

static inline void stage_pack(buf_t *body, const char *json)
{
    json_error_t error;
    if (!json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, body, &error))
        die("%s at byte %zu of %s", json_verdict_text(error.verdict), error.offset, json);
}

static inline void stage_principal(buf_t *bytes, const char *account, const char *tier)
{
    principal_t who = { 0 };
    pack_t pack;
    text_copy(who.account, sizeof who.account, account, strlen(account));
    text_copy(who.tier, sizeof who.tier, tier, strlen(tier));
    pack_init(&pack, bytes);
    principal_write(&who, &pack);
}

/* Calls for an account of a tier; NULL is a service that calls for itself. The arena is the
 * caller's, so that several threads can call. */
static inline reply_t stage_call_as(stage_t *self, arena_t *arena, const char *account,
                                    const char *tier, const char *method, const char *json)
{
    buf_t body = { 0 }, principal = { 0 };
    answer_t answer;
    value_verdict_t verdict;
    stage_pack(&body, json);
    if (account)
        stage_principal(&principal, account, tier);
    client_call(self->edge,
                &(client_request_t){ .service = self->place.service,
                                     .method = method,
                                     .body = &body,
                                     .principal = account ? &principal : NULL,
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

static inline reply_t stage_call(stage_t *self, const char *account, const char *method,
                                 const char *json)
{
    return stage_call_as(self, &self->arena, account, "free", method, json);
}

/* ---- requests --------------------------------------------------------------------------------
 */

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

/* A text member of an answer, "" when it is missing. */
static inline const char *stage_text(stage_t *self, const value_t *map, const char *key)
{
    const char *text = value_dup_text(&self->arena, map, key);
    return text ? text : "";
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
static inline const char *stage_store(stage_t *self, const char *account, const stage_row_t *row)
{
    uint8_t key[ANALYSIS_KEY_BYTES] = { 0 };
    bool added = false;
    static const uint8_t nothing[] = { 0x80 };
    const squeezed_t content = { .bytes = nothing, .size = 1, .full = 1 };
    const char *id = stage_uuid(self, "0000000a", row->n);
    put_u32(key, (uint32_t)row->n);
    new_analysis_t analysis = {
        .stored = { .brief = { .id = id,
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
    if (store_add(stage_db(self), &analysis, &added) != DB_OK || !added)
        die("row %d cannot be stored", row->n);
    return id;
}

/* Runs a statement with the parameter $id behind the service's back, as an operator might. */
static inline void stage_tamper(stage_t *self, const db_sql_t *sql, const char *id)
{
    is_int(DB_WRITE_ONE(stage_db(self), sql, NULL, DB_P_TEXT("id", id)), DB_OK);
}

#endif
