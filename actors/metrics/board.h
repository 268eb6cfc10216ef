/* SPDX-License-Identifier: MPL-2.0
 *
 * board - the last word of every instance
 *
 * Takes snapshots as they come over the bus: late, twice, or not at all. Since they are cumulative,
 * the newest one is all that counts. An older one is dropped, a gap is counted, and a new boot is
 * another life of the instance: what it counts begins at nothing, as Prometheus expects.
 *
 * An instance that misses BOARD_MISSED snapshots is down; it is told as such, and its counters stay
 * as they were, until it is forgotten: alerts need somebody to fire for, and sums should not jump.
 * One that said good-bye is not down; its counters stay as long.
 *
 * Not for several threads. Time is passed in, from the monotonic clock.
 */
#ifndef SIGNALBOX_METRICS_BOARD_H
#define SIGNALBOX_METRICS_BOARD_H

#include <uthash.h>

#include "proto/exposition.h"

#define BOARD_INSTANCES_MAX 1000
#define BOARD_BYTES_MAX     ((size_t)256 << 20) /* of all their snapshots */
#define BOARD_MISSED        3                   /* snapshots */

/* One instance. */
typedef struct {
    UT_hash_handle hh;
    view_t *now;                         /* its last snapshot */
    view_t *before;                      /* the one before, of the same boot, or NULL */
    int64_t now_wall_ms, before_wall_ms; /* when it made them, by its own clock */
    uint64_t heard_ms;
    uint32_t restarts; /* since it was first heard of */
    bool is_up;
    char key[]; /* part, a slash, instance */
} member_t;

typedef struct {
    member_t *members;
    size_t bytes;     /* of the members' snapshots */
    uint64_t keep_ms; /* how long what is silent is kept */
} board_t;

typedef enum {
    BOARD_TAKEN,
    BOARD_GAP,   /* taken; `*missed` snapshots before it did not arrive */
    BOARD_RESET, /* taken; the instance has started anew, having left before */
    BOARD_CRASH, /* taken; it has started anew, not having said that it leaves */
    BOARD_OLD,   /* not news: dropped */
    BOARD_FULL,  /* too many instances, or bytes: dropped */
} board_verdict_t;

void board_init(board_t *self, uint64_t keep_ms);
void board_free(board_t *self);

/* Takes over the view, and drops it when it is no news. `wall_ms` is its publisher's time. */
board_verdict_t board_take(board_t *self, view_t **view_p, int64_t wall_ms, uint64_t now_ms,
                           uint64_t *missed);

/* Sees who is down and forgets who has been silent too long; returns how many fell silent now. */
size_t board_tick(board_t *self, uint64_t now_ms);

/* All instances, with references to their views, to be given back with `board_give_back`. */
exposition_source_t *board_sources(const board_t *self, size_t *count);
void board_give_back(exposition_source_t *sources, size_t count);

#endif
