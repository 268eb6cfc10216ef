/* SPDX-License-Identifier: MPL-2.0
 *
 * hasher - a bounded pool of threads for calls that hash a password
 */
#include "config.h"

#include <pthread.h>

#include "actors/auth/hasher.h"
#include "actors/base/log.h"
#include "actors/base/queue.h"

#define RETRY_AFTER_MS 1000

typedef struct {
    queue_item_t item;
    call_t *call;
    hasher_work_t work;
    void *arg;
} job_t;

struct hasher {
    queue_t waiting;
    pthread_t *threads;
    size_t thread_count;
};

static void s_run(job_t *job)
{
    call_enter(job->call);
    if (call_left_ms(job->call) == 0)
        call_fail(job->call, ERROR_DEADLINE, "The deadline passed before the request was begun");
    else
        job->work(job->call, job->arg);
    log_enter(NULL);
    mem_free(job);
}

static void *s_run_thread(void *arg)
{
    hasher_t *self = arg;
    queue_item_t *item;
    log_set_part("auth");
    while ((item = queue_pop(&self->waiting)))
        s_run(CONTAINER_OF(item, job_t, item));
    return NULL;
}

hasher_t *hasher_new(size_t threads, size_t waiting)
{
    hasher_t *self = mem_zeroed(sizeof *self);
    queue_init(&self->waiting, waiting, false);
    self->threads = mem_array(threads, sizeof *self->threads);
    self->thread_count = threads;
    for (size_t i = 0; i < threads; i++)
        insist(pthread_create(&self->threads[i], NULL, s_run_thread, self) == 0);
    return self;
}

void hasher_destroy(hasher_t **self_p)
{
    hasher_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->waiting); item; item = next) {
        job_t *job = CONTAINER_OF(item, job_t, item);
        next = item->next;
        call_fail(job->call, ERROR_UNAVAILABLE, "The instance is leaving");
        mem_free(job);
    }
    queue_close(&self->waiting);
    for (size_t i = 0; i < self->thread_count; i++)
        pthread_join(self->threads[i], NULL);
    queue_free(&self->waiting);
    mem_free(self->threads);
    mem_free(self);
}

bool hasher_push(hasher_t *self, call_t *call, hasher_work_t work, void *arg)
{
    job_t *job = mem_alloc(sizeof *job);
    *job = (job_t){ .call = call, .work = work, .arg = arg };
    if (queue_push(&self->waiting, &job->item)) {
        call_defer(call);
        return true;
    }
    mem_free(job);
    call_fail_with(call, &(failure_t){ .code = ERROR_OVERLOADED,
                                       .retry_after_ms = RETRY_AFTER_MS,
                                       .detail = "Too many passwords are being checked" });
    return false;
}
