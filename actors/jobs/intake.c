/* SPDX-License-Identifier: MPL-2.0
 *
 * intake - the thread that puts jobs into the database
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/jobs/intake.h"
#include "actors/jobs/jobs.h"

#define INTAKE_REQUESTS 512  /* of one transaction */
#define INTAKE_JOBS     2000 /* likewise */

struct intake {
    actor_t *actor;
    queue_t queue;
    pthread_t thread;
    intake_stored_t on_stored;
    void *arg;
};

/* ---- answers --------------------------------------------------------------------------------- */

static void s_answer(intake_t *self, intake_request_t *request)
{
    if (request->status != DB_OK) {
        call_fail_db(request->call, request->status);
        return;
    }
    pack_t *pack = call_pack(request->call);
    self->on_stored(self->arg, request);
    if (request->is_single) {
        jobs_pack_receipt(pack, request->jobs->kind, request->jobs->queue, request->receipts);
    } else {
        pack_map(pack, 1);
        pack_text(pack, "items");
        pack_array(pack, request->count);
        for (size_t i = 0; i < request->count; i++)
            jobs_pack_receipt(pack, request->jobs[i].kind, request->jobs[i].queue,
                              &request->receipts[i]);
    }
    call_reply(request->call, 0);
}

/* ---- transactions ---------------------------------------------------------------------------- */

/* The jobs of several requests in a row. */
typedef struct {
    job_new_t *jobs;
    job_receipt_t *receipts;
    size_t count;
} batch_t;

static db_status_t s_work(db_conn_t *conn, void *arg)
{
    batch_t *batch = arg;
    return jobs_store_enqueue(conn, batch->jobs, batch->count, batch->receipts);
}

/* Stores some of the requests; their receipts are valid afterwards. */
static db_status_t s_store(intake_t *self, intake_request_t **requests, size_t count)
{
    arena_t arena = { 0 };
    batch_t batch = { 0 };
    for (size_t i = 0; i < count; i++)
        batch.count += requests[i]->count;
    batch.jobs = arena_array(&arena, batch.count, sizeof *batch.jobs);
    batch.receipts = arena_array(&arena, batch.count, sizeof *batch.receipts);
    size_t at = 0;
    for (size_t i = 0; i < count; at += requests[i++]->count)
        memcpy(batch.jobs + at, requests[i]->jobs, requests[i]->count * sizeof *batch.jobs);
    db_status_t status = db_write(actor_db(self->actor), s_work, &batch);
    at = 0;
    for (size_t i = 0; i < count; at += requests[i++]->count) {
        memcpy(requests[i]->receipts, batch.receipts + at,
               requests[i]->count * sizeof *batch.receipts);
        requests[i]->status = status;
    }
    arena_free(&arena);
    return status;
}

/* What cannot be stored for a reason of its own must not take the others along. */
static void s_store_all(intake_t *self, intake_request_t **requests, size_t count)
{
    if (s_store(self, requests, count) == DB_CONSTRAINT && count > 1)
        for (size_t i = 0; i < count; i++)
            s_store(self, &requests[i], 1);
    for (size_t i = 0; i < count; i++)
        s_answer(self, requests[i]);
}

static intake_request_t *s_request(queue_item_t *item)
{
    return item ? CONTAINER_OF(item, intake_request_t, item) : NULL;
}

static void *s_run(void *arg)
{
    intake_t *self = arg;
    log_set_part(jobs_service.name);
    for (queue_item_t *item; (item = queue_pop(&self->queue));) {
        item->next = queue_take_all(&self->queue);
        while (item) {
            intake_request_t *requests[INTAKE_REQUESTS];
            size_t count = 0, jobs = 0;
            for (; item && count < INTAKE_REQUESTS && jobs < INTAKE_JOBS; item = item->next) {
                requests[count] = s_request(item);
                jobs += requests[count++]->count;
            }
            s_store_all(self, requests, count);
        }
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

intake_t *intake_new(actor_t *actor, intake_stored_t on_stored, void *arg)
{
    intake_t *self = mem_zeroed(sizeof *self);
    self->actor = actor;
    self->on_stored = on_stored;
    self->arg = arg;
    queue_init(&self->queue, INTAKE_WAITING_MAX, false);
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
    return self;
}

void intake_destroy(intake_t **self_p)
{
    intake_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    queue_close(&self->queue);
    pthread_join(self->thread, NULL);
    queue_free(&self->queue);
    mem_free(self);
}

void intake_add(intake_t *self, intake_request_t *request)
{
    call_defer(request->call);
    if (!queue_push(&self->queue, &request->item))
        call_fail(request->call, ERROR_OVERLOADED, "Too many requests wait to be stored");
}
