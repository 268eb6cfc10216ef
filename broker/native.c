/* SPDX-License-Identifier: MPL-2.0
 *
 * native - messages of the native dialect: one function a command, listed in a table at the end
 */
#include "config.h"

#include "broker/events.h"
#include "broker/inspect.h"
#include "broker/native.h"
#include "broker/worker.h"

typedef struct {
    peer_t *peer;
    frame_t frame;
    zmq_msg_t *header;
    parcel_t parcel;
} native_in_t;

/* Only the edge's door may say on whose behalf a request is made, and that its body was validated
 * already. */
static void s_distrust(broker_t *broker, native_in_t *in)
{
    if (in->frame.flags & FRAME_PRINCIPAL) {
        parcel_drop_first(&in->parcel);
        broker_count(broker, BROKER_PRINCIPALS_REMOVED);
    }
    in->frame.flags &= (uint8_t) ~(FRAME_PRINCIPAL | FRAME_STAMPED);
    frame_patch_flags(zmq_msg_data(in->header), in->frame.flags);
}

static void s_request(broker_t *broker, native_in_t *in)
{
    broker_count(broker, BROKER_REQUESTS);
    request_in_t request = {
        .client = in->peer, .frame = in->frame, .header = in->header, .parcel = &in->parcel
    };
    if (in->frame.flags & FRAME_PRINCIPAL && in->parcel.count == 0) {
        request_refuse(broker, &request, ERROR_BAD_REQUEST,
                       "The header announces a principal, but there is no frame for it");
        return;
    }
    if (in->peer->door != DOOR_TRUSTED && in->frame.flags & (FRAME_PRINCIPAL | FRAME_STAMPED))
        s_distrust(broker, in);
    request.frame.flags = in->frame.flags;
    if (!inspect_take(broker, &request))
        request_take(broker, &request);
}

static void s_answer(broker_t *broker, native_in_t *in)
{
    if (in->peer->worker)
        request_answer(broker, in->peer->worker, &in->frame, in->header, &in->parcel);
    else
        broker_count(broker, BROKER_UNKNOWN_PEERS);
}

static void s_ready(broker_t *broker, native_in_t *in)
{
    zmq_msg_t *body = in->parcel.count ? parcel_frame(&in->parcel, 0) : NULL;
    worker_ready(broker, in->peer, &in->frame, body ? zmq_msg_data(body) : "",
                 body ? zmq_msg_size(body) : 0);
}

static void s_credit(broker_t *broker, native_in_t *in)
{
    worker_t *worker = in->peer->worker;
    if (!worker) {
        broker_count(broker, BROKER_UNKNOWN_PEERS);
        return;
    }
    worker->credit = in->frame.detail;
    dispatch_queued(broker, worker);
}

static void s_cancel(broker_t *broker, native_in_t *in)
{
    request_cancel(broker, in->peer, in->frame.id);
}

/* The worker gets its word back, behind everything it was given before: it may leave when that is
 * done, and nothing is on its way to it. */
static void s_drain(broker_t *broker, native_in_t *in)
{
    if (!in->peer->worker) {
        broker_count(broker, BROKER_UNKNOWN_PEERS);
        return;
    }
    worker_drain(broker, in->peer->worker);
    peer_send(broker, in->peer, &(frame_t){ .command = FRAME_DRAIN }, NULL);
}

/* A beat is answered, so that each side hears the other whoever began; but a beat that names a
 * service comes from a worker, and one we do not know must register again. */
static void s_heartbeat(broker_t *broker, native_in_t *in)
{
    worker_t *worker = in->peer->worker;
    if (!worker && in->frame.service_size) {
        broker_count(broker, BROKER_UNKNOWN_PEERS);
        peer_send_disconnect(broker, in->peer);
        return;
    }
    if (worker) {
        worker->oldest_ms = in->frame.detail;
        worker->beaten_ms = broker->now_ms;
    }
    peer_send(broker, in->peer, &(frame_t){ .command = FRAME_HEARTBEAT }, NULL);
}

static void s_disconnect(broker_t *broker, native_in_t *in)
{
    peer_lose(broker, in->peer);
}

static void s_publish(broker_t *broker, native_in_t *in)
{
    events_publish(broker, &in->frame, &in->parcel);
}

static void s_snapshot(broker_t *broker, native_in_t *in)
{
    events_snapshot(broker, in->peer, &in->frame);
}

static void (*const s_commands[FRAME_COMMANDS])(broker_t *broker, native_in_t *in) = {
    [FRAME_READY] = s_ready,           [FRAME_CREDIT] = s_credit,   [FRAME_REQUEST] = s_request,
    [FRAME_PARTIAL] = s_answer,        [FRAME_FINAL] = s_answer,    [FRAME_ERROR] = s_answer,
    [FRAME_CANCEL] = s_cancel,         [FRAME_DRAIN] = s_drain,     [FRAME_HEARTBEAT] = s_heartbeat,
    [FRAME_DISCONNECT] = s_disconnect, [FRAME_PUBLISH] = s_publish, [FRAME_SNAPSHOT] = s_snapshot,
};

void native_take(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames, size_t count)
{
    native_in_t in = { .header = &frames[0] };
    bool good = frame_decode(&in.frame, zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]));
    if (good)
        in.peer = peer_find(broker, door, zmq_msg_data(id), zmq_msg_size(id), true);
    if (in.peer && !peer_speaks(in.peer, DIALECT_NATIVE, MDP_NONE)) {
        broker_count(broker, BROKER_BAD_MESSAGES);
    } else if (in.peer && !in.peer->is_lost) {
        peer_heard(broker, in.peer);
        parcel_take(&in.parcel, frames + 1, count - 1);
        s_commands[in.frame.command](broker, &in);
        parcel_close(&in.parcel);
    } else {
        broker_count(broker, good ? BROKER_OVERLOADED_PEERS : BROKER_BAD_MESSAGES);
    }
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
}
