/* SPDX-License-Identifier: MPL-2.0
 *
 * runs - what was begun and how it ended
 *
 * A run is found by its id from its claim until its end is written down, so that one whose end
 * could not be written down is not taken for one that is lost.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/jobs/dispatcher_state.h"

#define SETTLE_MOST 100 /* ends of one transaction */

/* ---- runs ------------------------------------------------------------------------------------ */

static const char *s_keep_text(uint8_t **to, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = memcpy(*to, text, size);
    *to += size;
    return kept;
}

static job_bytes_t s_keep_bytes(uint8_t **to, job_bytes_t bytes)
{
    if (!bytes.bytes)
        return bytes;
    job_bytes_t kept = { memcpy(*to, bytes.bytes, bytes.size), bytes.size };
    *to += bytes.size;
    return kept;
}

_Static_assert(offsetof(job_begun_t, fence) == offsetof(job_begun_t, id) + sizeof(int64_t),
               "a job that was begun is found by its first two fields");

run_t *runs_find(dispatcher_t *self, const job_ref_t *ref)
{
    run_t *run;
    HASH_FIND(hh, self->runs, ref, sizeof *ref, run);
    return run;
}

void runs_add(dispatcher_t *self, run_t *run)
{
    HASH_ADD(hh, self->runs, job.id, sizeof(job_ref_t), run);
}

/* A run with copies of all it needs. */
run_t *run_new(dispatcher_t *dispatcher, const job_begun_t *job)
{
    run_t *self =
        mem_zeroed(sizeof *self + strlen(job->kind) + strlen(job->queue) + strlen(job->account) +
                   3 + job->principal.size + job->trace.size + job->payload.size);
    uint8_t *to = self->bytes;
    self->dispatcher = dispatcher;
    self->job = *job;
    self->job.kind = s_keep_text(&to, job->kind);
    self->job.queue = s_keep_text(&to, job->queue);
    self->job.account = s_keep_text(&to, job->account);
    self->job.principal = s_keep_bytes(&to, job->principal);
    self->job.trace = s_keep_bytes(&to, job->trace);
    self->job.payload = s_keep_bytes(&to, job->payload);
    zmq_msg_init(&self->result);
    return self;
}

void run_free(run_t *self)
{
    dispatcher_t *dispatcher = self->dispatcher;
    monitor_lock(&dispatcher->monitor);
    HASH_DEL(dispatcher->runs, self);
    lane_t *lane = lanes_find(&dispatcher->lanes, self->job.queue);
    if (lane && lane->running)
        lane->running--;
    monitor_unlock(&dispatcher->monitor);
    dispatcher->running--;
    dispatcher_count(dispatcher, JOBS_RUNNING, -1);
    zmq_msg_close(&self->result);
    mem_free(self);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* Only what is msgpack and not too large is kept. */
static void s_trim_result(dispatcher_t *self, run_t *run)
{
    size_t size = zmq_msg_size(&run->result);
    if (size == 0)
        return;
    bool is_good = size <= JOBS_PAYLOAD_BYTES &&
                   value_check(zmq_msg_data(&run->result), size, VALUE_LIMITS, NULL) == VALUE_GOOD;
    if (is_good)
        return;
    dispatcher_count(self, JOBS_RESULTS_DROPPED, 1);
    zmq_msg_close(&run->result);
    zmq_msg_init(&run->result);
}

void run_judge(dispatcher_t *self, run_t *run)
{
    const job_begun_t *job = &run->job;
    const verdict_run_t judged = { .id = job->id,
                                   .fence = job->fence,
                                   .tries = job->tries,
                                   .crashes = job->crashes,
                                   .max_attempts = job->max_attempts,
                                   .backoff_ms = job->backoff_ms,
                                   .is_leaving = self->leaves,
                                   .random = id_random_u64() };
    if (run->failure.code == ERROR_NONE)
        run->end =
            (job_end_t){ .id = job->id,
                         .fence = job->fence,
                         .how = SETTLE_DONE,
                         .result = { zmq_msg_data(&run->result), zmq_msg_size(&run->result) } };
    else
        run->end = verdict(&judged, &run->failure);
    if (run->end.result.size == 0)
        run->end.result.bytes = NULL;
}

static void s_collect(dispatcher_t *self, run_t *run)
{
    const error_code_t code = run->failure.code;
    stats_record(actor_stats(self->actor), JOBS_RUN_TIME, clock_us() - run->started_us);
    run_end_trace(run);
    monitor_lock(&self->monitor);
    lane_t *lane = lanes_find(&self->lanes, run->job.queue);
    if (lane)
        breaker_report(&lane->absence, !verdict_is_absence(code), clock_ms());
    monitor_unlock(&self->monitor);
    s_trim_result(self, run);
    run_judge(self, run);
    if (code == ERROR_NONE && !run->job.order_key && !run->job.parent_id)
        TAILQ_INSERT_TAIL(&self->succeeded, run, entry);
    else
        TAILQ_INSERT_TAIL(&self->failed, run, entry);
    targets_answered(self, run->target);
}

void runs_collect(dispatcher_t *self)
{
    runs_t answered = TAILQ_HEAD_INITIALIZER(answered);
    run_t *run;
    monitor_lock(&self->monitor);
    TAILQ_CONCAT(&answered, &self->answered, entry);
    monitor_unlock(&self->monitor);
    while ((run = TAILQ_FIRST(&answered))) {
        TAILQ_REMOVE(&answered, run, entry);
        s_collect(self, run);
    }
}

static void s_note_stale(dispatcher_t *self, const run_t *run)
{
    dispatcher_count(self, JOBS_STALE, 1);
    LOG(LOG_WARN, "job.stale", LOG_INT("id", run->job.id), LOG_INT("fence", run->job.fence));
}

void runs_succeeded(dispatcher_t *self, const job_turned_t *turned)
{
    size_t reported = 0;
    for (size_t i = 0; i < turned->accepted_count; i++) {
        monitor_lock(&self->monitor);
        run_t *run = runs_find(self, &turned->accepted[i]);
        monitor_unlock(&self->monitor);
        insist(run);
        TAILQ_REMOVE(&self->succeeded, run, entry);
        dispatcher_count(self, JOBS_SUCCEEDED, 1);
        jobs_publish(self->actor, TOPIC_JOBS_FINISHED, &run->job, JOB_DONE, NULL);
        run_free(run);
        reported++;
    }
    dispatcher_ended(self, reported);
    for (size_t i = turned->accepted_count; i < turned->reported_count; i++) {
        run_t *run = TAILQ_FIRST(&self->succeeded); /* those not accepted stand first now */
        TAILQ_REMOVE(&self->succeeded, run, entry);
        s_note_stale(self, run);
        run_free(run);
    }
}

/* ---- settling -------------------------------------------------------------------------------- */

static db_status_t s_settle_work(db_conn_t *conn, void *arg)
{
    return jobs_store_settle(conn, arg);
}

static void s_tell(dispatcher_t *self, const run_t *run, job_state_t state)
{
    jobs_tell_end(self->actor, &run->job, &run->end, state);
    if (state == JOB_READY)
        dispatcher_hint(self, run->job.queue, &(job_mark_t){ run->job.priority, run->job.run_at });
}

void runs_settle(dispatcher_t *self)
{
    job_end_t ends[SETTLE_MOST];
    job_settled_t settled[SETTLE_MOST];
    job_settling_t settling = {
        .ends = ends, .settled = settled, .arena = &self->arena, .wishes = self->wishes
    };
    run_t *run;
    TAILQ_FOREACH(run, &self->failed, entry)
    {
        if (settling.count == SETTLE_MOST)
            break;
        ends[settling.count++] = run->end;
    }
    if (settling.count == 0 ||
        !dispatcher_is_good(self, db_write(self->db, s_settle_work, &settling)))
        return;
    for (size_t i = 0; i < settling.freed_count; i++)
        if (settling.freed[i].state == JOB_READY)
            dispatcher_hint(self, settling.freed[i].queue, &settling.freed[i].at);
    for (size_t i = 0; i < settling.count; i++) {
        run = TAILQ_FIRST(&self->failed);
        TAILQ_REMOVE(&self->failed, run, entry);
        if (settled[i].is_accepted)
            s_tell(self, run, settled[i].state);
        else
            s_note_stale(self, run);
        run_free(run);
    }
    jobs_tell_settled(self->actor, self, &settling);
    dispatcher_ended(self, settling.count);
}
