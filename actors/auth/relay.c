/* SPDX-License-Identifier: MPL-2.0
 *
 * relay - hands the mails of the outbox to the jobs service, which tries until they are sent
 *
 * What is handed over is the mail's id, as a job that calls `auth.mail_deliver`: the codes that
 * mails carry stay sealed here until the moment they are sent, lie in no other service's tables and
 * lists, and go with a user who is erased. Handing one over twice does no harm: its id is the job's
 * unique key, and a mail that is no longer there is done with. So a mail that is still there after
 * a while, because the jobs service has lost it or its job has died, is handed over once more.
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/runtime/enqueue.h"

#define PAUSE_S        10               /* after an answer that was none */
#define AGAIN_MS       INT64_C(3600000) /* since a mail was handed over */
#define MAX_ATTEMPTS   10
#define BACKOFF_MS     5000 /* doubles with each: about an hour and a half in all */
#define JOB_TIMEOUT_MS 60000

typedef struct {
    const char *ids[ENQUEUE_MAX];
    size_t count;
    int64_t now_ms;
} batch_t;

static bool s_hand_over(actor_t *actor, const batch_t *batch)
{
    enqueue_t jobs[ENQUEUE_MAX];
    for (size_t i = 0; i < batch->count; i++)
        jobs[i] = (enqueue_t){ .kind = "auth.mail_deliver",
                               .unique_key = batch->ids[i],
                               .field = "id",
                               .id = batch->ids[i],
                               .max_attempts = MAX_ATTEMPTS,
                               .backoff_ms = BACKOFF_MS,
                               .timeout_ms = JOB_TIMEOUT_MS };
    return enqueue_jobs(actor, jobs, batch->count) == ERROR_NONE;
}

static db_status_t s_mark_work(db_conn_t *conn, void *arg)
{
    const batch_t *batch = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; i < batch->count && status == DB_OK; i++)
        status = auth_store_enqueued_mail(conn, batch->ids[i], batch->now_ms);
    return status;
}

void auth_relay_mails(auth_t *self)
{
    arena_t arena = { 0 };
    batch_t batch = { .now_ms = clock_wall_ms() };
    if (self->relay_wait_s > 0) {
        self->relay_wait_s--;
        return;
    }
    db_conn_t *conn = db_conn(self->db);
    bool good = conn && auth_store_due_mails(conn, &arena, batch.now_ms - AGAIN_MS, ENQUEUE_MAX,
                                             batch.ids, &batch.count) == DB_OK;
    if (good && batch.count > 0)
        good = s_hand_over(self->actor, &batch) && db_write(self->db, s_mark_work, &batch) == DB_OK;
    if (!good)
        self->relay_wait_s = PAUSE_S;
    arena_free(&arena);
}
