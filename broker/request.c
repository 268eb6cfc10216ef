/* SPDX-License-Identifier: MPL-2.0
 *
 * request - a request's way through the broker, from its client to one end
 *
 *      take ──► given ──► answered              the instance's answer
 *        │        │  └──► ended ──► released    deadline or cancel; its credit comes back later
 *        └──► queued ──► given, ended           credit; deadline, cancel, no instance left
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "broker/request.h"

#define REQUEST_DEADLINE_MAX_MS 600000

/* ---- answers of the broker's own ------------------------------------------------------------ */

static answer_to_t s_answer_to(const request_in_t *in)
{
    return (answer_to_t){ .client = in->client,
                          .client_id = in->frame.id,
                          .mdp = in->mdp,
                          .asked = in->asked,
                          .asked_size = in->asked_size };
}

void request_refuse(broker_t *broker, const request_in_t *in, error_code_t code, const char *format,
                    ...)
{
    answer_to_t to = s_answer_to(in);
    failure_t failure = { .code = code };
    va_list args;
    va_start(args, format);
    vsnprintf(failure.detail, sizeof failure.detail, format, args);
    va_end(args);
    broker_count(broker, answer_failure(broker, &to, &failure) ? pending_counter(code)
                                                               : BROKER_CLIENT_GONE);
}

void request_reply(broker_t *broker, const request_in_t *in, const buf_t *body)
{
    answer_to_t to = s_answer_to(in);
    broker_count(broker, answer_body(broker, &to, body) ? BROKER_ANSWERED : BROKER_CLIENT_GONE);
}

/* ---- taking --------------------------------------------------------------------------------- */

/* What the request's header and the method's description together decide. */
typedef struct {
    broker_service_t *service;
    uint32_t deadline_ms;
    bool is_idempotent;
} terms_t;

static bool s_accept(broker_t *broker, const request_in_t *in, terms_t *terms)
{
    const frame_t *frame = &in->frame;
    const descriptor_method_t *method = NULL;
    broker_service_t *service = service_find(broker, frame->service, frame->service_size);
    if (!service) {
        request_refuse(broker, in, ERROR_NO_SERVICE, "No service '%.*s' is known",
                       frame->service_size, frame->service);
        return false;
    }
    if (service->versions) {
        method = service_method(service, frame->method, frame->method_size);
        if (!method) {
            request_refuse(broker, in, ERROR_NO_METHOD, "The service %s has no method '%.*s'",
                           service->name, frame->method_size, frame->method);
            return false;
        }
    }
    if (frame->hops >= FRAME_HOPS_MAX) {
        request_refuse(broker, in, ERROR_BAD_REQUEST, "The request passed %u brokers already",
                       frame->hops);
        return false;
    }
    if (in->client->asked_count >= broker->settings->outstanding) {
        request_refuse(broker, in, ERROR_OVERLOADED, "This client has %u requests unanswered",
                       in->client->asked_count);
        return false;
    }
    terms->service = service;
    terms->deadline_ms = frame->deadline_ms ? frame->deadline_ms
                         : method           ? method->deadline_ms
                                            : (uint32_t)broker->settings->deadline_ms;
    if (terms->deadline_ms > REQUEST_DEADLINE_MAX_MS)
        terms->deadline_ms = REQUEST_DEADLINE_MAX_MS;
    terms->is_idempotent = frame->flags & FRAME_IDEMPOTENT && (!method || method->idempotent);
    return true;
}

static pending_t *s_new(broker_t *broker, const request_in_t *in, const terms_t *terms)
{
    const frame_t *frame = &in->frame;
    pending_t *pending = pending_new(broker, terms->service, terms->deadline_ms);
    if (!pending)
        return NULL;
    pending->client_id = frame->id;
    pending->priority = frame->priority;
    pending->is_keyed = frame->flags & FRAME_ROUTE_KEY;
    pending->is_stamped = frame->flags & FRAME_STAMPED;
    pending->has_principal = frame->flags & FRAME_PRINCIPAL;
    pending->is_idempotent = terms->is_idempotent;
    pending->route_key = frame->route_key;
    pending->schema = frame->schema;
    pending->mdp = (uint8_t)in->mdp;
    return pending;
}

/* A broadcast: a request of its own to each live instance, and one that gathers their answers. */
static void s_take_broadcast(broker_t *broker, const request_in_t *in, const terms_t *terms,
                             pending_t *group)
{
    worker_t *worker;
    uint64_t group_id = group->id;
    group->group_left = 1; /* holds the group until all parts are out */
    TAILQ_FOREACH(worker, &terms->service->workers, entry)
    {
        if (!service_is_live(worker))
            continue;
        group->group_parts++;
        pending_t *part = s_new(broker, in, terms);
        if (!part) /* the broker is full: a part that failed */
            continue;
        part->group = group_id;
        part->is_idempotent = false;
        zmq_msg_init_size(&part->header, zmq_msg_size(in->header));
        memcpy(zmq_msg_data(&part->header), zmq_msg_data(in->header), zmq_msg_size(in->header));
        parcel_share(&part->parcel, in->parcel);
        part->bytes = parcel_bytes(&part->parcel);
        group->group_left++;
        wheel_add(&broker->deadlines, &part->timer, part->due_ms);
        dispatch_place_part(broker, part, worker);
    }
    pending_end_part(broker, group_id, false); /* the hold: it is counted as no part */
}

void request_take(broker_t *broker, const request_in_t *in)
{
    terms_t terms;
    if (!s_accept(broker, in, &terms))
        return;
    pending_t *pending = s_new(broker, in, &terms);
    if (!pending) {
        request_refuse(broker, in, ERROR_OVERLOADED, "The broker holds %lld requests already",
                       (long long)broker->settings->pending);
        return;
    }
    terms.service->requests++;
    pending_attach(broker, pending, in->client);
    if (in->mdp != MDP_NONE)
        pending->asked = mem_text(in->asked, in->asked_size);
    frame_patch_hops(zmq_msg_data(in->header), (uint8_t)(in->frame.hops + 1));
    if (in->frame.flags & FRAME_BROADCAST && service_live_count(terms.service) > 0) {
        s_take_broadcast(broker, in, &terms, pending);
        return;
    }
    zmq_msg_move(&pending->header, in->header);
    pending->parcel = *in->parcel;
    *in->parcel = (parcel_t){ 0 };
    pending->bytes = parcel_bytes(&pending->parcel);
    dispatch_place(broker, pending);
}

/* ---- answers of instances ------------------------------------------------------------------- */

/* The instance's name goes along in the reply field: that tells the client the parts apart. */
static void s_pass_part(broker_t *broker, const pending_t *group, const worker_t *worker,
                        parcel_t *parcel)
{
    answer_to_t to = pending_answer_to(group);
    frame_t frame = { .command = FRAME_PARTIAL,
                      .reply = worker->instance,
                      .reply_size = (uint8_t)strlen(worker->instance) };
    frame_set_service(&frame, group->service->name);
    if (answer_send(broker, &to, &frame, NULL, parcel))
        broker_count(broker, BROKER_PARTIALS);
}

static void s_answer_group(broker_t *broker, const pending_t *part, const frame_t *frame,
                           parcel_t *parcel)
{
    const pending_t *group = slots_find(&broker->pending, part->group);
    bool answered = frame->command != FRAME_ERROR;
    if (group && answered)
        s_pass_part(broker, group, part->worker, parcel);
    if (frame->command != FRAME_PARTIAL)
        pending_end_part(broker, part->group, answered);
}

static void s_answer_client(broker_t *broker, const pending_t *pending, const frame_t *frame,
                            zmq_msg_t *header, parcel_t *parcel)
{
    static const broker_stat_t counters[FRAME_COMMANDS] = { [FRAME_PARTIAL] = BROKER_PARTIALS,
                                                            [FRAME_FINAL] = BROKER_ANSWERED,
                                                            [FRAME_ERROR] = BROKER_FAILED };
    answer_to_t to = pending_answer_to(pending);
    if (answer_send(broker, &to, frame, header, parcel))
        broker_count(broker, counters[frame->command]);
    else if (frame->command != FRAME_PARTIAL) /* a part's client is gone: the answer counts it */
        broker_count(broker, BROKER_CLIENT_GONE);
}

void request_answer(broker_t *broker, worker_t *worker, const frame_t *frame, zmq_msg_t *header,
                    parcel_t *parcel)
{
    pending_t *pending = slots_find(&broker->pending, frame->id);
    if (!pending || pending->worker != worker || pending->state == PENDING_QUEUED) {
        broker_count(broker, BROKER_UNKNOWN_ANSWERS);
        return;
    }
    if (pending->state == PENDING_ENDED)
        broker_count(broker, BROKER_LATE_ANSWERS);
    else if (pending->group)
        s_answer_group(broker, pending, frame, parcel);
    else
        s_answer_client(broker, pending, frame, header, parcel);
    if (frame->command == FRAME_PARTIAL)
        return;

    uint64_t took_us = clock_us() - pending->started_us;
    if (frame->command == FRAME_ERROR) {
        worker->failures++;
        worker->service->failures++;
    }
    worker->busy_us += took_us;
    stats_record(&broker->stats, BROKER_ROUTE_TIME, took_us);
    pending_release(broker, pending);
    dispatch_queued(broker, worker);
}

/* ---- other ends ----------------------------------------------------------------------------- */

void request_cancel(broker_t *broker, peer_t *client, uint64_t client_id)
{
    pending_t *pending;
    TAILQ_FOREACH(pending, &client->asked, asked_entry)
    if (pending->client_id == client_id) {
        pending_end(broker, pending, ERROR_CANCELLED, "The client gave the request up");
        return;
    }
}

void request_expire(broker_t *broker, pending_t *pending)
{
    pending_end(broker, pending, ERROR_DEADLINE, "%s did not answer in time%s",
                pending->service->name,
                pending->state == PENDING_QUEUED ? ": all its instances were busy" : "");
}

void request_lose_client(broker_t *broker, peer_t *client)
{
    pending_t *pending;
    while ((pending = TAILQ_FIRST(&client->asked))) {
        broker_count(broker, BROKER_CLIENT_GONE);
        pending_detach(pending);
        pending_end(broker, pending, ERROR_CANCELLED, "The client is gone");
    }
}

void request_end_all(broker_t *broker)
{
    uint32_t index = 0;
    uint64_t id;
    pending_t *pending;
    while ((pending = slots_next(&broker->pending, &index, &id))) {
        if (pending->state != PENDING_ENDED)
            pending_end(broker, pending, ERROR_UNAVAILABLE, "The broker is stopping");
        if (slots_find(&broker->pending, id))
            pending_release(broker, pending);
    }
}
