/* SPDX-License-Identifier: MPL-2.0
 *
 * otlp - spans for a collector that speaks OTLP/HTTP with JSON
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/metrics/otlp.h"
#include "proto/json.h"

#define STATUS_ERROR  2 /* of trace.proto, Status.StatusCode */
#define ANSWER_LIMITS ((value_limits_t){ .depth = 8, .nodes = 1000 })

/* ---- settings ------------------------------------------------------------------------------- */

static int s_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Appends a value with its %XX undone; false when it is no header's. */
static bool s_add_value(buf_t *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%' && i + 2 < size && s_hex_value(text[i + 1]) >= 0 &&
            s_hex_value(text[i + 2]) >= 0) {
            c = s_hex_value(text[i + 1]) * 16 + s_hex_value(text[i + 2]);
            i += 2;
        }
        if (c < ' ' || c > '~')
            return false;
        buf_add_byte(out, (uint8_t)c);
    }
    return true;
}

/* "name=value" as "name: value"; NULL when it is not that. */
static char *s_read_header(const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    buf_t line = { 0 };
    if (!equals)
        return NULL;
    const size_t name = (size_t)(equals - text);
    buf_add(&line, text, name);
    buf_add(&line, ": ", 2);
    bool good = id_is_name(text, name, 100) && s_add_value(&line, equals + 1, size - name - 1);
    char *header = good ? mem_text(line.bytes, line.size) : NULL;
    buf_free(&line);
    return header;
}

static bool s_read_headers(otlp_t *self, const char *list)
{
    for (size_t count = 0; *(list += strspn(list, " ,")); count++) {
        const size_t size = strcspn(list, ",");
        if (count == OTLP_HEADERS_MAX || !(self->headers[count] = s_read_header(list, size)))
            return false;
        list += size;
    }
    return true;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* A whole number of 64 bits is a text in OTLP's JSON; some collectors write it as a number. */
static size_t s_count(const value_t *number)
{
    int64_t count = 0;
    if (value_is_type(number, VALUE_INT))
        count = number->integer;
    else if (!value_is_type(number, VALUE_TEXT) ||
             !text_to_i64(number->text, number->count, &count))
        return 0;
    return count > 0 ? (size_t)count : 0;
}

size_t otlp_refused(const void *answer, size_t size, char why[EXPORTER_WHY_SIZE])
{
    arena_t arena = { 0 };
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    size_t refused = 0;
    if (json_to_msgpack(answer, size, ANSWER_LIMITS, 0, &packed, &error)) {
        const value_t *partial =
            value_get(value_parse(&arena, packed.bytes, packed.size, ANSWER_LIMITS, &verdict),
                      "partialSuccess");
        size_t length = 0;
        const char *text = value_get_text(partial, "errorMessage", &length);
        refused = s_count(value_get(partial, "rejectedSpans"));
        text_copy_utf8(why, EXPORTER_WHY_SIZE, text ? text : "", length);
    }
    buf_free(&packed);
    arena_free(&arena);
    return refused;
}

bool otlp_init(otlp_t *self, const char *url, const char *headers, char *why, size_t why_size)
{
    *self = (otlp_t){ 0 };
    exporter_init(&self->exporter,
                  &(exporter_config_t){ .name = "otlp",
                                        .url = url,
                                        .content_type = "application/json",
                                        .refused = otlp_refused,
                                        .headers = (const char *const *)self->headers });
    if (s_read_headers(self, headers))
        return true;
    snprintf(why, why_size,
             "metrics.otlp_headers is not like 'name=value,name=value', or has more than %d",
             OTLP_HEADERS_MAX);
    otlp_free(self);
    return false;
}

void otlp_free(otlp_t *self)
{
    exporter_free(&self->exporter);
    for (size_t i = 0; self->headers[i]; i++) {
        mem_wipe(self->headers[i], strlen(self->headers[i]));
        mem_free(self->headers[i]);
    }
    buf_free(&self->body);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void s_add_text(buf_t *out, const value_t *text)
{
    json_add_text(out, text->text, text->count);
}

/* A KeyValue. */
static void s_add_attribute(buf_t *out, const value_t *key, const value_t *value)
{
    buf_add_text(out, "{\"key\":");
    s_add_text(out, key);
    if (value->type == VALUE_TEXT) {
        buf_add_text(out, ",\"value\":{\"stringValue\":");
        s_add_text(out, value);
        buf_add_text(out, "}}");
    } else {
        buf_printf(out, ",\"value\":{\"intValue\":\"%" PRId64 "\"}}", value->integer);
    }
}

static void s_add_named(buf_t *out, const char *key, const value_t *value)
{
    const value_t name = { .type = VALUE_TEXT, .count = (uint32_t)strlen(key), .text = key };
    s_add_attribute(out, &name, value);
}

void otlp_begin(otlp_t *self, const heard_batch_t *batch)
{
    static const char space[] = "signalbox";
    const value_t namespace = { .type = VALUE_TEXT, .count = sizeof space - 1, .text = space };
    buf_t *out = &self->body;
    buf_add_text(out, out->size ? "," : "{\"resourceSpans\":[");
    buf_add_text(out, "{\"resource\":{\"attributes\":[");
    s_add_named(out, "service.namespace", &namespace);
    buf_add_byte(out, ',');
    s_add_named(out, "service.name", batch->part);
    buf_add_byte(out, ',');
    s_add_named(out, "service.instance.id", batch->instance);
    buf_add_text(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"signalbox\",\"version\":"
                      "\"" PACKAGE_VERSION "\"},\"spans\":[");
    self->batch = 0;
}

void otlp_add(otlp_t *self, const heard_t *span)
{
    buf_t *out = &self->body;
    const value_t *attributes = span->attributes;
    buf_add_text(out, self->batch++ ? ",{\"traceId\":" : "{\"traceId\":");
    s_add_text(out, span->trace_id);
    buf_add_text(out, ",\"spanId\":");
    s_add_text(out, span->id);
    if (span->parent_id) {
        buf_add_text(out, ",\"parentSpanId\":");
        s_add_text(out, span->parent_id);
    }
    buf_add_text(out, ",\"name\":");
    s_add_text(out, span->name);
    buf_printf(out,
               ",\"kind\":%u,\"startTimeUnixNano\":\"%" PRId64
               "000\",\"endTimeUnixNano\":\"%" PRId64 "000\",\"attributes\":[",
               span->kind, span->start_us, span->start_us + span->duration_us);
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        s_add_attribute(out, &attributes->items[2 * i], &attributes->items[2 * i + 1]);
    }
    buf_add_text(out, "],\"status\":{");
    if (span->is_failed)
        buf_printf(out, "\"code\":%d", STATUS_ERROR);
    buf_add_text(out, "}}");
}

void otlp_end(otlp_t *self)
{
    buf_add_text(&self->body, "]}]}");
    self->spans += self->batch;
    if (self->spans >= OTLP_SPANS_MAX)
        otlp_flush(self);
}

void otlp_flush(otlp_t *self)
{
    if (self->spans) {
        buf_add_text(&self->body, "]}");
        exporter_send(&self->exporter, &self->body, self->spans);
    }
    self->body.size = self->spans = 0;
}
