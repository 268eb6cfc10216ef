/* SPDX-License-Identifier: MPL-2.0
 *
 * on_refetch - a workflow is fetched from an URL and analysed, as often as a schedule says
 *
 * The http service fetches it, behind its fence. No thread waits for that, and at most FETCHES_MAX
 * are under way in an instance, so that slow hosts do not keep it from what is submitted.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/analysis/assess.h"
#include "proto/http.h"
#include "proto/json.h"

#define FETCHES_MAX   16
#define FETCH_BYTES   (8 << 20) /* as a request may have */
#define FETCH_MS      20000
#define BUSY_RETRY_MS 5000

/* What a call keeps while its document is on the way; in the call's arena. */
typedef struct {
    call_t *call;
    analysis_t *self;
    const workflow_t *into; /* the workflow of which it is to be a version; NULL: as the document
                               says */
    failure_t failure;
    const char *answer; /* msgpack */
    size_t size;
} refetch_t;

/* ---- the document ---------------------------------------------------------------------------- */

static bool s_fail(const refetch_t *self, error_code_t code, const char *why)
{
    call_fail(self->call, code, "%s", why);
    return false;
}

/* What may be otherwise another time is tried again. */
static bool s_require_status(const refetch_t *self, const value_t *reply)
{
    const int64_t status = value_get_int(reply, "status", 0);
    const bool is_later = http_may_pass(status);
    if (status >= 200 && status < 300)
        return true;
    failure_t failure = { .code = is_later ? ERROR_UNAVAILABLE : ERROR_UNPROCESSABLE,
                          .retry_after_ms =
                              is_later ? (uint32_t)value_get_int(reply, "retry_after_ms", 0) : 0 };
    snprintf(failure.detail, sizeof failure.detail, "The URL answered %lld", (long long)status);
    call_fail_with(self->call, &failure);
    return false;
}

/* A submission of the document: a map as `submit` takes it. NULL: the call has been answered. */
static const value_t *s_require_submission(const refetch_t *self, const value_t *body)
{
    call_t *call = self->call;
    arena_t *arena = call_arena(call);
    const char *name = call_text(call, "name");
    const char *kind = self->into ? self->into->kind : call_text(call, "kind");
    buf_t packed = { 0 };
    pack_t pack;
    json_error_t error;
    value_verdict_t verdict;
    pack_init(&pack, &packed);
    pack_map(&pack, 2 + (kind ? 1u : 0u) + (name ? 1u : 0u));
    if (kind)
        pack_pair_text(&pack, "kind", kind);
    if (name)
        pack_pair_text(&pack, "name", name);
    pack_pair_text(&pack, "profile", call_text(call, "profile"));
    pack_text(&pack, "workflow");
    const value_t *tree = NULL;
    if (json_to_msgpack((const char *)body->bytes, body->count, VALUE_LIMITS, 0, &packed, &error))
        tree = value_parse(
            arena, arena_text(arena, packed.bytes, packed.size), packed.size,
            (value_limits_t){ .depth = VALUE_LIMITS.depth + 1, .nodes = VALUE_LIMITS.nodes + 8 },
            &verdict);
    else
        call_fail(call, ERROR_UNPROCESSABLE,
                  "The URL did not answer with JSON: line %u, column %u: %s", error.line,
                  error.column, json_verdict_text(error.verdict));
    buf_free(&packed);
    insist(tree || error.verdict != JSON_GOOD);
    return tree;
}

/* ---- the analysis ---------------------------------------------------------------------------- */

static void s_reply(const assessment_t *self, const brief_t *brief, repeated_t repeated,
                    const uint8_t *result, size_t size)
{
    pack_t *pack = call_pack(self->call);
    (void)result;
    (void)size;
    pack_map(pack, 2);
    pack_pair_bool(pack, "repeated", repeated == REPEATED_YES);
    pack_text(pack, "analysis");
    reply_brief(pack, brief);
    call_reply(self->call, 0);
}

static void s_assess(const refetch_t *self, const value_t *reply)
{
    const value_t *body = value_get(reply, "body");
    assessment_t assessment = {
        .call = self->call, .service = self->self, .into = self->into, .reply = s_reply
    };
    if (!s_require_status(self, reply))
        return;
    if (!value_is_type(body, VALUE_BINARY)) {
        s_fail(self, ERROR_BAD_REPLY, "What was fetched cannot be read");
    } else if (value_get_bool(reply, "cut", false)) {
        s_fail(self, ERROR_UNPROCESSABLE, "The URL answered with more than 8 MiB");
    } else {
        const value_t *request = s_require_submission(self, body);
        if (request && assess_require(&assessment, request))
            assess(&assessment);
    }
}

/* ---- fetching -------------------------------------------------------------------------------- */

/* On the pool. That the http service is not there, or has too much to do, is said of this job, and
 * not of the service that was called: others go on. */
static void s_go_on(call_t *call, void *arg)
{
    refetch_t *self = arg;
    value_verdict_t verdict;
    if (self->failure.code != ERROR_NONE) {
        if (error_row(self->failure.code)->retry || self->failure.code == ERROR_NO_SERVICE)
            self->failure.code = ERROR_UNAVAILABLE;
        call_fail_with(call, &self->failure);
    } else {
        s_assess(self,
                 value_parse(call_arena(call), self->answer, self->size, VALUE_LIMITS, &verdict));
    }
}

/* On the client's thread; the call is nobody else's meanwhile. */
static void s_on_answer(void *arg, answer_t *answer)
{
    refetch_t *self = arg;
    self->failure = answer->failure;
    self->failure.fields = NULL;
    self->size = answer_size(answer);
    self->answer = arena_text(call_arena(self->call), answer_bytes(answer), self->size);
    atomic_fetch_sub(&self->self->fetches, 1);
    call_resume(self->call, s_go_on, self);
}

static void s_send(refetch_t *self)
{
    call_t *call = self->call;
    uint32_t left_ms = call_left_ms(call);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "url", call_text(call, "url"));
    pack_pair_text(&pack, "accept", "application/json");
    pack_pair_int(&pack, "timeout_ms", FETCH_MS);
    pack_pair_int(&pack, "most", FETCH_BYTES);
    call_defer(call);
    client_send(actor_client(call_actor(call)),
                &(client_request_t){ .service = http_service.name,
                                     .method = http_fetch.name,
                                     .body = &body,
                                     .flags = FRAME_IDEMPOTENT,
                                     .deadline_ms = left_ms ? left_ms : 1,
                                     .trace = call_trace(call) },
                s_on_answer, self);
}

/* False: the call has been answered. */
static bool s_require_workflow(refetch_t *self)
{
    const char *id = call_text(self->call, "workflow_id"), *kind = call_text(self->call, "kind");
    if (!id)
        return true;
    db_status_t status = store_workflow(call_db(self->call), call_arena(self->call),
                                        service_account(self->call), id, &self->into);
    if (status != DB_OK) {
        call_fail_db(self->call, status);
        return false;
    }
    if (!self->into)
        return s_fail(self, ERROR_NOT_FOUND, "There is no workflow with this id");
    if (kind && strcmp(kind, self->into->kind) != 0)
        return s_fail(self, ERROR_UNPROCESSABLE, "The workflow is of another kind");
    return true;
}

/* False: too many are under way, and the call has been answered. */
static bool s_require_room(refetch_t *self)
{
    if (atomic_fetch_add(&self->self->fetches, 1) < FETCHES_MAX)
        return true;
    atomic_fetch_sub(&self->self->fetches, 1);
    call_fail_with(self->call, &(failure_t){ .code = ERROR_UNAVAILABLE,
                                             .retry_after_ms = BUSY_RETRY_MS,
                                             .detail = "Too many documents are being fetched" });
    return false;
}

void on_refetch(call_t *call, void *memory)
{
    refetch_t *self = arena_alloc(call_arena(call), sizeof *self);
    *self = (refetch_t){ .call = call, .self = memory };
    if (s_require_workflow(self) && s_require_room(self))
        s_send(self);
}

uint32_t refetch_deferred(const void *self)
{
    (void)self;
    return FETCHES_MAX;
}
