/* SPDX-License-Identifier: MPL-2.0
 *
 * slots - a table of items that are named by number and come and go quickly
 *
 * The id of an item is (generation << 32 | index): finding it is an array access, and the id of an
 * item that was released finds nothing, even when its place is taken again. That is what matches a
 * reply to its request, and what recognises a late one. Items do not move.
 */
#ifndef SIGNALBOX_SLOTS_H
#define SIGNALBOX_SLOTS_H

#include "actors/base/base.h"

typedef struct {
    uint8_t **chunks;   /* arrays of SLOTS_CHUNK items */
    size_t item_size;   /* with the slot's own head */
    uint32_t used;      /* items taken now */
    uint32_t capacity;  /* items allocated */
    uint32_t limit;     /* items that may be taken at once */
    uint32_t free_head; /* index of a free slot, or SLOTS_NONE */
} slots_t;

void slots_init(slots_t *self, size_t item_size, uint32_t limit);
void slots_free(slots_t *self);

/* A zeroed item and its id (never 0), or NULL when `limit` items are taken. */
void *slots_take(slots_t *self, uint64_t *id);

/* The item, or NULL when the id was never given out or is released. */
void *slots_find(const slots_t *self, uint64_t id);

/* Releases an item that `slots_find` would return. */
void slots_release(slots_t *self, uint64_t id);

/* Walks the items taken: `*index` starts at 0, NULL ends. Items may be released while walking. */
void *slots_next(const slots_t *self, uint32_t *index, uint64_t *id);

#endif
