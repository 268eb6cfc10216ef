/* SPDX-License-Identifier: MPL-2.0
 *
 * names - from a node's name to the node
 */
#include "config.h"

#include "actors/analysis/names.h"
#include "actors/base/id.h"

static uint32_t s_slot(const names_t *self, slice_t key)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, (const uint8_t *)key.text, key.size, self->seed);
    return get_u32(hash) & self->mask;
}

void names_build(names_t *self, work_t *work, const slice_t *keys, uint32_t count)
{
    uint32_t slots = 8;
    while (slots < 2 * count)
        slots *= 2;
    *self = (names_t){ .keys = keys, .mask = slots - 1 };
    self->slots = arena_array(work->arena, slots, sizeof *self->slots);
    id_random(self->seed, sizeof self->seed);
    for (uint32_t i = 0; i < count; i++) {
        if (!keys[i].size)
            continue;
        uint32_t slot = s_slot(self, keys[i]);
        while (self->slots[slot] && !slice_equal(keys[self->slots[slot] - 1], keys[i])) {
            slot = (slot + 1) & self->mask;
            work->steps++;
        }
        if (!self->slots[slot])
            self->slots[slot] = i + 1;
    }
}

uint32_t names_find(const names_t *self, slice_t key)
{
    if (!key.size)
        return UINT32_MAX;
    for (uint32_t slot = s_slot(self, key); self->slots[slot]; slot = (slot + 1) & self->mask)
        if (slice_equal(self->keys[self->slots[slot] - 1], key))
            return self->slots[slot] - 1;
    return UINT32_MAX;
}
