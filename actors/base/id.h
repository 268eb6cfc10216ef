/* SPDX-License-Identifier: MPL-2.0
 *
 * id - names nobody else has, and hashes of names
 */
#ifndef SIGNALBOX_ID_H
#define SIGNALBOX_ID_H

#include "actors/base/base.h"

#define ID_UUID_SIZE     37 /* 36 characters and the NUL */
#define ID_INSTANCE_SIZE 64

/* Fills memory from the kernel's random generator. */
void id_random(void *memory, size_t size);
uint64_t id_random_u64(void);

/* Random bytes for names, which need be nobody else's and are no secret: out of a supply of the
 * thread's own, so that most cost no system call. Not for a process that was forked: it would go on
 * with the same bytes as its parent. */
void id_fresh(void *memory, size_t size);

/* A UUID version 7 (RFC 9562, 5.7): sorts by creation time, to a quarter of a microsecond (6.2,
 * method 3), so that what one process makes in the same millisecond keeps its order; returns
 * `text`. */
const char *id_uuid7(char text[ID_UUID_SIZE]);

/* A UUID version 8 (RFC 9562, 5.8) of the first 16 bytes of a hash: the same hash, the same name;
 * returns `text`. */
const char *id_uuid8(const uint8_t hash[16], char text[ID_UUID_SIZE]);

/* "<part>-<8 hex digits>", the default name of an instance; returns `text`. */
const char *id_instance(const char *part, char text[ID_INSTANCE_SIZE]);

/* Lower-case hex of `size` bytes, NUL-terminated; `text` holds 2 * size + 1. Returns `text`. */
char *id_hex(const void *bytes, size_t size, char *text);

/* FNV-1a, 64 bits: the hash of route keys on the wire, chosen because any language has it in five
 * lines (draft-eastlake-fnv). Not for keys an attacker may choose to collide in a table. */
uint64_t id_hash(const void *bytes, size_t size);

/* Mixes two hashes so that every output bit depends on every input bit (the finaliser of
 * MurmurHash3). Rendezvous hashing takes the instance with the highest mix. */
uint64_t id_mix(uint64_t a, uint64_t b);

/* A name of ours: letters, digits, '.', '_', '-', at most `limit` bytes, not empty. */
bool id_is_name(const char *text, size_t size, size_t limit);

#endif
