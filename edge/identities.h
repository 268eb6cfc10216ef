/* SPDX-License-Identifier: MPL-2.0
 *
 * identities - callers that have proved who they are, remembered by what they proved it with
 *
 * The key is a hash of the token or API key: neither is kept. What is remembered must be forgotten
 * when something about the caller changes. An answer that was asked for before a change and comes
 * after it would be remembered for good; so whoever asks takes the epoch first, and what was asked
 * for in another epoch is not kept.
 *
 * Split by the hash into parts with a lock each; a part that is full forgets whoever came first.
 */
#ifndef SIGNALBOX_EDGE_IDENTITIES_H
#define SIGNALBOX_EDGE_IDENTITIES_H

#include <pthread.h>

#include "edge/identity.h"

#define IDENTITIES_PARTS   16
#define IDENTITIES_ENTRIES 1024 /* of a part */
#define IDENTITIES_BYTES   32   /* of a hash */

typedef struct identities_part identities_part_t;

typedef struct {
    identities_part_t *parts;
    _Atomic uint64_t epoch;
} identities_t;

void identities_init(identities_t *self);
void identities_free(identities_t *self);

/* The hash of a secret. */
void identities_hash(const char *secret, size_t size, uint8_t hash[IDENTITIES_BYTES]);

/* With a reference for the caller; NULL when it is not known (any more). */
identity_t *identities_find(identities_t *self, const uint8_t hash[IDENTITIES_BYTES],
                            int64_t wall_ms);

uint64_t identities_epoch(const identities_t *self);

/* Keeps it, with a reference of its own, unless the epoch is another by now. */
void identities_add(identities_t *self, const uint8_t hash[IDENTITIES_BYTES], identity_t *identity,
                    uint64_t epoch);

/* What about a caller can change. */
typedef enum {
    IDENTITIES_USER,
    IDENTITIES_ACCOUNT,
    IDENTITIES_SESSION,
    IDENTITIES_KEY,
    IDENTITIES_ALL,
} identities_what_t;

/* Forgets whoever has this id; those in use become void. How many there were. */
size_t identities_forget(identities_t *self, identities_what_t what, const char *id, size_t size);

#endif
