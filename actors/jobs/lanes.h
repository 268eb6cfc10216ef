/* SPDX-License-Identifier: MPL-2.0
 *
 * lanes - the queues as the dispatcher sees them: which may hold something to begin, and from where
 *
 * A lane has a mark: what stands before it in the queue has been claimed, and is not walked over
 * again. Whoever adds something says where, so that the mark moves back. As a commit may come late,
 * every second a lane is looked at from its beginning.
 *
 * Pure: time is passed in, the caller locks.
 */
#ifndef SIGNALBOX_JOBS_LANES_H
#define SIGNALBOX_JOBS_LANES_H

#include <uthash.h>

#include "actors/jobs/store.h"
#include "actors/runtime/breaker.h"

#define LANES_SWEEP_MS 1000

typedef struct {
    UT_hash_handle hh;
    bool is_paused, is_pulled, is_limited;
    bool may_have;     /* something to begin */
    bool is_asked;     /* a claim is under way */
    job_mark_t from;   /* where the next claim begins */
    job_mark_t hinted; /* the lowest told of since the last claim began */
    uint64_t sweep_ms; /* when it is looked at from the beginning */
    size_t running;    /* of its jobs, here */
    breaker_t absence; /* whether its service can be asked */
    char name[];
} lane_t;

typedef struct {
    lane_t *table;
} lanes_t;

void lanes_free(lanes_t *self);

/* The lane of a queue, made when it is new; NULL when there are too many. */
lane_t *lanes_find(lanes_t *self, const char *queue);

/* Something was added to the queue at `at`; NULL: anywhere. */
void lanes_hint(lanes_t *self, const char *queue, const job_mark_t *at);

/* Takes over what the table of queues says. */
void lanes_set(lanes_t *self, const job_queues_t *queues);

/* Whether to claim from the lane now, at most `room`, and how. The outcome is reported with
 * `lane_claimed`. */
bool lane_wish(lane_t *self, size_t room, uint64_t now_ms, job_wish_t *wish);

/* How many were begun, and where the last of them stood. */
void lane_claimed(lane_t *self, const job_wish_t *wish, size_t count, const job_mark_t *last,
                  uint64_t now_ms);

/* When a lane wants to be looked at next. */
uint64_t lanes_next_ms(const lanes_t *self);

#endif
