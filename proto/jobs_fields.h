/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_fields - fields that several messages of the jobs service have; private to proto/jobs*.c
 */
#ifndef SIGNALBOX_PROTO_JOBS_FIELDS_H
#define SIGNALBOX_PROTO_JOBS_FIELDS_H

#include "proto/jobs.h"
#include "proto/page.h"

#define WHOLE_MAX    9007199254740991 /* the largest integer JSON readers agree on */
#define KIND_PATTERN "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+$"
#define NAME_PATTERN "^[A-Za-z0-9._-]+$"
#define YEAR_MS      31536000000

#define ID_FIELD(text)                                                                             \
    {                                                                                              \
        "id", FIELD_INTEGER, .required = true, .min = 1, .max = WHOLE_MAX, .example = "1042",      \
                             .about = (text)                                                       \
    }
#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .format = "date-time",                              \
                             .example = "\"2026-01-31T08:15:00.000Z\"", .about = (text)            \
    }
#define MAYBE_TIME_FIELD(field, text)                                                              \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .nullable = true, .format = "date-time",            \
                             .about = (text)                                                       \
    }
#define KIND_FIELD                                                                                 \
    {                                                                                              \
        "kind", FIELD_STRING, .required = true, .min = 3, .max = JOBS_KIND_BYTES,                  \
                              .pattern = KIND_PATTERN, .example = "\"analysis.submit\"",           \
                              .about = "The method it calls: `service.method`"                     \
    }
/* `is` says whether it is required. */
#define QUEUE_FIELD(is, text)                                                                      \
    {                                                                                              \
        "queue", FIELD_STRING, is, .min = 1, .max = JOBS_QUEUE_BYTES, .pattern = NAME_PATTERN,     \
                                   .example = "\"analysis\"", .about = (text)                      \
    }
#define STATE_FIELD                                                                                \
    {                                                                                              \
        "state", FIELD_STRING, .required = true, .choices = JOBS_STATES, .example = "\"ready\"",   \
                               .about = "`ready` to be begun, `running`, `scheduled` for later, "  \
                                        "`blocked` behind another, or how it ended"                \
    }

#define FENCE_FIELD                                                                                \
    {                                                                                              \
        "fence", FIELD_INTEGER, .required = true, .min = 1, .max = 2147483647,                     \
                                .about = "Which run of it"                                         \
    }

extern const field_t jobs_id_request[];
extern const field_t jobs_job_fields[]; /* a job in full */
extern const field_t jobs_list_reply[]; /* a page of them */
extern const error_code_t jobs_missing[];
extern const error_code_t jobs_stale[]; /* PRECONDITION_FAILED: not the present run */

#endif
