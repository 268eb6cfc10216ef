/* SPDX-License-Identifier: MPL-2.0
 *
 * edge - making and starting what an edge consists of, and leaving in order
 */
#include "config.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/base/crash.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "edge/keeper.h"
#include "edge/server.h"
#include "edge/settings.h"
#include "edge/state.h"

#define AUDIT_FLUSH_MS 2000 /* how long leaving waits for auth to take what it must know */

/* ---- making --------------------------------------------------------------------------------- */

static bool s_read_networks(networks_t *networks, const char *setting, const char *text, char *why,
                            size_t why_size)
{
    char bad[ADDRESS_TEXT_SIZE + 8];
    if (networks_read(networks, text, bad))
        return true;
    return edge_refuse(why, why_size,
                       "edge.%s: '%s' is not like '10.0.0.0/8' or '2001:db8::/32', or one "
                       "too many",
                       setting, bad);
}

static edge_t *s_make(const edge_config_t *config)
{
    const edge_settings_t *settings = config->settings;
    edge_t *edge = mem_zeroed(sizeof *edge);
    edge->settings = settings;
    edge->bus_settings = config->bus;
    edge->version = config->version;
    edge->started_ms = clock_ms();
    edge->boot_ms = (uint64_t)clock_wall_ms();
    edge->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    insist(edge->wake_fd >= 0);
    if (config->instance[0])
        snprintf(edge->instance, sizeof edge->instance, "%s", config->instance);
    else
        id_instance("edge", edge->instance);
    crash_add_life("edge", edge->instance, edge->boot_ms);
    stats_init(&edge->stats, counter_rows);
    edge->anonymous = identity_new_anonymous();
    edge->stranger = identity_new_anonymous();
    authority_init(&edge->authority, &edge->stats);
    audit_init(&edge->audit, &edge->stats);
    flags_init(&edge->flags);
    cached_init(&edge->cached, (size_t)settings->cache_bytes);
    limits_init(&edge->limits, &(limits_config_t){ .is_on = settings->limits,
                                                   .lease_max = settings->lease,
                                                   .coarse = settings->degraded_requests,
                                                   .stats = &edge->stats });
    gzip_init(&edge->gzip, settings->gzip_level ? (int)settings->gzip_level : 1);
    exchange_pool_init(&edge->exchanges);
    probes_init(&edge->probes);
    server_init(edge);
    hub_init(&edge->hub, (uint32_t)(settings->threads * settings->events_percent / 100),
             (uint32_t)settings->events_waiting, &edge->stats);
    return edge;
}

static void s_free(edge_t **self_p)
{
    edge_t *self = *self_p;
    *self_p = NULL;
    registry_free(&self->registry);
    hub_free(&self->hub);
    probes_free(&self->probes);
    server_free(self);
    exchange_pool_free(&self->exchanges);
    gzip_free(&self->gzip);
    identity_drop(&self->anonymous);
    identity_drop(&self->stranger);
    authority_free(&self->authority);
    cached_free(&self->cached);
    audit_free(&self->audit);
    flags_free(&self->flags);
    limits_free(&self->limits);
    grants_free(&self->grants);
    stats_free(&self->stats);
    close(self->wake_fd);
    crash_remove_life("edge", self->instance);
    mem_free(self);
}

/* ---- starting ------------------------------------------------------------------------------- */

static void s_on_registry(void *arg, const client_event_t *event)
{
    edge_t *edge = arg;
    registry_store(&edge->registry, event);
}

static void s_on_void(void *arg, uint32_t link, uint32_t connection)
{
    edge_t *edge = arg;
    registry_void(&edge->registry, link, connection);
}

static void s_start_bus(edge_t *edge, void *zmq_context, const client_settings_t *bus)
{
    edge->bus = client_new(
        zmq_context, &(client_config_t){ .settings = bus, .name = edge->instance, .part = "edge" });
    client_follow(edge->bus, REGISTRY_PREFIX, s_on_registry, s_on_void, edge);
    limits_connect(&edge->limits, edge->bus);
    authority_connect(&edge->authority, edge->bus);
    cached_connect(&edge->cached, edge->bus);
    audit_connect(&edge->audit, edge->bus);
    flags_connect(&edge->flags, edge->bus);
    hub_subscribe(&edge->hub, edge->bus);
}

edge_t *edge_start(void *zmq_context, const edge_config_t *config, char *why, size_t why_size)
{
    if (!edge_settings_check(config->settings, why, why_size))
        return NULL;
    edge_t *edge = s_make(config);
    bool good = grants_read(&edge->grants, config->settings->grants, why, why_size) &&
                s_read_networks(&edge->trusted, "trusted_proxies",
                                config->settings->trusted_proxies, why, why_size) &&
                s_read_networks(&edge->admins, "admin_networks", config->settings->admin_networks,
                                why, why_size);
    registry_init(&edge->registry, &edge->grants, &edge->stats, edge->wake_fd);
    if (!good) {
        s_free(&edge);
        return NULL;
    }
    s_start_bus(edge, zmq_context, config->bus);
    keeper_start(edge);
    if (!server_start(edge, why, why_size)) {
        edge_stop(&edge);
        return NULL;
    }
    LOG(LOG_INFO, "edge.started", LOG_TEXT("instance", edge->instance),
        LOG_TEXT("address", config->settings->address), LOG_INT("port", edge->port),
        LOG_FLAG("anonymous", config->settings->allow_anonymous));
    return edge;
}

/* ---- leaving -------------------------------------------------------------------------------- */

void edge_stop(edge_t **self_p)
{
    edge_t *edge = *self_p;
    *self_p = NULL;
    if (!edge)
        return;
    server_stop(edge);
    audit_flush(&edge->audit, clock_ms() + AUDIT_FLUSH_MS);
    keeper_stop(edge);
    client_destroy(&edge->bus);
    s_free(&edge);
}

bool edge_wait_service(edge_t *self, const char *service, uint32_t timeout_ms)
{
    uint64_t until = clock_ms() + timeout_ms;
    if (!client_wait_ready(self->bus, timeout_ms))
        return false;
    return registry_wait(&self->registry, service, until);
}

bool edge_wait_limits(edge_t *self, uint32_t timeout_ms)
{
    return limits_wait(&self->limits, clock_ms() + timeout_ms);
}

uint16_t edge_port(const edge_t *self)
{
    return self->port;
}

const char *edge_instance(const edge_t *self)
{
    return self->instance;
}

uint64_t edge_pulse(const edge_t *self)
{
    return self->snapshots;
}

stats_t *edge_stats(edge_t *self)
{
    return &self->stats;
}

stats_t *edge_bus_stats(edge_t *self)
{
    return client_stats(self->bus);
}
