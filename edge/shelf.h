/* SPDX-License-Identifier: MPL-2.0
 *
 * shelf - answers this edge may give again without asking anybody, for SHELF_AGE_MS at most
 *
 * The first level in front of the service `cache`. A copy goes when its time is over, when an event
 * of `cache.invalidate` names it, and with all others when such an event may have been missed. As
 * with identities (identities.h) an answer that was asked for before an invalidation and comes
 * after it is not kept: whoever asks takes the epoch first.
 *
 * Split by key into parts with a lock each, which share the bytes evenly; a part that is full gives
 * up what came first.
 */
#ifndef SIGNALBOX_EDGE_SHELF_H
#define SIGNALBOX_EDGE_SHELF_H

#include <pthread.h>
#include <stdatomic.h>

#include "actors/base/buf.h"
#include "proto/value.h"

#define SHELF_PARTS     16
#define SHELF_AGE_MS    5000
#define SHELF_KEY_BYTES 32 /* of a hash */
#define SHELF_TAG_SIZE  33 /* an ETag's hex and NUL */

/* An answer. Immutable, shared by counting references. */
typedef struct {
    _Atomic int references;
    const void *bytes; /* all of these lie behind the struct */
    size_t size;
    const char *media;
    const char *name; /* its key at the service `cache`; "" when it is not there */
    const char *tags; /* each ended by '\n' */
    char etag[SHELF_TAG_SIZE];
    uint64_t made_ms;  /* monotonic: when the answer was computed */
    uint64_t until_ms; /* when it may be given no more */
} copy_t;

typedef struct shelf_part shelf_part_t;

typedef struct {
    shelf_part_t *parts;
    size_t bytes_max; /* of a part; 0: nothing is kept */
    _Atomic uint64_t epoch;
} shelf_t;

void shelf_init(shelf_t *self, size_t bytes_max);
void shelf_free(shelf_t *self);

/* With a reference for the caller, or NULL. */
copy_t *shelf_find(shelf_t *self, const uint8_t key[SHELF_KEY_BYTES], uint64_t now_ms);
void copy_drop(copy_t **self_p);

uint64_t shelf_epoch(const shelf_t *self);

/* Keeps a copy of an answer (its texts and bytes are copied) unless the epoch is another by now. */
void shelf_add(shelf_t *self, const uint8_t key[SHELF_KEY_BYTES], const copy_t *answer,
               uint64_t epoch);

/* Drops what an invalidation names ({tags, keys, prefix, all}, proto/cache.h); how many. */
size_t shelf_invalidate(shelf_t *self, const value_t *drop);

/* Drops what has one of these tags, each ended by '\n'. */
size_t shelf_invalidate_tags(shelf_t *self, const char *tags);

/* Drops everything. */
size_t shelf_clear(shelf_t *self);

#endif
