/* SPDX-License-Identifier: MPL-2.0
 *
 * edge - HTTP in, messages out
 *
 * The edge accepts HTTP/1.x on civetweb, learns its routes from the services that run, validates
 * what comes in against their schemas, calls them over the bus, and answers. It knows no service by
 * name. A request's way through the files is told in edge/serve.c.
 *
 * It does not speak TLS or HTTP/2 (nginx or HAProxy in front do: deploy/nginx.conf,
 * deploy/haproxy.cfg), keeps no state that a restart would miss, and serves no files but those of
 * the API page.
 *
 * The program must link edge/gate.c so that its accept() and recv() take libc's place; with the
 * static library that happens by itself, and a start checks it.
 */
#ifndef SIGNALBOX_EDGE_H
#define SIGNALBOX_EDGE_H

#include "actors/base/settings.h"
#include "actors/base/stats.h"
#include "proto/client.h"
#include "proto/descriptor.h"

typedef struct edge edge_t;

typedef struct {
    const char *address;
    int64_t port;
    const char *brokers;
    int64_t threads;
    bool allow_anonymous;
    int64_t uri_bytes, headers_bytes, body_bytes;
    int64_t head_ms, body_ms, write_ms, keep_alive_ms, drain_ms;
    int64_t connections_per_address;
    int64_t gzip_level, gzip_bytes;
    const char *cors_origins, *grants, *required, *web_root;
    int64_t events_percent, events_waiting, events_heartbeat_ms;
    bool limits;
    int64_t lease, degraded_requests, cache_bytes, load_per_processor;
    int64_t slow_ms;
    const char *trusted_proxies, *admin_networks, *upgrade_url;
    const char *tls_certificate;
} edge_settings_t;

extern const setting_t edge_setting_rows[]; /* section "edge" */

typedef struct {
    const edge_settings_t *settings;
    const client_settings_t *bus; /* its `brokers` are the endpoints that trust the edge */
    const char *instance;         /* name of this one; "" makes one */
    const char *version;          /* of the program, for /health and the API document */
} edge_config_t;

/* Starts to listen. NULL with a sentence in `why` when it cannot. The configuration outlives the
 * edge. The context must have room for two sockets and, per broker, two more. */
edge_t *edge_start(void *zmq_context, const edge_config_t *config, char *why, size_t why_size);

/* Leaves in order: the listening socket is closed, idle connections end, every request of which a
 * first byte was read is answered (at most `drain_ms`), streams end, everything is freed. NULL is
 * fine. */
void edge_stop(edge_t **self_p);

/* Waits until a broker answers and has told of an instance of the service, whose routes are bound
 * then; at most `timeout_ms`. */
bool edge_wait_service(edge_t *self, const char *service, uint32_t timeout_ms);

/* Waits until it is known which limits hold, at most `timeout_ms`; at once when limits are off. */
bool edge_wait_limits(edge_t *self, uint32_t timeout_ms);

/* The port it listens on: the system's choice when 0 was set. */
uint16_t edge_port(const edge_t *self);

const char *edge_instance(const edge_t *self);

/* A number that grows at least every bus.snapshot_ms while the edge's own thread runs. */
uint64_t edge_pulse(const edge_t *self);

/* What it counts, and what its bus client counts. */
stats_t *edge_stats(edge_t *self);
stats_t *edge_bus_stats(edge_t *self);

/* Appends the OpenAPI 3.1 document of these services, in the same order and form every time: for
 * the running edge, `signalbox openapi` and docs/openapi.json. */
void edge_write_openapi(const descriptor_t *const *descriptors, size_t count, const char *version,
                        buf_t *out);

#endif
