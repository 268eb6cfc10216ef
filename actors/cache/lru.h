/* SPDX-License-Identifier: MPL-2.0
 *
 * lru - values in memory by key, bounded in bytes
 *
 * When there is no room the value used least recently goes first. A value is fresh until its time
 * to live is over, then stale for some time yet, then gone. Tags say what a value was made of: all
 * values with a tag can be dropped together, and so can all keys with a prefix.
 *
 * What it takes is counted exactly: the bytes asked of the allocator for values and tags (not the
 * allocator's own, nor the hash tables' buckets). Pure: time is passed in, in milliseconds of any
 * monotonic clock; the caller locks.
 */
#ifndef SIGNALBOX_CACHE_LRU_H
#define SIGNALBOX_CACHE_LRU_H

#include <sys/queue.h>

#include "actors/base/base.h"

/* Bytes that are somebody else's: a key, a tag, a value. */
typedef struct {
    const void *bytes;
    size_t size;
} span_t;

typedef struct lru_entry lru_entry_t;
typedef struct lru_tag lru_tag_t;

typedef struct {
    lru_entry_t *entries;                   /* by key */
    lru_tag_t *tags;                        /* those that any value has */
    TAILQ_HEAD(lru_order, lru_entry) order; /* used most recently first */
    lru_entry_t *cursor;                    /* where the next sweep goes on; NULL: at the end */
    size_t count, bytes, bytes_max;
    uint64_t evicted, expired; /* values that had to make room; whose time was over */
} lru_t;

typedef struct {
    span_t key, value;
    const span_t *tags; /* no two the same */
    size_t tag_count;
    uint64_t born_ms, fresh_until_ms, stale_until_ms;
} lru_item_t;

typedef enum { LRU_MISS, LRU_FRESH, LRU_STALE } lru_state_t;

/* Hears of every value that is dropped and when it was stored; the key is borrowed for the call. */
typedef void (*lru_dropped_fn)(void *arg, span_t key, uint64_t born_ms);

void lru_init(lru_t *self, size_t bytes_max);
void lru_free(lru_t *self);

/* Keeps copies in place of what the key had before. False when it is larger than all the room there
 * is: then the key has nothing. */
bool lru_set(lru_t *self, const lru_item_t *item) MUST_CHECK;

/* The value of a key, now the most recently used. Except on a miss `item` is filled; its spans are
 * valid until the next change, and it has no tags. */
lru_state_t lru_get(lru_t *self, span_t key, uint64_t now_ms, lru_item_t *item);

/* Drops a key; whether there was one. */
bool lru_delete(lru_t *self, span_t key);

/* Drop many, and return how many. `on_dropped` may be NULL. A prefix looks at every key. */
size_t lru_drop_tag(lru_t *self, span_t tag, lru_dropped_fn on_dropped, void *arg);
size_t lru_drop_prefix(lru_t *self, span_t prefix, lru_dropped_fn on_dropped, void *arg);

/* Looks at the next `most` values, round and round, and removes those whose time is over. */
void lru_sweep(lru_t *self, uint64_t now_ms, size_t most);

/* Bytes that a value takes beside its tags' names. */
size_t lru_cost(const lru_item_t *item);

static inline bool span_equal(span_t a, span_t b)
{
    return a.size == b.size && __builtin_memcmp(a.bytes, b.bytes, a.size) == 0;
}

static inline bool span_starts(span_t text, span_t prefix)
{
    return text.size >= prefix.size && __builtin_memcmp(text.bytes, prefix.bytes, prefix.size) == 0;
}

#endif
