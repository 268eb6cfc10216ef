/* SPDX-License-Identifier: MPL-2.0
 *
 * pack - writes msgpack into a buffer
 *
 * Thin names over msgpack-c's packer. `pack_open_map` and `pack_open_array` are for contents whose
 * number is known only afterwards: they reserve a 16-bit count that the matching close fills in.
 */
#ifndef SIGNALBOX_PACK_H
#define SIGNALBOX_PACK_H

#include <msgpack/pack.h>

#include "actors/base/buf.h"
#include "actors/base/clock.h"

typedef struct {
    msgpack_packer packer;
    buf_t *out;
} pack_t;

static inline int pack_write(void *out, const char *bytes, size_t size)
{
    buf_add(out, bytes, size);
    return 0;
}

static inline void pack_init(pack_t *self, buf_t *out)
{
    msgpack_packer_init(&self->packer, out, pack_write);
    self->out = out;
}

static inline void pack_nil(pack_t *self)
{
    msgpack_pack_nil(&self->packer);
}

static inline void pack_bool(pack_t *self, bool value)
{
    if (value)
        msgpack_pack_true(&self->packer);
    else
        msgpack_pack_false(&self->packer);
}

static inline void pack_int(pack_t *self, int64_t value)
{
    msgpack_pack_int64(&self->packer, value);
}

static inline void pack_uint(pack_t *self, uint64_t value)
{
    msgpack_pack_uint64(&self->packer, value);
}

static inline void pack_double(pack_t *self, double value)
{
    msgpack_pack_double(&self->packer, value);
}

static inline void pack_bytes(pack_t *self, const void *bytes, size_t size)
{
    msgpack_pack_bin(&self->packer, size);
    msgpack_pack_bin_body(&self->packer, bytes, size);
}

static inline void pack_string(pack_t *self, const char *text, size_t size)
{
    msgpack_pack_str(&self->packer, size);
    msgpack_pack_str_body(&self->packer, text, size);
}

/* NULL packs nil. */
static inline void pack_text(pack_t *self, const char *text)
{
    if (text)
        pack_string(self, text, strlen(text));
    else
        pack_nil(self);
}

static inline void pack_map(pack_t *self, size_t pairs)
{
    msgpack_pack_map(&self->packer, pairs);
}

static inline void pack_array(pack_t *self, size_t items)
{
    msgpack_pack_array(&self->packer, items);
}

/* Bytes that are msgpack already: one whole value. */
static inline void pack_raw(pack_t *self, const void *bytes, size_t size)
{
    buf_add(self->out, bytes, size);
}

/* A pair of a map: the key, then the value. */
static inline void pack_pair_text(pack_t *self, const char *key, const char *text)
{
    pack_text(self, key);
    pack_text(self, text);
}

static inline void pack_pair_int(pack_t *self, const char *key, int64_t value)
{
    pack_text(self, key);
    pack_int(self, value);
}

static inline void pack_pair_bool(pack_t *self, const char *key, bool value)
{
    pack_text(self, key);
    pack_bool(self, value);
}

/* A moment as an RFC 3339 text. */
static inline void pack_pair_time(pack_t *self, const char *key, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    pack_pair_text(self, key, clock_text(wall_ms, text));
}

/* Position to hand to `pack_close` with the number of pairs or items, at most 65535. */
static inline size_t pack_open_map(pack_t *self)
{
    const uint8_t head[] = { 0xde, 0, 0 };
    buf_add(self->out, head, sizeof head);
    return self->out->size - 2;
}

static inline size_t pack_open_array(pack_t *self)
{
    const uint8_t head[] = { 0xdc, 0, 0 };
    buf_add(self->out, head, sizeof head);
    return self->out->size - 2;
}

static inline void pack_close(pack_t *self, size_t position, size_t count)
{
    insist(count <= UINT16_MAX);
    put_u16(self->out->bytes + position, (uint16_t)count);
}

#endif
