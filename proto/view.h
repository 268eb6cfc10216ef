/* SPDX-License-Identifier: MPL-2.0
 *
 * view - a snapshot (snapshot.h) as it is read: checked, and in a form that is quick to walk
 *
 * A snapshot comes from outside: names and labels that Prometheus could not read, kinds that do
 * not exist, names that stand twice, and labels that are ours (part, instance, le) are refused, and
 * what is beyond a limit is left out; both are counted. A view never changes; those who share it
 * count references.
 */
#ifndef SIGNALBOX_VIEW_H
#define SIGNALBOX_VIEW_H

#include <stdatomic.h>

#include "actors/base/arena.h"
#include "actors/base/stats.h"
#include "proto/topic.h"

#define VIEW_UP            "instance_up" /* the name of what is said about instances */
#define VIEW_FAMILIES_MAX  1000
#define VIEW_SERIES_MAX    20000 /* of one instance */
#define VIEW_BYTES_MAX     (16u << 20)
#define VIEW_EXEMPLARS_MAX (HISTOGRAM_OCTAVES + 1)

typedef struct {
    uint32_t index; /* actors/base/histogram.h */
    uint64_t records;
} view_bucket_t;

typedef struct {
    uint32_t octave;
    const char *trace; /* 32 hex digits */
    uint64_t value;
    int64_t wall_ms;
} view_exemplar_t;

typedef struct {
    const char *name, *value;
} view_label_t;

typedef struct {
    const char *labels; /* as Prometheus writes them, without braces: `a="x",b="y"`; "" */
    view_label_t pairs[FAMILY_LABELS_MAX];
    size_t pair_count;
    int64_t value; /* of a counter or gauge */
    uint64_t count, sum;
    const view_bucket_t *buckets; /* in the order of their index; those that hold something */
    size_t bucket_count;
    const view_exemplar_t *exemplars;
    size_t exemplar_count;
} view_series_t;

typedef struct {
    const char *name, *about;
    stats_kind_t kind; /* never STATS_TRACED */
    bool is_time;
    const view_series_t *series; /* in the order of their labels */
    size_t count;
} view_family_t;

typedef struct {
    atomic_int references;
    arena_t arena;
    const char *part, *instance;
    uint64_t boot, sequence;
    uint32_t interval_ms;
    bool is_last;
    const view_family_t *families;
    size_t count;
    size_t series_count;
    size_t places;   /* of series, taken while it was read */
    size_t bytes;    /* of memory */
    size_t left_out; /* families and series that were not acceptable, or too many */
} view_t;

/* Reads a snapshot; NULL when it is none. With one reference, the caller's. */
view_t *view_read(const void *bytes, size_t size);

view_t *view_hold(view_t *self);
void view_drop(view_t **self_p); /* NULL is fine */

/* The family of that name, or NULL. */
const view_family_t *view_family(const view_t *self, const char *name);

/* The series of these labels, as they are written; NULL when there is none. */
const view_series_t *view_series(const view_family_t *self, const char *labels);

/* The value of a label; "" when the series has none of that name. */
const char *view_label(const view_series_t *series, const char *name);

#endif
