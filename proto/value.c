/* SPDX-License-Identifier: MPL-2.0
 *
 * value - a msgpack document, checked first and then read as a tree
 *
 * Both passes read the same description of msgpack's first byte: what kind of value it starts, how
 * many bytes of length follow, and how many bytes or values that length counts (msgpack spec,
 * "Formats").
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "proto/value.h"

#define VALUE_DEPTH_MAX 255 /* of limits.depth: the walk keeps a stack of this size */

typedef enum {
    HEAD_NIL,
    HEAD_FALSE,
    HEAD_TRUE,
    HEAD_POSITIVE, /* the number is the byte */
    HEAD_NEGATIVE,
    HEAD_UINT, /* `width` bytes follow */
    HEAD_INT,
    HEAD_FLOAT,
    HEAD_TEXT, /* the length is in the byte when `width` is 0, else in `width` bytes */
    HEAD_BINARY,
    HEAD_ARRAY,
    HEAD_MAP,
    HEAD_BAD,
} head_kind_t;

typedef struct {
    uint8_t kind;  /* head_kind_t */
    uint8_t width; /* bytes of number or length behind the first byte */
    uint8_t mask;  /* bits of the first byte that hold the length when width is 0 */
} head_t;

/* clang-format off */
static const head_t s_heads[256] = {
    [0x00 ... 0x7f] = { HEAD_POSITIVE, 0, 0 },
    [0x80 ... 0x8f] = { HEAD_MAP, 0, 0x0f },
    [0x90 ... 0x9f] = { HEAD_ARRAY, 0, 0x0f },
    [0xa0 ... 0xbf] = { HEAD_TEXT, 0, 0x1f },
    [0xc0] = { HEAD_NIL, 0, 0 },
    [0xc1] = { HEAD_BAD, 0, 0 },
    [0xc2] = { HEAD_FALSE, 0, 0 },
    [0xc3] = { HEAD_TRUE, 0, 0 },
    [0xc4] = { HEAD_BINARY, 1, 0 }, [0xc5] = { HEAD_BINARY, 2, 0 }, [0xc6] = { HEAD_BINARY, 4, 0 },
    [0xc7 ... 0xc9] = { HEAD_BAD, 0, 0 },
    [0xca] = { HEAD_FLOAT, 4, 0 }, [0xcb] = { HEAD_FLOAT, 8, 0 },
    [0xcc] = { HEAD_UINT, 1, 0 }, [0xcd] = { HEAD_UINT, 2, 0 },
    [0xce] = { HEAD_UINT, 4, 0 }, [0xcf] = { HEAD_UINT, 8, 0 },
    [0xd0] = { HEAD_INT, 1, 0 }, [0xd1] = { HEAD_INT, 2, 0 },
    [0xd2] = { HEAD_INT, 4, 0 }, [0xd3] = { HEAD_INT, 8, 0 },
    [0xd4 ... 0xd8] = { HEAD_BAD, 0, 0 },
    [0xd9] = { HEAD_TEXT, 1, 0 }, [0xda] = { HEAD_TEXT, 2, 0 }, [0xdb] = { HEAD_TEXT, 4, 0 },
    [0xdc] = { HEAD_ARRAY, 2, 0 }, [0xdd] = { HEAD_ARRAY, 4, 0 },
    [0xde] = { HEAD_MAP, 2, 0 }, [0xdf] = { HEAD_MAP, 4, 0 },
    [0xe0 ... 0xff] = { HEAD_NEGATIVE, 0, 0 },
};
/* clang-format on */

static inline uint64_t s_number(const uint8_t *at, uint8_t width)
{
    switch (width) {
    case 1:
        return *at;
    case 2:
        return get_u16(at);
    case 4:
        return get_u32(at);
    case 8:
        return get_u64(at);
    default:
        return 0;
    }
}

/* The number, or the length, that a value begins with. */
static inline uint64_t s_operand(const uint8_t *at, head_t head)
{
    return head.width ? s_number(at + 1, head.width) : (uint64_t)(*at & head.mask);
}

/* The walk counts what is still owed instead of recursing: `owed[depth]` values complete the
 * container at that depth. Every owed value needs at least one byte, so a declared count above the
 * bytes that are left is refused before anything relies on it. */
value_verdict_t value_check(const void *bytes, size_t size, value_limits_t limits, size_t *nodes)
{
    const uint8_t *at = bytes, *end = at + size;
    uint64_t owed[VALUE_DEPTH_MAX + 1];
    bool is_map[VALUE_DEPTH_MAX + 1];
    uint32_t depth = 0;
    size_t count = 0;

    insist(limits.depth <= VALUE_DEPTH_MAX);
    owed[0] = 1;
    is_map[0] = false;
    while (true) {
        while (owed[depth] == 0) {
            if (depth == 0)
                goto done;
            depth--;
        }
        if (at >= end)
            return VALUE_CUT;
        /* in a map the owed values alternate: an even number left means a key is next */
        bool is_key = is_map[depth] && owed[depth] % 2 == 0;
        owed[depth]--;
        if (++count > limits.nodes)
            return VALUE_TOO_MANY;

        const head_t head = s_heads[*at];
        size_t left = (size_t)(end - at) - 1;
        if (left < head.width)
            return VALUE_CUT;
        uint64_t length = s_operand(at, head);
        at += 1 + head.width;
        left -= head.width;
        if (is_key && head.kind != HEAD_TEXT)
            return VALUE_BAD_KEY;

        switch ((head_kind_t)head.kind) {
        case HEAD_TEXT:
            if (length > left)
                return VALUE_CUT;
            if (!text_is_utf8((const char *)at, (size_t)length))
                return VALUE_BAD_TEXT;
            at += length;
            break;
        case HEAD_BINARY:
            if (length > left)
                return VALUE_CUT;
            at += length;
            break;
        case HEAD_MAP:
            length *= 2;
            /* fall through */
        case HEAD_ARRAY:
            if (length > left)
                return VALUE_CUT;
            if (depth >= limits.depth)
                return VALUE_TOO_DEEP;
            owed[++depth] = length;
            is_map[depth] = head.kind == HEAD_MAP;
            break;
        case HEAD_BAD:
            return VALUE_BAD_BYTE;
        default:
            break; /* the number was skipped with its width */
        }
    }
done:
    if (nodes)
        *nodes = count;
    return at == end ? VALUE_GOOD : VALUE_TRAILING;
}

const char *value_verdict_text(value_verdict_t verdict)
{
    static const char *const texts[] = {
        [VALUE_GOOD] = "it is acceptable",
        [VALUE_CUT] = "it ends early, or declares more than it holds",
        [VALUE_TRAILING] = "there are bytes behind the value",
        [VALUE_TOO_DEEP] = "arrays and maps are nested too deeply",
        [VALUE_TOO_MANY] = "it holds too many values",
        [VALUE_BAD_KEY] = "a map key is not a text",
        [VALUE_BAD_BYTE] = "it uses an extension type or an unassigned byte",
        [VALUE_BAD_TEXT] = "a text is not UTF-8",
    };
    return texts[verdict];
}

typedef struct {
    value_t *nodes; /* all nodes of the tree; children of one container stand side by side */
    size_t used;
} builder_t;

static double s_float(uint64_t bits, uint8_t width)
{
    double value;
    if (width == sizeof(float)) {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        return single;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A value that holds no others; `number` is what its head says. */
static void s_build_scalar(value_t *value, head_t head, uint8_t first, uint64_t number)
{
    const unsigned spare_bits = 64u - 8u * head.width;
    switch ((head_kind_t)head.kind) {
    case HEAD_FALSE:
    case HEAD_TRUE:
        value->type = VALUE_BOOL;
        value->truth = head.kind == HEAD_TRUE;
        break;
    case HEAD_POSITIVE:
    case HEAD_NEGATIVE:
        value->type = VALUE_INT;
        value->integer = (int8_t)first;
        break;
    case HEAD_UINT:
        value->type = number > INT64_MAX ? VALUE_UINT : VALUE_INT;
        value->natural = number;
        break;
    case HEAD_INT: /* the sign is that of `width` bytes */
        value->type = VALUE_INT;
        value->integer = (int64_t)(number << spare_bits) >> spare_bits;
        break;
    case HEAD_FLOAT:
        value->type = VALUE_FLOAT;
        value->number = s_float(number, head.width);
        break;
    default: /* HEAD_NIL: value_check has refused the bad ones, s_build has the others */
        value->type = VALUE_NIL;
        break;
    }
}

/* Builds the value that begins at `at`; returns what stands behind it. */
static const uint8_t *s_build(builder_t *self, value_t *value, const uint8_t *at)
{
    const head_t head = s_heads[*at];
    const uint8_t *body = at + 1 + head.width;
    uint64_t number = s_operand(at, head);

    if (head.kind == HEAD_TEXT || head.kind == HEAD_BINARY) {
        value->type = head.kind == HEAD_TEXT ? VALUE_TEXT : VALUE_BINARY;
        value->count = (uint32_t)number;
        value->bytes = body;
        return body + number;
    }
    if (head.kind != HEAD_ARRAY && head.kind != HEAD_MAP) {
        s_build_scalar(value, head, *at, number);
        return body;
    }
    bool is_map = head.kind == HEAD_MAP;
    size_t children = (size_t)number * (is_map ? 2 : 1);
    value_t *items = self->nodes + self->used;
    self->used += children;
    value->type = is_map ? VALUE_MAP : VALUE_ARRAY;
    value->count = (uint32_t)number;
    value->items = items;
    for (size_t i = 0; i < children; i++)
        body = s_build(self, &items[i], body);
    return body;
}

const value_t *value_parse(arena_t *arena, const void *bytes, size_t size, value_limits_t limits,
                           value_verdict_t *verdict)
{
    size_t nodes = 0;
    *verdict = value_check(bytes, size, limits, &nodes);
    if (*verdict != VALUE_GOOD)
        return NULL;
    builder_t builder = { .nodes = arena_array(arena, nodes, sizeof(value_t)), .used = 1 };
    s_build(&builder, &builder.nodes[0], bytes);
    return &builder.nodes[0];
}

size_t value_skip(const uint8_t *bytes)
{
    const uint8_t *at = bytes;
    for (uint64_t owed = 1; owed; owed--) {
        const head_t head = s_heads[*at];
        uint64_t length = s_operand(at, head);
        at += 1 + head.width;
        if (head.kind == HEAD_TEXT || head.kind == HEAD_BINARY)
            at += length;
        else if (head.kind == HEAD_ARRAY)
            owed += length;
        else if (head.kind == HEAD_MAP)
            owed += 2 * length;
    }
    return (size_t)(at - bytes);
}

const value_t *value_get_sized(const value_t *map, const char *key, size_t size)
{
    const value_t *name, *item;
    for (uint32_t i = 0; value_pair(map, i, &name, &item); i++)
        if (name->count == size && memcmp(name->text, key, size) == 0)
            return item;
    return NULL;
}

const value_t *value_get(const value_t *map, const char *key)
{
    return value_get_sized(map, key, strlen(key));
}

const value_t *value_at(const value_t *map, const char *path)
{
    while (map) {
        size_t size = strcspn(path, ".");
        map = value_get_sized(map, path, size);
        if (!path[size])
            break;
        path += size + 1;
    }
    return map;
}

bool value_get_bool(const value_t *map, const char *key, bool preset)
{
    const value_t *value = value_get(map, key);
    return value_is_type(value, VALUE_BOOL) ? value->truth : preset;
}

int64_t value_get_int(const value_t *map, const char *key, int64_t preset)
{
    const value_t *value = value_get(map, key);
    if (value_is_type(value, VALUE_INT))
        return value->integer;
    /* JSON does not tell 5 from 5.0 */
    if (value_is_type(value, VALUE_FLOAT) && value->number >= -0x1p53 && value->number <= 0x1p53 &&
        value->number == (double)(int64_t)value->number)
        return (int64_t)value->number;
    return preset;
}

const char *value_get_text(const value_t *map, const char *key, size_t *size)
{
    const value_t *value = value_get(map, key);
    bool found = value_is_type(value, VALUE_TEXT);
    *size = found ? value->count : 0;
    return found ? value->text : NULL;
}

bool value_is(const value_t *value, const char *text)
{
    return value_is_type(value, VALUE_TEXT) && value->count == strlen(text) &&
           memcmp(value->text, text, value->count) == 0;
}

char *value_dup_text(arena_t *arena, const value_t *map, const char *key)
{
    size_t size;
    const char *text = value_get_text(map, key, &size);
    return text ? arena_text(arena, text, size) : NULL;
}

bool value_equal(const value_t *a, const value_t *b)
{
    if (value_is_number(a) && value_is_number(b)) {
        if (a->type != VALUE_FLOAT && b->type != VALUE_FLOAT)
            return a->type == b->type && a->natural == b->natural;
        return value_as_double(a) == value_as_double(b);
    }
    if (a->type != b->type)
        return false;
    switch ((value_type_t)a->type) {
    case VALUE_BOOL:
        return a->truth == b->truth;
    case VALUE_TEXT:
    case VALUE_BINARY:
        return a->count == b->count && memcmp(a->bytes, b->bytes, a->count) == 0;
    case VALUE_ARRAY:
        if (a->count != b->count)
            return false;
        for (uint32_t i = 0; i < a->count; i++)
            if (!value_equal(&a->items[i], &b->items[i]))
                return false;
        return true;
    case VALUE_MAP: {
        const value_t *key, *item;
        if (a->count != b->count)
            return false;
        for (uint32_t i = 0; value_pair(a, i, &key, &item); i++) {
            const value_t *other = value_get_sized(b, key->text, key->count);
            if (!other || !value_equal(item, other))
                return false;
        }
        return true;
    }
    default:
        return true;
    }
}
