/* SPDX-License-Identifier: MPL-2.0
 *
 * audit - what administrators did, and what else is sensitive, goes into auth's audit log
 *
 * An action is recorded when its service has answered and before the caller is: whoever reads that
 * a limit was changed finds it in the log. Auth records what itself does in the transaction that
 * does it, so only the actions of other services are told to it. While it cannot be told, entries
 * wait here, AUDIT_WAITING_MAX at most, and are sent again until it takes them; each has an id by
 * which auth knows an entry that it has already got. What is lost (too many wait, auth will never
 * take one, or this process ends) is counted, and stands in this process's log, as all do.
 *
 * The topic `audit` has all of them at once, for whoever watches.
 */
#ifndef SIGNALBOX_EDGE_AUDIT_H
#define SIGNALBOX_EDGE_AUDIT_H

#include "actors/base/buf.h"
#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "edge/inquiry.h"

#define AUDIT_WAITING_MAX 1000

typedef struct exchange exchange_t;

typedef struct {
    inquiry_t auth;
    stats_t *stats;
    monitor_t monitor; /* over what follows; woken when nothing waits any more */
    buf_t *waiting;    /* a ring of entries as auth takes them */
    uint32_t first, count;
    bool is_sending; /* the first one is under way */
    uint64_t next_ms;
} audit_t;

void audit_init(audit_t *self, stats_t *stats);

/* The bus is gone. */
void audit_free(audit_t *self);

/* Before the first request: the bus on which auth is. */
void audit_connect(audit_t *self, client_t *bus);

/* Records the exchange's request, which its service has answered with this status, if it is one to
 * be recorded. */
void audit_record(exchange_t *exchange, unsigned status);

/* The same for one that the caller may not make: only this process's log and the topic are told, or
 * anybody could fill the audit log. */
void audit_refused(exchange_t *exchange);

/* The periodic work: sends again what waits. */
void audit_tick(audit_t *self, uint64_t now_ms);

/* Waits until nothing waits any more, at most until `until_ms`; ticks go on meanwhile. */
void audit_flush(audit_t *self, uint64_t until_ms);

#endif
