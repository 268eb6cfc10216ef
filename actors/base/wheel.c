/* SPDX-License-Identifier: MPL-2.0
 *
 * wheel - very many timers that are mostly cancelled
 */
#include "config.h"

#include "actors/base/wheel.h"

void wheel_init(wheel_t *self, uint64_t now_ms)
{
    *self = (wheel_t){ .position = now_ms / WHEEL_SLOT_MS };
}

static void s_link(wheel_timer_t **head, wheel_timer_t *timer)
{
    timer->next = *head;
    timer->link = head;
    if (*head)
        (*head)->link = &timer->next;
    *head = timer;
}

static void s_unlink(wheel_timer_t *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->next = NULL;
    timer->link = NULL;
}

void wheel_add(wheel_t *self, wheel_timer_t *timer, uint64_t due_ms)
{
    wheel_remove(self, timer);
    timer->due_ms = due_ms;
    /* the slot after the due time, so that a timer is never early */
    uint64_t slot = due_ms / WHEEL_SLOT_MS + 1;
    if (slot < self->position)
        slot = self->position;
    uint64_t index = slot % WHEEL_SLOTS;
    s_link(&self->slots[index], timer);
    self->busy[index / 64] |= UINT64_C(1) << (index % 64);
    self->count++;
}

void wheel_remove(wheel_t *self, wheel_timer_t *timer)
{
    if (!timer->link)
        return;
    s_unlink(timer);
    self->count--;
}

/* Moves what is due in one slot to the due list; later rounds of the wheel stay. */
static void s_collect(wheel_t *self, uint64_t index, uint64_t now_ms)
{
    wheel_timer_t *timer = self->slots[index];
    while (timer) {
        wheel_timer_t *next = timer->next;
        if (timer->due_ms <= now_ms) {
            s_unlink(timer);
            s_link(&self->due, timer);
        }
        timer = next;
    }
    if (!self->slots[index])
        self->busy[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

wheel_timer_t *wheel_expired(wheel_t *self, uint64_t now_ms)
{
    uint64_t end = now_ms / WHEEL_SLOT_MS + 1;
    if (!self->due && self->position < end) {
        if (end - self->position > WHEEL_SLOTS) /* the loop slept through a whole round */
            self->position = end - WHEEL_SLOTS;
        for (; self->position < end; self->position++)
            s_collect(self, self->position % WHEEL_SLOTS, now_ms);
    }
    wheel_timer_t *timer = self->due;
    if (timer) {
        s_unlink(timer);
        self->count--;
    }
    return timer;
}

uint32_t wheel_wait(const wheel_t *self, uint64_t now_ms, uint32_t most)
{
    if (self->due)
        return 0;
    if (self->count == 0)
        return most;
    for (uint64_t slot = self->position; slot < self->position + WHEEL_SLOTS;) {
        uint64_t index = slot % WHEEL_SLOTS;
        uint64_t word = self->busy[index / 64] >> (index % 64);
        if (!word) {
            slot += 64 - index % 64;
            continue;
        }
        slot += (uint64_t)__builtin_ctzll(word);
        uint64_t at_ms = slot * WHEEL_SLOT_MS;
        if (at_ms <= now_ms)
            return 0;
        return at_ms - now_ms < most ? (uint32_t)(at_ms - now_ms) : most;
    }
    return most;
}
