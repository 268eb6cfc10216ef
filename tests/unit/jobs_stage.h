/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_stage - the jobs service on a stage (tests/kit/stage.h), and a service whose methods are the
 * kinds of jobs a test needs
 */
#ifndef SIGNALBOX_JOBS_STAGE_H
#define SIGNALBOX_JOBS_STAGE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "actors/jobs/jobs.h"
#include "tests/kit/beside.h"

/* ---- the service that is called -------------------------------------------------------------- */

/* What the methods saw. */
typedef struct {
    pthread_mutex_t mutex;
    int calls;
    int64_t last_n;           /* `n` of the last payload */
    int64_t order[256];       /* `n` of all payloads */
    job_run_t run;            /* of the last call */
    char account[80];         /* in whose name it was */
    atomic_int failures_left; /* of `flaky` */
    atomic_bool is_held;      /* `hold` waits for its end, */
    atomic_int let_go;        /* but for runs of a job from this one on; 0: all of them */
    atomic_int held;          /* calls that do */
} echo_t;

static echo_t echo = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static inline void echo_note(call_t *call)
{
    const job_run_t *run = call_job(call);
    const char *account = call_principal(call)->account;
    pthread_mutex_lock(&echo.mutex);
    echo.last_n = call_int(call, "n");
    echo.order[echo.calls++ % 256] = echo.last_n;
    echo.run = run ? *run : (job_run_t){ 0 };
    text_copy(echo.account, sizeof echo.account, account, strlen(account));
    pthread_mutex_unlock(&echo.mutex);
}

static inline void echo_on_say(call_t *call, void *self)
{
    (void)self;
    echo_note(call);
    pack_map(call_pack(call), 1);
    pack_pair_int(call_pack(call), "n", call_int(call, "n"));
    call_reply(call, 0);
}

static inline void echo_on_flaky(call_t *call, void *self)
{
    (void)self;
    echo_note(call);
    if (atomic_fetch_sub(&echo.failures_left, 1) > 0)
        call_fail(call, ERROR_UNAVAILABLE, "Not yet");
    else
        call_reply(call, 0);
}

static inline void echo_on_refuse(call_t *call, void *self)
{
    (void)self;
    echo_note(call);
    call_fail(call, ERROR_UNPROCESSABLE, "This will never do");
}

static inline bool echo_is_let_go(const job_run_t *run)
{
    const int let_go = atomic_load(&echo.let_go);
    return let_go && run && run->fence >= let_go;
}

static inline void echo_on_hold(call_t *call, void *self)
{
    (void)self;
    echo_note(call);
    call_progress(call, 50, "half");
    call_progress(call, 51, "too soon for another");
    atomic_fetch_add(&echo.held, 1);
    while (atomic_load(&echo.is_held) && !echo_is_let_go(call_job(call)) &&
           !call_is_cancelled(call) && call_left_ms(call))
        clock_sleep_ms(1);
    atomic_fetch_sub(&echo.held, 1);
    if (call_is_cancelled(call))
        call_fail(call, ERROR_CANCELLED, "Given up");
    else
        call_reply(call, 0);
}

static const field_t echo_request[] = { { "n", FIELD_INTEGER, .about = "A number" }, { 0 } };
static const field_t echo_reply[] = { { "n", FIELD_INTEGER, .about = "The number" }, { 0 } };
static const method_t echo_say = { .name = "say",
                                   .summary = "Says it",
                                   .request = echo_request,
                                   .reply = echo_reply,
                                   .access = ACCESS_USER };
static const method_t echo_flaky = {
    .name = "flaky", .summary = "Fails at first", .request = echo_request, .access = ACCESS_USER
};
static const method_t echo_refuse = {
    .name = "refuse", .summary = "Fails", .request = echo_request, .access = ACCESS_USER
};
static const method_t echo_hold = {
    .name = "hold", .summary = "Takes its time", .request = echo_request, .access = ACCESS_USER
};
static const method_t echo_inner = {
    .name = "inner", .summary = "For services", .request = echo_request, .access = ACCESS_INTERNAL
};
static const method_t echo_spawn = { .name = "spawn",
                                     .summary = "Enqueues jobs",
                                     .request = echo_request,
                                     .access = ACCESS_USER,
                                     .rate = JOBS_ENQUEUE_RATE };
static const method_t echo_admin = { .name = "admin",
                                     .summary = "For some",
                                     .request = echo_request,
                                     .access = ACCESS_USER,
                                     .role = "admin" };
static const service_t echo_service = {
    .name = "echo",
    .version = "1.0.0",
    .about = "For tests",
    .methods = (const method_t *const[]){ &echo_say, &echo_flaky, &echo_refuse, &echo_hold,
                                          &echo_inner, &echo_spawn, &echo_admin, NULL },
};
static const handler_t echo_handlers[] = {
    { &echo_say, echo_on_say, HANDLE_POOL },       { &echo_flaky, echo_on_flaky, HANDLE_POOL },
    { &echo_refuse, echo_on_refuse, HANDLE_POOL }, { &echo_hold, echo_on_hold, HANDLE_POOL },
    { &echo_inner, echo_on_say, HANDLE_POOL },     { &echo_spawn, echo_on_say, HANDLE_POOL },
    { &echo_admin, echo_on_say, HANDLE_POOL },     { 0 },
};
static const actor_spec_t echo_actor = { .service = &echo_service,
                                         .self_size = 1,
                                         .handlers = echo_handlers };

typedef struct {
    stage_t stage;
    beside_t echo;
} jobs_stage_t;

static inline void jobs_stage_start_echo(jobs_stage_t *self)
{
    beside_start(&self->echo, &self->stage, &echo_actor);
}

/* Prepares the stage; settings may be changed before `stage_start`. */
static inline void jobs_stage_prepare(jobs_stage_t *self)
{
    *self = (jobs_stage_t){ 0 };
    stage_prepare(&self->stage, &jobs_actor);
    jobs_settings.brokers = self->stage.bus.trusted.brokers;
    jobs_settings.poll_ms = 20;
    echo.calls = 0;
    atomic_store(&echo.failures_left, 0);
    atomic_store(&echo.is_held, false);
    atomic_store(&echo.let_go, 0);
}

static inline void jobs_stage_close(jobs_stage_t *self)
{
    atomic_store(&echo.is_held, false);
    for (size_t i = 0; i < STAGE_ACTORS; i++)
        if (self->stage.actors[i])
            actor_stop(&self->stage.actors[i]);
    beside_stop(&self->echo);
    stage_close(&self->stage);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static inline reply_t jobs_call(jobs_stage_t *self, const principal_t *who, const char *method,
                                const char *format, ...) PRINTF_LIKE(4, 5);
static inline reply_t jobs_call(jobs_stage_t *self, const principal_t *who, const char *method,
                                const char *format, ...)
{
    char json[4096];
    va_list args;
    va_start(args, format);
    insist(vsnprintf(json, sizeof json, format, args) < (int)sizeof json);
    va_end(args);
    return stage_call_in(&self->stage, &self->stage.arena, who, method, json);
}

static inline principal_t jobs_user(const char *account)
{
    principal_t who = { .role_count = 1, .scope_count = 1 };
    text_copy(who.account, sizeof who.account, account, strlen(account));
    text_copy(who.user, sizeof who.user, account, strlen(account));
    text_copy(who.roles[0], sizeof who.roles[0], "user", 4);
    text_copy(who.scopes[0], sizeof who.scopes[0], "*", 1);
    return who;
}

static inline principal_t jobs_admin(void)
{
    principal_t who = jobs_user("admins");
    text_copy(who.roles[who.role_count++], sizeof who.roles[0], "admin", 5);
    return who;
}

/* Starts both, and waits until the jobs know what there is to be called. */
static inline void jobs_stage_open(jobs_stage_t *self)
{
    const principal_t nobody = jobs_user("nobody");
    jobs_stage_prepare(self);
    jobs_stage_start_echo(self);
    stage_start(&self->stage, 0);
    for (int tries = 0; tries < BUS_PATIENCE_S * 200; tries++) {
        if (jobs_call(self, &nobody, "enqueue", "{\"kind\":\"echo.inner\"}").code ==
            ERROR_FORBIDDEN)
            return;
        clock_sleep_ms(5);
    }
    die("the jobs have not heard of the echo");
}

/* Enqueues one; its id, or 0. */
static inline int64_t jobs_put(jobs_stage_t *self, const principal_t *who, const char *json)
{
    reply_t reply = jobs_call(self, who, "enqueue", "%s", json);
    if (reply.code != ERROR_NONE)
        note("%s", reply.detail);
    return value_get_int(reply.body, "id", 0);
}

/* Waits until the job is in that state; the job. NULL when it does not get there. */
static inline const value_t *jobs_await(jobs_stage_t *self, int64_t id, const char *state)
{
    const value_t *job = NULL;
    for (int tries = 0; tries < BUS_PATIENCE_S * 200; tries++) {
        job = jobs_call(self, NULL, "get", "{\"id\":%lld}", (long long)id).body;
        if (value_is(value_get(job, "state"), state))
            return job;
        clock_sleep_ms(5);
    }
    note("job %lld is %s instead of %s", (long long)id, stage_text(&self->stage, job, "state"),
         state);
    return NULL;
}

/* A counter of the first instance. */
static inline int64_t jobs_stat(const jobs_stage_t *self, jobs_stat_t row)
{
    return stats_get(actor_stats(self->stage.actors[0]), row);
}

/* Whether the counter comes to be at least `least`. */
static inline bool jobs_stat_reaches(const jobs_stage_t *self, jobs_stat_t row, int64_t least)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 200 && jobs_stat(self, row) < least; tries++)
        clock_sleep_ms(5);
    return jobs_stat(self, row) >= least;
}

#endif
