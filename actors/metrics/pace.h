/* SPDX-License-Identifier: MPL-2.0
 *
 * pace - what happened between two snapshots: how much, how much of it failed, how long it took
 *
 * Paces are added up over series and instances; quantiles are read from the sum of the histograms,
 * never averaged.
 */
#ifndef SIGNALBOX_METRICS_PACE_H
#define SIGNALBOX_METRICS_PACE_H

#include "proto/pack.h"
#include "proto/view.h"

#define PACE_MEMBERS 6 /* that `pace_write` packs */

typedef struct {
    double requests, errors; /* a second */
    histogram_t times;
} pace_t;

/* Two snapshots of one boot, and the seconds between them. `before` NULL: nothing can be said. */
typedef struct {
    const view_t *before, *now;
    double seconds;
} span_t;

/* The value of a counter a second, for one series of `now`: 0 when it was not there before, but it
 * has counted since. */
double pace_rate(const span_t *span, const view_family_t *family, const view_series_t *series);

/* Adds what a series of a histogram recorded in between. */
void pace_add_times(pace_t *self, const span_t *span, const view_family_t *family,
                    const view_series_t *series);

/* Numbers as the summary may have them, whatever a snapshot says. */
double pace_bounded(double rate);
int64_t pace_whole(int64_t number);

/* Packs {requests_per_s, errors_per_s, error_ratio, p50_us, p95_us, p99_us} as pairs of a map. */
void pace_write(const pace_t *self, pack_t *out);

#endif
