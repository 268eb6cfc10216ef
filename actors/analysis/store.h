/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the history of accounts: workflows and their analyses
 *
 * The only SQL of the actor (store*.c). Every function takes the
 * account and touches nothing of another one. What is not there is no failure: the result says so.
 */
#ifndef SIGNALBOX_ANALYSIS_STORE_H
#define SIGNALBOX_ANALYSIS_STORE_H

#include "actors/analysis/analysis.h"
#include "actors/analysis/sketch.h"
#include "actors/analysis/squeeze.h"
#include "actors/runtime/cursor.h"
#include "actors/runtime/db.h"
#include "actors/runtime/outbox.h"

extern const db_migration_t analysis_migrations[];

/* Most of what is stored, unpacked: the largest result and the largest sketch are smaller. */
#define STORE_RESULT_BYTES (32 * 1024 * 1024)

/* The lists that cursors belong to. */
typedef enum {
    CURSOR_ANALYSES = 1,
    CURSOR_WORKFLOWS = 2,
} cursor_list_t;

/* An analysis without what was found in detail. Texts are in the arena that was given. */
typedef struct {
    const char *id, *workflow_id;
    const char *name; /* of the workflow; NULL: nothing says */
    const char *kind, *profile, *grade;
    int64_t created_ms;
    int64_t score, nodes, wires;
    int64_t by_severity[SEVERITY_COUNT];
} brief_t;

typedef struct {
    brief_t brief;
    squeezed_t result; /* the map of result_write */
    squeezed_t sketch;
    int64_t pinned_ms; /* when it became the baseline of its workflow; 0: it is none */
} stored_t;

/* A new one: what is above and what decides where it belongs. */
typedef struct {
    stored_t stored;
    const char *account;
    const uint8_t *key;           /* ANALYSIS_KEY_BYTES: one analysis of an account for each */
    const char *tier;             /* whose retention applies: anonymous, free, pro, enterprise */
    const char *occurs;           /* JSON array of the rules and severities of the issues */
    const outbox_event_t *events; /* that tell of it */
    size_t event_count;
    /* what became of it */
    db_status_t status;
    bool is_added; /* if not, nothing of it is stored: the account had that key already */
} new_analysis_t;

/* Stores them, their workflows and their events, in one transaction; on PostgreSQL in one round
 * trip. Says of each what became of it (store_add.c). */
void store_add(db_t *db, new_analysis_t *const *list, size_t count);

/* By key, or by id. `*found` is NULL when the account has none; the sketch, and whether it is
 * pinned, are read by id only. */
db_status_t store_find(db_t *db, arena_t *arena, const char *account, const uint8_t *key,
                       const stored_t **found) MUST_CHECK;
db_status_t store_get(db_t *db, arena_t *arena, const char *account, const char *id,
                      const stored_t **found) MUST_CHECK;

/* Deletes an analysis, and its workflow with the last one; a baseline is not deleted. */
db_status_t store_delete(db_t *db, const char *account, const char *id, bool *deleted) MUST_CHECK;

/* Deletes what was stored for `tier` before `before_ms`, at most `most` analyses; `*seen` is how
 * many it looked at, so that fewer than `most` means that all is done. An account's tier is the one
 * of its newest analysis: what is older but was stored under another is moved to that one instead,
 * so that nobody loses a history by paying for it. Baselines are passed over. */
db_status_t store_purge(db_t *db, const char *tier, int64_t before_ms, int64_t most, size_t *seen,
                        size_t *deleted) MUST_CHECK;

/* Deletes what there is of an account that was erased, at most `most` rows of a table; `more` tells
 * whether to call again. */
db_status_t store_erase(db_t *db, const char *account, int64_t most, bool *more) MUST_CHECK;

/* ---- submissions (store_submissions.c) ------------------------------------------------------- */

/* A submission that is analysed later. */
typedef struct {
    const char *id;
    const char *analysis_id; /* what became of it; NULL: nothing yet */
    squeezed_t request;      /* until then */
} kept_t;

/* All of them or none. */
db_status_t store_add_submissions(db_t *db, const kept_t *waiting, size_t count,
                                  const char *account, int64_t now_ms) MUST_CHECK;
db_status_t store_get_submission(db_t *db, arena_t *arena, const char *account, const char *id,
                                 const kept_t **found) MUST_CHECK;
db_status_t store_end_submission(db_t *db, const char *id, const char *analysis_id) MUST_CHECK;
db_status_t store_drop_submissions(db_t *db, const kept_t *waiting, size_t count) MUST_CHECK;
db_status_t store_purge_submissions(db_t *db, int64_t before_ms, int64_t most,
                                    int64_t *deleted) MUST_CHECK;

/* ---- lists (store_lists.c) ------------------------------------------------------------------- */

/* Conditions, all of which have to hold; "" is any. */
typedef struct {
    const char *kind, *profile, *grade, *workflow_id, *rule, *severity;
    int64_t min_score, max_score;
    int64_t since_ms;
    cursor_t from; /* what comes behind this */
    size_t limit;
} store_filter_t;

/* No conditions, no limit. */
extern const store_filter_t store_any;

typedef struct {
    const brief_t *list;
    size_t count;
} briefs_t;

/* Analyses, the newest first. */
db_status_t store_list(db_t *db, arena_t *arena, const char *account, const store_filter_t *filter,
                       briefs_t *briefs) MUST_CHECK;

typedef struct {
    const char *id, *kind;
    const char *name; /* NULL: nothing says */
    int64_t created_ms, updated_ms;
    const brief_t *latest; /* NULL: it has none any more */
} workflow_t;

typedef struct {
    const workflow_t *list;
    size_t count;
} workflows_t;

/* Workflows, the last analysed first, behind `from`. */
db_status_t store_workflows(db_t *db, arena_t *arena, const char *account, const cursor_t *from,
                            size_t limit, workflows_t *workflows) MUST_CHECK;

/* One workflow; `*found` is NULL when the account has none of that id. */
db_status_t store_workflow(db_t *db, arena_t *arena, const char *account, const char *id,
                           const workflow_t **found) MUST_CHECK;

/* ---- baselines (store_baseline.c) ------------------------------------------------------------ */

/* Pins an analysis of the workflow as its baseline, in the place of the one there was; the newest
 * when `id` is NULL. `*pinned` is false, and nothing has changed, when there is no such analysis.
 */
db_status_t store_pin(db_t *db, const char *account, const char *workflow_id, const char *id,
                      int64_t now_ms, bool *pinned) MUST_CHECK;
db_status_t store_unpin(db_t *db, const char *account, const char *workflow_id) MUST_CHECK;

/* A version of a workflow that is measured against another one. */
typedef struct {
    const char *account, *workflow_id;
    const char *profile; /* which both have */
    cursor_t at;         /* when it was made; the other one is no newer. CURSOR_START: just now */
} measured_t;

/* The baseline, or else the version before; or the baseline only, of which the profile may be any,
 * "". `*found` is NULL when there is none. */
db_status_t store_get_reference(db_t *db, arena_t *arena, const measured_t *measured,
                                const stored_t **found) MUST_CHECK;
db_status_t store_get_baseline(db_t *db, arena_t *arena, const measured_t *measured,
                               const stored_t **found) MUST_CHECK;

/* ---- for store*.c ---------------------------------------------------------------------------- */

/* Columns of an analysis `a` that make a brief_t. */
#define STORE_BRIEF                                                                                \
    "a.id AS id, a.workflow_id AS workflow_id, a.name AS name, a.kind AS kind, a.profile AS "      \
    "profile, a.grade AS grade, a.created_at AS created_at, a.score AS score, a.nodes AS nodes, "  \
    "a.wires AS wires, a.critical AS critical, a.error AS error, a.warning AS warning, "           \
    "a.info AS info"

/* Those that make a stored_t. */
#define STORE_WHOLE                                                                                \
    STORE_BRIEF ", a.result_size AS result_size, a.result AS result, a.sketch_size AS "            \
                "sketch_size, a.sketch AS sketch, a.pinned_at AS pinned_at"

/* That a row `a` which something else has found is of the account. Written like this it finds
 * nothing itself: on a new database, of which PostgreSQL has not counted the rows yet, any index
 * that begins with the account would look as good to it as the one that leads to the row. */
#define STORE_OF_ACCOUNT "a.account || '' = $account"

/* The present row's. */
brief_t store_read_brief(const db_rows_t *rows, arena_t *arena);

/* The one row of a result, which is closed; `*found` stays as it is when there is none. */
db_status_t store_read_whole(db_rows_t *rows, arena_t *arena, const stored_t **found) MUST_CHECK;

/* What reads lists, and what finds and changes baselines, for the test that asks both databases how
 * they would: end with NULL. */
extern const db_sql_t *const store_list_statements[];
extern const db_sql_t *const store_baseline_statements[];

#endif
