/* SPDX-License-Identifier: MPL-2.0
 *
 * traced - for which trace the present thread works, so that the layers below a handler can tell
 */
#ifndef SIGNALBOX_RUNTIME_TRACED_H
#define SIGNALBOX_RUNTIME_TRACED_H

#include "proto/spans.h"

typedef struct {
    spans_t *spans; /* NULL: for none */
    trace_t trace;  /* the span that the work belongs to */
} traced_t;

/* What the thread works for. Whoever does a work for another thread takes its place along. */
traced_t traced_now(void);
void traced_set(const traced_t *traced);
void traced_end(void);

/* A statement of a database took long. */
void traced_query(const char *service, const char *statement, uint64_t took_us);

#endif
