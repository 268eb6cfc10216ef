/* SPDX-License-Identifier: MPL-2.0
 *
 * intake - the thread that puts jobs into the database
 *
 * Requests to enqueue wait here, and whatever has arrived during a commit is the next transaction:
 * many callers share the price of one, and nobody waits for a timer. A call is answered when its
 * jobs are on disk, and not before.
 */
#ifndef SIGNALBOX_JOBS_INTAKE_H
#define SIGNALBOX_JOBS_INTAKE_H

#include "actors/base/queue.h"
#include "actors/jobs/store.h"
#include "actors/runtime/actor.h"

#define INTAKE_WAITING_MAX 8192 /* requests */

typedef struct intake intake_t;

/* A request to enqueue; in its call's arena, whose call it ends. */
typedef struct {
    queue_item_t item;
    call_t *call;
    job_new_t *jobs;
    size_t count;
    job_receipt_t *receipts; /* room for all */
    bool is_single;          /* answered with one receipt instead of a list */
    db_status_t status;
} intake_request_t;

/* Told of requests after their commit and before their answer, on the intake's thread. */
typedef void (*intake_stored_t)(void *arg, const intake_request_t *request);

intake_t *intake_new(actor_t *actor, intake_stored_t on_stored, void *arg);

/* All requests have been answered. */
void intake_destroy(intake_t **self_p);

/* Takes over the call; answers it at once when too many wait. */
void intake_add(intake_t *self, intake_request_t *request);

#endif
