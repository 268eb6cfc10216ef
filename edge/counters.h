/* SPDX-License-Identifier: MPL-2.0
 *
 * counters - what the edge counts, and tells: every refusal and every drop has a row
 */
#ifndef SIGNALBOX_EDGE_COUNTERS_H
#define SIGNALBOX_EDGE_COUNTERS_H

#include "actors/base/stats.h"
#include "proto/error.h"
#include "proto/snapshot.h"

typedef struct edge edge_t;

typedef enum {
    COUNT_CONNECTIONS,
    COUNT_CONNECTIONS_LIVE,
    COUNT_REFUSED_FULL,
    COUNT_REFUSED_ADDRESS,
    COUNT_REFUSED_DRAINING,
    COUNT_ACCEPT_FAILURES,
    COUNT_SHUT_IDLE,
    COUNT_SHUT_SLOW,
    COUNT_LATE_HEADS,
    COUNT_LATE_BODIES,
    COUNT_WRITE_FAILURES,
    COUNT_BAD_HEADS,
    COUNT_PARSER_REFUSALS,
    COUNT_REQUESTS,
    COUNT_REQUEST_TIME,
    COUNT_SLOW,
    COUNT_IN_FLIGHT,
    COUNT_BYTES_IN,
    COUNT_BYTES_OUT,
    COUNT_BAD_REPLIES,
    COUNT_REGISTRY_EVENTS,
    COUNT_REGISTRY_BAD,
    COUNT_REGISTRY_DROPS,
    COUNT_DESCRIPTORS_REFUSED,
    COUNT_SCHEMA_CONFLICTS,
    COUNT_ROUTES_REFUSED,
    COUNT_ROUTES,
    COUNT_STREAMS,
    COUNT_STREAMS_REFUSED,
    COUNT_STREAM_EVENTS,
    COUNT_STREAM_DROPS,
    COUNT_LIMITS_ASKED,
    COUNT_LIMITS_REFUNDS,
    COUNT_LIMITS_REFUSED,
    COUNT_LIMITS_DEGRADED,
    COUNT_CACHE_COPIES,
    COUNT_CACHE_HITS,
    COUNT_CACHE_STALE,
    COUNT_CACHE_MISSES,
    COUNT_IDENTITIES_ASKED,
    COUNT_IDENTITIES_CLEARED,
    COUNT_CREDENTIALS_REFUSED,
    COUNT_AUDIT_WAITING,
    COUNT_AUDIT_LOST,
    COUNT_PROBLEMS, /* the first of ERROR_COUNT rows, one for each code; that of ERROR_NONE stays 0
                     */
    COUNT_ROWS = COUNT_PROBLEMS + ERROR_COUNT
} counter_t;

extern const stats_row_t counter_rows[];

/* All that this edge counts now. */
snapshot_t counters_snapshot(edge_t *edge);

/* Publishes it when it is time to; once more at the end. */
void counters_tick(edge_t *edge, uint64_t now_ms);
void counters_end(edge_t *edge);

#endif
