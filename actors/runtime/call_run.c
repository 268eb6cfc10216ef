/* SPDX-License-Identifier: MPL-2.0
 *
 * call_run - from a message on the bus to its handler: everything a handler cannot forget
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/runtime/state.h"

/* The handler of a method; the table has the descriptor's order. */
static bool s_find_handler(actor_t *actor, call_t *call)
{
    const frame_t *frame = &call->message->frame;
    const descriptor_method_t *method =
        descriptor_method(actor->descriptor, frame->method, frame->method_size);
    if (!method)
        return false;
    call->method = method;
    call->handler = &actor->handlers[method - actor->descriptor->methods];
    return true;
}

static call_t *s_new(actor_t *actor, worker_request_t *message)
{
    call_t *call = mem_zeroed(sizeof *call);
    call->actor = actor;
    call->message = message;
    call->started_us = message->received_us;
    call->is_job = job_run_read(&call->job, message->frame.reply, message->frame.reply_size);
    call_begin_trace(call);
    pack_init(&call->pack, &call->reply);
    monitor_lock(&actor->monitor);
    TAILQ_INSERT_TAIL(&actor->active, call, entry);
    actor->active_count++;
    monitor_unlock(&actor->monitor);
    actor_count(actor, ACTOR_CALLS);
    stats_add(&actor->stats, ACTOR_ACTIVE, 1);
    return call;
}

void call_take(actor_t *actor, worker_request_t *message)
{
    call_t *call = s_new(actor, message);
    if (atomic_load(&actor->is_closed)) {
        call_refuse(call, ERROR_UNAVAILABLE, "The instance is leaving");
        return;
    }
    if (!s_find_handler(actor, call)) {
        call_refuse(call, ERROR_NO_METHOD, "The service has no such method");
        return;
    }
    uint32_t deadline_ms = message->frame.deadline_ms;
    call->due_us = message->received_us +
                   (uint64_t)(deadline_ms ? deadline_ms : call->method->deadline_ms) * 1000;
    if (call->handler->mode == HANDLE_INLINE)
        call_run(call);
    else if (!queue_push(&actor->waiting, &call->item))
        call_refuse(call, ERROR_OVERLOADED, "Too many requests wait for a thread of this instance");
}

void call_refuse(call_t *call, error_code_t code, const char *detail)
{
    actor_count(call->actor, ACTOR_REFUSED);
    call_fail(call, code, "%s", detail);
}

/* ---- checks, in their order ----------------------------------------------------------------- */

static bool s_require_time(call_t *call)
{
    if (call_is_cancelled(call)) {
        actor_count(call->actor, ACTOR_CANCELLED);
        call_fail(call, ERROR_CANCELLED, "The caller gave the request up before it was begun");
        return false;
    }
    if (call_left_ms(call) == 0) {
        actor_count(call->actor, ACTOR_EXPIRED);
        call_fail(call, ERROR_DEADLINE, "The deadline passed before the request was begun");
        return false;
    }
    return true;
}

static bool s_require_principal(call_t *call)
{
    zmq_msg_t *bytes = &call->message->principal;
    call->principal = arena_alloc(&call->arena, sizeof *call->principal);
    if (zmq_msg_size(bytes) == 0)
        return true;
    call->has_principal = true;
    if (principal_read(call->principal, zmq_msg_data(bytes), zmq_msg_size(bytes)))
        return true;
    call_fail(call, ERROR_BAD_REQUEST, "The principal cannot be read");
    return false;
}

/* A service that calls for itself may call anything; a user needs what the row asks for. */
static bool s_require_permission(call_t *call)
{
    const descriptor_method_t *method = call->method;
    const principal_t *who = call->principal;
    const char *missing = NULL;
    if (!call->has_principal)
        return true;
    if (method->access == ACCESS_INTERNAL)
        missing = "to be asked by a service for itself";
    else if (method->access == ACCESS_USER && !who->account[0])
        missing = "a signed-in user";
    else if (method->role && !principal_has_role(who, method->role))
        missing = method->role;
    else if (method->scope && !principal_has_scope(who, method->scope))
        missing = method->scope;
    if (!missing)
        return true;
    actor_count(call->actor, ACTOR_FORBIDDEN);
    call_fail(call, ERROR_FORBIDDEN, "This needs %s", missing);
    return false;
}

static bool s_fail_validation(call_t *call, const schema_errors_t *errors)
{
    failure_t failure = { .code = ERROR_VALIDATION_FAILED, .fields = errors };
    actor_count(call->actor, ACTOR_INVALID);
    call_fail_with(call, &failure);
    return false;
}

static bool s_require_valid(call_t *call)
{
    static const uint8_t empty_map = 0x80;
    const frame_t *frame = &call->message->frame;
    zmq_msg_t *body = &call->message->body;
    bool is_empty = zmq_msg_size(body) == 0;
    value_verdict_t verdict;
    call->request =
        value_parse(&call->arena, is_empty ? &empty_map : zmq_msg_data(body),
                    is_empty ? sizeof empty_map : zmq_msg_size(body), VALUE_LIMITS, &verdict);
    if (!call->request) {
        actor_count(call->actor, ACTOR_INVALID);
        call_fail(call, ERROR_BAD_REQUEST, "The body is not msgpack to be read: %s",
                  value_verdict_text(verdict));
        return false;
    }
    /* the broker lets this flag pass from the edge only */
    if (frame->flags & FRAME_STAMPED && frame->schema == call->actor->descriptor->hash)
        return true;
    schema_errors_t errors; /* of some kilobytes: not zeroed for every call */
    return schema_validate(call->method->request, call->request, &errors) ||
           s_fail_validation(call, &errors);
}

static void s_enter(const call_t *call)
{
    call_enter(call);
    call_enter_trace(call);
}

static void s_leave(void)
{
    call_leave_trace();
    log_enter(NULL);
}

static void s_begin(call_t *call)
{
    actor_t *actor = call->actor;
    const uint64_t wait_us = clock_us() - call->started_us;
    call->wait_us = wait_us < UINT32_MAX ? (uint32_t)wait_us : UINT32_MAX;
    stats_record(&actor->stats, ACTOR_WAIT_TIME, wait_us);
    if (!s_require_time(call) || !s_require_principal(call) || !s_require_permission(call))
        return;
    s_enter(call);
    if (s_require_valid(call))
        call->handler->handle(call, actor->self);
    s_leave();
}

void call_run(call_t *call)
{
    void (*go_on)(call_t *, void *) = call->go_on;
    if (!go_on) {
        s_begin(call);
        return;
    }
    call->go_on = NULL;
    s_enter(call);
    go_on(call, call->go_on_arg);
    s_leave();
}

static void s_between(actor_t *actor)
{
    if (actor->spec->between)
        actor->spec->between(actor, actor->self);
}

void call_run_waiting(actor_t *actor)
{
    queue_item_t *item;
    do {
        s_between(actor);
        item = queue_pop(&actor->waiting);
        s_between(actor);
        if (item)
            call_run(CONTAINER_OF(item, call_t, item));
    } while (item);
}

size_t actor_waiting(actor_t *self)
{
    return queue_count(&self->waiting);
}

void call_resume(call_t *self, void (*go_on)(call_t *call, void *arg), void *arg)
{
    self->go_on = go_on;
    self->go_on_arg = arg;
    if (!queue_push_beyond(&self->actor->waiting, &self->item))
        call_refuse(self, ERROR_UNAVAILABLE, "The instance is leaving");
}
