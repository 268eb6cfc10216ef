/* SPDX-License-Identifier: MPL-2.0
 *
 * stream - events of the bus for HTTP clients: server-sent events (HTML, 9.2)
 */
#include "config.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "actors/base/queue.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "edge/stream.h"
#include "proto/json.h"

#define TOPICS_MAX   16  /* prefixes one stream may name */
#define LOOK_MS      500 /* how often a stream looks whether its caller may still have it */
#define EVENT_LIMITS ((value_limits_t){ .depth = 32, .nodes = 20000 })

typedef enum { SEEN_BY_ALL, SEEN_BY_ACCOUNT } sight_t;

/* The topics streams may have. What is not here is not seen. */
static const struct {
    const char *prefix;
    sight_t sight;
} s_topics[] = {
    { "analysis.", SEEN_BY_ACCOUNT },
    { "jobs.", SEEN_BY_ACCOUNT },
    { "monitor.", SEEN_BY_ACCOUNT },
    { REGISTRY_PREFIX, SEEN_BY_ALL },
};

/* An event as it is written, shared by all streams that get it. */
typedef struct {
    _Atomic int references;
    buf_t text;
} shared_event_t;

typedef struct {
    queue_item_t item;
    shared_event_t *event;
} waiting_event_t;

struct stream {
    stream_t *next;
    queue_t queue;
    _Atomic uint64_t lost; /* since the client was told last */
    const char *account;
    const char *prefixes[TOPICS_MAX];
    size_t prefix_count;
};

/* ---- events --------------------------------------------------------------------------------- */

static void s_drop(shared_event_t *event)
{
    if (atomic_fetch_sub(&event->references, 1) == 1) {
        buf_free(&event->text);
        mem_free(event);
    }
}

static void s_discard(waiting_event_t *waiting)
{
    s_drop(waiting->event);
    mem_free(waiting);
}

static bool s_begins(const char *text, size_t size, const char *prefix)
{
    size_t length = strlen(prefix);
    return size >= length && memcmp(text, prefix, length) == 0;
}

/* A registry event without the descriptors: they are large, and /openapi.json says it better. */
static void s_write_registry(const value_t *body, buf_t *out)
{
    static const char *const texts[] = { "service", "broker", "since" };
    const value_t *version, *list = value_get(body, "versions");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const value_t *value = value_get(body, texts[i]);
        buf_printf(out, "%s\"%s\":", i ? "," : "{", texts[i]);
        if (value)
            json_write(value, out);
        else
            buf_add_text(out, "null");
    }
    buf_add_text(out, ",\"versions\":[");
    for (uint32_t i = 0; (version = value_item(list, i)); i++) {
        const value_t *name = value_get(version, "version");
        const value_t *instances = value_get(version, "instances");
        buf_add_text(out, i ? ",{\"version\":" : "{\"version\":");
        if (name)
            json_write(name, out);
        else
            buf_add_text(out, "null");
        buf_printf(out, ",\"instances\":%u}",
                   value_is_type(instances, VALUE_ARRAY) ? instances->count : 0);
    }
    buf_add_text(out, "]}");
}

/* The lines of an event: id, event, data. JSON in one line has no line breaks of its own. */
static shared_event_t *s_write_event(const client_event_t *event, const value_t *body)
{
    shared_event_t *made = mem_zeroed(sizeof *made);
    buf_t *out = &made->text;
    const event_t *head = &event->head;
    made->references = 1;
    buf_printf(out, "id: %.*s:%llu:%llu\nevent: %.*s\ndata: ", head->publisher_size,
               head->publisher, (unsigned long long)head->epoch, (unsigned long long)head->sequence,
               (int)event->topic_size, event->topic);
    if (s_begins(event->topic, event->topic_size, REGISTRY_PREFIX))
        s_write_registry(body, out);
    else
        json_write(body, out);
    buf_add_text(out, "\n\n");
    return made;
}

static bool s_may_see(const stream_t *stream, const client_event_t *event, const value_t *body)
{
    bool asked = false;
    for (size_t i = 0; i < stream->prefix_count; i++)
        asked |= s_begins(event->topic, event->topic_size, stream->prefixes[i]);
    for (size_t i = 0; asked && i < COUNT_OF(s_topics); i++)
        if (s_begins(event->topic, event->topic_size, s_topics[i].prefix))
            return s_topics[i].sight == SEEN_BY_ALL ||
                   value_is(value_get(body, "account"), stream->account);
    return false;
}

static void s_hand_over(hub_t *self, stream_t *stream, shared_event_t *event, uint64_t missed)
{
    waiting_event_t *waiting = mem_zeroed(sizeof *waiting);
    waiting->event = event;
    atomic_fetch_add(&event->references, 1);
    if (!queue_push(&stream->queue, &waiting->item)) {
        s_discard(waiting);
        missed++;
    }
    if (missed) {
        atomic_fetch_add(&stream->lost, missed);
        stats_add(self->stats, COUNT_STREAM_DROPS, (int64_t)missed);
    }
}

/* Hands an event to the streams that may have it, on the bus client's thread. */
static void s_on_event(void *hub, const client_event_t *event)
{
    hub_t *self = hub;
    arena_t arena = { 0 };
    shared_event_t *shared = NULL;
    value_verdict_t verdict;
    pthread_mutex_lock(&self->mutex);
    const value_t *body =
        self->streams ? value_parse(&arena, event->body, event->size, EVENT_LIMITS, &verdict)
                      : NULL;
    for (stream_t *stream = body ? self->streams : NULL; stream; stream = stream->next) {
        if (!s_may_see(stream, event, body))
            continue;
        if (!shared)
            shared = s_write_event(event, body);
        s_hand_over(self, stream, shared, event->missed);
    }
    pthread_mutex_unlock(&self->mutex);
    if (shared)
        s_drop(shared);
    arena_free(&arena);
}

/* ---- the hub -------------------------------------------------------------------------------- */

void hub_init(hub_t *self, uint32_t limit, uint32_t waiting, stats_t *stats)
{
    *self = (hub_t){ .limit = limit, .waiting = waiting, .stats = stats };
    pthread_mutex_init(&self->mutex, NULL);
}

void hub_free(hub_t *self)
{
    insist(!self->streams);
    pthread_mutex_destroy(&self->mutex);
}

void hub_subscribe(hub_t *self, client_t *bus)
{
    for (size_t i = 0; i < COUNT_OF(s_topics); i++)
        client_subscribe(bus, s_topics[i].prefix, s_on_event, self);
}

void hub_close(hub_t *self)
{
    pthread_mutex_lock(&self->mutex);
    self->is_closed = true;
    for (stream_t *stream = self->streams; stream; stream = stream->next)
        queue_close(&stream->queue);
    pthread_mutex_unlock(&self->mutex);
}

static bool s_join(hub_t *self, stream_t *stream)
{
    pthread_mutex_lock(&self->mutex);
    bool admitted = !self->is_closed && self->count < self->limit;
    if (admitted) {
        queue_init(&stream->queue, self->waiting, true);
        stream->next = self->streams;
        self->streams = stream;
        stats_set(self->stats, COUNT_STREAMS, ++self->count);
    }
    pthread_mutex_unlock(&self->mutex);
    if (!admitted)
        stats_add(self->stats, COUNT_STREAMS_REFUSED, 1);
    return admitted;
}

static void s_leave(hub_t *self, stream_t *stream)
{
    pthread_mutex_lock(&self->mutex);
    stream_t **at = &self->streams;
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    stats_set(self->stats, COUNT_STREAMS, --self->count);
    pthread_mutex_unlock(&self->mutex);
    for (queue_item_t *item = queue_take_all(&stream->queue), *next; item; item = next) {
        next = item->next;
        s_discard(CONTAINER_OF(item, waiting_event_t, item));
    }
    queue_free(&stream->queue);
}

/* ---- one stream ----------------------------------------------------------------------------- */

static bool s_write(exchange_t *x, const void *bytes, size_t size)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
    x->bytes_out += size;
    return connection_write(x->connection, &part, 1, (uint32_t)x->edge->settings->write_ms);
}

static bool s_write_waiting(exchange_t *x, stream_t *stream)
{
    bool good = true;
    for (queue_item_t *item = queue_take_all(&stream->queue), *next; item; item = next) {
        waiting_event_t *waiting = CONTAINER_OF(item, waiting_event_t, item);
        next = item->next;
        if (good) {
            good = s_write(x, waiting->event->text.bytes, waiting->event->text.size);
            stats_add(&x->edge->stats, COUNT_STREAM_EVENTS, good);
        }
        s_discard(waiting);
    }
    uint64_t lost = atomic_exchange(&stream->lost, 0);
    if (good && lost) {
        x->content.size = 0;
        buf_printf(&x->content, "event: lost\ndata: {\"count\":%llu}\n\n",
                   (unsigned long long)lost);
        good = s_write(x, x->content.bytes, x->content.size);
    }
    return good;
}

/* Writes until the client leaves or the hub closes. */
static void s_run(exchange_t *x, stream_t *stream)
{
    static const char heartbeat[] = ":\n\n";
    struct pollfd items[] = { { .fd = queue_fd(&stream->queue), .events = POLLIN },
                              { .fd = x->connection->fd, .events = POLLRDHUP } };
    bool goes_on = s_write(x, heartbeat, sizeof heartbeat - 1);
    uint64_t beat_ms = (uint64_t)x->edge->settings->events_heartbeat_ms;
    uint64_t written_ms = clock_ms();
    /* the flag is what ends a stream: the ring of its closed queue may be taken with the events */
    while (goes_on && !x->edge->is_draining && !x->identity->is_void) {
        int ready = poll(items, COUNT_OF(items), (int)(beat_ms < LOOK_MS ? beat_ms : LOOK_MS));
        if (ready > 0 && items[1].revents)
            break;
        if (ready == 0 && clock_ms() - written_ms >= beat_ms) {
            goes_on = s_write(x, heartbeat, sizeof heartbeat - 1);
            written_ms = clock_ms();
        }
        goes_on = goes_on && s_write_waiting(x, stream);
    }
}

static bool s_is_topic(const segment_t *prefix)
{
    for (size_t i = 0; i < COUNT_OF(s_topics); i++)
        if (s_begins(prefix->text, prefix->size, s_topics[i].prefix))
            return true;
    return false;
}

static bool s_read_topics(exchange_t *x, stream_t *stream)
{
    query_t query;
    const char *why = query_read(&query, x->query, &x->arena);
    if (why)
        return exchange_fail(x, ERROR_BAD_REQUEST, "%s", why);
    for (size_t i = 0; i < query.count; i++) {
        const query_pair_t *pair = &query.pairs[i];
        if (pair->name.size != 5 || memcmp(pair->name.text, "topic", 5) != 0)
            return exchange_fail(x, ERROR_BAD_REQUEST, "The only parameter is 'topic'");
        if (stream->prefix_count == TOPICS_MAX)
            return exchange_fail(x, ERROR_BAD_REQUEST, "At most %d topics", TOPICS_MAX);
        if (!s_is_topic(&pair->value))
            return exchange_fail(x, ERROR_FORBIDDEN,
                                 "A topic must begin with 'analysis.', 'jobs.', 'monitor.' or "
                                 "'registry.'");
        stream->prefixes[stream->prefix_count++] =
            arena_text(&x->arena, pair->value.text, pair->value.size);
    }
    for (size_t i = 0; query.count == 0 && i < COUNT_OF(s_topics); i++)
        stream->prefixes[stream->prefix_count++] = s_topics[i].prefix;
    return true;
}

void stream_serve(exchange_t *exchange)
{
    hub_t *hub = &exchange->edge->hub;
    stream_t stream = { .account = exchange->identity->principal.account };
    if (!s_read_topics(exchange, &stream))
        return;
    if (exchange->verb == HTTP_HEAD) {
        respond_stream(exchange, "text/event-stream");
        return;
    }
    if (!s_join(hub, &stream)) {
        exchange_fail(exchange, ERROR_OVERLOADED,
                      "There are as many event streams as there may be");
        return;
    }
    if (respond_stream(exchange, "text/event-stream"))
        s_run(exchange, &stream);
    s_leave(hub, &stream);
}
