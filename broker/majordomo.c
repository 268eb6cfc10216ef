/* SPDX-License-Identifier: MPL-2.0
 *
 * majordomo - messages of MDP/0.1 and MDP/0.2
 *
 * A client's request becomes a native one, so that it may reach any service: the service frame is a
 * service's name, or `service.method`. Between MDP peers the body frames pass untouched. 0.2 has no
 * empty first frame, but widespread peers send and expect one; whether one came is remembered.
 */
#include "config.h"

#include <string.h>

#include "broker/inspect.h"
#include "broker/majordomo.h"
#include "broker/worker.h"

typedef struct {
    peer_t *peer;
    mdp_dialect_t dialect;
    zmq_msg_t *frames; /* behind header and command */
    size_t count;
} mdp_in_t;

/* ---- clients -------------------------------------------------------------------------------- */

/* "analysis.submit" is the method `submit` of `analysis`, unless a service has the whole name. */
static void s_split_name(const broker_t *broker, const char *asked, size_t size, frame_t *frame)
{
    const char *dot = memrchr(asked, '.', size);
    frame->service = asked;
    frame->service_size = (uint8_t)size;
    if (!dot || service_find(broker, asked, size))
        return;
    frame->service_size = (uint8_t)(dot - asked);
    frame->method = dot + 1;
    frame->method_size = (uint8_t)(size - frame->service_size - 1);
}

static bool s_reply_text(broker_t *broker, mdp_in_t *in, const char *text)
{
    broker_count(broker, BROKER_REQUESTS);
    if (!peer_begin_mdp(broker, in->peer, MDP_FINAL)) {
        broker_count(broker, BROKER_CLIENT_GONE);
        return true;
    }
    peer_frame(broker, in->peer, &in->frames[0], true);
    peer_bytes(broker, in->peer, text, strlen(text), false);
    broker_count(broker, BROKER_ANSWERED);
    return true;
}

/* RFC 8: mmi.service says whether a service has an instance; other names are not implemented. */
static bool s_take_mmi(broker_t *broker, mdp_in_t *in)
{
    const char *name = zmq_msg_data(&in->frames[0]);
    size_t size = zmq_msg_size(&in->frames[0]);
    if (size < 4 || memcmp(name, "mmi.", 4) != 0)
        return false;
    if (size != strlen("mmi.service") || memcmp(name, "mmi.service", size) != 0 || in->count != 2)
        return s_reply_text(broker, in, "501");
    const broker_service_t *service =
        service_find(broker, zmq_msg_data(&in->frames[1]), zmq_msg_size(&in->frames[1]));
    return s_reply_text(broker, in, service && service_live_count(service) ? "200" : "404");
}

static bool s_client(broker_t *broker, mdp_in_t *in)
{
    if (in->count < 1 || zmq_msg_size(&in->frames[0]) == 0 ||
        zmq_msg_size(&in->frames[0]) > FRAME_NAME_BYTES)
        return false;
    if (s_take_mmi(broker, in))
        return true;

    zmq_msg_t header;
    parcel_t parcel;
    /* MDP assumes that its workers may be asked twice; of a described method its row decides */
    frame_t frame = { .command = FRAME_REQUEST, .flags = FRAME_IDEMPOTENT, .priority = 1 };
    s_split_name(broker, zmq_msg_data(&in->frames[0]), zmq_msg_size(&in->frames[0]), &frame);
    peer_encode(&header, &frame);
    parcel_take(&parcel, in->frames + 1, in->count - 1);
    request_in_t request = { .client = in->peer,
                             .frame = frame,
                             .header = &header,
                             .parcel = &parcel,
                             .mdp = in->dialect,
                             .asked = zmq_msg_data(&in->frames[0]),
                             .asked_size = zmq_msg_size(&in->frames[0]) };
    broker_count(broker, BROKER_REQUESTS);
    if (!inspect_take(broker, &request))
        request_take(broker, &request);
    parcel_close(&parcel);
    zmq_msg_close(&header);
    return true;
}

/* ---- workers -------------------------------------------------------------------------------- */

/* [client]["" ][body ...]: the client frame is the token we gave with the request. */
static bool s_worker_answer(broker_t *broker, mdp_in_t *in, mdp_command_t command)
{
    if (in->count < 2 || zmq_msg_size(&in->frames[0]) != sizeof(uint64_t) ||
        zmq_msg_size(&in->frames[1]) != 0)
        return false;
    parcel_t parcel;
    frame_t frame = { .command = command == MDP_PARTIAL ? FRAME_PARTIAL : FRAME_FINAL,
                      .id = get_u64(zmq_msg_data(&in->frames[0])) };
    parcel_take(&parcel, in->frames + 2, in->count - 2);
    request_answer(broker, in->peer->worker, &frame, NULL, &parcel);
    parcel_close(&parcel);
    return true;
}

static bool s_worker(broker_t *broker, mdp_in_t *in, mdp_command_t command)
{
    if (command == MDP_READY) {
        if (in->count != 1)
            return false;
        worker_ready_mdp(broker, in->peer, zmq_msg_data(&in->frames[0]),
                         zmq_msg_size(&in->frames[0]));
        return true;
    }
    if (command == MDP_DISCONNECT) {
        peer_lose(broker, in->peer);
        return true;
    }
    if (!in->peer->worker) { /* from before our start, or given up: it must register again */
        broker_count(broker, BROKER_UNKNOWN_PEERS);
        peer_send_disconnect(broker, in->peer);
        return true;
    }
    switch (command) {
    case MDP_PARTIAL:
    case MDP_FINAL:
        return s_worker_answer(broker, in, command);
    case MDP_HEARTBEAT:
        return true;
    default: /* valid, but not from a worker */
        peer_send_disconnect(broker, in->peer);
        peer_lose(broker, in->peer);
        return false;
    }
}

/* ---- both ----------------------------------------------------------------------------------- */

/* False when the message is none of MDP's, or not one the peer may send. */
static bool s_take(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames, size_t count)
{
    size_t at = count > 0 && zmq_msg_size(&frames[0]) == 0 ? 1 : 0;
    mdp_dialect_t dialect =
        at < count ? mdp_dialect(zmq_msg_data(&frames[at]), zmq_msg_size(&frames[at])) : MDP_NONE;
    bool is_first = dialect == MDP_CLIENT_1 || dialect == MDP_WORKER_1;
    mdp_command_t command = MDP_REQUEST;
    if (dialect == MDP_NONE || (is_first && at == 0))
        return false;
    at++;
    if (dialect != MDP_CLIENT_1) { /* everybody else says what they want */
        if (at >= count)
            return false;
        command = mdp_command(dialect, zmq_msg_data(&frames[at]), zmq_msg_size(&frames[at]));
        at++;
    }
    if (command == MDP_INVALID || (!mdp_is_worker(dialect) && command != MDP_REQUEST))
        return false;

    mdp_in_t in = { .dialect = dialect, .frames = frames + at, .count = count - at };
    in.peer = peer_find(broker, door, zmq_msg_data(id), zmq_msg_size(id), true);
    if (!in.peer || in.peer->is_lost) {
        broker_count(broker, BROKER_OVERLOADED_PEERS);
        return true;
    }
    if (!peer_speaks(in.peer, DIALECT_MDP, dialect))
        return false;
    in.peer->has_lead = zmq_msg_size(&frames[0]) == 0;
    peer_heard(broker, in.peer);
    return mdp_is_worker(dialect) ? s_worker(broker, &in, command) : s_client(broker, &in);
}

void majordomo_take(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames, size_t count)
{
    if (!s_take(broker, door, id, frames, count))
        broker_count(broker, BROKER_BAD_MESSAGES);
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
}
