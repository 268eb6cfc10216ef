/* SPDX-License-Identifier: MPL-2.0
 *
 * hot - who asks most, in memory that does not grow
 *
 * The Space-Saving algorithm (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and
 * top-k elements in data streams", 2005): a fixed number of subjects is watched; one that is not
 * takes the place of the one with the least, and its count with it, which is by how much the new
 * count may be too high. Whoever has more than 1/HOT_SLOTS of all is watched for certain.
 */
#ifndef SIGNALBOX_LIMITER_HOT_H
#define SIGNALBOX_LIMITER_HOT_H

#include "proto/limiter.h"

#define HOT_SLOTS 128

typedef struct {
    uint64_t count, error, refused;
    char subject[LIMITER_SUBJECT_SIZE_MAX + 1];
} hot_row_t;

typedef struct {
    size_t used;
    uint64_t keys[HOT_SLOTS];   /* apart from the rows, so that looking one up reads little */
    uint64_t counts[HOT_SLOTS]; /* of the rows */
    hot_row_t rows[HOT_SLOTS];
} hot_t;

/* Notes that a subject asked for so much; `key` is limiter_route_key of it. */
void hot_add(hot_t *self, uint64_t key, const char *subject, size_t size, uint64_t amount,
             bool is_refused);

/* Halves everything: what was long ago counts less and less. */
void hot_fade(hot_t *self);

/* The busiest, at most `limit`; returns how many. */
size_t hot_top(const hot_t *self, size_t limit, hot_row_t *rows);

#endif
