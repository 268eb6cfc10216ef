/* SPDX-License-Identifier: MPL-2.0
 *
 * actor_questions - what an actor's own code asks of its runtime
 */
#include "config.h"

#include "actors/runtime/state.h"

bool actor_is_draining(const actor_t *self)
{
    return atomic_load(&self->is_draining);
}

const char *actor_instance(const actor_t *self)
{
    return self->instance;
}

const char *actor_service(const actor_t *self)
{
    return self->spec->service->name;
}

uint64_t actor_pulse(const actor_t *self)
{
    return self->snapshots;
}

const char *actor_data_folder(const actor_t *self)
{
    return self->config->storage->data;
}

db_t *actor_db(actor_t *self)
{
    return self->db;
}

redis_t *actor_redis(actor_t *self)
{
    return self->redis;
}

stats_t *actor_stats(actor_t *self)
{
    return &self->own_stats;
}

client_t *actor_client(actor_t *self)
{
    return self->client;
}

void *actor_context(const actor_t *self)
{
    return self->context;
}

const client_settings_t *actor_bus(const actor_t *self)
{
    return self->config->bus;
}

void actor_publish(actor_t *self, const char *topic, bool retain, buf_t *body)
{
    client_publish(self->client, topic, retain, body);
}
