/* SPDX-License-Identifier: MPL-2.0
 *
 * ledger - the only part with SQL and Redis: policies, and what subjects have used lately
 *
 * What is used is written behind, so the store is up to a flush older than memory. Reading and
 * writing block: on the backing thread only.
 */
#ifndef SIGNALBOX_LIMITER_LEDGER_H
#define SIGNALBOX_LIMITER_LEDGER_H

#include "actors/limiter/policy.h"
#include "actors/runtime/db.h"
#include "actors/runtime/redis.h"

#define LEDGER_POLICIES_MAX 256

extern const db_migration_t limiter_migrations[];

/* ---- policies -------------------------------------------------------------------------------- */

typedef struct {
    int64_t version;
    size_t count;
    policy_rule_t rules[LEDGER_POLICIES_MAX]; /* by name */
} ledger_policies_t;

db_status_t ledger_read_policies(db_t *db, ledger_policies_t *policies) MUST_CHECK;

/* Adds or changes one. `is_full` when there are LEDGER_POLICIES_MAX others already. */
db_status_t ledger_set_policy(db_t *db, const policy_rule_t *rule, bool *is_full) MUST_CHECK;

db_status_t ledger_delete_policy(db_t *db, const char *name, bool *was_there) MUST_CHECK;

/* ---- what is used ---------------------------------------------------------------------------- */

typedef struct {
    const char *subject;
    uint32_t epoch;
    int64_t expires_ms;
    const uint8_t *state; /* engine_pack */
    size_t size;
} ledger_usage_t;

/* Where that is: in Redis when there is one, else in the database. */
typedef struct {
    db_t *db;
    redis_t *redis; /* NULL: none */
} ledger_t;

#define LEDGER_BATCH 500 /* subjects written or read at once, at most */

/* Writes all of them, in one transaction if it is the database, but for those of which a later
 * owner has written. */
db_status_t ledger_write_usage(const ledger_t *self, const ledger_usage_t *list, size_t count,
                               int64_t now_ms) MUST_CHECK;

/* Reads what counts at `now_ms` of these subjects, in any order. What `each` is handed is valid
 * until it returns; it may be called on another thread, before the function returns. */
typedef void (*ledger_each_t)(void *arg, const ledger_usage_t *usage);
db_status_t ledger_read_usage(const ledger_t *self, const char *const *subjects, size_t count,
                              int64_t now_ms, ledger_each_t each, void *arg) MUST_CHECK;

/* Deletes at most `most` of what counts no more; `deleted` says how many there were. */
db_status_t ledger_purge_usage(const ledger_t *self, int64_t now_ms, int64_t most,
                               int64_t *deleted) MUST_CHECK;

/* What reads many rows of the database, for a test of its plans; ends with NULL. */
extern const db_sql_t *const ledger_list_statements[];

/* The same with Redis (ledger_redis.c). */
db_status_t ledger_write_redis(redis_t *redis, const ledger_usage_t *list, size_t count,
                               int64_t now_ms) MUST_CHECK;
db_status_t ledger_read_redis(redis_t *redis, const char *const *subjects, size_t count,
                              ledger_each_t each, void *arg) MUST_CHECK;

#endif
