/* SPDX-License-Identifier: MPL-2.0
 *
 * histogram - how long things took, in fixed memory and a few nanoseconds a record
 *
 * Log-linear buckets: 16 to each doubling, so a value read back is within 3.1 % of the one
 * recorded. Recording is lock-free; two histograms merge by adding their buckets.
 */
#ifndef SIGNALBOX_HISTOGRAM_H
#define SIGNALBOX_HISTOGRAM_H

#include <stdatomic.h>

#include "actors/base/base.h"

#define HISTOGRAM_SUB     16u /* buckets to a doubling */
#define HISTOGRAM_OCTAVES 32u /* up to 2^36 us, 19 hours; larger values share the last */
#define HISTOGRAM_BUCKETS (HISTOGRAM_SUB * (HISTOGRAM_OCTAVES + 1))

typedef struct {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum;
} histogram_t;

static inline uint32_t histogram_bucket(uint64_t value)
{
    if (value < HISTOGRAM_SUB)
        return (uint32_t)value;
    uint32_t octave = 63u - (uint32_t)__builtin_clzll(value) - 4u; /* 4 = log2 HISTOGRAM_SUB */
    if (octave >= HISTOGRAM_OCTAVES)
        return HISTOGRAM_BUCKETS - 1;
    return HISTOGRAM_SUB * octave + (uint32_t)(value >> octave);
}

static inline void histogram_record(histogram_t *self, uint64_t value)
{
    atomic_fetch_add_explicit(&self->buckets[histogram_bucket(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&self->sum, value, memory_order_relaxed);
}

/* The smallest value that falls into the bucket after `bucket`. */
uint64_t histogram_upper(uint32_t bucket);

uint64_t histogram_count(const histogram_t *self);

/* The value below which the share `quantile` (0..1) of the records lies; 0 when there is none. */
uint64_t histogram_quantile(const histogram_t *self, double quantile);

#endif
