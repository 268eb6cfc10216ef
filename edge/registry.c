/* SPDX-License-Identifier: MPL-2.0
 *
 * registry - what the brokers say is running, merged into the routing in use
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "edge/counters.h"
#include "edge/registry.h"
#include "proto/topic.h"

/* A registry event holds whole descriptors, each of which has its own limits. */
#define EVENT_LIMITS ((value_limits_t){ .depth = 16, .nodes = 100000 })

typedef struct {
    described_t *described;
    uint32_t instances;
} version_t;

/* What one broker says about one service. */
struct registry_entry {
    char topic[TOPIC_BYTES_MAX + 1];
    /* under the registry's mutex */
    buf_t pending; /* the newest event, not yet read */
    bool has_pending, is_void;
    uint32_t link, connection; /* over which it was said last */
    /* the keeper's own */
    bool is_forgotten; /* by its broker */
    version_t versions[REGISTRY_VERSIONS_MAX];
    size_t version_count;
    int64_t since_ms;
    UT_hash_handle hh;
};

void registry_init(registry_t *self, const grants_t *grants, stats_t *stats, int wake_fd)
{
    routing_report_t report;
    *self = (registry_t){ .grants = grants, .stats = stats, .wake_fd = wake_fd };
    pthread_mutex_init(&self->mutex, NULL);
    monitor_init(&self->monitor);
    self->current = routing_build(NULL, 0, grants, &report);
}

static void s_drop_versions(registry_entry_t *entry)
{
    while (entry->version_count)
        described_drop(&entry->versions[--entry->version_count].described);
}

static void s_remove(registry_t *self, registry_entry_t *entry)
{
    HASH_DEL(self->entries, entry);
    s_drop_versions(entry);
    buf_free(&entry->pending);
    mem_free(entry);
}

void registry_free(registry_t *self)
{
    registry_entry_t *entry, *next;
    HASH_ITER(hh, self->entries, entry, next)
    {
        s_remove(self, entry);
    }
    routing_drop(&self->current);
    monitor_free(&self->monitor);
    pthread_mutex_destroy(&self->mutex);
}

static void s_wake(const registry_t *self)
{
    const uint64_t one = 1;
    if (write(self->wake_fd, &one, sizeof one) < 0)
        return; /* the counter is full: the keeper is awake already */
}

/* The entry of the event's topic, made when it is new; NULL when there is no room for it. */
static registry_entry_t *s_entry(registry_t *self, const client_event_t *event)
{
    registry_entry_t *entry = NULL;
    HASH_FIND(hh, self->entries, event->topic, event->topic_size, entry);
    if (!entry && event->topic_size <= TOPIC_BYTES_MAX &&
        HASH_COUNT(self->entries) < REGISTRY_TOPICS_MAX) {
        entry = mem_zeroed(sizeof *entry);
        entry->is_void = true; /* nothing was said yet */
        memcpy(entry->topic, event->topic, event->topic_size);
        HASH_ADD(hh, self->entries, topic, event->topic_size, entry);
    }
    return entry;
}

void registry_store(registry_t *self, const client_event_t *event)
{
    stats_add(self->stats, COUNT_REGISTRY_EVENTS, 1);
    pthread_mutex_lock(&self->mutex);
    registry_entry_t *entry = s_entry(self, event);
    bool is_news = entry && (entry->is_void || !event->is_known);
    if (entry) {
        entry->link = event->link;
        entry->connection = event->connection;
    }
    if (is_news) {
        entry->pending.size = 0;
        buf_add(&entry->pending, event->body, event->size);
        entry->has_pending = true;
        entry->is_void = false;
    }
    pthread_mutex_unlock(&self->mutex);
    if (!entry)
        stats_add(self->stats, COUNT_REGISTRY_DROPS, 1);
    if (is_news)
        s_wake(self);
}

void registry_void(registry_t *self, uint32_t link, uint32_t connection)
{
    pthread_mutex_lock(&self->mutex);
    for (registry_entry_t *entry = self->entries; entry; entry = entry->hh.next)
        if (entry->link == link && entry->connection != connection) {
            entry->is_void = true;
            entry->has_pending = false;
        }
    pthread_mutex_unlock(&self->mutex);
    s_wake(self);
}

/* ---- reading an event ----------------------------------------------------------------------- */

/* The same descriptor is announced again and again, by every broker: it is compiled once. */
static described_t *s_known(registry_t *self, const value_t *bytes)
{
    described_t *found = NULL;
    pthread_mutex_lock(&self->mutex); /* for the list of entries */
    for (registry_entry_t *entry = self->entries; entry && !found; entry = entry->hh.next)
        for (size_t i = 0; i < entry->version_count && !found; i++) {
            const descriptor_t *descriptor = entry->versions[i].described->descriptor;
            if (descriptor->size == bytes->count &&
                memcmp(descriptor->bytes, bytes->bytes, bytes->count) == 0)
                found = described_hold(entry->versions[i].described);
        }
    pthread_mutex_unlock(&self->mutex);
    return found;
}

static described_t *s_describe(registry_t *self, const registry_entry_t *entry,
                               const value_t *bytes)
{
    char why[DESCRIPTOR_WHY_SIZE];
    described_t *known = s_known(self, bytes);
    if (known)
        return known;
    descriptor_t *descriptor = descriptor_read(bytes->bytes, bytes->count, why);
    if (descriptor)
        return described_new(descriptor);
    stats_add(self->stats, COUNT_DESCRIPTORS_REFUSED, 1);
    LOG(LOG_WARN, "descriptor.refused", LOG_TEXT("topic", entry->topic), LOG_TEXT("why", why));
    return NULL;
}

static bool s_read_event(registry_t *self, registry_entry_t *entry, const buf_t *event)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    version_t versions[REGISTRY_VERSIONS_MAX];
    size_t count = 0;
    const value_t *map = value_parse(&arena, event->bytes, event->size, EVENT_LIMITS, &verdict);
    const value_t *list = value_get(map, "versions"), *item;
    for (uint32_t i = 0; (item = value_item(list, i)) && count < REGISTRY_VERSIONS_MAX; i++) {
        const value_t *bytes = value_get(item, "descriptor");
        const value_t *instances = value_get(item, "instances");
        described_t *described = value_is_type(bytes, VALUE_BINARY) && bytes->count
                                     ? s_describe(self, entry, bytes)
                                     : NULL;
        if (described)
            versions[count++] = (version_t){
                .described = described,
                .instances = value_is_type(instances, VALUE_ARRAY) ? instances->count : 0,
            };
    }
    bool good = value_is_type(list, VALUE_ARRAY);
    if (good) {
        s_drop_versions(entry);
        memcpy(entry->versions, versions, count * sizeof *versions);
        entry->version_count = count;
        entry->since_ms = value_get_int(map, "since", 0);
    }
    arena_free(&arena);
    return good;
}

/* Takes the stored events out, one by one, so that storing never waits for reading. */
static bool s_read_events(registry_t *self)
{
    bool changed = false;
    registry_entry_t *entry;
    pthread_mutex_lock(&self->mutex);
    for (entry = self->entries; entry; entry = entry->hh.next) {
        if (!entry->has_pending)
            continue;
        buf_t event = entry->pending;
        entry->pending = (buf_t){ 0 };
        entry->has_pending = false;
        pthread_mutex_unlock(&self->mutex);
        /* others only add entries, at the end of the list: `entry` stays where it is */
        entry->is_forgotten = event.size == 0;
        if (entry->is_forgotten || s_read_event(self, entry, &event)) {
            changed = true;
        } else {
            stats_add(self->stats, COUNT_REGISTRY_BAD, 1);
            LOG(LOG_WARN, "registry.bad", LOG_TEXT("topic", entry->topic));
        }
        buf_free(&event);
        pthread_mutex_lock(&self->mutex);
    }
    pthread_mutex_unlock(&self->mutex);
    return changed;
}

/* ---- forgetting ----------------------------------------------------------------------------- */

/* An instance of a void entry runs no more, as far as anybody knows. */
static bool s_empty(registry_entry_t *entry)
{
    bool changed = false;
    for (size_t i = 0; i < entry->version_count; i++) {
        changed |= entry->versions[i].instances > 0;
        entry->versions[i].instances = 0;
    }
    if (changed)
        entry->since_ms = clock_wall_ms();
    return changed;
}

static const char *s_service(const registry_entry_t *entry)
{
    return entry->version_count ? entry->versions[0].described->descriptor->service : "";
}

/* Whether the routes of a void entry are those of nobody else. */
static bool s_is_only(const registry_t *self, const registry_entry_t *entry)
{
    for (const registry_entry_t *other = self->entries; other; other = other->hh.next)
        if (!other->is_void && strcmp(s_service(other), s_service(entry)) == 0)
            return false;
    return entry->version_count > 0;
}

/* Voids and removes what is to go. */
static bool s_forget(registry_t *self)
{
    bool changed = false;
    registry_entry_t *entry, *next;
    pthread_mutex_lock(&self->mutex);
    HASH_ITER(hh, self->entries, entry, next)
    {
        if (entry->has_pending || !(entry->is_void || entry->is_forgotten))
            continue;
        changed |= s_empty(entry);
        if (!entry->is_forgotten && HASH_COUNT(self->entries) <= REGISTRY_TOPICS_MAX / 2 &&
            s_is_only(self, entry))
            continue;
        changed |= entry->version_count > 0;
        s_remove(self, entry);
    }
    pthread_mutex_unlock(&self->mutex);
    return changed;
}

/* ---- merging -------------------------------------------------------------------------------- */

/* Two descriptors with one version number and different content: nobody can say which is right, so
 * the one with the higher hash is taken by every edge, and it is said aloud. */
static void s_report_conflict(registry_t *self, described_t *one, described_t *other)
{
    const descriptor_t *a = one->descriptor, *b = other->descriptor;
    if (one->is_disputed && other->is_disputed)
        return;
    one->is_disputed = other->is_disputed = true;
    stats_add(self->stats, COUNT_SCHEMA_CONFLICTS, 1);
    LOG(LOG_WARN, "schema.conflict", LOG_TEXT("service", a->service),
        LOG_TEXT("version", a->version), LOG_INT("hash", a->hash), LOG_INT("other", b->hash),
        LOG_TEXT("fix", "give the changed interface a new version"));
}

/* Whether `b` is to be routed to rather than what `offer` holds. */
static bool s_is_better(registry_t *self, const offer_t *offer, const version_t *b)
{
    const descriptor_t *old = offer->described->descriptor, *new = b->described->descriptor;
    bool is_live = b->instances > 0;
    int order = descriptor_compare_versions(new->version, old->version);
    if (order == 0 && new->hash != old->hash)
        s_report_conflict(self, offer->described, b->described);
    if (is_live != offer->is_live)
        return is_live;
    return order ? order > 0 : new->hash > old->hash;
}

static offer_t *s_offer(offer_t *offers, size_t count, const char *service)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(offers[i].described->descriptor->service, service) == 0)
            return &offers[i];
    return NULL;
}

static void s_merge(registry_t *self, offer_t *offers, size_t *count, const registry_entry_t *entry,
                    const version_t *version)
{
    offer_t *offer = s_offer(offers, *count, version->described->descriptor->service);
    if (!offer) {
        offers[(*count)++] = (offer_t){ .described = version->described,
                                        .is_live = version->instances > 0,
                                        .since_ms = entry->since_ms };
        return;
    }
    if (!s_is_better(self, offer, version))
        return;
    offer->described = version->described;
    offer->is_live = version->instances > 0;
    offer->since_ms = entry->since_ms;
}

static void s_put_into_use(registry_t *self, routing_t *routing)
{
    monitor_lock(&self->monitor);
    routing_t *old = self->current;
    self->current = routing;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    routing_drop(&old);
}

void registry_work(registry_t *self)
{
    bool changed = s_read_events(self);
    changed |= s_forget(self);
    if (!changed)
        return;
    offer_t *offers = mem_array(REGISTRY_TOPICS_MAX * REGISTRY_VERSIONS_MAX, sizeof *offers);
    size_t count = 0;
    pthread_mutex_lock(&self->mutex); /* for the list of entries; their versions are ours alone */
    for (registry_entry_t *entry = self->entries; entry; entry = entry->hh.next)
        for (size_t i = 0; i < entry->version_count; i++)
            s_merge(self, offers, &count, entry, &entry->versions[i]);
    pthread_mutex_unlock(&self->mutex);
    routing_report_t report;
    routing_t *routing = routing_build(offers, count, self->grants, &report);
    mem_free(offers);
    stats_add(self->stats, COUNT_ROUTES_REFUSED, (int64_t)report.refused);
    stats_set(self->stats, COUNT_ROUTES, (int64_t)routing_size(routing));
    LOG(LOG_INFO, "routes.changed", LOG_INT("services", count),
        LOG_INT("routes", routing_size(routing)), LOG_INT("refused", report.refused));
    s_put_into_use(self, routing);
}

routing_t *registry_routing(registry_t *self)
{
    monitor_lock(&self->monitor);
    routing_t *routing = routing_hold(self->current);
    monitor_unlock(&self->monitor);
    return routing;
}

static bool s_is_live(const routing_t *routing, const char *service)
{
    size_t count;
    const offer_t *offers = routing_offers(routing, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(offers[i].described->descriptor->service, service) == 0)
            return offers[i].is_live;
    return false;
}

bool registry_wait(registry_t *self, const char *service, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (!s_is_live(self->current, service) && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool is_live = s_is_live(self->current, service);
    monitor_unlock(&self->monitor);
    return is_live;
}
