/* SPDX-License-Identifier: MPL-2.0
 *
 * peer - whoever has spoken to the broker, and sending to them
 *
 * Sends never wait: with ZMQ_ROUTER_MANDATORY a routing id nobody has any more is EHOSTUNREACH, and
 * a peer whose queue is full is EAGAIN. Without it ROUTER would drop both silently.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "broker/peer.h"

peer_t *peer_find(broker_t *broker, door_t door, const void *id, size_t size, bool make)
{
    uint8_t key[256];
    peer_t *peer = NULL;
    uint32_t key_size = (uint32_t)size + 1;
    insist(size < sizeof key);
    key[0] = (uint8_t)door;
    memcpy(key + 1, id, size);
    HASH_FIND(hh, broker->peers, key, key_size, peer);
    if (peer || !make || HASH_COUNT(broker->peers) >= (size_t)broker->settings->peers)
        return peer;

    peer = mem_zeroed(sizeof *peer + key_size);
    peer->door = (uint8_t)door;
    peer->key_size = key_size;
    memcpy(peer->key, key, key_size);
    TAILQ_INIT(&peer->asked);
    HASH_ADD(hh, broker->peers, key, key_size, peer);
    stats_add(&broker->stats, BROKER_PEERS, 1);
    return peer;
}

void peer_heard(broker_t *broker, peer_t *peer)
{
    peer->heard_ms = broker->now_ms;
}

bool peer_speaks(peer_t *peer, dialect_t dialect, mdp_dialect_t mdp)
{
    if (peer->dialect == DIALECT_UNKNOWN) {
        peer->dialect = (uint8_t)dialect;
        peer->mdp = (uint8_t)mdp;
    }
    return peer->dialect == dialect && peer->mdp == mdp;
}

void peer_lose(broker_t *broker, peer_t *peer)
{
    if (peer->is_lost)
        return;
    peer->is_lost = true;
    TAILQ_INSERT_TAIL(&broker->lost, peer, lost_entry);
}

void peer_forget(broker_t *broker, peer_t *peer)
{
    insist(!peer->worker && peer->asked_count == 0);
    HASH_DELETE(hh, broker->peers, peer);
    if (peer->is_lost)
        TAILQ_REMOVE(&broker->lost, peer, lost_entry);
    stats_add(&broker->stats, BROKER_PEERS, -1);
    mem_free(peer);
}

bool peer_begin(broker_t *broker, peer_t *peer)
{
    if (peer->is_lost)
        return false;
    while (zmq_send(broker->doors[peer->door], peer->key + 1, peer->key_size - 1,
                    ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            broker_count(broker, BROKER_BLOCKED_SENDS);
        else
            peer_lose(broker, peer);
        return false;
    }
    return true;
}

void peer_frame(broker_t *broker, peer_t *peer, zmq_msg_t *frame, bool more)
{
    /* behind the routing id a frame is always taken; on failure the message is still ours */
    if (zmq_msg_send(frame, broker->doors[peer->door], ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0)
        zmq_msg_close(frame);
}

void peer_bytes(broker_t *broker, peer_t *peer, const void *bytes, size_t size, bool more)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, size);
    if (size)
        memcpy(zmq_msg_data(&frame), bytes, size);
    peer_frame(broker, peer, &frame, more);
}

void peer_parcel(broker_t *broker, peer_t *peer, parcel_t *parcel)
{
    for (size_t i = 0; i < parcel->count; i++)
        peer_frame(broker, peer, parcel_frame(parcel, i), i + 1 < parcel->count);
    mem_free(parcel->many);
    parcel->many = NULL;
    parcel->count = 0;
}

void peer_encode(zmq_msg_t *to, const frame_t *frame)
{
    zmq_msg_init_size(to, frame_size(frame));
    frame_encode(frame, zmq_msg_data(to));
}

bool peer_send(broker_t *broker, peer_t *peer, const frame_t *frame, const buf_t *body)
{
    zmq_msg_t header;
    if (!peer_begin(broker, peer))
        return false;
    peer_encode(&header, frame);
    peer_frame(broker, peer, &header, body != NULL);
    if (body)
        peer_bytes(broker, peer, body->bytes, body->size, false);
    return true;
}

bool peer_begin_mdp(broker_t *broker, peer_t *peer, mdp_command_t command)
{
    mdp_dialect_t dialect = (mdp_dialect_t)peer->mdp;
    uint8_t byte = mdp_byte(dialect, command);
    if (!peer_begin(broker, peer))
        return false;
    if (peer->has_lead)
        peer_bytes(broker, peer, "", 0, true);
    peer_bytes(broker, peer, mdp_header(dialect), MDP_HEADER_BYTES, true);
    if (byte)
        peer_bytes(broker, peer, &byte, 1, command != MDP_HEARTBEAT && command != MDP_DISCONNECT);
    return true;
}

bool peer_send_mdp(broker_t *broker, peer_t *peer, mdp_command_t command)
{
    return peer_begin_mdp(broker, peer, command);
}

void peer_send_disconnect(broker_t *broker, peer_t *peer)
{
    bool sent = peer->dialect == DIALECT_NATIVE
                    ? peer_send(broker, peer, &(frame_t){ .command = FRAME_DISCONNECT }, NULL)
                : mdp_is_worker((mdp_dialect_t)peer->mdp)
                    ? peer_send_mdp(broker, peer, MDP_DISCONNECT)
                    : true;
    (void)sent; /* a peer that cannot be told is gone or full: both are counted */
}
