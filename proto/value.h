/* SPDX-License-Identifier: MPL-2.0
 *
 * value - a msgpack document, checked first and then read as a tree
 *
 * `value_check` walks bytes from outside once, without allocating: depth, number of nodes, and
 * every declared length against the bytes that are left. Only then does `value_parse` build the
 * tree, in one allocation whose size is known. Without the check, 5 bytes that declare an array of
 * 2^26 make a decoder reserve gigabytes.
 *
 * Texts and binaries point into the message, which must outlive the tree.
 */
#ifndef SIGNALBOX_VALUE_H
#define SIGNALBOX_VALUE_H

#include "actors/base/arena.h"
#include "actors/base/base.h"

typedef enum {
    VALUE_NIL,
    VALUE_BOOL,
    VALUE_INT,  /* fits int64_t */
    VALUE_UINT, /* above INT64_MAX */
    VALUE_FLOAT,
    VALUE_TEXT,
    VALUE_BINARY,
    VALUE_ARRAY,
    VALUE_MAP,
} value_type_t;

typedef struct value value_t;

struct value {
    uint8_t type;   /* value_type_t */
    uint32_t count; /* bytes of text or binary, items of an array, pairs of a map */
    union {
        bool truth;
        int64_t integer;
        uint64_t natural;
        double number;
        const char *text;
        const uint8_t *bytes;
        const value_t *items; /* of a map: key, value, key, value ... */
    };
};

typedef struct {
    uint32_t depth; /* arrays and maps inside each other; a scalar has depth 0 */
    uint32_t nodes; /* values, map keys included */
} value_limits_t;

/* What any message may hold unless its reader says otherwise. */
#define VALUE_LIMITS ((value_limits_t){ .depth = 64, .nodes = 400000 })

typedef enum {
    VALUE_GOOD,
    VALUE_CUT,      /* ends in the middle, or declares more than there is */
    VALUE_TRAILING, /* bytes behind the value */
    VALUE_TOO_DEEP,
    VALUE_TOO_MANY, /* nodes */
    VALUE_BAD_KEY,  /* a map key that is no text */
    VALUE_BAD_BYTE, /* 0xc1, or an extension type: nothing here uses them */
    VALUE_BAD_TEXT, /* not UTF-8 */
} value_verdict_t;

/* Whether `bytes` are exactly one acceptable value; `nodes` (may be NULL) is how many. */
value_verdict_t value_check(const void *bytes, size_t size, value_limits_t limits, size_t *nodes);

/* A sentence for each verdict. */
const char *value_verdict_text(value_verdict_t verdict);

/* Checks and builds the tree in `arena`; NULL with the verdict when the check refuses. */
const value_t *value_parse(arena_t *arena, const void *bytes, size_t size, value_limits_t limits,
                           value_verdict_t *verdict);

/* Bytes of the one value at the start of checked msgpack. */
size_t value_skip(const uint8_t *bytes);

/* The value under `key`, NULL when `map` is NULL, no map, or has no such key. Of a key that stands
 * twice the first wins. */
const value_t *value_get(const value_t *map, const char *key);
const value_t *value_get_sized(const value_t *map, const char *key, size_t size);

/* `value_get` along "a.b.c". */
const value_t *value_at(const value_t *map, const char *path);

/* The same, of one type only: the preset, or NULL, when it is missing or of another type. A text
 * is not NUL-terminated: it has `*size` bytes. */
bool value_get_bool(const value_t *map, const char *key, bool preset);
int64_t value_get_int(const value_t *map, const char *key, int64_t preset);
const char *value_get_text(const value_t *map, const char *key, size_t *size);

/* Whether it is the text `text`; false for NULL and other types. */
bool value_is(const value_t *value, const char *text);

/* A text of the map copied into the arena with a NUL; NULL when missing or no text. */
char *value_dup_text(arena_t *arena, const value_t *map, const char *key);

static inline bool value_is_type(const value_t *value, value_type_t type)
{
    return value && value->type == type;
}

static inline bool value_is_number(const value_t *value)
{
    return value_is_type(value, VALUE_INT) || value_is_type(value, VALUE_UINT) ||
           value_is_type(value, VALUE_FLOAT);
}

/* A number of any type as the nearest double. */
static inline double value_as_double(const value_t *number)
{
    if (number->type == VALUE_FLOAT)
        return number->number;
    return number->type == VALUE_INT ? (double)number->integer : (double)number->natural;
}

/* Walks a map: for (uint32_t i = 0; value_pair(map, i, &key, &item); i++) */
static inline bool value_pair(const value_t *map, uint32_t i, const value_t **key,
                              const value_t **item)
{
    if (!value_is_type(map, VALUE_MAP) || i >= map->count)
        return false;
    *key = &map->items[2 * (size_t)i];
    *item = &map->items[2 * (size_t)i + 1];
    return true;
}

/* Walks an array; NULL behind the last item, or when it is no array. */
static inline const value_t *value_item(const value_t *array, uint32_t i)
{
    return value_is_type(array, VALUE_ARRAY) && i < array->count ? &array->items[i] : NULL;
}

/* Deep equality, with numbers compared by value and maps regardless of order (JSON Schema's). */
bool value_equal(const value_t *a, const value_t *b);

#endif
