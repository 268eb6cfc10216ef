/* SPDX-License-Identifier: MPL-2.0
 *
 * messenger - carries alerts to a webhook
 *
 * Each message is enqueued as a job (`webhook.deliver`), which outlives us and is tried again until
 * the receiver takes it; while there is no service `jobs`, the service `webhook` is called
 * directly, and we try again. Nothing waits for it. What cannot be carried in MESSENGER_TRIES
 * tries, or is more than MESSENGER_MAX, is dropped and counted; an alert that still fires is told
 * again anyway.
 */
#ifndef SIGNALBOX_METRICS_MESSENGER_H
#define SIGNALBOX_METRICS_MESSENGER_H

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "proto/client.h"

#define MESSENGER_MAX      100
#define MESSENGER_TRIES    30
#define MESSENGER_PAUSE_MS 2000 /* after a failure; doubles, to at most a minute */

typedef struct message message_t;

typedef struct {
    const char *url, *secret; /* "": none */
    client_t *client;
    stats_t *stats;
    size_t carried, dropped; /* rows of it */
    monitor_t monitor;       /* over the rest */
    message_t *list;
    size_t count;
} messenger_t;

void messenger_init(messenger_t *self, const char *url, const char *secret);
void messenger_free(messenger_t *self);

/* Takes a message: `id` is the same when it is told again, `data` packed msgpack. */
void messenger_tell(messenger_t *self, const char *id, const char *type, const buf_t *data);

/* The periodic work: sends what is due. */
void messenger_tick(messenger_t *self, uint64_t now_ms);

#endif
