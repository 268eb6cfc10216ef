/* SPDX-License-Identifier: MPL-2.0
 *
 * on_runs - jobs that are cancelled, and runs that tell how far they are
 */
#include "config.h"

#include "actors/jobs/jobs.h"

/* ---- cancelling ------------------------------------------------------------------------------ */

typedef struct {
    arena_t *arena;
    int64_t id;
    const char *account;
    job_cancelled_t cancelled;
} cancelling_t;

static db_status_t s_cancel_work(db_conn_t *conn, void *arg)
{
    cancelling_t *self = arg;
    return jobs_store_cancel(conn, self->arena, self->id, self->account, &self->cancelled);
}

void jobs_on_cancel(call_t *call, void *memory)
{
    jobs_t *self = memory;
    cancelling_t cancelling = { .arena = call_arena(call),
                                .id = call_int(call, "id"),
                                .account = jobs_scope(call) };
    const job_cancelled_t *cancelled = &cancelling.cancelled;
    if (!jobs_require_ok(call, db_write(call_db(call), s_cancel_work, &cancelling)))
        return;
    if (!cancelled->is_there) {
        call_fail(call, ERROR_NOT_FOUND, "There is no such job, or it has ended");
        return;
    }
    if (cancelled->state == JOB_RUNNING) {
        dispatcher_cancel(self->dispatcher, cancelling.id); /* others look for it by themselves */
    } else {
        const job_begun_t told = { .id = cancelling.id,
                                   .kind = cancelled->kind,
                                   .queue = cancelled->queue,
                                   .account = cancelled->account };
        stats_add(actor_stats(self->actor), JOBS_CANCELLED, 1);
        jobs_publish(self->actor, TOPIC_JOBS_FINISHED, &told, JOB_CANCELLED, NULL);
        dispatcher_hint(self->dispatcher, cancelled->queue, NULL); /* the next of its order */
    }
    jobs_tell_parents(self->actor, &cancelled->parents);
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "id", cancelling.id);
    pack_pair_text(call_pack(call), "state", jobs_store_state(cancelled->state));
    call_reply(call, 0);
}

/* ---- progress -------------------------------------------------------------------------------- */

typedef struct {
    job_progress_t progress;
    bool is_current;
} telling_t;

static db_status_t s_progress_work(db_conn_t *conn, void *arg)
{
    telling_t *self = arg;
    return jobs_store_progress(conn, &self->progress, &self->is_current);
}

void jobs_on_progress(call_t *call, void *memory)
{
    jobs_t *self = memory;
    telling_t telling = { .progress = { .id = call_int(call, "id"),
                                        .fence = call_int(call, "fence"),
                                        .percent = call_int(call, "percent"),
                                        .note = call_text(call, "note") } };
    const job_t *job;
    if (!jobs_require_ok(call, db_write(call_db(call), s_progress_work, &telling)))
        return;
    if (!telling.is_current) {
        stats_add(actor_stats(self->actor), JOBS_STALE, 1);
        call_fail(call, ERROR_PRECONDITION_FAILED, "This is not the job's present run");
        return;
    }
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(
                     call, jobs_store_get(conn, call_arena(call), telling.progress.id, NULL, &job)))
        return;
    if (job)
        jobs_publish_progress(self->actor, job, telling.progress.percent, telling.progress.note);
    call_reply(call, 0);
}
