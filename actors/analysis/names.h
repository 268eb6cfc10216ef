/* SPDX-License-Identifier: MPL-2.0
 *
 * names - from a node's name to the node
 *
 * An open-addressing hash table over a run of nodes. The hash is SipHash with a key of its own for
 * every analysis, so that nobody can choose names that collide.
 */
#ifndef SIGNALBOX_ANALYSIS_NAMES_H
#define SIGNALBOX_ANALYSIS_NAMES_H

#include <sodium.h>

#include "actors/analysis/slice.h"
#include "actors/analysis/work.h"

typedef struct {
    const slice_t *keys; /* of each number from 0 */
    uint32_t *slots;     /* number + 1; 0 is free */
    uint32_t mask;
    uint8_t seed[crypto_shorthash_KEYBYTES];
} names_t;

/* A table of `count` keys, borrowed; of equal ones the first wins, empty ones are left out. */
void names_build(names_t *self, work_t *work, const slice_t *keys, uint32_t count);

/* The number of a key, UINT32_MAX when it is not there. */
uint32_t names_find(const names_t *self, slice_t key);

#endif
