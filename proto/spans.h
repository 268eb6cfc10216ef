/* SPDX-License-Identifier: MPL-2.0
 *
 * spans - what a part remembers of the traces that pass through it, until it is known which are
 * kept
 *
 * Whoever begins a trace decides by its id whether it is kept (trace_is_within), and says so with
 * the sampled flag: its spans are published as they end. All others lie in a ring for a moment, and
 * that costs no message. When one of them ends badly, or late, its trace is named on the topic
 * `trace.keep` {ids: [16 bytes, ...]}: then every part publishes what its ring holds of it, and
 * what ends of it from now on.
 *
 * Published are batches on the topic `trace`: {part, instance, spans: [{trace_id, id, parent_id,
 * name, kind, start_us, duration_us, is_failed, attributes}, ...]}. Ids are hex digits; a span
 * without a parent_id began the trace; `kind` is a number of OTLP's; times are microseconds, the
 * first since 1970; attributes are texts and whole numbers, named as OpenTelemetry does.
 *
 * Everything is bounded; what is lost for that is counted, but for what the ring has forgotten when
 * a trace is named late. Any thread may call all of this.
 */
#ifndef SIGNALBOX_PROTO_SPANS_H
#define SIGNALBOX_PROTO_SPANS_H

#include "actors/base/stats.h"
#include "proto/error.h"
#include "proto/trace.h"

#define SPANS_NAME_SIZE    80
#define SPANS_BATCH        64   /* spans of an event */
#define SPANS_A_SECOND     5000 /* that one part publishes */
#define SPANS_NAMED_A_TIME 100  /* traces that one part names within a second */

typedef struct client client_t;
typedef struct spans spans_t;

/* What a span is of; decides its kind and what the two halves of its name are. */
typedef enum {
    SPAN_SERVER,   /* a request over HTTP: verb, route */
    SPAN_HANDLER,  /* a method at work: service, method */
    SPAN_CALL,     /* a call to another service: service, method */
    SPAN_RUN,      /* a run of a job: service, method */
    SPAN_OUTBOUND, /* a call to the outside: verb, host */
    SPAN_QUERY,    /* a statement of a database: service, statement */
    SPAN_WHATS
} span_what_t;

typedef struct {
    trace_t context;                  /* the span's id is its own */
    uint8_t parent[TRACE_SPAN_BYTES]; /* zeros: it began the trace */
    uint8_t what;                     /* span_what_t */
    uint8_t code;                     /* error_code_t, ERROR_NONE when it ended well */
    bool is_failed;                   /* and that through no fault of the caller's */
    bool is_long;                     /* by nature: how long it took says nothing */
    uint8_t cut;                      /* bytes of the name's first half */
    uint16_t status;                  /* of HTTP; 0: none */
    uint32_t wait_us;                 /* until it was begun, of what it took; 0: it did not wait */
    uint64_t started_us, took_us;     /* by the monotonic clock */
    int64_t job;                      /* 0: none */
    const char *cache, *limit;        /* how it fared there; literals, or NULL */
    const char *outcome;              /* how a call to the outside ended, likewise */
    char name[SPANS_NAME_SIZE];       /* both halves, each with its NUL, cut when they are long */
} trace_span_t;

typedef struct {
    uint32_t millionths; /* of the traces begun here that are kept */
    uint32_t slow_ms;    /* what takes longer has its trace kept; 0: nothing has */
    size_t ring;         /* spans that are remembered; 0: none */
    bool follows;        /* whoever calls from outside may have a trace kept by its flag */
    client_t *client;    /* that publishes */
    const char *part, *instance;
    stats_t *stats;
    size_t kept, lost, named; /* rows of it: spans published, spans not, traces named here */
} spans_config_t;

/* What the configuration points to is borrowed until the end. */
spans_t *spans_new(const spans_config_t *config);
void spans_destroy(spans_t **self_p);

/* Decides of a trace that begins here whether it is kept, and sets its flag. */
void spans_decide(const spans_t *self, trace_t *trace);

/* Continues what the header `traceparent` tells, in a span of its own, whose parent is set, or
 * begins a trace: `parent` is zeros then, and false. */
bool spans_enter(const spans_t *self, const char *traceparent, trace_t *trace,
                 uint8_t parent[TRACE_SPAN_BYTES]);

/* Fills in what a span is, and where it stands; the rest is zeros, and the caller's to set. */
void trace_span_init(trace_span_t *span, span_what_t what, const char *first, const char *second,
                     const trace_t *context, const uint8_t parent[TRACE_SPAN_BYTES]);

/* Takes a span that has ended. */
void spans_end(spans_t *self, const trace_span_t *span);

/* Somebody has named traces: the body of an event of `trace.keep`. */
void spans_hear(spans_t *self, const void *body, size_t size);

/* The periodic work, a few times a second: publishes what has come together. */
void spans_flush(spans_t *self);

#endif
