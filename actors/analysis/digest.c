/* SPDX-License-Identifier: MPL-2.0
 *
 * digest - a short hash of what a node was told to do, to see later whether it was told otherwise
 *
 * The walk goes as deep as the document, whose depth its parser has limited (VALUE_LIMITS). The
 * numbers are stored, so neither the key nor the way they are mixed may ever change.
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/analysis/digest.h"
#include "actors/base/id.h"

static uint64_t s_bytes(const void *bytes, size_t size)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "signalbox digest";
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, bytes, size, key);
    return get_u64(hash);
}

static uint64_t s_number(double number)
{
    uint64_t bits;
    if (number >= -0x1p53 && number <= 0x1p53 && number == (double)(int64_t)number)
        return (uint64_t)(int64_t)number;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static uint64_t s_list(const value_t *list)
{
    uint64_t sum = list->count;
    for (uint32_t i = 0; i < list->count; i++)
        sum = id_mix(sum, digest_value(&list->items[i]));
    return sum;
}

/* What a value says, as a number; `digest_value` adds of which type it is. */
static uint64_t s_content(const value_t *value)
{
    switch ((value_type_t)value->type) {
    case VALUE_BOOL:
        return value->truth;
    case VALUE_INT:
    case VALUE_UINT:
        return value->natural;
    case VALUE_FLOAT:
        return s_number(value->number);
    case VALUE_TEXT:
    case VALUE_BINARY:
        return s_bytes(value->bytes, value->count);
    case VALUE_ARRAY:
        return s_list(value);
    case VALUE_MAP:
        return digest_map(value, NULL);
    case VALUE_NIL:
        break;
    }
    return 0;
}

uint64_t digest_value(const value_t *value)
{
    uint8_t type =
        value->type == VALUE_FLOAT || value->type == VALUE_UINT ? VALUE_INT : value->type;
    return id_mix(type, s_content(value));
}

static bool s_is_dropped(const value_t *key, const char *const *dropped)
{
    for (; dropped && *dropped; dropped++)
        if (value_is(key, *dropped))
            return true;
    return false;
}

/* The sum does not depend on the order of the pairs. */
uint64_t digest_map(const value_t *map, const char *const *dropped)
{
    const value_t *key, *item;
    uint64_t sum = 0;
    for (uint32_t i = 0; value_pair(map, i, &key, &item); i++)
        if (!s_is_dropped(key, dropped))
            sum += id_mix(s_bytes(key->bytes, key->count), digest_value(item));
    return sum;
}
