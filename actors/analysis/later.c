/* SPDX-License-Identifier: MPL-2.0
 *
 * later - a submission is kept, and a job enqueued that analyses it
 *
 * The job carries the submission's id, since a payload is smaller than a workflow may be. It runs
 * in the name of the caller. The same submission twice is one job while that lives: the key is the
 * content's.
 */
#include "config.h"

#include "actors/analysis/later.h"
#include "actors/base/clock.h"
#include "actors/runtime/enqueue.h"
#include "proto/analysis.h"
#include "proto/jobs.h"

void later_pack_job(pack_t *pack, const char *submission)
{
    pack_pair_text(pack, "kind", "analysis.run");
    pack_text(pack, "payload");
    pack_map(pack, 1);
    pack_pair_text(pack, "submission", submission);
    pack_pair_int(pack, "max_attempts", 3);
    pack_pair_int(pack, "timeout_ms", analysis_run_later.deadline_ms);
}

static void s_pack_job(buf_t *body, const principal_t *who, const char *submission, const char *key)
{
    pack_t pack;
    pack_init(&pack, body);
    pack_map(&pack, 1);
    pack_text(&pack, "jobs");
    pack_array(&pack, 1);
    pack_map(&pack, LATER_PAIRS + (who->account[0] ? 2 : 1));
    later_pack_job(&pack, submission);
    pack_pair_text(&pack, "unique_key", key);
    if (who->account[0])
        enqueue_pack_as(&pack, who);
}

static void s_read_receipt(call_t *call, const answer_t *answer, later_t *result,
                           bool *is_duplicate)
{
    value_verdict_t verdict;
    const value_t *body = value_parse(call_arena(call), answer_bytes(answer), answer_size(answer),
                                      VALUE_LIMITS, &verdict);
    const value_t *receipt = value_item(value_get(body, "items"), 0);
    result->job_id = value_get_int(receipt, "id", 0);
    *is_duplicate = value_get_bool(receipt, "duplicate", false);
}

bool later(call_t *call, const char *account, const buf_t *request, const char *key,
           later_t *result)
{
    answer_t answer;
    char id[ID_UUID_SIZE];
    buf_t body = { 0 };
    const kept_t waiting = { .id = id_uuid7(id),
                             .request = squeeze(call_arena(call), request->bytes, request->size) };
    *result = (later_t){ 0 };
    result->status = store_add_submissions(call_db(call), &waiting, 1, account, clock_wall_ms());
    if (result->status != DB_OK)
        return false;
    s_pack_job(&body, call_principal(call), id, key);
    bool good = call_service(call, jobs_service.name, "enqueue_as", false, &body, &answer);
    bool is_duplicate = false;
    if (good)
        s_read_receipt(call, &answer, result, &is_duplicate);
    else
        result->failure = answer.failure;
    answer_close(&answer);
    buf_free(&body);
    if (is_duplicate) /* the other job has a submission of its own */
        result->status = store_drop_submissions(call_db(call), &waiting, 1);
    return good && result->status == DB_OK;
}
