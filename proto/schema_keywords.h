/* SPDX-License-Identifier: MPL-2.0
 *
 * schema_keywords - what each keyword of JSON Schema adds to a schema; private to schema_compile.c
 */
#ifndef SIGNALBOX_SCHEMA_KEYWORDS_H
#define SIGNALBOX_SCHEMA_KEYWORDS_H

#include "proto/schema_tree.h"

typedef struct component {
    const value_t *name;
    const value_t *source;
    schema_t *schema; /* NULL until it is referred to */
} component_t;

typedef struct code_link {
    struct code_link *next;
    pcre2_code *code;
} code_link_t;

struct schema_set {
    arena_t *arena;
    component_t *components;
    uint32_t component_count;
    uint32_t nodes;
    uint32_t depth;
    code_link_t *codes; /* what PCRE2 allocated */
    pcre2_compile_context *context;
    char *why; /* of the compilation under way */
};

/* Reads a keyword of `source`. False, with a sentence in `why`, when its value is wrong or it is
 * not one of ours. */
bool schema_keyword(schema_set_t *self, schema_t *schema, const value_t *source, const value_t *key,
                    const value_t *value) MUST_CHECK;

/* Whether a schema has keywords that look at the members of what it validates. */
bool schema_goes_inside(const value_t *source);

/* For keywords that hold schemas: compiles one. NULL or false with a sentence in `why`. */
const schema_t *schema_compile_one(schema_set_t *self, const value_t *source);
bool schema_compile_into(schema_set_t *self, schema_t *schema, const value_t *source);

/* Always false, with the sentence in `why`. */
bool schema_refuse(schema_set_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
