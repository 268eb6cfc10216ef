/* SPDX-License-Identifier: MPL-2.0
 *
 * canonical - a document's hash, the same for documents that must be judged the same
 *
 * The walk goes as deep as the document, whose depth its parser has limited (VALUE_LIMITS).
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/canonical.h"

void canon_init(canon_t *self, work_t *work)
{
    self->work = work;
    self->used = 0;
    crypto_hash_sha256_init(&self->state);
}

static void s_flush(canon_t *self)
{
    crypto_hash_sha256_update(&self->state, self->block, self->used);
    self->used = 0;
}

static void s_write(canon_t *self, const void *bytes, size_t size)
{
    self->work->steps += 1 + size / 64;
    if (size > CANON_BLOCK_BYTES - self->used)
        s_flush(self);
    if (size > CANON_BLOCK_BYTES) {
        crypto_hash_sha256_update(&self->state, bytes, size);
        return;
    }
    if (size)
        memcpy(self->block + self->used, bytes, size);
    self->used += size;
}

/* The number in groups of seven bits, the highest last (LEB128): most are small, and hashing is
 * what costs. */
static void s_head(canon_t *self, char type, uint64_t number)
{
    uint8_t head[11] = { (uint8_t)type };
    size_t size = 1;
    for (; number > 0x7f; number >>= 7)
        head[size++] = (uint8_t)(number | 0x80);
    head[size++] = (uint8_t)number;
    s_write(self, head, size);
}

static void s_text(canon_t *self, slice_t text)
{
    s_head(self, 't', text.size);
    s_write(self, text.text, text.size);
}

void canon_text(canon_t *self, const char *text)
{
    s_text(self, slice_literal(text));
}

void canon_number(canon_t *self, uint64_t number)
{
    s_head(self, 'i', number);
}

void canon_flag(canon_t *self, bool flag)
{
    s_head(self, 'b', flag);
}

void canon_list(canon_t *self, uint32_t items)
{
    s_head(self, 'a', items);
}

static void s_float(canon_t *self, double number)
{
    uint64_t bits;
    if (number >= -0x1p53 && number <= 0x1p53 && number == (double)(int64_t)number) {
        canon_number(self, (uint64_t)(int64_t)number);
        return;
    }
    memcpy(&bits, &number, sizeof bits);
    s_head(self, 'f', bits);
}

static int s_by_key(const void *a, const void *b)
{
    const value_t *const *one = a, *const *other = b;
    return slice_compare(slice_of(*one), slice_of(*other));
}

static bool s_is_dropped(const value_t *key, const char *const *dropped)
{
    for (; dropped && *dropped; dropped++)
        if (value_is(key, *dropped))
            return true;
    return false;
}

void canon_map(canon_t *self, const value_t *map, const char *const *dropped)
{
    const value_t **keys = arena_array(self->work->arena, map->count, sizeof *keys);
    const value_t *key, *item;
    uint32_t count = 0;

    for (uint32_t i = 0; value_pair(map, i, &key, &item); i++)
        if (!s_is_dropped(key, dropped))
            keys[count++] = key;
    qsort(keys, count, sizeof *keys, s_by_key);
    s_head(self, 'm', count);
    for (uint32_t i = 0; i < count; i++) {
        s_text(self, slice_of(keys[i]));
        canon_value(self, keys[i] + 1); /* a map's items are key, value, key, value */
    }
}

void canon_value(canon_t *self, const value_t *value)
{
    if (!value) {
        s_head(self, 'n', 0);
        return;
    }
    switch ((value_type_t)value->type) {
    case VALUE_NIL:
        s_head(self, 'n', 0);
        break;
    case VALUE_BOOL:
        canon_flag(self, value->truth);
        break;
    case VALUE_INT:
        canon_number(self, value->natural);
        break;
    case VALUE_UINT:
        s_head(self, 'u', value->natural);
        break;
    case VALUE_FLOAT:
        s_float(self, value->number);
        break;
    case VALUE_TEXT:
        s_text(self, slice_of(value));
        break;
    case VALUE_BINARY:
        s_head(self, 'x', value->count);
        s_write(self, value->bytes, value->count);
        break;
    case VALUE_ARRAY:
        canon_list(self, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            canon_value(self, &value->items[i]);
        break;
    case VALUE_MAP:
        canon_map(self, value, NULL);
        break;
    }
}

void canon_finish(canon_t *self, uint8_t hash[crypto_hash_sha256_BYTES])
{
    s_flush(self);
    crypto_hash_sha256_final(&self->state, hash);
}
