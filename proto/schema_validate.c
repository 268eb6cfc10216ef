/* SPDX-License-Identifier: MPL-2.0
 *
 * schema_validate - walks a value and a compiled schema side by side
 */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "proto/schema_tree.h"

/* Where the walk stands, as a chain on the stack: written out as a pointer only for an error. */
typedef struct place {
    const struct place *parent;
    const char *name; /* of a member, or NULL for the item `index` */
    uint32_t size;
    uint32_t index;
} place_t;

typedef struct {
    schema_errors_t *errors; /* NULL: the first error decides */
    bool valid;
} validator_t;

static void s_check(validator_t *self, const schema_t *schema, const value_t *value,
                    const place_t *place);

/* RFC 6901: "~" and "/" in names are escaped. Cut names keep the pointer within its size. */
static size_t s_write_pointer(const place_t *place, char *to, size_t room)
{
    if (!place->parent)
        return 0;
    size_t used = s_write_pointer(place->parent, to, room);
    char token[64];
    size_t size = 0;
    token[size++] = '/';
    if (!place->name) {
        size += (size_t)snprintf(token + 1, sizeof token - 1, "%u", place->index);
    } else {
        for (uint32_t i = 0; i < place->size && size < sizeof token - 2; i++) {
            char c = place->name[i];
            if (c == '~' || c == '/') {
                token[size++] = '~';
                c = c == '~' ? '0' : '1';
            }
            token[size++] = c;
        }
    }
    if (used + size >= room)
        return used;
    memcpy(to + used, token, size);
    return used + size;
}

static void s_error(validator_t *self, const place_t *place, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void s_error(validator_t *self, const place_t *place, const char *format, ...)
{
    self->valid = false;
    if (!self->errors || self->errors->count >= SCHEMA_ERRORS_MAX)
        return;
    schema_error_t *error = &self->errors->list[self->errors->count++];
    size_t size = s_write_pointer(place, error->pointer, sizeof error->pointer);
    error->pointer[size] = '\0';
    va_list args;
    va_start(args, format);
    vsnprintf(error->why, sizeof error->why, format, args);
    va_end(args);
}

static unsigned s_type_of(const value_t *value)
{
    switch ((value_type_t)value->type) {
    case VALUE_NIL:
        return SCHEMA_NULL;
    case VALUE_BOOL:
        return SCHEMA_BOOLEAN;
    case VALUE_INT:
    case VALUE_UINT:
        return SCHEMA_INTEGER;
    case VALUE_FLOAT: /* 1.0 is an integer in JSON Schema's data model */
        return isfinite(value->number) && value->number == trunc(value->number)
                   ? SCHEMA_INTEGER | SCHEMA_NUMBER
                   : SCHEMA_NUMBER;
    case VALUE_TEXT:
        return SCHEMA_STRING;
    case VALUE_ARRAY:
        return SCHEMA_ARRAY;
    case VALUE_MAP:
        return SCHEMA_OBJECT;
    case VALUE_BINARY: /* no JSON type: only fits where any type does */
        break;
    }
    return 0;
}

static void s_type_error(validator_t *self, const schema_t *schema, const place_t *place)
{
    static const char *const names[] = { "null",   "a boolean", "an integer", "a number",
                                         "a text", "an array",  "an object" };
    char list[100] = "";
    size_t used = 0;
    unsigned types = schema->types;
    if (types & SCHEMA_NUMBER)
        types &= ~(unsigned)SCHEMA_INTEGER;
    for (unsigned i = 0; i < COUNT_OF(names); i++)
        if (types & (1u << i))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? " or " : "",
                                     names[i]);
    s_error(self, place, "must be %s", list);
}

static void s_check_number(validator_t *self, const schema_t *schema, const value_t *value,
                           const place_t *place)
{
    double number = value_as_double(value);
    if (schema->has_minimum &&
        (schema->exclusive_minimum ? number <= schema->minimum : number < schema->minimum))
        s_error(self, place, "must be %s %.15g", schema->exclusive_minimum ? "above" : "at least",
                schema->minimum);
    if (schema->has_maximum &&
        (schema->exclusive_maximum ? number >= schema->maximum : number > schema->maximum))
        s_error(self, place, "must be %s %.15g", schema->exclusive_maximum ? "below" : "at most",
                schema->maximum);
    if (schema->multiple_of > 0) {
        /* 0.3 is a multiple of 0.1 although neither is exact: compare with the rounding of both */
        double factor = number / schema->multiple_of;
        if (fabs(factor - nearbyint(factor)) > 1e-9 * fmax(1.0, fabs(factor)))
            s_error(self, place, "must be a multiple of %.15g", schema->multiple_of);
    }
}

static bool s_matches(const schema_t *schema, const value_t *value)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_set_match_limit(context, SCHEMA_MATCH_STEPS);
    pcre2_set_depth_limit(context, SCHEMA_MATCH_DEPTH);
    pcre2_set_heap_limit(context, SCHEMA_MATCH_HEAP_KIB);
    int found = pcre2_match(schema->pattern, (PCRE2_SPTR)value->text, value->count, 0,
                            PCRE2_NO_UTF_CHECK, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return found >= 0;
}

static void s_check_text(validator_t *self, const schema_t *schema, const value_t *value,
                         const place_t *place)
{
    if (schema->types != SCHEMA_ANY && memchr(value->text, '\0', value->count))
        s_error(self, place, "must not hold U+0000");
    if (schema->min_length > 0 || schema->max_length < value->count) {
        size_t length = text_utf8_length(value->text, value->count);
        if (length < schema->min_length)
            s_error(self, place, "must have at least %llu characters",
                    (unsigned long long)schema->min_length);
        if (length > schema->max_length) {
            s_error(self, place, "must have at most %llu characters",
                    (unsigned long long)schema->max_length);
            return; /* a text that is too long is not worth matching */
        }
    }
    if (schema->format && !schema->format(value->text, value->count))
        s_error(self, place, "must be a valid %s", schema->format_name);
    if (schema->pattern && !s_matches(schema, value))
        s_error(self, place, "must match %.120s", schema->pattern_text);
}

/* Every pair is compared, so the work is bounded before: larger arrays need maxItems. */
#define UNIQUE_ITEMS_MAX 1000

static void s_check_unique(validator_t *self, const value_t *value, const place_t *place)
{
    if (value->count > UNIQUE_ITEMS_MAX) {
        s_error(self, place, "must have at most %d items, which have to differ", UNIQUE_ITEMS_MAX);
        return;
    }
    for (uint32_t i = 1; i < value->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (value_equal(&value->items[i], &value->items[j])) {
                s_error(self, place, "items %u and %u are the same", j, i);
                return;
            }
}

static void s_check_array(validator_t *self, const schema_t *schema, const value_t *value,
                          const place_t *place)
{
    if (value->count < schema->min_items)
        s_error(self, place, "must have at least %llu items",
                (unsigned long long)schema->min_items);
    if (value->count > schema->max_items) {
        s_error(self, place, "must have at most %llu items", (unsigned long long)schema->max_items);
        return;
    }
    if (schema->unique_items)
        s_check_unique(self, value, place);
    if (!schema->items)
        return;
    for (uint32_t i = 0; i < value->count; i++)
        s_check(self, schema->items, &value->items[i], &(place_t){ .parent = place, .index = i });
}

static const schema_property_t *s_property(const schema_t *schema, const char *name, size_t size)
{
    for (uint32_t i = 0; i < schema->property_count; i++) {
        const schema_property_t *property = &schema->properties[i];
        if (property->size == size && memcmp(property->name, name, size) == 0)
            return property;
    }
    return NULL;
}

static void s_check_object(validator_t *self, const schema_t *schema, const value_t *value,
                           const place_t *place)
{
    const value_t *key, *item;
    for (uint32_t i = 0; i < schema->property_count; i++) {
        const schema_property_t *property = &schema->properties[i];
        if (property->required && !value_get_sized(value, property->name, property->size))
            s_error(self,
                    &(place_t){ .parent = place, .name = property->name, .size = property->size },
                    "is required");
    }
    if (!schema->property_count && !schema->closed && !schema->additional)
        return;
    for (uint32_t i = 0; value_pair(value, i, &key, &item); i++) {
        const place_t inside = { .parent = place, .name = key->text, .size = key->count };
        const schema_property_t *property = s_property(schema, key->text, key->count);
        if (property) {
            if (property->schema)
                s_check(self, property->schema, item, &inside);
        } else if (schema->closed) {
            s_error(self, &inside, "is not a field here");
        } else if (schema->additional) {
            s_check(self, schema->additional, item, &inside);
        }
    }
}

static bool s_fits(const schema_t *schema, const value_t *value)
{
    validator_t alone = { .valid = true };
    s_check(&alone, schema, value, &(place_t){ 0 });
    return alone.valid;
}

static void s_check_choices(validator_t *self, const schema_t *schema, const value_t *value,
                            const place_t *place)
{
    bool found = !schema->choices;
    for (uint32_t i = 0; !found && i < schema->choices->count; i++)
        found = value_equal(value, &schema->choices->items[i]);
    if (!found) {
        char list[120] = "";
        size_t used = 0;
        for (uint32_t i = 0; i < schema->choices->count && used < sizeof list; i++) {
            const value_t *choice = &schema->choices->items[i];
            if (choice->type == VALUE_TEXT)
                used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s",
                                         used ? ", " : "", (int)choice->count, choice->text);
        }
        s_error(self, place, "must be one of: %s", list);
    }
    if (schema->constant && !value_equal(value, schema->constant))
        s_error(self, place, "is not the one value that is allowed");
    if (schema->any_of_count) {
        for (uint32_t i = 0; i < schema->any_of_count; i++)
            if (s_fits(schema->any_of[i], value))
                return;
        s_error(self, place, "fits none of the %u alternatives", schema->any_of_count);
    }
}

static void s_check(validator_t *self, const schema_t *schema, const value_t *value,
                    const place_t *place)
{
    if (!self->valid && (!self->errors || self->errors->count >= SCHEMA_ERRORS_MAX))
        return; /* nobody wants to know more */
    if (schema->ref)
        s_check(self, schema->ref, value, place);
    if (schema->types != SCHEMA_ANY && !(schema->types & s_type_of(value))) {
        s_type_error(self, schema, place);
        return;
    }
    if (schema->choices || schema->constant || schema->any_of_count)
        s_check_choices(self, schema, value, place);
    switch ((value_type_t)value->type) {
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_FLOAT:
        s_check_number(self, schema, value, place);
        break;
    case VALUE_TEXT:
        s_check_text(self, schema, value, place);
        break;
    case VALUE_ARRAY:
        s_check_array(self, schema, value, place);
        break;
    case VALUE_MAP:
        s_check_object(self, schema, value, place);
        break;
    default:
        break;
    }
}

bool schema_validate(const schema_t *schema, const value_t *value, schema_errors_t *errors)
{
    validator_t validator = { .errors = errors, .valid = true };
    if (errors)
        errors->count = 0;
    s_check(&validator, schema, value, &(place_t){ 0 });
    return validator.valid;
}

const schema_t *schema_property(const schema_t *schema, const char *name, size_t size)
{
    for (; schema; schema = schema->ref) {
        const schema_property_t *property = s_property(schema, name, size);
        if (property)
            return property->schema;
    }
    return NULL;
}

unsigned schema_types(const schema_t *schema)
{
    unsigned types = SCHEMA_ANY;
    for (; schema; schema = schema->ref)
        types &= schema->types;
    return types;
}

const schema_t *schema_items(const schema_t *schema)
{
    for (; schema; schema = schema->ref)
        if (schema->items)
            return schema->items;
    return NULL;
}
