/* SPDX-License-Identifier: MPL-2.0
 *
 * enqueue - hands work over to the jobs service, which does it at least once
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/runtime/enqueue.h"
#include "proto/jobs.h"

#define ASK_MS 10000

static void s_pack(pack_t *pack, const enqueue_t *job)
{
    pack_map(pack, 6);
    pack_pair_text(pack, "kind", job->kind);
    pack_pair_text(pack, "unique_key", job->unique_key);
    pack_pair_int(pack, "max_attempts", job->max_attempts);
    pack_pair_int(pack, "backoff_ms", job->backoff_ms);
    pack_pair_int(pack, "timeout_ms", job->timeout_ms);
    pack_text(pack, "payload");
    pack_map(pack, 1);
    pack_pair_text(pack, job->field, job->id);
}

error_code_t enqueue_jobs(actor_t *actor, const enqueue_t *jobs, size_t count)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    insist(count > 0 && count <= ENQUEUE_MAX);
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "jobs");
    pack_array(&pack, count);
    for (size_t i = 0; i < count; i++)
        s_pack(&pack, &jobs[i]);
    client_call(actor_client(actor),
                &(client_request_t){ .service = jobs_service.name,
                                     .method = jobs_enqueue_as.name,
                                     .body = &body,
                                     .deadline_ms = ASK_MS },
                &answer);
    const error_code_t code = answer.failure.code;
    if (code != ERROR_NONE && code != ERROR_NO_SERVICE)
        LOG(LOG_WARN, "jobs.not_enqueued", LOG_TEXT("kind", jobs[0].kind), LOG_INT("jobs", count),
            LOG_TEXT("why", answer.failure.detail));
    answer_close(&answer);
    return code;
}
