/* SPDX-License-Identifier: MPL-2.0
 *
 * store_lists - the lists of the history, a page at a time
 *
 * A list is read along an index that has the order of the list, so that a page costs its length. Of
 * the conditions the most selective one that has an index leads, the others are checked on the way.
 * Each leading condition is a statement of its own: an index cannot be chosen at run time.
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/store.h"

#define CONDITIONS                                                                                 \
    " AND ($kind = '' OR a.kind = $kind) AND ($profile = '' OR a.profile = $profile)"              \
    " AND ($grade = '' OR a.grade = $grade) AND ($workflow = '' OR a.workflow_id = $workflow)"     \
    " AND a.score BETWEEN $min AND $max AND a.occurs LIKE $rule AND a.occurs LIKE $severity"
#define WINDOW                                                                                     \
    " AND (a.created_at, a.id) < ($at, $id) AND a.created_at >= $since"                            \
    " ORDER BY a.created_at DESC, a.id DESC LIMIT $limit"
#define LIST_BY(condition)                                                                         \
    "SELECT " STORE_BRIEF " FROM analysis a WHERE " condition CONDITIONS WINDOW

static const db_sql_t s_list_recent = { "analysis.list", LIST_BY("a.account = $account"), NULL };
static const db_sql_t s_list_by_kind = { "analysis.list_by_kind",
                                         LIST_BY("a.account = $account AND a.kind = $kind"), NULL };
static const db_sql_t s_list_by_grade = { "analysis.list_by_grade",
                                          LIST_BY("a.account = $account AND a.grade = $grade"),
                                          NULL };
/* A workflow belongs to one account with all its versions. Asked once of the workflow instead of of
 * each version, the condition does not mislead PostgreSQL into expecting few rows and sorting all.
 */
static const db_sql_t s_list_by_workflow = {
    "analysis.list_by_workflow",
    LIST_BY("a.workflow_id = $workflow AND EXISTS"
            " (SELECT 1 FROM workflow w WHERE w.id = $workflow AND w.account = $account)"),
    NULL
};
static const db_sql_t s_list_by_occurrence = {
    "analysis.list_by_occurrence",
    "SELECT " STORE_BRIEF " FROM occurrence o JOIN analysis a ON a.id = o.analysis_id"
    " WHERE o.account = $account AND o.what = $what" CONDITIONS
    " AND (o.created_at, o.analysis_id) < ($at, $id) AND o.created_at >= $since"
    " ORDER BY o.created_at DESC, o.analysis_id DESC LIMIT $limit",
    NULL
};

const store_filter_t store_any = {
    .kind = "",
    .profile = "",
    .grade = "",
    .workflow_id = "",
    .rule = "",
    .severity = "",
    .max_score = 100,
    .from = CURSOR_START,
};

/* What is looked for in `occurs`, a JSON array of names: "%" finds all, and suffices for what leads
 * the list already. */
static const char *s_pattern(arena_t *arena, const char *what, const char *leading)
{
    return what[0] && what != leading ? arena_format(arena, "%%\"%s\"%%", what) : "%";
}

static db_status_t s_read_briefs(db_rows_t *rows, arena_t *arena, size_t limit, briefs_t *briefs)
{
    brief_t *list = arena_array(arena, limit, sizeof *list);
    size_t count = 0;
    while (db_next(rows))
        list[count++] = store_read_brief(rows, arena);
    *briefs = (briefs_t){ .list = list, .count = count };
    return db_rows_end(rows);
}

/* A rule is rarer than a severity, and either rarer than a grade or a kind. */
static const db_sql_t *s_choose(const store_filter_t *filter, const char **what)
{
    *what = filter->rule[0] ? filter->rule : filter->severity;
    if (filter->workflow_id[0])
        return &s_list_by_workflow;
    if ((*what)[0])
        return &s_list_by_occurrence;
    if (filter->grade[0])
        return &s_list_by_grade;
    return filter->kind[0] ? &s_list_by_kind : &s_list_recent;
}

db_status_t store_list(db_t *db, arena_t *arena, const char *account, const store_filter_t *filter,
                       briefs_t *briefs)
{
    const char *what;
    const db_sql_t *sql = s_choose(filter, &what);
    const bool is_by_what = sql == &s_list_by_occurrence;
    const char *leading = is_by_what ? what : NULL;
    const db_param_t params[] = {
        DB_P_TEXT("account", account),
        DB_P_TEXT("kind", filter->kind),
        DB_P_TEXT("profile", filter->profile),
        DB_P_TEXT("grade", filter->grade),
        DB_P_TEXT("workflow", filter->workflow_id),
        DB_P_INT("min", filter->min_score),
        DB_P_INT("max", filter->max_score),
        DB_P_TEXT("rule", s_pattern(arena, filter->rule, leading)),
        DB_P_TEXT("severity", s_pattern(arena, filter->severity, leading)),
        DB_P_INT("at", filter->from.at_ms),
        DB_P_TEXT("id", filter->from.id),
        DB_P_INT("since", filter->since_ms),
        DB_P_INT("limit", (int64_t)filter->limit),
        DB_P_TEXT("what", what),
    };
    db_conn_t *conn = db_conn(db);
    db_rows_t *rows;
    *briefs = (briefs_t){ 0 };
    if (!conn)
        return DB_UNAVAILABLE;
    size_t count = COUNT_OF(params) - !is_by_what; /* only that one has $what */
    db_status_t status = db_run(conn, sql, params, count, &rows);
    return status == DB_OK ? s_read_briefs(rows, arena, filter->limit, briefs) : status;
}

/* ---- workflows ------------------------------------------------------------------------------- */

#define WORKFLOW                                                                                   \
    "w.id AS wid, w.kind AS wkind, w.name AS wname, w.created_at AS wcreated, w.updated_at AS "    \
    "wupdated"

/* The newest analysis of each by its index; there is none after the retention has taken it while
 * the workflow itself was being analysed again. */
static const db_sql_t s_list_workflows = {
    "analysis.list_workflows",
    "SELECT " WORKFLOW ", " STORE_BRIEF
    " FROM workflow w LEFT JOIN analysis a ON a.id = (SELECT n.id FROM analysis n"
    " WHERE n.workflow_id = w.id ORDER BY n.created_at DESC, n.id DESC LIMIT 1)"
    " WHERE w.account = $account AND (w.updated_at, w.id) < ($at, $id)"
    " ORDER BY w.updated_at DESC, w.id DESC LIMIT $limit",
    NULL
};

static const db_sql_t s_get_workflow = {
    "analysis.get_workflow",
    "SELECT " WORKFLOW " FROM workflow w WHERE w.id = $id AND w.account = $account", NULL
};

static workflow_t s_read_workflow(const db_rows_t *rows, arena_t *arena)
{
    return (workflow_t){
        .id = db_dup_text(rows, arena, "wid"),
        .kind = db_dup_text(rows, arena, "wkind"),
        .name = db_dup_text(rows, arena, "wname"),
        .created_ms = db_int(rows, "wcreated"),
        .updated_ms = db_int(rows, "wupdated"),
    };
}

db_status_t store_workflows(db_t *db, arena_t *arena, const char *account, const cursor_t *from,
                            size_t limit, workflows_t *workflows)
{
    db_conn_t *conn = db_conn(db);
    db_rows_t *rows;
    *workflows = (workflows_t){ 0 };
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status = DB_RUN(conn, &s_list_workflows, &rows, DB_P_TEXT("account", account),
                                DB_P_INT("at", from->at_ms), DB_P_TEXT("id", from->id),
                                DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    workflow_t *list = arena_array(arena, limit, sizeof *list);
    for (; db_next(rows); workflows->count++) {
        list[workflows->count] = s_read_workflow(rows, arena);
        if (db_is_null(rows, "id"))
            continue;
        brief_t *latest = arena_alloc(arena, sizeof *latest);
        *latest = store_read_brief(rows, arena);
        list[workflows->count].latest = latest;
    }
    workflows->list = list;
    return db_rows_end(rows);
}

db_status_t store_workflow(db_t *db, arena_t *arena, const char *account, const char *id,
                           const workflow_t **found)
{
    db_conn_t *conn = db_conn(db);
    db_rows_t *rows;
    *found = NULL;
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status =
        DB_RUN(conn, &s_get_workflow, &rows, DB_P_TEXT("id", id), DB_P_TEXT("account", account));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        workflow_t *workflow = arena_alloc(arena, sizeof *workflow);
        *workflow = s_read_workflow(rows, arena);
        *found = workflow;
    }
    return db_rows_end(rows);
}

const db_sql_t *const store_list_statements[] = { &s_list_recent,        &s_list_by_kind,
                                                  &s_list_by_grade,      &s_list_by_workflow,
                                                  &s_list_by_occurrence, &s_list_workflows,
                                                  &s_get_workflow,       NULL };
