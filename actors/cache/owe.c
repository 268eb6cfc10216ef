/* SPDX-License-Identifier: MPL-2.0
 *
 * owe - what Redis must be told once it is back, before anything is read there again
 */
#include "config.h"

#include "actors/cache/cache.h"

static void s_forget(cache_t *self, owed_t *owed)
{
    TAILQ_REMOVE(&self->owed, owed, entry);
    self->owed_count--;
    mem_free(owed->drop);
    mem_free(owed);
}

static void s_add(cache_t *self, const drop_t *drop)
{
    owed_t *owed = mem_alloc(sizeof *owed);
    owed->drop = drop_copy(drop);
    TAILQ_INSERT_TAIL(&self->owed, owed, entry);
    self->owed_count++;
}

void owe(cache_t *self, const drop_t *drop)
{
    static const drop_t everything = { .is_all = true };
    if (self->owed_count < CACHE_OWED_MAX) {
        s_add(self, drop);
        return;
    }
    /* too many to remember each: all of it; the first may be on its way already */
    while (self->owed_count > (size_t)self->is_paying)
        s_forget(self, TAILQ_LAST(&self->owed, cache_owed));
    s_add(self, &everything);
}

static void s_on_paid(void *arg, bool good, uint64_t epoch, uint64_t removed)
{
    cache_t *self = arg;
    (void)removed;
    monitor_lock(&self->monitor);
    self->is_paying = false;
    if (good) {
        if (epoch)
            self->redis_epoch = epoch;
        s_forget(self, TAILQ_FIRST(&self->owed));
        owe_pay(self);
    }
    monitor_unlock(&self->monitor);
}

void owe_pay(cache_t *self)
{
    const owed_t *first = TAILQ_FIRST(&self->owed);
    if (first && !self->is_paying && redis_is_up(self->redis))
        self->is_paying = shared_purge(self->redis, first->drop, s_on_paid, self);
}

bool owe_nothing(const cache_t *self)
{
    return TAILQ_EMPTY(&self->owed) && redis_is_up(self->redis);
}

void owe_free(cache_t *self)
{
    while (!TAILQ_EMPTY(&self->owed))
        s_forget(self, TAILQ_FIRST(&self->owed));
}
