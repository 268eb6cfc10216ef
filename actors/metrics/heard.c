/* SPDX-License-Identifier: MPL-2.0
 *
 * heard - a span as another part has told it on the topic `trace`
 */
#include "config.h"

#include "actors/base/redact.h"
#include "actors/base/text.h"
#include "actors/metrics/heard.h"

/* Collectors count nanoseconds in 64 bits: the last microsecond of that is in the year 2554. One
 * span behind it, and they refuse the body with all that is in it. */
#define LAST_US ((int64_t)(UINT64_MAX / 1000))

const char *const heard_kinds[HEARD_KINDS] = { "unspecified", "internal", "server",
                                               "client",      "producer", "consumer" };

static bool s_is_text(const value_t *value)
{
    return value_is_type(value, VALUE_TEXT) && value->count <= HEARD_TEXT_BYTES &&
           text_is_utf8(value->text, value->count);
}

static bool s_is_name(const value_t *value)
{
    return s_is_text(value) && value->count > 0;
}

/* An id of so many bytes, which are not all zeros. */
static bool s_is_id(const value_t *value, size_t bytes)
{
    bool is_zero = true;
    if (!value_is_type(value, VALUE_TEXT) || value->count != 2 * bytes)
        return false;
    for (uint32_t i = 0; i < value->count; i++) {
        if (!memchr("0123456789abcdef", value->text[i], 16))
            return false;
        is_zero &= value->text[i] == '0';
    }
    return !is_zero;
}

static bool s_are_attributes(const value_t *map)
{
    if (!value_is_type(map, VALUE_MAP) || map->count > HEARD_ATTRIBUTES_MAX)
        return false;
    for (uint32_t i = 0; i < map->count; i++) {
        const value_t *key = &map->items[2 * i], *value = key + 1;
        if (!s_is_name(key) || (!s_is_text(value) && !value_is_type(value, VALUE_INT)))
            return false;
    }
    return true;
}

/* ---- secrets -------------------------------------------------------------------------------- */

/* Who may look at a trace may not see all that a service tells with it, nor may a collector. */
static const value_t *s_hide_text(arena_t *arena, const value_t *text, bool is_secret)
{
    redact_span_t span;
    buf_t shown = { 0 };
    if (is_secret)
        buf_add_text(&shown, REDACT_MASK);
    else if (redact_next(text->text, text->count, 0, &span))
        redact_text(text->text, text->count, &shown);
    else
        return text;
    value_t *hidden = arena_alloc(arena, sizeof *hidden);
    *hidden = (value_t){ .type = VALUE_TEXT,
                         .count = (uint32_t)shown.size,
                         .text = arena_text(arena, shown.bytes, shown.size) };
    buf_free(&shown);
    return hidden;
}

/* The same map, or a copy without them. */
static const value_t *s_hide(arena_t *arena, const value_t *map)
{
    value_t *copy = NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        const value_t *key = &map->items[2 * i], *value = key + 1;
        if (!value_is_type(value, VALUE_TEXT))
            continue;
        const value_t *shown =
            s_hide_text(arena, value, redact_is_secret_key(key->text, key->count));
        if (shown == value)
            continue;
        if (!copy) {
            copy = arena_alloc(arena, sizeof *copy + 2 * (size_t)map->count * sizeof *copy);
            *copy = *map;
            copy->items = memcpy(copy + 1, map->items, 2 * (size_t)map->count * sizeof *copy);
        }
        copy[1 + 2 * i + 1] = *shown;
    }
    return copy ? copy : map;
}

/* ---- reading -------------------------------------------------------------------------------- */

bool heard_read_batch(heard_batch_t *self, const value_t *body)
{
    *self = (heard_batch_t){ .part = value_get(body, "part"),
                             .instance = value_get(body, "instance"),
                             .spans = value_get(body, "spans") };
    return s_is_name(self->part) && s_is_name(self->instance) &&
           value_is_type(self->spans, VALUE_ARRAY) && self->spans->count <= HEARD_SPANS_MAX;
}

bool heard_read(heard_t *self, arena_t *arena, const value_t *span)
{
    const int64_t kind = value_get_int(span, "kind", 0);
    const value_t *parent = value_get(span, "parent_id");
    *self = (heard_t){ .trace_id = value_get(span, "trace_id"),
                       .id = value_get(span, "id"),
                       .parent_id = value_is_type(parent, VALUE_NIL) ? NULL : parent,
                       .name = value_get(span, "name"),
                       .kind = (uint8_t)kind,
                       .is_failed = value_get_bool(span, "is_failed", false),
                       .start_us = value_get_int(span, "start_us", -1),
                       .duration_us = value_get_int(span, "duration_us", -1),
                       .attributes = value_get(span, "attributes") };
    const bool good =
        s_is_id(self->trace_id, TRACE_ID_BYTES) && s_is_id(self->id, TRACE_SPAN_BYTES) &&
        (!self->parent_id || s_is_id(self->parent_id, TRACE_SPAN_BYTES)) &&
        trace_read_id(self->trace, self->trace_id->text, self->trace_id->count) &&
        s_is_name(self->name) && kind >= 0 && kind < HEARD_KINDS && self->start_us > 0 &&
        self->duration_us >= 0 && self->start_us <= LAST_US &&
        self->duration_us <= LAST_US - self->start_us && s_are_attributes(self->attributes);
    if (good) {
        self->name = s_hide_text(arena, self->name, false);
        self->attributes = s_hide(arena, self->attributes);
    }
    return good;
}
