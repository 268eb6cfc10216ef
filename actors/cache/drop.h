/* SPDX-License-Identifier: MPL-2.0
 *
 * drop - what an invalidation names, as messages hold it
 */
#ifndef SIGNALBOX_CACHE_DROP_H
#define SIGNALBOX_CACHE_DROP_H

#include "actors/cache/lru.h"
#include "proto/cache.h"
#include "proto/value.h"

typedef struct {
    uint64_t id;    /* of the invalidation; 0: it has none */
    uint64_t epoch; /* of it in Redis, 0: none */
    bool is_all;
    bool is_owed; /* Redis has not been told */
    span_t prefix;
    size_t tag_count, key_count;
    span_t tags[CACHE_DROPS_MAX], keys[CACHE_DROPS_MAX];
} drop_t;

/* Reads the members of a message; what does not fit is left out. The spans point into it. */
void drop_read(drop_t *self, const value_t *message);

/* Packs the members as one map. */
void drop_write(const drop_t *self, pack_t *out);

/* Whether it names anything at all. */
bool drop_names_something(const drop_t *self);

/* Whether the key is named, by itself, its prefix, or "all". */
bool drop_names_key(const drop_t *self, span_t key);

/* A copy that owns its bytes, in one allocation; freed with `mem_free`. */
drop_t *drop_copy(const drop_t *self);

/* The bytes of a text or a binary; false when it is neither, empty or longer than `most`. */
bool span_of(const value_t *value, size_t most, span_t *span) MUST_CHECK;

#endif
