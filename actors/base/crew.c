/* SPDX-License-Identifier: MPL-2.0
 *
 * crew - threads that work off a bounded queue
 */
#include "config.h"

#include "actors/base/crew.h"
#include "actors/base/log.h"

static void *s_run(void *arg)
{
    crew_t *self = arg;
    queue_item_t *item;
    log_set_part(self->job.part);
    if (self->job.begin)
        self->job.begin();
    while ((item = queue_pop(&self->waiting)))
        self->job.work(self->job.arg, item);
    return NULL;
}

void crew_start(crew_t *self, const crew_job_t *job, size_t threads, size_t waiting)
{
    *self = (crew_t){ .job = *job, .count = threads };
    queue_init(&self->waiting, waiting, false);
    self->threads = mem_array(threads, sizeof *self->threads);
    for (size_t i = 0; i < threads; i++)
        insist(pthread_create(&self->threads[i], NULL, s_run, self) == 0);
}

bool crew_push(crew_t *self, queue_item_t *item)
{
    return queue_push(&self->waiting, item);
}

void crew_stop(crew_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->waiting); item; item = next) {
        next = item->next;
        self->job.drop(self->job.arg, item);
    }
    queue_close(&self->waiting);
    for (size_t i = 0; i < self->count; i++)
        pthread_join(self->threads[i], NULL);
    queue_free(&self->waiting);
    mem_free(self->threads);
}
