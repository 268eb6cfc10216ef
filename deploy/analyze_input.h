/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_input - a file of JSON that `signalbox analyze` reads
 */
#ifndef SIGNALBOX_ANALYZE_INPUT_H
#define SIGNALBOX_ANALYZE_INPUT_H

#include "actors/base/arena.h"
#include "actors/base/buf.h"
#include "proto/value.h"

typedef struct {
    arena_t arena;
    buf_t packed;
    const value_t *document; /* of both, until `input_free` */
    char why[200];           /* there is none: a part of a sentence */
} input_t;

typedef enum { INPUT_GOOD, INPUT_UNREAD, INPUT_NO_JSON } input_verdict_t;

/* Reads the whole file, at most 64 MiB; standard input when `path` is NULL. Freed in any case. */
input_verdict_t input_read(input_t *self, const char *path, value_limits_t limits) MUST_CHECK;
void input_free(input_t *self);

#endif
