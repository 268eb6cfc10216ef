/* SPDX-License-Identifier: MPL-2.0
 *
 * hasher - a bounded pool of threads for calls that hash a password
 */
#include "config.h"

#include "actors/auth/hasher.h"
#include "actors/base/crew.h"
#include "actors/base/log.h"

#define RETRY_AFTER_MS 1000

typedef struct {
    queue_item_t item;
    call_t *call;
    hasher_work_t work;
    void *arg;
} job_t;

struct hasher {
    crew_t crew;
};

static void s_run(void *arg, queue_item_t *item)
{
    job_t *job = CONTAINER_OF(item, job_t, item);
    (void)arg;
    call_enter(job->call);
    if (call_left_ms(job->call) == 0)
        call_fail(job->call, ERROR_DEADLINE, "The deadline passed before the request was begun");
    else
        job->work(job->call, job->arg);
    log_enter(NULL);
    mem_free(job);
}

static void s_drop(void *arg, queue_item_t *item)
{
    job_t *job = CONTAINER_OF(item, job_t, item);
    (void)arg;
    call_fail(job->call, ERROR_UNAVAILABLE, "The instance is leaving");
    mem_free(job);
}

hasher_t *hasher_new(size_t threads, size_t waiting)
{
    static const crew_job_t job = { .part = "auth", .work = s_run, .drop = s_drop };
    hasher_t *self = mem_zeroed(sizeof *self);
    crew_start(&self->crew, &job, threads, waiting);
    return self;
}

void hasher_destroy(hasher_t **self_p)
{
    hasher_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    crew_stop(&self->crew);
    mem_free(self);
}

bool hasher_push(hasher_t *self, call_t *call, hasher_work_t work, void *arg)
{
    job_t *job = mem_alloc(sizeof *job);
    *job = (job_t){ .call = call, .work = work, .arg = arg };
    if (crew_push(&self->crew, &job->item)) {
        call_defer(call);
        return true;
    }
    mem_free(job);
    call_fail_with(call, &(failure_t){ .code = ERROR_OVERLOADED,
                                       .retry_after_ms = RETRY_AFTER_MS,
                                       .detail = "Too many passwords are being checked" });
    return false;
}
