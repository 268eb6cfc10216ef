/* SPDX-License-Identifier: MPL-2.0
 *
 * log - one JSON object a line on standard error
 *
 * A line is built in one buffer on the stack and written with one write(2), so lines of several
 * threads and processes do not mix. A value that does not fit is cut, a field that does not is left
 * out; a line that could not be written is counted in the next one.
 */
#include "config.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/base/trail.h"

#define LOG_LINE_BYTES  4096
#define LOG_VALUE_BYTES 1024 /* of one field's text; the rest is cut */
#define LOG_ID_BYTES    65

static const char *const s_level_names[] = { "debug", "info", "warn", "error" };

_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "a line is written in one piece, or not at all");

static _Atomic int s_level = LOG_INFO;
static _Atomic unsigned s_dropped; /* lines since the last that was written */
static _Thread_local const char *s_part = "main";
static _Thread_local char s_request_id[LOG_ID_BYTES], s_trace_id[LOG_ID_BYTES];

/* Keys whose values never reach a log, whoever passes them. */
static const char *const s_secret_keys[] = { "password", "secret", "token", "authorization",
                                             "api_key",  "cookie", "dsn" };

log_field_t log_text_field(const char *key, const char *text)
{
    if (!text)
        text = "";
    return (log_field_t){ .key = key, .text = text, .size = strlen(text) };
}

bool log_is_on(log_level_t level)
{
    return (int)level >= atomic_load_explicit(&s_level, memory_order_relaxed);
}

void log_set_level(log_level_t level)
{
    atomic_store(&s_level, (int)level);
}

const char *log_level_name(log_level_t level)
{
    return s_level_names[level];
}

bool log_level_parse(const char *text, log_level_t *level)
{
    for (size_t i = 0; i < COUNT_OF(s_level_names); i++)
        if (strcmp(text, s_level_names[i]) == 0) {
            *level = (log_level_t)i;
            return true;
        }
    return false;
}

void log_set_part(const char *part)
{
    s_part = part;
    crash_cover_thread();
}

log_context_t log_context(void)
{
    return (log_context_t){ s_part, s_request_id, s_trace_id };
}

void log_set_request(const char *request_id, const char *trace_id)
{
    snprintf(s_request_id, sizeof s_request_id, "%s", request_id ? request_id : "");
    snprintf(s_trace_id, sizeof s_trace_id, "%s", trace_id ? trace_id : "");
    trail_begin();
}

/* Writes `text` as the inside of a JSON string into `to`, as far as `room` allows; returns the
 * bytes written, of which none is a control character. */
static size_t s_escape(char *to, size_t room, const char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t step = text_utf8_step(text + i, size - i);
        unsigned char c = (unsigned char)text[i];
        char piece[8];
        size_t length;
        if (step == 0) { /* a byte that is not UTF-8: the replacement character */
            length = 3;
            memcpy(piece, "\xef\xbf\xbd", 3);
            step = 1;
        } else if (c == '"' || c == '\\') {
            length = 2;
            piece[0] = '\\';
            piece[1] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            length = (size_t)snprintf(piece, sizeof piece, "\\u%04x", c);
        } else {
            length = step;
            memcpy(piece, text + i, step);
        }
        if (used + length > room)
            break;
        memcpy(to + used, piece, length);
        used += length;
        i += step;
    }
    return used;
}

typedef struct {
    char bytes[LOG_LINE_BYTES];
    size_t size;
} line_t;

/* Room kept for the end of the line, so that what was begun is always closed. */
#define LINE_TAIL 32

static void s_text(line_t *line, const char *text)
{
    size_t size = strlen(text);
    if (line->size + size + LINE_TAIL > sizeof line->bytes)
        return;
    memcpy(line->bytes + line->size, text, size);
    line->size += size;
}

static void s_pair(line_t *line, const char *key, const char *text, size_t size)
{
    size_t key_size = strlen(key);
    if (line->size + key_size + 2 * LINE_TAIL > sizeof line->bytes)
        return;
    s_text(line, ",\"");
    s_text(line, key);
    s_text(line, "\":\"");
    size_t room = sizeof line->bytes - line->size - LINE_TAIL;
    if (room > LOG_VALUE_BYTES)
        room = LOG_VALUE_BYTES;
    line->size += s_escape(line->bytes + line->size, room, text, size);
    line->bytes[line->size++] = '"';
}

static void s_plain(line_t *line, const char *key, const char *value)
{
    if (line->size + strlen(key) + strlen(value) + 2 * LINE_TAIL > sizeof line->bytes)
        return;
    s_text(line, ",\"");
    s_text(line, key);
    s_text(line, "\":");
    s_text(line, value);
}

static bool s_is_secret(const char *key)
{
    for (size_t i = 0; i < COUNT_OF(s_secret_keys); i++)
        if (strcasecmp(key, s_secret_keys[i]) == 0)
            return true;
    return false;
}

static void s_field(line_t *line, const log_field_t *field)
{
    char number[40];
    if (s_is_secret(field->key)) {
        s_pair(line, field->key, "***", 3);
        return;
    }
    switch (field->type) {
    case LOG_FIELD_TEXT:
        s_pair(line, field->key, field->text, field->size);
        break;
    case LOG_FIELD_INT:
        text_of_int(field->integer, number);
        s_plain(line, field->key, number);
        break;
    case LOG_FIELD_FLOAT:
        snprintf(number, sizeof number, "%.6g", isfinite(field->number) ? field->number : 0.0);
        s_plain(line, field->key, number);
        break;
    case LOG_FIELD_BOOL:
        s_plain(line, field->key, field->integer ? "true" : "false");
        break;
    }
}

/* A log nobody reads must not stop the work: when standard error is a pipe that is full, the line
 * is dropped, and the next one that can be written says how many were. A pipe that polls as
 * writable has room for PIPE_BUF bytes, which a line does not exceed. */
static void s_write(line_t *line)
{
    struct pollfd error = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll(&error, 1, 0) != 1 || !(error.revents & POLLOUT)) {
        atomic_fetch_add(&s_dropped, 1);
        return;
    }
    unsigned dropped = atomic_exchange(&s_dropped, 0);
    if (dropped) {
        char number[16];
        snprintf(number, sizeof number, "%u", dropped);
        s_plain(line, "lines_dropped", number);
    }
    line->bytes[line->size++] = '}';
    line->bytes[line->size++] = '\n';
    if (write(STDERR_FILENO, line->bytes, line->size) < 0)
        atomic_fetch_add(&s_dropped, dropped + 1);
}

void log_write(log_level_t level, const char *event, const log_field_t *fields, size_t count)
{
    char now[CLOCK_TEXT_SIZE];
    const int64_t wall_ms = clock_wall_ms();
    line_t line;
    line.size = 0;
    s_text(&line, "{\"timestamp\":\"");
    s_text(&line, clock_text(wall_ms, now));
    s_text(&line, "\"");
    s_pair(&line, "severity", s_level_names[level], strlen(s_level_names[level]));
    s_pair(&line, "part", s_part, strlen(s_part));
    s_pair(&line, "event", event, strlen(event));
    if (s_request_id[0])
        s_pair(&line, "request_id", s_request_id, strlen(s_request_id));
    if (s_trace_id[0])
        s_pair(&line, "trace_id", s_trace_id, strlen(s_trace_id));
    const size_t own = line.size;
    for (size_t i = 0; i < count; i++)
        s_field(&line, &fields[i]);
    if (s_request_id[0] || s_trace_id[0])
        trail_keep(wall_ms, level, event, line.bytes + own, line.size - own);
    s_write(&line);
}
