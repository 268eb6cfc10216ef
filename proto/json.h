/* SPDX-License-Identifier: MPL-2.0
 *
 * json - strict JSON to msgpack and back, one pass each way
 *
 * Strict is RFC 8259 with what it leaves open decided: duplicate keys and broken UTF-8 are refused,
 * lone surrogates too; nothing but white space may follow the value; depth and number of values are
 * limited. Numbers are exact: whole ones become int64 or uint64, others the nearest double; what
 * fits neither is refused, or kept as its text when JSON_BIG_NUMBERS_AS_TEXT is given.
 */
#ifndef SIGNALBOX_JSON_H
#define SIGNALBOX_JSON_H

#include "actors/base/buf.h"
#include "proto/value.h"

typedef enum {
    JSON_GOOD,
    JSON_EMPTY,
    JSON_UNEXPECTED, /* another character than the grammar allows here */
    JSON_CUT,        /* ends in the middle */
    JSON_TRAILING,
    JSON_TOO_DEEP,
    JSON_TOO_MANY,
    JSON_DUPLICATE_KEY,
    JSON_BAD_TEXT, /* broken UTF-8, a lone surrogate */
    JSON_BAD_ESCAPE,
    JSON_CONTROL,    /* a raw control character in a text */
    JSON_BIG_NUMBER, /* beyond 64 bits, or beyond a double */
    JSON_BAD_NUMBER, /* leading zero, missing digits */
} json_verdict_t;

typedef struct {
    json_verdict_t verdict;
    size_t offset;         /* bytes from the start */
    uint32_t line, column; /* from 1; columns are bytes */
} json_error_t;

enum { JSON_BIG_NUMBERS_AS_TEXT = 1 };

/* Appends the msgpack of one JSON text to `out`. On failure `out` is as before and `error` says
 * what and where. `options` is 0 or the flag above. Time is linear in `size`; memory is `out` and a
 * few bytes for every key of the objects that are open. */
bool json_to_msgpack(const char *text, size_t size, value_limits_t limits, unsigned options,
                     buf_t *out, json_error_t *error) MUST_CHECK;

/* A sentence for each verdict. */
const char *json_verdict_text(json_verdict_t verdict);

/* Appends the JSON of a value. Binary becomes base64 (RFC 4648, 4), not-a-number and the infinities
 * become null. Doubles are written so that they read back equal, and never look like integers. */
void json_write(const value_t *value, buf_t *out);

/* The same with line breaks and two spaces a level, for people. */
void json_write_pretty(const value_t *value, buf_t *out);

/* Appends text as a JSON string with its quotes; the text must be UTF-8. */
void json_add_text(buf_t *out, const char *text, size_t size);

#endif
