/* SPDX-License-Identifier: MPL-2.0
 *
 * hot - who asks most, in memory that does not grow
 */
#include "config.h"

#include <stdlib.h>

#include "actors/base/text.h"
#include "actors/limiter/hot.h"

/* HOT_SLOTS numbers side by side are looked through faster than a table is hashed. */
static size_t s_find(const hot_t *self, uint64_t key)
{
    size_t i = 0;
    while (i < self->used && self->keys[i] != key)
        i++;
    return i;
}

static size_t s_least(const hot_t *self)
{
    size_t least = 0;
    for (size_t i = 1; i < self->used; i++)
        if (self->counts[i] < self->counts[least])
            least = i;
    return least;
}

static size_t s_watch(hot_t *self, uint64_t key, const char *subject, size_t size)
{
    size_t i = self->used < HOT_SLOTS ? self->used++ : s_least(self);
    self->keys[i] = key;
    self->rows[i].error = self->counts[i];
    self->rows[i].refused = 0;
    text_copy(self->rows[i].subject, sizeof self->rows[i].subject, subject, size);
    return i;
}

void hot_add(hot_t *self, uint64_t key, const char *subject, size_t size, uint64_t amount,
             bool is_refused)
{
    size_t i = s_find(self, key);
    if (i == self->used)
        i = s_watch(self, key, subject, size);
    self->counts[i] += amount;
    self->rows[i].refused += is_refused ? amount : 0;
}

void hot_fade(hot_t *self)
{
    for (size_t i = 0; i < self->used; i++) {
        self->counts[i] /= 2;
        self->rows[i].error /= 2;
        self->rows[i].refused /= 2;
    }
}

static int s_compare(const void *a, const void *b)
{
    const hot_row_t *one = a, *other = b;
    return one->count < other->count ? 1 : one->count > other->count ? -1 : 0;
}

size_t hot_top(const hot_t *self, size_t limit, hot_row_t *rows)
{
    hot_row_t *all = mem_array(HOT_SLOTS, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < self->used; i++)
        if (self->counts[i] > 0) {
            all[count] = self->rows[i];
            all[count++].count = self->counts[i];
        }
    qsort(all, count, sizeof *all, s_compare);
    if (count > limit)
        count = limit;
    memcpy(rows, all, count * sizeof *rows);
    mem_free(all);
    return count;
}
