/* SPDX-License-Identifier: MPL-2.0
 *
 * path - the target of a request: its segments, and its query, percent-decoded
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "edge/path.h"

static int s_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* RFC 3986, 2.1. In a query a plus is a space (HTML's form encoding). */
static const char *s_decode(segment_t *self, const char *text, size_t size, bool plus_is_space,
                            arena_t *arena)
{
    char *to = arena_alloc(arena, size + 1);
    self->text = to;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 1 < size ? s_hex(text[i + 1]) : -1;
            int low = i + 2 < size ? s_hex(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return "The address holds a '%' that is not followed by two hex digits";
            c = (char)(high << 4 | low);
            i += 2;
            if (!c)
                return "The address holds %00, which no name here has";
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *to++ = c;
    }
    self->size = (size_t)(to - self->text);
    return text_is_utf8(self->text, self->size) ? NULL : "The address is not UTF-8 when decoded";
}

const char *path_read(path_t *self, const char *text, size_t size, arena_t *arena)
{
    self->count = 0;
    if (size <= 1)
        return NULL;
    const char *at = text + 1, *end = text + size;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;
        if (self->count == PATH_SEGMENTS_MAX)
            return "The address has more parts than any address here";
        const char *why =
            s_decode(&self->segments[self->count], at, (size_t)(stop - at), false, arena);
        if (why)
            return why;
        self->count++;
        if (!slash)
            return NULL;
        at = slash + 1;
    }
}

bool path_is(const path_t *self, const char *text)
{
    for (size_t i = 0; i < self->count; i++) {
        const segment_t *segment = &self->segments[i];
        /* sizes first: "a%2Fb" is one segment, and no way to "/a/b" */
        if (*text++ != '/' || strcspn(text, "/") != segment->size ||
            memcmp(text, segment->text, segment->size) != 0)
            return false;
        text += segment->size;
    }
    return *text == '\0' || (self->count == 0 && strcmp(text, "/") == 0);
}

static size_t s_count_pairs(const char *text)
{
    size_t count = 1;
    while ((text = strchr(text, '&'))) {
        count++;
        text++;
    }
    return count;
}

const char *query_read(query_t *self, const char *text, arena_t *arena)
{
    *self = (query_t){ 0 };
    if (!text || !text[0])
        return NULL;
    size_t room = s_count_pairs(text);
    if (room > QUERY_PAIRS_MAX)
        return "The query has more parameters than are accepted";
    self->pairs = arena_array(arena, room, sizeof *self->pairs);
    while (*text) {
        size_t size = strcspn(text, "&");
        if (size) { /* "a=1&&b=2" has an empty pair, which says nothing */
            query_pair_t *pair = &self->pairs[self->count];
            const char *equals = memchr(text, '=', size);
            size_t name_size = equals ? (size_t)(equals - text) : size;
            size_t value_at = equals ? name_size + 1 : size;
            const char *why = s_decode(&pair->name, text, name_size, true, arena);
            if (!why)
                why = s_decode(&pair->value, text + value_at, size - value_at, true, arena);
            if (why)
                return why;
            self->count++;
        }
        text += size + (text[size] == '&');
    }
    return NULL;
}
