/* SPDX-License-Identifier: MPL-2.0
 *
 * dispatcher_state - what the dispatcher's files share; private to them
 *
 * dispatcher.c: its life and its rounds. hints.c: what others tell it. targets.c: services, calls,
 * and what waits for them. runs.c: how they ended. keeping.c: what is done now and then.
 */
#ifndef SIGNALBOX_JOBS_DISPATCHER_STATE_H
#define SIGNALBOX_JOBS_DISPATCHER_STATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "actors/base/monitor.h"
#include "actors/jobs/dispatcher.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/lanes.h"
#include "actors/jobs/vacuum.h"
#include "actors/jobs/verdict.h"

#define DISPATCHER_PURGE_MOST 500

/* What is done now and then (keeping.c). */
typedef enum {
    KEEPING_LEASE,
    KEEPING_QUEUES,
    KEEPING_DUE,
    KEEPING_CANCELS,
    KEEPING_LOST,
    KEEPING_PURGE,
    KEEPING_STEPS
} keeping_step_t;

typedef struct target target_t;
typedef struct run run_t;
typedef TAILQ_HEAD(runs, run) runs_t;

/* A run, from its claim until it is written down how it ended. In one list at a time. Of one job
 * there may be several: of those that are not the last one the lease had ended. */
struct run {
    TAILQ_ENTRY(run) entry;
    UT_hash_handle hh; /* by id and fence */
    dispatcher_t *dispatcher;
    target_t *target;
    job_begun_t job; /* its texts and bytes lie behind the run */
    uint64_t ticket; /* of the call; 0: not made yet */
    uint64_t started_us;
    trace_t trace; /* the span that the run is */
    bool is_cancelled;
    failure_t failure; /* how it ended */
    zmq_msg_t result;
    job_end_t end; /* of one that is settled */
    uint8_t bytes[];
};

/* A service that is called. */
struct target {
    UT_hash_handle hh;
    uint32_t credit, calls; /* it takes; under way */
    uint32_t reserved;      /* calls for jobs that are being claimed */
    bool is_wanted;         /* by a lane with limits, whose jobs are not claimed to wait */
    runs_t waiting;         /* for credit */
    char service[];
};

struct dispatcher {
    actor_t *actor;
    db_t *db;
    kinds_t *kinds;
    wishes_t *wishes;
    client_t *client;
    pthread_t thread;

    monitor_t monitor; /* over everything up to the blank line */
    lanes_t lanes;
    run_t *runs; /* all of them */
    runs_t answered;
    bool has_news; /* something above has changed */
    bool must_reload, must_take_back, is_leaving;
    uint64_t leave_by_ms;

    /* the thread's own */
    arena_t arena; /* of one round */
    target_t *targets;
    runs_t succeeded, failed; /* to be written down */
    size_t running;
    bool leaves;             /* as is_leaving, when the round began */
    int64_t worker_id;       /* 0: none yet */
    uint64_t lease_until_ms; /* until then nobody takes over what is ours */
    bool must_reconcile;     /* a claim may have happened of which we know nothing */
    uint64_t pause_until;    /* after the database has failed */
    bool has_recovered;      /* what an earlier process left on SQLite */
    uint64_t due_ms[KEEPING_STEPS];
    uint32_t lost_ticks;
    int64_t progress_after; /* how far the progress of jobs that are gone was looked for */
    vacuum_t *vacuum;       /* NULL on SQLite */
};

static inline void dispatcher_count(dispatcher_t *self, jobs_stat_t row, int64_t amount)
{
    stats_add(actor_stats(self->actor), row, amount);
}

/* There is news for its thread. Under the lock. */
static inline void dispatcher_wake(dispatcher_t *self)
{
    self->has_news = true;
    monitor_wake(&self->monitor);
}

static inline void dispatcher_ended(dispatcher_t *self, size_t count)
{
    if (self->vacuum)
        vacuum_add(self->vacuum, count);
}

/* What a database status means for the next rounds; returns whether it is good. */
bool dispatcher_is_good(dispatcher_t *self, db_status_t status);

/* ---- run_trace.c ---------------------------------------------------------------------------- */

/* The run continues the trace of whoever enqueued the job, or begins one. */
void run_begin_trace(run_t *self);
void run_end_trace(const run_t *self);

/* ---- runs.c ---------------------------------------------------------------------------------- */

/* A run with copies of all it needs. */
run_t *run_new(dispatcher_t *dispatcher, const job_begun_t *job);

/* NULL: it is none of ours. Under the lock. */
run_t *runs_find(dispatcher_t *self, const job_ref_t *ref);

/* Under the lock. */
void runs_add(dispatcher_t *self, run_t *run);

/* The end of a run for us; its lane and our books forget it. */
void run_free(run_t *self);

/* Decides how it ended, from its failure and its result. */
void run_judge(dispatcher_t *self, run_t *run);

/* Sorts runs that have ended into `succeeded` and `failed`. */
void runs_collect(dispatcher_t *self);

/* Writes down those that failed. */
void runs_settle(dispatcher_t *self);

/* What was written down of those that succeeded. */
void runs_succeeded(dispatcher_t *self, const job_turned_t *turned);

/* ---- targets.c ------------------------------------------------------------------------------- */

/* Takes over jobs that were begun, and calls those for which there is credit. */
void targets_begin(dispatcher_t *self, const job_begun_t *begun, size_t count);

/* The same for jobs for which calls are reserved, so that none of them waits. They go back instead
 * when it `is_late`: their calls would no longer lie within the rate of their queue. */
void targets_begin_reserved(dispatcher_t *self, const job_begun_t *begun, size_t count,
                            bool is_late);

/* Keeps a call for a job of this kind. The service when it has none left, NULL otherwise. */
target_t *targets_reserve(dispatcher_t *self, const char *kind);
void targets_release(dispatcher_t *self); /* all that are kept */
bool targets_is_full(const target_t *target);

/* A call has ended; what waits goes on. */
void targets_answered(dispatcher_t *self, target_t *target);

/* What waits for any of them goes on, if there is room. */
void targets_go_on(dispatcher_t *self);

/* How many of the lane's jobs its service takes now. */
size_t targets_room(dispatcher_t *self, const lane_t *lane);

/* Gives back what waits and is to be cancelled, or is of a queue from which nothing more is begun
 * here; or all that waits. */
void targets_take_back(dispatcher_t *self, bool all);

/* Gives up what is under way. */
void targets_cancel_calls(dispatcher_t *self);

/* ---- keeping.c ------------------------------------------------------------------------------- */

/* Does what is due; returns when it wants to be asked again. */
uint64_t keeping_work(dispatcher_t *self);

/* The last thing: the lease is given up, and with it what is left. */
void keeping_leave(dispatcher_t *self);

#endif
