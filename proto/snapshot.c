/* SPDX-License-Identifier: MPL-2.0
 *
 * snapshot - the numbers of a part as an event
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "proto/snapshot.h"
#include "proto/topic.h"

static const char *const s_kinds[] = { [STATS_COUNTER] = "counter",
                                       [STATS_GAUGE] = "gauge",
                                       [STATS_HISTOGRAM] = "histogram",
                                       [STATS_TRACED] = "histogram" };

static const stats_row_t s_overflow = {
    "metrics_overflow_total", STATS_COUNTER,
    "Observations counted under \"other\" because too many label values had been met"
};

void snapshot_add(snapshot_t *self, const stats_t *set)
{
    size_t count = 0;
    while (count < SNAPSHOT_SETS && self->sets[count])
        count++;
    insist(count < SNAPSHOT_SETS || !set);
    if (set)
        self->sets[count] = set;
}

/* ---- labels --------------------------------------------------------------------------------- */

/* Cuts the next `name` or `name="value"` out of the braces of a row's name; `*at` begins behind the
 * opening one. False at the end. */
static bool s_next_label(const char **at, const char **name, size_t *size, const char **value,
                         size_t *value_size)
{
    if (**at == '}' || **at == '\0')
        return false;
    *name = *at;
    *size = strcspn(*at, "=,}");
    *at += *size;
    *value = "";
    *value_size = 0;
    if (**at == '=') {
        *value = *at + 2; /* over the quote */
        *value_size = strcspn(*value, "\"");
        *at = *value + *value_size + 1;
    }
    *at += **at == ',';
    return true;
}

/* The label names are those of the row; values are the row's own, or the series'. */
static void s_labels(const char *row_name, const series_t *series, pack_t *out)
{
    const char *at = strchr(row_name, '{'), *name, *value;
    size_t size, value_size, count = 0;
    pack_text(out, "labels");
    size_t position = pack_open_map(out);
    if (at)
        at++;
    for (; at && s_next_label(&at, &name, &size, &value, &value_size); count++) {
        pack_string(out, name, size);
        if (series)
            pack_text(out, series->labels[count]);
        else
            pack_string(out, value, value_size);
    }
    pack_close(out, position, count);
}

/* ---- values --------------------------------------------------------------------------------- */

static void s_buckets(const histogram_t *histogram, pack_t *out)
{
    size_t count = 0;
    pack_pair_int(out, "sum", (int64_t)atomic_load_explicit(&histogram->sum, memory_order_relaxed));
    pack_text(out, "buckets");
    size_t position = pack_open_array(out);
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t records = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (!records)
            continue;
        pack_uint(out, i);
        pack_uint(out, records);
        count += 2;
    }
    pack_close(out, position, count);
}

static void s_exemplars(series_t *series, pack_t *out)
{
    exemplar_t exemplar;
    size_t count = 0;
    char trace[2 * sizeof exemplar.trace + 1];
    pack_text(out, "exemplars");
    size_t position = pack_open_array(out);
    for (uint32_t octave = 0; octave <= HISTOGRAM_OCTAVES; octave++) {
        if (!series_exemplar(series, octave, &exemplar))
            continue;
        pack_array(out, 3);
        pack_text(out, id_hex(exemplar.trace, sizeof exemplar.trace, trace));
        pack_uint(out, exemplar.value);
        pack_int(out, exemplar.wall_ms);
        count++;
    }
    pack_close(out, position, count);
}

static void s_number(const char *row_name, int64_t value, pack_t *out)
{
    pack_map(out, 2);
    s_labels(row_name, NULL, out);
    pack_pair_int(out, "value", value);
}

static void s_histogram(const char *row_name, const histogram_t *histogram, pack_t *out)
{
    pack_map(out, 3);
    s_labels(row_name, NULL, out);
    s_buckets(histogram, out);
}

static void s_series(const char *row_name, series_t *series, pack_t *out)
{
    pack_map(out, !series->histogram ? 2 : series->exemplars ? 4 : 3);
    s_labels(row_name, series, out);
    if (!series->histogram)
        pack_pair_int(out, "value", series_get(series));
    else
        s_buckets(series->histogram, out);
    if (series->exemplars)
        s_exemplars(series, out);
}

/* All that one row of a set has counted; returns how many series that is. */
static size_t s_row(const stats_t *set, size_t row, pack_t *out)
{
    const char *name = set->rows[row].name;
    family_t *family = set->families[row];
    size_t slot = 0, count = 0;
    if (!family) {
        if (set->histograms[row])
            s_histogram(name, set->histograms[row], out);
        else
            s_number(name, stats_get(set, row), out);
        return 1;
    }
    for (series_t *at; (at = family_next(family, &slot)); count++)
        s_series(name, at, out);
    return count;
}

/* ---- families ------------------------------------------------------------------------------- */

static size_t s_begin_family(const stats_row_t *row, pack_t *out)
{
    pack_map(out, 4);
    pack_text(out, "name");
    pack_string(out, row->name, strcspn(row->name, "{"));
    pack_pair_text(out, "kind", s_kinds[row->kind]);
    pack_pair_text(out, "about", row->about);
    pack_text(out, "series");
    return pack_open_array(out);
}

static bool s_is_same_family(const stats_row_t *a, const stats_row_t *b)
{
    size_t size = strcspn(a->name, "{");
    return b->name && strcspn(b->name, "{") == size && memcmp(a->name, b->name, size) == 0;
}

/* Rows that share a name stand side by side; returns how many families there are. */
static size_t s_set(const stats_t *set, pack_t *out)
{
    size_t families = 0;
    for (size_t i = 0; i < set->count; families++) {
        const stats_row_t *row = &set->rows[i];
        size_t position = s_begin_family(row, out), count = 0;
        do
            count += s_row(set, i++, out);
        while (i < set->count && s_is_same_family(row, &set->rows[i]));
        pack_close(out, position, count);
    }
    return families;
}

static void s_write_overflow(const snapshot_t *self, pack_t *out)
{
    int64_t overflow = 0;
    for (size_t i = 0; i < SNAPSHOT_SETS && self->sets[i]; i++)
        overflow += stats_overflow(self->sets[i]);
    size_t position = s_begin_family(&s_overflow, out);
    s_number(s_overflow.name, overflow, out);
    pack_close(out, position, 1);
}

void snapshot_write(const snapshot_t *self, pack_t *out)
{
    pack_map(out, 7);
    pack_pair_text(out, "part", self->part);
    pack_pair_text(out, "instance", self->instance);
    pack_pair_int(out, "boot", (int64_t)self->boot);
    pack_pair_int(out, "sequence", (int64_t)self->sequence);
    pack_pair_int(out, "interval_ms", self->interval_ms);
    pack_pair_bool(out, "last", self->is_last);
    pack_text(out, "families");
    size_t position = pack_open_array(out), count = 1;
    for (size_t i = 0; i < SNAPSHOT_SETS && self->sets[i]; i++)
        count += s_set(self->sets[i], out);
    s_write_overflow(self, out);
    pack_close(out, position, count);
}

const char *snapshot_topic(const snapshot_t *self, char topic[SNAPSHOT_TOPIC_BYTES])
{
    snprintf(topic, SNAPSHOT_TOPIC_BYTES, "%s%s.%s", topic_row(TOPIC_METRICS)->prefix, self->part,
             self->instance);
    return topic;
}

/* ---- for people ----------------------------------------------------------------------------- */

static void s_quantiles(const histogram_t *histogram, pack_t *out)
{
    pack_map(out, 4);
    pack_pair_int(out, "count", (int64_t)histogram_count(histogram));
    pack_pair_int(out, "p50", (int64_t)histogram_quantile(histogram, 0.50));
    pack_pair_int(out, "p95", (int64_t)histogram_quantile(histogram, 0.95));
    pack_pair_int(out, "p99", (int64_t)histogram_quantile(histogram, 0.99));
}

static size_t s_set_values(const stats_t *set, pack_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->families[i])
            continue;
        pack_text(out, set->rows[i].name);
        if (set->histograms[i])
            s_quantiles(set->histograms[i], out);
        else
            pack_int(out, stats_get(set, i));
        count++;
    }
    return count;
}

void snapshot_write_values(const snapshot_t *self, pack_t *out)
{
    size_t position = pack_open_map(out), count = 0;
    for (size_t i = 0; i < SNAPSHOT_SETS && self->sets[i]; i++)
        count += s_set_values(self->sets[i], out);
    pack_close(out, position, count);
}
