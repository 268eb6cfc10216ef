/* SPDX-License-Identifier: MPL-2.0
 *
 * state - what makes an edge; private to the files of this folder
 */
#ifndef SIGNALBOX_EDGE_STATE_H
#define SIGNALBOX_EDGE_STATE_H

#include <civetweb.h>

#include "actors/base/id.h"
#include "edge/address.h"
#include "edge/audit.h"
#include "edge/authority.h"
#include "edge/counters.h"
#include "edge/edge.h"
#include "edge/exchange.h"
#include "edge/flags.h"
#include "edge/gate.h"
#include "edge/gzip.h"
#include "edge/limits.h"
#include "edge/probe.h"
#include "edge/registry.h"
#include "edge/stream.h"

struct edge {
    const edge_settings_t *settings;
    const char *version;
    char instance[ID_INSTANCE_SIZE];
    uint64_t started_ms, boot_ms; /* by the monotonic clock, and by the wall clock */
    stats_t stats;
    grants_t grants;
    networks_t trusted; /* proxies */
    networks_t admins;  /* where administrators may be */
    authority_t authority;
    limits_t limits;
    cached_t cached;
    audit_t audit;
    flags_t flags;
    identity_t *anonymous; /* let in without signing in, as an account */
    identity_t *stranger;  /* the same, where that is not done: gets what is public */
    gzip_t gzip;
    connections_t connections;
    linger_t linger;
    gate_t gate;
    exchange_pool_t exchanges;
    registry_t registry;
    hub_t hub; /* of event streams */
    probes_t probes;
    client_t *bus;
    const client_settings_t *bus_settings;
    _Atomic uint64_t snapshots; /* of the counters, published */
    uint64_t counted_ms;        /* when the last one was */
    buf_t refusal;              /* the complete answer to a connection that is not admitted */
    struct mg_context *server;
    int listener; /* civetweb's socket */
    uint16_t port;
    int wake_fd; /* eventfd: the keeper has something to do */
    pthread_t keeper;
    _Atomic bool is_draining, keeper_ends;
};

#endif
