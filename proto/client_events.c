/* SPDX-License-Identifier: MPL-2.0
 *
 * client_events - receiving and publishing
 *
 * Every event carries its publisher, the publisher's epoch and a sequence within the topic. An
 * event that is not newer than the last one seen is dropped: it came over a second broker, or from
 * a broker's memory. A gap is counted and told to the subscriber.
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "proto/client_events.h"
#include "proto/multipart.h"

/* ---- marks ---------------------------------------------------------------------------------- */

static void s_free_marks(topic_mark_t **marks)
{
    topic_mark_t *mark, *next;
    HASH_ITER(hh, *marks, mark, next)
    {
        HASH_DELETE(hh, *marks, mark);
        mem_free(mark);
    }
}

/* The mark of a key; made when it is new. A table that is full starts again: that costs a gap that
 * is not noticed, never memory. */
static topic_mark_t *s_mark(topic_mark_t **marks, const char *key, size_t size, bool *is_new)
{
    topic_mark_t *mark;
    HASH_FIND(hh, *marks, key, size, mark);
    *is_new = !mark;
    if (mark)
        return mark;
    if (HASH_COUNT(*marks) >= CLIENT_TOPICS_MAX)
        s_free_marks(marks);
    mark = mem_zeroed(sizeof *mark + size);
    memcpy(mark->key, key, size);
    HASH_ADD(hh, *marks, key, (unsigned)size, mark);
    return mark;
}

/* ---- receiving ------------------------------------------------------------------------------ */

static bool s_is_older(const event_t *head, const topic_mark_t *mark)
{
    return head->epoch < mark->epoch ||
           (head->epoch == mark->epoch && head->sequence < mark->sequence);
}

/* Whether a subscription is to hear of the event: because it is news, or because it is repeated for
 * one that follows. `event->missed` tells how many before it did not arrive. */
static bool s_is_wanted(subscription_t *subscription, client_event_t *event, bool is_repeated)
{
    char key[TOPIC_BYTES_MAX + EVENT_NAME_BYTES + 1];
    bool is_new;
    const event_t *head = &event->head;
    memcpy(key, event->topic, event->topic_size);
    key[event->topic_size] = '\0';
    memcpy(key + event->topic_size + 1, head->publisher, head->publisher_size);
    topic_mark_t *mark =
        s_mark(&subscription->seen, key, event->topic_size + 1 + head->publisher_size, &is_new);
    bool goes_on = !is_new && head->epoch == mark->epoch;
    event->missed = 0;
    event->is_known = goes_on && head->sequence == mark->sequence;
    if (event->is_known)
        return is_repeated && subscription->on_void;
    if (!is_new && s_is_older(head, mark))
        return false;
    if (goes_on)
        event->missed = head->sequence - mark->sequence - 1;
    mark->epoch = head->epoch;
    mark->sequence = head->sequence;
    return true;
}

static bool s_is_below(const subscription_t *subscription, const client_event_t *event)
{
    size_t size = strlen(subscription->prefix);
    return size <= event->topic_size && memcmp(subscription->prefix, event->topic, size) == 0;
}

/* Tells the subscriptions; `event` has its topic. `is_repeated`: it is part of a snapshot. */
static void s_deliver(client_t *client, const link_t *link, client_event_t event, bool is_repeated,
                      zmq_msg_t *head, zmq_msg_t *body)
{
    if (!topic_is_valid(event.topic, event.topic_size) ||
        !event_decode(&event.head, zmq_msg_data(head), zmq_msg_size(head))) {
        client_count(client, CLIENT_BAD_MESSAGES);
        return;
    }
    event.body = zmq_msg_data(body);
    event.size = zmq_msg_size(body);
    event.link = link_index(client, link);
    event.connection = link->connection;
    for (subscription_t *at = client->subscriptions; at; at = at->next) {
        if (!s_is_below(at, &event))
            continue;
        if (!s_is_wanted(at, &event, is_repeated)) {
            client_count(client, CLIENT_EVENT_DUPLICATES);
            continue;
        }
        client_count(client, CLIENT_EVENTS);
        stats_add(&client->stats, CLIENT_EVENT_GAPS, (int64_t)event.missed);
        at->on_event(at->arg, &event);
    }
}

void events_read(client_t *client, link_t *link)
{
    for (int i = 0; i < CLIENT_READS_A_ROUND; i++) {
        zmq_msg_t frames[3];
        size_t count = multipart_receive(link->sub, frames, COUNT_OF(frames));
        if (count == 0)
            return;
        if (count == COUNT_OF(frames))
            s_deliver(client, link,
                      (client_event_t){ .topic = zmq_msg_data(&frames[0]),
                                        .topic_size = zmq_msg_size(&frames[0]) },
                      false, &frames[1], &frames[2]);
        else
            client_count(client, CLIENT_BAD_MESSAGES);
        multipart_close(frames, COUNT_OF(frames), count);
    }
}

void events_take_snapshot(client_t *client, const link_t *link, const frame_t *frame,
                          zmq_msg_t *parts, size_t count)
{
    const client_event_t event = { .topic = frame->service, .topic_size = frame->service_size };
    if (count == 2)
        s_deliver(client, link, event, true, &parts[0], &parts[1]);
    else
        client_count(client, CLIENT_BAD_MESSAGES);
}

static void s_void(const client_t *client, const subscription_t *at, const link_t *link)
{
    if (at->on_void)
        at->on_void(at->arg, link_index(client, link), link->connection);
}

void events_end_snapshot(client_t *client, const link_t *link, const frame_t *frame)
{
    for (const subscription_t *at = client->subscriptions; at; at = at->next)
        if (strlen(at->prefix) == frame->service_size &&
            memcmp(at->prefix, frame->service, frame->service_size) == 0)
            s_void(client, at, link);
    events_void_lost(client);
}

/* With no broker at all nothing newer is known, and what was known is best. */
void events_void_lost(client_t *client)
{
    bool is_alive = false;
    for (uint32_t i = 0; i < client->link_count; i++)
        is_alive |= client->links[i].state == LINK_ALIVE;
    if (!is_alive)
        return;
    for (uint32_t i = 0; i < client->link_count; i++)
        for (const subscription_t *at = client->subscriptions; at; at = at->next)
            if (client->links[i].state == LINK_LOST)
                s_void(client, at, &client->links[i]);
}

static void s_ask_snapshot(client_t *client, link_t *link, const char *prefix)
{
    frame_t frame = { .command = FRAME_SNAPSHOT };
    frame_set_service(&frame, prefix);
    link_send(client, link, &frame, NULL, 0);
}

void events_ask_snapshots(client_t *client, link_t *link)
{
    for (const subscription_t *at = client->subscriptions; at; at = at->next)
        s_ask_snapshot(client, link, at->prefix);
}

/* ---- subscribing ---------------------------------------------------------------------------- */

typedef struct {
    order_t order;
    subscription_t *made;
} subscribe_order_t;

static void s_run_subscribe(client_t *client, order_t *order)
{
    subscribe_order_t *subscribe = CONTAINER_OF(order, subscribe_order_t, order);
    subscription_t *made = subscribe->made, **end = &client->subscriptions;
    while (*end)
        end = &(*end)->next;
    *end = made;
    for (uint32_t i = 0; i < client->link_count; i++) {
        link_t *link = &client->links[i];
        if (link->sub)
            zmq_setsockopt(link->sub, ZMQ_SUBSCRIBE, made->prefix, strlen(made->prefix));
        s_ask_snapshot(client, link, made->prefix);
    }
    mem_free(subscribe);
}

void client_subscribe(client_t *self, const char *prefix, event_fn on_event, void *arg)
{
    client_follow(self, prefix, on_event, NULL, arg);
}

void client_follow(client_t *self, const char *prefix, event_fn on_event, void_fn on_void,
                   void *arg)
{
    subscribe_order_t *subscribe = mem_zeroed(sizeof *subscribe);
    subscribe->made = mem_zeroed(sizeof *subscribe->made);
    subscribe->made->prefix = mem_strdup(prefix);
    subscribe->made->on_event = on_event;
    subscribe->made->on_void = on_void;
    subscribe->made->arg = arg;
    client_order(self, &subscribe->order, s_run_subscribe);
}

/* ---- publishing ----------------------------------------------------------------------------- */

typedef struct {
    order_t order;
    char topic[TOPIC_BYTES_MAX + 1];
    bool retain;
    buf_t body;
} publish_order_t;

static void s_run_publish(client_t *client, order_t *order)
{
    publish_order_t *publish = CONTAINER_OF(order, publish_order_t, order);
    bool is_new;
    topic_mark_t *mark =
        s_mark(&client->published, publish->topic, strlen(publish->topic), &is_new);
    event_t event = { .epoch = client->epoch,
                      .sequence = ++mark->sequence,
                      .time_ms = clock_wall_ms(),
                      .publisher = client->name,
                      .publisher_size = (uint8_t)strlen(client->name) };
    frame_t frame = { .command = FRAME_PUBLISH, .flags = publish->retain ? FRAME_RETAIN : 0 };
    frame_set_service(&frame, publish->topic);
    uint8_t head[EVENT_BYTES_MAX];
    event_encode(&event, head);
    for (uint32_t i = 0; i < client->link_count; i++) {
        zmq_msg_t parts[2];
        link_copy(&parts[0], head, event_size(&event));
        if (i + 1 < client->link_count)
            link_copy(&parts[1], publish->body.bytes, publish->body.size);
        else
            link_take(&parts[1], &publish->body);
        link_send(client, &client->links[i], &frame, parts, 2);
    }
    buf_free(&publish->body);
    mem_free(publish);
}

void client_publish(client_t *self, const char *topic, bool retain, buf_t *body)
{
    insist(topic_is_valid(topic, strlen(topic)));
    publish_order_t *publish = mem_zeroed(sizeof *publish);
    memcpy(publish->topic, topic, strlen(topic));
    publish->retain = retain;
    publish->body = *body;
    *body = (buf_t){ 0 };
    client_order(self, &publish->order, s_run_publish);
}

void events_free_all(client_t *client)
{
    s_free_marks(&client->published);
    while (client->subscriptions) {
        subscription_t *next = client->subscriptions->next;
        s_free_marks(&client->subscriptions->seen);
        mem_free(client->subscriptions->prefix);
        mem_free(client->subscriptions);
        client->subscriptions = next;
    }
}
