/* SPDX-License-Identifier: MPL-2.0
 *
 * work - where one analysis takes its memory from, and how much it has done
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/work.h"

#define WORK_FIRST_ROOM 16

void *work_grow(work_t *self, void *list, uint32_t count, uint32_t *room, size_t item_size)
{
    if (list && count < *room)
        return list;
    *room = *room ? *room * 2 : WORK_FIRST_ROOM;
    void *longer = arena_array(self->arena, *room, item_size);
    if (list)
        memcpy(longer, list, count * item_size);
    return longer;
}
