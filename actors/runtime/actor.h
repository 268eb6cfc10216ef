/* SPDX-License-Identifier: MPL-2.0
 *
 * actor - what every actor is built from
 *
 * An actor is one const spec: its service (from proto/), its settings, counters, migrations, and a
 * handler for every method. The runtime does the rest: registration with all brokers, credit,
 * heartbeats that a busy handler cannot delay, decoding, deadline, validation, permission, the
 * handler on the right thread, the reply, counters, a log line, and leaving in order.
 *
 * A handler sees a call and ends in exactly one of `call_reply`, `call_fail` or `call_defer`.
 */
#ifndef SIGNALBOX_ACTOR_H
#define SIGNALBOX_ACTOR_H

#include "actors/runtime/db.h"
#include "actors/runtime/redis.h"
#include "proto/client.h"
#include "proto/job.h"
#include "proto/method.h"
#include "proto/principal.h"
#include "proto/topic.h"

typedef struct actor actor_t;
typedef struct call call_t;

/* ---- the spec ------------------------------------------------------------------------------- */

typedef enum {
    HANDLE_POOL,   /* on one of the actor's threads; may block, may use the database */
    HANDLE_INLINE, /* on the I/O thread: microseconds, memory only */
} handle_mode_t;

#define ACTOR_INLINE_CREDIT 1000 /* requests at once, of an actor whose handlers are all inline */

typedef struct {
    const method_t *method;
    void (*handle)(call_t *call, void *self);
    handle_mode_t mode;
} handler_t;

typedef struct {
    const service_t *service;
    const setting_t *settings;        /* section named after the service; NULL: none */
    void *settings_target;            /* the struct that the rows fill */
    const stats_row_t *stats;         /* NULL: none */
    size_t times_row;                 /* of them, a histogram with one label: the time of every call
                                         by its method; 0: none, actor_call_duration_seconds does */
    const db_migration_t *migrations; /* NULL: no database */
    bool uses_redis;                  /* connects to storage.redis when that is set */
    size_t self_size;                 /* of the actor's own state, zeroed before init */
    /* Before the first request, on the starting thread. False with a sentence: the start fails. */
    bool (*init)(actor_t *actor, void *self, char *why, size_t why_size);
    /* Once a broker has registered it: from now on it may publish. NULL: nothing to do. */
    void (*ready)(actor_t *actor, void *self);
    /* How many calls may be deferred at once, to be accepted beyond those the pool takes. After
     * init; NULL: none. */
    uint32_t (*deferred)(const void *self);
    /* Once there is a client, before it is known that a broker has registered the instance: the
     * place to subscribe to events. */
    void (*connected)(actor_t *actor, void *self);
    /* Each second on a thread of its own, never twice at once; may block. */
    void (*tick)(actor_t *actor, void *self);
    /* On a thread of the pool before it waits for a call, and before it runs one; may block: the
     * place to end together what calls have left (call_defer). NULL: nothing to do. */
    void (*between)(actor_t *actor, void *self);
    /* Before the brokers are asked for no more requests: the place to tell others. Not called when
     * no broker has registered the instance. NULL: nothing to do. */
    void (*leave)(actor_t *actor, void *self);
    /* After the last request. */
    void (*stop)(actor_t *actor, void *self);
    /* After `stop`, when the client is gone and with it whoever calls: the place to free what
     * events touch. */
    void (*release)(actor_t *actor, void *self);
    const handler_t *handlers; /* ends with an empty row */
} actor_spec_t;

/* ---- settings every actor shares ------------------------------------------------------------ */

typedef struct {
    int64_t threads;      /* of the pool */
    int64_t waiting;      /* requests that may wait for a thread */
    int64_t drain_ms;     /* how long leaving may take */
    int64_t slow_ms;      /* a call that takes longer is logged and counted */
    const char *instance; /* name; "" makes one */
} actor_settings_t;

extern const setting_t actor_setting_rows[]; /* section "actor" */

typedef struct {
    const actor_settings_t *actor;
    const client_settings_t *bus;
    const db_settings_t *storage;
} actor_config_t;

/* ---- life ----------------------------------------------------------------------------------- */

/* Starts an actor and waits until a broker has registered it. NULL with a sentence in `why` when it
 * cannot start; in particular when a method of the service has no handler, or one too many. */
actor_t *actor_start(void *zmq_context, const actor_spec_t *spec, const actor_config_t *config,
                     db_migrate_t migrate, char *why, size_t why_size);

/* Leaves in order: no new work, what is under way is finished (at most `drain_ms`; the rest is
 * answered UNAVAILABLE, so that it may be sent elsewhere), good-bye, everything freed. */
void actor_stop(actor_t **self_p);

/* Whether an operator has asked this instance to leave. */
bool actor_is_draining(const actor_t *self);

const char *actor_instance(const actor_t *self);
const char *actor_service(const actor_t *self);

/* A number that grows at least every bus.snapshot_ms, unless the actor's periodic work hangs. */
uint64_t actor_pulse(const actor_t *self);

/* How many calls wait for a thread of the pool, just now. */
size_t actor_waiting(actor_t *self);

const char *actor_data_folder(const actor_t *self);
db_t *actor_db(actor_t *self);
redis_t *actor_redis(actor_t *self); /* NULL when there is none, or the spec does not use it */
stats_t *actor_stats(actor_t *self); /* of the spec's own rows */
client_t *actor_client(actor_t *self);

/* For an actor that needs a client of its own besides: where it lives, and how it talks. */
void *actor_context(const actor_t *self);
const client_settings_t *actor_bus(const actor_t *self);

/* ---- a call, as its handler sees it --------------------------------------------------------- */

/* The request: a map that fits the method's schema. */
const value_t *call_request(const call_t *self);

/* Fields of it; the row's default when the caller left the field out, else NULL, 0, false. Texts
 * are NUL-terminated copies in the call's arena. */
const char *call_text(call_t *self, const char *field);
int64_t call_int(call_t *self, const char *field);
bool call_bool(call_t *self, const char *field);

/* On whose behalf; an empty principal when a service calls for itself. */
const principal_t *call_principal(const call_t *self);

/* The run of a job that the call is, NULL when it is none. */
const job_run_t *call_job(const call_t *self);

/* Where it stands in a trace: its own span, of which what it causes is a child. NULL: in none. */
const trace_t *call_trace(const call_t *self);

const method_t *call_method(const call_t *self);
actor_t *call_actor(const call_t *self);
arena_t *call_arena(call_t *self); /* freed with the call */
db_t *call_db(const call_t *self);

/* Milliseconds until the caller no longer waits; 0 when it does not any more. */
uint32_t call_left_ms(const call_t *self);

/* Whether the caller has given up: long work looks at it now and then. */
bool call_is_cancelled(const call_t *self);

/* Tells how far a job is that this call runs; `note` may be NULL. Anything else is nobody's
 * business: then nothing happens, so a handler need not ask. Told a few times a second at most, and
 * never waited for. */
void call_progress(call_t *self, unsigned percent, const char *note);

/* Where the reply is packed: one map that fits the method's reply schema. */
pack_t *call_pack(call_t *self);

/* The three ends. `status` 0 is the method's own; another 2xx goes to HTTP clients as it is. After
 * any of them the call is gone, except after `call_defer`: then whoever keeps the pointer ends it
 * later, from any thread. */
void call_reply(call_t *self, uint16_t status);
void call_fail(call_t *self, error_code_t code, const char *format, ...) PRINTF_LIKE(3, 4);
void call_fail_with(call_t *self, const failure_t *failure);
void call_defer(call_t *self);

/* What this thread logs from now on is of the call, until log_enter(NULL): for threads of the
 * actor's own that work on calls which were deferred. */
void call_enter(const call_t *self);

/* Goes on with a deferred call on a thread of the pool: there `go_on` may block and use the
 * database, and ends the call, or defers it once more. From any thread; `arg` lives as long as the
 * call (call_arena). */
void call_resume(call_t *self, void (*go_on)(call_t *call, void *arg), void *arg);

/* Fails with what a database status means; says nothing of the inside to the caller. */
void call_fail_db(call_t *self, db_status_t status);

/* Calls another service in the name of the same principal, with what is left of the deadline and
 * the trace going on. What is idempotent is tried again with growing pauses when it failed in a way
 * that may pass; a service that fails again and again is not asked for a moment (breaker.h).
 * Blocks: pool handlers only. `body` is given away, `answer` is closed by the caller. */
bool call_service(call_t *self, const char *service, const char *method, bool is_idempotent,
                  buf_t *body, answer_t *answer);

/* Publishes an event in the actor's name; the body is given away. */
void actor_publish(actor_t *self, const char *topic, bool retain, buf_t *body);

#endif
