/* SPDX-License-Identifier: MPL-2.0
 *
 * watch - whether everything on the topic `auth.changed` was heard
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "edge/watch.h"
#include "proto/auth.h"

static herald_mark_t *s_find(watch_t *self, const watch_event_t *event)
{
    for (size_t i = 0; i < self->count; i++)
        if (strlen(self->heralds[i].name) == event->publisher_size &&
            memcmp(self->heralds[i].name, event->publisher, event->publisher_size) == 0)
            return &self->heralds[i];
    return NULL;
}

static void s_remove(watch_t *self, const herald_mark_t *herald)
{
    size_t index = (size_t)(herald - self->heralds);
    self->heralds[index] = self->heralds[--self->count];
}

static void s_note_sequence(watch_t *self, int64_t sequence)
{
    if (!self->has_sequence || sequence > self->sequence)
        self->sequence = sequence;
    self->has_sequence = true;
}

/* Of a herald not known so far. Whatever it does not go on from, we have not heard of. */
static bool s_welcome(watch_t *self, const watch_event_t *event, uint64_t now_ms)
{
    bool misses = !self->has_sequence || event->sequence != self->sequence;
    s_note_sequence(self, event->sequence);
    if (self->count == WATCH_HERALDS_MAX || event->is_bye)
        return misses;
    herald_mark_t *herald = &self->heralds[self->count++];
    text_copy(herald->name, sizeof herald->name, event->publisher, event->publisher_size);
    herald->heard_ms = now_ms;
    herald->is_behind = false;
    return misses;
}

bool watch_hear(watch_t *self, const watch_event_t *event, uint64_t now_ms)
{
    herald_mark_t *herald = s_find(self, event);
    if (!herald)
        return s_welcome(self, event, now_ms);
    herald->heard_ms = now_ms;
    herald->is_behind = event->missed > 0;
    s_note_sequence(self, event->sequence);
    if (event->is_bye) {
        s_remove(self, herald);
        self->left_in_order = event->missed == 0;
    }
    return event->missed > 0;
}

static bool s_is_silent(const herald_mark_t *herald, uint64_t now_ms)
{
    return now_ms > herald->heard_ms && now_ms - herald->heard_ms > AUTH_STALE_MS;
}

bool watch_tick(watch_t *self, uint64_t now_ms)
{
    size_t before = self->count;
    for (size_t i = self->count; i-- > 0;)
        if (s_is_silent(&self->heralds[i], now_ms))
            s_remove(self, &self->heralds[i]);
    if (self->count < before)
        self->left_in_order = false;
    return self->count < before;
}

bool watch_is_in_order(const watch_t *self, uint64_t now_ms)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->heralds[i].is_behind || s_is_silent(&self->heralds[i], now_ms))
            return false;
    return self->count > 0 || self->left_in_order;
}
