/* SPDX-License-Identifier: MPL-2.0
 *
 * slots - a table of items that are named by number and come and go quickly
 */
#include "config.h"

#include <string.h>

#include "actors/base/slots.h"

#define SLOTS_CHUNK 256u
#define SLOTS_NONE  UINT32_MAX

typedef struct {
    uint32_t generation; /* odd while taken, even while free */
    uint32_t next_free;
    _Alignas(max_align_t) uint8_t item[];
} slot_t;

static slot_t *s_slot(const slots_t *self, uint32_t index)
{
    return (slot_t *)(void *)(self->chunks[index / SLOTS_CHUNK] +
                              (size_t)(index % SLOTS_CHUNK) * self->item_size);
}

void slots_init(slots_t *self, size_t item_size, uint32_t limit)
{
    const size_t unit = _Alignof(max_align_t);
    *self = (slots_t){ .limit = limit, .free_head = SLOTS_NONE };
    self->item_size = (sizeof(slot_t) + item_size + unit - 1) / unit * unit;
}

void slots_free(slots_t *self)
{
    for (uint32_t i = 0; i < self->capacity / SLOTS_CHUNK; i++)
        mem_free(self->chunks[i]);
    mem_free(self->chunks);
    *self = (slots_t){ .free_head = SLOTS_NONE };
}

static void s_add_chunk(slots_t *self)
{
    uint32_t first = self->capacity, chunk = first / SLOTS_CHUNK;
    self->chunks = mem_resize(self->chunks, (chunk + 1) * sizeof *self->chunks);
    self->chunks[chunk] = mem_array(SLOTS_CHUNK, self->item_size);
    self->capacity += SLOTS_CHUNK;
    /* chained so that low indexes are taken first: a quiet table stays in few cache lines */
    for (uint32_t i = SLOTS_CHUNK; i-- > 0;) {
        s_slot(self, first + i)->next_free = self->free_head;
        self->free_head = first + i;
    }
}

void *slots_take(slots_t *self, uint64_t *id)
{
    if (self->used >= self->limit)
        return NULL;
    if (self->free_head == SLOTS_NONE)
        s_add_chunk(self);
    uint32_t index = self->free_head;
    slot_t *slot = s_slot(self, index);
    self->free_head = slot->next_free;
    self->used++;
    slot->generation++;
    *id = (uint64_t)slot->generation << 32 | index;
    return memset(slot->item, 0, self->item_size - sizeof(slot_t));
}

void *slots_find(const slots_t *self, uint64_t id)
{
    uint32_t index = (uint32_t)id, generation = (uint32_t)(id >> 32);
    if (index >= self->capacity || !(generation & 1))
        return NULL;
    slot_t *slot = s_slot(self, index);
    return slot->generation == generation ? slot->item : NULL;
}

void slots_release(slots_t *self, uint64_t id)
{
    insist(slots_find(self, id));
    uint32_t index = (uint32_t)id;
    slot_t *slot = s_slot(self, index);
    slot->generation++;
    slot->next_free = self->free_head;
    self->free_head = index;
    self->used--;
}

void *slots_next(const slots_t *self, uint32_t *index, uint64_t *id)
{
    while (*index < self->capacity) {
        uint32_t at = (*index)++;
        slot_t *slot = s_slot(self, at);
        if (slot->generation & 1) {
            *id = (uint64_t)slot->generation << 32 | at;
            return slot->item;
        }
    }
    return NULL;
}
