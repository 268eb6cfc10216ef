/* SPDX-License-Identifier: MPL-2.0
 *
 * registry - tells subscribers which services live
 */
#include "config.h"

#include <stdio.h>

#include "broker/events.h"
#include "broker/registry.h"
#include "proto/topic.h"

static void s_pack_version(pack_t *pack, const broker_service_t *service, const version_t *version)
{
    const worker_t *worker;
    pack_map(pack, 4);
    pack_pair_text(pack, "version", version->descriptor->version);
    pack_text(pack, "hash");
    pack_uint(pack, version->descriptor->hash);
    pack_text(pack, "descriptor");
    pack_bytes(pack, version->descriptor->bytes, version->descriptor->size);
    pack_text(pack, "instances");
    pack_array(pack, version->instances);
    TAILQ_FOREACH(worker, &service->workers, entry)
    {
        if (worker->version != version)
            continue;
        pack_map(pack, 4);
        pack_pair_text(pack, "name", worker->instance);
        pack_pair_int(pack, "credit", worker->credit);
        pack_pair_int(pack, "weight", worker->weight);
        pack_pair_bool(pack, "draining", worker->is_draining);
    }
}

static void s_publish(broker_t *broker, broker_service_t *service, const buf_t *body)
{
    char topic[TOPIC_BYTES_MAX + ID_INSTANCE_SIZE + 16];
    snprintf(topic, sizeof topic, "%s%s.%s", topic_row(TOPIC_REGISTRY)->prefix, service->name,
             broker->name);
    events_publish_own(broker, topic, ++service->registry_sequence, true, body);
}

void registry_publish(broker_t *broker, broker_service_t *service)
{
    buf_t body = { 0 };
    pack_t pack;
    size_t versions = 0;
    if (!service->versions)
        return;
    for (const version_t *version = service->versions; version; version = version->next)
        versions++;
    pack_init(&pack, &body);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "service", service->name);
    pack_pair_text(&pack, "broker", broker->name);
    pack_pair_int(&pack, "since", service->empty_since_ms);
    pack_text(&pack, "versions");
    pack_array(&pack, versions);
    for (const version_t *version = service->versions; version; version = version->next)
        s_pack_version(&pack, service, version);
    s_publish(broker, service, &body);
    buf_free(&body);
}

/* A service that comes again goes on behind all that were forgotten, or it would be taken for an
 * older event of the same topic. */
void registry_forget(broker_t *broker, broker_service_t *service)
{
    if (!service->versions)
        return;
    s_publish(broker, service, &(buf_t){ 0 });
    if (service->registry_sequence > broker->registry_sequence)
        broker->registry_sequence = service->registry_sequence;
}
