/* SPDX-License-Identifier: MPL-2.0
 *
 * tracing - who a request is to logs and traces: its id, its place in a trace, the span it is
 *
 * A client may name its request (X-Request-ID) and put it into a trace of its own (traceparent and
 * tracestate). What is not well-formed is replaced, never repaired.
 */
#ifndef SIGNALBOX_EDGE_TRACING_H
#define SIGNALBOX_EDGE_TRACING_H

#include "proto/trace.h"

#define TRACING_REQUEST_ID_BYTES 64

typedef struct exchange exchange_t;

/* Copies the client's id of the request when it is 1 to 64 letters, digits, '.', '_' and '-', else
 * makes one. `given` may be NULL. */
void tracing_request_id(char id[TRACING_REQUEST_ID_BYTES + 1], const char *given);

/* Reads the headers of an exchange: its request id, its place in a trace, its trace state. */
void tracing_begin(exchange_t *exchange);

/* The exchange is over: it is a span. */
void tracing_end(exchange_t *exchange, uint64_t took_us);

/* The place in its trace of the request that this thread answers; NULL: it answers none. Valid
 * until the exchange is over. */
const trace_t *tracing_now(void);

#endif
