/* SPDX-License-Identifier: MPL-2.0
 *
 * schema - validates a value against a subset of JSON Schema (draft 2020-12)
 *
 * The subset: type (also a list), properties, required, additionalProperties, enum, const, minimum,
 * maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength (code points),
 * pattern, items, minItems, maxItems, uniqueItems, format (date-time, date, uuid, email, uri, ipv4,
 * ipv6), default, anyOf, $ref to "#/components/schemas/NAME"; and the annotations title,
 * description, examples, deprecated. Anything else is refused with the keyword's name, since a
 * constraint that is not enforced is a lie.
 *
 * Validation looks at each value inside another once: alternatives of anyOf are simple types, and a
 * $ref stands beside no properties, items or additionalProperties. So nesting does not multiply the
 * work, whoever wrote the schema.
 *
 * A pattern is PCRE2 without back-references; its length, nesting and the work of a match are
 * limited. A text with U+0000 is never valid where the schema says "string": what comes after us
 * (C, PostgreSQL) would cut it.
 */
#ifndef SIGNALBOX_SCHEMA_H
#define SIGNALBOX_SCHEMA_H

#include "actors/base/arena.h"
#include "proto/value.h"

#define SCHEMA_ERRORS_MAX   16
#define SCHEMA_POINTER_SIZE 256
#define SCHEMA_WHY_SIZE     200

typedef struct schema schema_t;
typedef struct schema_set schema_set_t;

typedef struct {
    char pointer[SCHEMA_POINTER_SIZE]; /* RFC 6901, into the value; "" is the whole */
    char why[SCHEMA_WHY_SIZE];         /* "must be at least 1" */
} schema_error_t;

typedef struct {
    size_t count;
    schema_error_t list[SCHEMA_ERRORS_MAX]; /* the first ones */
} schema_errors_t;

/* The schemas of one descriptor, compiled into `arena`, which with everything the values point into
 * must outlive the set. `components` (may be NULL) is the map that $ref names are looked up in. */
schema_set_t *schema_set_new(arena_t *arena, const value_t *components);

/* Frees what the arena does not hold (compiled patterns). */
void schema_set_destroy(schema_set_t **self_p);

/* Compiles one schema; NULL with a sentence in `why` when it uses what is not supported, or is too
 * large (SCHEMA_NODES_MAX schemas a set). Valid as long as the set. */
const schema_t *schema_compile(schema_set_t *self, const value_t *json_schema,
                               char why[SCHEMA_WHY_SIZE]);

/* Whether the value fits; `errors` (may be NULL) is cleared first and tells where not. */
bool schema_validate(const schema_t *schema, const value_t *value, schema_errors_t *errors);

/* The schema of a property, NULL when it has none: for turning query text into the right type. */
const schema_t *schema_property(const schema_t *schema, const char *name, size_t size);

/* JSON types a schema allows, one bit each; SCHEMA_ANY when it does not say. */
enum {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_INTEGER = 4,
    SCHEMA_NUMBER = 8, /* always together with SCHEMA_INTEGER */
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64,
    SCHEMA_ANY = 127,
};
unsigned schema_types(const schema_t *schema);

/* The schema of an array's items, NULL when any item is fine. */
const schema_t *schema_items(const schema_t *schema);

#endif
