/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the only SQL of the actor: monitors, and what they have found
 *
 * Every function works on a connection, so that several make one transaction (`db_write`) and the
 * same ones read outside of it. What is not there is no failure: the result is NULL, or `changed`
 * is false. Texts of results are in the arena. Times are milliseconds of the wall clock.
 */
#ifndef SIGNALBOX_MONITOR_STORE_H
#define SIGNALBOX_MONITOR_STORE_H

#include "actors/jobs/monitor/anomaly.h"
#include "actors/jobs/monitor/check.h"
#include "actors/runtime/cursor.h"
#include "actors/runtime/db.h"

extern const db_migration_t monitor_migrations[];

/* The statements that look for something, for the test that looks at their plans; each of the files
 * has a list that ends with NULL. */
extern const db_sql_t *const monitor_store_monitor_lookups[];
extern const db_sql_t *const monitor_store_look_lookups[];
extern const db_sql_t *const monitor_store_erase_lookups[];

/* The lists that cursors belong to. */
typedef enum { MONITOR_LIST_MONITORS = 1, MONITOR_LIST_LOOKS = 2 } monitor_list_t;

/* ---- monitors (store_monitors.c) ------------------------------------------------------------- */

typedef struct {
    const char *id, *account, *name, *url, *method, *status;
    const char *expect; /* JSON */
    int64_t timeout_ms, redirects, interval_ms, confirmations, failures;
    int64_t since_ms, next_ms, created_ms, updated_ms;
    bool is_paused;
} monitored_t;

typedef struct {
    const monitored_t *list;
    size_t count;
} monitoreds_t;

db_status_t monitor_store_add(db_conn_t *conn, const monitored_t *monitor) MUST_CHECK;
/* `account` NULL: anybody's. */
db_status_t monitor_store_get(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                              const monitored_t **found) MUST_CHECK;
/* `status` "" is any. */
db_status_t monitor_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                               const char *status, const cursor_t *from, size_t limit,
                               monitoreds_t *monitors) MUST_CHECK;
/* How many there are; nobody else makes one for the account until the transaction ends. */
db_status_t monitor_store_count(db_conn_t *conn, const char *account, int64_t *count) MUST_CHECK;
/* Stores name, interval, confirmations, expect and whether it is paused; it is due at once. */
db_status_t monitor_store_update(db_conn_t *conn, const monitored_t *monitor) MUST_CHECK;
db_status_t monitor_store_delete(db_conn_t *conn, const char *account, const char *id,
                                 bool *changed) MUST_CHECK;

#define MONITOR_DUE_MAX 100 /* that are taken at once */

typedef struct {
    char ids[MONITOR_DUE_MAX][ID_UUID_SIZE];
    size_t count;
} due_t;

/* Takes those that are due, each of them once over all instances: it is due again at the next
 * multiple of its interval, whatever was missed. */
db_status_t monitor_store_take_due(db_conn_t *conn, int64_t now_ms, due_t *due) MUST_CHECK;

/* After the clock was put back: those that would not be looked at for longer than their interval
 * are due now. Reads all monitors; `count` is how many that were. */
#define MONITOR_CLOCK_MARGIN_MS 60000 /* by which clocks of instances may differ */
db_status_t monitor_store_pull_back(db_conn_t *conn, int64_t now_ms, int64_t *count) MUST_CHECK;

/* ---- looks, changes, events (store_looks.c) ---------------------------------------------- */

typedef struct {
    const char *id;
    int64_t at_ms;
    check_result_t result;
} look_t;

typedef struct {
    const look_t *list;
    size_t count;
} looks_t;

typedef struct {
    int up; /* 1, 0, or -1 for both */
    int64_t since_ms;
    cursor_t from;
    size_t limit;
} look_filter_t;

db_status_t monitor_store_add_look(db_conn_t *conn, const char *monitor_id,
                                   const look_t *look) MUST_CHECK;
db_status_t monitor_store_looks(db_conn_t *conn, arena_t *arena, const char *monitor_id,
                                const look_filter_t *filter, looks_t *looks) MUST_CHECK;
/* How many looks there were since, and how many found it up. */
db_status_t monitor_store_uptime(db_conn_t *conn, const char *monitor_id, int64_t since_ms,
                                 int64_t *count, int64_t *up) MUST_CHECK;

/* Where a look leaves its monitor; `changed` when that is another status than before. */
db_status_t monitor_store_settle(db_conn_t *conn, const monitored_t *monitor, bool changed,
                                 const char *detail) MUST_CHECK;

typedef struct {
    const char *status, *detail; /* detail may be NULL */
    int64_t at_ms;
} change_t;

typedef struct {
    const change_t *list;
    size_t count;
} changes_t;

db_status_t monitor_store_changes(db_conn_t *conn, arena_t *arena, const char *monitor_id,
                                  size_t limit, changes_t *changes) MUST_CHECK;

#define MONITOR_PURGE_MOST 1000 /* rows of a table at once */

/* Deletes looks and changes before `before_ms`; `count` reaches MONITOR_PURGE_MOST when there may
 * be more. */
db_status_t monitor_store_purge(db_conn_t *conn, int64_t before_ms, int64_t *count) MUST_CHECK;

/* ---- erased accounts (store_erase.c) --------------------------------------------------------- */

/* Deletes what there is of an account that was erased, at most `most` rows of a table; `more` tells
 * whether to call again. */
db_status_t monitor_store_erase(db_t *db, const char *account, int64_t most, bool *more) MUST_CHECK;

#endif
