/* SPDX-License-Identifier: MPL-2.0
 *
 * on_submit - a workflow comes in: now, or out of what was kept for a job
 */
#include "config.h"

#include "actors/analysis/assess.h"

static void s_reply(const assessment_t *self, const brief_t *brief, repeated_t repeated,
                    const uint8_t *result, size_t size)
{
    reply_analysis(call_pack(self->call), brief, repeated, result, size);
    call_reply(self->call, repeated == REPEATED_YES ? 200 : 201);
}

void on_submit(call_t *call, void *self)
{
    assessment_t assessment = { .call = call,
                                .service = self,
                                .reply = s_reply,
                                .patient_until_us = service_patient_until_us() };
    if (!assess_require(&assessment, call_request(call)))
        return;
    if (call_bool(call, "respond_async"))
        assess_later(&assessment);
    else
        assess(&assessment);
}

/* ---- a job ----------------------------------------------------------------------------------- */

/* In brief; the kept submission is needed no more. */
static void s_reply_to_job(const assessment_t *self, const brief_t *brief, repeated_t repeated,
                           const uint8_t *result, size_t size)
{
    (void)repeated;
    (void)result;
    (void)size;
    db_status_t status = store_end_submission(call_db(self->call), self->waiting, brief->id);
    if (status != DB_OK) {
        call_fail_db(self->call, status);
        return;
    }
    reply_brief(call_pack(self->call), brief);
    call_reply(self->call, 0);
}

/* What an earlier run has stored already. */
static void s_answer_ended(call_t *call, const char *analysis_id)
{
    const stored_t *stored;
    db_status_t status =
        store_get(call_db(call), call_arena(call), service_account(call), analysis_id, &stored);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!stored) {
        call_fail(call, ERROR_NOT_FOUND, "The analysis has been deleted");
    } else {
        reply_brief(call_pack(call), &stored->brief);
        call_reply(call, 0);
    }
}

/* NULL: the call has been answered. */
static const value_t *s_require_kept(call_t *call, const kept_t *waiting)
{
    value_verdict_t verdict;
    const uint8_t *bytes = unsqueeze(call_arena(call), &waiting->request, STORE_RESULT_BYTES);
    const value_t *request =
        bytes ? value_parse(call_arena(call), bytes, waiting->request.full, VALUE_LIMITS, &verdict)
              : NULL;
    if (!request)
        call_fail(call, ERROR_INTERNAL, "The kept submission cannot be read");
    return request;
}

void on_run_later(call_t *call, void *self)
{
    const kept_t *waiting;
    assessment_t assessment = { .call = call,
                                .service = self,
                                .reply = s_reply_to_job,
                                .waiting = call_text(call, "submission") };
    db_status_t status = store_get_submission(call_db(call), call_arena(call),
                                              service_account(call), assessment.waiting, &waiting);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!waiting) {
        call_fail(call, ERROR_NOT_FOUND, "The submission is not kept any more");
    } else if (waiting->analysis_id) {
        s_answer_ended(call, waiting->analysis_id);
    } else {
        const value_t *request = s_require_kept(call, waiting);
        if (request && assess_require(&assessment, request))
            assess(&assessment);
    }
}
