/* SPDX-License-Identifier: MPL-2.0
 *
 * verdict - what a failed run means for its job
 *
 * A run whose instance was lost counts as a crash: the first is made up for at once, the third is
 * the end. What says that nobody was there to run it is nobody's failure. Everything else is judged
 * by its row of the table of errors: what may pass is tried again with growing pauses (or after the
 * time the failure names), the rest is for good. Of those two kinds an internal error is the first:
 * jobs are run at least once, so once more does no harm.
 *
 * Pure: the random number is passed in.
 */
#ifndef SIGNALBOX_JOBS_VERDICT_H
#define SIGNALBOX_JOBS_VERDICT_H

#include "actors/jobs/store.h"
#include "proto/error.h"

#define VERDICT_CRASHES_MAX 3
#define VERDICT_ABSENT_MS   1000     /* until somebody absent is asked again */
#define VERDICT_MOST_MS     86400000 /* the longest pause */

typedef struct {
    int64_t id, fence;
    int64_t tries, crashes, max_attempts, backoff_ms; /* before this run ended */
    bool is_leaving; /* the run was given up because this instance leaves */
    uint64_t random;
} verdict_run_t;

/* The texts of the end are those of the table and of the failure. */
job_end_t verdict(const verdict_run_t *run, const failure_t *failure);

/* Whether it says that the service could not be asked at all. */
bool verdict_is_absence(error_code_t code);

#endif
