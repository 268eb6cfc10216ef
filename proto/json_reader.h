/* SPDX-License-Identifier: MPL-2.0
 *
 * json_reader - what the files that read JSON share; private to json_*.c
 */
#ifndef SIGNALBOX_JSON_READER_H
#define SIGNALBOX_JSON_READER_H

#include "proto/json.h"

#define JSON_DEPTH_MAX 255

typedef struct {
    uint32_t hash;
    uint32_t size;
    size_t offset; /* of the key's bytes in the output */
} json_key_t;

typedef struct {
    size_t head;    /* offset of the container's first byte in the output */
    uint32_t count; /* members so far */
    bool is_map;
    uint32_t first_key; /* index of its first key in `keys` */
    uint32_t *table;    /* open addressing, index into `keys` + 1; NULL while keys are few */
    uint32_t table_mask;
} json_open_t;

typedef struct {
    const char *start, *at, *end;
    buf_t *out;
    unsigned options;
    value_limits_t limits;
    uint32_t nodes;
    uint32_t depth;
    json_key_t *keys; /* of all open objects */
    uint32_t key_count, key_room;
    json_verdict_t verdict;
    json_open_t open[JSON_DEPTH_MAX + 1]; /* [0] is unused: the document itself */
} json_reader_t;

/* Notes why reading ends; `at` stands where the fault is. Always false. */
static inline bool json_fail(json_reader_t *self, json_verdict_t verdict)
{
    self->verdict = verdict;
    return false;
}

/* Reads a text; `at` stands behind its opening quote. Appends head and bytes; the last `*size`
 * bytes of the output are the text. */
bool json_read_text(json_reader_t *self, size_t *size);

/* Writes a msgpack head for a text of `size` bytes at `to`, one to five bytes; returns how many. */
size_t json_text_head(uint8_t *to, size_t size);

/* Reads a number; `at` stands on its first character. */
bool json_read_number(json_reader_t *self);

/* Remembers the key whose `size` bytes were just appended, of the object opened last. False when
 * the object has it already. */
bool json_add_key(json_reader_t *self, size_t size);

#endif
