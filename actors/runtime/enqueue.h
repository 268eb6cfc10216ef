/* SPDX-License-Identifier: MPL-2.0
 *
 * enqueue - hands work over to the jobs service, which does it at least once
 *
 * For the relays of outboxes. Whoever must do something after a change stores that in the
 * transaction of the change; a relay hands it over by its id, and forgets it, or marks it, when
 * that was answered. What it hands over twice, because the answer was lost, is one job: the id is
 * the unique key. The payload is best the id alone, so that nothing secret lies among the jobs.
 */
#ifndef SIGNALBOX_RUNTIME_ENQUEUE_H
#define SIGNALBOX_RUNTIME_ENQUEUE_H

#include "actors/runtime/actor.h"

#define ENQUEUE_MAX 100 /* jobs of one request */

typedef struct {
    const char *kind;       /* "service.method", which is called without anybody's name */
    const char *unique_key; /* while a job with it lives, there is no second one */
    const char *field, *id; /* the payload's one member; or else: */
    const buf_t *payload;   /* a map in msgpack, of what comes from outside and is no secret */
    int64_t max_attempts, backoff_ms, timeout_ms; /* 0: as jobs have it */
} enqueue_t;

/* At most ENQUEUE_MAX; all of them, or none. Waits for the answer: ERROR_NONE when they are on
 * disk; ERROR_NO_SERVICE where there is no jobs service, and the work has to wait for one. */
error_code_t enqueue_jobs(actor_t *actor, const enqueue_t *jobs, size_t count);

/* Packs the pair `as` of `jobs.enqueue_as` and `jobs.enqueue_family_as`: in whose name a job is
 * run. A service's own jobs have none. */
void enqueue_pack_as(pack_t *pack, const principal_t *who);

#endif
