/* SPDX-License-Identifier: MPL-2.0
 *
 * family - the numbers of one name, told apart by labels whose values are met at run time
 *
 * Looking a number up takes no lock: a table of pointers that is only ever added to. At most
 * FAMILY_SERIES_MAX combinations of values are kept apart; what comes later is counted together,
 * under the value "other" for every label, and counted as overflow: whoever chooses the values (a
 * service its routes, a caller its tier) cannot fill the memory.
 */
#ifndef SIGNALBOX_FAMILY_H
#define SIGNALBOX_FAMILY_H

#include <pthread.h>
#include <stdatomic.h>

#include "actors/base/histogram.h"

#define FAMILY_LABELS_MAX 3
#define FAMILY_SERIES_MAX 1000
#define FAMILY_SLOTS      2048 /* a power of two, twice the most series */
#define FAMILY_VALUE_MAX  200  /* bytes of a label's value; what is longer goes to "other" */

#define FAMILY_OVERFLOW "other"

/* The trace behind one recent record. */
typedef struct {
    uint8_t trace[16];
    uint64_t value;
    int64_t wall_ms; /* 0: there is none */
} exemplar_t;

#define EXEMPLARS_FRESH_MS 1000 /* one is replaced at most so often */

typedef struct {
    atomic_flag is_busy; /* whoever finds it set does without */
    exemplar_t octaves[HISTOGRAM_OCTAVES + 1];
} exemplars_t;

/* One of the numbers. */
typedef struct {
    _Atomic int64_t value;  /* of a counter or gauge */
    histogram_t *histogram; /* NULL for those */
    exemplars_t *exemplars; /* NULL: no traces are remembered */
    const char *labels[FAMILY_LABELS_MAX];
    uint64_t hash;
} series_t;

typedef struct {
    size_t label_count;
    bool has_histograms, has_exemplars;
    pthread_mutex_t mutex; /* of those who add */
    _Atomic(series_t *) slots[FAMILY_SLOTS];
    _Atomic size_t count;
    series_t *other;
    _Atomic bool has_other;   /* in a slot, since somebody's values are just these */
    _Atomic int64_t overflow; /* observations counted in `other` for want of room */
} family_t;

family_t *family_new(size_t label_count, bool has_histograms, bool has_exemplars);
void family_destroy(family_t **self_p);

/* The number with these label values, made when it is new; valid as long as the series. */
series_t *family_at(family_t *self, const char *const *values);

static inline void series_add(series_t *self, int64_t amount)
{
    atomic_fetch_add_explicit(&self->value, amount, memory_order_relaxed);
}

static inline void series_set(series_t *self, int64_t value)
{
    atomic_store_explicit(&self->value, value, memory_order_relaxed);
}

static inline int64_t series_get(const series_t *self)
{
    return atomic_load_explicit(&self->value, memory_order_relaxed);
}

static inline void series_record(series_t *self, uint64_t value)
{
    histogram_record(self->histogram, value);
}

/* The same, and remembers the trace as an example of such a value. */
void series_record_traced(series_t *self, uint64_t value, const uint8_t trace[16], int64_t wall_ms);

/* Copies the example of an octave; false when there is none, or it is being written. */
bool series_exemplar(series_t *self, uint32_t octave, exemplar_t *copy);

/* Walks the numbers in the order they were made in the table; `*slot` begins at 0. NULL at the end.
 */
series_t *family_next(family_t *self, size_t *slot);

#endif
