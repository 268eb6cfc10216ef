/* SPDX-License-Identifier: MPL-2.0
 *
 * broker - routes requests to services and events to subscribers
 *
 * One thread owns one ROUTER for everybody, one ROUTER that alone may assert principals (the
 * edge's), and one XPUB for events. It speaks three dialects (native, MDP/0.1, MDP/0.2) and bridges
 * them. It knows services, instances and credit; it never looks into a body. Nothing in it blocks,
 * every queue is bounded, and every message that is not delivered is counted under its reason.
 *
 * docs/protocol.md describes the wire; the counters below are the list of what can happen to a
 * request.
 */
#ifndef SIGNALBOX_BROKER_H
#define SIGNALBOX_BROKER_H

#include "actors/base/settings.h"
#include "actors/base/stats.h"

typedef struct broker broker_t;

typedef struct {
    const char *name;         /* "" makes one */
    const char *requests;     /* endpoints for everybody, separated by commas */
    const char *trusted;      /* endpoints whose peers may assert a principal */
    const char *events;       /* endpoints of the XPUB */
    bool insecure;            /* tcp:// without encryption is accepted */
    int64_t heartbeat_ms;     /* between beats, both ways; four missed ones are a loss */
    int64_t probe_ms;         /* between beats to a busy instance */
    int64_t mdp_heartbeat_ms; /* what MDP workers were set to; zguide's is 2500 */
    int64_t mdp_credit;       /* requests an MDP/0.2 worker is given at once */
    int64_t deadline_ms;      /* of a request that names none and whose method names none */
    int64_t message_bytes;    /* of one message, all frames together */
    int64_t peers, services, instances; /* at most; instances of one service */
    int64_t pending;                    /* requests in the broker at once */
    int64_t outstanding;                /* of them, of one client */
    int64_t queue_length, queue_bytes;  /* waiting for one service */
    int64_t retained, retained_bytes;   /* topics that keep a last value */
    int64_t snapshot_ms;                /* between two tellings of the counters */
} broker_settings_t;

extern const setting_t broker_setting_rows[]; /* section "broker" */

typedef enum {
    /* every request ends in exactly one of the counters from ANSWERED to CLIENT_GONE */
    BROKER_REQUESTS,
    BROKER_ANSWERED,
    BROKER_FAILED, /* by the service's own ERROR */
    BROKER_NO_SERVICE,
    BROKER_NO_METHOD,
    BROKER_FORBIDDEN,
    BROKER_BAD_REQUEST,
    BROKER_QUEUE_FULL,
    BROKER_WORKER_LOST,
    BROKER_NO_INSTANCE,
    BROKER_DEADLINE,
    BROKER_OVERLOADED, /* too many requests of the client, or in the broker */
    BROKER_CANCELLED,
    BROKER_CLIENT_GONE, /* before or while its answer was sent */
    /* the rest counts messages */
    BROKER_PARTIALS,
    BROKER_PARTIAL_DROPS, /* to MDP/0.1 clients, which know no parts */
    BROKER_RESENT,
    BROKER_LATE_ANSWERS, /* to requests that were ended already */
    BROKER_UNKNOWN_ANSWERS,
    BROKER_BAD_MESSAGES,
    BROKER_TOO_LARGE,
    BROKER_UNKNOWN_PEERS,    /* workers' messages from peers that are not registered */
    BROKER_OVERLOADED_PEERS, /* messages of peers beyond the limit, or that are being forgotten */
    BROKER_REFUSED_READY,
    BROKER_BLOCKED_SENDS, /* the peer takes nothing more: its queue is full */
    BROKER_PRINCIPALS_REMOVED,
    BROKER_BEATS_MISSED,
    BROKER_WORKERS_LOST,
    BROKER_EVENTS,
    BROKER_EVENT_DROPS,
    BROKER_RETAINED_DROPS,
    /* gauges */
    BROKER_PEERS,
    BROKER_SERVICES,
    BROKER_INSTANCES,
    BROKER_PENDING,
    BROKER_QUEUED,
    BROKER_RETAINED,
    BROKER_ROUTE_TIME,
    /* gauges of each service */
    BROKER_DEPTH,
    BROKER_CREDIT,
    BROKER_LIVE,
    BROKER_STATS
} broker_stat_t;

/* Binds its endpoints and starts its thread. NULL with a sentence in `why` when an endpoint cannot
 * be bound, or is tcp:// without `insecure`. The settings are borrowed until the end. */
broker_t *broker_start(void *zmq_context, const broker_settings_t *settings, char *why,
                       size_t why_size);

/* Answers what waits with UNAVAILABLE, tells everybody good-bye, stops the thread. */
void broker_stop(broker_t **self_p);

const char *broker_name(const broker_t *self);
stats_t *broker_stats(broker_t *self);

/* A number that grows at least every snapshot_ms while the broker's thread runs. */
uint64_t broker_pulse(const broker_t *self);

#endif
