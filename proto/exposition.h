/* SPDX-License-Identifier: MPL-2.0
 *
 * exposition - the numbers of many instances as Prometheus reads them
 *
 * Every series is told for each instance, with the labels `part` and `instance`; sums are for who
 * asks (a sum made here would jump when an instance is forgotten). Of an instance that is not up
 * there are no gauges. Time is in seconds. Histograms
 * of time have a bucket for each power of two from 64 us to 16.8 s, others one for each quarter of
 * a doubling from 4 to 128.
 *
 * Two formats (Prometheus text 0.0.4; OpenMetrics 1.0). Only the second has units and exemplars.
 * There are no `_created` series: a reset is seen by the value, and Prometheus would keep them all.
 */
#ifndef SIGNALBOX_EXPOSITION_H
#define SIGNALBOX_EXPOSITION_H

#include "actors/base/buf.h"
#include "proto/view.h"

typedef enum { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS } exposition_format_t;

#define EXPOSITION_TEXT_MEDIA        "text/plain; version=0.0.4; charset=utf-8"
#define EXPOSITION_OPENMETRICS_MEDIA "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What is known of one instance. */
typedef struct {
    const view_t *view;
    bool is_up;    /* it was heard of lately */
    bool has_left; /* it said good-bye: it is not told whether it is up */
    bool is_large; /* nothing else is told of it */
} exposition_source_t;

/* Makes as many of them large as is needed for the rest to take at most `most` bytes, those first
 * that take most: who tells too much does not cost what all others tell. Returns how many. */
size_t exposition_bound(exposition_source_t *sources, size_t count, size_t most);

/* Appends everything. Families stand in the order of their names. Of one whose kind differs between
 * instances, the first kind is told; a counter `x_total` is not, where there is an `x`. */
void exposition_write(const exposition_source_t *sources, size_t count, exposition_format_t format,
                      buf_t *out);

const char *exposition_media(exposition_format_t format);

#endif
