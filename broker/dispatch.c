/* SPDX-License-Identifier: MPL-2.0
 *
 * dispatch - who works on a request, and when
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "broker/dispatch.h"

/* ---- giving --------------------------------------------------------------------------------- */

/* What is sent: the parcel itself, or a second one when it may be needed again. */
static parcel_t *s_outgoing(pending_t *pending, parcel_t *second)
{
    if (!pending->is_idempotent)
        return &pending->parcel;
    parcel_share(second, &pending->parcel);
    return second;
}

/* Sends a request to a native instance. Its header is patched in place: our id, what is left of the
 * deadline. */
static bool s_send_native(broker_t *broker, worker_t *worker, pending_t *pending)
{
    uint8_t *bytes = zmq_msg_data(&pending->header);
    uint64_t left = pending->due_ms > broker->now_ms ? pending->due_ms - broker->now_ms : 1;
    parcel_t second;
    frame_patch_id(bytes, pending->id);
    frame_patch_deadline(bytes, (uint32_t)left);
    if (!peer_begin(broker, worker->peer))
        return false;
    parcel_t *parcel = s_outgoing(pending, &second);
    peer_frame(broker, worker->peer, &pending->header, parcel->count > 0);
    peer_parcel(broker, worker->peer, parcel);
    return true;
}

/* Sends a request to an MDP worker. The client's address is a token of ours, which it returns. The
 * principal is not for it. */
static bool s_send_mdp(broker_t *broker, worker_t *worker, pending_t *pending)
{
    uint8_t token[8];
    parcel_t second;
    put_u64(token, pending->id);
    if (!peer_begin_mdp(broker, worker->peer, MDP_REQUEST))
        return false;
    parcel_t *parcel = s_outgoing(pending, &second);
    if (pending->has_principal)
        parcel_drop_first(parcel);
    peer_bytes(broker, worker->peer, token, sizeof token, true);
    peer_bytes(broker, worker->peer, "", 0, parcel->count > 0);
    peer_parcel(broker, worker->peer, parcel);
    return true;
}

/* Gives the request to an instance with credit. False when that takes nothing now: the request is
 * where it was then. */
static bool s_give(broker_t *broker, worker_t *worker, pending_t *pending)
{
    if (pending->is_idempotent && !pending->header_size) {
        pending->header_size = (uint16_t)zmq_msg_size(&pending->header);
        memcpy(pending->header_copy, zmq_msg_data(&pending->header), pending->header_size);
    }
    if (!(worker->peer->dialect == DIALECT_NATIVE ? s_send_native(broker, worker, pending)
                                                  : s_send_mdp(broker, worker, pending)))
        return false;
    if (pending->state == PENDING_QUEUED)
        pending_leave_queue(broker, pending);
    pending->state = PENDING_GIVEN;
    pending->worker = worker;
    TAILQ_INSERT_TAIL(&worker->given, pending, place_entry);
    worker->outstanding++;
    worker->requests++;
    worker->beaten_ms = broker->now_ms;
    return true;
}

/* ---- placing -------------------------------------------------------------------------------- */

static void s_end_absent(broker_t *broker, pending_t *pending)
{
    const broker_service_t *service = pending->service;
    char since[CLOCK_TEXT_SIZE] = "just now";
    if (service->empty_since_ms)
        clock_text(service->empty_since_ms, since);
    pending_end(broker, pending, pending->was_resent ? ERROR_WORKER_LOST : ERROR_NO_INSTANCE,
                "No instance of %s is running; the last one left %s", service->name, since);
}

/* Gives the request to whom it belongs, or queues it, or ends it. */
void dispatch_place(broker_t *broker, pending_t *pending)
{
    broker_service_t *service = pending->service;
    worker_t *owner = NULL, *chosen;
    if (pending->is_keyed) {
        while ((owner = service_owner(service, pending->route_key))) {
            if (owner->outstanding < owner->credit && TAILQ_EMPTY(&owner->queue) &&
                s_give(broker, owner, pending))
                return;
            if (service_is_live(owner))
                break;
        }
    } else {
        while ((chosen = service_choose(service, pending))) {
            if (s_give(broker, chosen, pending))
                return;
            if (service_is_live(chosen))
                break; /* its queue in the socket is full: ours takes over */
        }
    }
    if (service_live_count(service) == 0) {
        s_end_absent(broker, pending);
    } else if (!pending_enqueue(broker, pending, owner)) {
        pending_end(broker, pending, ERROR_QUEUE_FULL, "%u requests are waiting for %s already",
                    service->queued, service->name);
    }
}

void dispatch_place_part(broker_t *broker, pending_t *part, worker_t *worker)
{
    bool given = worker->outstanding < worker->credit && s_give(broker, worker, part);
    if (!given && !pending_enqueue(broker, part, worker))
        pending_end(broker, part, ERROR_QUEUE_FULL, "The instance's queue is full");
}

void dispatch_queued(broker_t *broker, worker_t *worker)
{
    broker_service_t *service = worker->service;
    pending_t *pending;
    if (!service->queued)
        return;
    while (worker->outstanding < worker->credit && service_is_live(worker) &&
           (pending = TAILQ_FIRST(&worker->queue)))
        if (!s_give(broker, worker, pending))
            break;
    for (size_t priority = 0; priority < FRAME_PRIORITIES; priority++)
        while ((pending = TAILQ_FIRST(&service->queues[priority]))) {
            worker_t *chosen = service_choose(service, pending);
            if (!chosen)
                return;
            if (!s_give(broker, chosen, pending) && service_is_live(chosen))
                return; /* its socket takes nothing more for now */
        }
}

/* ---- losses --------------------------------------------------------------------------------- */

/* Behind the last live instance nobody takes what waits for the service: it is told at once, as
 * those are who ask later, and nothing is left that would outlive the service. */
static void s_end_queued(broker_t *broker, broker_service_t *service)
{
    pending_t *pending;
    for (size_t priority = 0; priority < FRAME_PRIORITIES; priority++)
        while ((pending = TAILQ_FIRST(&service->queues[priority])))
            s_end_absent(broker, pending);
}

void dispatch_drain(broker_t *broker, worker_t *worker)
{
    pending_t *pending;
    worker->is_draining = true;
    while ((pending = TAILQ_FIRST(&worker->queue))) {
        pending_leave_queue(broker, pending);
        if (pending->group)
            pending_end(broker, pending, ERROR_NO_INSTANCE, "The instance is leaving");
        else
            dispatch_place(broker, pending);
    }
    if (service_live_count(worker->service) == 0)
        s_end_queued(broker, worker->service);
}

/* Only what is idempotent is given to another instance, and only once: a request that kills its
 * instance must not walk through them all. */
static void s_give_again(broker_t *broker, pending_t *pending)
{
    zmq_msg_close(&pending->header);
    zmq_msg_init_size(&pending->header, pending->header_size);
    memcpy(zmq_msg_data(&pending->header), pending->header_copy, pending->header_size);
    pending->was_resent = true;
    broker_count(broker, BROKER_RESENT);
    dispatch_place(broker, pending);
}

void dispatch_lose(broker_t *broker, worker_t *worker)
{
    pending_t *pending;
    dispatch_drain(broker, worker);
    while ((pending = TAILQ_FIRST(&worker->given))) {
        bool is_ended = pending->state == PENDING_ENDED;
        TAILQ_REMOVE(&worker->given, pending, place_entry);
        worker->outstanding--;
        pending->worker = NULL;
        pending->state = PENDING_LOOSE;
        if (is_ended)
            pending_release(broker, pending);
        else if (pending->is_idempotent && !pending->was_resent)
            s_give_again(broker, pending);
        else
            pending_end(broker, pending, ERROR_WORKER_LOST,
                        "The instance %s of %s went away with the request", worker->instance,
                        worker->service->name);
    }
}
