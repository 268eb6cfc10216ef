/* SPDX-License-Identifier: MPL-2.0
 *
 * problem - failures as documents (RFC 9457, application/problem+json)
 *
 * proto/error.def alone decides the HTTP status, the title and the code of a failure.
 */
#ifndef SIGNALBOX_EDGE_PROBLEM_H
#define SIGNALBOX_EDGE_PROBLEM_H

#include "proto/error.h"

#define PROBLEM_MEDIA "application/problem+json"

/* Appends the document: type, title, status, detail, instance, code, request_id, and when there are
 * any errors [{pointer, detail}] and retry_after in seconds. `instance` (the path asked for) and
 * `request_id` may be NULL, and so may `members`: more members, as JSON, each behind a comma. */
void problem_write(const failure_t *failure, const char *instance, const char *request_id,
                   const buf_t *members, buf_t *out);

/* Seconds for Retry-After, rounded up; 0 when the failure does not say. */
uint32_t problem_retry_after(const failure_t *failure);

/* Fills a failure with a code and a sentence of its own. */
void problem_set(failure_t *failure, error_code_t code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
