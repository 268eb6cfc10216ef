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

#define IDEMPOTENCY_FIELD                                                                          \
    {                                                                                              \
        "idempotency_key", FIELD_STRING, .min = 1, .max = JOBS_KEY_BYTES,                          \
                                         .about = "For a day the same request with the same key "  \
                                                  "gets the same answer and enqueues nothing"      \
    }
#define JOBS_AS_FIELD                                                                              \
    {                                                                                              \
        "as", FIELD_OBJECT, .fields = jobs_principal_fields,                                       \
                            .about = "In whose name it is run; the service's own when left out"    \
    }

#define FENCE_FIELD                                                                                \
    {                                                                                              \
        "fence", FIELD_INTEGER, .required = true, .min = 1, .max = 2147483647,                     \
                                .about = "Which run of it"                                         \
    }

#define PAYLOAD_FIELD                                                                              \
    {                                                                                              \
        "payload", FIELD_OBJECT, .open = true, .preset = "{}",                                     \
                                 .example = "{\"workflow\":{\"nodes\":[],\"edges\":[]}}",          \
                                 .about = "The request that the method is called with"             \
    }

#define QUOTED(text)   #text
#define NUMBER(number) QUOTED(number)

/* How eagerly a job is run, and how often it is tried. */
#define TRYING_FIELDS                                                                              \
    { "priority",                                                                                  \
      FIELD_INTEGER,                                                                               \
      .preset = NUMBER(JOBS_PRIORITY),                                                             \
      .min = 0,                                                                                    \
      .max = JOBS_PRIORITIES - 1,                                                                  \
      .about = "0 goes first, 9 last" },                                                           \
        { "max_attempts", FIELD_INTEGER, .preset = NUMBER(JOBS_MAX_ATTEMPTS),                      \
          .min = 1,       .max = 100,    .about = "After so many failures it is dead" },           \
        { "backoff_ms",                                                                            \
          FIELD_INTEGER,                                                                           \
          .preset = NUMBER(JOBS_BACKOFF_MS),                                                       \
          .min = 1,                                                                                \
          .max = 86400000,                                                                         \
          .about = "Pause after the first failure; doubles with each, up to a day, up to half of " \
                   "it taken off at random" },                                                     \
    {                                                                                              \
        "timeout_ms", FIELD_INTEGER, .preset = NUMBER(JOBS_TIMEOUT_MS), .min = 10,                 \
                                     .max = JOBS_TIMEOUT_MAX,                                      \
                                     .about = "A run that takes longer has failed"                 \
    }

extern const field_t jobs_id_request[];
extern const field_t jobs_job_request[];    /* a job that is to be enqueued */
extern const field_t jobs_receipt_fields[]; /* a job that was enqueued */
extern const field_t jobs_principal_fields[];
extern const field_t jobs_job_fields[]; /* a job in full */
extern const field_t jobs_list_reply[]; /* a page of them */
extern const error_code_t jobs_enqueue_errors[];
extern const error_code_t jobs_missing[];
extern const error_code_t jobs_stale[]; /* PRECONDITION_FAILED: not the present run */

#endif
