/* SPDX-License-Identifier: MPL-2.0
 *
 * exchange - one request and its answer, with all the memory they need
 *
 * Exchanges are taken from a pool and used again, the one given back last first: as many exist as
 * requests were ever under way at once, however many threads there are. Everything large lives here
 * and not on civetweb's stacks, which have 100 KiB.
 */
#ifndef SIGNALBOX_EDGE_EXCHANGE_H
#define SIGNALBOX_EDGE_EXCHANGE_H

#include <civetweb.h>

#include "actors/base/clock.h"
#include "edge/address.h"
#include "edge/authority.h"
#include "edge/cached.h"
#include "edge/connection.h"
#include "edge/limits.h"
#include "edge/problem.h"
#include "edge/routes.h"
#include "edge/tracing.h"
#include "proto/client.h"

typedef struct edge edge_t;

/* Headers of a request that anything here looks at. */
typedef enum {
    HEADER_ACCEPT,
    HEADER_ACCEPT_ENCODING,
    HEADER_ACR_METHOD,
    HEADER_AUTHORIZATION,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_TYPE,
    HEADER_IDEMPOTENCY_KEY,
    HEADER_IF_NONE_MATCH,
    HEADER_ORIGIN,
    HEADER_PREFER,
    HEADER_TRACEPARENT,
    HEADER_TRACESTATE,
    HEADER_X_API_KEY,
    HEADER_X_FORWARDED_FOR,
    HEADER_X_NO_COMPRESSION,
    HEADER_X_REQUEST_ID,
    HEADER_X_SIGNATURE,
    HEADERS
} header_t;

typedef struct exchange exchange_t;

struct exchange {
    exchange_t *next; /* in the pool */
    edge_t *edge;
    connection_t *connection;
    struct mg_connection *server; /* NULL when the head was refused before civetweb saw it */

    /* the request */
    http_verb_t verb;
    bool is_known;                /* verb and target are valid: not so for a refused head */
    const char *target;           /* the path as it was sent, without the query */
    const char *query;            /* NULL: none */
    const char *headers[HEADERS]; /* NULL: not sent; several of one name are joined by ", " */
    bool is_forwarded;            /* a proxy says that it stands in front */
    char request_id[TRACING_REQUEST_ID_BYTES + 1];
    trace_t trace;                         /* the request's own span */
    uint8_t caller_span[TRACE_SPAN_BYTES]; /* zeros: it began the trace */
    const char *tracestate;                /* that may be passed on; "": none */
    address_t address;                     /* the caller's */
    const identity_t *identity;
    identity_t *held; /* a reference to it, or NULL for who has none of its own */
    credential_state_t credential;
    allowance_t allowance;         /* what the request was counted as */
    size_t limits_at, limits_size; /* where that stands in `extra` */
    path_t path;
    routing_t *routing;   /* held */
    const route_t *route; /* NULL for fixed routes and for what was refused before */
    const char *pattern;  /* for the log: the route's path, not the caller's */
    bool body_is_read;    /* or there is none */
    uint64_t started_us;

    /* the answer */
    bool is_answered;
    bool is_stream;  /* which lasts as long as its client likes */
    bool must_close; /* the connection ends behind it */
    unsigned status;
    size_t bytes_in, bytes_out; /* of bodies */
    uint64_t service_us;        /* how long the service took, with the way there and back */
    const char
        *limit_outcome; /* for the log: what came of counting the request; NULL: it was not */
    const char *cache_outcome; /* likewise: of looking for a copy of the answer */
    bool has_answer;           /* of the service, in `answer` */
    const uint8_t *reply;      /* msgpack, inside the answer */
    size_t reply_size;
    caching_t caching;

    /* what lies above begins as zeros; what follows is not touched before it is set */
    failure_t failure;      /* ERROR_NONE: none */
    schema_errors_t fields; /* as many as it counts */
    answer_t answer;
    char date[HTTP_DATE_SIZE];
    int64_t date_s; /* second that `date` is of */

    /* memory, emptied for every request */
    arena_t arena;
    buf_t body;    /* as it came */
    buf_t message; /* msgpack to the service */
    buf_t principal;
    buf_t extra;   /* header lines of the answer */
    buf_t members; /* of the problem document, beyond its own */
    buf_t content; /* body of the answer */
    buf_t packed;  /* the same in gzip */
    buf_t head;    /* of the answer */
};

typedef struct {
    pthread_mutex_t mutex;
    exchange_t *idle;
} exchange_pool_t;

void exchange_pool_init(exchange_pool_t *self);
void exchange_pool_free(exchange_pool_t *self);

/* An exchange for a connection's request. `server` NULL: one that the guard refused. */
exchange_t *exchange_begin(edge_t *edge, connection_t *connection, struct mg_connection *server);

/* Counts and logs the exchange and gives it back to the pool. */
void exchange_end(exchange_t **self_p);

/* Sets the failure to be answered; always returns false, for `return exchange_fail(...)`. */
bool exchange_fail(exchange_t *self, error_code_t code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Reads the whole body into `body`. False with a failure set: too large, too slow, broken. */
bool exchange_read_body(exchange_t *self) MUST_CHECK;

#endif
