/* SPDX-License-Identifier: MPL-2.0
 *
 * trace - where a request stands in a trace (W3C Trace Context, level 1)
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "proto/trace.h"

#define PARENT_BYTES      (TRACE_PARENT_SIZE - 1)
#define STATE_LARGE_BYTES 128 /* a member of more is the first to go */
#define KEY_BYTES         256
#define TENANT_BYTES      241
#define SYSTEM_BYTES      14
#define VALUE_BYTES       256

/* ---- traceparent ---------------------------------------------------------------------------- */

static bool s_hex_digit(char c, uint8_t *value)
{
    if (c >= '0' && c <= '9')
        *value = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f') /* upper case is not allowed (section 2.2) */
        *value = (uint8_t)(c - 'a' + 10);
    else
        return false;
    return true;
}

static bool s_read_hex(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t high, low;
        if (!s_hex_digit(text[2 * i], &high) || !s_hex_digit(text[2 * i + 1], &low))
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool s_is_zero(const uint8_t *bytes, size_t size)
{
    while (size && !bytes[size - 1])
        size--;
    return size == 0;
}

/* version "-" trace "-" parent "-" flags; later versions may be longer, behind another "-". */
static bool s_read_parent(trace_t *self, const char *text)
{
    uint8_t version;
    size_t size = strlen(text);
    if (size < PARENT_BYTES || !s_read_hex(text, &version, 1) || version == 0xff ||
        text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    if (version == 0 ? size != PARENT_BYTES : size > PARENT_BYTES && text[PARENT_BYTES] != '-')
        return false;
    return s_read_hex(text + 3, self->trace, sizeof self->trace) &&
           s_read_hex(text + 36, self->span, sizeof self->span) &&
           s_read_hex(text + 53, &self->flags, 1) && !s_is_zero(self->trace, sizeof self->trace) &&
           !s_is_zero(self->span, sizeof self->span);
}

bool trace_read(trace_t *self, const char *traceparent)
{
    bool good = traceparent && s_read_parent(self, traceparent);
    if (good)
        self->flags &= TRACE_SAMPLED;
    else
        *self = (trace_t){ 0 };
    return good;
}

const char *trace_parent(const trace_t *self, char text[TRACE_PARENT_SIZE])
{
    static const uint8_t version = 0;
    id_hex(&version, 1, text);
    text[2] = '-';
    id_hex(self->trace, sizeof self->trace, text + 3);
    text[35] = '-';
    id_hex(self->span, sizeof self->span, text + 36);
    text[52] = '-';
    id_hex(&self->flags, 1, text + 53);
    return text;
}

/* ---- spans ---------------------------------------------------------------------------------- */

void trace_fresh(trace_t *self)
{
    id_fresh(self, sizeof *self);
    self->flags = 0;
}

trace_t trace_child(const trace_t *parent)
{
    trace_t self = *parent;
    id_fresh(self.span, sizeof self.span);
    return self;
}

bool trace_is_within(const trace_t *self, uint32_t millionths)
{
    const uint64_t all = UINT64_C(1) << 56;
    const uint64_t random = get_u64(self->trace + TRACE_ID_BYTES - 8) & (all - 1);
    return millionths >= TRACE_RATIO_ALL || random < all / TRACE_RATIO_ALL * millionths;
}

bool trace_read_id(uint8_t id[TRACE_ID_BYTES], const char *text, size_t size)
{
    return size == 2 * TRACE_ID_BYTES && s_read_hex(text, id, TRACE_ID_BYTES);
}

/* ---- tracestate ----------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    size_t size, key_size;
    bool is_left_out;
} member_t;

static bool s_is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool s_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 1 to `most` characters of a key. */
static bool s_is_name(const char *text, size_t size, size_t most, bool may_begin_with_digit)
{
    if (size == 0 || size > most ||
        !(s_is_small(*text) || (may_begin_with_digit && s_is_digit(*text))))
        return false;
    for (size_t i = 1; i < size; i++)
        if (!s_is_small(text[i]) && !s_is_digit(text[i]) && !memchr("_-*/", text[i], 4))
            return false;
    return true;
}

/* simple-key, or tenant-id "@" system-id */
static bool s_is_key(const char *text, size_t size)
{
    const char *at = memchr(text, '@', size);
    if (!at)
        return s_is_name(text, size, KEY_BYTES, false);
    const size_t tenant = (size_t)(at - text);
    return s_is_name(text, tenant, TENANT_BYTES, true) &&
           s_is_name(at + 1, size - tenant - 1, SYSTEM_BYTES, false);
}

/* Printable characters but "," and "=", the last of them no space. */
static bool s_is_value(const char *text, size_t size)
{
    if (size == 0 || size > VALUE_BYTES || text[size - 1] == ' ')
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '=')
            return false;
    return true;
}

static bool s_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A member without the white space around it. */
static bool s_read_member(member_t *self, const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    if (!equals)
        return false;
    *self = (member_t){ .text = text, .size = size, .key_size = (size_t)(equals - text) };
    return s_is_key(text, self->key_size) && s_is_value(equals + 1, size - self->key_size - 1);
}

static bool s_is_known(const member_t *members, size_t count, const member_t *member)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].key_size == member->key_size &&
            memcmp(members[i].text, member->text, member->key_size) == 0)
            return true;
    return false;
}

static bool s_read_members(const char *text, member_t *members, size_t *count)
{
    size_t seen = 0;
    for (size_t size; *text; text += size + (text[size] == ',')) {
        size = strcspn(text, ",");
        const char *from = text, *to = text + size;
        while (from < to && s_is_blank(*from))
            from++;
        while (from < to && s_is_blank(to[-1]))
            to--;
        if (from == to)
            continue;
        if (seen++ == TRACE_STATE_MEMBERS ||
            !s_read_member(&members[*count], from, (size_t)(to - from)))
            return false;
        if (!s_is_known(members, *count, &members[*count]))
            ++*count;
    }
    return true;
}

/* Leaves members out until the others have room. */
static void s_shorten(member_t *members, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += members[i].size + 1;
    for (size_t i = 0; i < count && size > TRACE_STATE_BYTES + 1; i++)
        if (members[i].size > STATE_LARGE_BYTES) {
            members[i].is_left_out = true;
            size -= members[i].size + 1;
        }
    for (size_t i = count; i > 0 && size > TRACE_STATE_BYTES + 1; i--)
        if (!members[i - 1].is_left_out) {
            members[i - 1].is_left_out = true;
            size -= members[i - 1].size + 1;
        }
}

bool trace_state_read(const char *tracestate, char text[TRACE_STATE_BYTES + 1])
{
    member_t members[TRACE_STATE_MEMBERS];
    size_t count = 0, used = 0;
    text[0] = '\0';
    if (!tracestate || !tracestate[0])
        return true;
    if (!s_read_members(tracestate, members, &count))
        return false;
    s_shorten(members, count);
    for (size_t i = 0; i < count; i++) {
        if (members[i].is_left_out)
            continue;
        if (used)
            text[used++] = ',';
        memcpy(text + used, members[i].text, members[i].size);
        used += members[i].size;
    }
    text[used] = '\0';
    return true;
}
