/* SPDX-License-Identifier: MPL-2.0
 *
 * record - a value as it lies in Redis: when it was made, of what, and the bytes
 *
 *     version 1 | tags 1 | born 8 | fresh for 4 | epoch 8 | (size 1, tag) ... | value
 *
 * Big-endian. Times are milliseconds of the wall clock, the only clock that instances share; the
 * epoch is that of the invalidations in Redis when the computation began (shared.h).
 */
#ifndef SIGNALBOX_CACHE_RECORD_H
#define SIGNALBOX_CACHE_RECORD_H

#include "actors/base/buf.h"
#include "actors/cache/lru.h"
#include "proto/cache.h"

typedef struct {
    int64_t born_ms;
    uint32_t fresh_ms; /* how long it is fresh; not longer is it kept */
    uint64_t epoch;
    size_t tag_count;
    span_t tags[CACHE_TAGS_MAX];
    span_t value;
} record_t;

void record_write(const record_t *self, buf_t *out);

/* Reads a record; its spans point into the bytes. False when they are none. */
bool record_read(record_t *self, const void *bytes, size_t size) MUST_CHECK;

#endif
