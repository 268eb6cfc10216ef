/* SPDX-License-Identifier: MPL-2.0
 *
 * broker - its settings, its counters, its sockets and its loop
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "broker/events.h"
#include "broker/majordomo.h"
#include "broker/native.h"
#include "broker/worker.h"
#include "proto/snapshot.h"

#define BROKER_SWEEP_MS       5000
#define BROKER_IDLE_MS        1000 /* the loop looks around at least so often */
#define BROKER_LINGER_MS      500  /* for the last answers at the end */
#define BROKER_ENDPOINT_BYTES 256
#define BROKER_SEND_QUEUE     50000 /* messages a peer may have unread before it is blocked */

#define ROW(field) offsetof(broker_settings_t, field)

const setting_t broker_setting_rows[] = {
    { "name", SETTING_TEXT, ROW(name), .max = 50,
      .about = "Name of this broker; made up when empty." },
    { "requests", SETTING_TEXT, ROW(requests),
      .about = "Endpoints for services and clients, separated by commas; empty for bus.sock in the "
               "data folder." },
    { "trusted", SETTING_TEXT, ROW(trusted),
      .about = "Endpoints, ipc or inproc only, whose peers may say on whose behalf they ask: the "
               "edges; empty for edge.sock in the data folder." },
    { "events", SETTING_TEXT, ROW(events),
      .about = "Endpoints subscribers connect to; empty for events.sock in the data folder." },
    { "insecure", SETTING_BOOL, ROW(insecure), .preset = "false",
      .about = "Accept tcp:// endpoints although nothing on them is encrypted or authenticated." },
    { "heartbeat_ms", SETTING_INT, ROW(heartbeat_ms), "1000", 50, 60000, "ms",
      .about = "Time between heartbeats; four missed ones are a loss." },
    { "probe_ms", SETTING_INT, ROW(probe_ms), "250", 10, 60000, "ms",
      .about = "Time between heartbeats to an instance that is at work." },
    { "mdp_heartbeat_ms", SETTING_INT, ROW(mdp_heartbeat_ms), "2500", 50, 600000, "ms",
      .about = "Heartbeat interval MDP workers are configured with." },
    { "mdp_credit", SETTING_INT, ROW(mdp_credit), "1", 1, 10000, NULL,
      .about = "Requests an MDP/0.2 worker is given at once; the protocol's own rule is one." },
    { "deadline_ms", SETTING_INT, ROW(deadline_ms), "30000", 1, 600000, "ms",
      .about = "Deadline of a request when neither it nor its method names one." },
    { "message_bytes", SETTING_INT, ROW(message_bytes), "33554432", 4096, 1073741824, "bytes",
      .about = "Largest message, all its frames together." },
    { "peers", SETTING_INT, ROW(peers), "16384", 2, 1000000, NULL,
      .about = "Connections known at once." },
    { "services", SETTING_INT, ROW(services), "1024", 1, 100000, NULL,
      .about = "Services known at once." },
    { "instances", SETTING_INT, ROW(instances), "256", 1, 10000, NULL,
      .about = "Instances of one service." },
    { "pending", SETTING_INT, ROW(pending), "200000", 1, 10000000, NULL,
      .about = "Requests in the broker at once." },
    { "outstanding", SETTING_INT, ROW(outstanding), "50000", 1, 10000000, NULL,
      .about = "Unanswered requests of one client." },
    { "queue_length", SETTING_INT, ROW(queue_length), "10000", 0, 10000000, NULL,
      .about = "Requests that may wait for one service." },
    { "queue_bytes", SETTING_INT, ROW(queue_bytes), "67108864", 0, 1099511627776, "bytes",
      .about = "Bytes that may wait for one service." },
    { "retained", SETTING_INT, ROW(retained), "4096", 0, 1000000, NULL,
      .about = "Topics that keep their last value." },
    { "retained_bytes", SETTING_INT, ROW(retained_bytes), "67108864", 0, 1099511627776, "bytes",
      .about = "Bytes of retained values." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[BROKER_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "broker_" name "_total", STATS_COUNTER, about }
#define GAUGE(row, name, about)   [row] = { "broker_" name, STATS_GAUGE, about }
    COUNTER(BROKER_REQUESTS, "requests", "Requests received"),
    COUNTER(BROKER_ANSWERED, "answered", "Requests answered"),
    COUNTER(BROKER_FAILED, "failed", "Requests their service answered with an error"),
    COUNTER(BROKER_NO_SERVICE, "no_service", "Requests for unknown services"),
    COUNTER(BROKER_NO_METHOD, "no_method", "Requests for unknown methods"),
    COUNTER(BROKER_FORBIDDEN, "forbidden", "Requests that were not permitted"),
    COUNTER(BROKER_BAD_REQUEST, "bad_request", "Requests that could not be understood"),
    COUNTER(BROKER_QUEUE_FULL, "queue_full", "Requests refused because too many waited"),
    COUNTER(BROKER_WORKER_LOST, "worker_lost", "Requests whose instance went away"),
    COUNTER(BROKER_NO_INSTANCE, "no_instance", "Requests for services without an instance"),
    COUNTER(BROKER_DEADLINE, "deadline", "Requests whose deadline passed"),
    COUNTER(BROKER_OVERLOADED, "overloaded", "Requests beyond a limit of the client or broker"),
    COUNTER(BROKER_CANCELLED, "cancelled", "Requests given up by their client"),
    COUNTER(BROKER_CLIENT_GONE, "client_gone", "Requests whose client went away"),
    COUNTER(BROKER_PARTIALS, "partials", "Parts of answers passed on"),
    COUNTER(BROKER_PARTIAL_DROPS, "partial_drops", "Parts dropped for clients that know none"),
    COUNTER(BROKER_RESENT, "resent", "Requests given to a second instance"),
    COUNTER(BROKER_LATE_ANSWERS, "late_answers", "Answers to requests ended before"),
    COUNTER(BROKER_UNKNOWN_ANSWERS, "unknown_answers", "Answers to requests nobody made"),
    COUNTER(BROKER_BAD_MESSAGES, "bad_messages", "Messages that could not be read"),
    COUNTER(BROKER_TOO_LARGE, "too_large", "Messages with too many frames or bytes"),
    COUNTER(BROKER_UNKNOWN_PEERS, "unknown_peers", "Workers' messages from unregistered peers"),
    COUNTER(BROKER_OVERLOADED_PEERS, "overloaded_peers", "Messages of peers beyond the limit"),
    COUNTER(BROKER_REFUSED_READY, "refused_ready", "Registrations refused"),
    COUNTER(BROKER_BLOCKED_SENDS, "blocked_sends", "Messages to peers whose queue was full"),
    COUNTER(BROKER_PRINCIPALS_REMOVED, "principals_removed", "Principals from untrusted peers"),
    COUNTER(BROKER_WORKERS_LOST, "workers_lost", "Instances that went away with requests"),
    COUNTER(BROKER_EVENTS, "events", "Events published"),
    COUNTER(BROKER_EVENT_DROPS, "event_drops", "Events that were not acceptable"),
    COUNTER(BROKER_RETAINED_DROPS, "retained_drops", "Last values there was no room for"),
    GAUGE(BROKER_PEERS, "peers", "Connections known"),
    GAUGE(BROKER_SERVICES, "services", "Services known"),
    GAUGE(BROKER_INSTANCES, "instances", "Instances registered"),
    GAUGE(BROKER_PENDING, "pending", "Requests in the broker"),
    GAUGE(BROKER_QUEUED, "queued", "Requests that wait for an instance"),
    GAUGE(BROKER_RETAINED, "retained", "Topics with a last value"),
    [BROKER_ROUTE_TIME] = { "broker_request_duration_microseconds", STATS_HISTOGRAM,
                            "Time from a request to its answer, as the broker sees it" },
#undef COUNTER
#undef GAUGE
};

/* ---- receiving ------------------------------------------------------------------------------ */

/* Reads one message; the frames beyond the limit are read and dropped. False when there is none. */
static bool s_receive(broker_t *broker, door_t door, zmq_msg_t *id, zmq_msg_t *frames,
                      size_t *count, bool *fits)
{
    void *socket = broker->doors[door];
    zmq_msg_init(id);
    if (zmq_msg_recv(id, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(id);
        return false;
    }
    size_t bytes = 0;
    bool more = zmq_msg_more(id);
    *count = 0;
    *fits = more;
    while (more) {
        zmq_msg_t extra, *frame = *count < PARCEL_FRAMES_MAX ? &frames[*count] : &extra;
        zmq_msg_init(frame);
        /* a message arrives whole or not at all: this does not wait */
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            *fits = false;
            break;
        }
        bytes += zmq_msg_size(frame);
        more = zmq_msg_more(frame);
        if (frame == &extra) {
            zmq_msg_close(frame);
            *fits = false;
        } else {
            (*count)++;
        }
    }
    if (bytes > (size_t)broker->settings->message_bytes)
        *fits = false;
    return true;
}

static void s_read_door(broker_t *broker, door_t door)
{
    zmq_msg_t id, frames[PARCEL_FRAMES_MAX];
    size_t count;
    bool fits;
    for (int i = 0; i < BROKER_READS_A_ROUND; i++) {
        if (!s_receive(broker, door, &id, frames, &count, &fits))
            return;
        if (!fits) {
            broker_count(broker, count ? BROKER_TOO_LARGE : BROKER_BAD_MESSAGES);
            for (size_t j = 0; j < count; j++)
                zmq_msg_close(&frames[j]);
        } else if (frame_is_native(zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]))) {
            native_take(broker, door, &id, frames, count);
        } else {
            majordomo_take(broker, door, &id, frames, count);
        }
        zmq_msg_close(&id);
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

static void s_publish_counters(broker_t *broker)
{
    if (broker->now_ms - broker->counted_ms < SNAPSHOT_INTERVAL_MS)
        return;
    broker->counted_ms = broker->now_ms;
    char topic[SNAPSHOT_TOPIC_BYTES];
    buf_t body = { 0 };
    pack_t pack;
    snapshot_t snapshot = { .part = "broker",
                            .instance = broker->name,
                            .boot = broker->epoch,
                            .sets = { &broker->stats } };
    pack_init(&pack, &body);
    snapshot_write(&snapshot, &pack);
    events_publish_own(broker, snapshot_topic(&snapshot, topic), ++broker->metrics_sequence, false,
                       &body);
    buf_free(&body);
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
        broker->now_ms = clock_ms();
        if (items[0].revents)
            s_read_door(broker, DOOR_PUBLIC);
        if (items[1].revents)
            s_read_door(broker, DOOR_TRUSTED);
        if (items[2].revents)
            events_read_subscriptions(broker);
        s_fire_timers(broker);
        s_bury_lost(broker);
        s_sweep_peers(broker);
        s_publish_counters(broker);
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* An ipc socket file is made with the process's umask: for peers that are trusted by being able to
 * open it, only the owner may. */
static bool s_bind_one(void *socket, const char *endpoint, bool is_private)
{
    mode_t before = is_private ? umask(0177) : umask(0117);
    bool bound = zmq_bind(socket, endpoint) == 0;
    umask(before);
    return bound;
}

/* Whether somebody listens on an ipc endpoint: libzmq would put its own socket file in the place of
 * that one, and the other broker could not be reached any more. */
static bool s_is_taken(const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = endpoint + strlen("ipc://");
    if (!text_starts(endpoint, "ipc://") ||
        !text_copy(address.sun_path, sizeof address.sun_path, path, strlen(path)))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool taken = fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
                             errno == EAGAIN); /* it has no room for one more */
    if (fd >= 0)
        close(fd);
    return taken;
}

/* Takes the next endpoint off a list; false behind the last. */
static bool s_next_endpoint(const char **list, char endpoint[BROKER_ENDPOINT_BYTES])
{
    if (!**list)
        return false;
    size_t size = strcspn(*list, ",");
    text_copy(endpoint, BROKER_ENDPOINT_BYTES, *list, size);
    *list += size + ((*list)[size] == ',');
    return true;
}

static bool s_bind(void *socket, const char *endpoints, bool is_private, bool allow_tcp, char *why,
                   size_t why_size)
{
    char endpoint[BROKER_ENDPOINT_BYTES];
    while (s_next_endpoint(&endpoints, endpoint)) {
        bool is_local = text_starts(endpoint, "ipc://") || text_starts(endpoint, "inproc://");
        if (!is_local && is_private) {
            snprintf(why, why_size, "broker.trusted: '%s' must be ipc:// or inproc://", endpoint);
            return false;
        }
        if (!is_local && !allow_tcp) {
            snprintf(why, why_size,
                     "'%s' would carry everything unencrypted and unauthenticated: use ipc://, or "
                     "set broker.insecure = true on a network that is yours alone",
                     endpoint);
            return false;
        }
        if (s_is_taken(endpoint)) {
            snprintf(why, why_size,
                     "another broker listens on '%s': stop it first, or give this one a folder of "
                     "its own (--data)",
                     endpoint);
            return false;
        }
        if (!s_bind_one(socket, endpoint, is_private)) {
            snprintf(why, why_size, "cannot bind '%s': %s", endpoint, zmq_strerror(zmq_errno()));
            return false;
        }
    }
    return true;
}

/* Closing alone leaves an inproc name taken until the reaper has been by. */
static void s_close_socket(void *socket, const char *endpoints)
{
    char endpoint[BROKER_ENDPOINT_BYTES];
    while (s_next_endpoint(&endpoints, endpoint))
        zmq_unbind(socket, endpoint);
    zmq_close(socket);
}

static void *s_open(broker_t *broker, void *context, int type)
{
    void *socket = zmq_socket(context, type);
    if (!socket)
        die("cannot make a socket: %s", zmq_strerror(zmq_errno()));
    const int one = 1, linger = BROKER_LINGER_MS, queue = BROKER_SEND_QUEUE;
    const int64_t bytes = broker->settings->message_bytes;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes, sizeof bytes);
    zmq_setsockopt(socket, type == ZMQ_ROUTER ? ZMQ_ROUTER_MANDATORY : ZMQ_XPUB_VERBOSE, &one,
                   sizeof one);
    return socket;
}

static void s_free(broker_t *broker)
{
    s_close_socket(broker->doors[DOOR_PUBLIC], broker->settings->requests);
    s_close_socket(broker->doors[DOOR_TRUSTED], broker->settings->trusted);
    s_close_socket(broker->events, broker->settings->events);
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
    self->settings = settings;
    if (settings->name[0])
        text_copy(self->name, sizeof self->name, settings->name, strlen(settings->name));
    else
        id_instance("broker", self->name);
    self->now_ms = self->swept_ms = clock_ms();
    self->epoch = (uint64_t)clock_wall_ms();
    stats_init(&self->stats, s_stats_rows);
    wheel_init(&self->deadlines, self->now_ms);
    wheel_init(&self->beats, self->now_ms);
    slots_init(&self->pending, sizeof(pending_t), (uint32_t)settings->pending);
    queue_init(&self->stop, 1, true);
    TAILQ_INIT(&self->lost);
    for (size_t i = 0; i < DOORS; i++)
        self->doors[i] = s_open(self, zmq_context, ZMQ_ROUTER);
    self->events = s_open(self, zmq_context, ZMQ_XPUB);

    if (!id_is_name(self->name, strlen(self->name), ID_INSTANCE_SIZE - 1)) {
        snprintf(why, why_size, "broker.name: '%s' must be letters, digits, '.', '_', '-'",
                 self->name);
    } else if (s_bind(self->doors[DOOR_PUBLIC], settings->requests, false, settings->insecure, why,
                      why_size) &&
               s_bind(self->doors[DOOR_TRUSTED], settings->trusted, true, false, why, why_size) &&
               s_bind(self->events, settings->events, false, settings->insecure, why, why_size)) {
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
