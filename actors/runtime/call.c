/* SPDX-License-Identifier: MPL-2.0
 *
 * call - a call, as its handler sees it
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/runtime/state.h"
#include "proto/fault.h"
#include "proto/json.h"

#define TARGET_FAILURES 5 /* in a row, that open the breaker of a service */
#define TARGET_OPEN_MS  2000
#define RETRY_ATTEMPTS  3
#define RETRY_BASE_MS   20
#define RETRY_MOST_MS   500

#define PROGRESS_EVERY_MS 250u

/* ---- the request ---------------------------------------------------------------------------- */

const value_t *call_request(const call_t *self)
{
    return self->request;
}

/* The field's value, or the default of its row. */
static const value_t *s_field(call_t *self, const char *name)
{
    const value_t *value = value_get(self->request, name);
    if (value && value->type != VALUE_NIL)
        return value;
    const value_t *properties = value_get(self->method->request_json, "properties");
    return value_get(value_get(properties, name), "default");
}

const char *call_text(call_t *self, const char *field)
{
    const value_t *value = s_field(self, field);
    return value_is_type(value, VALUE_TEXT) ? arena_text(&self->arena, value->text, value->count)
                                            : NULL;
}

int64_t call_int(call_t *self, const char *field)
{
    const value_t *value = s_field(self, field);
    return value_is_type(value, VALUE_INT) ? value->integer : 0;
}

bool call_bool(call_t *self, const char *field)
{
    const value_t *value = s_field(self, field);
    return value_is_type(value, VALUE_BOOL) && value->truth;
}

const principal_t *call_principal(const call_t *self)
{
    return self->principal;
}

const job_run_t *call_job(const call_t *self)
{
    return self->is_job ? &self->job : NULL;
}

const method_t *call_method(const call_t *self)
{
    return self->handler->method;
}

actor_t *call_actor(const call_t *self)
{
    return self->actor;
}

arena_t *call_arena(call_t *self)
{
    return &self->arena;
}

db_t *call_db(const call_t *self)
{
    return self->actor->db;
}

uint32_t call_left_ms(const call_t *self)
{
    uint64_t now_us = clock_us();
    return self->due_us > now_us ? (uint32_t)((self->due_us - now_us) / 1000) : 0;
}

bool call_is_cancelled(const call_t *self)
{
    return atomic_load_explicit(&self->is_cancelled, memory_order_relaxed);
}

static void s_on_told(void *arg, answer_t *answer)
{
    (void)arg; /* a run that is not the present one finds out when it ends */
    (void)answer;
}

void call_progress(call_t *self, unsigned percent, const char *note)
{
    buf_t body = { 0 };
    pack_t pack;
    const uint64_t now_us = clock_us();
    if (!self->is_job || (self->progress_us && percent < 100 &&
                          now_us < self->progress_us + PROGRESS_EVERY_MS * 1000))
        return;
    self->progress_us = now_us;
    pack_init(&pack, &body);
    pack_map(&pack, note ? 4 : 3);
    pack_pair_int(&pack, "id", self->job.id);
    pack_pair_int(&pack, "fence", self->job.fence);
    pack_pair_int(&pack, "percent", percent < 100 ? percent : 100);
    if (note)
        pack_pair_text(&pack, "note", note);
    client_send(self->actor->client,
                &(client_request_t){ .service = self->job.service,
                                     .method = "progress",
                                     .body = &body,
                                     .flags = FRAME_IDEMPOTENT },
                s_on_told, NULL);
    buf_free(&body);
}

/* ---- the ends ------------------------------------------------------------------------------- */

pack_t *call_pack(call_t *self)
{
    return &self->pack;
}

void call_enter(const call_t *self)
{
    const frame_t *frame = &self->message->frame;
    const char *request_id = self->principal ? self->principal->request_id : "";
    log_request_t request = { 0 };
    log_copy_id(request.request_id, request_id, strlen(request_id));
    if (frame->flags & FRAME_TRACED)
        id_hex(frame->trace, 16, request.trace_id);
    if (self->is_job)
        log_copy_id(request.job, frame->reply, frame->reply_size);
    log_enter(&request);
}

/* The line is of the call, whoever ends it: one that was deferred is ended by a thread that works
 * on another one, or on none. */
static void s_log(const call_t *self, uint64_t took_us, const char *outcome)
{
    const bool is_slow = took_us > (uint64_t)self->actor->config->actor->slow_ms * 1000;
    const log_level_t level = is_slow ? LOG_WARN : LOG_DEBUG;
    if (is_slow)
        actor_count(self->actor, ACTOR_SLOW);
    if (!log_is_on(level))
        return;
    const log_request_t before = *log_request();
    call_enter(self);
    LOG(level, is_slow ? "call.slow" : "call", LOG_TEXT("rpc.service", actor_service(self->actor)),
        LOG_BYTES("rpc.method", self->message->frame.method, self->message->frame.method_size),
        LOG_TEXT("outcome", outcome), LOG_INT("duration_us", took_us));
    log_enter(&before);
}

/* Frees the call; the last one of an actor that stops wakes whoever waits for it. */
static void s_free(call_t *self, error_code_t code)
{
    actor_t *actor = self->actor;
    uint64_t took_us = clock_us() - self->started_us;
    const char *const method[] = { self->method ? self->method->name : "unknown" };
    series_record(stats_at(&actor->stats, ACTOR_CALL_TIME, method), took_us);
    if (actor->spec->times_row)
        series_record(stats_at(&actor->own_stats, actor->spec->times_row, method), took_us);
    stats_add(&actor->stats, ACTOR_ACTIVE, -1);
    s_log(self, took_us, code == ERROR_NONE ? "ok" : error_row(code)->symbol);
    call_end_trace(self, code, took_us);
    worker_request_destroy(&self->message);
    buf_free(&self->reply);
    arena_free(&self->arena);
    monitor_lock(&actor->monitor);
    TAILQ_REMOVE(&actor->active, self, entry);
    if (--actor->active_count == 0)
        monitor_wake(&actor->monitor);
    monitor_unlock(&actor->monitor);
    mem_free(self);
}

void call_reply(call_t *self, uint16_t status)
{
    static const uint8_t empty_map = 0x80;
    if (self->reply.size == 0)
        buf_add(&self->reply, &empty_map, 1);
    client_reply(self->actor->client, self->message, FRAME_FINAL, status, &self->reply);
    s_free(self, ERROR_NONE);
}

/* A failure that is no fault of the caller's. */
static void s_tell_fault(const call_t *self, const failure_t *failure)
{
    const frame_t *frame = &self->message->frame;
    const trace_t *trace = call_trace(self);
    const fault_source_t source = { .part = self->actor->spec->service->name,
                                    .method = frame->method,
                                    .method_size = frame->method_size,
                                    .request_id =
                                        self->principal ? self->principal->request_id : "",
                                    .trace = trace ? trace->trace : NULL,
                                    .span = trace ? trace->span : NULL };
    actor_count(self->actor, ACTOR_FAULTS);
    fault_tell(self->actor->client, &source, failure);
}

void call_fail_with(call_t *self, const failure_t *failure)
{
    actor_count(self->actor, ACTOR_FAILURES);
    if (error_is_fault(failure->code))
        s_tell_fault(self, failure);
    client_reply_failure(self->actor->client, self->message, failure);
    s_free(self, failure->code);
}

void call_fail(call_t *self, error_code_t code, const char *format, ...)
{
    failure_t failure = { .code = code };
    va_list args;
    va_start(args, format);
    vsnprintf(failure.detail, sizeof failure.detail, format, args);
    va_end(args);
    call_fail_with(self, &failure);
}

void call_fail_db(call_t *self, db_status_t status)
{
    call_fail(self, db_error(status), "%s", db_error_text(status));
}

void call_defer(call_t *self)
{
    (void)self; /* says in the handler's text that the call goes on elsewhere */
}

/* ---- calls to others ------------------------------------------------------------------------ */

/* The record of a service this actor calls; made when it is new. The caller holds the lock. */
static target_t *s_target(actor_t *actor, const char *service)
{
    target_t *target;
    size_t size = strlen(service);
    HASH_FIND(hh, actor->targets, service, size, target);
    if (!target) {
        target = mem_zeroed(sizeof *target + size + 1);
        memcpy(target->service, service, size);
        breaker_init(&target->breaker, TARGET_FAILURES, TARGET_OPEN_MS);
        HASH_ADD(hh, actor->targets, service, (unsigned)size, target);
    }
    return target;
}

static bool s_may_call(actor_t *actor, const char *service)
{
    monitor_lock(&actor->monitor);
    bool allowed = breaker_allows(&s_target(actor, service)->breaker, clock_ms());
    monitor_unlock(&actor->monitor);
    return allowed;
}

static void s_report(actor_t *actor, const char *service, const answer_t *answer)
{
    /* a refusal of the request is an answer: only silence and absence are failures */
    bool success = !error_row(answer->failure.code)->retry;
    monitor_lock(&actor->monitor);
    target_t *target = s_target(actor, service);
    bool changed = breaker_report(&target->breaker, success, clock_ms());
    bool is_open = target->breaker.state == BREAKER_OPEN;
    monitor_unlock(&actor->monitor);
    if (!changed)
        return;
    if (is_open)
        actor_count(actor, ACTOR_BREAKERS_OPENED);
    LOG(LOG_WARN, is_open ? "breaker.opened" : "breaker.closed", LOG_TEXT("service", service));
}

static bool s_call_once(call_t *self, const client_request_t *request, const buf_t *body,
                        answer_t *answer)
{
    client_request_t once = *request;
    buf_t copy = { 0 };
    buf_add(&copy, body->bytes, body->size);
    once.body = &copy;
    once.deadline_ms = call_left_ms(self);
    bool good = client_call(self->actor->client, &once, answer);
    buf_free(&copy);
    s_report(self->actor, request->service, answer);
    return good;
}

static void s_refuse_answer(answer_t *answer, const char *service)
{
    char why[120];
    snprintf(why, sizeof why, "%.60s has failed several times and is not asked for a moment",
             service);
    answer_fail(answer, ERROR_UNAVAILABLE, why);
}

bool call_service(call_t *self, const char *service, const char *method, bool is_idempotent,
                  buf_t *body, answer_t *answer)
{
    trace_t child;
    buf_t principal = { .bytes = zmq_msg_data(&self->message->principal),
                        .size = zmq_msg_size(&self->message->principal) };
    client_request_t request = { .service = service,
                                 .method = method,
                                 .principal = principal.size ? &principal : NULL,
                                 .flags = is_idempotent ? FRAME_IDEMPOTENT : 0 };
    const uint64_t started_us = clock_us();
    if (self->is_traced) {
        child = trace_child(&self->trace);
        request.trace = &child;
    }
    bool good = false;
    for (uint32_t attempt = 1;; attempt++) {
        if (!s_may_call(self->actor, service)) {
            s_refuse_answer(answer, service);
            break;
        }
        good = s_call_once(self, &request, body, answer);
        uint32_t wait = breaker_backoff(attempt, RETRY_BASE_MS, RETRY_MOST_MS, id_random_u64());
        if (good || !is_idempotent || !error_row(answer->failure.code)->retry ||
            attempt == RETRY_ATTEMPTS || call_is_cancelled(self) || call_left_ms(self) <= wait)
            break;
        answer_close(answer);
        clock_sleep_ms(wait);
    }
    if (request.trace)
        call_end_child(self, &child, &request, answer->failure.code, started_us);
    buf_free(body);
    return good;
}
