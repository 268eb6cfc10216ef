/* SPDX-License-Identifier: MPL-2.0
 *
 * json_write - a value as JSON
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/text.h"
#include "proto/json.h"

#define JSON_COMPACT (-1) /* the level of a value whose JSON has no line breaks */

/* What stands behind the backslash for a byte that must be escaped; 'u' for \u00XX. */
static char s_escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 || c == 0x7f ? 'u' : '\0';
    }
}

void json_add_text(buf_t *out, const char *text, size_t size)
{
    /* a byte becomes six at most; the usual text needs its own length */
    buf_reserve(out, size + 2);
    buf_add_byte(out, '"');
    size_t from = 0;
    for (size_t i = 0; (i += text_plain_run(text + i, size - i)) < size; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape = s_escape_of(c);
        if (!escape) /* beyond ASCII */
            continue;
        buf_add(out, text + from, i - from);
        from = i + 1;
        if (escape == 'u')
            buf_printf(out, "\\u%04x", c);
        else
            buf_add(out, (char[]){ '\\', escape }, 2);
    }
    buf_add(out, text + from, size - from);
    buf_add_byte(out, '"');
}

static void s_natural(buf_t *out, uint64_t value, bool negative)
{
    char digits[21], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    if (negative)
        *--at = '-';
    buf_add(out, at, (size_t)(digits + sizeof digits - at));
}

/* The fewest of 15, 16 and 17 digits that read back equal (17 always do). */
static void s_double(buf_t *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        buf_add_text(out, "null");
        return;
    }
    if (fabs(value) < 1e15 && value == trunc(value)) {
        s_natural(out, (uint64_t)fabs(value), signbit(value) != 0);
        buf_add(out, ".0", 2);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(out, text);
    if (!strpbrk(text, ".e"))
        buf_add(out, ".0", 2);
}

static void s_base64(buf_t *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_add_byte(out, '"');
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char four[4] = { digits[group >> 18], digits[group >> 12 & 63],
                         left > 1 ? digits[group >> 6 & 63] : '=',
                         left > 2 ? digits[group & 63] : '=' };
        buf_add(out, four, sizeof four);
    }
    buf_add_byte(out, '"');
}

static void s_break(buf_t *out, int level)
{
    if (level == JSON_COMPACT)
        return;
    buf_add_byte(out, '\n');
    memset(buf_reserve(out, (size_t)level * 2), ' ', (size_t)level * 2);
    out->size += (size_t)level * 2;
}

static void s_write(const value_t *value, int level, buf_t *out);

static void s_members(const value_t *value, int level, buf_t *out)
{
    bool is_map = value->type == VALUE_MAP;
    int inner = level == JSON_COMPACT ? JSON_COMPACT : level + 1;
    const value_t *item = value->items;
    buf_add_byte(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        s_break(out, inner);
        if (is_map) {
            s_write(item++, inner, out);
            buf_add(out, ": ", level == JSON_COMPACT ? 1 : 2);
        }
        s_write(item++, inner, out);
    }
    if (value->count)
        s_break(out, level);
    buf_add_byte(out, is_map ? '}' : ']');
}

static void s_write(const value_t *value, int level, buf_t *out)
{
    switch ((value_type_t)value->type) {
    case VALUE_NIL:
        buf_add(out, "null", 4);
        break;
    case VALUE_BOOL:
        buf_add_text(out, value->truth ? "true" : "false");
        break;
    case VALUE_INT:
        s_natural(out, value->integer < 0 ? 0 - value->natural : value->natural,
                  value->integer < 0);
        break;
    case VALUE_UINT:
        s_natural(out, value->natural, false);
        break;
    case VALUE_FLOAT:
        s_double(out, value->number);
        break;
    case VALUE_TEXT:
        json_add_text(out, value->text, value->count);
        break;
    case VALUE_BINARY:
        s_base64(out, value->bytes, value->count);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        s_members(value, level, out);
        break;
    }
}

void json_write(const value_t *value, buf_t *out)
{
    s_write(value, JSON_COMPACT, out);
}

void json_write_pretty(const value_t *value, buf_t *out)
{
    s_write(value, 0, out);
    buf_add_byte(out, '\n');
}
