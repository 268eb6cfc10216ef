/* SPDX-License-Identifier: MPL-2.0
 *
 * snapshot - the numbers of a part as an event
 *
 * Every part publishes what it has counted on metrics.<part>.<instance>, every bus.snapshot_ms and
 * once more when it leaves. The values are cumulative, never differences: a lost snapshot loses
 * nothing but time. A new `boot` tells the reader that counting began again. Names, kinds and help
 * texts travel along, so that whoever reads needs to know nothing of the part: view.h reads.
 *
 *     {part, instance, boot, sequence, interval_ms, last, families: [
 *         {name, kind: counter|gauge|histogram, about, series: [
 *             {labels: {name: text}, value: integer} or
 *             {labels, sum, buckets: [index, records, ...], exemplars: [[trace, value, ms], ...]}
 *         ]}]}
 *
 * Time is in microseconds where a family's name says that it is time (actors/base/stats.h).
 */
#ifndef SIGNALBOX_SNAPSHOT_H
#define SIGNALBOX_SNAPSHOT_H

#include "actors/base/stats.h"
#include "proto/pack.h"

#define SNAPSHOT_SETS 8

typedef struct {
    const char *part, *instance;
    uint64_t boot;     /* wall clock of the part's start, in ms */
    uint64_t sequence; /* from 1, within this boot */
    uint32_t interval_ms;
    bool is_last;                       /* the part leaves */
    const stats_t *sets[SNAPSHOT_SETS]; /* ends with NULL, or full */
} snapshot_t;

/* Adds a set; NULL is fine. */
void snapshot_add(snapshot_t *self, const stats_t *set);

/* Packs the whole. */
void snapshot_write(const snapshot_t *self, pack_t *out);

/* Packs the values alone, for people: a map from name to number, or to {count, p50, p95, p99} for a
 * histogram; rows whose labels have no values in their table are left out. */
void snapshot_write_values(const snapshot_t *self, pack_t *out);

/* The topic a snapshot is published on; returns `topic`. */
#define SNAPSHOT_TOPIC_BYTES 160
const char *snapshot_topic(const snapshot_t *self, char topic[SNAPSHOT_TOPIC_BYTES]);

/* How often the last one is said: nothing follows it that would make up for its loss. */
#define SNAPSHOT_LAST_TIMES 2

#endif
