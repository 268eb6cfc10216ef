/* SPDX-License-Identifier: MPL-2.0
 *
 * client_calls - from a request to its one answer
 *
 * A call is packed by the thread that makes it; the I/O thread gives it a slot, whose id travels as
 * the request id, and sends it. What comes back is matched by that id; the id of a call that ended
 * finds nothing.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "proto/client_calls.h"
#include "proto/method.h"

/* A call on its way to the I/O thread. */
typedef struct {
    order_t order;
    uint64_t ticket;
    frame_t frame; /* its names point to `names` */
    char names[3][FRAME_NAME_BYTES + 1];
    zmq_msg_t parts[2]; /* principal, body */
    size_t part_count;
    answer_fn on_answer, on_part;
    void *arg, *part_arg;
} call_order_t;

/* ---- answers -------------------------------------------------------------------------------- */

static void s_init_answer(answer_t *answer)
{
    /* the room for field errors is large: it is not cleared for every answer */
    answer->failure = (failure_t){ .code = ERROR_NONE };
    answer->fields.count = 0;
    answer->status = 0;
    zmq_msg_init(&answer->body);
}

void answer_fail(answer_t *self, error_code_t code, const char *detail)
{
    s_init_answer(self);
    self->failure.code = code;
    snprintf(self->failure.detail, sizeof self->failure.detail, "%s", detail);
}

const uint8_t *answer_bytes(const answer_t *self)
{
    return zmq_msg_data((zmq_msg_t *)(uintptr_t)&self->body);
}

size_t answer_size(const answer_t *self)
{
    return zmq_msg_size(&self->body);
}

void answer_close(answer_t *self)
{
    zmq_msg_close(&self->body);
    zmq_msg_init(&self->body);
}

static void s_end(client_t *client, client_call_t *call, answer_t *answer)
{
    answer_fn on_answer = call->on_answer;
    void *arg = call->arg;
    wheel_remove(&client->wheel, &call->timer);
    stats_record(&client->stats, CLIENT_CALL_TIME, clock_us() - call->started_us);
    if (answer->failure.code != ERROR_NONE)
        client_count(client, CLIENT_FAILURES);
    slots_release(&client->calls, call->id);
    on_answer(arg, answer);
    answer_close(answer);
}

static void s_end_failed(client_t *client, client_call_t *call, error_code_t code,
                         const char *detail)
{
    answer_t answer;
    answer_fail(&answer, code, detail);
    s_end(client, call, &answer);
}

static void s_read_answer(answer_t *answer, const frame_t *frame, zmq_msg_t *parts, size_t count)
{
    s_init_answer(answer);
    if (frame->command == FRAME_ERROR) {
        failure_read(&answer->failure, frame->detail, count ? zmq_msg_data(&parts[0]) : "",
                     count ? zmq_msg_size(&parts[0]) : 0, &answer->fields);
        return;
    }
    answer->status = frame->detail >= 200 && frame->detail < 300 ? (uint16_t)frame->detail : 0;
    if (count)
        zmq_msg_move(&answer->body, &parts[0]);
}

void calls_answer(client_t *client, const link_t *link, const frame_t *frame, zmq_msg_t *parts,
                  size_t count)
{
    answer_t answer;
    client_call_t *call = slots_find(&client->calls, frame->id);
    if (!call || call->link != link_index(client, link)) {
        client_count(client, CLIENT_LATE_ANSWERS);
        return;
    }
    if (frame->command == FRAME_PARTIAL && !call->on_part)
        return;
    s_read_answer(&answer, frame, parts, count);
    if (frame->command == FRAME_PARTIAL) {
        call->on_part(call->part_arg, &answer);
        answer_close(&answer);
    } else {
        s_end(client, call, &answer);
    }
}

void calls_expire(client_t *client)
{
    wheel_timer_t *timer;
    while ((timer = wheel_expired(&client->wheel, client->now_ms))) {
        client_call_t *call = CONTAINER_OF(timer, client_call_t, timer);
        frame_t cancel = { .command = FRAME_CANCEL, .id = call->id };
        link_send(client, &client->links[call->link], &cancel, NULL, 0);
        s_end_failed(client, call, ERROR_DEADLINE, "No answer came in time, not even a refusal");
    }
}

void calls_end(client_t *client, const link_t *link, error_code_t code, const char *detail)
{
    uint32_t index = 0;
    uint64_t id;
    client_call_t *call;
    while ((call = slots_next(&client->calls, &index, &id)))
        if (!link || call->link == link_index(client, link))
            s_end_failed(client, call, code, detail);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void s_close_order(call_order_t *order)
{
    for (size_t i = 0; i < order->part_count; i++)
        zmq_msg_close(&order->parts[i]);
}

static void s_refuse(client_t *client, call_order_t *order, error_code_t code, const char *detail)
{
    answer_t answer;
    client_count(client, CLIENT_FAILURES);
    answer_fail(&answer, code, detail);
    s_close_order(order);
    order->on_answer(order->arg, &answer);
    answer_close(&answer);
}

/* On the I/O thread: from here on the call ends by itself. */
static void s_begin(client_t *client, call_order_t *order)
{
    uint64_t id;
    link_t *link = link_choose(client);
    client_count(client, CLIENT_CALLS);
    if (!link) {
        s_refuse(client, order, ERROR_NO_BROKER, "No broker answers");
        return;
    }
    client_call_t *call = slots_take(&client->calls, &id);
    if (!call) {
        s_refuse(client, order, ERROR_OVERLOADED, "Too many calls are under way here");
        return;
    }
    *call = (client_call_t){ .id = id,
                             .link = link_index(client, link),
                             .connection = link->connection,
                             .ticket = order->ticket,
                             .started_us = clock_us(),
                             .on_answer = order->on_answer,
                             .on_part = order->on_part,
                             .arg = order->arg,
                             .part_arg = order->part_arg };
    order->frame.id = id;
    size_t parts = order->part_count;
    order->part_count = 0;
    if (!link_send(client, link, &order->frame, order->parts, parts))
        s_end_failed(client, call, ERROR_NO_BROKER, "The broker is gone, or takes no more for now");
    else
        wheel_add(&client->wheel, &call->timer,
                  client->now_ms + order->frame.deadline_ms + CLIENT_GRACE_MS);
}

static const char *s_keep_name(char to[FRAME_NAME_BYTES + 1], const char *name)
{
    snprintf(to, FRAME_NAME_BYTES + 1, "%s", name ? name : "");
    return to;
}

/* Packs a request; the order needs nothing of the caller's afterwards. */
static void s_pack(call_order_t *order, const client_request_t *request)
{
    static const uint8_t empty_map = 0x80;
    frame_t *frame = &order->frame;
    *frame =
        (frame_t){ .command = FRAME_REQUEST,
                   .flags = request->flags,
                   .priority = request->priority,
                   .deadline_ms = request->deadline_ms ? request->deadline_ms : METHOD_DEADLINE_MS,
                   .route_key = request->route_key,
                   .schema = request->schema };
    frame_set_service(frame, s_keep_name(order->names[0], request->service));
    frame_set_method(frame, s_keep_name(order->names[1], request->method));
    frame->reply = s_keep_name(order->names[2], request->job);
    frame->reply_size = (uint8_t)strlen(order->names[2]);
    if (request->trace) {
        memcpy(frame->trace, request->trace, sizeof frame->trace);
        frame->flags |= FRAME_TRACED;
    }
    order->part_count = 0;
    if (request->principal) {
        link_copy(&order->parts[order->part_count++], request->principal->bytes,
                  request->principal->size);
        frame->flags |= FRAME_PRINCIPAL;
    }
    if (request->body && request->body->size)
        link_take(&order->parts[order->part_count++], request->body);
    else
        link_copy(&order->parts[order->part_count++], &empty_map, 1);
    order->on_part = request->on_part;
    order->part_arg = request->part_arg;
}

/* A call whose thread waits lies on that thread's stack. */
typedef struct {
    call_order_t call;
    sem_t done;
    answer_t *answer;
} waiting_call_t;

static void s_wake(void *arg, answer_t *answer)
{
    waiting_call_t *waiting = arg;
    answer_t *to = waiting->answer;
    to->failure = answer->failure;
    to->status = answer->status;
    to->fields.count = answer->fields.count;
    memcpy(to->fields.list, answer->fields.list,
           answer->fields.count * sizeof answer->fields.list[0]);
    to->failure.fields = to->fields.count ? &to->fields : NULL;
    zmq_msg_move(&to->body, &answer->body);
    sem_post(&waiting->done);
}

static void s_run_waiting(client_t *client, order_t *order)
{
    s_begin(client, CONTAINER_OF(order, call_order_t, order));
}

bool client_call(client_t *self, const client_request_t *request, answer_t *answer)
{
    waiting_call_t waiting;
    insist(!pthread_equal(pthread_self(), self->thread));
    s_init_answer(answer);
    s_pack(&waiting.call, request);
    waiting.call.ticket = 0;
    waiting.call.on_answer = s_wake;
    waiting.call.arg = &waiting;
    waiting.answer = answer;
    sem_init(&waiting.done, 0, 0);
    client_order(self, &waiting.call.order, s_run_waiting);
    while (sem_wait(&waiting.done) < 0)
        ;
    sem_destroy(&waiting.done);
    return answer->failure.code == ERROR_NONE;
}

static void s_run_sent(client_t *client, order_t *order)
{
    call_order_t *call = CONTAINER_OF(order, call_order_t, order);
    s_begin(client, call);
    mem_free(call);
}

uint64_t client_send(client_t *self, const client_request_t *request, answer_fn on_answer,
                     void *arg)
{
    call_order_t *call = mem_zeroed(sizeof *call);
    uint64_t ticket = atomic_fetch_add(&self->ticket, 1) + 1;
    s_pack(call, request);
    call->ticket = ticket;
    call->on_answer = on_answer;
    call->arg = arg;
    client_order(self, &call->order, s_run_sent);
    return ticket;
}

/* ---- giving up ------------------------------------------------------------------------------ */

typedef struct {
    order_t order;
    uint64_t ticket;
} cancel_order_t;

static void s_run_cancel(client_t *client, order_t *order)
{
    cancel_order_t *cancel = CONTAINER_OF(order, cancel_order_t, order);
    uint32_t index = 0;
    uint64_t id;
    client_call_t *call;
    while ((call = slots_next(&client->calls, &index, &id)))
        if (call->ticket == cancel->ticket) {
            frame_t frame = { .command = FRAME_CANCEL, .id = id };
            link_send(client, &client->links[call->link], &frame, NULL, 0);
            s_end_failed(client, call, ERROR_CANCELLED, "The call was given up");
            break;
        }
    mem_free(cancel);
}

void client_cancel(client_t *self, uint64_t ticket)
{
    cancel_order_t *cancel = mem_zeroed(sizeof *cancel);
    cancel->ticket = ticket;
    client_order(self, &cancel->order, s_run_cancel);
}
