/* SPDX-License-Identifier: MPL-2.0
 *
 * view - a snapshot as it is read: checked, and in a form that is quick to walk
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/buf.h"
#include "actors/base/id.h"
#include "proto/method.h"
#include "proto/value.h"
#include "proto/view.h"

#define NAME_MAX_BYTES  120
#define ABOUT_MAX_BYTES 400
#define INTERVAL_MAX_MS 3600000
#define TRACE_HEX_BYTES 32
#define SNAPSHOT_LIMITS ((value_limits_t){ .depth = 8, .nodes = 4000000 })
#define PRESET_INTERVAL 5000

/* ---- names and labels ----------------------------------------------------------------------- */

/* Names of families and labels (Prometheus, "Data model"), without the colon that is for rules. */
static bool s_is_name(const char *text, size_t size)
{
    if (size == 0 || size > NAME_MAX_BYTES || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static bool s_is_ours(const char *name)
{
    return strcmp(name, "part") == 0 || strcmp(name, "instance") == 0 || strcmp(name, "le") == 0 ||
           strncmp(name, "__", 2) == 0;
}

static void s_add_escaped(buf_t *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_add_byte(out, '\\');
        if (*text == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_byte(out, (uint8_t)*text);
    }
}

/* Puts a label among those before it, in the order of their names: the same labels are then the
 * same text, however they were sent. False when the name is there already. */
static bool s_add_label(view_series_t *series, view_label_t label)
{
    size_t at = series->pair_count++;
    for (; at > 0 && strcmp(series->pairs[at - 1].name, label.name) > 0; at--)
        series->pairs[at] = series->pairs[at - 1];
    series->pairs[at] = label;
    return at == 0 || strcmp(series->pairs[at - 1].name, label.name) != 0;
}

static bool s_read_pairs(arena_t *arena, view_series_t *series, const value_t *map)
{
    const value_t *key, *item;
    bool good = !map || value_is_type(map, VALUE_MAP);
    for (uint32_t i = 0; good && value_pair(map, i, &key, &item); i++) {
        good = series->pair_count < FAMILY_LABELS_MAX && s_is_name(key->text, key->count) &&
               value_is_type(item, VALUE_TEXT) && item->count <= FAMILY_VALUE_MAX;
        if (!good)
            break;
        const view_label_t label = { arena_text(arena, key->text, key->count),
                                     arena_text(arena, item->text, item->count) };
        good = !s_is_ours(label.name) && s_add_label(series, label);
    }
    return good;
}

static bool s_read_labels(arena_t *arena, view_series_t *series, const value_t *map)
{
    buf_t text = { 0 };
    if (!s_read_pairs(arena, series, map))
        return false;
    for (size_t i = 0; i < series->pair_count; i++) {
        buf_printf(&text, "%s%s=\"", i ? "," : "", series->pairs[i].name);
        s_add_escaped(&text, series->pairs[i].value);
        buf_add_byte(&text, '"');
    }
    series->labels = arena_text(arena, text.bytes, text.size);
    buf_free(&text);
    return true;
}

/* ---- values --------------------------------------------------------------------------------- */

static bool s_read_buckets(arena_t *arena, view_series_t *series, const value_t *map)
{
    const value_t *list = value_get(map, "buckets");
    if (!value_is_type(list, VALUE_ARRAY) || list->count % 2 || list->count > 2 * HISTOGRAM_BUCKETS)
        return false;
    series->bucket_count = list->count / 2;
    view_bucket_t *buckets = arena_array(arena, series->bucket_count, sizeof *buckets);
    for (uint32_t i = 0; i < series->bucket_count; i++) {
        const value_t *index = &list->items[2 * (size_t)i], *records = index + 1;
        if (index->type != VALUE_INT || records->type != VALUE_INT || records->integer < 0 ||
            index->integer < 0 || index->integer >= HISTOGRAM_BUCKETS ||
            (i && index->integer <= (int64_t)buckets[i - 1].index) ||
            __builtin_add_overflow(series->count, (uint64_t)records->integer, &series->count))
            return false;
        buckets[i] = (view_bucket_t){ (uint32_t)index->integer, (uint64_t)records->integer };
    }
    series->buckets = buckets;
    int64_t sum = value_get_int(map, "sum", -1);
    series->sum = (uint64_t)sum;
    return sum >= 0;
}

static bool s_is_trace(const value_t *text)
{
    if (!value_is_type(text, VALUE_TEXT) || text->count != TRACE_HEX_BYTES)
        return false;
    for (uint32_t i = 0; i < text->count; i++)
        if (!isxdigit((unsigned char)text->text[i]))
            return false;
    return true;
}

/* Examples are an extra: one that cannot be read is passed over. */
static void s_read_exemplars(arena_t *arena, view_series_t *series, const value_t *list)
{
    const value_t *item;
    if (!value_is_type(list, VALUE_ARRAY) || list->count == 0 || list->count > VIEW_EXEMPLARS_MAX)
        return;
    view_exemplar_t *exemplars = arena_array(arena, list->count, sizeof *exemplars);
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        const value_t *trace = value_item(item, 0), *value = value_item(item, 1),
                      *time = value_item(item, 2);
        if (!s_is_trace(trace) || !value_is_type(value, VALUE_INT) || value->integer < 0 ||
            !value_is_type(time, VALUE_INT) || time->integer < 0)
            continue;
        exemplars[series->exemplar_count++] = (view_exemplar_t){
            .octave = histogram_bucket((uint64_t)value->integer) / HISTOGRAM_SUB,
            .trace = arena_text(arena, trace->text, trace->count),
            .value = (uint64_t)value->integer,
            .wall_ms = time->integer,
        };
    }
    series->exemplars = exemplars;
}

static bool s_read_series(arena_t *arena, view_series_t *series, stats_kind_t kind,
                          const value_t *map)
{
    const value_t *value = value_get(map, "value");
    if (!value_is_type(map, VALUE_MAP) || !s_read_labels(arena, series, value_get(map, "labels")))
        return false;
    if (kind == STATS_HISTOGRAM) {
        s_read_exemplars(arena, series, value_get(map, "exemplars"));
        return s_read_buckets(arena, series, map);
    }
    if (!value_is_type(value, VALUE_INT) || (kind == STATS_COUNTER && value->integer < 0))
        return false;
    series->value = value->integer;
    return true;
}

/* ---- families ------------------------------------------------------------------------------- */

static bool s_read_kind(const value_t *kind, stats_kind_t *out)
{
    *out = value_is(kind, "counter")     ? STATS_COUNTER
           : value_is(kind, "gauge")     ? STATS_GAUGE
           : value_is(kind, "histogram") ? STATS_HISTOGRAM
                                         : STATS_TRACED;
    return *out != STATS_TRACED;
}

static bool s_ends(const char *text, size_t size, const char *suffix)
{
    size_t length = strlen(suffix);
    return size > length && memcmp(text + size - length, suffix, length) == 0;
}

/* A counter's name ends in _total and no other's does. What OpenMetrics calls it, a counter without
 * that, must be nobody else's: suffixes that are added to names are nobody's, and our own name is
 * ours. One clash, and Prometheus takes nothing of all that is told. */
static bool s_is_apt(const view_t *self, const view_family_t *family)
{
    static const char *const added[] = { "_total", "_bucket", "_sum", "_count", "_created" };
    const bool is_counter = family->kind == STATS_COUNTER;
    size_t size = strlen(family->name);
    if (is_counter && !s_ends(family->name, size, "_total"))
        return false;
    size -= is_counter ? strlen("_total") : 0;
    for (size_t i = 0; i < COUNT_OF(added); i++)
        if (s_ends(family->name, size, added[i]))
            return false;
    return !(size == strlen(VIEW_UP) && memcmp(family->name, VIEW_UP, size) == 0) &&
           !view_family(self, family->name);
}

static int s_compare_series(const void *a, const void *b)
{
    const view_series_t *left = a, *right = b;
    return strcmp(left->labels, right->labels);
}

/* Sorts them, and says whether one stands there twice. */
static bool s_repeats(view_series_t *series, size_t count)
{
    bool repeats = false;
    if (count < 2)
        return false;
    qsort(series, count, sizeof *series, s_compare_series);
    for (size_t i = 1; i < count; i++)
        repeats |= strcmp(series[i - 1].labels, series[i].labels) == 0;
    return repeats;
}

/* Room is made for what a snapshot may still have, never for what one declares: whatever stands in
 * the list takes a place, good or not. */
static view_series_t *s_read_list(view_t *self, view_family_t *family, const value_t *list)
{
    const size_t left = VIEW_SERIES_MAX - self->places;
    const size_t room = list->count < left ? list->count : left;
    view_series_t *series = arena_array(&self->arena, room, sizeof *series);
    self->places += room;
    self->left_out += list->count - room;
    for (uint32_t i = 0; i < room; i++) {
        view_series_t *at = &series[family->count];
        *at = (view_series_t){ 0 };
        if (s_read_series(&self->arena, at, family->kind, &list->items[i]))
            family->count++;
        else
            self->left_out++;
    }
    return series;
}

static bool s_read_family(view_t *self, view_family_t *family, const value_t *map)
{
    size_t size, about_size;
    const value_t *list = value_get(map, "series");
    const char *name = value_get_text(map, "name", &size);
    const char *about = value_get_text(map, "about", &about_size);
    if (!name || !s_is_name(name, size) || !about || about_size > ABOUT_MAX_BYTES ||
        !s_read_kind(value_get(map, "kind"), &family->kind) || !value_is_type(list, VALUE_ARRAY))
        return false;
    family->name = arena_text(&self->arena, name, size);
    family->about = arena_text(&self->arena, about, about_size);
    family->is_time = stats_is_time(name, size);
    if (!s_is_apt(self, family))
        return false;
    view_series_t *series = s_read_list(self, family, list);
    family->series = series;
    if (s_repeats(series, family->count))
        return false;
    self->series_count += family->count;
    return true;
}

static bool s_read_head(view_t *self, const value_t *map)
{
    int64_t boot = value_get_int(map, "boot", 0), sequence = value_get_int(map, "sequence", 0);
    int64_t interval = value_get_int(map, "interval_ms", PRESET_INTERVAL);
    self->part = value_dup_text(&self->arena, map, "part");
    self->instance = value_dup_text(&self->arena, map, "instance");
    self->boot = (uint64_t)boot;
    self->sequence = (uint64_t)sequence;
    self->interval_ms = (uint32_t)interval;
    self->is_last = value_get_bool(map, "last", false);
    return self->part && self->instance && boot > 0 && sequence > 0 && interval > 0 &&
           interval <= INTERVAL_MAX_MS &&
           id_is_name(self->part, strlen(self->part), METHOD_NAME_BYTES) &&
           id_is_name(self->instance, strlen(self->instance), ID_INSTANCE_SIZE);
}

static void s_read_families(view_t *self, const value_t *list)
{
    const value_t *item;
    uint32_t room = value_is_type(list, VALUE_ARRAY) ? list->count : 0;
    if (room > VIEW_FAMILIES_MAX)
        room = VIEW_FAMILIES_MAX;
    view_family_t *families = arena_array(&self->arena, room, sizeof *families);
    self->families = families;
    for (uint32_t i = 0; i < room && (item = value_item(list, i)); i++) {
        view_family_t *at = &families[self->count];
        *at = (view_family_t){ 0 };
        if (s_read_family(self, at, item))
            self->count++;
        else
            self->left_out++;
    }
}

view_t *view_read(const void *bytes, size_t size)
{
    arena_t scratch = { 0 };
    value_verdict_t verdict;
    view_t *self = mem_zeroed(sizeof *self);
    self->references = 1;
    const value_t *map = size > VIEW_BYTES_MAX
                             ? NULL
                             : value_parse(&scratch, bytes, size, SNAPSHOT_LIMITS, &verdict);
    if (map && s_read_head(self, map))
        s_read_families(self, value_get(map, "families"));
    else
        view_drop(&self);
    arena_free(&scratch);
    if (self)
        self->bytes = sizeof *self + arena_bytes(&self->arena);
    return self;
}

view_t *view_hold(view_t *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void view_drop(view_t **self_p)
{
    view_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub(&self->references, 1) > 1)
        return;
    arena_free(&self->arena);
    mem_free(self);
}

/* ---- looking up ----------------------------------------------------------------------------- */

const view_family_t *view_family(const view_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->families[i].name, name) == 0)
            return &self->families[i];
    return NULL;
}

const view_series_t *view_series(const view_family_t *self, const char *labels)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(self->series[middle].labels, labels);
        if (order == 0)
            return &self->series[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *view_label(const view_series_t *series, const char *name)
{
    for (size_t i = 0; i < series->pair_count; i++)
        if (strcmp(series->pairs[i].name, name) == 0)
            return series->pairs[i].value;
    return "";
}
