/* SPDX-License-Identifier: MPL-2.0
 *
 * later - a submission is kept, and a job enqueued that analyses it
 */
#ifndef SIGNALBOX_ANALYSIS_LATER_H
#define SIGNALBOX_ANALYSIS_LATER_H

#include "actors/analysis/store.h"
#include "actors/runtime/actor.h"

typedef struct {
    int64_t job_id;
    db_status_t status; /* why there is none: ours, or else */
    failure_t failure;  /* that of the jobs */
} later_t;

/* `request` is a map of workflow, kind, profile and name in msgpack; `key` names its content.
 * False: there is no job, and the result says why. Blocks. */
bool later(call_t *call, const char *account, const buf_t *request, const char *key,
           later_t *result) MUST_CHECK;

/* Packs LATER_PAIRS pairs of a map: a job that analyses a kept submission. */
#define LATER_PAIRS 4
void later_pack_job(pack_t *pack, const char *submission);

#endif
