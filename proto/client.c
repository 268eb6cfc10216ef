/* SPDX-License-Identifier: MPL-2.0
 *
 * client - its thread and its life
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log_parts.h"
#include "proto/client_calls.h"
#include "proto/client_events.h"
#include "proto/client_levels.h"
#include "proto/client_worker.h"
#include "proto/multipart.h"

#define CLIENT_FRAMES_MAX 4 /* behind the header; what is more is dropped */
#define CLIENT_TICK_MS    200

/* ---- orders --------------------------------------------------------------------------------- */

void client_order(client_t *self, order_t *order, order_fn run)
{
    order->run = run;
    if (pthread_equal(pthread_self(), self->thread)) {
        run(self, order);
        return;
    }
    /* it has no limit, so only a closed one refuses: the client's end is near, and nobody else may
     * use it any more */
    bool queued = queue_push(&self->orders, &order->item);
    insist(queued);
}

static void s_run_orders(client_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->orders); item; item = next) {
        order_t *order = CONTAINER_OF(item, order_t, item);
        next = item->next;
        order->run(self, order);
    }
}

/* ---- receiving ------------------------------------------------------------------------------ */

static void s_count_links(client_t *self)
{
    unsigned alive = 0, undrained = 0;
    for (uint32_t i = 0; i < self->link_count; i++) {
        const link_t *link = &self->links[i];
        alive += link->state == LINK_ALIVE && (!self->worker.service || link->is_registered);
        undrained += link->is_registered && !link->is_drained;
    }
    if (alive == atomic_load(&self->alive) && undrained == atomic_load(&self->undrained))
        return;
    monitor_lock(&self->monitor);
    atomic_store(&self->alive, alive);
    atomic_store(&self->undrained, undrained);
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}

static void s_reopen(client_t *self, link_t *link, const char *why)
{
    client_count(self, CLIENT_BROKERS_LOST);
    link_lose(link);
    calls_end(self, link, ERROR_NO_BROKER, why);
    link_open(self, link);
    events_void_lost(self);
    self->ticked_ms = 0; /* beat and register at once */
}

/* The broker takes us for a stranger: it was restarted, or has given us up. */
static void s_disconnected(client_t *self, link_t *link)
{
    s_reopen(self, link, "The broker has ended the connection");
}

static void s_take(client_t *self, link_t *link, const frame_t *frame, zmq_msg_t *header,
                   zmq_msg_t *parts, size_t count)
{
    switch ((frame_command_t)frame->command) {
    case FRAME_REQUEST:
        worker_take(self, link, frame, header, parts, count);
        break;
    case FRAME_PARTIAL:
        if (frame->id == 0)
            events_take_snapshot(self, link, frame, parts, count);
        else
            calls_answer(self, link, frame, parts, count);
        break;
    case FRAME_FINAL:
        if (frame->id == 0)
            events_end_snapshot(self, link, frame);
        else
            calls_answer(self, link, frame, parts, count);
        break;
    case FRAME_ERROR:
        if (frame->id == 0)
            worker_refused(self, link, frame, parts, count);
        else
            calls_answer(self, link, frame, parts, count);
        break;
    case FRAME_READY:
        worker_registered(self, link);
        break;
    case FRAME_CANCEL:
        worker_cancelled(self, link, frame);
        break;
    case FRAME_DRAIN:
        worker_told_to_drain(self, link);
        break;
    case FRAME_DISCONNECT:
        s_disconnected(self, link);
        break;
    case FRAME_HEARTBEAT:
        break;
    default:
        client_count(self, CLIENT_BAD_MESSAGES);
    }
}

/* Reads one message; false when there is none. */
static bool s_read_one(client_t *self, link_t *link)
{
    zmq_msg_t frames[1 + CLIENT_FRAMES_MAX];
    size_t count = multipart_receive(link->dealer, frames, COUNT_OF(frames));
    if (count == 0)
        return false;
    if (count > COUNT_OF(frames))
        count = COUNT_OF(frames);
    frame_t frame;
    bool was_alive = link->state == LINK_ALIVE;
    link_heard(self, link);
    if (!was_alive)
        events_ask_snapshots(self, link);
    if (frame_decode(&frame, zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0])))
        s_take(self, link, &frame, &frames[0], frames + 1, count - 1);
    else
        client_count(self, CLIENT_BAD_MESSAGES);
    multipart_close(frames, COUNT_OF(frames), count);
    return true;
}

static void s_read_link(client_t *self, link_t *link)
{
    for (int i = 0; i < CLIENT_READS_A_ROUND; i++)
        if (!s_read_one(self, link))
            break;
}

/* What the broker had said before it went is still heard. */
static void s_take_end(client_t *self, link_t *link)
{
    uint32_t connection = link->connection;
    if (!link_has_ended(link))
        return;
    while (link->connection == connection && s_read_one(self, link))
        ;
    if (link->connection == connection)
        s_reopen(self, link, "The broker is gone");
}

/* ---- the loop ------------------------------------------------------------------------------- */

static size_t s_poll_items(client_t *self, zmq_pollitem_t *items)
{
    size_t count = 0;
    items[count++] = (zmq_pollitem_t){ .fd = queue_fd(&self->orders), .events = ZMQ_POLLIN };
    for (uint32_t i = 0; i < self->link_count; i++) {
        items[count++] = (zmq_pollitem_t){ .socket = self->links[i].dealer, .events = ZMQ_POLLIN };
        if (self->links[i].sub)
            items[count++] = (zmq_pollitem_t){ .socket = self->links[i].sub, .events = ZMQ_POLLIN };
        if (self->links[i].watch)
            items[count++] =
                (zmq_pollitem_t){ .socket = self->links[i].watch, .events = ZMQ_POLLIN };
    }
    return count;
}

static void s_tick(client_t *self)
{
    log_expire(self->now_ms);
    for (uint32_t i = 0; i < self->link_count; i++) {
        link_t *link = &self->links[i];
        if (link_tick(self, link))
            s_reopen(self, link, "The broker has fallen silent");
        worker_tick(self, link);
    }
}

static void *s_run(void *arg)
{
    client_t *self = arg;
    log_set_part(self->part);
    while (!atomic_load_explicit(&self->is_stopping, memory_order_acquire)) {
        zmq_pollitem_t items[1 + 3 * CLIENT_BROKERS_MAX];
        if (self->now_ms - self->ticked_ms >= CLIENT_TICK_MS) {
            self->ticked_ms = self->now_ms;
            s_tick(self);
            spans_flush(self->spans);
        }
        size_t count = s_poll_items(self, items);
        const uint32_t wait = wheel_wait(&self->wheel, self->now_ms, CLIENT_TICK_MS);
        zmq_poll(items, (int)count, (long)wait);
        const uint64_t before_ms = self->now_ms;
        self->now_ms = clock_ms();
        if (clock_stalled(before_ms, self->now_ms, wait))
            self->awake_ms = self->now_ms;
        if (items[0].revents)
            s_run_orders(self);
        size_t at = 1;
        for (uint32_t i = 0; i < self->link_count; i++) {
            link_t *link = &self->links[i];
            bool has_sub = link->sub != NULL, has_watch = link->watch != NULL;
            if (items[at++].revents)
                s_read_link(self, link);
            /* a link that was opened again has other sockets than those polled */
            if (has_sub && items[at++].revents && link->sub)
                events_read(self, link);
            if (has_watch && items[at++].revents)
                s_take_end(self, link);
        }
        calls_expire(self);
        s_count_links(self);
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Copies a list and cuts it at its commas; the pieces are valid as long as the copy. */
static uint32_t s_split(const char *list, char **copy, const char **pieces)
{
    uint32_t count = 0;
    char *rest = *copy = mem_strdup(list);
    for (char *piece; (piece = strsep(&rest, ","));) {
        if (!*piece)
            continue;
        if (count == CLIENT_BROKERS_MAX)
            die("'%s' names more than %d brokers", list, CLIENT_BROKERS_MAX);
        pieces[count++] = piece;
    }
    return count;
}

static void s_make_spans(client_t *self)
{
    const client_settings_t *settings = self->settings;
    self->spans = spans_new(&(spans_config_t){ .millionths = (uint32_t)settings->trace_per_million,
                                               .slow_ms = (uint32_t)settings->trace_slow_ms,
                                               .ring = (size_t)settings->trace_ring,
                                               .follows = settings->trace_follow,
                                               .client = self,
                                               .part = self->part,
                                               .instance = self->name,
                                               .stats = &self->stats,
                                               .kept = CLIENT_SPANS_KEPT,
                                               .lost = CLIENT_SPANS_LOST,
                                               .named = CLIENT_TRACES_NAMED });
}

client_t *client_new(void *zmq_context, const client_config_t *config)
{
    client_t *self = mem_zeroed(sizeof *self);
    const char *requests[CLIENT_BROKERS_MAX] = { NULL }, *events[CLIENT_BROKERS_MAX] = { NULL };
    self->settings = config->settings;
    self->name = mem_strdup(config->name);
    self->part = mem_strdup(config->part);
    self->context = zmq_context;
    self->now_ms = clock_ms();
    self->epoch = (uint64_t)clock_wall_ms();
    if (config->worker) {
        self->worker = *config->worker;
        self->credit = config->worker->credit;
        self->worker.descriptor = mem_text(self->worker.descriptor, self->worker.descriptor_size);
    }
    stats_init(&self->stats, client_stats_rows);
    s_make_spans(self);
    wheel_init(&self->wheel, self->now_ms);
    slots_init(&self->calls, sizeof(client_call_t), (uint32_t)config->settings->outstanding);
    queue_init(&self->orders, SIZE_MAX, true);
    monitor_init(&self->monitor);

    self->link_count = s_split(config->settings->brokers, &self->endpoints[0], requests);
    uint32_t event_count = s_split(config->settings->events, &self->endpoints[1], events);
    if (self->link_count == 0)
        die("bus.brokers names no broker");
    for (uint32_t i = 0; i < self->link_count; i++) {
        self->links[i].requests = requests[i];
        self->links[i].events = i < event_count ? events[i] : NULL;
        link_open(self, &self->links[i]);
    }
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
    if (!config->is_guest)
        client_levels_connect(self);
    return self;
}

void client_destroy(client_t **self_p)
{
    client_t *self = *self_p;
    if (!self)
        return;
    atomic_store_explicit(&self->is_stopping, true, memory_order_release);
    queue_close(&self->orders); /* wakes the thread */
    pthread_join(self->thread, NULL);
    self->thread = pthread_self(); /* what is left runs here */
    spans_flush(self->spans);
    s_run_orders(self);
    worker_say_goodbye(self);
    calls_end(self, NULL, ERROR_CANCELLED, "The caller is stopping");
    for (uint32_t i = 0; i < self->link_count; i++)
        link_close(&self->links[i]);
    *self_p = NULL; /* not before: until now callbacks may have answered through it */
    events_free_all(self);
    slots_free(&self->calls);
    queue_free(&self->orders);
    spans_destroy(&self->spans);
    stats_free(&self->stats);
    monitor_free(&self->monitor);
    mem_free((void *)(uintptr_t)self->worker.descriptor);
    mem_free(self->endpoints[0]);
    mem_free(self->endpoints[1]);
    mem_free(self->name);
    mem_free(self->part);
    mem_free(self);
}

bool client_is_ready(const client_t *self)
{
    return atomic_load(&self->alive) > 0;
}

bool client_wait_ready(client_t *self, uint32_t timeout_ms)
{
    const uint64_t until_ms = clock_ms() + timeout_ms;
    monitor_lock(&self->monitor);
    while (!client_is_ready(self) && monitor_wait_until(&self->monitor, until_ms))
        ;
    monitor_unlock(&self->monitor);
    return client_is_ready(self);
}

bool client_wait_drained(client_t *self, uint32_t timeout_ms)
{
    const uint64_t until_ms = clock_ms() + timeout_ms;
    monitor_lock(&self->monitor);
    while (atomic_load(&self->undrained) > 0 && monitor_wait_until(&self->monitor, until_ms))
        ;
    monitor_unlock(&self->monitor);
    return atomic_load(&self->undrained) == 0;
}

stats_t *client_stats(client_t *self)
{
    return &self->stats;
}

spans_t *client_spans(client_t *self)
{
    return self->spans;
}
