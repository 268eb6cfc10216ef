/* SPDX-License-Identifier: MPL-2.0
 *
 * snapshot - the counters of a part as an event
 */
#include "config.h"

#include <stdio.h>

#include "proto/snapshot.h"
#include "proto/topic.h"

static void s_histogram(const histogram_t *histogram, pack_t *out)
{
    pack_map(out, 6);
    pack_pair_int(out, "count", (int64_t)histogram_count(histogram));
    pack_pair_int(out, "sum", (int64_t)atomic_load_explicit(&histogram->sum, memory_order_relaxed));
    pack_pair_int(out, "p50", (int64_t)histogram_quantile(histogram, 0.50));
    pack_pair_int(out, "p95", (int64_t)histogram_quantile(histogram, 0.95));
    pack_pair_int(out, "p99", (int64_t)histogram_quantile(histogram, 0.99));
    pack_text(out, "buckets");
    size_t position = pack_open_map(out), count = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t records = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        char index[12];
        if (!records)
            continue;
        snprintf(index, sizeof index, "%u", i);
        pack_pair_int(out, index, (int64_t)records);
        count++;
    }
    pack_close(out, position, count);
}

static void s_values(const stats_t *set, pack_t *out)
{
    for (size_t i = 0; i < set->count; i++) {
        pack_text(out, set->rows[i].name);
        if (set->rows[i].kind == STATS_HISTOGRAM)
            s_histogram(set->histograms[i], out);
        else
            pack_int(out, stats_get(set, i));
    }
}

void snapshot_write_values(const stats_t *set, pack_t *out)
{
    pack_map(out, set->count);
    s_values(set, out);
}

void snapshot_write(const snapshot_t *self, pack_t *out)
{
    size_t count = 0;
    pack_map(out, 4);
    pack_pair_text(out, "part", self->part);
    pack_pair_text(out, "instance", self->instance);
    pack_pair_int(out, "boot", (int64_t)self->boot);
    pack_text(out, "values");
    for (size_t i = 0; i < COUNT_OF(self->sets) && self->sets[i]; i++)
        count += self->sets[i]->count;
    pack_map(out, count);
    for (size_t i = 0; i < COUNT_OF(self->sets) && self->sets[i]; i++)
        s_values(self->sets[i], out);
}

const char *snapshot_topic(const snapshot_t *self, char topic[SNAPSHOT_TOPIC_BYTES])
{
    snprintf(topic, SNAPSHOT_TOPIC_BYTES, "%s%s.%s", topic_row(TOPIC_METRICS)->prefix, self->part,
             self->instance);
    return topic;
}
