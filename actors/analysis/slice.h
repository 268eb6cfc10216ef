/* SPDX-License-Identifier: MPL-2.0
 *
 * slice - text that belongs to somebody else
 *
 * A start and a length into the document (or a literal), without a final NUL. Valid as long as the
 * document. An absent text is the empty slice, whose `text` is "" and never NULL.
 */
#ifndef SIGNALBOX_ANALYSIS_SLICE_H
#define SIGNALBOX_ANALYSIS_SLICE_H

#include <string.h>

#include "actors/base/text.h"
#include "proto/value.h"

typedef struct {
    const char *text;
    uint32_t size; /* bytes */
} slice_t;

/* For printf: printf("\"" SLICE "\"", SLICE_ARGS(name)), cut so that a line stays readable. */
#define SLICE_SHOWN      80
#define SLICE            "%.*s"
#define SLICE_ARGS(what) (int)slice_cut(what, SLICE_SHOWN).size, (what).text

static inline slice_t slice_make(const char *text, size_t size)
{
    return (slice_t){ .text = text, .size = (uint32_t)size };
}

static inline slice_t slice_literal(const char *text)
{
    return slice_make(text, strlen(text));
}

/* The text of a value; empty when it is NULL or no text. */
static inline slice_t slice_of(const value_t *value)
{
    return value_is_type(value, VALUE_TEXT) ? slice_make(value->text, value->count)
                                            : slice_make("", 0);
}

static inline slice_t slice_get(const value_t *map, const char *key)
{
    return slice_of(value_get(map, key));
}

static inline bool slice_equal(slice_t a, slice_t b)
{
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

static inline bool slice_is(slice_t a, const char *text)
{
    return slice_equal(a, slice_literal(text));
}

static inline bool slice_starts(slice_t a, const char *prefix)
{
    size_t size = strlen(prefix);
    return a.size >= size && memcmp(a.text, prefix, size) == 0;
}

static inline bool slice_ends(slice_t a, const char *suffix)
{
    size_t size = strlen(suffix);
    return a.size >= size && memcmp(a.text + a.size - size, suffix, size) == 0;
}

/* Everything behind the first `count` bytes. */
static inline slice_t slice_after(slice_t a, size_t count)
{
    return count < a.size ? slice_make(a.text + count, a.size - count) : slice_make("", 0);
}

/* Where `needle` first stands in `a`, NULL when it does not. */
static inline const char *slice_find(slice_t a, const char *needle)
{
    return memmem(a.text, a.size, needle, strlen(needle));
}

static inline bool slice_has(slice_t a, const char *needle)
{
    return slice_find(a, needle) != NULL;
}

/* Byte order, shorter first: an order that does not depend on the locale. */
static inline int slice_compare(slice_t a, slice_t b)
{
    uint32_t size = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.text, b.text, size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* At most `limit` bytes of it, cut between code points. */
static inline slice_t slice_cut(slice_t a, uint32_t limit)
{
    if (a.size <= limit)
        return a;
    while (limit && ((unsigned char)a.text[limit] & 0xc0) == 0x80)
        limit--;
    a.size = limit;
    return a;
}

/* What people are shown of a text from a document: at most SLICE_CLEAN_BYTES of it, cut between
 * code points, with spaces for control characters. These would end up in logs and terminals, and a
 * NUL ends a text in C and in SQL. The result is in `room`. */
#define SLICE_CLEAN_BYTES 200
slice_t slice_clean(slice_t text, char room[SLICE_CLEAN_BYTES]);

/* Puts a space in the place of every byte of a control character: C0, DEL, and C1, which terminals
 * obey as well. The text is UTF-8. */
void slice_blank_controls(char *text, size_t size);

/* Searches without regard to the case of ASCII letters; `needle` is lower case. */
bool slice_has_folded(slice_t a, const char *needle);

/* Whether `a` has one of the words, a NULL-ended list in lower case, regardless of case. */
bool slice_has_any(slice_t a, const char *const *words);

#endif
