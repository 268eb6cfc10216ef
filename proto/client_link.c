/* SPDX-License-Identifier: MPL-2.0
 *
 * client_link - one broker: its sockets, its heartbeats, whether it is there
 *
 * A lost link gets new sockets: over inproc nothing reconnects by itself, and over ipc and tcp a
 * new routing id keeps the broker from mixing up what was before with what comes.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/base/text.h"
#include "proto/client_link.h"

static void *s_socket(client_t *client, int type)
{
    void *socket = zmq_socket(client->context, type);
    if (!socket)
        die("cannot make a socket: %s", zmq_strerror(zmq_errno()));
    const int linger = CLIENT_LINGER_MS, queue = CLIENT_SEND_QUEUE;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof queue);
    return socket;
}

static void s_connect(void *socket, const char *endpoint)
{
    if (zmq_connect(socket, endpoint) < 0)
        die("cannot connect to '%s': %s", endpoint, zmq_strerror(zmq_errno()));
}

/* libzmq connects again by itself and says nothing: a broker that was killed and is back before a
 * beat is missed would leave its calls without an answer. */
static void s_watch(client_t *client, link_t *link)
{
    char name[64];
    if (text_starts(link->requests, "inproc://"))
        return;
    snprintf(name, sizeof name, "inproc://watch-%p-%u", (void *)link, link->connection);
    link->watch = s_socket(client, ZMQ_PAIR);
    if (zmq_socket_monitor(link->dealer, name, ZMQ_EVENT_DISCONNECTED) < 0)
        die("cannot watch a connection: %s", zmq_strerror(zmq_errno()));
    s_connect(link->watch, name);
}

/* What the calls that were ended had to say is not for the next broker. */
static void s_drop_unsent(link_t *link)
{
    const int none = 0;
    if (link->dealer)
        zmq_setsockopt(link->dealer, ZMQ_LINGER, &none, sizeof none);
}

void link_open(client_t *client, link_t *link)
{
    s_drop_unsent(link);
    link_close(link);
    link->connection++;
    link->opened_ms = link->heard_ms = client->now_ms;
    link->beaten_ms = 0; /* the first beat is due at once: its answer shows the broker is there */
    link->is_registered = link->is_drained = false;
    link->ready_at_ms = client->worker.service ? client->now_ms : 0;
    link->dealer = s_socket(client, ZMQ_DEALER);
    s_watch(client, link);
    s_connect(link->dealer, link->requests);
    if (!link->events)
        return;
    link->sub = s_socket(client, ZMQ_SUB);
    for (const subscription_t *at = client->subscriptions; at; at = at->next)
        zmq_setsockopt(link->sub, ZMQ_SUBSCRIBE, at->prefix, strlen(at->prefix));
    s_connect(link->sub, link->events);
}

void link_close(link_t *link)
{
    if (link->dealer)
        zmq_close(link->dealer);
    if (link->sub)
        zmq_close(link->sub);
    if (link->watch)
        zmq_close(link->watch);
    link->dealer = link->sub = link->watch = NULL;
}

static void s_free_bytes(void *bytes, void *hint)
{
    (void)hint;
    mem_free(bytes);
}

void link_take(zmq_msg_t *frame, buf_t *bytes)
{
    size_t size;
    if (!bytes || !bytes->size) {
        zmq_msg_init(frame);
        return;
    }
    uint8_t *taken = buf_take(bytes, &size);
    zmq_msg_init_data(frame, taken, size, s_free_bytes, NULL);
}

void link_copy(zmq_msg_t *frame, const void *bytes, size_t size)
{
    zmq_msg_init_size(frame, size);
    if (size)
        memcpy(zmq_msg_data(frame), bytes, size);
}

static bool s_send_frame(link_t *link, zmq_msg_t *frame, bool more)
{
    const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    while (zmq_msg_send(frame, link->dealer, flags) < 0)
        if (errno != EINTR)
            return false;
    return true;
}

bool link_send(client_t *client, link_t *link, const frame_t *frame, zmq_msg_t *parts, size_t count)
{
    zmq_msg_t header;
    bool sent = false;
    if (link->dealer) {
        zmq_msg_init_size(&header, frame_size(frame));
        frame_encode(frame, zmq_msg_data(&header));
        /* only the first frame can meet a full queue */
        sent = s_send_frame(link, &header, count > 0);
        zmq_msg_close(&header);
    }
    for (size_t i = 0; i < count; i++) {
        if (sent)
            s_send_frame(link, &parts[i], i + 1 < count);
        zmq_msg_close(&parts[i]);
    }
    if (!sent)
        client_count(client, CLIENT_SEND_DROPS);
    return sent;
}

static void s_set_state(link_t *link, link_state_t state)
{
    static const char *const names[] = { [LINK_CONNECTING] = "broker.connecting",
                                         [LINK_ALIVE] = "broker.reached",
                                         [LINK_LOST] = "broker.lost" };
    if (link->state == state)
        return;
    link->state = state;
    LOG(state == LINK_LOST ? LOG_WARN : LOG_DEBUG, names[state],
        LOG_TEXT("endpoint", link->requests));
}

void link_heard(client_t *client, link_t *link)
{
    link->heard_ms = client->now_ms;
    s_set_state(link, LINK_ALIVE);
}

void link_lose(link_t *link)
{
    s_set_state(link, LINK_LOST);
}

static void s_beat(client_t *client, link_t *link)
{
    frame_t frame = { .command = FRAME_HEARTBEAT };
    const client_worker_t *worker = &client->worker;
    if (link->is_registered) {
        frame_set_service(&frame, worker->service);
        frame.detail = worker->oldest_ms ? worker->oldest_ms(worker->arg) : 0;
    }
    link->beaten_ms = client->now_ms;
    link_send(client, link, &frame, NULL, 0);
}

bool link_has_ended(link_t *link)
{
    bool ended = false;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, link->watch, ZMQ_DONTWAIT) >= 0)
        ended = true; /* nothing else is watched for */
    zmq_msg_close(&frame);
    return ended;
}

bool link_tick(client_t *client, link_t *link)
{
    const uint64_t interval = (uint64_t)client->settings->heartbeat_ms;
    if (client->now_ms - link->beaten_ms >= interval)
        s_beat(client, link);
    uint64_t heard_ms = link->heard_ms > client->awake_ms ? link->heard_ms : client->awake_ms;
    if (client->now_ms - heard_ms <= interval * CLIENT_LIVENESS)
        return false;
    s_set_state(link, LINK_LOST);
    return true;
}

link_t *link_choose(client_t *client)
{
    for (uint32_t i = 0; i < client->link_count; i++) {
        uint32_t index = (client->preferred + i) % client->link_count;
        if (client->links[index].state != LINK_LOST) {
            client->preferred = index;
            return &client->links[index];
        }
    }
    return NULL;
}
