/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs - the actor that keeps work until it is done
 *
 * Promises: what was accepted is on disk and is run at least once; of several runs of a job only
 * the latest may say how it ended, and it ends once; what cannot be run for good is kept with the
 * reason. Of several instances on PostgreSQL each may die at any moment.
 *
 * Does not: run anything itself (services do, called through the broker), know what a payload
 * means, or promise that a run happens only once.
 *
 * Requests to enqueue pass the intake (intake.h), everything that runs is the dispatcher's
 * (dispatcher.h), the SQL stands in store_*.c; the handlers are in on_*.c.
 */
#ifndef SIGNALBOX_JOBS_H
#define SIGNALBOX_JOBS_H

#include "actors/jobs/dispatcher.h"
#include "actors/jobs/intake.h"
#include "actors/jobs/kinds.h"
#include "actors/jobs/store.h"
#include "actors/jobs/zones.h"
#include "actors/runtime/erasures.h"
#include "actors/runtime/page.h"

typedef struct {
    const char *brokers;
    int64_t window, queue_window, poll_ms, lease_s, leave_ms;
    int64_t done_hours, dead_days;
    const char *zoneinfo;
    int64_t schedules_free, schedules_pro, schedules_enterprise, schedule_interval_s;
} jobs_settings_t;

typedef enum {
    JOBS_ENQUEUED,
    JOBS_DUPLICATES,
    JOBS_STARTED,
    JOBS_SUCCEEDED,
    JOBS_RETRIED,
    JOBS_PUT_BACK,
    JOBS_CANCELLED,
    JOBS_BURIED,
    JOBS_REPLAYED,
    JOBS_STALE,
    JOBS_LOST,
    JOBS_PURGED,
    JOBS_RESULTS_DROPPED,
    JOBS_FIRED,
    JOBS_FIRES_SKIPPED,
    JOBS_FIRES_MISSED,
    JOBS_RUNNING,
    JOBS_RUN_TIME,
    JOBS_STATS
} jobs_stat_t;

typedef struct {
    actor_t *actor;
    client_settings_t bus; /* of the client that calls */
    client_t *client;      /* may say on whose behalf it asks */
    kinds_t *kinds;
    intake_t *intake;
    dispatcher_t *dispatcher;
    zones_t *zones;
    wishes_t wishes;
    erasures_t erasures;
    uint32_t ticks;
    int64_t clock_ms; /* the database's, when it was last looked at; 0: not yet */
} jobs_t;

extern const actor_spec_t jobs_actor;
extern jobs_settings_t jobs_settings;

/* ---- handlers -------------------------------------------------------------------------------- */

typedef void jobs_handler_t(call_t *call, void *self);

jobs_handler_t jobs_on_enqueue, jobs_on_enqueue_many, jobs_on_enqueue_as; /* on_enqueue.c */
jobs_handler_t jobs_on_get, jobs_on_list;                                 /* on_jobs.c */
jobs_handler_t jobs_on_cancel, jobs_on_progress;                          /* on_runs.c */
jobs_handler_t jobs_on_dead, jobs_on_dead_get, jobs_on_dead_delete, jobs_on_replay,
    jobs_on_replay_many;                                                      /* on_dead.c */
jobs_handler_t jobs_on_claim, jobs_on_complete, jobs_on_fail, jobs_on_extend; /* on_pull.c */
jobs_handler_t jobs_on_enqueue_family, jobs_on_enqueue_family_as,
    jobs_on_children;                             /* on_families.c */
jobs_handler_t jobs_on_queues, jobs_on_queue_set; /* on_queues.c */

/* ---- what they share (share.c) --------------------------------------------------------------- */

/* Whose jobs the caller sees: its account's; NULL is everybody's. */
const char *jobs_scope(const call_t *call);

/* The calling thread's connection. NULL: the call has been answered. */
db_conn_t *jobs_require_conn(call_t *call);

/* Whether a status is good; otherwise the call has been answered. */
bool jobs_require_ok(call_t *call, db_status_t status);

/* Whose jobs a list shows: the caller's own, unless an administrator asks for all (NULL). */
const char *jobs_whose(call_t *call);

/* Answers with one job, of any table or of the dead ones only. */
void jobs_reply_one(call_t *call, bool only_dead);

/* Answers with a page of a table; `account` NULL: of all accounts. */
void jobs_reply_page(call_t *call, jobs_table_t table, const char *account);

/* Packs a job; `in_full` with what is large. */
void jobs_pack_job(pack_t *pack, const job_t *job, bool in_full);

/* Ends the page of a list that is ordered by a number alone, `at_ms` of its cursors. `last` is that
 * of the last item shown; 0: there is no further page. */
void jobs_end_page(pack_t *pack, uint8_t list, int64_t last);

/* Tells of jobs that were enqueued, after the commit. */
void jobs_tell_enqueued(jobs_t *self, const job_new_t *jobs, const job_receipt_t *receipts,
                        size_t count);

/* Packs what became of a job that was to be enqueued. */
void jobs_pack_receipt(pack_t *pack, const char *kind, const char *queue,
                       const job_receipt_t *receipt);

/* A job as a request describes it, which the caller may enqueue; `as` is in whose name it is run,
 * NULL in the caller's. False: the call has been answered. (on_enqueue.c) */
bool jobs_require_job(jobs_t *self, call_t *call, const value_t *map, const value_t *as,
                      job_new_t *job);

/* The same for a job that the request is, and that is enqueued later, again and again: each in a
 * trace of its own. (on_enqueue.c) */
bool jobs_require_plan(jobs_t *self, call_t *call, job_new_t *job);

/* The idempotency key of a request whose jobs have been read, and what it stands for: the request
 * as a whole, or what a service says that it is. With the same key another one is refused. */
void jobs_read_key(intake_request_t *request);

/* Tells the account, if it has one, what became of its job; `error` may be NULL. */
void jobs_publish(actor_t *actor, topic_id_t topic, const job_begun_t *job, job_state_t state,
                  const char *error);

/* Counts and tells how a run ended that was written down as `end`; the job is `state` now. */
void jobs_tell_end(actor_t *actor, const job_begun_t *job, const job_end_t *end, job_state_t state);

/* The same with how far it is; `note` may be NULL. */
void jobs_publish_progress(actor_t *actor, const job_t *job, int64_t percent, const char *note);

/* Tells the accounts of jobs that wait for others how far those are. */
void jobs_tell_parents(actor_t *actor, const job_parents_t *parents);

/* That, and what else follows from ends that were written down. */
void jobs_tell_settled(actor_t *actor, dispatcher_t *dispatcher, const job_settling_t *settling);

/* Tells the dispatchers of all instances where something was added. */
void jobs_wake(jobs_t *self, const char *queue, const job_mark_t *at);

/* Tells them that a queue was changed. */
void jobs_wake_changed(jobs_t *self);

#endif
