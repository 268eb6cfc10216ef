/* SPDX-License-Identifier: MPL-2.0
 *
 * log - one JSON object a line on standard error
 *
 * A line holds `timestamp`, `severity`, `part`, `event`, the request id and trace id of the request
 * the thread is working on, and the caller's fields. Values from outside are escaped: control
 * characters and broken UTF-8 never reach the log. A field whose key names a secret ("password",
 * "token" ...; the list is in log.c) is printed as "***".
 *
 *     LOG(LOG_WARN, "worker.lost", LOG_TEXT("instance", name), LOG_INT("requests", n));
 */
#ifndef SIGNALBOX_LOG_H
#define SIGNALBOX_LOG_H

#include "actors/base/base.h"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

typedef enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_FLOAT, LOG_FIELD_BOOL } log_field_type_t;

typedef struct {
    const char *key;
    log_field_type_t type;
    const char *text; /* not NUL-terminated when `size` is given */
    size_t size;      /* of text */
    int64_t integer;
    double number;
} log_field_t;

#define LOG_TEXT(k, v)     log_text_field(k, v)
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

bool log_is_on(log_level_t level);
void log_write(log_level_t level, const char *event, const log_field_t *fields, size_t count);

/* From which level on lines are written; LOG_INFO at the start. Takes effect at once. */
void log_set_level(log_level_t level);

/* "debug", "info", "warn", "error"; false when `text` is none of them. */
bool log_level_parse(const char *text, log_level_t *level) MUST_CHECK;

/* Names the part this thread plays ("edge", "analysis"): a literal, kept by pointer. A thread says
 * so first of all: it is made ready to report a crash (crash.h), too. */
void log_set_part(const char *part);

/* The request this thread works on from now on; either may be NULL. Copied, cut at 64 bytes. */
void log_set_request(const char *request_id, const char *trace_id);

/* Who the thread is to the log; the texts are its own, "" where there is none. */
typedef struct {
    const char *part, *request_id, *trace_id;
} log_context_t;

log_context_t log_context(void);

/* "debug", "info", "warn", "error". */
const char *log_level_name(log_level_t level);

#endif
