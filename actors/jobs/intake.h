/* SPDX-License-Identifier: MPL-2.0
 *
 * intake - the thread that puts jobs into the database
 *
 * Requests to enqueue wait here, and whatever has arrived during a commit is the next transaction:
 * many callers share the price of one, and nobody waits for a timer. A call is answered when its
 * jobs are on disk, and not before.
 *
 * A request with an idempotency key is answered as the first one with that key was, byte for byte,
 * and its answer is kept in the transaction that stores its jobs. While the first one is under way
 * here, others are refused.
 */
#ifndef SIGNALBOX_JOBS_INTAKE_H
#define SIGNALBOX_JOBS_INTAKE_H

#include "actors/base/queue.h"
#include "actors/jobs/store.h"
#include "actors/runtime/actor.h"

#define INTAKE_WAITING_MAX 8192 /* requests */

typedef struct intake intake_t;

/* How jobs belong together, and so how they are answered. */
typedef enum {
    INTAKE_ONE,
    INTAKE_LIST,
    INTAKE_FAMILY, /* the first one waits for the others */
} intake_form_t;

/* A request to enqueue; in its call's arena, whose call it ends. */
typedef struct {
    queue_item_t item;
    call_t *call;
    job_new_t *jobs;
    size_t count;
    job_receipt_t *receipts; /* room for all */
    intake_form_t form;
    bool needs_children;           /* of a family: the first one dies with any of the others */
    const char *key;               /* idempotency key; NULL: none */
    const char *account;           /* whose key it is */
    uint8_t hash[JOBS_HASH_BYTES]; /* of the request, when there is a key */
    uint16_t repeated_status;      /* of an answer that was given before; 0: the method's own */
    /* the intake's own */
    bool is_repeated; /* the answer was given before; nothing was done */
    bool is_other;    /* the key is another request's */
    job_bytes_t reply;
    db_status_t status;
} intake_request_t;

/* How many of its jobs have a receipt: a family whose parent is a duplicate was not enqueued. */
size_t intake_receipts(const intake_request_t *request);

/* Told of requests after their commit and before their answer, on the intake's thread. */
typedef void (*intake_stored_t)(void *arg, const intake_request_t *request);

intake_t *intake_new(actor_t *actor, intake_stored_t on_stored, void *arg);

/* All requests have been answered. */
void intake_destroy(intake_t **self_p);

/* Takes over the call; answers it at once when too many wait. */
void intake_add(intake_t *self, intake_request_t *request);

#endif
