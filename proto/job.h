/* SPDX-License-Identifier: MPL-2.0
 *
 * job - which run of which job a request is
 *
 * The jobs service writes it into the request, the runtime reads it for the handler. It is no
 * proof: whoever reports of a job is believed because the fence fits, not because of this.
 */
#ifndef SIGNALBOX_PROTO_JOB_H
#define SIGNALBOX_PROTO_JOB_H

#include "actors/base/base.h"

#define JOB_TEXT_SIZE     128
#define JOB_SERVICE_BYTES 64

typedef struct {
    char service[JOB_SERVICE_BYTES + 1]; /* that keeps the job: where its runs are reported */
    int64_t id;
    int64_t fence;   /* number of the run; only the last one's reports count */
    int64_t attempt; /* from 1; a run that was lost with its worker counts as well */
} job_run_t;

/* "jobs/1042.3.1"; returns `text`. */
const char *job_run_write(const job_run_t *self, char text[JOB_TEXT_SIZE]);

/* False when it is none. */
bool job_run_read(job_run_t *self, const char *text, size_t size) MUST_CHECK;

#endif
