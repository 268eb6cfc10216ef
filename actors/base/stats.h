/* SPDX-License-Identifier: MPL-2.0
 *
 * stats - the numbers a part counts about itself
 *
 * A part declares one const table of rows; name and help text stand nowhere else. The index of a
 * row is an enum beside the table. Counting is a relaxed atomic addition, from any thread.
 */
#ifndef SIGNALBOX_STATS_H
#define SIGNALBOX_STATS_H

#include <stdatomic.h>

#include "actors/base/base.h"
#include "actors/base/histogram.h"

typedef enum { STATS_COUNTER, STATS_GAUGE, STATS_HISTOGRAM } stats_kind_t;

typedef struct {
    const char *name; /* Prometheus style; counters end in _total, histograms in _microseconds */
    stats_kind_t kind;
    const char *about;
} stats_row_t;

typedef struct {
    const stats_row_t *rows;
    size_t count;
    _Atomic int64_t *values;  /* counters and gauges, by row */
    histogram_t **histograms; /* by row, NULL where the row is none */
} stats_t;

/* `rows` ends with an empty row and outlives the set. */
void stats_init(stats_t *self, const stats_row_t *rows);
void stats_free(stats_t *self);

static inline void stats_add(stats_t *self, size_t row, int64_t amount)
{
    atomic_fetch_add_explicit(&self->values[row], amount, memory_order_relaxed);
}

static inline void stats_set(stats_t *self, size_t row, int64_t value)
{
    atomic_store_explicit(&self->values[row], value, memory_order_relaxed);
}

static inline int64_t stats_get(const stats_t *self, size_t row)
{
    return atomic_load_explicit(&self->values[row], memory_order_relaxed);
}

static inline void stats_record(stats_t *self, size_t row, uint64_t value)
{
    histogram_record(self->histograms[row], value);
}

#endif
