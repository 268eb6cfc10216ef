/* SPDX-License-Identifier: MPL-2.0
 *
 * intake - the thread that puts jobs into the database
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include <uthash.h>

#include "actors/base/log.h"
#include "actors/jobs/intake.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/store_families.h"

#define INTAKE_REQUESTS 512      /* of one transaction */
#define INTAKE_JOBS     2000     /* likewise */
#define INTAKE_KEEP_MS  86400000 /* answers to requests with a key */

/* A key under way. */
typedef struct {
    UT_hash_handle hh;
    char name[]; /* account, a line feed, key */
} intake_key_t;

struct intake {
    actor_t *actor;
    queue_t queue;
    pthread_mutex_t mutex; /* over the keys */
    intake_key_t *keys;
    pthread_t thread;
    intake_stored_t on_stored;
    void *arg;
};

/* ---- keys ------------------------------------------------------------------------------------ */

static char *s_key_name(const intake_request_t *request)
{
    return mem_format("%s\n%s", request->account, request->key);
}

/* False when the key is under way already. */
static bool s_reserve(intake_t *self, const intake_request_t *request)
{
    intake_key_t *key;
    if (!request->key)
        return true;
    char *name = s_key_name(request);
    size_t size = strlen(name);
    pthread_mutex_lock(&self->mutex);
    HASH_FIND(hh, self->keys, name, size, key);
    bool is_free = !key;
    if (is_free) {
        key = mem_zeroed(sizeof *key + size + 1);
        memcpy(key->name, name, size);
        HASH_ADD(hh, self->keys, name, (unsigned)size, key);
    }
    pthread_mutex_unlock(&self->mutex);
    mem_free(name);
    return is_free;
}

static void s_release(intake_t *self, const intake_request_t *request)
{
    intake_key_t *key;
    if (!request->key)
        return;
    char *name = s_key_name(request);
    pthread_mutex_lock(&self->mutex);
    HASH_FIND(hh, self->keys, name, strlen(name), key);
    insist(key);
    HASH_DEL(self->keys, key);
    pthread_mutex_unlock(&self->mutex);
    mem_free(key);
    mem_free(name);
}

/* ---- answers --------------------------------------------------------------------------------- */

size_t intake_receipts(const intake_request_t *request)
{
    bool is_alone = request->form == INTAKE_FAMILY && request->receipts->is_duplicate;
    return is_alone ? 1 : request->count;
}

static void s_pack_one(pack_t *pack, const intake_request_t *request, size_t i)
{
    jobs_pack_receipt(pack, request->jobs[i].kind, request->jobs[i].queue, &request->receipts[i]);
}

static void s_pack_list(pack_t *pack, const char *key, const intake_request_t *request, size_t from)
{
    const size_t count = intake_receipts(request);
    pack_text(pack, key);
    pack_array(pack, count - from);
    for (size_t i = from; i < count; i++)
        s_pack_one(pack, request, i);
}

static void s_pack_reply(pack_t *pack, const intake_request_t *request)
{
    switch (request->form) {
    case INTAKE_ONE:
        s_pack_one(pack, request, 0);
        break;
    case INTAKE_LIST:
        pack_map(pack, 1);
        s_pack_list(pack, "items", request, 0);
        break;
    case INTAKE_FAMILY:
        pack_map(pack, 2);
        pack_text(pack, "parent");
        s_pack_one(pack, request, 0);
        s_pack_list(pack, "children", request, 1);
        break;
    }
}

static void s_answer(intake_t *self, intake_request_t *request)
{
    pack_t *pack = call_pack(request->call);
    s_release(self, request);
    if (request->status != DB_OK) {
        call_fail_db(request->call, request->status);
        return;
    }
    if (request->is_other) {
        call_fail(request->call, ERROR_UNPROCESSABLE,
                  "The idempotency key was used for another request");
        return;
    }
    if (!request->is_repeated)
        self->on_stored(self->arg, request);
    if (request->reply.bytes)
        pack_raw(pack, request->reply.bytes, request->reply.size);
    else
        s_pack_reply(pack, request);
    call_reply(request->call, request->is_repeated ? request->repeated_status : 0);
}

/* ---- transactions ---------------------------------------------------------------------------- */

/* Those with a key, and families, are stored one by one. */
static bool s_is_plain(const intake_request_t *request)
{
    return !request->key && request->form != INTAKE_FAMILY;
}

/* Requests that are stored together: the jobs of the plain ones in a row. */
typedef struct {
    intake_request_t **requests;
    size_t request_count;
    arena_t arena;
    job_new_t *jobs;
    job_receipt_t *receipts;
    size_t count;
} batch_t;

static db_status_t s_store_jobs(db_conn_t *conn, const intake_request_t *request)
{
    if (request->form != INTAKE_FAMILY)
        return jobs_store_enqueue(conn, request->jobs, request->count, request->receipts);
    return jobs_store_add_family(conn, request->jobs, request->needs_children, request->jobs + 1,
                                 request->count - 1, request->receipts);
}

/* The answer to the key, if it was given before; else the jobs and their answer. */
static db_status_t s_store_keyed(db_conn_t *conn, arena_t *arena, intake_request_t *request)
{
    job_answer_t answer = { .account = request->account, .key = request->key };
    memcpy(answer.hash, request->hash, sizeof answer.hash);
    db_status_t status = jobs_store_find_answer(conn, arena, &answer);
    request->is_other = answer.is_other;
    request->is_repeated = answer.reply.bytes != NULL;
    request->reply = answer.reply;
    if (status != DB_OK || request->is_repeated)
        return status;
    status = s_store_jobs(conn, request);
    if (status != DB_OK)
        return status;
    buf_t reply = { 0 };
    pack_t pack;
    pack_init(&pack, &reply);
    s_pack_reply(&pack, request);
    request->reply = answer.reply =
        (job_bytes_t){ arena_text(arena, reply.bytes, reply.size), reply.size };
    buf_free(&reply);
    return jobs_store_keep_answer(conn, &answer, INTAKE_KEEP_MS);
}

static db_status_t s_work(db_conn_t *conn, void *arg)
{
    batch_t *batch = arg;
    db_status_t status = DB_OK;
    if (batch->count)
        status = jobs_store_enqueue(conn, batch->jobs, batch->count, batch->receipts);
    for (size_t i = 0; status == DB_OK && i < batch->request_count; i++) {
        intake_request_t *request = batch->requests[i];
        if (request->key)
            status = s_store_keyed(conn, &batch->arena, request);
        else if (!s_is_plain(request))
            status = s_store_jobs(conn, request);
    }
    return status;
}

/* Puts the jobs of plain requests into one row, or takes their receipts out of it. */
static void s_gather(batch_t *batch, bool back)
{
    size_t at = 0;
    for (size_t i = 0; i < batch->request_count; i++) {
        intake_request_t *request = batch->requests[i];
        if (!s_is_plain(request))
            continue;
        if (back)
            memcpy(request->receipts, batch->receipts + at,
                   request->count * sizeof *batch->receipts);
        else
            memcpy(batch->jobs + at, request->jobs, request->count * sizeof *batch->jobs);
        at += request->count;
    }
}

/* Stores some of the requests and answers them, unless one of several spoils it for all. */
static bool s_store(intake_t *self, intake_request_t **requests, size_t count)
{
    batch_t batch = { .requests = requests, .request_count = count };
    for (size_t i = 0; i < count; i++)
        if (s_is_plain(requests[i]))
            batch.count += requests[i]->count;
    batch.jobs = arena_array(&batch.arena, batch.count, sizeof *batch.jobs);
    batch.receipts = arena_array(&batch.arena, batch.count, sizeof *batch.receipts);
    s_gather(&batch, false);
    db_status_t status = db_write(actor_db(self->actor), s_work, &batch);
    bool is_final = status != DB_CONSTRAINT || count == 1;
    if (is_final)
        s_gather(&batch, true);
    for (size_t i = 0; is_final && i < count; i++) {
        requests[i]->status = status;
        s_answer(self, requests[i]);
    }
    arena_free(&batch.arena);
    return is_final;
}

/* What cannot be stored for a reason of its own must not take the others along. */
static void s_store_all(intake_t *self, intake_request_t **requests, size_t count)
{
    if (!s_store(self, requests, count))
        for (size_t i = 0; i < count; i++)
            s_store(self, &requests[i], 1);
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
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
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
    pthread_mutex_destroy(&self->mutex);
    mem_free(self);
}

void intake_add(intake_t *self, intake_request_t *request)
{
    if (!s_reserve(self, request)) {
        call_fail(request->call, ERROR_CONFLICT,
                  "The first request with this idempotency key is under way: try again");
        return;
    }
    call_defer(request->call);
    if (queue_push(&self->queue, &request->item))
        return;
    s_release(self, request);
    call_fail(request->call, ERROR_OVERLOADED, "Too many requests wait to be stored");
}
