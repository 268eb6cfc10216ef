/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_queues - queues: what waits in them, and how fast they go
 */
#include "config.h"

#include "proto/jobs_fields.h"

#define COUNT_FIELD(field, text)                                                                   \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = WHOLE_MAX, .about = (text)        \
    }
#define PAUSED_FIELD(is)                                                                           \
    {                                                                                              \
        "paused", FIELD_BOOLEAN, is, .about = "Whether nothing is begun"                           \
    }
#define PULLED_FIELD(is)                                                                           \
    {                                                                                              \
        "pulled", FIELD_BOOLEAN, is,                                                               \
            .about = "Whether workers fetch its jobs (`claim`) instead of being called"            \
    }
#define MAX_RUNNING_FIELD(is)                                                                      \
    {                                                                                              \
        "max_running", FIELD_INTEGER, is,                                                          \
            .min = 0, .max = 100000,                                                               \
            .about = "How many of its jobs may run at once, over all instances; 0 is any number"   \
    }
#define RATE_FIELDS(is)                                                                            \
    { "rate_limit",                                                                                \
      FIELD_INTEGER,                                                                               \
      is,                                                                                          \
      .min = 0,                                                                                    \
      .max = 10000,                                                                                \
      .about = "How many of its jobs may be begun in any window, over all instances; 0 is any "    \
               "number" },                                                                         \
    {                                                                                              \
        "rate_window_ms", FIELD_INTEGER, is, .min = 1000, .max = 86400000,                         \
                                             .about = "How long that window is"                    \
    }

static const field_t s_queue[] = {
    { "name", FIELD_STRING, .required = true, .example = "\"webhook\"", .about = "The queue" },
    PAUSED_FIELD(.required = true),
    PULLED_FIELD(.required = true),
    MAX_RUNNING_FIELD(.required = true),
    RATE_FIELDS(.required = true),
    COUNT_FIELD("ready", "Jobs to be begun, counted up to 10,000"),
    COUNT_FIELD("running", "Jobs that run"),
    { 0 },
};

static const field_t s_queues_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_queue, .about = "By name" },
    { 0 },
};

const method_t jobs_queues = {
    .name = "queues",
    .summary = "Lists the queues",
    .reply = s_queues_reply,
    .access = ACCESS_USER,
    .role = "admin",
    .scope = "admin",
    .rate = "read",
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "GET /v1/queues" },
};

static const field_t s_queue_set_request[] = {
    { "name", FIELD_STRING, .required = true, .min = 1, .max = JOBS_QUEUE_BYTES,
      .pattern = NAME_PATTERN, .about = "Which queue; made when it is not there" },
    PAUSED_FIELD(.required = false),
    PULLED_FIELD(.required = false),
    MAX_RUNNING_FIELD(.required = false),
    RATE_FIELDS(.required = false),
    { 0 },
};

const method_t jobs_queue_set = {
    .name = "queue_set",
    .summary = "Changes a queue: pauses it, limits it",
    .about = "What is left out stays. Jobs that run are not stopped.",
    .request = s_queue_set_request,
    .reply = s_queue,
    .access = ACCESS_USER,
    .role = "admin",
    .scope = "admin",
    .rate = "read",
    .sensitive = true,
    .idempotent = true,
    .deadline_ms = 5000,
    .http = { .route = "PATCH /v1/queues/{name}" },
};
