/* SPDX-License-Identifier: MPL-2.0
 *
 * text - questions about strings: UTF-8, numbers, spelling
 */
#ifndef SIGNALBOX_TEXT_H
#define SIGNALBOX_TEXT_H

#include <string.h>

#include "actors/base/base.h"

/* Bytes of the UTF-8 sequence at `at` (RFC 3629: no surrogates, no overlong forms), 0 when there is
 * no valid one within `size`. */
size_t text_utf8_step(const char *at, size_t size);

bool text_is_utf8(const char *text, size_t size);

/* How many of the first `size` bytes are whole characters: what is cut there is UTF-8 still. */
size_t text_utf8_cut(const char *text, size_t size);

/* How many of the first `size` bytes a JSON string holds as they are, and a terminal shows: ASCII
 * without quotes, backslashes and control characters. Eight bytes at a time; inline, because the
 * reader of JSON spends its time here. */
#define TEXT_BYTES(c)             (UINT64_C(0x0101010101010101) * (uint64_t)(c))
#define TEXT_HAS_LESS(word, than) (((word)-TEXT_BYTES(than)) & ~(word)&TEXT_BYTES(0x80))
#define TEXT_HAS_BYTE(word, byte) TEXT_HAS_LESS((word) ^ TEXT_BYTES(byte), 1)
static inline size_t text_plain_run(const char *text, size_t size)
{
    size_t at = 0;
    while (size - at >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        const uint64_t stop = (word & TEXT_BYTES(0x80)) | TEXT_HAS_LESS(word, ' ') |
                              TEXT_HAS_BYTE(word, '"') | TEXT_HAS_BYTE(word, '\\') |
                              TEXT_HAS_BYTE(word, 0x7f);
        if (stop)
            return at + (size_t)__builtin_ctzll(stop) / 8;
        at += sizeof word;
    }
    for (; at < size; at++) {
        const unsigned char c = (unsigned char)text[at];
        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            break;
    }
    return at;
}

/* Code points of valid UTF-8. */
size_t text_utf8_length(const char *text, size_t size);

/* Whole-text numbers, decimal, optional minus sign. False on anything else or out of range. */
bool text_to_i64(const char *text, size_t size, int64_t *value) MUST_CHECK;
bool text_to_double(const char *text, size_t size, double *value) MUST_CHECK;

/* The number in decimal; returns the length. */
#define TEXT_INT_SIZE 21 /* "-9223372036854775808" and the NUL */
size_t text_of_int(int64_t number, char text[TEXT_INT_SIZE]);

/* Edits (insert, delete, replace, swap neighbours) that make `b` of `a`, for "did you mean".
 * Texts over 64 bytes are compared by their first 64. */
unsigned text_distance(const char *a, const char *b);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* Copies with a final NUL, cut at `room` - 1 bytes; returns whether all of it fitted. */
bool text_copy(char *to, size_t room, const void *from, size_t size);

/* The same for texts that people read: cut between characters. */
bool text_copy_utf8(char *to, size_t room, const char *from, size_t size);

#endif
