/* SPDX-License-Identifier: MPL-2.0
 *
 * outbox - events that accounts are told of by webhook, none of them lost
 *
 * An event is stored in the transaction of the change it tells of, and handed to `webhook.publish`
 * after the commit; it is deleted when that was answered. Whatever is left, because somebody was
 * away or died in between, is handed over later, and counts once by its id. Nothing is stored for
 * accounts that want to be told of nothing (wishes.h), and nobody waits for webhooks.
 *
 * The actor's migrations make its table:
 *
 *     CREATE TABLE outbox (id TEXT PRIMARY KEY, account TEXT NOT NULL, type TEXT NOT NULL,
 *         at BIGINT NOT NULL, data TEXT NOT NULL);
 *     CREATE INDEX outbox_by_age ON outbox (at);
 *
 * Where there is no webhook service at all, what nobody took is given up after OUTBOX_DAYS.
 */
#ifndef SIGNALBOX_RUNTIME_OUTBOX_H
#define SIGNALBOX_RUNTIME_OUTBOX_H

#include "actors/runtime/actor.h"
#include "actors/runtime/wishes.h"

#define OUTBOX_DAYS 7

/* Rows of the actor's counters, from `first_stat` on. */
typedef enum { OUTBOX_TOLD, OUTBOX_NOT_TOLD, OUTBOX_GIVEN_UP, OUTBOX_STATS } outbox_stat_t;

#define OUTBOX_STATS_ROWS(first, service)                                                          \
    [(first) +                                                                                     \
        OUTBOX_TOLD] = { service "_outbox_told_total", STATS_COUNTER,                              \
                         "Events handed over to webhooks" },                                       \
        [(first) + OUTBOX_NOT_TOLD] = { service "_outbox_not_told_total", STATS_COUNTER,           \
                                        "Times an event could not be handed over, and waits" },    \
        [(first) + OUTBOX_GIVEN_UP] = { service "_outbox_given_up_total", STATS_COUNTER,           \
                                        "Events given up because no webhook service took them" }

typedef struct {
    const char *id; /* of letters, digits, `-`, `_` and `.`: at most 64 */
    const char *account, *type;
    int64_t at_ms;    /* wall clock */
    const char *data; /* a JSON object */
} outbox_event_t;

typedef struct outbox_sent outbox_sent_t;

typedef struct {
    actor_t *actor;
    size_t first_stat;
    wishes_t wishes;
    pthread_mutex_t mutex; /* over what follows */
    outbox_sent_t *over;   /* to be deleted */
    uint32_t in_flight;
    uint32_t left;   /* of them, those that were left and sent once more */
    uint32_t wait_s; /* until what is left is tried again */
    uint32_t ticks;
} outbox_t;

/* In the actor's `init`; and in its `release`. */
void outbox_init(outbox_t *self, actor_t *actor, size_t first_stat);
void outbox_free(outbox_t *self);

/* In the actor's `connected`. */
void outbox_connected(outbox_t *self);

/* In the actor's `tick`, each second: deletes what was taken, hands over what was left. */
void outbox_tick(outbox_t *self);

/* Whether the account may want to be told of such events. */
bool outbox_wants(outbox_t *self, const char *account, const char *type);

/* Stores an event, in the transaction of the change. */
db_status_t outbox_add(db_conn_t *conn, const outbox_event_t *event) MUST_CHECK;

/* Hands an event over, after the commit. Returns at once; what is not taken stays for the tick. */
void outbox_send(outbox_t *self, const outbox_event_t *event);

#endif
