/* SPDX-License-Identifier: MPL-2.0
 *
 * window - when how much was used: the sliding log of one subject under one policy
 *
 * A log is a list of runs, each "so much at this millisecond", oldest first. What was used at `at`
 * counts until `at` + window, that millisecond included: the clock's milliseconds are truncated, so
 * that anything shorter would let two uses into one window that lie less than it apart. No window
 * of the length, wherever it begins, then holds more than what was admitted at once.
 *
 * A run may be dated later than the use it stands for, never earlier: it counts longer then. That
 * is how a log for a large limit stays small (sub-buckets dated at their ends), and how a lease is
 * counted (dated at its end, since it may be used that late).
 *
 * Pure; time is passed in. A zeroed window_t is a valid empty one.
 */
#ifndef SIGNALBOX_LIMITER_WINDOW_H
#define SIGNALBOX_LIMITER_WINDOW_H

#include "actors/base/base.h"

#define WINDOW_EXACT_MAX 1000 /* limits up to this are kept by the millisecond */
#define WINDOW_BUCKETS   256  /* of one window, above it */
#define WINDOW_RUNS_MAX  2048 /* what merging logs may come to; then the oldest are put together */

typedef uint64_t run_t; /* at << 20 | amount: runs sort by their time */

#define RUN_AMOUNT_MAX 0xfffffu

static inline run_t run_make(int64_t at_ms, uint32_t amount)
{
    return (uint64_t)at_ms << 20 | (amount < RUN_AMOUNT_MAX ? amount : RUN_AMOUNT_MAX);
}

static inline int64_t run_at(run_t run)
{
    return (int64_t)(run >> 20);
}

static inline uint32_t run_amount(run_t run)
{
    return (uint32_t)(run & RUN_AMOUNT_MAX);
}

typedef struct {
    run_t *runs;   /* `count` of them from `head` on */
    uint16_t head; /* runs in front that have been dropped */
    uint16_t count;
    uint16_t capacity;
    uint32_t total; /* of all amounts */
} window_t;

void window_free(window_t *self);

/* Milliseconds of a bucket for such a policy, 1 where every millisecond counts for itself. */
int64_t window_grain(uint32_t limit, int64_t window_ms);

/* The time a use at `at_ms` is dated: the end of its bucket. */
int64_t window_date(int64_t at_ms, int64_t grain_ms);

/* Drops what no longer counts. */
void window_expire(window_t *self, int64_t now_ms, int64_t window_ms);

/* Adds to the run of that time. */
void window_add(window_t *self, int64_t at_ms, uint32_t amount);

/* Takes away from the run of that time; returns how much there was to take. */
uint32_t window_remove(window_t *self, int64_t at_ms, uint32_t amount);

/* The amount of the run of that time. */
uint32_t window_amount(const window_t *self, int64_t at_ms);

/* Sets the run of that time: to what the owner says, or to the larger of the two when it is not
 * sure which log is newer. */
void window_set(window_t *self, int64_t at_ms, uint32_t amount);
void window_raise(window_t *self, int64_t at_ms, uint32_t amount);

/* The time of the run that holds the `n`th oldest use: when it is gone, `n` are. `n` is at least 1;
 * behind the last it is the last. */
int64_t window_time_of(const window_t *self, uint32_t n);

static inline const run_t *window_runs(const window_t *self)
{
    return self->runs + self->head;
}

static inline size_t window_bytes(const window_t *self)
{
    return self->capacity * sizeof *self->runs;
}

#endif
