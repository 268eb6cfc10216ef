/* SPDX-License-Identifier: MPL-2.0
 *
 * schema_compile - reads JSON Schema into the tree that schema_validate.c walks
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/schema_keywords.h"

bool schema_refuse(schema_set_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->why, SCHEMA_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

bool schema_compile_into(schema_set_t *self, schema_t *schema, const value_t *source)
{
    const value_t *key, *value;
    if (++self->nodes > SCHEMA_NODES_MAX)
        return schema_refuse(self, "more than %d schemas in one descriptor", SCHEMA_NODES_MAX);
    if (self->depth >= SCHEMA_DEPTH_MAX)
        return schema_refuse(self, "schemas nested deeper than %d", SCHEMA_DEPTH_MAX);
    *schema = (schema_t){ .types = SCHEMA_ANY, .max_length = UINT64_MAX, .max_items = UINT64_MAX };
    if (source->type == VALUE_BOOL && source->truth) /* the schema `true` allows everything */
        return true;
    if (source->type != VALUE_MAP)
        return schema_refuse(self, "a schema must be an object");
    /* both would look at the same members, and double the work at every level of nesting */
    if (value_get(source, "$ref") && schema_goes_inside(source))
        return schema_refuse(self,
                             "$ref: properties, items and additionalProperties belong into the "
                             "schema it names");

    const value_t *properties = value_get(source, "properties");
    const value_t *required = value_get(source, "required");
    size_t room = (value_is_type(properties, VALUE_MAP) ? properties->count : 0) +
                  (size_t)(value_is_type(required, VALUE_ARRAY) ? required->count : 0);
    schema->properties = arena_array(self->arena, room, sizeof *schema->properties);

    self->depth++;
    bool good = true;
    for (uint32_t i = 0; good && value_pair(source, i, &key, &value); i++)
        good = schema_keyword(self, schema, source, key, value);
    self->depth--;
    return good;
}

const schema_t *schema_compile_one(schema_set_t *self, const value_t *source)
{
    schema_t *schema = arena_alloc(self->arena, sizeof *schema);
    return schema_compile_into(self, schema, source) ? schema : NULL;
}

/* A component that is nothing but a reference to itself, over others or not, has no end. */
static bool s_refs_end(const schema_set_t *self)
{
    for (uint32_t i = 0; i < self->component_count; i++) {
        const schema_t *schema = self->components[i].schema;
        for (uint32_t steps = 0; schema && schema->ref; schema = schema->ref)
            if (++steps > self->component_count)
                return false;
    }
    return true;
}

schema_set_t *schema_set_new(arena_t *arena, const value_t *components)
{
    schema_set_t *self = arena_alloc(arena, sizeof *self);
    self->arena = arena;
    if (value_is_type(components, VALUE_MAP)) {
        self->component_count = components->count;
        self->components = arena_array(arena, components->count, sizeof *self->components);
        for (uint32_t i = 0; i < components->count; i++) {
            self->components[i].name = &components->items[2 * (size_t)i];
            self->components[i].source = &components->items[2 * (size_t)i + 1];
        }
    }
    return self;
}

void schema_set_destroy(schema_set_t **self_p)
{
    schema_set_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (code_link_t *link = self->codes; link; link = link->next)
        pcre2_code_free(link->code);
    if (self->context)
        pcre2_compile_context_free(self->context);
}

const schema_t *schema_compile(schema_set_t *self, const value_t *json_schema,
                               char why[SCHEMA_WHY_SIZE])
{
    self->why = why;
    const schema_t *schema = schema_compile_one(self, json_schema);
    if (schema && !s_refs_end(self)) {
        schema_refuse(self, "$ref: components refer to each other without an end");
        return NULL;
    }
    return schema;
}
