/* SPDX-License-Identifier: MPL-2.0
 *
 * answer - what a client is sent, in its own dialect
 */
#include "config.h"

#include <string.h>

#include "broker/answer.h"

/* A native failure's body inside {"error": ...}, for peers whose dialect knows no errors. */
static void s_wrap_failure(parcel_t *parcel)
{
    static const uint8_t head[] = { 0x81, 0xa5, 'e', 'r', 'r', 'o', 'r' };
    zmq_msg_t wrapped, *body = parcel->count ? parcel_frame(parcel, 0) : NULL;
    size_t size = body ? zmq_msg_size(body) : 0;
    zmq_msg_init_size(&wrapped, sizeof head + (size ? size : 1));
    uint8_t *at = zmq_msg_data(&wrapped);
    memcpy(at, head, sizeof head);
    if (size)
        memcpy(at + sizeof head, zmq_msg_data(body), size);
    else
        at[sizeof head] = 0xc0; /* nil */
    parcel_close(parcel);
    parcel_take(parcel, &wrapped, 1);
}

static bool s_send_native(broker_t *broker, const answer_to_t *to, const frame_t *frame,
                          zmq_msg_t *header, parcel_t *parcel)
{
    zmq_msg_t made;
    if (!peer_begin(broker, to->client))
        return false;
    if (!header) {
        frame_t own = *frame;
        own.id = to->client_id;
        peer_encode(&made, &own);
        header = &made;
    } else {
        frame_patch_id(zmq_msg_data(header), to->client_id);
    }
    peer_frame(broker, to->client, header, parcel->count > 0);
    peer_parcel(broker, to->client, parcel);
    return true;
}

static bool s_send_mdp(broker_t *broker, const answer_to_t *to, const frame_t *frame,
                       parcel_t *parcel)
{
    bool is_part = frame->command == FRAME_PARTIAL;
    if (is_part && to->mdp == MDP_CLIENT_1) {
        broker_count(broker, BROKER_PARTIAL_DROPS);
        return true;
    }
    if (frame->command == FRAME_ERROR)
        s_wrap_failure(parcel);
    if (!peer_begin_mdp(broker, to->client, is_part ? MDP_PARTIAL : MDP_FINAL))
        return false;
    peer_bytes(broker, to->client, to->asked, to->asked_size, parcel->count > 0);
    peer_parcel(broker, to->client, parcel);
    return true;
}

bool answer_send(broker_t *broker, const answer_to_t *to, const frame_t *frame, zmq_msg_t *header,
                 parcel_t *parcel)
{
    bool sent = to->mdp == MDP_NONE ? s_send_native(broker, to, frame, header, parcel)
                                    : s_send_mdp(broker, to, frame, parcel);
    if (header)
        zmq_msg_close(header);
    parcel_close(parcel);
    return sent;
}

/* A parcel of one frame with these bytes, copied. */
static void s_pack(parcel_t *parcel, const buf_t *body)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, body->size);
    if (body->size)
        memcpy(zmq_msg_data(&frame), body->bytes, body->size);
    parcel_take(parcel, &frame, 1);
}

bool answer_failure(broker_t *broker, const answer_to_t *to, const failure_t *failure)
{
    const error_row_t *row = error_row(failure->code);
    buf_t body = { 0 };
    pack_t pack;
    parcel_t parcel;
    pack_init(&pack, &body);
    failure_write(failure, &pack);
    s_pack(&parcel, &body);
    buf_free(&body);
    frame_t frame = { .command = FRAME_ERROR,
                      .detail = row->bus_status,
                      .flags = row->retry ? FRAME_RETRYABLE : 0 };
    return answer_send(broker, to, &frame, NULL, &parcel);
}

bool answer_body(broker_t *broker, const answer_to_t *to, const buf_t *body)
{
    parcel_t parcel;
    s_pack(&parcel, body);
    return answer_send(broker, to, &(frame_t){ .command = FRAME_FINAL }, NULL, &parcel);
}
