/* SPDX-License-Identifier: MPL-2.0
 *
 * trace - who a request is to the logs: its id, and its place in a trace
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/base/redact.h"
#include "edge/trace.h"

#define FLAG_SAMPLED 1

static bool s_hex_digit(char c, uint8_t *value)
{
    if (c >= '0' && c <= '9')
        *value = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f') /* upper case is not allowed (Trace Context, 2.2) */
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
    uint8_t version, parent[8];
    size_t size = strlen(text);
    if (size < 55 || !s_read_hex(text, &version, 1) || version == 0xff || text[2] != '-' ||
        text[35] != '-' || text[52] != '-')
        return false;
    if (version == 0 ? size != 55 : size > 55 && text[55] != '-')
        return false;
    return s_read_hex(text + 3, self->trace, sizeof self->trace) &&
           s_read_hex(text + 36, parent, sizeof parent) && s_read_hex(text + 53, &self->flags, 1) &&
           !s_is_zero(self->trace, sizeof self->trace) && !s_is_zero(parent, sizeof parent);
}

void trace_begin(trace_t *self, const char *traceparent)
{
    uint8_t fresh[24];
    id_fresh(fresh, sizeof fresh);
    self->is_continued = traceparent && s_read_parent(self, traceparent);
    if (!self->is_continued) {
        memcpy(self->trace, fresh, sizeof self->trace);
        self->flags = FLAG_SAMPLED; /* what to keep is decided behind, with the whole trace known */
    }
    self->flags &= FLAG_SAMPLED; /* the only flag of level 1 */
    memcpy(self->span, fresh + sizeof self->trace, sizeof self->span);
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

void trace_frame(const trace_t *self, uint8_t bytes[FRAME_TRACE_BYTES])
{
    memcpy(bytes, self->trace, sizeof self->trace);
    memcpy(bytes + sizeof self->trace, self->span, sizeof self->span);
    bytes[FRAME_TRACE_BYTES - 1] = self->flags;
}

const char *trace_state(const trace_t *self, const char *tracestate)
{
    if (!self->is_continued || !tracestate || strlen(tracestate) > TRACE_STATE_BYTES)
        return "";
    for (const char *c = tracestate; *c; c++)
        if (*c < ' ' || *c > '~')
            return "";
    return tracestate;
}

void trace_request_id(char id[TRACE_REQUEST_ID_BYTES + 1], const char *given)
{
    redact_span_t span;
    const size_t size = given ? strlen(given) : 0;
    /* whatever is one is told to everybody the request meets: a secret put there goes no further */
    if (id_is_name(given, size, TRACE_REQUEST_ID_BYTES) && !redact_next(given, size, 0, &span))
        memcpy(id, given, size + 1);
    else
        id_uuid7(id);
}
