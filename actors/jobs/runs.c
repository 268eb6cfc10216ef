/* SPDX-License-Identifier: MPL-2.0
 *
 * runs - calls under way and how they ended
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

#define UNKNOWN_CREDIT 16  /* of a service that has not said how many calls it takes */
#define SETTLE_MOST    100 /* ends of one transaction */

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

/* A run with copies of all it needs. */
static run_t *s_new(dispatcher_t *dispatcher, const job_begun_t *job)
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

/* ---- calling --------------------------------------------------------------------------------- */

static target_t *s_target(dispatcher_t *self, const char *kind)
{
    target_t *target;
    const char *dot = strrchr(kind, '.');
    size_t size = dot ? (size_t)(dot - kind) : strlen(kind);
    HASH_FIND(hh, self->targets, kind, size, target);
    if (target)
        return target;
    target = mem_zeroed(sizeof *target + size + 1);
    memcpy(target->service, kind, size);
    TAILQ_INIT(&target->waiting);
    HASH_ADD(hh, self->targets, service, (unsigned)size, target);
    return target;
}

static uint32_t s_credit(dispatcher_t *self, const char *service)
{
    uint32_t credit = kinds_credit(self->kinds, service);
    return credit ? credit : UNKNOWN_CREDIT;
}

/* On the client's thread. */
static void s_on_answer(void *arg, answer_t *answer)
{
    run_t *run = arg;
    dispatcher_t *self = run->dispatcher;
    run->failure = answer->failure;
    run->failure.fields = NULL;
    zmq_msg_move(&run->result, &answer->body);
    monitor_lock(&self->monitor);
    TAILQ_INSERT_TAIL(&self->answered, run, entry);
    self->has_news = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}

static void s_call(dispatcher_t *self, run_t *run)
{
    char text[JOB_TEXT_SIZE];
    buf_t body = { 0 };
    const job_begun_t *job = &run->job;
    const buf_t principal = { .bytes = (uint8_t *)(uintptr_t)job->principal.bytes,
                              .size = job->principal.size };
    job_run_t who = { .id = job->id, .fence = job->fence, .attempt = job->fence };
    const char *service = actor_service(self->actor);
    text_copy(who.service, sizeof who.service, service, strlen(service));
    buf_add(&body, job->payload.bytes, job->payload.size);
    const client_request_t request = { .service = run->target->service,
                                       .method = strrchr(job->kind, '.') + 1,
                                       .body = &body,
                                       .principal = principal.size ? &principal : NULL,
                                       .deadline_ms = (uint32_t)job->timeout_ms,
                                       .priority =
                                           FRAME_PRIORITIES - 1, /* whoever waits goes first */
                                       .trace = &run->trace,
                                       .job = job_run_write(&who, text) };
    run->target->calls++;
    run->started_us = clock_us();
    run_begin_trace(run);
    dispatcher_count(self, JOBS_STARTED, 1);
    jobs_publish(self->actor, TOPIC_JOBS_STARTED, &run->job, JOB_RUNNING, NULL);
    uint64_t ticket = client_send(self->client, &request, s_on_answer, run);
    monitor_lock(&self->monitor);
    run->ticket = ticket;
    bool is_cancelled = run->is_cancelled;
    monitor_unlock(&self->monitor);
    if (is_cancelled) /* while it was being sent */
        client_cancel(self->client, ticket);
    buf_free(&body);
}

static void s_judge(dispatcher_t *self, run_t *run);

/* One that cannot be run, because children that it needed have failed. */
static void s_give_up(dispatcher_t *self, run_t *run)
{
    run->failure = (failure_t){ .code = ERROR_UNPROCESSABLE };
    snprintf(run->failure.detail, sizeof run->failure.detail,
             "%" PRId64 " of the jobs it waited for failed", run->job.failed_children);
    s_judge(self, run);
    TAILQ_INSERT_TAIL(&self->failed, run, entry);
}

static void s_call_waiting(dispatcher_t *self, target_t *target)
{
    run_t *run;
    while (target->calls < target->credit && (run = TAILQ_FIRST(&target->waiting))) {
        TAILQ_REMOVE(&target->waiting, run, entry);
        target->waiting_count--;
        if (run->job.failed_children)
            s_give_up(self, run);
        else
            s_call(self, run);
    }
}

void runs_begin(dispatcher_t *self, const job_begun_t *begun, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_t *run = s_new(self, &begun[i]);
        run->target = s_target(self, run->job.kind);
        run->target->credit = s_credit(self, run->target->service);
        self->running++;
        dispatcher_count(self, JOBS_RUNNING, 1);
        monitor_lock(&self->monitor);
        HASH_ADD(hh, self->runs, job.id, sizeof run->job.id, run);
        monitor_unlock(&self->monitor);
        TAILQ_INSERT_TAIL(&run->target->waiting, run, entry);
        run->target->waiting_count++;
        s_call_waiting(self, run->target);
    }
}

/* A lane with the name of a service holds its jobs, so its credit is known before the claim. */
size_t runs_room(dispatcher_t *self, const lane_t *lane)
{
    target_t *target;
    size_t room = (size_t)jobs_settings.queue_window;
    HASH_FIND(hh, self->targets, lane->name, strlen(lane->name), target);
    if (target && target->credit < room)
        room = target->credit;
    return lane->running < room ? room - lane->running : 0;
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

static void s_judge(dispatcher_t *self, run_t *run)
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
    target_t *target = run->target;
    const error_code_t code = run->failure.code;
    target->calls--;
    stats_record(actor_stats(self->actor), JOBS_RUN_TIME, clock_us() - run->started_us);
    run_end_trace(run);
    monitor_lock(&self->monitor);
    lane_t *lane = lanes_find(&self->lanes, run->job.queue);
    if (lane)
        breaker_report(&lane->absence, !verdict_is_absence(code), clock_ms());
    monitor_unlock(&self->monitor);
    s_trim_result(self, run);
    s_judge(self, run);
    if (code == ERROR_NONE && !run->job.order_key && !run->job.parent_id)
        TAILQ_INSERT_TAIL(&self->succeeded, run, entry);
    else
        TAILQ_INSERT_TAIL(&self->failed, run, entry);
    target->credit = s_credit(self, target->service);
    s_call_waiting(self, target);
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
        run_t *run;
        monitor_lock(&self->monitor);
        HASH_FIND(hh, self->runs, &turned->accepted[i], sizeof turned->accepted[i], run);
        monitor_unlock(&self->monitor);
        insist(run);
        TAILQ_REMOVE(&self->succeeded, run, entry);
        dispatcher_count(self, JOBS_SUCCEEDED, 1);
        jobs_publish(self->actor, TOPIC_JOBS_FINISHED, &run->job, JOB_DONE, NULL);
        run_free(run);
        reported++;
    }
    self->ended_since_vacuum += (int64_t)reported;
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
    else if (run->job.order_key)
        dispatcher_hint(self, run->job.queue, NULL); /* the next of its order */
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
    self->ended_since_vacuum += (int64_t)settling.count;
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void s_give_back(dispatcher_t *self, target_t *target)
{
    run_t *run;
    while ((run = TAILQ_FIRST(&target->waiting))) {
        TAILQ_REMOVE(&target->waiting, run, entry);
        target->waiting_count--;
        run->failure = (failure_t){ .code = ERROR_CANCELLED };
        s_judge(self, run);
        TAILQ_INSERT_TAIL(&self->failed, run, entry);
    }
}

void runs_give_up(dispatcher_t *self, bool calls_too)
{
    for (target_t *target = self->targets; target; target = target->hh.next)
        s_give_back(self, target);
    if (!calls_too)
        return;
    monitor_lock(&self->monitor);
    for (run_t *run = self->runs; run; run = run->hh.next)
        if (run->ticket && !run->is_cancelled) {
            run->is_cancelled = true;
            client_cancel(self->client, run->ticket);
        }
    monitor_unlock(&self->monitor);
}
