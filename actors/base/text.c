/* SPDX-License-Identifier: MPL-2.0
 *
 * text - questions about strings: UTF-8, numbers, spelling
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/text.h"

#define TEXT_DISTANCE_MAX 64

static bool s_tail(const unsigned char *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((at[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Table 3-7 of the Unicode standard: the second byte's range depends on the first. */
size_t text_utf8_step(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    if (size == 0)
        return 0;
    unsigned char c = at[0];
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return size >= 2 && s_tail(at + 1, 1) ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        if (size < 3 || !s_tail(at + 1, 2))
            return 0;
        if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f))
            return 0;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (size < 4 || !s_tail(at + 1, 3))
            return 0;
        if ((c == 0xf0 && at[1] < 0x90) || (c == 0xf4 && at[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

size_t text_utf8_cut(const char *text, size_t size)
{
    size_t at = 0;
    for (size_t step = 1; step && at < size; at += step) {
        uint64_t word;
        while (at + sizeof word <= size) { /* eight ASCII bytes at a time */
            memcpy(&word, text + at, sizeof word);
            if (word & TEXT_BYTES(0x80))
                break;
            at += sizeof word;
        }
        step = text_utf8_step(text + at, size - at);
    }
    return at;
}

bool text_is_utf8(const char *text, size_t size)
{
    return text_utf8_cut(text, size) == size;
}

size_t text_utf8_length(const char *text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
        length += ((unsigned char)text[i] & 0xc0) != 0x80;
    return length;
}

bool text_to_i64(const char *text, size_t size, int64_t *value)
{
    size_t i = size > 0 && text[0] == '-';
    bool negative = i == 1;
    if (i == size)
        return false;
    uint64_t sum = 0;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

bool text_to_double(const char *text, size_t size, double *value)
{
    char copy[64], *end;
    if (size == 0 || size >= sizeof copy || (text[0] != '-' && (text[0] < '0' || text[0] > '9')))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (copy[strspn(copy, "-+.0123456789eE")]) /* no hex, inf or nan */
        return false;
    errno = 0;
    *value = strtod(copy, &end);
    return end == copy + size && isfinite(*value);
}

/* Optimal string alignment: three rows of the usual table. */
unsigned text_distance(const char *a, const char *b)
{
    size_t n = strnlen(a, TEXT_DISTANCE_MAX), m = strnlen(b, TEXT_DISTANCE_MAX);
    unsigned rows[3][TEXT_DISTANCE_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        unsigned *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[m];
}

size_t text_of_int(int64_t number, char text[TEXT_INT_SIZE])
{
    char digits[TEXT_INT_SIZE], *at = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0)
        *--at = '-';
    const size_t size = (size_t)(digits + sizeof digits - at);
    memcpy(text, at, size);
    text[size] = '\0';
    return size;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t size = strlen(text), tail = strlen(suffix);
    return size >= tail && memcmp(text + size - tail, suffix, tail) == 0;
}

bool text_copy(char *to, size_t room, const void *from, size_t size)
{
    bool fits = size < room;
    size_t take = fits ? size : room - 1;
    if (take)
        memcpy(to, from, take);
    to[take] = '\0';
    return fits;
}

bool text_copy_utf8(char *to, size_t room, const char *from, size_t size)
{
    const bool fits = size < room;
    return text_copy(to, room, from, text_utf8_cut(from, fits ? size : room - 1)) && fits;
}
