/* SPDX-License-Identifier: MPL-2.0
 *
 * pending - a request inside the broker: the lists it is in, and its end
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "broker/pending.h"

pending_t *pending_new(broker_t *broker, broker_service_t *service, uint32_t deadline_ms)
{
    uint64_t id;
    pending_t *pending = slots_take(&broker->pending, &id);
    if (!pending)
        return NULL;
    pending->id = id;
    pending->service = service;
    pending->started_us = clock_us();
    pending->due_ms = broker->now_ms + deadline_ms;
    zmq_msg_init(&pending->header);
    stats_add(&broker->stats, BROKER_PENDING, 1);
    return pending;
}

void pending_attach(broker_t *broker, pending_t *pending, peer_t *client)
{
    pending->client = client;
    TAILQ_INSERT_TAIL(&client->asked, pending, asked_entry);
    client->asked_count++;
    wheel_add(&broker->deadlines, &pending->timer, pending->due_ms);
}

void pending_detach(pending_t *pending)
{
    if (!pending->client)
        return;
    TAILQ_REMOVE(&pending->client->asked, pending, asked_entry);
    pending->client->asked_count--;
    pending->client = NULL;
}

static pending_list_t *s_queue_of(pending_t *pending)
{
    return pending->worker ? &pending->worker->queue : &pending->service->queues[pending->priority];
}

bool pending_enqueue(broker_t *broker, pending_t *pending, worker_t *owner)
{
    broker_service_t *service = pending->service;
    if (service->queued >= broker->settings->queue_length ||
        service->queued_bytes + pending->bytes > (size_t)broker->settings->queue_bytes)
        return false;
    pending->state = PENDING_QUEUED;
    pending->worker = owner;
    TAILQ_INSERT_TAIL(s_queue_of(pending), pending, place_entry);
    service->queued++;
    service->queued_bytes += pending->bytes;
    stats_add(&broker->stats, BROKER_QUEUED, 1);
    return true;
}

void pending_leave_queue(broker_t *broker, pending_t *pending)
{
    insist(pending->state == PENDING_QUEUED);
    TAILQ_REMOVE(s_queue_of(pending), pending, place_entry);
    pending->service->queued--;
    pending->service->queued_bytes -= pending->bytes;
    pending->state = PENDING_LOOSE;
    pending->worker = NULL;
    stats_add(&broker->stats, BROKER_QUEUED, -1);
}

void pending_release(broker_t *broker, pending_t *pending)
{
    wheel_remove(&broker->deadlines, &pending->timer);
    pending_detach(pending);
    if (pending->state == PENDING_QUEUED) {
        pending_leave_queue(broker, pending);
    } else if (pending->worker) {
        TAILQ_REMOVE(&pending->worker->given, pending, place_entry);
        pending->worker->outstanding--;
    }
    zmq_msg_close(&pending->header);
    parcel_close(&pending->parcel);
    mem_free(pending->asked);
    slots_release(&broker->pending, pending->id);
    stats_add(&broker->stats, BROKER_PENDING, -1);
}

answer_to_t pending_answer_to(const pending_t *pending)
{
    return (answer_to_t){ .client = pending->client,
                          .client_id = pending->client_id,
                          .mdp = (mdp_dialect_t)pending->mdp,
                          .asked = pending->asked,
                          .asked_size = pending->asked ? strlen(pending->asked) : 0 };
}

broker_stat_t pending_counter(error_code_t code)
{
    static const broker_stat_t counters[ERROR_COUNT] = {
        [ERROR_NO_SERVICE] = BROKER_NO_SERVICE,   [ERROR_NO_METHOD] = BROKER_NO_METHOD,
        [ERROR_FORBIDDEN] = BROKER_FORBIDDEN,     [ERROR_QUEUE_FULL] = BROKER_QUEUE_FULL,
        [ERROR_WORKER_LOST] = BROKER_WORKER_LOST, [ERROR_NO_INSTANCE] = BROKER_NO_INSTANCE,
        [ERROR_DEADLINE] = BROKER_DEADLINE,       [ERROR_OVERLOADED] = BROKER_OVERLOADED,
        [ERROR_UNAVAILABLE] = BROKER_OVERLOADED,  [ERROR_CANCELLED] = BROKER_CANCELLED,
    };
    return counters[code] ? counters[code] : BROKER_BAD_REQUEST;
}

/* Tells the client, one that gave up, too: it may use the request's id again when it has heard. */
static void s_report(broker_t *broker, const pending_t *pending, const failure_t *failure)
{
    answer_to_t to = pending_answer_to(pending);
    bool told = answer_failure(broker, &to, failure);
    broker_count(broker, told ? pending_counter(failure->code) : BROKER_CLIENT_GONE);
    pending->service->dropped++;
}

void pending_end(broker_t *broker, pending_t *pending, error_code_t code, const char *format, ...)
{
    if (pending->group)
        pending_end_part(broker, pending->group, false);
    if (pending->client) {
        failure_t failure = { .code = code };
        va_list args;
        va_start(args, format);
        vsnprintf(failure.detail, sizeof failure.detail, format, args);
        va_end(args);
        s_report(broker, pending, &failure);
    }
    if (pending->state != PENDING_GIVEN) {
        pending_release(broker, pending);
        return;
    }
    pending_detach(pending);
    wheel_remove(&broker->deadlines, &pending->timer);
    parcel_close(&pending->parcel);
    pending->group = 0;
    pending->state = PENDING_ENDED;
    if (pending->worker->peer->dialect == DIALECT_NATIVE)
        peer_send(broker, pending->worker->peer,
                  &(frame_t){ .command = FRAME_CANCEL, .id = pending->id }, NULL);
}

void pending_end_part(broker_t *broker, uint64_t group_id, bool answered)
{
    pending_t *group = slots_find(&broker->pending, group_id);
    if (!group)
        return;
    if (answered)
        group->group_answered++;
    if (--group->group_left > 0)
        return;
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_int(&pack, "instances", group->group_parts);
    pack_pair_int(&pack, "answered", group->group_answered);
    pack_pair_int(&pack, "failed", group->group_parts - group->group_answered);
    answer_to_t to = pending_answer_to(group);
    broker_count(broker, answer_body(broker, &to, &body) ? BROKER_ANSWERED : BROKER_CLIENT_GONE);
    buf_free(&body);
    pending_release(broker, group);
}
