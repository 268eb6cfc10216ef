/* SPDX-License-Identifier: MPL-2.0
 *
 * cache - the rows of the service that keeps answers which need not be computed twice
 *
 * Keys and values may be bytes, which JSON has no type for: those rows say "anything", and the
 * handler refuses what is neither bytes nor, for a key, text.
 */
#include "config.h"

#include "proto/cache.h"

#define INTERNAL(ms) .access = ACCESS_INTERNAL, .deadline_ms = (ms)
#define ADMIN(ms)                                                                                  \
    .access = ACCESS_USER, .role = "admin", .scope = "admin", .rate = "read", .deadline_ms = (ms)

#define COUNT_MAX 9007199254740991 /* 2^53 - 1: what every JSON reader holds exactly */

static const error_code_t s_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };

/* ---- fields that several messages have ------------------------------------------------------ */

#define KEY_FIELD                                                                                  \
    {                                                                                              \
        "key", FIELD_ANY, .required = true, .example = "\"acme:prices:today\"",                    \
                          .about = "Name of the value: text or bytes, 1 to 512 bytes"              \
    }
#define LEASE_FIELD(text)                                                                          \
    {                                                                                              \
        "lease", FIELD_INTEGER, .preset = "0", .min = 0, .max = COUNT_MAX, .about = (text)         \
    }
#define COUNT_FIELD(field, text)                                                                   \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = COUNT_MAX, .about = (text)        \
    }
#define RATE_FIELD                                                                                 \
    {                                                                                              \
        "hit_rate", FIELD_NUMBER, .required = true, .min = 0, .max = 1, .example = "0.93",         \
                                  .about = "Share of the gets that were answered with a value"     \
    }
#define INSTANCE_FIELD                                                                             \
    {                                                                                              \
        "instance", FIELD_STRING, .required = true, .example = "\"cache-1f2e3d4c\"",               \
                                  .about = "The instance"                                          \
    }

/* What is kept under a key. */
#define VALUE_FIELDS                                                                               \
    KEY_FIELD, { "value", FIELD_ANY, .required = true, .about = "Bytes, given back as they are" }, \
        { "ttl_s",                                                                                 \
          FIELD_INTEGER,                                                                           \
          .preset = "0",                                                                           \
          .min = 0,                                                                                \
          .max = CACHE_TTL_MAX_S,                                                                  \
          .example = "300",                                                                        \
          .about = "How long it is fresh; 0: as its class says" },                                 \
        { "class", FIELD_STRING, .preset = "\"medium\"", .choices = CACHE_CLASSES,                 \
          .about = "How long it is fresh, by the configuration's classes" },                       \
    {                                                                                              \
        "tags", FIELD_ARRAY, .max = CACHE_TAGS_MAX, .items = FIELD_STRING,                         \
                             .example = "[\"acme:prices\"]",                                       \
                             .about = "What it was made of: invalidating any of them drops it"     \
    }

/* What an invalidation names. */
#define DROP_FIELDS                                                                                \
    { "tags",                                                                                      \
      FIELD_ARRAY,                                                                                 \
      .max = CACHE_DROPS_MAX,                                                                      \
      .items = FIELD_STRING,                                                                       \
      .example = "[\"acme:prices\"]",                                                              \
      .about = "Values with any of these tags" },                                                  \
        { "prefix",                                                                                \
          FIELD_STRING,                                                                            \
          .min = 1,                                                                                \
          .max = CACHE_KEY_BYTES,                                                                  \
          .example = "\"acme:\"",                                                                  \
          .about = "Values whose key begins with this" },                                          \
        { "keys",                                                                                  \
          FIELD_ARRAY,                                                                             \
          .max = CACHE_DROPS_MAX,                                                                  \
          .items = FIELD_STRING,                                                                   \
          .example = "[\"acme:prices:today\"]",                                                    \
          .about = "These keys" },                                                                 \
    {                                                                                              \
        "all", FIELD_BOOLEAN, .preset = "false", .about = "Everything"                             \
    }

/* ---- values --------------------------------------------------------------------------------- */

static const field_t s_get_request[] = {
    KEY_FIELD,
    { "wait_ms", FIELD_INTEGER, .preset = "5000", .min = 0, .max = CACHE_WAIT_MAX_MS,
      .about = "How long to wait for somebody else's computation of the same key" },
    { "lease_ms", FIELD_INTEGER, .preset = "5000", .min = 0, .max = CACHE_LEASE_MAX_MS,
      .about = "How long the caller would need to compute; 0: only look, neither compute nor "
               "wait" },
    { 0 },
};

static const field_t s_get_reply[] = {
    { "state", FIELD_STRING, .required = true, .choices = "hit stale miss",
      .about = "Whether there is a value, and whether it is fresh" },
    { "value", FIELD_ANY, .required = true, .about = "Bytes; null on a miss" },
    COUNT_FIELD("age_ms", "Time since it was stored"),
    COUNT_FIELD("ttl_ms", "Time for which it is fresh yet"),
    { "lease", FIELD_INTEGER, .required = true, .min = 0, .max = COUNT_MAX,
      .about = "Not 0: the caller is the one who computes the value" },
    { 0 },
};

const method_t cache_get = {
    .name = "get",
    .summary = "Looks a value up, or makes the caller the one who computes it",
    .about = "On a miss one caller receives a lease; the others wait until it has set the value, "
             "or, when it releases the lease or lets it run out, the next of them receives one. A "
             "value that is no longer fresh is given out for some time yet while one caller "
             "computes the next.",
    .request = s_get_request,
    .reply = s_get_reply,
    .idempotent = true,
    INTERNAL(CACHE_WAIT_MAX_MS),
};

static const field_t s_set_request[] = {
    VALUE_FIELDS,
    LEASE_FIELD("As received by `get`; 0: the value was computed just now without one"),
    { 0 },
};

static const field_t s_set_reply[] = {
    { "stored", FIELD_BOOLEAN, .required = true, .about = "Whether the value is kept" },
    { "reason", FIELD_STRING, .required = true, .nullable = true,
      .choices = "invalidated no_lease too_large",
      .about = "Why not: invalidated since the lease was given; the lease is not known (any "
               "more); larger than a value may be" },
    { 0 },
};

const method_t cache_set = {
    .name = "set",
    .summary = "Keeps a value and gives it to all who wait for it",
    .request = s_set_request,
    .reply = s_set_reply,
    .idempotent = true,
    INTERNAL(2000),
};

static const field_t s_release_request[] = {
    KEY_FIELD,
    LEASE_FIELD("As received by `get`"),
    { 0 },
};

static const field_t s_release_reply[] = {
    { "released", FIELD_BOOLEAN, .required = true, .about = "Whether the lease was a live one" },
    { 0 },
};

const method_t cache_release = {
    .name = "release",
    .summary = "Gives a lease back: the computation has failed",
    .request = s_release_request,
    .reply = s_release_reply,
    .idempotent = true,
    INTERNAL(2000),
};

static const field_t s_delete_request[] = { KEY_FIELD, { 0 } };

static const field_t s_delete_reply[] = {
    { "deleted", FIELD_BOOLEAN, .required = true, .about = "Whether this instance had it" },
    { 0 },
};

const method_t cache_delete = {
    .name = "delete",
    .summary = "Forgets one key, here at once and everywhere by an event",
    .request = s_delete_request,
    .reply = s_delete_reply,
    .idempotent = true,
    INTERNAL(2000),
};

static const field_t s_warm_entry[] = { VALUE_FIELDS, { 0 } };

static const field_t s_warm_request[] = {
    { "entries", FIELD_ARRAY, .required = true, .min = 1, .max = CACHE_WARM_MAX,
      .fields = s_warm_entry, .about = "Values to keep" },
    { 0 },
};

static const field_t s_warm_reply[] = {
    COUNT_FIELD("stored", "Values kept"),
    COUNT_FIELD("refused", "Values that were too large"),
    { 0 },
};

const method_t cache_warm = {
    .name = "warm",
    .summary = "Keeps many values before anybody asks for them",
    .about = "With several instances and no Redis between them it is sent as a broadcast, since "
             "each key belongs to another one.",
    .request = s_warm_request,
    .reply = s_warm_reply,
    .idempotent = true,
    INTERNAL(5000),
};

/* ---- invalidation --------------------------------------------------------------------------- */

static const field_t s_invalidate_request[] = { DROP_FIELDS, { 0 } };

static const field_t s_dropped[] = {
    INSTANCE_FIELD,
    COUNT_FIELD("dropped", "Values it had and has no more"),
    COUNT_FIELD("voided", "Leases whose values will not be kept"),
    { 0 },
};

static const field_t s_invalidate_reply[] = {
    COUNT_FIELD("instances", "Instances that were told"),
    COUNT_FIELD("answered", "Instances that have answered; the others hear of it by the event"),
    COUNT_FIELD("dropped", "Values dropped from memory, all instances together"),
    { "by_instance", FIELD_ARRAY, .required = true, .fields = s_dropped,
      .about = "What each of them dropped" },
    { "redis", FIELD_STRING, .required = true, .choices = "none done owed",
      .about = "Whether Redis has dropped it: there is none; done; not reachable now, and not read "
               "again before it is done" },
    COUNT_FIELD("redis_dropped", "Keys removed from Redis; values with an invalidated tag are "
                                 "refused when they are read and not counted"),
    { 0 },
};

const method_t cache_invalidate = {
    .name = "invalidate",
    .summary = "Drops cached values by tags, prefix or keys, everywhere",
    .about = "Returns when all instances have answered. What is being computed now, from data as "
             "they were before, will not be kept.",
    .request = s_invalidate_request,
    .reply = s_invalidate_reply,
    .errors = s_unfit,
    .idempotent = true,
    ADMIN(10000),
    .sensitive = true,
    .http = { .route = "POST /v1/admin/cache/invalidate" },
};

static const field_t s_drop_request[] = {
    DROP_FIELDS,
    COUNT_FIELD("id", "Of the invalidation: its event names the same"),
    COUNT_FIELD("epoch", "Of the invalidation in Redis; 0 when it is not done there"),
    { "is_owed", FIELD_BOOLEAN, .required = true,
      .about = "Whether Redis could not be told, so that each instance has to" },
    { 0 },
};

const method_t cache_drop = {
    .name = "drop",
    .summary = "One instance's part of an invalidation",
    .request = s_drop_request,
    .reply = s_dropped,
    .idempotent = true,
    INTERNAL(5000),
};

/* ---- numbers -------------------------------------------------------------------------------- */

#define REPORT_FIELDS                                                                              \
    COUNT_FIELD("entries", "Values in memory"), COUNT_FIELD("bytes", "Memory they take"),          \
        COUNT_FIELD("bytes_max", "Memory they may take"),                                          \
        COUNT_FIELD("gets", "Look-ups answered"),                                                  \
        COUNT_FIELD("hits", "Fresh values out of memory"),                                         \
        COUNT_FIELD("redis_hits", "Fresh values out of Redis"),                                    \
        COUNT_FIELD("stale_hits", "Values given out while the next one is computed"),              \
        COUNT_FIELD("joined", "Look-ups that waited for another caller's computation"),            \
        COUNT_FIELD("misses", "Look-ups answered without a value"),                                \
        COUNT_FIELD("sets", "Values kept"),                                                        \
        COUNT_FIELD("discarded", "Values not kept: invalidated, no lease, too large"),             \
        COUNT_FIELD("evicted", "Values that had to make room"),                                    \
        COUNT_FIELD("expired", "Values whose time was over"),                                      \
        COUNT_FIELD("invalidated", "Values dropped by invalidations and deletions"),               \
        COUNT_FIELD("leases", "Computations under way"),                                           \
        COUNT_FIELD("waiting", "Callers who wait for them"), RATE_FIELD

static const field_t s_report_reply[] = {
    INSTANCE_FIELD,
    { "redis", FIELD_STRING, .required = true, .choices = "none up away",
      .about = "The second level: not configured, in use, or not reachable" },
    { "degraded", FIELD_BOOLEAN, .required = true,
      .about = "Whether the instance carries on alone because Redis is away" },
    REPORT_FIELDS,
    { 0 },
};

const method_t cache_report = {
    .name = "report",
    .summary = "The numbers of one instance",
    .reply = s_report_reply,
    .idempotent = true,
    INTERNAL(2000),
};

static const field_t s_stats_reply[] = {
    { "degraded", FIELD_BOOLEAN, .required = true,
      .about = "Whether any instance carries on alone because Redis is away" },
    { "total", FIELD_OBJECT, .required = true, .fields = (const field_t[]){ REPORT_FIELDS, { 0 } },
      .about = "All instances together" },
    { "instances", FIELD_ARRAY, .required = true, .fields = s_report_reply,
      .about = "Each of them" },
    { 0 },
};

const method_t cache_stats = {
    .name = "stats",
    .summary = "How well the cache does, all instances together and each",
    .reply = s_stats_reply,
    .idempotent = true,
    ADMIN(5000),
    .http = { .route = "GET /v1/admin/cache/stats" },
};

/* ---- the service ---------------------------------------------------------------------------- */

const service_t cache_service = {
    .name = "cache",
    .version = "1.0.0",
    .about = "Keeps answers that need not be computed twice, in memory and, when there is one, in "
             "Redis; lets one caller compute what many ask for at once",
    .methods = (const method_t *const[]){ &cache_get, &cache_set, &cache_release, &cache_delete,
                                          &cache_warm, &cache_invalidate, &cache_drop, &cache_stats,
                                          &cache_report, NULL },
};
