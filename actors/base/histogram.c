/* SPDX-License-Identifier: MPL-2.0
 *
 * histogram - how long things took, in fixed memory and a few nanoseconds a record
 */
#include "config.h"

#include "actors/base/histogram.h"

static uint64_t s_read(const histogram_t *self, uint32_t bucket)
{
    return atomic_load_explicit(&self->buckets[bucket], memory_order_relaxed);
}

static uint64_t s_lower(uint32_t bucket)
{
    if (bucket < HISTOGRAM_SUB)
        return bucket;
    uint32_t octave = bucket / HISTOGRAM_SUB - 1;
    return (uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB) << octave;
}

uint64_t histogram_upper(uint32_t bucket)
{
    return s_lower(bucket + 1);
}

uint64_t histogram_count(const histogram_t *self)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += s_read(self, i);
    return count;
}

uint64_t histogram_quantile(const histogram_t *self, double quantile)
{
    uint64_t count = histogram_count(self);
    if (count == 0)
        return 0;
    uint64_t rank = (uint64_t)(quantile * (double)(count - 1)) + 1, seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += s_read(self, i);
        if (seen >= rank)
            return (s_lower(i) + histogram_upper(i)) / 2;
    }
    return s_lower(HISTOGRAM_BUCKETS - 1);
}
