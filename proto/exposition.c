/* SPDX-License-Identifier: MPL-2.0
 *
 * exposition - the numbers of many instances as Prometheus reads them
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/exposition.h"

#define MICRO 1000000

#define BOUNDS_MAX 20
#define BOUND_SIZE 16

/* The bounds that are shown: the last of our buckets below each, and how it is written. */
typedef struct {
    uint32_t first, last, step;
    char texts[BOUNDS_MAX][BOUND_SIZE];
} bounds_t;

/* Of time whole octaves, 64 us to 16.8 s; of other numbers quarters, 4 to 128. */
static const bounds_t s_time = { .first = 3 * HISTOGRAM_SUB - 1,
                                 .last = 21 * HISTOGRAM_SUB - 1,
                                 .step = HISTOGRAM_SUB };
static const bounds_t s_plain = { .first = 3,
                                  .last = 4 * HISTOGRAM_SUB - 1,
                                  .step = HISTOGRAM_SUB / 4 };

/* One family of one instance. */
typedef struct {
    const view_family_t *family;
    const exposition_source_t *source;
    size_t order;
} entry_t;

typedef struct {
    buf_t *out;
    exposition_format_t format;
    const view_family_t *family;
    const view_t *view;
    const view_series_t *series;
    bounds_t time, plain;
} writer_t;

const char *exposition_media(exposition_format_t format)
{
    return format == EXPOSITION_OPENMETRICS ? EXPOSITION_OPENMETRICS_MEDIA : EXPOSITION_TEXT_MEDIA;
}

/* ---- words ---------------------------------------------------------------------------------- */

/* A number in millionths, without zeros that say nothing, but with one digit behind the point: so a
 * bound has the same text wherever it is written. */
static void s_add_millionths(buf_t *out, int64_t value)
{
    char text[32];
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int length = snprintf(text, sizeof text, "%s%" PRIu64 ".%06" PRIu64, value < 0 ? "-" : "",
                          size / MICRO, size % MICRO);
    while (text[length - 1] == '0' && text[length - 2] != '.')
        length--;
    buf_add(out, text, (size_t)length);
}

static void s_add_value(const writer_t *self, int64_t value)
{
    if (self->family->is_time)
        s_add_millionths(self->out, value);
    else
        buf_printf(self->out, "%" PRId64, value);
}

/* Up to the value: `name_suffix{part="edge",instance="edge-1",le="0.5",route="/"} `. */
static void s_begin_sample(const writer_t *self, const char *suffix, const char *le)
{
    buf_printf(self->out, "%s%s{part=\"%s\",instance=\"%s\"", self->family->name, suffix,
               self->view->part, self->view->instance);
    if (self->series->labels[0])
        buf_printf(self->out, ",%s", self->series->labels);
    if (le)
        buf_printf(self->out, ",le=\"%s\"", le);
    buf_add_text(self->out, "} ");
}

/* Help texts are one line (both formats escape alike; only OpenMetrics asks for the quote, too). */
static void s_add_help(const writer_t *self, const char *about)
{
    for (const char *at = about; *at; at++) {
        if (*at == '\\' || (*at == '"' && self->format == EXPOSITION_OPENMETRICS))
            buf_add_byte(self->out, '\\');
        if (*at == '\n')
            buf_add_text(self->out, "\\n");
        else
            buf_add_byte(self->out, (uint8_t)*at);
    }
}

static bool s_ends(const char *text, size_t size, const char *suffix)
{
    size_t length = strlen(suffix);
    return size > length && memcmp(text + size - length, suffix, length) == 0;
}

static void s_head(const writer_t *self)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    static const char *const units[] = { "_seconds", "_bytes" };
    const view_family_t *family = self->family;
    size_t size = strlen(family->name);
    bool is_open = self->format == EXPOSITION_OPENMETRICS;
    if (is_open && family->kind == STATS_COUNTER)
        size -= strlen("_total");
    buf_printf(self->out, "# HELP %.*s ", (int)size, family->name);
    s_add_help(self, family->about);
    buf_printf(self->out, ".\n# TYPE %.*s %s\n", (int)size, family->name, kinds[family->kind]);
    for (size_t i = 0; is_open && i < COUNT_OF(units); i++)
        if (s_ends(family->name, size, units[i]))
            buf_printf(self->out, "# UNIT %.*s %s\n", (int)size, family->name, units[i] + 1);
}

/* ---- histograms ----------------------------------------------------------------------------- */

/* Time was rounded down to whole microseconds: all that is in a bucket took less than its upper
 * end. A plain number is at most one less than that. */
static void s_write_bounds(bounds_t *self, const bounds_t *which, bool is_time)
{
    buf_t text = { 0 };
    *self = *which;
    for (uint32_t bucket = self->first, i = 0; bucket <= self->last; bucket += self->step, i++) {
        uint64_t upper = histogram_upper(bucket);
        text.size = 0;
        s_add_millionths(&text, is_time ? (int64_t)upper : (int64_t)((upper - 1) * MICRO));
        insist(i < BOUNDS_MAX && text.bytes && text.size < BOUND_SIZE);
        memcpy(self->texts[i], text.bytes, text.size);
    }
    buf_free(&text);
}

/* An example of what is above bucket `from` and not above `to`. */
static void s_add_exemplar(const writer_t *self, uint32_t from, uint32_t to)
{
    const view_series_t *series = self->series;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        const view_exemplar_t *at = &series->exemplars[i];
        uint32_t bucket = histogram_bucket(at->value);
        if (bucket < from || bucket > to)
            continue;
        buf_printf(self->out, " # {trace_id=\"%s\"} ", at->trace);
        s_add_value(self, (int64_t)at->value);
        buf_printf(self->out, " %" PRId64 ".%03d", at->wall_ms / 1000, (int)(at->wall_ms % 1000));
        return;
    }
}

/* The bucket of the histogram's buckets from `from` to `to`, `le` NULL for the last one; `*count`
 * and `*next` go on. */
static void s_bucket(const writer_t *self, uint32_t from, uint32_t to, const char *le,
                     uint64_t *count, size_t *next)
{
    const view_series_t *series = self->series;
    for (; *next < series->bucket_count && series->buckets[*next].index <= to; (*next)++)
        *count += series->buckets[*next].records;
    s_begin_sample(self, "_bucket", le ? le : "+Inf");
    buf_printf(self->out, "%" PRIu64, *count);
    if (self->format == EXPOSITION_OPENMETRICS)
        s_add_exemplar(self, from, to);
    buf_add_byte(self->out, '\n');
}

static void s_histogram(const writer_t *self)
{
    const bounds_t *bounds = self->family->is_time ? &self->time : &self->plain;
    uint64_t count = 0;
    size_t next = 0;
    uint32_t from = 0;
    for (uint32_t to = bounds->first, i = 0; to <= bounds->last; to += bounds->step, i++) {
        s_bucket(self, from, to, bounds->texts[i], &count, &next);
        from = to + 1;
    }
    s_bucket(self, from, HISTOGRAM_BUCKETS - 1, NULL, &count, &next);
    s_begin_sample(self, "_sum", NULL);
    s_add_value(self, (int64_t)self->series->sum);
    buf_add_byte(self->out, '\n');
    s_begin_sample(self, "_count", NULL);
    buf_printf(self->out, "%" PRIu64 "\n", count);
}

static void s_family(writer_t *self)
{
    for (size_t i = 0; i < self->family->count; i++) {
        self->series = &self->family->series[i];
        if (self->family->kind == STATS_HISTOGRAM) {
            s_histogram(self);
        } else {
            s_begin_sample(self, "", NULL);
            s_add_value(self, self->series->value);
            buf_add_byte(self->out, '\n');
        }
    }
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void s_write_up(const exposition_source_t *sources, size_t count, writer_t *writer)
{
    static const view_series_t states[] = { { .labels = "", .value = 0 },
                                            { .labels = "", .value = 1 } };
    static const view_family_t families[] = {
        { .name = VIEW_UP,
          .about = "Whether the instance is heard of",
          .kind = STATS_GAUGE,
          .series = &states[0],
          .count = 1 },
        { .name = VIEW_UP, .kind = STATS_GAUGE, .series = &states[1], .count = 1 },
    };
    writer->family = &families[0];
    s_head(writer);
    for (size_t i = 0; i < count; i++) {
        if (sources[i].has_left)
            continue;
        writer->view = sources[i].view;
        writer->family = &families[sources[i].is_up];
        s_family(writer);
    }
}

static int s_compare(const void *a, const void *b)
{
    const entry_t *left = a, *right = b;
    int names = strcmp(left->family->name, right->family->name);
    return names ? names : left->order < right->order ? -1 : left->order > right->order;
}

/* What a gauge shows is how it is now: of who is gone, nothing is known, and who was busy to the
 * last would seem to be so until it is forgotten. */
static bool s_is_told(const exposition_source_t *source, const view_family_t *family)
{
    return !source->is_large && (source->is_up || family->kind != STATS_GAUGE);
}

static entry_t *s_entries(const exposition_source_t *sources, size_t count, size_t *entry_count)
{
    size_t room = 0, made = 0;
    for (size_t i = 0; i < count; i++)
        room += sources[i].view->count;
    entry_t *entries = mem_array(room + 1, sizeof *entries);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sources[i].view->count; j++)
            if (s_is_told(&sources[i], &sources[i].view->families[j])) {
                entries[made] = (entry_t){ &sources[i].view->families[j], &sources[i], made };
                made++;
            }
    qsort(entries, made, sizeof *entries, s_compare);
    *entry_count = made;
    return entries;
}

/* OpenMetrics names a counter without its suffix: it must not be what another family is called. */
static bool s_clashes(const entry_t *entries, size_t count, const view_family_t *family)
{
    size_t size = strlen(family->name), low = 0, high = count;
    if (family->kind != STATS_COUNTER)
        return false;
    size -= strlen("_total");
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *name = entries[middle].family->name;
        int order = strncmp(name, family->name, size);
        if (order == 0 && name[size] == '\0')
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ---- how much that is ----------------------------------------------------------------------- */

#define LINE_BYTES     100 /* of a line, besides names and labels: at most */
#define EXEMPLAR_BYTES 110

static size_t s_family_bytes(const view_t *view, const view_family_t *family)
{
    const size_t lines = family->kind == STATS_HISTOGRAM ? BOUNDS_MAX + 3 : 1;
    const size_t names =
        LINE_BYTES + strlen(family->name) + strlen(view->part) + strlen(view->instance);
    size_t bytes = 3 * names + 2 * strlen(family->about);
    for (size_t i = 0; i < family->count; i++) {
        const view_series_t *series = &family->series[i];
        bytes += lines * (names + strlen(series->labels)) + series->exemplar_count * EXEMPLAR_BYTES;
    }
    return bytes;
}

static size_t s_bytes(const exposition_source_t *source)
{
    size_t bytes = 0;
    for (size_t i = 0; !source->is_large && i < source->view->count; i++)
        bytes += s_family_bytes(source->view, &source->view->families[i]);
    return bytes;
}

size_t exposition_bound(exposition_source_t *sources, size_t count, size_t most)
{
    size_t *bytes = mem_array(count + 1, sizeof *bytes), all = 0, large = 0;
    for (size_t i = 0; i < count; i++)
        all += bytes[i] = s_bytes(&sources[i]);
    for (; all > most; large++) {
        size_t largest = 0;
        for (size_t i = 1; i < count; i++)
            if (bytes[i] > bytes[largest])
                largest = i;
        all -= bytes[largest];
        bytes[largest] = 0;
        sources[largest].is_large = true;
    }
    mem_free(bytes);
    return large;
}

/* ---- the whole ------------------------------------------------------------------------------ */

void exposition_write(const exposition_source_t *sources, size_t count, exposition_format_t format,
                      buf_t *out)
{
    writer_t writer = { .out = out, .format = format };
    size_t entry_count;
    entry_t *entries = s_entries(sources, count, &entry_count);
    const view_family_t *head = NULL;
    bool clashes = false;
    s_write_bounds(&writer.time, &s_time, true);
    s_write_bounds(&writer.plain, &s_plain, false);
    s_write_up(sources, count, &writer);
    for (size_t i = 0; i < entry_count; i++) {
        writer.family = entries[i].family;
        writer.view = entries[i].source->view;
        if (!head || strcmp(head->name, writer.family->name) != 0) {
            head = writer.family;
            clashes = s_clashes(entries, entry_count, head);
            if (!clashes)
                s_head(&writer);
        }
        if (!clashes && head->kind == writer.family->kind)
            s_family(&writer);
    }
    if (format == EXPOSITION_OPENMETRICS)
        buf_add_text(out, "# EOF\n");
    mem_free(entries);
}
