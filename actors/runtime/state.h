/* SPDX-License-Identifier: MPL-2.0
 *
 * state - what the files of the runtime share; private to actors/runtime/
 */
#ifndef SIGNALBOX_RUNTIME_STATE_H
#define SIGNALBOX_RUNTIME_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <uthash.h>

#include "actors/base/id.h"
#include "actors/base/monitor.h"
#include "actors/base/queue.h"
#include "actors/runtime/actor.h"
#include "actors/runtime/breaker.h"
#include "proto/descriptor.h"
#include "proto/snapshot.h"

#define ACTOR_HANDLERS_MAX DESCRIPTOR_METHODS_MAX

typedef enum {
    ACTOR_CALLS,
    ACTOR_FAILURES,
    ACTOR_FAULTS,
    ACTOR_INVALID,
    ACTOR_FORBIDDEN,
    ACTOR_EXPIRED,
    ACTOR_CANCELLED,
    ACTOR_REFUSED,
    ACTOR_SLOW,
    ACTOR_BREAKERS_OPENED,
    ACTOR_ACTIVE,
    ACTOR_CALL_TIME,
    ACTOR_WAIT_TIME,
    ACTOR_STATS
} actor_stat_t;

/* A call under way. It lies in the pool's queue, then on a thread; after `call_defer` with whoever
 * keeps it. */
struct call {
    queue_item_t item;
    TAILQ_ENTRY(call) entry; /* in actor->active */
    actor_t *actor;
    worker_request_t *message;
    const handler_t *handler;
    void (*go_on)(call_t *call, void *arg); /* with what it is resumed; NULL: it begins */
    void *go_on_arg;
    const descriptor_method_t *method;
    uint64_t started_us, due_us; /* monotonic */
    atomic_bool is_cancelled;
    bool has_principal, is_job, is_traced;
    trace_t trace;        /* when it is traced: its own span; the frame holds the caller's */
    uint32_t wait_us;     /* from its arrival to its handler */
    job_run_t job;        /* when it is one */
    uint64_t progress_us; /* when it was told last how far it is */
    arena_t arena;
    const value_t *request;
    principal_t *principal; /* in the arena; empty when has_principal is false */
    buf_t reply;
    pack_t pack;
};

/* How calls to one other service have gone. */
typedef struct {
    UT_hash_handle hh;
    breaker_t breaker;
    char service[];
} target_t;

struct actor {
    const actor_spec_t *spec;
    const actor_config_t *config;
    void *context; /* of ZeroMQ */
    char instance[ID_INSTANCE_SIZE];
    uint64_t boot_ms;
    _Atomic uint64_t snapshots; /* published */
    void *self;                 /* the actor's own state */
    client_t *client;
    db_t *db;
    redis_t *redis;
    descriptor_t *descriptor;
    handler_t handlers[ACTOR_HANDLERS_MAX]; /* in the order of the descriptor's methods */
    stats_t own_stats, stats;               /* the spec's rows, the runtime's rows */
    pthread_t *threads;
    size_t thread_count;
    queue_t waiting; /* calls for the pool */
    pthread_t ticker;
    monitor_t monitor; /* locks everything below; opened when a call or the registration ends */
    TAILQ_HEAD(, call) active;
    size_t active_count;
    bool is_registered, is_stopping;
    failure_t refusal; /* of the last registration */
    target_t *targets;
    atomic_bool is_draining; /* nothing new is wanted */
    atomic_bool is_closed;   /* what comes is handed back */
};

/* actor_describe.c: fills in `descriptor` and `handlers`; false with a sentence in `why`. */
bool actor_describe(actor_t *self, char *why, size_t why_size);

/* call_run.c: takes a request from the bus, on the I/O thread. */
void call_take(actor_t *actor, worker_request_t *message);

/* Runs a call to its end or its deferral, on the present thread. */
void call_run(call_t *call);

/* What a thread of the pool does until there is nothing more to wait for. */
void call_run_waiting(actor_t *actor);

/* Ends a call that did not get to run. */
void call_refuse(call_t *call, error_code_t code, const char *detail);

/* call_trace.c: the place of a call in its trace; what the present thread does belongs to it until
 * `call_leave_trace`; and the spans that it and its calls to others are. */
void call_begin_trace(call_t *self);
void call_enter_trace(const call_t *self);
void call_leave_trace(void);
void call_end_trace(const call_t *self, error_code_t code, uint64_t took_us);
void call_end_child(const call_t *self, const trace_t *child, const client_request_t *request,
                    error_code_t code, uint64_t started_us);

/* Answers `_health` and `_stats`. */
extern const method_t runtime_health, runtime_stats;
void runtime_on_health(call_t *call, void *self);
void runtime_on_stats(call_t *call, void *self);

/* All the sets of counters of the actor, as a snapshot. */
snapshot_t actor_snapshot(actor_t *self);

static inline void actor_count(actor_t *self, actor_stat_t row)
{
    stats_add(&self->stats, row, 1);
}

#endif
