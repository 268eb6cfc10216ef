/* SPDX-License-Identifier: MPL-2.0
 *
 * window - when how much was used: the sliding log of one subject under one policy
 */
#include "config.h"

#include <string.h>

#include "actors/limiter/window.h"

#define RUNS_FIRST 4 /* most subjects use little */

void window_free(window_t *self)
{
    mem_free(self->runs);
    *self = (window_t){ 0 };
}

int64_t window_grain(uint32_t limit, int64_t window_ms)
{
    return limit <= WINDOW_EXACT_MAX ? 1 : (window_ms + WINDOW_BUCKETS - 1) / WINDOW_BUCKETS;
}

int64_t window_date(int64_t at_ms, int64_t grain_ms)
{
    return grain_ms == 1 ? at_ms : at_ms - at_ms % grain_ms + grain_ms - 1;
}

void window_expire(window_t *self, int64_t now_ms, int64_t window_ms)
{
    while (self->count > 0 && run_at(self->runs[self->head]) < now_ms - window_ms) {
        self->total -= run_amount(self->runs[self->head]);
        self->head++;
        self->count--;
    }
    if (self->count == 0)
        self->head = 0;
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Index of the first run that is not older. New uses belong to the end, so it is looked for from
 * there. */
static size_t s_place(const window_t *self, int64_t at_ms)
{
    size_t i = (size_t)self->head + self->count;
    while (i > self->head && run_at(self->runs[i - 1]) >= at_ms)
        i--;
    return i;
}

static bool s_is_at(const window_t *self, size_t i, int64_t at_ms)
{
    return i < (size_t)self->head + self->count && run_at(self->runs[i]) == at_ms;
}

/* The oldest run is dated like the one behind it: it counts a little longer, and there is a place.
 */
static void s_join_oldest(window_t *self)
{
    run_t *oldest = &self->runs[self->head];
    uint32_t sum = run_amount(oldest[0]) + run_amount(oldest[1]);
    run_t joined = run_make(run_at(oldest[1]), sum);
    self->total -= sum - run_amount(joined);
    oldest[1] = joined;
    self->head++;
    self->count--;
}

static void s_make_room(window_t *self)
{
    if (self->count == WINDOW_RUNS_MAX)
        s_join_oldest(self);
    if (self->head + self->count < self->capacity)
        return;
    if (self->head > self->capacity / 2) {
        memmove(self->runs, window_runs(self), self->count * sizeof *self->runs);
        self->head = 0;
        return;
    }
    self->capacity = (uint16_t)(self->capacity ? self->capacity * 2 : RUNS_FIRST);
    self->runs = mem_resize(self->runs, self->capacity * sizeof *self->runs);
}

static void s_insert(window_t *self, int64_t at_ms, uint32_t amount)
{
    s_make_room(self);
    size_t i = s_place(self, at_ms), end = (size_t)self->head + self->count;
    memmove(&self->runs[i + 1], &self->runs[i], (end - i) * sizeof *self->runs);
    self->runs[i] = run_make(at_ms, amount);
    self->total += run_amount(self->runs[i]);
    self->count++;
}

static void s_erase(window_t *self, size_t i)
{
    size_t end = (size_t)self->head + self->count;
    memmove(&self->runs[i], &self->runs[i + 1], (end - i - 1) * sizeof *self->runs);
    self->count--;
}

void window_set(window_t *self, int64_t at_ms, uint32_t amount)
{
    size_t i = s_place(self, at_ms);
    if (!s_is_at(self, i, at_ms)) {
        if (amount > 0)
            s_insert(self, at_ms, amount);
        return;
    }
    self->total -= run_amount(self->runs[i]);
    self->runs[i] = run_make(at_ms, amount);
    self->total += run_amount(self->runs[i]);
    if (amount == 0)
        s_erase(self, i);
}

void window_raise(window_t *self, int64_t at_ms, uint32_t amount)
{
    if (amount > window_amount(self, at_ms))
        window_set(self, at_ms, amount);
}

void window_add(window_t *self, int64_t at_ms, uint32_t amount)
{
    window_set(self, at_ms, window_amount(self, at_ms) + amount);
}

uint32_t window_remove(window_t *self, int64_t at_ms, uint32_t amount)
{
    uint32_t there = window_amount(self, at_ms);
    uint32_t taken = amount < there ? amount : there;
    if (taken > 0)
        window_set(self, at_ms, there - taken);
    return taken;
}

/* ---- asking ---------------------------------------------------------------------------------- */

uint32_t window_amount(const window_t *self, int64_t at_ms)
{
    size_t i = s_place(self, at_ms);
    return s_is_at(self, i, at_ms) ? run_amount(self->runs[i]) : 0;
}

int64_t window_time_of(const window_t *self, uint32_t n)
{
    const run_t *run = window_runs(self), *last = run + self->count - 1;
    insist(self->count > 0);
    for (uint32_t sum = run_amount(*run); sum < n && run < last; sum += run_amount(*run))
        run++;
    return run_at(*run);
}
