/* SPDX-License-Identifier: MPL-2.0
 *
 * job - which run of which job a request is
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "proto/job.h"

const char *job_run_write(const job_run_t *self, char text[JOB_TEXT_SIZE])
{
    snprintf(text, JOB_TEXT_SIZE, "%s/%" PRId64 ".%" PRId64 ".%" PRId64, self->service, self->id,
             self->fence, self->attempt);
    return text;
}

bool job_run_read(job_run_t *self, const char *text, size_t size)
{
    const char *slash = size ? memchr(text, '/', size) : NULL;
    if (!slash || !text_copy(self->service, sizeof self->service, text, (size_t)(slash - text)))
        return false;
    size -= (size_t)(slash - text) + 1;
    text = slash + 1;
    int64_t *numbers[] = { &self->id, &self->fence, &self->attempt };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const char *dot = i + 1 < COUNT_OF(numbers) ? memchr(text, '.', size) : text + size;
        if (!dot || !text_to_i64(text, (size_t)(dot - text), numbers[i]) || *numbers[i] < 1)
            return false;
        size -= (size_t)(dot - text);
        text = dot;
        if (size > 0) {
            text++;
            size--;
        }
    }
    return true;
}
