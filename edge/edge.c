/* SPDX-License-Identifier: MPL-2.0
 *
 * edge - starting, civetweb's callbacks, and leaving in order
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "edge/gate.h"
#include "edge/keeper.h"
#include "edge/openapi.h"
#include "edge/respond.h"
#include "edge/serve.h"
#include "edge/state.h"

#define BODY_ROOM       4096 /* of civetweb's buffer: bodies that come with their head */
#define OTHER_FDS       128  /* descriptors beside one for each connection: bus, logs, files */
#define REFUSE_RETRY_MS 1000
#define AUDIT_FLUSH_MS  2000 /* how long leaving waits for auth to take what it must know */

/* ---- civetweb's callbacks ------------------------------------------------------------------- */

static void *s_on_thread(const struct mg_context *server, int type)
{
    edge_t *edge = mg_get_user_data(server);
    log_set_part("edge");
    if (type == 0)
        gate_enter_acceptor(&edge->connections, (const char *)edge->refusal.bytes,
                            edge->refusal.size);
    else if (type == 1)
        gate_enter_worker(&edge->connections);
    return NULL;
}

static int s_on_request(struct mg_connection *server)
{
    edge_t *edge = mg_get_user_data(mg_get_context(server));
    return serve_request(edge, gate_current(), server);
}

/* The request is over, its body read to the end: what comes next is a head. */
static void s_on_request_end(const struct mg_connection *server, int status)
{
    edge_t *edge = mg_get_user_data(mg_get_context(server));
    connection_t *connection = gate_current();
    (void)status;
    connection->awaits_head = true;
    connection->is_late = false;
    connection_enter(connection, CONNECTION_IDLE, (uint32_t)edge->settings->keep_alive_ms);
}

static int s_on_error(struct mg_connection *server, int status, const char *message)
{
    edge_t *edge = mg_get_user_data(mg_get_context(server));
    (void)message; /* holds what the client sent */
    serve_parser_refusal(edge, gate_current(), server, status);
    return 0;
}

static int s_on_log(const struct mg_connection *server, const char *message)
{
    (void)server;
    LOG(LOG_WARN, "civetweb", LOG_TEXT("message", message));
    return 1;
}

/* No log_access: civetweb would format a line for it. exchange.c logs. */
static const struct mg_callbacks s_callbacks = {
    .init_thread = s_on_thread,
    .begin_request = s_on_request,
    .end_request = s_on_request_end,
    .http_error = s_on_error,
    .log_message = s_on_log,
};

/* ---- starting ------------------------------------------------------------------------------- */

static bool s_fail(char *why, size_t why_size, const char *format, ...) PRINTF_LIKE(3, 4);

static bool s_fail(char *why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return false;
}

/* An open connection is a descriptor; the soft limit of a login is often 1024. */
static bool s_raise_fd_limit(const edge_settings_t *settings, char *why, size_t why_size)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->threads + CONNECTIONS_LINGER_MAX + OTHER_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        return s_fail(
            why, why_size,
            "edge.threads: %lld threads need %llu open files, and %llu are allowed; raise "
            "the limit (ulimit -n) or lower the setting",
            (long long)settings->threads, (unsigned long long)wanted,
            (unsigned long long)limit.rlim_max);
    return true;
}

/* What a browser sends as its Origin (RFC 6454, 6.2): anything else would never be equal to it, and
 * `*` would let any page act for whoever looks at it. */
static bool s_is_origin(const char *text, size_t size)
{
    const size_t scheme = text_starts(text, "https://") ? 8 : text_starts(text, "http://") ? 7 : 0;
    return scheme && size > scheme &&
           strspn(text + scheme, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") >= size - scheme;
}

static bool s_check_origins(const char *list, char *why, size_t why_size)
{
    while (*(list += strspn(list, " ,"))) {
        const size_t size = strcspn(list, " ,");
        if (!s_is_origin(list, size))
            return s_fail(why, why_size,
                          "edge.cors_origins: '%.*s' is not like 'https://console.example' or "
                          "'http://localhost:3000'; each origin must be named",
                          (int)size, list);
        list += size;
    }
    return true;
}

static bool s_check_settings(const edge_settings_t *settings, char *why, size_t why_size)
{
    struct in_addr address;
    if (settings->tls_certificate[0])
        return s_fail(why, why_size,
                      "edge.tls_certificate: the edge speaks no TLS; put nginx or HAProxy in front "
                      "(deploy/nginx.conf, deploy/haproxy.cfg)");
    if (inet_pton(AF_INET, settings->address, &address) != 1)
        return s_fail(why, why_size, "edge.address: '%s' is not an IPv4 address",
                      settings->address);
    if (!gate_is_in_place())
        return s_fail(why, why_size,
                      "this program was linked without the edge's accept() and recv(): link "
                      "libedge.a into the executable itself");
    return s_check_origins(settings->cors_origins, why, why_size) &&
           s_raise_fd_limit(settings, why, why_size);
}

static bool s_read_networks(networks_t *networks, const char *setting, const char *text, char *why,
                            size_t why_size)
{
    char bad[ADDRESS_TEXT_SIZE + 8];
    if (networks_read(networks, text, bad))
        return true;
    return s_fail(why, why_size,
                  "edge.%s: '%s' is not like '10.0.0.0/8' or '2001:db8::/32', or one "
                  "too many",
                  setting, bad);
}

static void s_init_connections(edge_t *edge)
{
    const edge_settings_t *settings = edge->settings;
    edge->connections = (connections_t){
        .limit = (uint32_t)settings->threads,
        .per_address = (uint32_t)settings->connections_per_address,
        .head_ms = (uint32_t)settings->head_ms,
        .body_ms = (uint32_t)settings->body_ms,
        .guard = { .target_bytes = (size_t)settings->uri_bytes,
                   .headers_bytes = (size_t)settings->headers_bytes },
        .on_bad_head = serve_bad_head,
        .arg = edge,
        .stats = &edge->stats,
    };
    connections_init(&edge->connections);
}

static edge_t *s_make(const edge_config_t *config)
{
    const edge_settings_t *settings = config->settings;
    edge_t *edge = mem_zeroed(sizeof *edge);
    edge->settings = settings;
    edge->version = config->version;
    edge->started_ms = clock_ms();
    edge->boot_ms = (uint64_t)clock_wall_ms();
    edge->listener = -1;
    edge->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    insist(edge->wake_fd >= 0);
    if (config->instance[0])
        snprintf(edge->instance, sizeof edge->instance, "%s", config->instance);
    else
        id_instance("edge", edge->instance);
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
    s_init_connections(edge);
    hub_init(&edge->hub, (uint32_t)(settings->threads * settings->events_percent / 100),
             (uint32_t)settings->events_waiting, &edge->stats);
    failure_t full = { .code = ERROR_OVERLOADED, .retry_after_ms = REFUSE_RETRY_MS };
    respond_without_exchange(&full, &edge->refusal);
    return edge;
}

static void s_free(edge_t **self_p)
{
    edge_t *self = *self_p;
    *self_p = NULL;
    registry_free(&self->registry);
    hub_free(&self->hub);
    probes_free(&self->probes);
    connections_free(&self->connections);
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
    buf_free(&self->refusal);
    close(self->wake_fd);
    mem_free(self);
}

/* civetweb does not say which descriptor it listens on. */
static int s_find_listener(uint16_t port)
{
    for (int fd = 0; fd < CONNECTIONS_FD_MAX; fd++) {
        int listens = 0;
        struct sockaddr_in name = { 0 };
        socklen_t size = sizeof listens, name_size = sizeof name;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&name, &name_size) == 0 &&
            name.sin_family == AF_INET && ntohs(name.sin_port) == port)
            return fd;
    }
    return -1;
}

static bool s_listen(edge_t *edge, char *why, size_t why_size)
{
    const edge_settings_t *settings = edge->settings;
    int64_t room = settings->uri_bytes + settings->headers_bytes + BODY_ROOM;
    int64_t patience = settings->head_ms + settings->body_ms + settings->keep_alive_ms;
    char listen[64], threads[24], buffer[24], patience_ms[24];
    snprintf(listen, sizeof listen, "%s:%" PRId64, settings->address, settings->port);
    snprintf(threads, sizeof threads, "%" PRId64, settings->threads);
    snprintf(buffer, sizeof buffer, "%" PRId64, room);
    snprintf(patience_ms, sizeof patience_ms, "%" PRId64, patience);
    /* clang-format off */
    const char *options[] = {
        "listening_ports", listen,
        "num_threads", threads,
        "connection_queue", threads, /* the table admits no more: accepting never waits */
        "listen_backlog", "1024",
        "max_request_size", buffer,
        "request_timeout_ms", patience_ms, /* both longer than ours: the keeper ends what is late */
        "keep_alive_timeout_ms", patience_ms,
        "enable_keep_alive", "yes",
        "tcp_nodelay", "1",
        "decode_url", "no",                 /* path.c decodes: %2f must not become a slash */
        "access_control_allow_methods", "", /* or civetweb answers preflights with "*" */
        "access_control_allow_origin", "",
        NULL,
    };
    /* clang-format on */
    struct mg_server_port port = { 0 };
    edge->server = mg_start(&s_callbacks, edge, options);
    if (!edge->server)
        return s_fail(why, why_size,
                      "cannot listen on %s with %s threads: is the address taken, or the memory "
                      "short? The log says which",
                      listen, threads);
    insist(mg_get_server_ports(edge->server, 1, &port) == 1);
    edge->port = (uint16_t)port.port;
    edge->listener = s_find_listener(edge->port);
    insist(edge->listener >= 0);
    return true;
}

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
    if (!s_check_settings(config->settings, why, why_size))
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
    if (!s_listen(edge, why, why_size)) {
        edge_stop(&edge);
        return NULL;
    }
    LOG(LOG_INFO, "edge.started", LOG_TEXT("instance", edge->instance),
        LOG_TEXT("address", config->settings->address), LOG_INT("port", edge->port),
        LOG_FLAG("anonymous", config->settings->allow_anonymous));
    return edge;
}

/* ---- leaving -------------------------------------------------------------------------------- */

/* Every connection that had sent something gets its answer, with "Connection: close". */
static void s_drain(edge_t *edge)
{
    edge->is_draining = true;
    connections_drain(&edge->connections);
    /* closes the door without civetweb: connects are refused, and its accept() finds nothing */
    shutdown(edge->listener, SHUT_RD);
    hub_close(&edge->hub);
    connections_wait_empty(&edge->connections, clock_ms() + (uint64_t)edge->settings->drain_ms);
    LOG(LOG_INFO, "edge.drained", LOG_INT("left", connections_live(&edge->connections)));
    connections_end(&edge->connections);
}

void edge_stop(edge_t **self_p)
{
    edge_t *edge = *self_p;
    *self_p = NULL;
    if (!edge)
        return;
    if (edge->server) {
        s_drain(edge);
        mg_stop(edge->server);
        audit_flush(&edge->audit, clock_ms() + AUDIT_FLUSH_MS);
    }
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

stats_t *edge_stats(edge_t *self)
{
    return &self->stats;
}

stats_t *edge_bus_stats(edge_t *self)
{
    return client_stats(self->bus);
}
