/* SPDX-License-Identifier: MPL-2.0
 *
 * lanes - the queues as the dispatcher sees them: which may hold something to begin, and from where
 *
 * A lane has a mark for each priority: what stands before it has been claimed, and is not walked
 * over again. The remains of what was claimed stay in the database's index until they are vacuumed,
 * which may be long after: an old snapshot that somebody holds keeps all of them. Whoever adds
 * something says where, so that the mark moves back.
 *
 * As a hint may be lost, a lane is swept from its beginning every second, or less often when that
 * takes long.
 *
 * Pure: time is passed in, the caller locks.
 */
#ifndef SIGNALBOX_JOBS_LANES_H
#define SIGNALBOX_JOBS_LANES_H

#include <uthash.h>

#include "actors/jobs/store.h"
#include "actors/runtime/breaker.h"

#define LANES_SWEEP_MS      1000  /* between two sweeps of a lane, */
#define LANES_SWEEP_SHARE   20    /* or so many times what a claim of the sweep took, */
#define LANES_SWEEP_MOST_MS 60000 /* but no longer */

/* Jobs of one priority. */
typedef struct {
    bool may_have;  /* something to begin */
    int64_t from;   /* there or behind */
    int64_t hinted; /* the lowest told of since the last claim began */
} step_t;

typedef struct {
    UT_hash_handle hh;
    bool is_paused, is_pulled, is_limited, has_rate;
    const struct target *short_of; /* the service that takes no more of its jobs; NULL: none */
    step_t steps[JOBS_PRIORITIES];
    bool is_sweeping;  /* the sweep has more before it: */
    job_mark_t swept;  /* how far it has come */
    uint64_t sweep_ms; /* when the next one begins; 0: at once */
    uint64_t asked_ms; /* when the last claim was made */
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

/* Has the others go first when lanes are asked in their order: what they run together has a bound,
 * and whoever was served would be served again before all others. */
void lanes_put_last(lanes_t *self, lane_t *lane);

/* Something was added to the queue at `at`; NULL: anywhere. */
void lanes_hint(lanes_t *self, const char *queue, const job_mark_t *at);

/* Takes over what the table of queues says; whether from one of them nothing more is to be begun
 * here. */
bool lanes_set(lanes_t *self, const job_queues_t *queues);

/* Whether the lane may hold something that was not asked for yet. */
bool lane_has(const lane_t *self);

/* Whether to claim from the lane now, at most `room`, and how. The outcome is reported with
 * `lane_claimed`. */
bool lane_wish(lane_t *self, size_t room, uint64_t now_ms, job_wish_t *wish);

/* How many were begun, and where the last of them stood. */
void lane_claimed(lane_t *self, const job_wish_t *wish, size_t count, const job_mark_t *last,
                  uint64_t now_ms);

/* When a lane wants to be looked at next. */
uint64_t lanes_next_ms(const lanes_t *self);

#endif
