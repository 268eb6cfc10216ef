/* SPDX-License-Identifier: MPL-2.0
 *
 * broker - its loop and its life
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log_parts.h"
#include "actors/base/text.h"
#include "broker/counters.h"
#include "broker/events.h"
#include "broker/majordomo.h"
#include "broker/native.h"
#include "broker/socket.h"
#include "broker/worker.h"
#include "proto/multipart.h"

#define BROKER_SWEEP_MS 5000
#define BROKER_IDLE_MS  1000 /* the loop looks around at least so often */

/* ---- receiving ------------------------------------------------------------------------------ */

/* Whether the message is within its limits; frames[0] is the routing id. */
static bool s_fits(const broker_t *broker, zmq_msg_t *frames, size_t count)
{
    size_t bytes = 0;
    if (count > 1 + PARCEL_FRAMES_MAX)
        return false;
    for (size_t i = 1; i < count; i++)
        bytes += zmq_msg_size(&frames[i]);
    return bytes <= (size_t)broker->settings->message_bytes;
}

static void s_read_door(broker_t *broker, door_t door)
{
    zmq_msg_t frames[1 + PARCEL_FRAMES_MAX], *id = &frames[0], *rest = &frames[1];
    for (int i = 0; i < BROKER_READS_A_ROUND; i++) {
        size_t count = multipart_receive(broker->doors[door], frames, COUNT_OF(frames));
        if (count == 0)
            return;
        if (count == 1) {
            broker_count(broker, BROKER_BAD_MESSAGES);
        } else if (!s_fits(broker, frames, count)) {
            broker_count(broker, BROKER_TOO_LARGE);
            multipart_close(rest, PARCEL_FRAMES_MAX, count - 1);
        } else if (frame_is_native(zmq_msg_data(rest), zmq_msg_size(rest))) {
            native_take(broker, door, id, rest, count - 1);
        } else {
            majordomo_take(broker, door, id, rest, count - 1);
        }
        zmq_msg_close(id);
    }
}

/* ---- periodic ------------------------------------------------------------------------------- */

static void s_fire_timers(broker_t *broker)
{
    wheel_timer_t *timer;
    while ((timer = wheel_expired(&broker->deadlines, broker->now_ms)))
        request_expire(broker, CONTAINER_OF(timer, pending_t, timer));
    while ((timer = wheel_expired(&broker->beats, broker->now_ms)))
        worker_beat(broker, CONTAINER_OF(timer, worker_t, timer));
}

/* The work of peers that are gone. New losses may come up meanwhile: the list is worked off. */
static void s_bury_lost(broker_t *broker)
{
    peer_t *peer;
    while ((peer = TAILQ_FIRST(&broker->lost))) {
        if (peer->worker)
            worker_leave(broker, peer->worker);
        request_lose_client(broker, peer);
        peer_forget(broker, peer);
    }
}

/* Clients say nothing when they go: one that asks nothing and is silent is forgotten. */
static void s_sweep_peers(broker_t *broker)
{
    peer_t *peer, *next;
    if (broker->now_ms - broker->swept_ms < BROKER_SWEEP_MS)
        return;
    broker->swept_ms = broker->now_ms;
    HASH_ITER(hh, broker->peers, peer, next)
    if (!peer->worker && peer->asked_count == 0 &&
        broker->now_ms - peer->heard_ms > BROKER_PEER_IDLE_MS)
        peer_forget(broker, peer);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void *s_run(void *arg)
{
    broker_t *broker = arg;
    log_set_part("broker");
    zmq_pollitem_t items[] = {
        { .socket = broker->doors[DOOR_PUBLIC], .events = ZMQ_POLLIN },
        { .socket = broker->doors[DOOR_TRUSTED], .events = ZMQ_POLLIN },
        { .socket = broker->events, .events = ZMQ_POLLIN },
        { .fd = queue_fd(&broker->stop), .events = ZMQ_POLLIN },
    };
    while (!atomic_load_explicit(&broker->is_stopping, memory_order_acquire)) {
        uint32_t wait = wheel_wait(&broker->deadlines, broker->now_ms, BROKER_IDLE_MS);
        wait = wheel_wait(&broker->beats, broker->now_ms, wait);
        wait = events_send_retained(broker, wait);
        zmq_poll(items, COUNT_OF(items), (long)wait);
        const uint64_t before_ms = broker->now_ms;
        broker->now_ms = clock_ms();
        if (clock_stalled(before_ms, broker->now_ms, wait))
            broker->awake_ms = broker->now_ms;
        if (items[0].revents)
            s_read_door(broker, DOOR_PUBLIC);
        if (items[1].revents)
            s_read_door(broker, DOOR_TRUSTED);
        if (items[2].revents)
            events_read_subscriptions(broker);
        s_fire_timers(broker);
        s_bury_lost(broker);
        s_sweep_peers(broker);
        broker_counters_tick(broker);
        log_expire(broker->now_ms);
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* A connection is a descriptor, and where none is left libzmq 4.3 ends the process (its
 * ipc_listener.cpp takes EMFILE for a fault of its own): the soft limit of a login, often 1024, is
 * reached by a few hundred peers. */
static void s_raise_fd_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        LOG(LOG_WARN, "descriptors.few", LOG_TEXT("why", strerror(errno)));
}

static void s_free(broker_t *broker)
{
    socket_close(broker->doors[DOOR_PUBLIC], broker->settings->requests);
    socket_close(broker->doors[DOOR_TRUSTED], broker->settings->trusted);
    socket_close(broker->events, broker->settings->events);
    events_free(broker);
    service_free_all(broker);
    slots_free(&broker->pending);
    stats_free(&broker->stats);
    queue_free(&broker->stop);
    mem_free(broker);
}

broker_t *broker_start(void *zmq_context, const broker_settings_t *settings, char *why,
                       size_t why_size)
{
    broker_t *self = mem_zeroed(sizeof *self);
    s_raise_fd_limit();
    self->settings = settings;
    if (settings->name[0])
        text_copy(self->name, sizeof self->name, settings->name, strlen(settings->name));
    else
        id_instance("broker", self->name);
    self->now_ms = self->swept_ms = clock_ms();
    self->epoch = (uint64_t)clock_wall_ms();
    stats_init(&self->stats, broker_counter_rows);
    wheel_init(&self->deadlines, self->now_ms);
    wheel_init(&self->beats, self->now_ms);
    slots_init(&self->pending, sizeof(pending_t), (uint32_t)settings->pending);
    queue_init(&self->stop, 1, true);
    TAILQ_INIT(&self->lost);
    for (size_t i = 0; i < DOORS; i++)
        self->doors[i] = socket_open(zmq_context, ZMQ_ROUTER, settings->message_bytes);
    self->events = socket_open(zmq_context, ZMQ_XPUB, settings->message_bytes);

    if (!id_is_name(self->name, strlen(self->name), ID_INSTANCE_SIZE - 1)) {
        snprintf(why, why_size, "broker.name: '%s' must be letters, digits, '.', '_', '-'",
                 self->name);
    } else if (socket_bind(self->doors[DOOR_PUBLIC], settings->requests, false, settings->insecure,
                           why, why_size) &&
               socket_bind(self->doors[DOOR_TRUSTED], settings->trusted, true, false, why,
                           why_size) &&
               socket_bind(self->events, settings->events, false, settings->insecure, why,
                           why_size)) {
        crash_add_life("broker", self->name, self->epoch);
        insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
        return self;
    }
    s_free(self);
    return NULL;
}

void broker_stop(broker_t **self_p)
{
    broker_t *self = *self_p;
    peer_t *peer, *next;
    *self_p = NULL;
    if (!self)
        return;
    atomic_store_explicit(&self->is_stopping, true, memory_order_release);
    queue_close(&self->stop); /* wakes the loop */
    pthread_join(self->thread, NULL);

    request_end_all(self);
    HASH_ITER(hh, self->peers, peer, next)
    {
        peer_send_disconnect(self, peer);
        peer_lose(self, peer);
    }
    s_bury_lost(self);
    broker_counters_end(self);
    crash_remove_life("broker", self->name);
    s_free(self);
}

const char *broker_name(const broker_t *self)
{
    return self->name;
}

stats_t *broker_stats(broker_t *self)
{
    return &self->stats;
}

uint64_t broker_pulse(const broker_t *self)
{
    return self->metrics_sequence;
}
