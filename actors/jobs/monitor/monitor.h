/* SPDX-License-Identifier: MPL-2.0
 *
 * monitor - the actor that looks whether others answer
 *
 * Promises: a monitor that is due is looked at once, however many instances there are (taking it
 * and saying when it is due again is one statement); a change of its status is stored together with
 * the look that made it and with the event that tells of it (actors/runtime/outbox.h).
 *
 * Threads: handlers run on the pool, transfers end on the thread that carries them and what is to
 * be stored of them goes back to the pool. The tick sends a call of `monitor_run` for each monitor
 * that is due: the broker gives it to whichever instance has least to do.
 */
#ifndef SIGNALBOX_MONITOR_ACTOR_H
#define SIGNALBOX_MONITOR_ACTOR_H

#include "actors/jobs/monitor/store.h"
#include "actors/jobs/outbound/outlet.h"
#include "actors/runtime/erasures.h"
#include "actors/runtime/outbox.h"
#include "actors/runtime/page.h"
#include "proto/http.h"

typedef struct {
    int64_t retention_days;
    const char *collectors; /* "host:port", separated by spaces or commas */
} monitor_settings_t;

extern monitor_settings_t monitor_settings;

typedef enum {
    HTTP_CHECKS_UP = OUTBOUND_STATS,
    HTTP_CHECKS_DOWN,
    HTTP_CHANGES,
    HTTP_NOT_LOOKED,
    HTTP_OUTBOX,
    HTTP_STATS = HTTP_OUTBOX + OUTBOX_STATS
} http_stat_t;

typedef struct {
    outlet_t outlet; /* first */
    db_t *db;
    erasures_t erasures;
    outbox_t outbox;
    uint32_t ticks;
    int64_t clock_ms; /* the wall clock when it was last looked at; 0: not yet */
} watcher_t;

/* ---- on_check.c -------------------------------------------------------------------------- */

/* The field `expect` as JSON in the arena; "{}" when it is missing. */
const char *http_expect_json(call_t *call);

/* Counts what a check has found. */
void http_count_check(call_t *call, const check_result_t *result);

/* ---- on_monitors.c ----------------------------------------------------------------------- */

const char *http_account(const call_t *call);
bool http_require_ok(call_t *call, db_status_t status) MUST_CHECK;
db_conn_t *http_require_conn(call_t *call);

/* The monitor that the field `id` names; NULL: the call has been failed. */
const monitored_t *http_require_monitor(call_t *call);

#define MONITOR_PAIRS 15
void http_write_monitor(pack_t *pack, const monitored_t *monitor);

/* ---- handlers ---------------------------------------------------------------------------- */

void http_on_check(call_t *call, void *self);
void http_on_send(call_t *call, void *self);
void http_on_fetch(call_t *call, void *self);
void http_on_breakers(call_t *call, void *self);
void http_on_breaker_set(call_t *call, void *self);
void http_on_monitor_create(call_t *call, void *self);
void http_on_monitors(call_t *call, void *self);
void http_on_monitor(call_t *call, void *self);
void http_on_monitor_update(call_t *call, void *self);
void http_on_monitor_delete(call_t *call, void *self);
void http_on_monitor_checks(call_t *call, void *self);
void http_on_monitor_run(call_t *call, void *self);

extern const actor_spec_t http_actor;

#endif
