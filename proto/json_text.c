/* SPDX-License-Identifier: MPL-2.0
 *
 * json_text - the texts of JSON: escapes, UTF-8
 *
 * Most texts are copied as they are, found to be plain eight bytes at a time; only one with an
 * escape or beyond ASCII is decoded character by character.
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "proto/json_reader.h"

#define TEXT_HEAD_MAX 5 /* bytes of msgpack before a text */

static bool s_hex4(const char *at, const char *end, uint32_t *value)
{
    if (end - at < 4)
        return false;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static size_t s_put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (uint8_t)(0xc0 | c >> 6);
        to[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (uint8_t)(0xe0 | c >> 12);
        to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | c >> 18);
    to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* `self->at` stands behind "\u"; appends the code point, a surrogate pair taken together. */
static bool s_unicode(json_reader_t *self, uint8_t **to)
{
    uint32_t c, low;
    if (!s_hex4(self->at, self->end, &c))
        return json_fail(self, JSON_BAD_ESCAPE);
    self->at += 4;
    if (c >= 0xd800 && c <= 0xdfff) {
        if (c >= 0xdc00 || self->end - self->at < 6 || self->at[0] != '\\' || self->at[1] != 'u' ||
            !s_hex4(self->at + 2, self->end, &low) || low < 0xdc00 || low > 0xdfff)
            return json_fail(self, JSON_BAD_TEXT);
        self->at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *to += s_put_utf8(*to, c);
    return true;
}

static bool s_escape(json_reader_t *self, uint8_t **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (self->end - self->at < 2)
        return json_fail(self, JSON_CUT);
    char c = self->at[1];
    if (c == 'u') {
        const char *backslash = self->at;
        self->at += 2;
        if (s_unicode(self, to))
            return true;
        self->at = backslash;
        return false;
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found)
        return json_fail(self, JSON_BAD_ESCAPE);
    *(*to)++ = (uint8_t)into[found - from];
    self->at += 2;
    return true;
}

size_t json_text_head(uint8_t *to, size_t size)
{
    if (size < 32) {
        to[0] = (uint8_t)(0xa0 | size);
        return 1;
    }
    if (size <= UINT8_MAX) {
        to[0] = 0xd9;
        to[1] = (uint8_t)size;
        return 2;
    }
    if (size <= UINT16_MAX) {
        to[0] = 0xda;
        put_u16(to + 1, (uint16_t)size);
        return 3;
    }
    to[0] = 0xdb;
    put_u32(to + 1, (uint32_t)size);
    return 5;
}

/* Reads up to the closing quote and writes the characters at `*to`, which becomes their end. */
static bool s_decode(json_reader_t *self, uint8_t **to)
{
    while (true) {
        size_t size = text_plain_run(self->at, (size_t)(self->end - self->at));
        const char *plain = self->at + size;
        memcpy(*to, self->at, size);
        *to += size;
        self->at = plain;
        if (plain == self->end)
            return json_fail(self, JSON_CUT);
        unsigned char c = (unsigned char)*plain;
        if (c == '"')
            return true;
        if (c == '\\') {
            if (!s_escape(self, to))
                return false;
        } else if (c < 0x20) {
            return json_fail(self, JSON_CONTROL);
        } else {
            size_t step = text_utf8_step(plain, (size_t)(self->end - plain));
            if (!step)
                return json_fail(self, JSON_BAD_TEXT);
            memcpy(*to, plain, step);
            *to += step;
            self->at += step;
        }
    }
}

/* Where the text's closing quote stands, or the end when it has none. */
static const char *s_find_quote(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at;
}

bool json_read_text(json_reader_t *self, size_t *size)
{
    const char *from = self->at;
    const char *plain = from + text_plain_run(from, (size_t)(self->end - from));
    buf_t *out = self->out;
    if (plain < self->end && *plain == '"') { /* the common case: copied as it is */
        *size = (size_t)(plain - from);
        uint8_t *to = buf_reserve(out, *size + TEXT_HEAD_MAX);
        size_t head = json_text_head(to, *size);
        memcpy(to + head, from, *size);
        out->size += head + *size;
        self->at = plain + 1;
        return true;
    }

    const char *quote = s_find_quote(plain, self->end);
    if (quote == self->end) {
        self->at = self->end;
        return json_fail(self, JSON_CUT);
    }
    /* decoded behind the largest head, then moved to where it belongs; an escape is never shorter
     * than its character */
    uint8_t *start = buf_reserve(out, (size_t)(quote - from) + TEXT_HEAD_MAX);
    uint8_t *text = start + TEXT_HEAD_MAX, *end = text, head_bytes[TEXT_HEAD_MAX];
    if (!s_decode(self, &end))
        return false;
    self->at++;
    *size = (size_t)(end - text);
    size_t head = json_text_head(head_bytes, *size);
    memmove(start + head, text, *size);
    memcpy(start, head_bytes, head);
    out->size += head + *size;
    return true;
}
