/* SPDX-License-Identifier: MPL-2.0
 *
 * verdict - what a failed run means for its job
 */
#include "config.h"

#include "actors/jobs/verdict.h"
#include "actors/runtime/breaker.h"

bool verdict_is_absence(error_code_t code)
{
    return code == ERROR_NO_SERVICE || code == ERROR_NO_INSTANCE || code == ERROR_NO_BROKER ||
           code == ERROR_QUEUE_FULL || code == ERROR_OVERLOADED;
}

static bool s_may_pass(error_code_t code)
{
    return error_row(code)->retry || code == ERROR_INTERNAL || code == ERROR_BAD_REPLY;
}

static int64_t s_pause(const verdict_run_t *run, int64_t attempt)
{
    return breaker_backoff((uint32_t)attempt, (uint32_t)run->backoff_ms, VERDICT_MOST_MS,
                           run->random);
}

job_end_t verdict(const verdict_run_t *run, const failure_t *failure)
{
    const error_code_t code = failure->code;
    job_end_t end = { .id = run->id,
                      .fence = run->fence,
                      .how = SETTLE_AGAIN,
                      .error_code = error_row(code)->symbol,
                      .error_text =
                          failure->detail[0] ? failure->detail : error_row(code)->sentence };
    if (run->is_leaving && code == ERROR_CANCELLED) {
        end.how = SETTLE_BACK;
        end.error_code = end.error_text = NULL;
    } else if (verdict_is_absence(code)) {
        end.how = SETTLE_BACK;
        end.delay_ms = breaker_backoff(1, VERDICT_ABSENT_MS, VERDICT_ABSENT_MS, run->random);
    } else if (code == ERROR_WORKER_LOST) {
        end.crashes = 1;
        end.delay_ms = run->crashes ? s_pause(run, run->crashes) : 0;
        if (run->crashes + 1 >= VERDICT_CRASHES_MAX)
            end.how = SETTLE_DEAD;
    } else {
        end.tries = 1;
        end.delay_ms = s_pause(run, run->tries + 1);
        if (!s_may_pass(code) || run->tries + 1 >= run->max_attempts)
            end.how = SETTLE_DEAD;
    }
    if (failure->retry_after_ms && end.delay_ms)
        end.delay_ms =
            failure->retry_after_ms < VERDICT_MOST_MS ? failure->retry_after_ms : VERDICT_MOST_MS;
    return end;
}
