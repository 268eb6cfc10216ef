/* SPDX-License-Identifier: MPL-2.0
 *
 * store_add - new analyses
 *
 * PostgreSQL gets all that are stored together as one statement with common table expressions: a
 * round trip and a commit cost more than the work, and so does beginning a statement, which reads
 * every constraint of the table anew. SQLite, whose statements cost no round trip, gets them one by
 * one.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "actors/analysis/store.h"
#include "proto/json.h"

/* ---- one ------------------------------------------------------------------------------------- */

#define WORKFLOW_COLUMNS "workflow (id, account, kind, name, created_at, updated_at)"
#define WORKFLOW_KNOWN                                                                             \
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at"
#define INSERT_WORKFLOW                                                                            \
    "INSERT INTO " WORKFLOW_COLUMNS                                                                \
    " VALUES ($workflow_id, $account, $kind, $name, $created_at, $created_at)" WORKFLOW_KNOWN

#define ANALYSIS_COLUMNS                                                                           \
    "analysis (id, account, key, workflow_id, kind, profile, name, tier, created_at, score,"       \
    " grade, nodes, wires, critical, error, warning, info, occurs, result_size, result,"           \
    " sketch_size, sketch)"
#define ANALYSIS_KNOWN " ON CONFLICT (account, key) DO NOTHING"
#define INSERT_ANALYSIS                                                                            \
    "INSERT INTO " ANALYSIS_COLUMNS                                                                \
    " VALUES ($id, $account, $key, $workflow_id, $kind, $profile, $name, $tier, $created_at,"      \
    " $score, $grade, $nodes, $wires, $critical, $error, $warning, $info, $occurs, $result_size,"  \
    " $result, $sketch_size, $sketch)" ANALYSIS_KNOWN

#define OCCURRENCE_COLUMNS "occurrence (account, what, created_at, analysis_id)"

/* One row when the analysis is new, none when it was there. */
static const db_sql_t s_add_at_once = {
    "analysis.add", NULL,
    "WITH w AS (" INSERT_WORKFLOW "), a AS (" INSERT_ANALYSIS " RETURNING id), o AS ("
    "INSERT INTO " OCCURRENCE_COLUMNS " SELECT $account, what.value, $created_at, a.id"
    " FROM a, json_array_elements_text(CAST($occurs AS json)) AS what)"
    " SELECT id FROM a"
};

static const db_sql_t s_add_workflow = { "analysis.add_workflow", INSERT_WORKFLOW, NULL };
static const db_sql_t s_add_analysis = { "analysis.add_analysis", INSERT_ANALYSIS, NULL };
#define OCCURRENCES                                                                                \
    "INSERT INTO " OCCURRENCE_COLUMNS " SELECT $account, what.value, $created_at, $id FROM "
static const db_sql_t s_add_occurrences = { "analysis.add_occurrences",
                                            OCCURRENCES "json_each($occurs) AS what", NULL };

enum { ADD_PARAMS = 22 };

static void s_add_params(const new_analysis_t *analysis, db_param_t params[ADD_PARAMS])
{
    const stored_t *stored = &analysis->stored;
    const brief_t *brief = &stored->brief;
    const db_param_t all[] = {
        DB_P_TEXT("id", brief->id),
        DB_P_TEXT("account", analysis->account),
        DB_P_BLOB("key", analysis->key, ANALYSIS_KEY_BYTES),
        DB_P_TEXT("workflow_id", brief->workflow_id),
        DB_P_TEXT("kind", brief->kind),
        DB_P_TEXT("profile", brief->profile),
        DB_P_TEXT("name", brief->name),
        DB_P_TEXT("tier", analysis->tier),
        DB_P_INT("created_at", brief->created_ms),
        DB_P_INT("score", brief->score),
        DB_P_TEXT("grade", brief->grade),
        DB_P_INT("nodes", brief->nodes),
        DB_P_INT("wires", brief->wires),
        DB_P_INT("critical", brief->by_severity[SEVERITY_CRITICAL]),
        DB_P_INT("error", brief->by_severity[SEVERITY_ERROR]),
        DB_P_INT("warning", brief->by_severity[SEVERITY_WARNING]),
        DB_P_INT("info", brief->by_severity[SEVERITY_INFO]),
        DB_P_TEXT("occurs", analysis->occurs),
        DB_P_INT("result_size", (int64_t)stored->result.full),
        DB_P_BLOB("result", stored->result.bytes, stored->result.size),
        DB_P_INT("sketch_size", (int64_t)stored->sketch.full),
        DB_P_BLOB("sketch", stored->sketch.bytes, stored->sketch.size),
    };
    _Static_assert(COUNT_OF(all) == ADD_PARAMS, "one for each column");
    memcpy(params, all, sizeof all);
}

/* The workflow goes first, because the analysis refers to it. */
static db_status_t s_add_each(db_conn_t *conn, new_analysis_t *analysis)
{
    const brief_t *brief = &analysis->stored.brief;
    db_param_t params[ADD_PARAMS];
    db_rows_t *rows;
    analysis->is_added = false;
    s_add_params(analysis, params);
    db_status_t status =
        DB_RUN(conn, &s_add_workflow, NULL, DB_P_TEXT("workflow_id", brief->workflow_id),
               DB_P_TEXT("account", analysis->account), DB_P_TEXT("kind", brief->kind),
               DB_P_TEXT("name", brief->name), DB_P_INT("created_at", brief->created_ms));
    if (status == DB_OK)
        status = db_run(conn, &s_add_analysis, params, ADD_PARAMS, &rows);
    if (status != DB_OK)
        return status;
    analysis->is_added = db_changed(rows) == 1;
    db_rows_close(&rows);
    if (!analysis->is_added)
        return DB_OK;
    status = DB_RUN(conn, &s_add_occurrences, NULL, DB_P_TEXT("account", analysis->account),
                    DB_P_INT("created_at", brief->created_ms), DB_P_TEXT("id", brief->id),
                    DB_P_TEXT("occurs", analysis->occurs));
    for (size_t i = 0; status == DB_OK && i < analysis->event_count; i++)
        status = outbox_add(conn, &analysis->events[i]);
    return status;
}

/* ---- several --------------------------------------------------------------------------------- */

/* Those that are stored in one transaction. */
typedef struct {
    new_analysis_t *const *list;
    size_t count;
} adding_t;

static db_status_t s_add_work(db_conn_t *conn, void *arg)
{
    const adding_t *self = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < self->count; i++)
        status = s_add_each(conn, self->list[i]);
    return status;
}

/* What is not text stands in `$bytes`, one behind the other; `at` is where an analysis's begins:
 * key, result, sketch. Rows are locked in one order, so that instances which store the same at the
 * same time wait for each other instead of for ever. */
static const db_sql_t s_add_all = {
    "analysis.add_all", NULL,
    "WITH given AS MATERIALIZED (SELECT r.*, substring(b FROM at FOR 32) AS key,"
    " substring(b FROM at + 32 FOR result_bytes) AS result,"
    " substring(b FROM at + 32 + result_bytes FOR sketch_bytes) AS sketch"
    " FROM (SELECT CAST($bytes AS BYTEA) AS b) AS bytes,"
    " json_to_recordset(CAST(CAST($list AS TEXT) AS json)) AS r (n INTEGER, id TEXT, account TEXT,"
    " workflow_id TEXT, kind TEXT, profile TEXT, name TEXT, tier TEXT, created_at BIGINT,"
    " score BIGINT, grade TEXT, nodes BIGINT, wires BIGINT, critical BIGINT, error BIGINT,"
    " warning BIGINT, info BIGINT, occurs JSON, events JSON, at INTEGER, result_full BIGINT,"
    " result_bytes INTEGER, sketch_full BIGINT, sketch_bytes INTEGER)),"
    " w AS (INSERT INTO " WORKFLOW_COLUMNS " SELECT DISTINCT ON (workflow_id COLLATE \"C\")"
    " workflow_id, account, kind, name, created_at, created_at FROM given"
    " ORDER BY workflow_id COLLATE \"C\", created_at DESC" WORKFLOW_KNOWN "),"
    " a AS (INSERT INTO " ANALYSIS_COLUMNS " SELECT id, account, key, workflow_id, kind, profile,"
    " name, tier, created_at, score, grade, nodes, wires, critical, error, warning, info,"
    " CAST(occurs AS TEXT), result_full, result, sketch_full, sketch"
    " FROM given ORDER BY key" ANALYSIS_KNOWN " RETURNING id),"
    " o AS (INSERT INTO " OCCURRENCE_COLUMNS " SELECT account, what.value, created_at, id"
    " FROM given JOIN a USING (id), json_array_elements_text(occurs) AS what),"
    " e AS (INSERT INTO outbox (id, account, type, at, data)"
    " SELECT e.id, account, e.type, e.at, e.data FROM given JOIN a USING (id),"
    " json_to_recordset(events) AS e (id TEXT, type TEXT, at BIGINT, data TEXT)"
    " ON CONFLICT (id) DO NOTHING)"
    " SELECT given.n AS n FROM given JOIN a USING (id)"
};

static void s_write_text(buf_t *json, const char *name, const char *text)
{
    if (!text)
        return; /* a member that is missing is NULL */
    buf_add_byte(json, ',');
    json_add_text(json, name, strlen(name));
    buf_add_byte(json, ':');
    json_add_text(json, text, strlen(text));
}

static void s_write_int(buf_t *json, const char *name, int64_t value)
{
    buf_add_byte(json, ',');
    json_add_text(json, name, strlen(name));
    buf_add_byte(json, ':');
    buf_add_int(json, value);
}

static void s_write_numbers(buf_t *json, const new_analysis_t *analysis, size_t at)
{
    const stored_t *stored = &analysis->stored;
    const brief_t *brief = &stored->brief;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        { "created_at", brief->created_ms },
        { "score", brief->score },
        { "nodes", brief->nodes },
        { "wires", brief->wires },
        { "critical", brief->by_severity[SEVERITY_CRITICAL] },
        { "error", brief->by_severity[SEVERITY_ERROR] },
        { "warning", brief->by_severity[SEVERITY_WARNING] },
        { "info", brief->by_severity[SEVERITY_INFO] },
        { "at", (int64_t)at },
        { "result_full", (int64_t)stored->result.full },
        { "result_bytes", (int64_t)stored->result.size },
        { "sketch_full", (int64_t)stored->sketch.full },
        { "sketch_bytes", (int64_t)stored->sketch.size },
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        s_write_int(json, numbers[i].name, numbers[i].value);
}

/* Without any the member is missing. */
static void s_write_events(buf_t *json, const new_analysis_t *analysis)
{
    for (size_t i = 0; i < analysis->event_count; i++) {
        const outbox_event_t *event = &analysis->events[i];
        buf_printf(json, "%s{\"at\":%" PRId64, i ? "," : ",\"events\":[", event->at_ms);
        s_write_text(json, "id", event->id);
        s_write_text(json, "type", event->type);
        s_write_text(json, "data", event->data);
        buf_add_byte(json, '}');
    }
    if (analysis->event_count)
        buf_add_byte(json, ']');
}

static void s_write(buf_t *json, buf_t *bytes, const new_analysis_t *analysis, size_t n)
{
    const stored_t *stored = &analysis->stored;
    const brief_t *brief = &stored->brief;
    buf_add_text(json, json->size ? ",{\"occurs\":" : "[{\"occurs\":");
    buf_add_text(json, analysis->occurs);
    s_write_text(json, "id", brief->id);
    s_write_text(json, "account", analysis->account);
    s_write_text(json, "workflow_id", brief->workflow_id);
    s_write_text(json, "kind", brief->kind);
    s_write_text(json, "profile", brief->profile);
    s_write_text(json, "name", brief->name);
    s_write_text(json, "tier", analysis->tier);
    s_write_text(json, "grade", brief->grade);
    s_write_int(json, "n", (int64_t)n);
    s_write_numbers(json, analysis, bytes->size + 1);
    s_write_events(json, analysis);
    buf_add_byte(json, '}');
    buf_add(bytes, analysis->key, ANALYSIS_KEY_BYTES);
    buf_add(bytes, stored->result.bytes, stored->result.size);
    buf_add(bytes, stored->sketch.bytes, stored->sketch.size);
}

typedef struct {
    const adding_t *adding;
    buf_t json, bytes;
} packed_t;

static db_status_t s_add_packed(db_conn_t *conn, void *arg)
{
    packed_t *self = arg;
    const adding_t *adding = self->adding;
    db_rows_t *rows;
    for (size_t i = 0; i < adding->count; i++)
        adding->list[i]->is_added = false;
    db_status_t status =
        DB_RUN(conn, &s_add_all, &rows, DB_P_BLOB("bytes", self->bytes.bytes, self->bytes.size),
               DB_P_SIZED("list", (const char *)self->json.bytes, self->json.size));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        adding->list[db_int(rows, "n")]->is_added = true;
    return db_rows_end(rows);
}

static db_status_t s_add_all_at_once(db_t *db, const adding_t *adding)
{
    packed_t packed = { .adding = adding };
    for (size_t i = 0; i < adding->count; i++)
        s_write(&packed.json, &packed.bytes, adding->list[i], i);
    buf_add_byte(&packed.json, ']');
    db_status_t status = db_write(db, s_add_packed, &packed);
    buf_free(&packed.json);
    buf_free(&packed.bytes);
    return status;
}

static db_status_t s_add_one_at_once(db_t *db, new_analysis_t *analysis)
{
    db_param_t params[ADD_PARAMS];
    int64_t added = 0;
    s_add_params(analysis, params);
    db_status_t status = db_write_one(db, &s_add_at_once, params, ADD_PARAMS, &added);
    analysis->is_added = added == 1;
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

static db_status_t s_add(db_t *db, adding_t *self)
{
    if (db_is_sqlite(db))
        return db_write(db, s_add_work, self);
    if (self->count == 1 && self->list[0]->event_count == 0)
        return s_add_one_at_once(db, self->list[0]);
    return s_add_all_at_once(db, self);
}

/* What cannot be stored for a reason of its own must not take the others along. */
void store_add(db_t *db, new_analysis_t *const *list, size_t count)
{
    adding_t all = { .list = list, .count = count };
    db_status_t status = s_add(db, &all);
    const bool is_one_of_several = status == DB_CONSTRAINT && count > 1;
    for (size_t i = 0; i < count; i++) {
        adding_t one = { .list = &list[i], .count = 1 };
        list[i]->status = is_one_of_several ? s_add(db, &one) : status;
    }
}
