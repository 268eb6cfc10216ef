/* SPDX-License-Identifier: MPL-2.0
 *
 * on_pull - workers that fetch their jobs
 *
 * What they report goes the same way as what the dispatcher reports: fenced, and judged alike.
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/jobs.h"
#include "actors/jobs/verdict.h"
#include "proto/value_pack.h"

/* ---- fetching -------------------------------------------------------------------------------- */

typedef struct {
    arena_t *arena;
    const char *name;
    int64_t lease_ms;
    job_wish_t wish;
    job_begun_t *begun;
    size_t count;
} claiming_t;

static db_status_t s_claim_work(db_conn_t *conn, void *arg)
{
    claiming_t *self = arg;
    int64_t worker_id;
    self->count = 0;
    db_status_t status = jobs_store_add_worker(conn, self->name, true, self->lease_ms, &worker_id);
    if (status != DB_OK)
        return status;
    return jobs_store_claim_limited(conn, self->arena, worker_id, &self->wish, self->begun,
                                    &self->count);
}

/* Nothing was there: because of the wrong queue? False: the call has been answered. */
static bool s_require_pulled(call_t *call, const char *queue)
{
    job_queues_t queues;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, jobs_store_queues(conn, call_arena(call), false, &queues)))
        return false;
    for (size_t i = 0; i < queues.count; i++)
        if (strcmp(queues.list[i].name, queue) == 0 && queues.list[i].is_pulled)
            return true;
    call_fail(call, ERROR_UNPROCESSABLE,
              "The queue %.64s is not one that workers fetch from: an administrator sets `pulled`",
              queue);
    return false;
}

static void s_pack_begun(pack_t *pack, const job_begun_t *job)
{
    char traceparent[TRACE_PARENT_SIZE];
    trace_t trace;
    const bool is_traced = job->trace.size == sizeof trace;
    if (is_traced)
        memcpy(&trace, job->trace.bytes, sizeof trace);
    pack_map(pack, 7);
    pack_pair_int(pack, "id", job->id);
    pack_pair_int(pack, "fence", job->fence);
    pack_pair_text(pack, "kind", job->kind);
    pack_text(pack, "account");
    if (job->account[0])
        pack_text(pack, job->account);
    else
        pack_nil(pack);
    pack_pair_int(pack, "timeout_ms", job->timeout_ms);
    pack_pair_text(pack, "traceparent", is_traced ? trace_parent(&trace, traceparent) : NULL);
    pack_text(pack, "payload");
    pack_raw(pack, job->payload.bytes, job->payload.size);
}

void jobs_on_claim(call_t *call, void *memory)
{
    jobs_t *self = memory;
    arena_t *arena = call_arena(call);
    claiming_t claiming = { .arena = arena,
                            .lease_ms = call_int(call, "lease_ms"),
                            .wish = { .queue = call_text(call, "queue"),
                                      .most = (size_t)call_int(call, "limit"),
                                      .is_pull = true } };
    claiming.begun = arena_array(arena, claiming.wish.most, sizeof *claiming.begun);
    claiming.name =
        arena_format(arena, "pull/%s/%s", call_principal(call)->account, call_text(call, "worker"));
    if (!jobs_require_ok(call, db_write(call_db(call), s_claim_work, &claiming)))
        return;
    if (claiming.count == 0 && !s_require_pulled(call, claiming.wish.queue))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "items");
    pack_array(pack, claiming.count);
    for (size_t i = 0; i < claiming.count; i++) {
        s_pack_begun(pack, &claiming.begun[i]);
        jobs_publish(self->actor, TOPIC_JOBS_STARTED, &claiming.begun[i], JOB_RUNNING, NULL);
    }
    stats_add(actor_stats(self->actor), JOBS_STARTED, (int64_t)claiming.count);
    call_reply(call, 0);
}

/* ---- reports --------------------------------------------------------------------------------- */

typedef struct {
    job_end_t end;
    job_settled_t settled;
} ending_t;

static db_status_t s_settle_work(db_conn_t *conn, void *arg)
{
    return jobs_store_settle(conn, arg);
}

static void s_fail_stale(call_t *call, jobs_t *self)
{
    stats_add(actor_stats(self->actor), JOBS_STALE, 1);
    call_fail(call, ERROR_PRECONDITION_FAILED,
              "This is not the job's present run: its lease ended, or it was given up");
}

/* The job as long as this run is its present one. NULL: the call has been answered. */
static const job_t *s_require_run(call_t *call, jobs_t *self)
{
    const job_t *job;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, jobs_store_get(conn, call_arena(call), call_int(call, "id"),
                                                       NULL, &job)))
        return NULL;
    if (job && job->state == JOB_RUNNING && job->fence == call_int(call, "fence"))
        return job;
    s_fail_stale(call, self);
    return NULL;
}

/* Writes an end down and tells of it. False: the call has been answered. */
static bool s_require_settled(call_t *call, jobs_t *self, const job_t *job, ending_t *ending)
{
    job_settling_t settling = { .ends = &ending->end,
                                .count = 1,
                                .settled = &ending->settled,
                                .arena = call_arena(call),
                                .wishes = &self->wishes };
    if (!jobs_require_ok(call, db_write(call_db(call), s_settle_work, &settling)))
        return false;
    if (!ending->settled.is_accepted) {
        s_fail_stale(call, self);
        return false;
    }
    const job_state_t state = ending->settled.state;
    const job_begun_t told = { .id = job->id,
                               .fence = job->fence,
                               .kind = job->kind,
                               .queue = job->queue,
                               .account = job->account };
    jobs_tell_end(self->actor, &told, &ending->end, state);
    jobs_tell_settled(self->actor, self->dispatcher, &settling);
    return true;
}

void jobs_on_complete(call_t *call, void *memory)
{
    jobs_t *self = memory;
    const job_t *job = s_require_run(call, self);
    if (!job)
        return;
    const value_t *result = value_get(call_request(call), "result");
    buf_t bytes = { 0 };
    pack_t pack;
    ending_t ending = { .end = { .id = job->id, .fence = job->fence, .how = SETTLE_DONE } };
    pack_init(&pack, &bytes);
    if (result)
        value_pack(result, &pack);
    if (bytes.size > JOBS_PAYLOAD_BYTES) {
        call_fail(call, ERROR_TOO_LARGE, "A result may have %d bytes", JOBS_PAYLOAD_BYTES);
    } else {
        if (bytes.size)
            ending.end.result = (job_bytes_t){ bytes.bytes, bytes.size };
        if (s_require_settled(call, self, job, &ending))
            call_reply(call, 0);
    }
    buf_free(&bytes);
}

void jobs_on_fail(call_t *call, void *memory)
{
    jobs_t *self = memory;
    const job_t *job = s_require_run(call, self);
    if (!job)
        return;
    const failure_t failure = { .code = call_bool(call, "permanent") ? ERROR_UNPROCESSABLE
                                                                     : ERROR_UNAVAILABLE,
                                .retry_after_ms = (uint32_t)call_int(call, "retry_after_ms") };
    ending_t ending = { .end = verdict(&(verdict_run_t){ .id = job->id,
                                                         .fence = job->fence,
                                                         .tries = job->tries,
                                                         .crashes = job->crashes,
                                                         .max_attempts = job->max_attempts,
                                                         .backoff_ms = job->backoff_ms,
                                                         .random = id_random_u64() },
                                       &failure) };
    ending.end.error_code = call_text(call, "code");
    ending.end.error_text = call_text(call, "detail");
    if (!s_require_settled(call, self, job, &ending))
        return;
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "id", job->id);
    pack_pair_text(call_pack(call), "state", jobs_store_state(ending.settled.state));
    call_reply(call, 0);
}

/* ---- the lease ------------------------------------------------------------------------------- */

typedef struct {
    int64_t id, fence, lease_ms;
    bool is_current, is_cancelled;
} extending_t;

static db_status_t s_extend_work(db_conn_t *conn, void *arg)
{
    extending_t *self = arg;
    return jobs_store_extend(conn, self->id, self->fence, self->lease_ms, &self->is_current,
                             &self->is_cancelled);
}

void jobs_on_extend(call_t *call, void *memory)
{
    extending_t extending = { .id = call_int(call, "id"),
                              .fence = call_int(call, "fence"),
                              .lease_ms = call_int(call, "lease_ms") };
    if (!jobs_require_ok(call, db_write(call_db(call), s_extend_work, &extending)))
        return;
    if (!extending.is_current) {
        s_fail_stale(call, memory);
        return;
    }
    pack_map(call_pack(call), 1);
    pack_pair_bool(call_pack(call), "cancelled", extending.is_cancelled);
    call_reply(call, 0);
}
