/* SPDX-License-Identifier: MPL-2.0
 *
 * ledger - the database: policies, and what subjects have used lately
 *
 * Many rows are written with one statement on PostgreSQL, where every statement is a round trip,
 * and one by one on SQLite, where none is.
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/limiter/ledger.h"
#include "proto/json.h"

/* ---- policies -------------------------------------------------------------------------------- */

/* One row for the version, even when there is no policy. */
static const db_sql_t s_policies = {
    "limiter.policies",
    "SELECT s.version AS version, p.name AS name, p.algorithm AS algorithm, p.amount AS amount,"
    " p.window_ms AS window_ms, p.burst AS burst"
    " FROM policy_set s LEFT JOIN policy p ON s.id = 1 ORDER BY p.name LIMIT $most",
    NULL
};

static void s_read_policy(const db_rows_t *rows, ledger_policies_t *policies)
{
    policies->version = db_int(rows, "version");
    if (db_is_null(rows, "name"))
        return;
    policy_rule_t *rule = &policies->rules[policies->count++];
    const char *name = db_text(rows, "name");
    *rule = (policy_rule_t){ .limit = (uint32_t)db_int(rows, "amount"),
                             .burst = (uint32_t)db_int(rows, "burst"),
                             .window_ms = db_int(rows, "window_ms") };
    text_copy(rule->name, sizeof rule->name, name, strlen(name));
    insist(policy_algorithm_parse(db_text(rows, "algorithm"), &rule->algorithm));
}

db_status_t ledger_read_policies(db_t *db, ledger_policies_t *policies)
{
    db_rows_t *rows;
    db_conn_t *conn = db_conn(db);
    policies->count = 0;
    if (!conn)
        return DB_UNAVAILABLE;
    db_status_t status = DB_RUN(conn, &s_policies, &rows, DB_P_INT("most", LEDGER_POLICIES_MAX));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        s_read_policy(rows, policies);
    return db_rows_end(rows);
}

static const db_sql_t s_step = { "limiter.policies_step",
                                 "UPDATE policy_set SET version = version + 1 WHERE id = 1", NULL };

static const db_sql_t s_set_policy = {
    "limiter.policy_set",
    "INSERT INTO policy (name, algorithm, amount, window_ms, burst)"
    " SELECT $name, $algorithm, $amount, $window_ms, $burst"
    " WHERE (SELECT count(*) FROM policy WHERE name <> $name) < $most"
    " ON CONFLICT (name) DO UPDATE SET algorithm = excluded.algorithm, amount = excluded.amount,"
    " window_ms = excluded.window_ms, burst = excluded.burst",
    "INSERT INTO policy (name, algorithm, amount, window_ms, burst)"
    " SELECT CAST($name AS TEXT), CAST($algorithm AS TEXT), CAST($amount AS BIGINT),"
    " CAST($window_ms AS BIGINT), CAST($burst AS BIGINT)"
    " WHERE (SELECT count(*) FROM policy WHERE name <> $name) < $most"
    " ON CONFLICT (name) DO UPDATE SET algorithm = excluded.algorithm, amount = excluded.amount,"
    " window_ms = excluded.window_ms, burst = excluded.burst"
};

static const db_sql_t s_delete_policy = { "limiter.policy_delete",
                                          "DELETE FROM policy WHERE name = $name", NULL };

typedef struct {
    const policy_rule_t *rule; /* NULL: it is deleted */
    const char *name;
    bool has_changed;
} changing_t;

/* The version goes first: on PostgreSQL its row makes changes wait for each other. */
static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    changing_t *self = arg;
    const policy_rule_t *rule = self->rule;
    db_rows_t *rows;
    self->has_changed = false;
    db_status_t status = db_run(conn, &s_step, NULL, 0, NULL);
    if (status != DB_OK)
        return status;
    if (rule)
        status = DB_RUN(conn, &s_set_policy, &rows, DB_P_TEXT("name", rule->name),
                        DB_P_TEXT("algorithm", policy_algorithm_name(rule->algorithm)),
                        DB_P_INT("amount", rule->limit), DB_P_INT("window_ms", rule->window_ms),
                        DB_P_INT("burst", rule->burst), DB_P_INT("most", LEDGER_POLICIES_MAX));
    else
        status = DB_RUN(conn, &s_delete_policy, &rows, DB_P_TEXT("name", self->name));
    if (status != DB_OK)
        return status;
    self->has_changed = db_changed(rows) > 0;
    db_rows_close(&rows);
    return DB_OK;
}

db_status_t ledger_set_policy(db_t *db, const policy_rule_t *rule, bool *is_full)
{
    changing_t changing = { .rule = rule };
    db_status_t status = db_write(db, s_change_work, &changing);
    *is_full = !changing.has_changed;
    return status;
}

db_status_t ledger_delete_policy(db_t *db, const char *name, bool *was_there)
{
    changing_t changing = { .name = name };
    db_status_t status = db_write(db, s_change_work, &changing);
    *was_there = changing.has_changed;
    return status;
}

/* ---- writing what is used -------------------------------------------------------------------- */

#define UPSERT                                                                                     \
    " ON CONFLICT (subject) DO UPDATE SET epoch = excluded.epoch,"                                 \
    " expires_at = excluded.expires_at, state = excluded.state"                                    \
    " WHERE usage.epoch <= excluded.epoch"

static const db_sql_t s_write_one = { "limiter.usage_write",
                                      "INSERT INTO usage (subject, epoch, expires_at, state)"
                                      " VALUES ($subject, $epoch, $expires_at, $state)" UPSERT,
                                      NULL };

/* In the order of the names, so that instances that write the same ones do not lock each other out.
 */
static const db_sql_t s_write_all = { "limiter.usage_write_all", NULL,
                                      "INSERT INTO usage (subject, epoch, expires_at, state)"
                                      " SELECT u.s, u.e, u.x, decode(u.b, 'hex')"
                                      " FROM json_to_recordset(CAST(CAST($list AS TEXT) AS json)) "
                                      "AS u(s TEXT, e BIGINT, x BIGINT, b TEXT)"
                                      " ORDER BY u.s COLLATE \"C\"" UPSERT };

typedef struct {
    const ledger_usage_t *list;
    size_t count;
} writing_t;

static db_status_t s_write_work(db_conn_t *conn, void *arg)
{
    const writing_t *self = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < self->count; i++) {
        const ledger_usage_t *usage = &self->list[i];
        status = DB_RUN(conn, &s_write_one, NULL, DB_P_TEXT("subject", usage->subject),
                        DB_P_INT("epoch", usage->epoch), DB_P_INT("expires_at", usage->expires_ms),
                        DB_P_BLOB("state", usage->state, usage->size));
    }
    return status;
}

static void s_add_json(buf_t *json, const ledger_usage_t *usage)
{
    buf_add_text(json, json->size ? ",{\"s\":" : "[{\"s\":");
    json_add_text(json, usage->subject, strlen(usage->subject));
    buf_printf(json, ",\"e\":%u,\"x\":%lld,\"b\":\"", usage->epoch, (long long)usage->expires_ms);
    id_hex(usage->state, usage->size, (char *)buf_reserve(json, 2 * usage->size + 1));
    json->size += 2 * usage->size;
    buf_add_text(json, "\"}");
}

static db_status_t s_write_at_once(db_t *db, const ledger_usage_t *list, size_t count)
{
    buf_t json = { 0 };
    for (size_t i = 0; i < count; i++)
        s_add_json(&json, &list[i]);
    buf_add_text(&json, "]");
    db_status_t status = DB_WRITE_ONE(db, &s_write_all, NULL,
                                      DB_P_SIZED("list", (const char *)json.bytes, json.size));
    buf_free(&json);
    return status;
}

db_status_t ledger_write_usage(const ledger_t *self, const ledger_usage_t *list, size_t count,
                               int64_t now_ms)
{
    if (count == 0)
        return DB_OK;
    if (self->redis)
        return ledger_write_redis(self->redis, list, count, now_ms);
    if (db_is_sqlite(self->db))
        return db_write(self->db, s_write_work, &(writing_t){ .list = list, .count = count });
    return s_write_at_once(self->db, list, count);
}

/* ---- reading it ------------------------------------------------------------------------------ */

static const db_sql_t s_read = {
    "limiter.usage_read",
    "SELECT subject, epoch, expires_at, state FROM usage"
    " WHERE subject IN (SELECT value FROM json_each($subjects)) AND expires_at > $now",
    "SELECT subject, epoch, expires_at, state FROM usage"
    " WHERE subject IN (SELECT json_array_elements_text(CAST(CAST($subjects AS TEXT) AS json)))"
    " AND expires_at > $now"
};

static db_status_t s_read_rows(db_conn_t *conn, const char *subjects, int64_t now_ms,
                               ledger_each_t each, void *arg)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_read, &rows, DB_P_TEXT("subjects", subjects), DB_P_INT("now", now_ms));
    if (status != DB_OK)
        return status;
    while (db_next(rows)) {
        ledger_usage_t usage = { .subject = db_text(rows, "subject"),
                                 .epoch = (uint32_t)db_int(rows, "epoch"),
                                 .expires_ms = db_int(rows, "expires_at") };
        usage.state = db_blob(rows, "state", &usage.size);
        each(arg, &usage);
    }
    return db_rows_end(rows);
}

db_status_t ledger_read_usage(const ledger_t *self, const char *const *subjects, size_t count,
                              int64_t now_ms, ledger_each_t each, void *arg)
{
    buf_t json = { 0 };
    if (self->redis)
        return ledger_read_redis(self->redis, subjects, count, each, arg);
    db_conn_t *conn = db_conn(self->db);
    if (!conn)
        return DB_UNAVAILABLE;
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&json, i ? "," : "[");
        json_add_text(&json, subjects[i], strlen(subjects[i]));
    }
    buf_add_text(&json, "]");
    db_status_t status = s_read_rows(conn, buf_text(&json), now_ms, each, arg);
    buf_free(&json);
    return status;
}

static const db_sql_t s_purge = { "limiter.usage_purge",
                                  "DELETE FROM usage WHERE subject IN (SELECT subject FROM usage"
                                  " WHERE expires_at <= $now ORDER BY expires_at LIMIT $most)"
                                  " AND expires_at <= $now",
                                  NULL };

db_status_t ledger_purge_usage(const ledger_t *self, int64_t now_ms, int64_t most, int64_t *deleted)
{
    *deleted = 0;
    if (self->redis)
        return DB_OK; /* it forgets by itself */
    return DB_WRITE_ONE(self->db, &s_purge, deleted, DB_P_INT("now", now_ms),
                        DB_P_INT("most", most));
}

const db_sql_t *const ledger_list_statements[] = { &s_read, &s_purge, NULL };
