/* SPDX-License-Identifier: MPL-2.0
 *
 * epochs - whether a value was computed before something it was made of changed
 *
 * Every invalidation begins a new epoch. A computation carries the epoch it began in; its value may
 * be kept unless one of its tags was invalidated in a later one. Only the tags that a computation
 * under way could still meet are remembered, and of those a bounded number: when there are more,
 * the oldest computations lose, never a stale value wins. Pure; the caller locks.
 */
#ifndef SIGNALBOX_CACHE_EPOCHS_H
#define SIGNALBOX_CACHE_EPOCHS_H

#include "actors/cache/lru.h"

#define EPOCHS_TAGS_MAX 10000

typedef struct epochs_tag epochs_tag_t;

typedef struct {
    uint64_t now;       /* the present epoch */
    uint64_t floor;     /* values of earlier ones are not kept, whatever their tags */
    epochs_tag_t *tags; /* in the order of their epochs */
} epochs_t;

void epochs_init(epochs_t *self);
void epochs_free(epochs_t *self);

/* Begin a new epoch: one tag has changed, or everything has. */
void epochs_change_tag(epochs_t *self, span_t tag);
void epochs_change_all(epochs_t *self);

/* Whether a value with these tags, begun in `epoch`, may be kept. */
bool epochs_allow(const epochs_t *self, uint64_t epoch, const span_t *tags, size_t count);

/* No computation older than `oldest` is under way any more. */
void epochs_forget(epochs_t *self, uint64_t oldest);

#endif
