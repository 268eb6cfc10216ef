/* SPDX-License-Identifier: MPL-2.0
 *
 * path - the target of a request: its segments, and its query, percent-decoded
 *
 * A path is split at its slashes before it is decoded, so an encoded slash stays a character of its
 * segment. Escapes that are none, U+0000 and what is not UTF-8 are refused. Dot segments are not
 * resolved: no route has them, so they are simply not found.
 */
#ifndef SIGNALBOX_EDGE_PATH_H
#define SIGNALBOX_EDGE_PATH_H

#include "actors/base/arena.h"

#define PATH_SEGMENTS_MAX 32
#define QUERY_PAIRS_MAX   100

typedef struct {
    const char *text; /* decoded; in the arena */
    size_t size;
} segment_t;

typedef struct {
    segment_t segments[PATH_SEGMENTS_MAX]; /* none for "/" */
    size_t count;
} path_t;

typedef struct {
    segment_t name, value;
} query_pair_t;

typedef struct {
    query_pair_t *pairs; /* in the order of the query */
    size_t count;
} query_t;

/* Splits and decodes; NULL when it is good, else the sentence that says why not. */
const char *path_read(path_t *self, const char *text, size_t size, arena_t *arena) MUST_CHECK;

/* Whether it is the plain path `text`: "/v1/ping". */
bool path_is(const path_t *self, const char *text);

/* Reads a query, "a=1&b=x+y", in the same way. `text` may be NULL. */
const char *query_read(query_t *self, const char *text, arena_t *arena) MUST_CHECK;

#endif
