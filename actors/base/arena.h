/* SPDX-License-Identifier: MPL-2.0
 *
 * arena - many small allocations, freed together
 *
 * For work that lives as long as one message: a parsed document, an analysis, a reply being built.
 * A zeroed arena_t is a valid empty one. Not for sharing between threads.
 */
#ifndef SIGNALBOX_ARENA_H
#define SIGNALBOX_ARENA_H

#include "actors/base/base.h"

typedef struct arena_block arena_block_t;

typedef struct {
    arena_block_t *blocks; /* newest first */
    uint8_t *next;         /* free space in the newest block */
    size_t left;           /* bytes of it */
} arena_t;

/* Memory aligned for any type, zeroed, valid until `arena_reset` or `arena_free`. */
void *arena_alloc(arena_t *self, size_t size) __attribute__((returns_nonnull));
void *arena_array(arena_t *self, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies of text in the arena, NUL-terminated. */
char *arena_text(arena_t *self, const void *bytes, size_t size);
char *arena_format(arena_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes of memory that it holds. */
size_t arena_bytes(const arena_t *self);

/* Forgets everything allocated; keeps one block for the next use. */
void arena_reset(arena_t *self);

/* Frees all memory and leaves a valid empty arena. */
void arena_free(arena_t *self);

#endif
