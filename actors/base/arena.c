/* SPDX-License-Identifier: MPL-2.0
 *
 * arena - many small allocations, freed together
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/arena.h"

#define ARENA_BLOCK_BYTES 16384

struct arena_block {
    arena_block_t *older;
    size_t size; /* usable bytes behind this header */
    _Alignas(max_align_t) uint8_t bytes[];
};

static size_t s_aligned(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

static void s_add_block(arena_t *self, size_t size)
{
    if (size < ARENA_BLOCK_BYTES)
        size = ARENA_BLOCK_BYTES;
    arena_block_t *block = mem_alloc(sizeof *block + size);
    block->older = self->blocks;
    block->size = size;
    self->blocks = block;
    self->next = block->bytes;
    self->left = size;
}

void *arena_alloc(arena_t *self, size_t size)
{
    insist(size < SIZE_MAX / 2);
    size = s_aligned(size ? size : 1);
    if (self->left < size)
        s_add_block(self, size);
    void *memory = self->next;
    self->next += size;
    self->left -= size;
    return memset(memory, 0, size);
}

void *arena_array(arena_t *self, size_t count, size_t size)
{
    insist(size == 0 || count <= SIZE_MAX / 2 / size);
    return arena_alloc(self, count * size);
}

char *arena_text(arena_t *self, const void *bytes, size_t size)
{
    char *copy = arena_alloc(self, size + 1);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_format(arena_t *self, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    insist(length >= 0);
    char *text = arena_alloc(self, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_bytes(const arena_t *self)
{
    size_t bytes = 0;
    for (const arena_block_t *at = self->blocks; at; at = at->older)
        bytes += sizeof *at + at->size;
    return bytes;
}

void arena_reset(arena_t *self)
{
    arena_block_t *block = self->blocks;
    if (!block)
        return;
    while (block->older) {
        arena_block_t *older = block->older;
        mem_free(block);
        block = older;
    }
    self->blocks = block;
    self->next = block->bytes;
    self->left = block->size;
}

void arena_free(arena_t *self)
{
    while (self->blocks) {
        arena_block_t *older = self->blocks->older;
        mem_free(self->blocks);
        self->blocks = older;
    }
    *self = (arena_t){ 0 };
}
