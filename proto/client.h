/* SPDX-License-Identifier: MPL-2.0
 *
 * client - a connection to the bus: calls, events, and the worker's side of the protocol
 *
 * A client owns one I/O thread and, to each broker, one DEALER for requests and one SUB for events.
 * Any thread may call, send, publish and reply; all sockets are touched by the I/O thread alone.
 * The edge, the actors' runtime, the command line and the tests use it alike.
 *
 * Callbacks run on the I/O thread and must not block; what they are handed is valid until they
 * return, unless stated. Every call ends: with the answer, with the broker's error, or with an
 * error of our own (DEADLINE, NO_BROKER, CANCELLED); an answer that comes later is dropped and
 * counted.
 */
#ifndef SIGNALBOX_CLIENT_H
#define SIGNALBOX_CLIENT_H

#include <zmq.h>

#include "actors/base/settings.h"
#include "actors/base/stats.h"
#include "proto/error.h"
#include "proto/frame.h"
#include "proto/spans.h"

#define CLIENT_BROKERS_MAX 4

typedef struct client client_t;

/* ---- settings every process on the bus shares ----------------------------------------------- */

typedef struct {
    const char *brokers; /* request endpoints, separated by commas */
    const char *events;  /* event endpoints, in the same order */
    int64_t heartbeat_ms;
    int64_t outstanding;
    int64_t snapshot_ms; /* between two tellings of what a part counts */
    int64_t trace_per_million, trace_slow_ms, trace_ring; /* which traces are kept: spans.h */
    bool trace_follow;
} client_settings_t;

extern const setting_t client_setting_rows[]; /* section "bus" */

/* ---- what it counts ------------------------------------------------------------------------- */

typedef enum {
    CLIENT_CALLS,
    CLIENT_CALL_TIME,
    CLIENT_FAILURES,
    CLIENT_LATE_ANSWERS,
    CLIENT_BAD_MESSAGES,
    CLIENT_SEND_DROPS,
    CLIENT_EVENTS,
    CLIENT_EVENT_GAPS,
    CLIENT_EVENT_DUPLICATES,
    CLIENT_BROKERS_LOST,
    CLIENT_SPANS_KEPT,
    CLIENT_SPANS_LOST,
    CLIENT_TRACES_NAMED,
    CLIENT_FAULTS_TOLD,
    CLIENT_FAULTS_UNTOLD,
    CLIENT_STATS
} client_stat_t;

/* ---- life ----------------------------------------------------------------------------------- */

typedef struct worker_request worker_request_t;

/* The worker's side; all functions run on the I/O thread. */
typedef struct {
    const char *service, *version, *instance;
    const void *descriptor; /* may be NULL: methods are not checked then, no HTTP routes */
    size_t descriptor_size;
    uint32_t credit; /* requests at once */
    uint32_t weight; /* share of the load, 1 to 100 */
    uint64_t boot;   /* when it started (wall clock, ms): which life of the instance it is */
    void *arg;
    /* Takes over the request: answers it with `client_reply` or `client_reply_failure`, at any time
     * and from any thread, and frees it with `worker_request_destroy`. */
    void (*on_request)(void *arg, worker_request_t *request);
    /* The caller of the request with this link and frame id gave up. */
    void (*on_cancel)(void *arg, uint32_t link, uint64_t id);
    /* An operator wants the instance to finish and leave. */
    void (*on_drain)(void *arg);
    /* A broker took the registration, or refused it (`failure`), for good or until the next try. */
    void (*on_registered)(void *arg, const failure_t *failure);
    /* Age of the oldest request in work, for the heartbeat. */
    uint32_t (*oldest_ms)(void *arg);
} client_worker_t;

typedef struct {
    const client_settings_t *settings;
    const char *name;              /* of this instance: the publisher of its events */
    const char *part;              /* for the log; a literal */
    bool is_guest;                 /* a command: nobody asks it how it logs */
    const client_worker_t *worker; /* NULL: no service. Copied with its descriptor; the names are
                                      borrowed until the end */
} client_config_t;

/* Connects in the background: a broker that is not there yet is no error. A worker's callbacks may
 * come on the client's thread before this returns. */
client_t *client_new(void *zmq_context, const client_config_t *config);

/* Tells the brokers good-bye, ends all calls with CANCELLED, stops the thread. Callbacks may come,
 * and use the pointer, until that is done; then it is NULL. Other threads use it no more. */
void client_destroy(client_t **self_p);

/* Waits until a broker answers, at most `timeout_ms`. */
bool client_wait_ready(client_t *self, uint32_t timeout_ms);

/* Whether a broker is reachable now. */
bool client_is_ready(const client_t *self);

stats_t *client_stats(client_t *self);

/* Where spans that have ended go. */
spans_t *client_spans(client_t *self);

/* ---- calls ---------------------------------------------------------------------------------- */

typedef struct answer answer_t;
typedef void (*answer_fn)(void *arg, answer_t *answer);

typedef struct {
    const char *service, *method;
    buf_t *body;            /* msgpack, given away: empty afterwards; NULL: an empty map */
    const buf_t *principal; /* copied; NULL: none */
    uint32_t deadline_ms;   /* 0: METHOD_DEADLINE_MS */
    uint8_t flags;          /* FRAME_IDEMPOTENT, FRAME_BROADCAST, FRAME_ROUTE_KEY, FRAME_STAMPED */
    uint8_t priority;
    uint64_t route_key, schema;
    const trace_t *trace; /* NULL: none */
    const char *job;      /* the run it is (proto/job.h); NULL: none */
    answer_fn on_part;    /* every PARTIAL; NULL: they are dropped */
    void *part_arg;
} client_request_t;

struct answer {
    failure_t failure;      /* code ERROR_NONE: success */
    schema_errors_t fields; /* what failure.fields points to */
    uint16_t status;        /* 2xx the service asked for; 0: its method's own */
    zmq_msg_t body;         /* msgpack; empty on failure */
};

/* Calls and waits; `answer` is always filled and closed by the caller with `answer_close`. True on
 * success. Not from the I/O thread. */
bool client_call(client_t *self, const client_request_t *request, answer_t *answer);

/* Calls and returns at once; `on_answer` runs exactly once, later. Returns a ticket for
 * `client_cancel`. */
uint64_t client_send(client_t *self, const client_request_t *request, answer_fn on_answer,
                     void *arg);

/* Gives a call up: it ends with CANCELLED unless its answer is there already. */
void client_cancel(client_t *self, uint64_t ticket);

/* Fills an answer that did not come from the bus with a failure. */
void answer_fail(answer_t *self, error_code_t code, const char *detail);

const uint8_t *answer_bytes(const answer_t *self);
size_t answer_size(const answer_t *self);
void answer_close(answer_t *self);

/* ---- events --------------------------------------------------------------------------------- */

typedef struct {
    const char *topic;
    size_t topic_size;
    event_t head;
    const uint8_t *body; /* msgpack, not checked */
    size_t size;
    uint64_t missed;           /* events of this publisher and topic lost before this one */
    uint32_t link, connection; /* over which it came, as in worker_request_t */
    bool is_known;             /* seen before; only who follows is told again */
} client_event_t;

typedef void (*event_fn)(void *arg, const client_event_t *event);

/* What came over older connections than this one of the link is void. */
typedef void (*void_fn)(void *arg, uint32_t link, uint32_t connection);

/* Receives every topic that starts with `prefix`, retained values first. An event that was seen
 * (same publisher, epoch and sequence) is not delivered again. For the life of the client. */
void client_subscribe(client_t *self, const char *prefix, event_fn on_event, void *arg);

/* The same for who keeps what each broker says of itself. Whenever a broker is reached anew, which
 * may be another one than before, its retained values come again, also those that were seen; then
 * `on_void` ends what was not among them. It ends likewise what a lost broker said while another
 * one is reached. */
void client_follow(client_t *self, const char *prefix, event_fn on_event, void_fn on_void,
                   void *arg);

/* Publishes; the body is given away. Best effort: what must arrive goes through an outbox. */
void client_publish(client_t *self, const char *topic, bool retain, buf_t *body);

/* ---- worker --------------------------------------------------------------------------------- */

struct worker_request {
    frame_t frame;       /* names point into `header` */
    uint32_t link;       /* which broker */
    uint32_t connection; /* and which connection to it: answers over an old one are dropped */
    uint64_t received_us;
    zmq_msg_t header, principal, body; /* principal is empty when there is none */
};

void worker_request_destroy(worker_request_t **self_p);

/* A part of the answer, or the answer: `command` is FRAME_PARTIAL or FRAME_FINAL, the body is given
 * away. */
void client_reply(client_t *self, const worker_request_t *request, uint8_t command, uint16_t status,
                  buf_t *body);
void client_reply_failure(client_t *self, const worker_request_t *request,
                          const failure_t *failure);

/* Asks the brokers for no more requests: the first step of leaving. */
void client_drain(client_t *self);

/* Waits until every broker has promised that no more will come, at most `timeout_ms`. */
bool client_wait_drained(client_t *self, uint32_t timeout_ms);

/* Changes the number of requests accepted at once. */
void client_set_credit(client_t *self, uint32_t credit);

#endif
