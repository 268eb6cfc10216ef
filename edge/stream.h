/* SPDX-License-Identifier: MPL-2.0
 *
 * stream - events of the bus for HTTP clients: server-sent events (HTML, 9.2)
 *
 * Each stream holds a thread, so there may only be a share of them. An event is written out once
 * and shared; each stream has a bounded queue, what does not fit is dropped and counted, and the
 * client is told how many events it missed. Silence is broken by comments. Streams end when the
 * edge drains.
 *
 * Who sees what is a table: by topic, and for some topics only what happened in the caller's own
 * account (the event's field `account`).
 */
#ifndef SIGNALBOX_EDGE_STREAM_H
#define SIGNALBOX_EDGE_STREAM_H

#include <pthread.h>

#include "proto/client.h"

typedef struct exchange exchange_t;
typedef struct stream stream_t;

typedef struct {
    uint32_t limit;   /* streams at once */
    uint32_t waiting; /* events that may wait for one */
    stats_t *stats;

    pthread_mutex_t mutex; /* over the rest */
    stream_t *streams;
    uint32_t count;
    bool is_closed;
} hub_t;

void hub_init(hub_t *self, uint32_t limit, uint32_t waiting, stats_t *stats);
void hub_free(hub_t *self);

/* Subscribes to every topic that a stream may have. */
void hub_subscribe(hub_t *self, client_t *bus);

/* Ends all streams, and admits no more. */
void hub_close(hub_t *self);

/* GET /v1/events: `topic` may be repeated and names prefixes. Returns when the stream has ended. */
void stream_serve(exchange_t *exchange);

#endif
