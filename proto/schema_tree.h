/* SPDX-License-Identifier: MPL-2.0
 *
 * schema_tree - a compiled schema; private to the files that start with schema_
 */
#ifndef SIGNALBOX_SCHEMA_TREE_H
#define SIGNALBOX_SCHEMA_TREE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "proto/format.h"
#include "proto/schema.h"

/* Limits on schemas from outside. */
#define SCHEMA_NODES_MAX      4096 /* schemas in one set */
#define SCHEMA_DEPTH_MAX      32   /* schemas inside schemas */
#define SCHEMA_PATTERN_BYTES  512
#define SCHEMA_PATTERN_NEST   32
#define SCHEMA_MATCH_STEPS    20000 /* of PCRE2's match limit */
#define SCHEMA_MATCH_DEPTH    500
#define SCHEMA_MATCH_HEAP_KIB 256

typedef struct {
    const char *name;
    uint32_t size;
    bool required;
    const schema_t *schema; /* NULL: anything */
} schema_property_t;

struct schema {
    unsigned types; /* SCHEMA_* bits */
    bool has_minimum, has_maximum, exclusive_minimum, exclusive_maximum;
    bool unique_items, closed;            /* closed: additionalProperties is false */
    double minimum, maximum, multiple_of; /* multiple_of 0: none */
    uint64_t min_length, max_length;      /* code points */
    uint64_t min_items, max_items;
    format_check_t format;
    const char *format_name;
    pcre2_code *pattern;
    const char *pattern_text;
    const value_t *choices; /* an array: enum */
    const value_t *constant;
    const schema_t *items;
    const schema_t *additional; /* schema of members that are not in `properties` */
    schema_property_t *properties;
    uint32_t property_count;
    const schema_t **any_of;
    uint32_t any_of_count;
    const schema_t *ref;
};

#endif
