/* SPDX-License-Identifier: MPL-2.0
 *
 * targets - the services that are called, and the runs that wait until one of them has room
 *
 * A run that waits has been claimed, but nothing of it has happened: as long as it is so it can go
 * back, because it was cancelled, its queue was paused, or others may have taken it over.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "actors/jobs/dispatcher_state.h"

#define UNKNOWN_CREDIT 16 /* of a service that has not said how many calls it takes */

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
    dispatcher_wake(self);
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

/* Ends one that was not called. */
static void s_end_uncalled(dispatcher_t *self, run_t *run, error_code_t code)
{
    run->failure.code = code;
    run_judge(self, run);
    TAILQ_INSERT_TAIL(&self->failed, run, entry);
}

/* One that goes back as if it had not been claimed. */
static void s_put_back(dispatcher_t *self, run_t *run)
{
    run->end = (job_end_t){ .id = run->job.id, .fence = run->job.fence, .how = SETTLE_BACK };
    TAILQ_INSERT_TAIL(&self->failed, run, entry);
}

/* One that cannot be run, because children that it needed have failed. */
static void s_give_up(dispatcher_t *self, run_t *run)
{
    snprintf(run->failure.detail, sizeof run->failure.detail,
             "%" PRId64 " of the jobs it waited for failed", run->job.failed_children);
    s_end_uncalled(self, run, ERROR_UNPROCESSABLE);
}

/* Nothing is called that others may have taken over. A call is left for who is not in the line. */
static void s_call_waiting(dispatcher_t *self, target_t *target)
{
    run_t *run;
    while (target->calls + target->is_wanted < target->credit &&
           clock_ms() < self->lease_until_ms && (run = TAILQ_FIRST(&target->waiting))) {
        TAILQ_REMOVE(&target->waiting, run, entry);
        if (run->job.failed_children)
            s_give_up(self, run);
        else
            s_call(self, run);
    }
}

static run_t *s_begin(dispatcher_t *self, const job_begun_t *job)
{
    run_t *run = run_new(self, job);
    run->target = s_target(self, run->job.kind);
    run->target->credit = s_credit(self, run->target->service);
    self->running++;
    dispatcher_count(self, JOBS_RUNNING, 1);
    monitor_lock(&self->monitor);
    runs_add(self, run);
    monitor_unlock(&self->monitor);
    return run;
}

void targets_begin(dispatcher_t *self, const job_begun_t *begun, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_t *run = s_begin(self, &begun[i]);
        TAILQ_INSERT_TAIL(&run->target->waiting, run, entry);
        s_call_waiting(self, run->target);
    }
}

void targets_begin_reserved(dispatcher_t *self, const job_begun_t *begun, size_t count,
                            bool is_late)
{
    for (size_t i = 0; i < count; i++) {
        run_t *run = s_begin(self, &begun[i]);
        if (is_late || clock_ms() >= self->lease_until_ms)
            s_put_back(self, run);
        else if (run->job.failed_children)
            s_give_up(self, run);
        else
            s_call(self, run);
    }
}

void targets_answered(dispatcher_t *self, target_t *target)
{
    target->calls--;
    target->credit = s_credit(self, target->service);
    s_call_waiting(self, target);
}

void targets_go_on(dispatcher_t *self)
{
    for (target_t *target = self->targets; target; target = target->hh.next)
        s_call_waiting(self, target);
}

/* ---- room ------------------------------------------------------------------------------------ */

target_t *targets_reserve(dispatcher_t *self, const char *kind)
{
    target_t *target = s_target(self, kind);
    target->credit = s_credit(self, target->service);
    if (targets_is_full(target))
        return target;
    target->reserved++;
    return NULL;
}

bool targets_is_full(const target_t *target)
{
    return target->calls + target->reserved >= target->credit;
}

void targets_release(dispatcher_t *self)
{
    for (target_t *target = self->targets; target; target = target->hh.next)
        target->reserved = 0;
}

/* A lane with the name of a service holds its jobs, so its credit is known before the claim. */
size_t targets_room(dispatcher_t *self, const lane_t *lane)
{
    target_t *target;
    size_t room = (size_t)jobs_settings.queue_window;
    HASH_FIND(hh, self->targets, lane->name, strlen(lane->name), target);
    if (target && target->credit < room)
        room = target->credit;
    return lane->running < room ? room - lane->running : 0;
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* Whether the lane of a run lets nothing more begin, or the run is to be cancelled. */
static bool s_is_unwanted(dispatcher_t *self, const run_t *run)
{
    monitor_lock(&self->monitor);
    const lane_t *lane = lanes_find(&self->lanes, run->job.queue);
    bool is_unwanted = run->is_cancelled || (lane && (lane->is_paused || lane->is_pulled));
    monitor_unlock(&self->monitor);
    return is_unwanted;
}

void targets_take_back(dispatcher_t *self, bool all)
{
    for (target_t *target = self->targets; target; target = target->hh.next) {
        run_t *run, *next;
        for (run = TAILQ_FIRST(&target->waiting); run; run = next) {
            next = TAILQ_NEXT(run, entry);
            if (!all && !s_is_unwanted(self, run))
                continue;
            TAILQ_REMOVE(&target->waiting, run, entry);
            s_put_back(self, run);
        }
    }
}

void targets_cancel_calls(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    for (run_t *run = self->runs; run; run = run->hh.next)
        if (run->ticket && !run->is_cancelled) {
            run->is_cancelled = true;
            client_cancel(self->client, run->ticket);
        }
    monitor_unlock(&self->monitor);
}
