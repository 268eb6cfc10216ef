/* SPDX-License-Identifier: MPL-2.0
 *
 * snapshot - the counters of a part as an event
 *
 * Cumulative values, never differences: a lost snapshot loses nothing but time. A new `boot` tells
 * the reader that counting began again.
 */
#ifndef SIGNALBOX_SNAPSHOT_H
#define SIGNALBOX_SNAPSHOT_H

#include "actors/base/stats.h"
#include "proto/pack.h"

#define SNAPSHOT_INTERVAL_MS 5000

typedef struct {
    const char *part, *instance;
    uint64_t boot;          /* wall clock of the process's start, in ms */
    const stats_t *sets[5]; /* ends with NULL, or full */
} snapshot_t;

/* Packs {part, instance, boot, values}: what is published on metrics.<part>.<instance>. */
void snapshot_write(const snapshot_t *self, pack_t *out);

/* Packs the values of one set alone: a map from name to number, or to {count, sum, p50, p95, p99,
 * buckets: {index: count}} for a histogram. */
void snapshot_write_values(const stats_t *set, pack_t *out);

/* The topic a snapshot is published on; returns `topic`. */
#define SNAPSHOT_TOPIC_BYTES 160
const char *snapshot_topic(const snapshot_t *self, char topic[SNAPSHOT_TOPIC_BYTES]);

#endif
