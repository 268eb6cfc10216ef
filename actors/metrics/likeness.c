/* SPDX-License-Identifier: MPL-2.0
 *
 * likeness - what a message says, without what differs each time it is said
 */
#include "config.h"

#include <arpa/inet.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "actors/metrics/likeness.h"

#define HEX_ID_BYTES   8  /* so long a run of hexadecimal digits with a digit in it is an id */
#define MIXED_ID_BYTES 16 /* and so long a run of letters and digits */
#define ADDRESS_BYTES  64

static bool s_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool s_is_hex(char c)
{
    return s_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool s_is_alnum(char c)
{
    return s_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What may stand inside an id, an address or a date. */
static bool s_is_word(char c)
{
    return s_is_alnum(c) || (c && strchr("-_.:@+%", c));
}

/* ---- words ---------------------------------------------------------------------------------- */

static bool s_is_uuid(const char *word, size_t size)
{
    if (size != 36)
        return false;
    for (size_t i = 0; i < size; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? word[i] != '-' : !s_is_hex(word[i]))
            return false;
    return true;
}

static bool s_is_time(const char *word, size_t size)
{
    int64_t wall_ms;
    return clock_parse(word, size, &wall_ms);
}

static bool s_is_email(const char *word, size_t size)
{
    const char *at = memchr(word, '@', size);
    return at && at > word && memchr(at, '.', size - (size_t)(at - word));
}

/* Of a family, without a port. */
static bool s_is_ip(const char *word, size_t size)
{
    char text[ADDRESS_BYTES];
    uint8_t bytes[16];
    return text_copy(text, sizeof text, word, size) &&
           (inet_pton(AF_INET, text, bytes) == 1 ||
            (size > 2 && inet_pton(AF_INET6, text, bytes) == 1));
}

static bool s_is_address(const char *word, size_t size)
{
    const char *colon = memrchr(word, ':', size);
    return s_is_ip(word, size) || (colon && s_is_ip(word, (size_t)(colon - word)));
}

static const struct {
    bool (*is)(const char *word, size_t size);
    const char *kind;
} s_kinds[] = {
    { s_is_uuid, "<id>" },
    { s_is_time, "<time>" },
    { s_is_email, "<address>" },
    { s_is_address, "<address>" },
};

/* ---- runs of letters and digits, of which other words consist ------------------------------- */

static bool s_is_id(const char *run, size_t size)
{
    size_t digits = 0, hex = 0;
    for (size_t i = 0; i < size; i++) {
        digits += s_is_digit(run[i]);
        hex += s_is_hex(run[i]);
    }
    return digits > 0 && digits < size &&
           ((hex == size && size >= HEX_ID_BYTES) || size >= MIXED_ID_BYTES);
}

static void s_write_run(const char *run, size_t size, buf_t *out)
{
    if (s_is_id(run, size)) {
        buf_add_text(out, "<id>");
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (!s_is_digit(run[i]))
            buf_add_byte(out, (uint8_t)run[i]);
        else if (i == 0 || !s_is_digit(run[i - 1]))
            buf_add_text(out, "<n>");
    }
}

static void s_write_parts(const char *word, size_t size, buf_t *out)
{
    for (size_t i = 0; i < size;) {
        size_t run = 0;
        while (i + run < size && s_is_alnum(word[i + run]))
            run++;
        s_write_run(word + i, run, out);
        i += run;
        if (i < size)
            buf_add_byte(out, (uint8_t)word[i++]);
    }
}

static void s_write_word(const char *word, size_t size, buf_t *out)
{
    size_t core = size;
    while (core > 0 && strchr(".:-", word[core - 1])) /* the sentence's, not the word's */
        core--;
    for (size_t i = 0; i < COUNT_OF(s_kinds); i++)
        if (s_kinds[i].is(word, core)) {
            buf_add_text(out, s_kinds[i].kind);
            buf_add(out, word + core, size - core);
            return;
        }
    s_write_parts(word, size, out);
}

void likeness_write(const char *text, buf_t *out)
{
    while (*text) {
        size_t size = 0;
        while (s_is_word(text[size]))
            size++;
        if (size)
            s_write_word(text, size, out);
        else
            buf_add_byte(out, (uint8_t)text[size++]);
        text += size;
    }
}
