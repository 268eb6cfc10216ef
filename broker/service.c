/* SPDX-License-Identifier: MPL-2.0
 *
 * service - services, their instances, and which one takes a request
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "broker/registry.h"
#include "broker/service.h"

broker_service_t *service_find(const broker_t *broker, const char *name, size_t size)
{
    broker_service_t *service = NULL;
    HASH_FIND(hh, broker->services, name, size, service);
    return service;
}

static void s_free_version(version_t *version)
{
    descriptor_destroy(&version->descriptor);
    mem_free(version);
}

static void s_free(broker_t *broker, broker_service_t *service)
{
    HASH_DELETE(hh, broker->services, service);
    while (service->versions) {
        version_t *next = service->versions->next;
        s_free_version(service->versions);
        service->versions = next;
    }
    stats_add(&broker->stats, BROKER_SERVICES, -1);
    mem_free(service);
}

/* Room for a new service: the one that has been empty longest goes. */
static bool s_make_room(broker_t *broker)
{
    broker_service_t *service, *next, *oldest = NULL;
    if (HASH_COUNT(broker->services) < (size_t)broker->settings->services)
        return true;
    HASH_ITER(hh, broker->services, service, next)
    if (service->empty_since_ms && (!oldest || service->empty_since_ms < oldest->empty_since_ms))
        oldest = service;
    if (oldest) {
        registry_forget(broker, oldest);
        s_free(broker, oldest);
    }
    return oldest != NULL;
}

broker_service_t *service_make(broker_t *broker, const char *name, size_t size)
{
    broker_service_t *service = service_find(broker, name, size);
    if (service || !s_make_room(broker))
        return service;
    service = mem_zeroed(sizeof *service);
    text_copy(service->name, sizeof service->name, name, size);
    service->empty_since_ms = clock_wall_ms();
    service->registry_sequence = broker->registry_sequence;
    TAILQ_INIT(&service->workers);
    for (size_t i = 0; i < FRAME_PRIORITIES; i++)
        TAILQ_INIT(&service->queues[i]);
    HASH_ADD(hh, broker->services, name[0], (unsigned)strlen(service->name), service);
    stats_add(&broker->stats, BROKER_SERVICES, 1);
    return service;
}

/* Finds the version with the descriptor's hash, or adds it, highest version first. */
static version_t *s_take_version(broker_service_t *service, descriptor_t *descriptor)
{
    version_t **at = &service->versions;
    for (; *at; at = &(*at)->next) {
        if ((*at)->descriptor->hash == descriptor->hash) {
            descriptor_destroy(&descriptor);
            return *at;
        }
    }
    for (at = &service->versions; *at; at = &(*at)->next)
        if (descriptor_compare_versions((*at)->descriptor->version, descriptor->version) < 0)
            break;
    version_t *version = mem_zeroed(sizeof *version);
    version->descriptor = descriptor;
    version->next = *at;
    *at = version;
    return version;
}

/* Versions without an instance go, except the last of all: it keeps the service documented. */
static void s_drop_versions(broker_service_t *service)
{
    for (version_t **at = &service->versions; *at;) {
        version_t *version = *at;
        bool is_only = version == service->versions && !version->next;
        if (version->instances || is_only) {
            at = &version->next;
            continue;
        }
        *at = version->next;
        s_free_version(version);
    }
}

worker_t *service_join(broker_t *broker, broker_service_t *service, peer_t *peer,
                       const service_join_t *join)
{
    worker_t *worker = mem_zeroed(sizeof *worker);
    worker->peer = peer;
    worker->service = service;
    text_copy(worker->instance, sizeof worker->instance, join->instance, strlen(join->instance));
    worker->instance_hash = id_hash(worker->instance, strlen(worker->instance));
    worker->credit = join->credit;
    worker->weight = join->weight;
    worker->heartbeat_ms = join->heartbeat_ms;
    worker->since_ms = clock_wall_ms();
    worker->boot_ms = join->boot_ms;
    TAILQ_INIT(&worker->given);
    TAILQ_INIT(&worker->queue);
    if (join->descriptor) {
        worker->version = s_take_version(service, join->descriptor);
        worker->version->instances++;
        s_drop_versions(service);
    }
    peer->worker = worker;
    TAILQ_INSERT_TAIL(&service->workers, worker, entry);
    service->worker_count++;
    service->empty_since_ms = 0;
    stats_add(&broker->stats, BROKER_INSTANCES, 1);
    return worker;
}

void service_leave(broker_t *broker, worker_t *worker)
{
    broker_service_t *service = worker->service;
    insist(TAILQ_EMPTY(&worker->given) && TAILQ_EMPTY(&worker->queue));
    worker->peer->worker = NULL;
    TAILQ_REMOVE(&service->workers, worker, entry);
    service->worker_count--;
    stats_add(&broker->stats, BROKER_INSTANCES, -1);
    if (worker->version) {
        worker->version->instances--;
        s_drop_versions(service);
    }
    mem_free(worker);
    if (service->worker_count == 0) {
        service->empty_since_ms = clock_wall_ms();
        if (!service->versions)
            s_free(broker, service);
    }
}

worker_t *service_instance(const broker_service_t *service, const char *instance)
{
    worker_t *worker;
    TAILQ_FOREACH(worker, &service->workers, entry)
    if (strcmp(worker->instance, instance) == 0)
        return worker;
    return NULL;
}

const descriptor_method_t *service_method(const broker_service_t *service, const char *name,
                                          size_t size)
{
    for (const version_t *version = service->versions; version; version = version->next) {
        const descriptor_method_t *method = descriptor_method(version->descriptor, name, size);
        if (method)
            return method;
    }
    return NULL;
}

/* a has less to do for its weight than b */
static inline bool s_is_freer(const worker_t *a, const worker_t *b)
{
    return (uint64_t)a->outstanding * b->weight < (uint64_t)b->outstanding * a->weight;
}

worker_t *service_choose(broker_service_t *service, const pending_t *pending)
{
    worker_t *worker, *best = NULL;
    bool best_fits = false;
    TAILQ_FOREACH(worker, &service->workers, entry)
    {
        if (worker->outstanding >= worker->credit || !service_is_live(worker))
            continue;
        bool fits = pending->is_stamped && worker->version &&
                    worker->version->descriptor->hash == pending->schema;
        if (!best || fits > best_fits || (fits == best_fits && s_is_freer(worker, best))) {
            best = worker;
            best_fits = fits;
        }
    }
    if (best && service->worker_count > 1) {
        /* equals take turns: whoever was used last is looked at last */
        TAILQ_REMOVE(&service->workers, best, entry);
        TAILQ_INSERT_TAIL(&service->workers, best, entry);
    }
    return best;
}

worker_t *service_owner(const broker_service_t *service, uint64_t route_key)
{
    worker_t *worker, *best = NULL;
    uint64_t best_mix = 0;
    TAILQ_FOREACH(worker, &service->workers, entry)
    {
        uint64_t mix = id_mix(route_key, worker->instance_hash);
        if (service_is_live(worker) && (!best || mix > best_mix)) {
            best = worker;
            best_mix = mix;
        }
    }
    return best;
}

uint32_t service_live_count(const broker_service_t *service)
{
    uint32_t count = 0;
    worker_t *worker;
    TAILQ_FOREACH(worker, &service->workers, entry)
    count += service_is_live(worker);
    return count;
}

void service_free_all(broker_t *broker)
{
    broker_service_t *service, *next;
    HASH_ITER(hh, broker->services, service, next)
    {
        insist(service->worker_count == 0);
        s_free(broker, service);
    }
}
