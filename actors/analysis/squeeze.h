/* SPDX-License-Identifier: MPL-2.0
 *
 * squeeze - bytes as they are stored: compressed by zlib (RFC 1950) when it pays
 *
 * `full` is the size they had; where it equals the stored size they are as they were.
 */
#ifndef SIGNALBOX_ANALYSIS_SQUEEZE_H
#define SIGNALBOX_ANALYSIS_SQUEEZE_H

#include "actors/base/arena.h"
#include "actors/base/buf.h"

typedef struct {
    const uint8_t *bytes;
    size_t size, full;
} squeezed_t;

/* The result points to `bytes` or to the arena. */
squeezed_t squeeze(arena_t *arena, const void *bytes, size_t size);

/* The bytes as they were: in the arena, or those of `self`. NULL when they cannot be read, or claim
 * to be larger than `limit`. */
const uint8_t *unsqueeze(arena_t *arena, const squeezed_t *self, size_t limit) MUST_CHECK;

#endif
