/* SPDX-License-Identifier: MPL-2.0
 *
 * json_read - strict JSON to msgpack
 *
 * The number of members of an array or object is known at its end only. One byte is kept for its
 * head; when more than 15 members came, the content is moved up by two or four bytes, which costs
 * less than counting first: small containers are many, large ones few, and depth is limited.
 *
 * Duplicate keys: up to FEW_KEYS an object's keys are compared one by one; beyond that it gets a
 * hash table. The hash is seeded once per process, so that nobody can choose keys that collide.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "proto/json.h"

#define JSON_DEPTH_MAX    255
#define JSON_FEW_KEYS     12
#define JSON_NUMBER_BYTES 1024 /* of one number's text */

typedef struct {
    uint32_t hash;
    uint32_t size;
    size_t offset; /* of the key's bytes in the output */
} json_key_t;

typedef struct {
    size_t head;    /* offset of the container's first byte in the output */
    uint32_t count; /* members so far */
    bool is_map;
    uint32_t first_key; /* index of its first key in `keys` */
    uint32_t *table;    /* open addressing, index into `keys` + 1; NULL while keys are few */
    uint32_t table_mask;
} json_open_t;

typedef struct {
    const char *start, *at, *end;
    buf_t *out;
    unsigned options;
    value_limits_t limits;
    uint32_t nodes;
    uint32_t depth;
    json_key_t *keys; /* of all open objects */
    uint32_t key_count, key_room;
    json_verdict_t verdict;
    json_open_t open[JSON_DEPTH_MAX + 1]; /* [0] is unused: the document itself */
} json_reader_t;

static uint64_t s_seed;

static void s_make_seed(void)
{
    s_seed = id_random_u64();
}

static bool s_fail(json_reader_t *self, json_verdict_t verdict)
{
    self->verdict = verdict;
    return false;
}

static inline void s_skip_space(json_reader_t *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\r' || *self->at == '\t'))
        self->at++;
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* High bit set in every byte of `word` that is below `limit` (limit <= 128, bytes below 128). */
#define BYTES(c)              (0x0101010101010101u * (uint64_t)(c))
#define HAS_LESS(word, limit) (((word)-BYTES(limit)) & ~(word)&BYTES(0x80))
#define HAS_BYTE(word, byte)  HAS_LESS((word) ^ BYTES(byte), 1)

/* Advances over plain bytes: stops at a quote, a backslash, a control character or non-ASCII. */
static inline const char *s_plain_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t stop = (word & BYTES(0x80)) | HAS_LESS(word, 0x20) | HAS_BYTE(word, '"') |
                        HAS_BYTE(word, '\\');
        if (stop)
            return at + __builtin_ctzll(stop) / 8;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\' &&
           (unsigned char)*at < 0x80)
        at++;
    return at;
}

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
        return s_fail(self, JSON_BAD_ESCAPE);
    self->at += 4;
    if (c >= 0xd800 && c <= 0xdfff) {
        if (c >= 0xdc00 || self->end - self->at < 6 || self->at[0] != '\\' || self->at[1] != 'u' ||
            !s_hex4(self->at + 2, self->end, &low) || low < 0xdc00 || low > 0xdfff)
            return s_fail(self, JSON_BAD_TEXT);
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
        return s_fail(self, JSON_CUT);
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
        return s_fail(self, JSON_BAD_ESCAPE);
    *(*to)++ = (uint8_t)into[found - from];
    self->at += 2;
    return true;
}

/* Bytes of a msgpack head for a text of `size` bytes, written at `to`. */
static size_t s_text_head(uint8_t *to, size_t size)
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

/* `self->at` stands behind the opening quote. Appends head and text; `*size` and the end of the
 * output tell where the text's bytes are. */
static bool s_text(json_reader_t *self, size_t *size)
{
    const char *from = self->at;
    const char *plain = s_plain_end(from, self->end);
    buf_t *out = self->out;
    if (plain < self->end && *plain == '"') { /* the common case: copied as it is */
        *size = (size_t)(plain - from);
        uint8_t *to = buf_reserve(out, *size + 5);
        size_t head = s_text_head(to, *size);
        memcpy(to + head, from, *size);
        out->size += head + *size;
        self->at = plain + 1;
        return true;
    }

    /* decoded behind the largest head, then moved to where it belongs */
    const char *close = plain;
    while (close < self->end && *close != '"')
        close += *close == '\\' && close + 1 < self->end ? 2 : 1;
    if (close >= self->end) {
        self->at = self->end;
        return s_fail(self, JSON_CUT);
    }
    uint8_t *start = buf_reserve(out, (size_t)(close - from) + 10), *text = start + 5, *to = text;
    while (true) {
        plain = s_plain_end(self->at, self->end);
        memcpy(to, self->at, (size_t)(plain - self->at));
        to += plain - self->at;
        self->at = plain;
        if (plain == self->end)
            return s_fail(self, JSON_CUT);
        unsigned char c = (unsigned char)*plain;
        if (c == '"')
            break;
        if (c == '\\') {
            if (!s_escape(self, &to))
                return false;
        } else if (c < 0x20) {
            return s_fail(self, JSON_CONTROL);
        } else {
            size_t step = text_utf8_step(plain, (size_t)(self->end - plain));
            if (!step)
                return s_fail(self, JSON_BAD_TEXT);
            memcpy(to, plain, step);
            to += step;
            self->at += step;
        }
    }
    self->at++;
    *size = (size_t)(to - text);
    uint8_t head_bytes[5];
    size_t head = s_text_head(head_bytes, *size);
    memmove(start + head, text, *size);
    memcpy(start, head_bytes, head);
    out->size += head + *size;
    return true;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static uint32_t s_key_hash(const uint8_t *key, size_t size)
{
    uint64_t hash = s_seed ^ size, word;
    for (; size >= 8; key += 8, size -= 8) {
        memcpy(&word, key, 8);
        hash = id_mix(hash, word);
    }
    word = 0;
    memcpy(&word, key, size);
    return (uint32_t)id_mix(hash, word);
}

static bool s_same_key(const json_reader_t *self, const json_key_t *a, const json_key_t *b)
{
    return a->hash == b->hash && a->size == b->size &&
           memcmp(self->out->bytes + a->offset, self->out->bytes + b->offset, a->size) == 0;
}

static void s_table_put(json_open_t *object, uint32_t hash, uint32_t index)
{
    uint32_t at = hash & object->table_mask;
    while (object->table[at])
        at = (at + 1) & object->table_mask;
    object->table[at] = index + 1;
}

/* (Re)builds the table with four places a key, so that chains stay short until it doubles again. */
static void s_table_build(json_reader_t *self, json_open_t *object)
{
    uint32_t size = object->table ? (object->table_mask + 1) * 2 : JSON_FEW_KEYS * 4;
    while (size & (size - 1))
        size += size & (~size + 1); /* up to a power of two */
    mem_free(object->table);
    object->table = mem_array(size, sizeof *object->table);
    object->table_mask = size - 1;
    for (uint32_t i = object->first_key; i < self->key_count; i++)
        s_table_put(object, self->keys[i].hash, i);
}

static bool s_is_duplicate(const json_reader_t *self, const json_open_t *object,
                           const json_key_t *key)
{
    if (!object->table) {
        for (uint32_t i = object->first_key; i < self->key_count; i++)
            if (s_same_key(self, &self->keys[i], key))
                return true;
        return false;
    }
    for (uint32_t at = key->hash & object->table_mask; object->table[at];
         at = (at + 1) & object->table_mask)
        if (s_same_key(self, &self->keys[object->table[at] - 1], key))
            return true;
    return false;
}

/* Remembers the key whose bytes were just appended. */
static bool s_add_key(json_reader_t *self, json_open_t *object, size_t size)
{
    json_key_t key = { .size = (uint32_t)size, .offset = self->out->size - size };
    key.hash = s_key_hash(self->out->bytes + key.offset, size);
    if (s_is_duplicate(self, object, &key))
        return s_fail(self, JSON_DUPLICATE_KEY);
    if (self->key_count == self->key_room) {
        self->key_room = self->key_room ? self->key_room * 2 : 64;
        self->keys = mem_resize(self->keys, self->key_room * sizeof *self->keys);
    }
    self->keys[self->key_count++] = key;
    uint32_t count = self->key_count - object->first_key;
    if (object->table && count * 2 <= object->table_mask)
        s_table_put(object, key.hash, self->key_count - 1);
    else if (count > JSON_FEW_KEYS)
        s_table_build(self, object);
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void s_put_natural(buf_t *out, uint64_t value)
{
    uint8_t *to = buf_reserve(out, 9);
    if (value < 0x80) {
        to[0] = (uint8_t)value;
        out->size += 1;
    } else if (value <= UINT8_MAX) {
        to[0] = 0xcc;
        to[1] = (uint8_t)value;
        out->size += 2;
    } else if (value <= UINT16_MAX) {
        to[0] = 0xcd;
        put_u16(to + 1, (uint16_t)value);
        out->size += 3;
    } else if (value <= UINT32_MAX) {
        to[0] = 0xce;
        put_u32(to + 1, (uint32_t)value);
        out->size += 5;
    } else {
        to[0] = 0xcf;
        put_u64(to + 1, value);
        out->size += 9;
    }
}

static void s_put_negative(buf_t *out, int64_t value)
{
    uint8_t *to = buf_reserve(out, 9);
    if (value >= -32) {
        to[0] = (uint8_t)value;
        out->size += 1;
    } else if (value >= INT8_MIN) {
        to[0] = 0xd0;
        to[1] = (uint8_t)value;
        out->size += 2;
    } else if (value >= INT16_MIN) {
        to[0] = 0xd1;
        put_u16(to + 1, (uint16_t)value);
        out->size += 3;
    } else if (value >= INT32_MIN) {
        to[0] = 0xd2;
        put_u32(to + 1, (uint32_t)value);
        out->size += 5;
    } else {
        to[0] = 0xd3;
        put_u64(to + 1, (uint64_t)value);
        out->size += 9;
    }
}

static void s_put_double(buf_t *out, double value)
{
    uint8_t *to = buf_reserve(out, 9);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    to[0] = 0xcb;
    put_u64(to + 1, bits);
    out->size += 9;
}

static bool s_put_big(json_reader_t *self, const char *from)
{
    size_t size = (size_t)(self->at - from);
    if (!(self->options & JSON_BIG_NUMBERS_AS_TEXT) || size > JSON_NUMBER_BYTES) {
        self->at = from;
        return s_fail(self, JSON_BIG_NUMBER);
    }
    uint8_t *to = buf_reserve(self->out, size + 5);
    size_t head = s_text_head(to, size);
    memcpy(to + head, from, size);
    self->out->size += head + size;
    return true;
}

/* The nearest double. Up to 2^53 times or divided by an exact power of ten needs one rounding only
 * (Clinger 1990); everything else is strtod's. */
static bool s_put_fraction(json_reader_t *self, const char *from, uint64_t digits, bool exact,
                           int64_t exponent)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (exact && digits <= (UINT64_C(1) << 53) && exponent >= -22 && exponent <= 22) {
        double value = (double)digits;
        value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
        s_put_double(self->out, *from == '-' ? -value : value);
        return true;
    }
    char text[JSON_NUMBER_BYTES + 1];
    size_t size = (size_t)(self->at - from);
    if (size > JSON_NUMBER_BYTES)
        return s_put_big(self, from);
    memcpy(text, from, size);
    text[size] = '\0';
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return s_put_big(self, from);
    s_put_double(self->out, value);
    return true;
}

static inline bool s_is_digit(const json_reader_t *self)
{
    return self->at < self->end && *self->at >= '0' && *self->at <= '9';
}

/* Reads digits into `*sum` as long as they fit; `*exact` falls once they do not. */
static uint32_t s_digits(json_reader_t *self, uint64_t *sum, bool *exact)
{
    uint32_t count = 0;
    for (; s_is_digit(self); self->at++, count++) {
        uint64_t digit = (uint64_t)(*self->at - '0');
        if (*sum > (UINT64_MAX - digit) / 10)
            *exact = false;
        else
            *sum = *sum * 10 + digit;
    }
    return count;
}

static bool s_number(json_reader_t *self)
{
    const char *from = self->at;
    bool negative = *self->at == '-', exact = true, whole = true;
    uint64_t digits = 0;
    int64_t exponent = 0;
    if (negative)
        self->at++;
    const char *first = self->at;
    uint32_t count = s_digits(self, &digits, &exact);
    if (count == 0)
        return s_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
    if (count > 1 && *first == '0')
        return s_fail(self, JSON_BAD_NUMBER);
    if (self->at < self->end && *self->at == '.') {
        whole = false;
        self->at++;
        uint32_t places = s_digits(self, &digits, &exact);
        if (places == 0)
            return s_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
        exponent = -(int64_t)places;
    }
    if (self->at < self->end && (*self->at | 0x20) == 'e') {
        whole = false;
        self->at++;
        bool down = self->at < self->end && *self->at == '-';
        if (self->at < self->end && (*self->at == '-' || *self->at == '+'))
            self->at++;
        uint64_t power = 0;
        bool fits = true;
        if (s_digits(self, &power, &fits) == 0)
            return s_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
        if (!fits || power > INT32_MAX)
            power = INT32_MAX;
        exponent += down ? -(int64_t)power : (int64_t)power;
    }
    if (!whole || (negative && digits == 0 && exact)) /* -0 is a double in JSON's data model */
        return s_put_fraction(self, from, digits, exact, exponent);
    if (!exact || (negative && digits > (uint64_t)INT64_MAX + 1))
        return s_put_big(self, from);
    if (negative)
        s_put_negative(self->out, (int64_t)(0 - digits));
    else
        s_put_natural(self->out, digits);
    return true;
}

/* ---- structure ------------------------------------------------------------------------------ */

static bool s_word(json_reader_t *self, const char *word, uint8_t byte)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < size; i++) {
        if (self->at + i >= self->end)
            return s_fail(self, JSON_CUT);
        if (self->at[i] != word[i])
            return s_fail(self, JSON_UNEXPECTED);
    }
    self->at += size;
    buf_add_byte(self->out, byte);
    return true;
}

static bool s_open(json_reader_t *self, bool is_map)
{
    if (self->depth >= self->limits.depth)
        return s_fail(self, JSON_TOO_DEEP);
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
        return s_fail(self, JSON_CUT);
    if (*self->at != '"')
        return s_fail(self, JSON_UNEXPECTED);
    const char *quote = self->at++;
    if (++self->nodes > self->limits.nodes)
        return s_fail(self, JSON_TOO_MANY);
    if (!s_text(self, &size))
        return false;
    if (!s_add_key(self, &self->open[self->depth], size)) {
        self->at = quote;
        return false;
    }
    s_skip_space(self);
    if (self->at == self->end)
        return s_fail(self, JSON_CUT);
    if (*self->at != ':')
        return s_fail(self, JSON_UNEXPECTED);
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
        return s_fail(self, JSON_CUT);
    if (++self->nodes > self->limits.nodes)
        return s_fail(self, JSON_TOO_MANY);
    switch (*self->at) {
    case '"':
        self->at++;
        return s_text(self, &size);
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
        return s_number(self);
    default:
        return s_fail(self, JSON_UNEXPECTED);
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
            return s_fail(self, JSON_CUT);
        char c = *self->at;
        if (c == (open->is_map ? '}' : ']')) {
            s_close(self);
            opened = false;
            continue;
        }
        if (!opened) {
            if (c != ',')
                return s_fail(self, JSON_UNEXPECTED);
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
        return s_fail(self, JSON_EMPTY);
    while (!done) {
        if (!s_value(self, &opened) || !s_advance(self, opened, &done))
            return false;
    }
    s_skip_space(self);
    return self->at == self->end || s_fail(self, JSON_TRAILING);
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, s_make_seed);
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
