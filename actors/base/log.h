/* SPDX-License-Identifier: MPL-2.0
 *
 * log - one JSON object a line on standard error; on a terminal, text to be read
 *
 * A line holds `timestamp`, `severity_text`, `part`, `event_name`, the request id, the trace id and
 * the run of a job that the thread is working on, and the caller's fields. What the OpenTelemetry
 * conventions have a name for is called so. Values from outside are escaped: control characters and
 * broken UTF-8 never reach the log. A field whose key names a secret is printed as "***", and so is
 * what looks like one within a text (redact.h).
 *
 *     LOG(LOG_WARN, "worker.lost", LOG_TEXT("instance", name), LOG_INT("requests", n));
 *
 * From which severity on lines are written is configured, and can be changed at run time for each
 * part by itself (log_parts.h).
 */
#ifndef SIGNALBOX_LOG_H
#define SIGNALBOX_LOG_H

#include <stdatomic.h>

#include "actors/base/base.h"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

typedef enum {
    LOG_FIELD_TEXT,
    LOG_FIELD_WORD,
    LOG_FIELD_INT,
    LOG_FIELD_FLOAT,
    LOG_FIELD_BOOL
} log_field_type_t;

typedef struct {
    const char *key;
    log_field_type_t type;
    const char *text; /* not NUL-terminated when `size` is given; NULL: the field is left out */
    size_t size;      /* of text */
    int64_t integer;
    double number;
} log_field_t;

#define LOG_TEXT(k, v) log_text_field(k, v)
/* A word of our own, from a table: not looked through for secrets. Left out when NULL. */
#define LOG_WORD(k, v)     log_word_field(k, v)
#define LOG_BYTES(k, v, n) ((log_field_t){ .key = (k), .text = (v), .size = (n) })
#define LOG_INT(k, v)      ((log_field_t){ .key = (k), .type = LOG_FIELD_INT, .integer = (int64_t)(v) })
#define LOG_FLOAT(k, v)    ((log_field_t){ .key = (k), .type = LOG_FIELD_FLOAT, .number = (v) })
#define LOG_FLAG(k, v)     ((log_field_t){ .key = (k), .type = LOG_FIELD_BOOL, .integer = (v) })

/* Writes a line when `level` is on; fields are not evaluated when it is off. At least one field. */
#define LOG(level, event, ...)                                                                     \
    do {                                                                                           \
        if (log_is_on(level))                                                                      \
            log_write(level, event, (const log_field_t[]){ __VA_ARGS__ },                          \
                      COUNT_OF(((const log_field_t[]){ __VA_ARGS__ })));                           \
    } while (0)

log_field_t log_text_field(const char *key, const char *text);
log_field_t log_word_field(const char *key, const char *text);

/* Whether the part of this thread writes lines of this severity. */
extern _Thread_local const _Atomic int *log_threshold;

static inline bool log_is_on(log_level_t level)
{
    return (int)level >= atomic_load_explicit(log_threshold, memory_order_relaxed);
}

void log_write(log_level_t level, const char *event, const log_field_t *fields, size_t count);

/* Names the part this thread plays ("edge", "analysis"). Copied, cut at 31 bytes. A thread says so
 * first of all: it is made ready to report a crash (crash.h), too. */
void log_set_part(const char *part);

/* The level of parts that were given none of their own (log_parts.h); LOG_INFO at the start. Takes
 * effect at once. */
void log_set_level(log_level_t level);

/* ---- how lines look ------------------------------------------------------------------------- */

typedef enum { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT } log_format_t;

/* "auto" (text on a terminal, else JSON), "json", "text"; looks anew at what standard error is.
 * False, and nothing changed, when `text` is none of them. */
bool log_set_format(const char *text) MUST_CHECK;

/* "debug", "info", "warn", "error"; false when `text` is none of them. */
bool log_level_parse(const char *text, log_level_t *level) MUST_CHECK;
const char *log_level_text(log_level_t level);

/* ---- what a thread works on ----------------------------------------------------------------- */

#define LOG_ID_SIZE 65

typedef struct {
    char request_id[LOG_ID_SIZE]; /* "": none; so are the others */
    char trace_id[LOG_ID_SIZE];
    char job[LOG_ID_SIZE]; /* the run of a job, as proto/job.h writes it */
} log_request_t;

/* The request this thread works on from now on, which is the run of no job; either may be NULL.
 * Copied, cut at LOG_ID_SIZE - 1 bytes. */
void log_set_request(const char *request_id, const char *trace_id);

/* The same with all that is known of it; NULL: none. For work that is handed from thread to
 * thread, and for a line about something else than what the thread works on. */
void log_enter(const log_request_t *request);
const log_request_t *log_request(void); /* borrowed until the next change */

/* Copies an id into its place in a log_request_t; cut. */
void log_copy_id(char to[LOG_ID_SIZE], const char *id, size_t size);

#endif
