/* SPDX-License-Identifier: MPL-2.0
 *
 * store_news - what accounts are told of by webhook: enqueued with the change that is told
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/store.h"
#include "proto/pack.h"
#include "proto/webhook.h"

/* Where there are webhooks, they take it at once; what is not there for now is waited for. */
#define ATTEMPTS   30
#define TIMEOUT_MS 10000
#define BACKOFF_MS 2000

static void s_pack_event(pack_t *pack, const job_death_t *death)
{
    char id[ID_UUID_SIZE];
    pack_map(pack, 5);
    pack_pair_text(pack, "id", id_uuid7(id));
    pack_pair_text(pack, "account", death->account);
    pack_pair_text(pack, "type", JOBS_NEWS_DEATH);
    pack_pair_time(pack, "at", clock_wall_ms());
    pack_text(pack, "data");
    pack_map(pack, 5);
    pack_pair_int(pack, "id", death->end->id);
    pack_pair_text(pack, "kind", death->kind);
    pack_pair_text(pack, "queue", death->queue);
    pack_pair_int(pack, "attempts", death->end->fence);
    pack_text(pack, "error");
    pack_map(pack, 2);
    pack_pair_text(pack, "code", death->end->error_code);
    pack_pair_text(pack, "detail", death->end->error_text);
}

db_status_t jobs_store_tell_death(db_conn_t *conn, const job_death_t *death)
{
    static const char kind[] = JOBS_NEWS_QUEUE ".publish";
    job_receipt_t receipt;
    buf_t payload = { 0 };
    pack_t pack;
    pack_init(&pack, &payload);
    s_pack_event(&pack, death);
    const job_new_t job = { .kind = kind,
                            .queue = JOBS_NEWS_QUEUE,
                            .priority = JOBS_PRIORITY,
                            .max_attempts = ATTEMPTS,
                            .timeout_ms = TIMEOUT_MS,
                            .backoff_ms = BACKOFF_MS,
                            .account = "",
                            .payload = { payload.bytes, payload.size } };
    db_status_t status = jobs_store_enqueue(conn, &job, 1, &receipt);
    buf_free(&payload);
    return status;
}
