/* SPDX-License-Identifier: MPL-2.0
 *
 * stats - the numbers a part counts about itself
 *
 * A part declares one const table of rows; name and help text stand nowhere else. The index of a
 * row is an enum beside the table. Counting is a relaxed atomic addition, from any thread.
 *
 * What belongs together has one name and differs in labels, which stand behind the name:
 *
 *     requests_total                   one number
 *     refused_total{reason="full"}     one of several rows, side by side in the table
 *     answers_total{route,status}      one number for each combination of values met (family.h)
 *
 * Names follow Prometheus: counters end in _total, and what counts time in _seconds, or
 * _seconds_total. Time is kept in microseconds here, and shown in seconds.
 */
#ifndef SIGNALBOX_STATS_H
#define SIGNALBOX_STATS_H

#include <stdatomic.h>

#include "actors/base/base.h"
#include "actors/base/histogram.h"
#include "actors/base/family.h"

typedef enum {
    STATS_COUNTER,
    STATS_GAUGE,
    STATS_HISTOGRAM,
    STATS_TRACED, /* a histogram that remembers a recent trace of each octave */
} stats_kind_t;

typedef struct {
    const char *name;
    stats_kind_t kind;
    const char *about; /* a sentence without its full stop */
} stats_row_t;

typedef struct {
    const stats_row_t *rows;
    size_t count;
    _Atomic int64_t *values;  /* counters and gauges, by row */
    histogram_t **histograms; /* by row, NULL where the row is none */
    family_t **families;      /* by row, NULL where its labels have their values in the table */
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

/* The number of a row whose labels have these values, one for each name in its braces. It is valid
 * as long as the set. */
static inline series_t *stats_at(stats_t *self, size_t row, const char *const *values)
{
    return family_at(self->families[row], values);
}

/* Observations that had to be counted under "other" because too many values had been met. */
int64_t stats_overflow(const stats_t *self);

/* Whether the name, without its labels, says that time is counted. */
bool stats_is_time(const char *name, size_t size);

#endif
