/* SPDX-License-Identifier: MPL-2.0
 *
 * work - where one analysis takes its memory from, and how much it has done
 *
 * The steps are counted so that a test can prove the work linear by counting instead of by looking
 * at a clock: wires followed, values visited, words of bitsets combined, bytes of text looked at.
 */
#ifndef SIGNALBOX_ANALYSIS_WORK_H
#define SIGNALBOX_ANALYSIS_WORK_H

#include "actors/base/arena.h"

typedef struct {
    arena_t *arena; /* everything the analysis allocates */
    uint64_t steps;
} work_t;

/* Room for one more item: returns `list` while `count` is below `*room`, else a copy of it twice as
 * long. What was copied stays in the arena, which costs at most as much again. */
void *work_grow(work_t *self, void *list, uint32_t count, uint32_t *room, size_t item_size)
    __attribute__((returns_nonnull));

#endif
