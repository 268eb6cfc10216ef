/* SPDX-License-Identifier: MPL-2.0
 *
 * events - publishing, and the last values of retained topics
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "actors/base/clock.h"
#include "broker/events.h"
#include "proto/levels.h"
#include "proto/topic.h"

#define SUBSCRIPTIONS_A_ROUND 256
#define PREFIXES_DUE_BYTES    (64 * 1024) /* beyond it everything retained is sent */

struct retained {
    UT_hash_handle hh;
    zmq_msg_t head, body;
    uint32_t topic_size;
    char topic[];
};

static size_t s_bytes(retained_t *value)
{
    return value->topic_size + zmq_msg_size(&value->head) + zmq_msg_size(&value->body);
}

static void s_remove(broker_t *broker, retained_t *value)
{
    HASH_DELETE(hh, broker->retained, value);
    broker->retained_bytes -= s_bytes(value);
    stats_add(&broker->stats, BROKER_RETAINED, -1);
    zmq_msg_close(&value->head);
    zmq_msg_close(&value->body);
    mem_free(value);
}

static bool s_has_room(const broker_t *broker, size_t bytes)
{
    return HASH_COUNT(broker->retained) < (size_t)broker->settings->retained &&
           broker->retained_bytes + bytes <= (size_t)broker->settings->retained_bytes;
}

/* Keeps a copy as the topic's last value; an empty body forgets it. What lives is kept even where
 * others have filled the room, or no edge that starts later would find it. */
static void s_retain(broker_t *broker, const char *topic, size_t size, bool is_own, zmq_msg_t *head,
                     zmq_msg_t *body)
{
    retained_t *value;
    HASH_FIND(hh, broker->retained, topic, size, value);
    if (value)
        s_remove(broker, value);
    if (zmq_msg_size(body) == 0)
        return;
    size_t bytes = size + zmq_msg_size(head) + zmq_msg_size(body);
    if (!is_own && !s_has_room(broker, bytes)) {
        broker_count(broker, BROKER_RETAINED_DROPS);
        return;
    }
    value = mem_zeroed(sizeof *value + size);
    value->topic_size = (uint32_t)size;
    memcpy(value->topic, topic, size);
    /* the head's flags change when it is sent again, so it is not shared */
    zmq_msg_init_size(&value->head, zmq_msg_size(head));
    memcpy(zmq_msg_data(&value->head), zmq_msg_data(head), zmq_msg_size(head));
    event_patch_flags(zmq_msg_data(&value->head), EVENT_RETAINED);
    zmq_msg_init(&value->body);
    zmq_msg_copy(&value->body, body);
    HASH_ADD(hh, broker->retained, topic, value->topic_size, value);
    broker->retained_bytes += bytes;
    stats_add(&broker->stats, BROKER_RETAINED, 1);
}

/* Gives a frame to the XPUB. It never waits: a subscriber that is full misses the event and sees
 * the gap in the sequence. */
static void s_send(broker_t *broker, zmq_msg_t *frame, bool more)
{
    if (zmq_msg_send(frame, broker->events, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0)
        zmq_msg_close(frame);
}

static void s_send_event(broker_t *broker, const char *topic, size_t size, zmq_msg_t *head,
                         zmq_msg_t *body)
{
    zmq_msg_t name;
    zmq_msg_init_size(&name, size);
    memcpy(zmq_msg_data(&name), topic, size);
    s_send(broker, &name, true);
    s_send(broker, head, true);
    s_send(broker, body, false);
}

static void s_publish(broker_t *broker, const char *topic, size_t size, zmq_msg_t *head,
                      zmq_msg_t *body)
{
    broker_count(broker, BROKER_EVENTS);
    s_send_event(broker, topic, size, head, body);
}

/* What lives is known to the broker alone. */
static bool s_is_reserved(const char *topic, size_t size)
{
    const char *registry = topic_row(TOPIC_REGISTRY)->prefix;
    const size_t prefix = strlen(registry);
    return size >= prefix && memcmp(topic, registry, prefix) == 0;
}

/* The broker has no client to be asked by: it hears what passes. */
static void s_hear(broker_t *broker, const frame_t *frame, zmq_msg_t *body)
{
    const char *control = topic_row(TOPIC_LOG_CONTROL)->prefix;
    buf_t answer = { 0 };
    if (frame->service_size == strlen(control) &&
        memcmp(frame->service, control, frame->service_size) == 0 &&
        levels_obey(zmq_msg_data(body), zmq_msg_size(body), broker->name, &answer))
        events_publish_own(broker, topic_row(TOPIC_LOG_LEVELS)->prefix, ++broker->levels_sequence,
                           false, &answer);
    buf_free(&answer);
}

void events_publish(broker_t *broker, const frame_t *frame, parcel_t *parcel)
{
    zmq_msg_t *head = parcel->count ? parcel_frame(parcel, 0) : NULL;
    event_t event;
    bool good = parcel->count == 2 && topic_is_valid(frame->service, frame->service_size) &&
                !s_is_reserved(frame->service, frame->service_size) &&
                event_decode(&event, zmq_msg_data(head), zmq_msg_size(head)) && event.flags == 0;
    if (good && frame->flags & FRAME_RETAIN)
        s_retain(broker, frame->service, frame->service_size, false, head, parcel_frame(parcel, 1));
    if (good)
        s_hear(broker, frame, parcel_frame(parcel, 1));
    if (good)
        s_publish(broker, frame->service, frame->service_size, head, parcel_frame(parcel, 1));
    else
        broker_count(broker, BROKER_EVENT_DROPS);
    parcel_close(parcel);
}

void events_publish_own(broker_t *broker, const char *topic, uint64_t sequence, bool retain,
                        const buf_t *body)
{
    zmq_msg_t head, content;
    event_t event = { .epoch = broker->epoch,
                      .sequence = sequence,
                      .time_ms = clock_wall_ms(),
                      .publisher = broker->name,
                      .publisher_size = (uint8_t)strlen(broker->name) };
    zmq_msg_init_size(&head, event_size(&event));
    event_encode(&event, zmq_msg_data(&head));
    zmq_msg_init_size(&content, body->size);
    if (body->size)
        memcpy(zmq_msg_data(&content), body->bytes, body->size);
    if (retain)
        s_retain(broker, topic, strlen(topic), true, &head, &content);
    s_publish(broker, topic, strlen(topic), &head, &content);
}

/* ---- late subscribers ----------------------------------------------------------------------- */

/* Notes a prefix as [size][bytes] in the list of those that are due. */
static void s_note_due(broker_t *broker, const uint8_t *prefix, size_t size)
{
    buf_t *due = &broker->retained_due;
    if (due->size == 0)
        broker->retained_at_ms = broker->now_ms + RETAINED_DELAY_MS;
    if (size > TOPIC_BYTES_MAX || due->size + size + 1 > PREFIXES_DUE_BYTES)
        size = 0; /* the empty prefix: everything */
    buf_add_byte(due, (uint8_t)size);
    buf_add(due, prefix, size);
}

void events_read_subscriptions(broker_t *broker)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (int i = 0; i < SUBSCRIPTIONS_A_ROUND; i++) {
        if (zmq_msg_recv(&message, broker->events, ZMQ_DONTWAIT) < 0)
            break;
        const uint8_t *bytes = zmq_msg_data(&message);
        size_t size = zmq_msg_size(&message);
        if (size > 0 && bytes[0] == 1)
            s_note_due(broker, bytes + 1, size - 1);
    }
    zmq_msg_close(&message);
}

static bool s_is_due(const buf_t *due, const char *topic, size_t topic_size)
{
    for (size_t at = 0; at < due->size; at += 1 + (size_t)due->bytes[at]) {
        size_t size = due->bytes[at];
        if (size <= topic_size && memcmp(due->bytes + at + 1, topic, size) == 0)
            return true;
    }
    return false;
}

uint32_t events_send_retained(broker_t *broker, uint32_t most)
{
    retained_t *value, *next;
    if (broker->retained_due.size == 0)
        return most;
    if (broker->now_ms < broker->retained_at_ms) {
        uint64_t left = broker->retained_at_ms - broker->now_ms;
        return left < most ? (uint32_t)left : most;
    }
    HASH_ITER(hh, broker->retained, value, next)
    {
        zmq_msg_t head, body;
        if (!s_is_due(&broker->retained_due, value->topic, value->topic_size))
            continue;
        zmq_msg_init(&head);
        zmq_msg_init(&body);
        zmq_msg_copy(&head, &value->head);
        zmq_msg_copy(&body, &value->body);
        s_send_event(broker, value->topic, value->topic_size, &head, &body);
    }
    broker->retained_due.size = 0;
    return most;
}

void events_snapshot(broker_t *broker, peer_t *peer, const frame_t *frame)
{
    retained_t *value, *next;
    HASH_ITER(hh, broker->retained, value, next)
    {
        zmq_msg_t header, part;
        if (value->topic_size < frame->service_size ||
            memcmp(value->topic, frame->service, frame->service_size) != 0)
            continue;
        if (!peer_begin(broker, peer))
            return; /* the peer is gone, or asks again when it finds the answer incomplete */
        peer_encode(&header, &(frame_t){ .command = FRAME_PARTIAL,
                                         .id = frame->id,
                                         .service = value->topic,
                                         .service_size = (uint8_t)value->topic_size });
        peer_frame(broker, peer, &header, true);
        zmq_msg_init(&part);
        zmq_msg_copy(&part, &value->head);
        peer_frame(broker, peer, &part, true);
        zmq_msg_init(&part);
        zmq_msg_copy(&part, &value->body);
        peer_frame(broker, peer, &part, false);
    }
    peer_send(broker, peer,
              &(frame_t){ .command = FRAME_FINAL,
                          .id = frame->id,
                          .service = frame->service,
                          .service_size = frame->service_size },
              NULL);
}

void events_free(broker_t *broker)
{
    retained_t *value, *next;
    HASH_ITER(hh, broker->retained, value, next) s_remove(broker, value);
    buf_free(&broker->retained_due);
}
