/* SPDX-License-Identifier: MPL-2.0
 *
 * log - one JSON object a line on standard error; on a terminal, text to be read
 *
 * A line is built in one buffer on the stack and written with one write(2), so lines of several
 * threads and processes do not mix. A value that does not fit is cut, a field that does not is left
 * out; a line that could not be written is counted in the next one.
 */
#include "config.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/log_parts.h"
#include "actors/base/redact.h"
#include "actors/base/text.h"
#include "actors/base/trail.h"

#define LOG_LINE_BYTES  4096
#define LOG_VALUE_BYTES 1024 /* of one field's text; the rest is cut */
#define LOG_TAIL_BYTES  48   /* kept for the end of the line, so that what was begun is closed */
#define LOG_COUNT_BYTES 128  /* room that telling of dropped lines asks for */

_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "a line is written in one piece, or not at all");

static const char *const s_level_names[] = { "debug", "info", "warn", "error" };
static const char *const s_severities[] = { "DEBUG", "INFO", "WARN", "ERROR" };
static const char *const s_format_names[] = { "auto", "json", "text" };

/* Where lines go. Nothing but a file is certain never to make the writer wait. */
typedef enum { SINK_UNKNOWN, SINK_FILE, SINK_OTHER, SINK_TERMINAL } sink_t;

static _Atomic int s_format = LOG_FORMAT_AUTO;
static _Atomic int s_sink = SINK_UNKNOWN;
static _Atomic unsigned s_dropped; /* lines since the last that was written */
static _Thread_local log_request_t s_request;

log_field_t log_text_field(const char *key, const char *text)
{
    if (!text)
        text = "";
    return (log_field_t){ .key = key, .text = text, .size = strlen(text) };
}

log_field_t log_word_field(const char *key, const char *text)
{
    return (log_field_t){ .key = key, .type = LOG_FIELD_WORD, .text = text };
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool s_find(const char *const *names, size_t count, const char *text, int *found)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0) {
            *found = (int)i;
            return true;
        }
    return false;
}

bool log_level_parse(const char *text, log_level_t *level)
{
    int found;
    if (!s_find(s_level_names, COUNT_OF(s_level_names), text, &found))
        return false;
    *level = (log_level_t)found;
    return true;
}

const char *log_level_text(log_level_t level)
{
    return s_level_names[level];
}

bool log_set_format(const char *text)
{
    int found;
    if (!s_find(s_format_names, COUNT_OF(s_format_names), text, &found))
        return false;
    atomic_store(&s_format, found);
    atomic_store(&s_sink, SINK_UNKNOWN);
    return true;
}

/* ---- what a thread works on ----------------------------------------------------------------- */

void log_copy_id(char to[LOG_ID_SIZE], const char *id, size_t size)
{
    if (size > LOG_ID_SIZE - 1)
        size = LOG_ID_SIZE - 1;
    if (size)
        memcpy(to, id, size);
    to[size] = '\0';
}

void log_set_request(const char *request_id, const char *trace_id)
{
    log_copy_id(s_request.request_id, request_id, request_id ? strlen(request_id) : 0);
    log_copy_id(s_request.trace_id, trace_id, trace_id ? strlen(trace_id) : 0);
    s_request.job[0] = '\0';
    trail_begin();
}

void log_enter(const log_request_t *request)
{
    if (request)
        s_request = *request;
    else
        s_request.request_id[0] = s_request.trace_id[0] = s_request.job[0] = '\0';
    trail_begin();
}

const log_request_t *log_request(void)
{
    return &s_request;
}

/* ---- a line --------------------------------------------------------------------------------- */

typedef struct {
    size_t size;
    bool is_text; /* no JSON, but for people */
    char bytes[LOG_LINE_BYTES];
} line_t;

static size_t s_room(const line_t *line)
{
    const size_t end = sizeof line->bytes - LOG_TAIL_BYTES;
    return line->size < end ? end - line->size : 0;
}

static void s_add(line_t *line, const char *bytes, size_t size)
{
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

#define ADD(line, literal) s_add(line, literal, sizeof(literal) - 1)

/* U+2028 and U+2029 end a line to some who read it. */
static bool s_ends_line(const char *text, size_t step)
{
    return step == 3 &&
           (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0);
}

/* Writes what begins at `text` and is not plain; returns how many bytes of it that was. C1 controls
 * mean something to terminals, too. */
static size_t s_escape_one(const char *text, size_t size, char piece[8], size_t *length)
{
    const unsigned char c = (unsigned char)text[0];
    size_t step = text_utf8_step(text, size);
    if (step == 0) { /* a byte that is not UTF-8: the replacement character */
        *length = 3;
        memcpy(piece, "\xef\xbf\xbd", 3);
        return 1;
    }
    if (c == '"' || c == '\\') {
        *length = 2;
        piece[0] = '\\';
        piece[1] = (char)c;
    } else if (step == 1) {
        *length = (size_t)snprintf(piece, 8, "\\u%04x", c);
    } else if (c == 0xc2 && (unsigned char)text[1] < 0xa0) {
        *length = (size_t)snprintf(piece, 8, "\\u%04x", (unsigned char)text[1]);
    } else if (s_ends_line(text, step)) {
        *length = (size_t)snprintf(piece, 8, "\\u202%x", (unsigned char)text[2] & 0xf);
    } else {
        *length = step;
        memcpy(piece, text, step);
    }
    return step;
}

/* Writes `text` as the inside of a JSON string, as far as `end` allows; false: it did not fit. */
static bool s_escape(line_t *line, size_t end, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        const size_t run = text_plain_run(text + i, size - i);
        const size_t fits = run < end - line->size ? run : end - line->size;
        s_add(line, text + i, fits);
        if (fits < run)
            return false;
        i += run;
        if (i == size)
            break;
        size_t length;
        char piece[8];
        i += s_escape_one(text + i, size - i, piece, &length);
        if (line->size + length > end)
            return false;
        s_add(line, piece, length);
    }
    return true;
}

/* The same without what looks like a secret. A value is looked at as a whole, however little of it
 * is shown: half a secret is one, too. */
static void s_value(line_t *line, const char *text, size_t size)
{
    const size_t room = s_room(line);
    const size_t end = line->size + (room < LOG_VALUE_BYTES ? room : LOG_VALUE_BYTES);
    size_t at = 0;
    redact_span_t span;
    while (line->size < end && redact_next(text, size, at, &span)) {
        if (!s_escape(line, end, text + at, span.begin - at) ||
            !s_escape(line, end, REDACT_MASK, strlen(REDACT_MASK)))
            return;
        at = span.end;
    }
    s_escape(line, end, text + at, size - at);
}

/* Writes what stands before a value; false: there is no room for the field. */
static bool s_key(line_t *line, const char *key)
{
    const size_t size = strlen(key);
    if (s_room(line) < size + LOG_TAIL_BYTES)
        return false;
    if (line->is_text) {
        ADD(line, " ");
        s_add(line, key, size);
        ADD(line, "=");
    } else {
        ADD(line, ",\"");
        s_add(line, key, size);
        ADD(line, "\":");
    }
    return true;
}

/* A text of our own making, or checked to be plain; at most LOG_ID_SIZE bytes are meant. */
static void s_pair_plain(line_t *line, const char *key, const char *text)
{
    if (!s_key(line, key))
        return;
    ADD(line, "\"");
    s_escape(line, line->size + s_room(line), text, strlen(text));
    ADD(line, "\"");
}

static void s_pair_text(line_t *line, const char *key, const char *text, size_t size)
{
    if (!s_key(line, key))
        return;
    ADD(line, "\"");
    s_value(line, text, size);
    ADD(line, "\"");
}

static void s_pair_bare(line_t *line, const char *key, const char *value, size_t size)
{
    if (s_key(line, key))
        s_add(line, value, size);
}

static void s_field(line_t *line, const log_field_t *field)
{
    char number[40];
    switch (field->type) {
    case LOG_FIELD_TEXT:
        if (!field->text)
            break;
        if (redact_is_secret_key(field->key, strlen(field->key)))
            s_pair_plain(line, field->key, REDACT_MASK);
        else
            s_pair_text(line, field->key, field->text, field->size);
        break;
    case LOG_FIELD_WORD:
        if (field->text)
            s_pair_plain(line, field->key, field->text);
        break;
    case LOG_FIELD_INT:
        s_pair_bare(line, field->key, number, text_of_int(field->integer, number));
        break;
    case LOG_FIELD_FLOAT:
        snprintf(number, sizeof number, "%.6g", isfinite(field->number) ? field->number : 0.0);
        s_pair_bare(line, field->key, number, strlen(number));
        break;
    case LOG_FIELD_BOOL:
        s_pair_bare(line, field->key, field->integer ? "true" : "false", field->integer ? 4 : 5);
        break;
    }
}

/* ---- the beginning and the end -------------------------------------------------------------- */

/* {"timestamp":"2026-01-31T23:59:59.000Z","severity_text":"INFO","part":"edge","event_name":"..."
 */
static void s_begin_json(line_t *line, int64_t wall_ms, log_level_t level, const char *event)
{
    char now[CLOCK_TEXT_SIZE];
    ADD(line, "{\"timestamp\":\"");
    s_add(line, clock_text(wall_ms, now), CLOCK_TEXT_SIZE - 1);
    ADD(line, "\",\"severity_text\":\"");
    s_add(line, s_severities[level], strlen(s_severities[level]));
    ADD(line, "\"");
    s_pair_plain(line, "part", log_part());
    s_pair_plain(line, "event_name", event);
}

/* "23:59:59.000 INFO  edge     request" */
static void s_begin_text(line_t *line, int64_t wall_ms, log_level_t level, const char *event)
{
    char now[CLOCK_TEXT_SIZE], head[64];
    int size =
        snprintf(head, sizeof head, "%.12s %-5s %-8s ",
                 clock_text(wall_ms, now) + strlen("2026-01-31T"), s_severities[level], log_part());
    s_add(line, head, (size_t)size);
    s_escape(line, line->size + s_room(line), event, strlen(event));
}

static sink_t s_find_sink(void)
{
    struct stat info;
    int sink = atomic_load_explicit(&s_sink, memory_order_relaxed);
    if (sink != SINK_UNKNOWN)
        return (sink_t)sink;
    if (isatty(STDERR_FILENO))
        sink = SINK_TERMINAL;
    else
        sink = fstat(STDERR_FILENO, &info) == 0 && S_ISREG(info.st_mode) ? SINK_FILE : SINK_OTHER;
    atomic_store(&s_sink, sink);
    return (sink_t)sink;
}

static bool s_is_for_people(void)
{
    const int format = atomic_load_explicit(&s_format, memory_order_relaxed);
    return format == LOG_FORMAT_TEXT ||
           (format == LOG_FORMAT_AUTO && s_find_sink() == SINK_TERMINAL);
}

/* A log nobody reads must not stop the work: when standard error is a pipe that is full, the line
 * is dropped, and the next one that can be written says how many were. A pipe that polls as
 * writable has room for PIPE_BUF bytes, which a line does not exceed. */
static bool s_may_write(void)
{
    struct pollfd error = { .fd = STDERR_FILENO, .events = POLLOUT };
    return s_find_sink() == SINK_FILE || (poll(&error, 1, 0) == 1 && error.revents & POLLOUT);
}

static void s_write(line_t *line)
{
    if (!s_may_write()) {
        atomic_fetch_add(&s_dropped, 1);
        return;
    }
    unsigned dropped = 0;
    if (atomic_load_explicit(&s_dropped, memory_order_relaxed) && s_room(line) >= LOG_COUNT_BYTES)
        dropped = atomic_exchange(&s_dropped, 0);
    if (dropped) {
        char number[TEXT_INT_SIZE];
        s_pair_bare(line, "lines_dropped", number, text_of_int(dropped, number));
    }
    if (!line->is_text)
        ADD(line, "}");
    ADD(line, "\n");
    if (write(STDERR_FILENO, line->bytes, line->size) < 0)
        atomic_fetch_add(&s_dropped, dropped + 1);
}

void log_write(log_level_t level, const char *event, const log_field_t *fields, size_t count)
{
    const int64_t wall_ms = clock_wall_ms();
    line_t line;
    line.size = 0;
    line.is_text = s_is_for_people();
    if (line.is_text)
        s_begin_text(&line, wall_ms, level, event);
    else
        s_begin_json(&line, wall_ms, level, event);
    if (s_request.request_id[0])
        s_pair_plain(&line, "request_id", s_request.request_id);
    if (s_request.trace_id[0])
        s_pair_plain(&line, "trace_id", s_request.trace_id);
    if (s_request.job[0])
        s_pair_plain(&line, "job", s_request.job);
    const size_t own = line.size;
    for (size_t i = 0; i < count; i++)
        s_field(&line, &fields[i]);
    if (s_request.request_id[0] || s_request.trace_id[0])
        trail_keep(wall_ms, level, event, line.bytes + own, line.size - own);
    s_write(&line);
}
