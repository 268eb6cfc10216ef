/* SPDX-License-Identifier: MPL-2.0
 *
 * canonical - a document's hash, the same for documents that must be judged the same
 *
 * A stream into SHA-256: nothing is copied, whatever the size. Every value is written with its type
 * and length first, so that two different trees never give the same bytes; the keys of a map come
 * in byte order; a whole number is the same whether it was written 5 or 5.0. What an analyser
 * leaves out (positions, recorded data, notes) it does not write; what matters about it, it writes
 * as a flag.
 */
#ifndef SIGNALBOX_ANALYSIS_CANONICAL_H
#define SIGNALBOX_ANALYSIS_CANONICAL_H

#include <sodium.h>

#include "actors/analysis/slice.h"
#include "actors/analysis/work.h"

#define CANON_BLOCK_BYTES 512

typedef struct {
    work_t *work;
    crypto_hash_sha256_state state;
    uint8_t block[CANON_BLOCK_BYTES]; /* collects small writes */
    size_t used;
} canon_t;

void canon_init(canon_t *self, work_t *work);

/* The pieces an analyser writes. `dropped` is a NULL-ended list of keys that are left out of this
 * map (not of maps inside it), NULL for none. A missing value (NULL) is written as nil. */
void canon_text(canon_t *self, const char *text);
void canon_number(canon_t *self, uint64_t number);
void canon_flag(canon_t *self, bool flag);
void canon_value(canon_t *self, const value_t *value);
void canon_map(canon_t *self, const value_t *map, const char *const *dropped);

/* How many items of a list of maps follow; see the analysers. */
void canon_list(canon_t *self, uint32_t items);

void canon_finish(canon_t *self, uint8_t hash[crypto_hash_sha256_BYTES]);

#endif
