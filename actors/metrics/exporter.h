/* SPDX-License-Identifier: MPL-2.0
 *
 * exporter - carries what is told of the system to somebody outside who collects it
 *
 * Bodies go to one URL, one after the other in their order, through `http.send`: nothing waits for
 * them. What the receiver may take another time (429, 502, 503, 504; nobody there) is tried again
 * with growing pauses, or when it says (Retry-After), until it is EXPORTER_KEEP_MS old; what it
 * refuses is lost, and so is what comes while there is no room. Every item is counted once, as
 * carried or as lost, also when the receiver takes a body but not all of it. What is lost is told
 * in the log at most every EXPORTER_SAY_MS, with the receiver's words.
 *
 * Items of which the loss is no harm: what must arrive is a job (messenger.h).
 */
#ifndef SIGNALBOX_METRICS_EXPORTER_H
#define SIGNALBOX_METRICS_EXPORTER_H

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "proto/client.h"

#define EXPORTER_BODIES_MAX 64        /* that wait, the one under way included */
#define EXPORTER_BYTES_MAX  (8 << 20) /* of all of them */
#define EXPORTER_KEEP_MS    300000
#define EXPORTER_SAY_MS     60000
#define EXPORTER_ANSWER_MAX 4096 /* bytes of an answer that are read; of a longer one, none */
#define EXPORTER_WHY_SIZE   200

typedef struct shipment shipment_t;

typedef struct {
    const char *name; /* in the log */
    const char *url;  /* "": nothing is exported, and nothing counted */
    const char *content_type;
    const char *const *headers; /* "Name: value"; ends with NULL. NULL: none */
    /* How long nothing is to be sent after an answer, in ms, as its header `rest_header` ("": it
     * has none) and its Retry-After say. NULL: as Retry-After says, when it is no success. */
    uint32_t (*rest_ms)(uint32_t status, uint32_t retry_after_ms, const char *header);
    const char *rest_header;
    /* How many items of a body the receiver says that it has not taken, although it took the body,
     * with what it says of it ("": nothing) in `why`. NULL: it takes all or nothing. */
    size_t (*refused)(const void *answer, size_t size, char why[EXPORTER_WHY_SIZE]);
    client_t *client;
    stats_t *stats;
    size_t carried, lost; /* rows of it, that count items */
} exporter_config_t;

typedef struct {
    exporter_config_t config; /* borrowed until the end, with all it points to */
    monitor_t monitor;        /* over the rest */
    shipment_t *list;
    size_t count, bytes;
    uint64_t rest_until_ms;
    bool is_under_way;  /* the first one is */
    uint64_t say_at_ms; /* when more may be said in the log */
    size_t unsaid;      /* items lost that it does not tell of yet */
} exporter_t;

/* `client` and `stats` may come later, before the first body. */
void exporter_init(exporter_t *self, const exporter_config_t *config);

/* When the client is gone. What has not been carried is dropped. */
void exporter_free(exporter_t *self);

/* Whether there is somebody to export to. */
bool exporter_is_on(const exporter_t *self);

/* Takes a body over, which is UTF-8 and holds `items` of whatever is counted. From any thread. */
void exporter_send(exporter_t *self, buf_t *body, size_t items);

/* The periodic work: tries again what is due. */
void exporter_tick(exporter_t *self, uint64_t now_ms);

#endif
