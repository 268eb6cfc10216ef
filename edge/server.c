/* SPDX-License-Identifier: MPL-2.0
 *
 * server - civetweb: how it is started, what it calls, and what stands between it and its sockets
 */
#include "config.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "actors/base/log.h"
#include "edge/respond.h"
#include "edge/serve.h"
#include "edge/server.h"
#include "edge/settings.h"
#include "edge/state.h"

#define BODY_ROOM       4096 /* of civetweb's buffer: bodies that come with their head */
#define OTHER_FDS       128  /* descriptors beside one for each connection: bus, logs, files */
#define REFUSE_RETRY_MS 1000

/* ---- civetweb's callbacks ------------------------------------------------------------------- */

static void *s_on_thread(const struct mg_context *server, int type)
{
    edge_t *edge = mg_get_user_data(server);
    log_set_part("edge");
    if (type == 0)
        gate_enter_acceptor(&edge->gate);
    else if (type == 1)
        gate_enter_worker(&edge->gate);
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

void server_init(edge_t *edge)
{
    const edge_settings_t *settings = edge->settings;
    const failure_t full = { .code = ERROR_OVERLOADED, .retry_after_ms = REFUSE_RETRY_MS };
    respond_without_exchange(&full, &edge->refusal);
    edge->listener = -1;
    edge->connections = (connections_t){
        .limit = (uint32_t)settings->threads,
        .per_address = (uint32_t)settings->connections_per_address,
        .stats = &edge->stats,
        .rules = { .head_ms = (uint32_t)settings->head_ms,
                   .guard = { .target_bytes = (size_t)settings->uri_bytes,
                              .headers_bytes = (size_t)settings->headers_bytes } },
    };
    edge->gate = (gate_t){ .table = &edge->connections,
                           .linger = &edge->linger,
                           .refusal = &edge->refusal,
                           .on_bad_head = serve_bad_head,
                           .arg = edge };
    linger_init(&edge->linger);
    connections_init(&edge->connections);
}

void server_free(edge_t *edge)
{
    connections_free(&edge->connections);
    linger_free(&edge->linger);
    buf_free(&edge->refusal);
}

/* An open connection is a descriptor; the soft limit of a login is often 1024. */
static bool s_raise_fd_limit(const edge_settings_t *settings, char *why, size_t why_size)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->threads + LINGER_MAX + OTHER_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        return edge_refuse(
            why, why_size,
            "edge.threads: %lld threads need %llu open files, and %llu are allowed; raise "
            "the limit (ulimit -n) or lower the setting",
            (long long)settings->threads, (unsigned long long)wanted,
            (unsigned long long)limit.rlim_max);
    return true;
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

bool server_start(edge_t *edge, char *why, size_t why_size)
{
    const edge_settings_t *settings = edge->settings;
    if (!gate_is_in_place())
        return edge_refuse(why, why_size,
                           "this program was linked without the edge's accept() and recv(): link "
                           "libedge.a into the executable itself");
    if (!s_raise_fd_limit(settings, why, why_size))
        return false;
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
        return edge_refuse(
            why, why_size,
            "cannot listen on %s with %s threads: is the address taken, or the memory "
            "short? The log says which",
            listen, threads);
    insist(mg_get_server_ports(edge->server, 1, &port) == 1);
    edge->port = (uint16_t)port.port;
    edge->listener = s_find_listener(edge->port);
    insist(edge->listener >= 0);
    return true;
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

void server_stop(edge_t *edge)
{
    if (!edge->server)
        return;
    s_drain(edge);
    mg_stop(edge->server);
}
