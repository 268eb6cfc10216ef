/* SPDX-License-Identifier: MPL-2.0
 *
 * kinds - which methods there are to be called, by whom, and how many calls their services take
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include <uthash.h>

#include "actors/base/log.h"
#include "actors/jobs/kinds.h"
#include "proto/descriptor.h"
#include "proto/jobs.h"
#include "proto/topic.h"

#define KINDS_TOPICS_MAX 4096
#define KINDS_LIMITS     ((value_limits_t){ .depth = 16, .nodes = 100000 })

/* What one broker says about one service. */
typedef struct {
    UT_hash_handle hh;
    uint32_t link, connection;
    uint32_t credit;
    descriptor_t *descriptor; /* of the newest version that lives, or lived last */
    char topic[];
} kind_entry_t;

struct kinds {
    pthread_mutex_t mutex;
    kind_entry_t *entries;
};

kinds_t *kinds_new(void)
{
    kinds_t *self = mem_zeroed(sizeof *self);
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
    return self;
}

static void s_remove(kinds_t *self, kind_entry_t *entry)
{
    HASH_DEL(self->entries, entry);
    descriptor_destroy(&entry->descriptor);
    mem_free(entry);
}

void kinds_destroy(kinds_t **self_p)
{
    kinds_t *self = *self_p;
    kind_entry_t *entry, *next;
    *self_p = NULL;
    if (!self)
        return;
    HASH_ITER(hh, self->entries, entry, next)
    {
        s_remove(self, entry);
    }
    pthread_mutex_destroy(&self->mutex);
    mem_free(self);
}

/* ---- listening ------------------------------------------------------------------------------- */

static kind_entry_t *s_entry(kinds_t *self, const char *topic, size_t size)
{
    kind_entry_t *entry;
    HASH_FIND(hh, self->entries, topic, size, entry);
    if (entry || HASH_COUNT(self->entries) >= KINDS_TOPICS_MAX)
        return entry;
    entry = mem_zeroed(sizeof *entry + size + 1);
    memcpy(entry->topic, topic, size);
    HASH_ADD(hh, self->entries, topic, (unsigned)size, entry);
    return entry;
}

/* What the instances of one version take together. */
static uint32_t s_version_credit(const value_t *version)
{
    const value_t *instances = value_get(version, "instances"), *instance;
    int64_t credit = 0;
    for (uint32_t i = 0; (instance = value_item(instances, i)); i++)
        if (!value_get_bool(instance, "draining", false))
            credit += value_get_int(instance, "credit", 1);
    return credit > 0 && credit < UINT32_MAX ? (uint32_t)credit : 0;
}

static void s_read(kind_entry_t *entry, const value_t *event)
{
    char why[DESCRIPTOR_WHY_SIZE];
    const value_t *versions = value_get(event, "versions"), *version;
    bool has_live = false;
    entry->credit = 0;
    for (uint32_t i = 0; (version = value_item(versions, i)); i++) {
        const value_t *bytes = value_get(version, "descriptor");
        uint32_t credit = s_version_credit(version);
        entry->credit += credit;
        if (!value_is_type(bytes, VALUE_BINARY) || (has_live && !credit))
            continue;
        descriptor_t *descriptor = descriptor_read(bytes->bytes, bytes->count, why);
        if (descriptor && entry->descriptor && has_live == (credit > 0) &&
            descriptor_compare_versions(descriptor->version, entry->descriptor->version) < 0) {
            descriptor_destroy(&descriptor);
        } else if (descriptor) {
            descriptor_destroy(&entry->descriptor);
            entry->descriptor = descriptor;
        }
        has_live |= credit > 0;
    }
}

static void s_on_event(void *arg, const client_event_t *event)
{
    kinds_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body =
        event->size ? value_parse(&arena, event->body, event->size, KINDS_LIMITS, &verdict) : NULL;
    pthread_mutex_lock(&self->mutex);
    kind_entry_t *entry = s_entry(self, event->topic, event->topic_size);
    if (entry) {
        entry->link = event->link;
        entry->connection = event->connection;
    }
    if (entry && body)
        s_read(entry, body);
    else if (entry)
        s_remove(self, entry); /* its broker has forgotten the service */
    pthread_mutex_unlock(&self->mutex);
    arena_free(&arena);
}

static void s_on_void(void *arg, uint32_t link, uint32_t connection)
{
    kinds_t *self = arg;
    kind_entry_t *entry, *next;
    pthread_mutex_lock(&self->mutex);
    HASH_ITER(hh, self->entries, entry, next)
    {
        if (entry->link == link && entry->connection != connection)
            s_remove(self, entry);
    }
    pthread_mutex_unlock(&self->mutex);
}

void kinds_follow(kinds_t *self, client_t *client)
{
    client_follow(client, topic_row(TOPIC_REGISTRY)->prefix, s_on_event, s_on_void, self);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool s_is_of(const kind_entry_t *entry, const char *service, size_t size)
{
    const char *name = entry->topic + strlen(topic_row(TOPIC_REGISTRY)->prefix);
    return strncmp(name, service, size) == 0 && name[size] == '.' && entry->descriptor &&
           strncmp(entry->descriptor->service, service, size) == 0 &&
           entry->descriptor->service[size] == '\0';
}

/* Whether calling it enqueues jobs. One that did could enqueue itself, twice, for ever: past every
 * limit, since nobody counts what jobs call. */
static bool s_enqueues(const descriptor_method_t *method)
{
    return method->rate && strcmp(method->rate, JOBS_ENQUEUE_RATE) == 0;
}

static kind_verdict_t s_may(const descriptor_method_t *method, const principal_t *who)
{
    bool is_open = !s_enqueues(method) && method->access != ACCESS_INTERNAL &&
                   (method->access == ACCESS_PUBLIC || who->account[0]) &&
                   (!method->role || principal_has_role(who, method->role)) &&
                   (!method->scope || principal_has_scope(who, method->scope));
    return is_open ? KIND_OPEN : KIND_CLOSED;
}

kind_verdict_t kinds_may(kinds_t *self, const char *kind, const principal_t *who)
{
    const char *dot = strrchr(kind, '.');
    kind_verdict_t verdict = KIND_UNKNOWN;
    if (!dot)
        return verdict;
    pthread_mutex_lock(&self->mutex);
    for (const kind_entry_t *entry = self->entries; entry && verdict == KIND_UNKNOWN;
         entry = entry->hh.next) {
        if (!s_is_of(entry, kind, (size_t)(dot - kind)))
            continue;
        const descriptor_method_t *method =
            descriptor_method(entry->descriptor, dot + 1, strlen(dot + 1));
        if (method)
            verdict = s_may(method, who);
    }
    pthread_mutex_unlock(&self->mutex);
    return verdict;
}

/* An instance is registered with every broker: the one that knows most knows all. */
uint32_t kinds_credit(kinds_t *self, const char *service)
{
    uint32_t credit = 0;
    size_t size = strlen(service);
    pthread_mutex_lock(&self->mutex);
    for (const kind_entry_t *entry = self->entries; entry; entry = entry->hh.next)
        if (s_is_of(entry, service, size) && entry->credit > credit)
            credit = entry->credit;
    pthread_mutex_unlock(&self->mutex);
    return credit;
}
