/* SPDX-License-Identifier: MPL-2.0
 *
 * error - what can go wrong with a request, as a code, a sentence and a message
 */
#ifndef SIGNALBOX_ERROR_H
#define SIGNALBOX_ERROR_H

#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/value.h"

typedef enum {
    ERROR_NONE,
#define ERROR(symbol, bus, http, retry, sentence) ERROR_##symbol,
#include "proto/error.def"
#undef ERROR
    ERROR_COUNT
} error_code_t;

typedef struct {
    const char *symbol; /* "NOT_FOUND" */
    uint16_t bus_status, http_status;
    bool retry;
    const char *sentence;
} error_row_t;

/* The row of a code; ERROR_NONE has an empty one. */
const error_row_t *error_row(error_code_t code);

/* Whether it is not the caller's doing: what HTTP answers with a 5xx. */
bool error_is_fault(error_code_t code);

/* The code of a symbol, ERROR_NONE when there is none. */
error_code_t error_from_symbol(const char *symbol, size_t size);

/* The best code for a status alone: peers of other dialects and later versions send no symbol we
 * know. */
error_code_t error_from_status(uint32_t bus_status);

/* A failure to be reported: what handlers fill in and the edge turns into a problem document. */
typedef struct {
    error_code_t code;
    uint32_t retry_after_ms; /* 0: unknown */
    char detail[240];        /* what was wrong, where, what to do; "" leaves the row's sentence */
    const schema_errors_t *fields; /* NULL: none. Borrowed */
    bool is_outside; /* somebody outside the system has failed, whom it called: nobody's fault here
                      */
} failure_t;

/* Packs the body of an ERROR message: {code, detail, errors, retry_after_ms, outside}. */
void failure_write(const failure_t *failure, pack_t *out);

/* Reads such a body; anything else becomes the code that fits `bus_status`. `fields` receives the
 * field errors and may be NULL. */
void failure_read(failure_t *failure, uint32_t bus_status, const void *body, size_t size,
                  schema_errors_t *fields);

#endif
