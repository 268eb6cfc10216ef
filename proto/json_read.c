/* SPDX-License-Identifier: MPL-2.0
 *
 * json_read - strict JSON to msgpack: the structure
 *
 * The number of members of an array or object is known at its end only. One byte is kept for its
 * head; when more than 15 members came, the content is moved up by two or four bytes, which costs
 * less than counting first: small containers are many, large ones few, and depth is limited.
 */
#include "config.h"

#include <string.h>

#include "proto/json_reader.h"

static inline void s_skip_space(json_reader_t *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\r' || *self->at == '\t'))
        self->at++;
}

static bool s_word(json_reader_t *self, const char *word, uint8_t byte)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < size; i++) {
        if (self->at + i >= self->end)
            return json_fail(self, JSON_CUT);
        if (self->at[i] != word[i])
            return json_fail(self, JSON_UNEXPECTED);
    }
    self->at += size;
    buf_add_byte(self->out, byte);
    return true;
}

static bool s_open(json_reader_t *self, bool is_map)
{
    if (self->depth >= self->limits.depth)
        return json_fail(self, JSON_TOO_DEEP);
    self->at++;
    self->open[++self->depth] =
        (json_open_t){ .head = self->out->size, .is_map = is_map, .first_key = self->key_count };
    buf_add_byte(self->out, is_map ? 0x80 : 0x90);
    return true;
}

static void s_close(json_reader_t *self)
{
    json_open_t *open = &self->open[self->depth--];
    buf_t *out = self->out;
    self->at++;
    mem_free(open->table);
    self->key_count = open->first_key;
    if (open->count < 16) {
        out->bytes[open->head] |= (uint8_t)open->count;
        return;
    }
    bool is_wide = open->count > UINT16_MAX;
    size_t more = is_wide ? 4 : 2, body = open->head + 1;
    buf_reserve(out, more);
    memmove(out->bytes + body + more, out->bytes + body, out->size - body);
    out->size += more;
    out->bytes[open->head] = (uint8_t)((open->is_map ? 0xde : 0xdc) + is_wide);
    if (is_wide)
        put_u32(out->bytes + body, open->count);
    else
        put_u16(out->bytes + body, (uint16_t)open->count);
}

/* A key and its colon. */
static bool s_key(json_reader_t *self)
{
    size_t size;
    s_skip_space(self);
    if (self->at == self->end)
        return json_fail(self, JSON_CUT);
    if (*self->at != '"')
        return json_fail(self, JSON_UNEXPECTED);
    const char *quote = self->at++;
    if (++self->nodes > self->limits.nodes)
        return json_fail(self, JSON_TOO_MANY);
    if (!json_read_text(self, &size))
        return false;
    if (!json_add_key(self, size)) {
        self->at = quote;
        return false;
    }
    s_skip_space(self);
    if (self->at == self->end)
        return json_fail(self, JSON_CUT);
    if (*self->at != ':')
        return json_fail(self, JSON_UNEXPECTED);
    self->at++;
    return true;
}

/* A scalar, or the opening of a container: `*opened` tells which. */
static bool s_value(json_reader_t *self, bool *opened)
{
    size_t size;
    *opened = false;
    s_skip_space(self);
    if (self->at == self->end)
        return json_fail(self, JSON_CUT);
    if (++self->nodes > self->limits.nodes)
        return json_fail(self, JSON_TOO_MANY);
    switch (*self->at) {
    case '"':
        self->at++;
        return json_read_text(self, &size);
    case '{':
    case '[':
        *opened = true;
        return s_open(self, *self->at == '{');
    case 't':
        return s_word(self, "true", 0xc3);
    case 'f':
        return s_word(self, "false", 0xc2);
    case 'n':
        return s_word(self, "null", 0xc0);
    case '-':
    case '0' ... '9':
        return json_read_number(self);
    default:
        return json_fail(self, JSON_UNEXPECTED);
    }
}

/* Behind a value or an opening bracket: closes what closes here and stands before the next value.
 * `*done` when the document is complete. */
static bool s_advance(json_reader_t *self, bool opened, bool *done)
{
    while (self->depth > 0) {
        json_open_t *open = &self->open[self->depth];
        s_skip_space(self);
        if (self->at == self->end)
            return json_fail(self, JSON_CUT);
        char c = *self->at;
        if (c == (open->is_map ? '}' : ']')) {
            s_close(self);
            opened = false;
            continue;
        }
        if (!opened) {
            if (c != ',')
                return json_fail(self, JSON_UNEXPECTED);
            self->at++;
        }
        open->count++;
        return !open->is_map || s_key(self);
    }
    *done = true;
    return true;
}

static bool s_document(json_reader_t *self)
{
    bool opened, done = false;
    s_skip_space(self);
    if (self->at == self->end)
        return json_fail(self, JSON_EMPTY);
    while (!done) {
        if (!s_value(self, &opened) || !s_advance(self, opened, &done))
            return false;
    }
    s_skip_space(self);
    return self->at == self->end || json_fail(self, JSON_TRAILING);
}

static void s_locate(const json_reader_t *self, json_error_t *error)
{
    *error = (json_error_t){ .verdict = self->verdict,
                             .offset = (size_t)(self->at - self->start),
                             .line = 1 };
    const char *line = self->start;
    for (const char *at = self->start; at < self->at; at++)
        if (*at == '\n') {
            error->line++;
            line = at + 1;
        }
    error->column = (uint32_t)(self->at - line) + 1;
}

bool json_to_msgpack(const char *text, size_t size, value_limits_t limits, unsigned options,
                     buf_t *out, json_error_t *error)
{
    insist(limits.depth <= JSON_DEPTH_MAX && size <= UINT32_MAX);

    json_reader_t self;
    memset(&self, 0, offsetof(json_reader_t, open));
    self.start = self.at = text;
    self.end = text + size;
    self.out = out;
    self.options = options;
    self.limits = limits;

    size_t before = out->size;
    bool good = s_document(&self);
    if (good) {
        *error = (json_error_t){ .verdict = JSON_GOOD };
    } else {
        s_locate(&self, error);
        out->size = before;
        for (uint32_t i = 1; i <= self.depth; i++)
            mem_free(self.open[i].table);
    }
    mem_free(self.keys);
    return good;
}

const char *json_verdict_text(json_verdict_t verdict)
{
    static const char *const texts[] = {
        [JSON_GOOD] = "it is valid",
        [JSON_EMPTY] = "there is no JSON value",
        [JSON_UNEXPECTED] = "this character cannot stand here",
        [JSON_CUT] = "the text ends in the middle",
        [JSON_TRAILING] = "there is more behind the value",
        [JSON_TOO_DEEP] = "arrays and objects are nested too deeply",
        [JSON_TOO_MANY] = "there are too many values",
        [JSON_DUPLICATE_KEY] = "this key stands twice in one object",
        [JSON_BAD_TEXT] = "this is not UTF-8, or half a surrogate pair",
        [JSON_BAD_ESCAPE] = "this escape does not exist",
        [JSON_CONTROL] = "a control character must be escaped",
        [JSON_BIG_NUMBER] = "this number does not fit 64 bits or a double",
        [JSON_BAD_NUMBER] = "this is not a JSON number",
    };
    return texts[verdict];
}
