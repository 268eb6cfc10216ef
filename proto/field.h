/* SPDX-License-Identifier: MPL-2.0
 *
 * field - the fields of a message of ours, as const rows
 *
 * A list of rows describes an object. It is written once, in proto/<service>.c; validation, the
 * OpenAPI document and the fuzzing inputs are derived by writing the list out as JSON Schema
 * (`field_write_schema`) and reading that. Services from outside send JSON Schema in the first
 * place, so both go the same way.
 */
#ifndef SIGNALBOX_FIELD_H
#define SIGNALBOX_FIELD_H

#include "proto/pack.h"

typedef enum {
    FIELD_STRING,
    FIELD_INTEGER,
    FIELD_NUMBER,
    FIELD_BOOLEAN,
    FIELD_OBJECT, /* `fields` inside, or anything when `fields` is NULL */
    FIELD_ARRAY,  /* of objects of `fields`, or else of `items` */
    FIELD_ANY,    /* any JSON value */
} field_type_t;

typedef struct field field_t;

struct field {
    const char *name;
    field_type_t type;
    bool required;
    bool nullable;   /* null is fine too */
    bool open;       /* of an object: unknown members are fine */
    double min, max; /* of a number; code points of a string; items of an array. Both 0: no bounds;
                        only max 0: no upper bound */
    const char *preset;    /* default, as JSON text */
    const char *choices;   /* the only values of a string, separated by spaces */
    const char *format;    /* "uuid", "date-time" ... as in proto/schema.h */
    const char *pattern;   /* PCRE2 */
    const field_t *fields; /* of an object, or of the objects of an array; ends with an empty row */
    field_type_t items;    /* of an array that has no `fields` */
    const char *about;     /* one sentence */
    const char *example;   /* as JSON text */
};

/* Packs the JSON Schema of an object with these fields. `fields` NULL is an empty object. */
void field_write_schema(const field_t *fields, pack_t *out);

#endif
