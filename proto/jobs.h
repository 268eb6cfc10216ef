/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs - the contract of the service that keeps work until it is done
 *
 * A job is a call of `service.method` (its kind) that outlives whoever asked for it: accepted means
 * on disk, and it is run at least once, in the name of whoever enqueued it. Each run has a number,
 * the fence, and only the latest run may say how the job ended.
 *
 * Queues say how fast jobs are begun; a job that names none waits in the queue with the name of the
 * service it calls.
 *
 * Topics, for accounts only (a service that works for itself is told by its answer):
 *
 * `jobs.enqueued`, `jobs.started`, `jobs.progress`, `jobs.finished`, `jobs.dead` {account, id,
 * kind, queue, state, attempt, ...}.
 *
 * `jobs.wake` {queue, priority, run_at}: from one instance to the others, after a commit: there is
 * something to begin, from there on.
 */
#ifndef SIGNALBOX_PROTO_JOBS_H
#define SIGNALBOX_PROTO_JOBS_H

#include "proto/method.h"

#define JOBS_KIND_BYTES    127   /* "service.method" */
#define JOBS_QUEUE_BYTES   64    /* of a queue's name */
#define JOBS_KEY_BYTES     200   /* of a unique, order or idempotency key */
#define JOBS_PAYLOAD_BYTES 65536 /* of a payload or a result in msgpack */
#define JOBS_CRON_BYTES    200   /* of a cron expression */
#define JOBS_BATCH_MAX     1000  /* jobs of one request */
#define JOBS_REPLAYS_MAX   500   /* likewise, brought back to life */
#define JOBS_PRIORITIES    10    /* 0 goes first */
#define JOBS_TIMEOUT_MAX   600000
#define JOBS_DELAY_MAX     INT64_C(31536000000) /* ms: a year */

/* The rate class of what enqueues jobs; users' jobs do not call it. */
#define JOBS_ENQUEUE_RATE "enqueue"

/* What a job is like that does not say. */
#define JOBS_PRIORITY     5
#define JOBS_MAX_ATTEMPTS 5
#define JOBS_BACKOFF_MS   2000
#define JOBS_TIMEOUT_MS   60000

/* What a job can be. All but the last three are "live". */
#define JOBS_STATES "ready running scheduled blocked done cancelled dead"

extern const method_t jobs_enqueue, jobs_enqueue_many, jobs_enqueue_as, jobs_get, jobs_list,
    jobs_queues, jobs_queue_set, jobs_cancel, jobs_progress, jobs_dead, jobs_dead_get,
    jobs_dead_delete, jobs_replay, jobs_replay_many, jobs_claim, jobs_complete, jobs_fail,
    jobs_extend;
extern const method_t jobs_enqueue_family, jobs_enqueue_family_as,
    jobs_children; /* jobs_families.c */
extern const method_t jobs_schedule_put, jobs_schedule_get, jobs_schedule_list, jobs_schedule_next,
    jobs_schedule_fires, jobs_schedule_delete, jobs_schedule_pause, jobs_schedule_resume,
    jobs_schedule_run; /* jobs_schedules.c */

extern const service_t jobs_service;

#endif
