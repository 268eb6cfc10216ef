/* SPDX-License-Identifier: MPL-2.0
 *
 * schema_keywords - one function a keyword, listed in a table at the end
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "actors/base/text.h"
#include "proto/schema_keywords.h"

#define REF_PREFIX "#/components/schemas/"

static unsigned s_type_bit(const value_t *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = { { "null", SCHEMA_NULL },       { "boolean", SCHEMA_BOOLEAN },
                  { "integer", SCHEMA_INTEGER }, { "number", SCHEMA_NUMBER | SCHEMA_INTEGER },
                  { "string", SCHEMA_STRING },   { "array", SCHEMA_ARRAY },
                  { "object", SCHEMA_OBJECT } };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (value_is(name, types[i].name))
            return types[i].bits;
    return 0;
}

static bool k_type(schema_set_t *self, schema_t *schema, const value_t *value)
{
    unsigned types = s_type_bit(value);
    const value_t *name;
    for (uint32_t i = 0; (name = value_item(value, i)); i++) {
        if (!s_type_bit(name))
            return schema_refuse(self, "type: unknown type in the list");
        types |= s_type_bit(name);
    }
    schema->types = types;
    return types || schema_refuse(self, "type: neither a JSON type nor a list of them");
}

/* The property of that name; made when it is not there yet, since properties and required come in
 * any order. */
static schema_property_t *s_add_property(schema_t *schema, const value_t *name)
{
    for (uint32_t i = 0; i < schema->property_count; i++) {
        schema_property_t *property = &schema->properties[i];
        if (property->size == name->count && memcmp(property->name, name->text, name->count) == 0)
            return property;
    }
    schema_property_t *property = &schema->properties[schema->property_count++];
    *property = (schema_property_t){ .name = name->text, .size = name->count };
    return property;
}

static bool k_properties(schema_set_t *self, schema_t *schema, const value_t *value)
{
    const value_t *name, *source;
    if (value->type != VALUE_MAP)
        return schema_refuse(self, "properties: must be an object");
    for (uint32_t i = 0; value_pair(value, i, &name, &source); i++) {
        schema_property_t *property = s_add_property(schema, name);
        property->schema = schema_compile_one(self, source);
        if (!property->schema)
            return false;
    }
    return true;
}

static bool k_required(schema_set_t *self, schema_t *schema, const value_t *value)
{
    const value_t *name;
    if (value->type != VALUE_ARRAY)
        return schema_refuse(self, "required: must be a list of names");
    for (uint32_t i = 0; (name = value_item(value, i)); i++) {
        if (name->type != VALUE_TEXT)
            return schema_refuse(self, "required: must be a list of names");
        s_add_property(schema, name)->required = true;
    }
    return true;
}

static bool k_additional(schema_set_t *self, schema_t *schema, const value_t *value)
{
    if (value->type == VALUE_BOOL) {
        schema->closed = !value->truth;
        return true;
    }
    schema->additional = schema_compile_one(self, value);
    return schema->additional != NULL;
}

static bool k_enum(schema_set_t *self, schema_t *schema, const value_t *value)
{
    if (value->type != VALUE_ARRAY || value->count == 0)
        return schema_refuse(self, "enum: must be a list with at least one value");
    schema->choices = value;
    return true;
}

static bool k_const(schema_set_t *self, schema_t *schema, const value_t *value)
{
    (void)self;
    schema->constant = value;
    return true;
}

static bool s_bound(schema_set_t *self, const char *keyword, const value_t *value, double *bound)
{
    if (!value_is_number(value))
        return schema_refuse(self, "%s: must be a number", keyword);
    *bound = value_as_double(value);
    return true;
}

/* The inclusive and the exclusive bound may both be given; the stricter one is kept. */
static bool s_minimum(schema_set_t *self, schema_t *schema, const char *keyword,
                      const value_t *value, bool exclusive)
{
    double bound = 0;
    if (!s_bound(self, keyword, value, &bound))
        return false;
    if (!schema->has_minimum || bound > schema->minimum ||
        (bound == schema->minimum && exclusive)) {
        schema->minimum = bound;
        schema->exclusive_minimum = exclusive;
    }
    schema->has_minimum = true;
    return true;
}

static bool s_maximum(schema_set_t *self, schema_t *schema, const char *keyword,
                      const value_t *value, bool exclusive)
{
    double bound = 0;
    if (!s_bound(self, keyword, value, &bound))
        return false;
    if (!schema->has_maximum || bound < schema->maximum ||
        (bound == schema->maximum && exclusive)) {
        schema->maximum = bound;
        schema->exclusive_maximum = exclusive;
    }
    schema->has_maximum = true;
    return true;
}

static bool k_minimum(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_minimum(self, schema, "minimum", value, false);
}

static bool k_exclusive_minimum(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_minimum(self, schema, "exclusiveMinimum", value, true);
}

static bool k_maximum(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_maximum(self, schema, "maximum", value, false);
}

static bool k_exclusive_maximum(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_maximum(self, schema, "exclusiveMaximum", value, true);
}

static bool k_multiple_of(schema_set_t *self, schema_t *schema, const value_t *value)
{
    if (!s_bound(self, "multipleOf", value, &schema->multiple_of))
        return false;
    return schema->multiple_of > 0 || schema_refuse(self, "multipleOf: must be above 0");
}

static bool s_count(schema_set_t *self, const char *keyword, const value_t *value, uint64_t *count)
{
    if (value->type != VALUE_INT || value->integer < 0)
        return schema_refuse(self, "%s: must be a whole number from 0", keyword);
    *count = value->natural;
    return true;
}

static bool k_min_length(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_count(self, "minLength", value, &schema->min_length);
}

static bool k_max_length(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_count(self, "maxLength", value, &schema->max_length);
}

static bool k_min_items(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_count(self, "minItems", value, &schema->min_items);
}

static bool k_max_items(schema_set_t *self, schema_t *schema, const value_t *value)
{
    return s_count(self, "maxItems", value, &schema->max_items);
}

static bool k_unique_items(schema_set_t *self, schema_t *schema, const value_t *value)
{
    if (value->type != VALUE_BOOL)
        return schema_refuse(self, "uniqueItems: must be true or false");
    schema->unique_items = value->truth;
    return true;
}

static bool k_items(schema_set_t *self, schema_t *schema, const value_t *value)
{
    schema->items = schema_compile_one(self, value);
    return schema->items != NULL;
}

static bool k_format(schema_set_t *self, schema_t *schema, const value_t *value)
{
    if (value->type != VALUE_TEXT)
        return schema_refuse(self, "format: must be a text");
    schema->format = format_find(value->text, value->count);
    schema->format_name = arena_text(self->arena, value->text, value->count);
    return schema->format ||
           schema_refuse(self, "format: '%.40s' is not supported", schema->format_name);
}

static bool k_pattern(schema_set_t *self, schema_t *schema, const value_t *value)
{
    int code;
    size_t offset;
    uint32_t back_references = 0;
    if (value->type != VALUE_TEXT || value->count > SCHEMA_PATTERN_BYTES)
        return schema_refuse(self, "pattern: must be a text of at most %d bytes",
                             SCHEMA_PATTERN_BYTES);
    if (!self->context) {
        self->context = pcre2_compile_context_create(NULL);
        pcre2_set_parens_nest_limit(self->context, SCHEMA_PATTERN_NEST);
    }
    /* PCRE2_UTF makes '.' a code point; the subject is known to be UTF-8 when it is matched */
    schema->pattern = pcre2_compile((PCRE2_SPTR)value->text, value->count,
                                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset,
                                    self->context);
    if (!schema->pattern) {
        char message[96];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
        return schema_refuse(self, "pattern: at %zu: %s", offset, message);
    }
    code_link_t *link = arena_alloc(self->arena, sizeof *link);
    link->code = schema->pattern;
    link->next = self->codes;
    self->codes = link;
    schema->pattern_text = arena_text(self->arena, value->text, value->count);
    pcre2_pattern_info(schema->pattern, PCRE2_INFO_BACKREFMAX, &back_references);
    return back_references == 0 ||
           schema_refuse(self, "pattern: back-references are not supported");
}

/* Whether a schema has others for what is inside a value. */
bool schema_goes_inside(const value_t *source)
{
    return value_get(source, "properties") || value_get(source, "items") ||
           value_is_type(value_get(source, "additionalProperties"), VALUE_MAP);
}

static bool k_any_of(schema_set_t *self, schema_t *schema, const value_t *value)
{
    const value_t *source;
    if (value->type != VALUE_ARRAY || value->count == 0)
        return schema_refuse(self, "anyOf: must be a list with at least one schema");
    schema->any_of = arena_array(self->arena, value->count, sizeof *schema->any_of);
    for (uint32_t i = 0; (source = value_item(value, i)); i++) {
        /* alternatives inside alternatives would make validation exponential */
        if (value_get(source, "anyOf") || value_get(source, "$ref") || schema_goes_inside(source))
            return schema_refuse(self, "anyOf: only simple types are supported as alternatives");
        schema->any_of[i] = schema_compile_one(self, source);
        if (!schema->any_of[i])
            return false;
    }
    schema->any_of_count = value->count;
    return true;
}

static bool k_ref(schema_set_t *self, schema_t *schema, const value_t *value)
{
    const size_t prefix = strlen(REF_PREFIX);
    if (value->type != VALUE_TEXT || value->count <= prefix ||
        memcmp(value->text, REF_PREFIX, prefix) != 0)
        return schema_refuse(self, "$ref: only " REF_PREFIX "NAME is supported");
    for (uint32_t i = 0; i < self->component_count; i++) {
        component_t *component = &self->components[i];
        if (component->name->count != value->count - prefix ||
            memcmp(component->name->text, value->text + prefix, value->count - prefix) != 0)
            continue;
        if (!component->schema) {
            component->schema = arena_alloc(self->arena, sizeof(schema_t));
            if (!schema_compile_into(self, component->schema, component->source))
                return false;
        }
        schema->ref = component->schema;
        return true;
    }
    return schema_refuse(self, "$ref: the descriptor has no component '%.*s'",
                         (int)(value->count - prefix > 60 ? 60 : value->count - prefix),
                         value->text + prefix);
}

static bool k_annotation(schema_set_t *self, schema_t *schema, const value_t *value)
{
    (void)self;
    (void)schema;
    (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(schema_set_t *self, schema_t *schema, const value_t *value);
} s_keywords[] = {
    { "type", k_type },
    { "properties", k_properties },
    { "required", k_required },
    { "additionalProperties", k_additional },
    { "enum", k_enum },
    { "const", k_const },
    { "minimum", k_minimum },
    { "maximum", k_maximum },
    { "exclusiveMinimum", k_exclusive_minimum },
    { "exclusiveMaximum", k_exclusive_maximum },
    { "multipleOf", k_multiple_of },
    { "minLength", k_min_length },
    { "maxLength", k_max_length },
    { "pattern", k_pattern },
    { "items", k_items },
    { "minItems", k_min_items },
    { "maxItems", k_max_items },
    { "uniqueItems", k_unique_items },
    { "format", k_format },
    { "anyOf", k_any_of },
    { "$ref", k_ref },
    { "default", k_annotation },
    { "title", k_annotation },
    { "description", k_annotation },
    { "examples", k_annotation },
    { "deprecated", k_annotation },
};

bool schema_keyword(schema_set_t *self, schema_t *schema, const value_t *source, const value_t *key,
                    const value_t *value)
{
    /* msgpack lets a key stand twice; `properties` has room for what the first one counts */
    if (value_get_sized(source, key->text, key->count) != value)
        return schema_refuse(self, "the keyword '%.*s' stands twice", (int)key->count, key->text);
    for (size_t i = 0; i < COUNT_OF(s_keywords); i++)
        if (value_is(key, s_keywords[i].name))
            return s_keywords[i].read(self, schema, value);
    return schema_refuse(self, "the keyword '%.*s' is not supported",
                         (int)(key->count > 60 ? 60 : key->count), key->text);
}
