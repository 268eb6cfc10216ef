/* SPDX-License-Identifier: MPL-2.0
 *
 * enqueue - hands work over to the jobs service, which does it at least once
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/runtime/enqueue.h"
#include "proto/jobs.h"

#define ASK_MS 10000

static size_t s_pack_number(pack_t *pack, const char *key, int64_t number)
{
    if (number)
        pack_pair_int(pack, key, number);
    return number != 0;
}

static void s_pack(pack_t *pack, const enqueue_t *job)
{
    size_t position = pack_open_map(pack), pairs = 3;
    pack_pair_text(pack, "kind", job->kind);
    pack_pair_text(pack, "unique_key", job->unique_key);
    pairs += s_pack_number(pack, "max_attempts", job->max_attempts);
    pairs += s_pack_number(pack, "backoff_ms", job->backoff_ms);
    pairs += s_pack_number(pack, "timeout_ms", job->timeout_ms);
    pack_text(pack, "payload");
    if (job->payload) {
        pack_raw(pack, job->payload->bytes, job->payload->size);
    } else {
        pack_map(pack, 1);
        pack_pair_text(pack, job->field, job->id);
    }
    pack_close(pack, position, pairs);
}

static void s_pack_names(pack_t *pack, const char *key,
                         const char names[][PRINCIPAL_NAME_BYTES + 1], size_t count)
{
    pack_text(pack, key);
    pack_array(pack, count);
    for (size_t i = 0; i < count; i++)
        pack_text(pack, names[i]);
}

void enqueue_pack_as(pack_t *pack, const principal_t *who)
{
    pack_text(pack, "as");
    pack_map(pack, 5);
    pack_pair_text(pack, "account", who->account);
    pack_pair_text(pack, "user", who->user);
    pack_pair_text(pack, "tier", who->tier);
    s_pack_names(pack, "roles", who->roles, who->role_count);
    s_pack_names(pack, "scopes", who->scopes, who->scope_count);
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
