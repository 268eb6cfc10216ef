/* SPDX-License-Identifier: MPL-2.0
 *
 * store_families - jobs that wait for others: parents and children
 *
 * A parent is enqueued together with its children and is blocked until each of them has ended, by
 * success, death or cancelling. Then it is run, unless it needs all of them and one has failed:
 * then whoever begins it lets it die instead. A child that is replayed while its parent still waits
 * is waited for again.
 *
 * The number of children that are left stands in the parent's row and is counted down in the
 * transaction that ends a child; of two that end at once the second waits for the first, so that
 * one of them sees 0.
 */
#ifndef SIGNALBOX_JOBS_STORE_FAMILIES_H
#define SIGNALBOX_JOBS_STORE_FAMILIES_H

#include "actors/jobs/store.h"

extern const db_sql_t *const jobs_store_families_lookups[]; /* as in store.h */

/* Adds a parent and its children, all of them new or none: a parent whose unique key is taken is
 * told as a duplicate, and nothing is added. Children whose own is taken are not waited for.
 * `receipts` has room for 1 + `count`; the parent's comes first. */
db_status_t jobs_store_add_family(db_conn_t *conn, const job_new_t *parent, bool needs_children,
                                  job_new_t *children, size_t count,
                                  job_receipt_t *receipts) MUST_CHECK;

/* Children that ended in one transaction, by parent. */
typedef struct {
    buf_t json;
    size_t count;
} job_families_t;

void jobs_store_add_ended(job_families_t *self, int64_t parent_id, bool has_failed);

/* Counts them down, and tells of their parents. Those that wait for nobody any more become due, or
 * are added to `orders`. Frees the list. */
db_status_t jobs_store_end_children(db_conn_t *conn, arena_t *arena, job_families_t *families,
                                    job_orders_t *orders, job_parents_t *parents) MUST_CHECK;

/* How far a parent is, in percent and in words. */
#define JOBS_FAMILY_NOTE_SIZE 80
int64_t jobs_store_family_progress(int64_t children, int64_t pending,
                                   char note[JOBS_FAMILY_NOTE_SIZE]);

/* The opposite, for dead jobs that have been replayed: `ids` is a JSON array. */
db_status_t jobs_store_revive_children(db_conn_t *conn, const char *ids) MUST_CHECK;

/* A child as its parent sees it. */
typedef struct {
    int64_t id;
    job_state_t state;
    const char *kind, *error_code; /* NULL: none */
    job_bytes_t result;
} job_child_t;

typedef struct {
    job_child_t *list;
    size_t count;
} job_children_t;

/* Those of an account's job (NULL: of any) behind `after` (an id), in the order of enqueuing. */
db_status_t jobs_store_children(db_conn_t *conn, arena_t *arena, int64_t parent_id,
                                const char *account, int64_t after, size_t limit,
                                job_children_t *children) MUST_CHECK;

#endif
