/* SPDX-License-Identifier: MPL-2.0
 *
 * problem - failures as documents (RFC 9457, application/problem+json)
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/redact.h"
#include "actors/base/text.h"
#include "edge/problem.h"
#include "proto/json.h"

#define TYPE_PREFIX "urn:signalbox:problem:"

/* Texts of other processes may have been cut inside a character: what is left of it goes. Problems
 * are written down by whoever gets them, so that what was sent to the wrong place (a token in a
 * path, a name of a field) does not go on from there. */
static void s_add_value(buf_t *out, const char *text)
{
    redact_span_t span;
    const size_t size = text_utf8_cut(text, strlen(text));
    if (!redact_next(text, size, 0, &span)) {
        json_add_text(out, text, size);
        return;
    }
    buf_t hidden = { 0 };
    redact_text(text, size, &hidden);
    json_add_text(out, (const char *)hidden.bytes, hidden.size);
    buf_free(&hidden);
}

static void s_add(buf_t *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    s_add_value(out, text);
}

static void s_add_fields(buf_t *out, const schema_errors_t *fields)
{
    buf_add_text(out, ",\"errors\":[");
    for (size_t i = 0; i < fields->count; i++) {
        const schema_error_t *field = &fields->list[i];
        buf_add_text(out, i ? ",{\"pointer\":" : "{\"pointer\":");
        s_add_value(out, field->pointer);
        s_add(out, "detail", field->why);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

uint32_t problem_retry_after(const failure_t *failure)
{
    return failure->retry_after_ms / 1000 + (failure->retry_after_ms % 1000 != 0);
}

void problem_write(const failure_t *failure, const char *instance, const char *request_id,
                   const buf_t *members, buf_t *out)
{
    const error_row_t *row = error_row(failure->code);
    buf_printf(out, "{\"type\":\"" TYPE_PREFIX "%s\",\"title\":\"%s\",\"status\":%u", row->symbol,
               row->sentence, row->http_status);
    s_add(out, "detail", failure->detail[0] ? failure->detail : row->sentence);
    if (instance)
        s_add(out, "instance", instance);
    s_add(out, "code", row->symbol);
    if (request_id)
        s_add(out, "request_id", request_id);
    if (failure->fields && failure->fields->count)
        s_add_fields(out, failure->fields);
    if (failure->retry_after_ms)
        buf_printf(out, ",\"retry_after\":%u", problem_retry_after(failure));
    if (members)
        buf_add(out, members->bytes, members->size);
    buf_add_byte(out, '}');
}

void problem_set(failure_t *failure, error_code_t code, const char *format, ...)
{
    va_list args;
    *failure = (failure_t){ .code = code };
    va_start(args, format);
    vsnprintf(failure->detail, sizeof failure->detail, format, args);
    va_end(args);
}
