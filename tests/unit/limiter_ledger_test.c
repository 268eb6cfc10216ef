/* SPDX-License-Identifier: MPL-2.0
 *
 * The limiter's tables: policies and their version, usage and its epochs, and the plans of the
 * statements that could read many rows.
 */
#include "config.h"

#include "actors/limiter/ledger.h"
#include "tests/kit/database.h"

#define NOW     INT64_C(1800000000000)
#define FILL_MS 60000

typedef struct {
    place_t place;
    ledger_t ledger;
} stage_t;

static void s_open(stage_t *stage)
{
    *stage = (stage_t){ 0 };
    place_make(&stage->place);
    stage->place.settings.statement_ms = FILL_MS;
    stage->ledger.db = place_open(&stage->place, limiter_migrations, DB_MIGRATE_APPLY);
    if (!stage->ledger.db)
        note("%s", stage->place.why);
    insist(stage->ledger.db);
}

static void s_close(stage_t *stage)
{
    place_end(&stage->place, &stage->ledger.db);
}

/* ---- policies -------------------------------------------------------------------------------- */

static const policy_rule_t *s_rule(const ledger_policies_t *policies, const char *name)
{
    for (size_t i = 0; i < policies->count; i++)
        if (strcmp(policies->rules[i].name, name) == 0)
            return &policies->rules[i];
    return NULL;
}

static void test_policies(void)
{
    static ledger_policies_t policies;
    static const policy_rule_t even = {
        .name = "even", .algorithm = POLICY_GCRA, .limit = 60, .burst = 3, .window_ms = 60000
    };
    stage_t stage;
    bool is_full, was_there;
    s_open(&stage);
    is_int(ledger_read_policies(stage.ledger.db, &policies), DB_OK);
    is_int(policies.version, 2);
    is_int(s_rule(&policies, "free")->limit, 20);
    is_int(s_rule(&policies, "address")->window_ms, 900000);
    size_t count = policies.count;
    is_int(ledger_set_policy(stage.ledger.db, &even, &is_full), DB_OK);
    ok(!is_full);
    is_int(ledger_delete_policy(stage.ledger.db, "free", &was_there), DB_OK);
    ok(was_there);
    is_int(ledger_delete_policy(stage.ledger.db, "free", &was_there), DB_OK);
    ok(!was_there);
    is_int(ledger_read_policies(stage.ledger.db, &policies), DB_OK);
    is_int(policies.count, count);
    ok(policies.version > 2);
    ok(!s_rule(&policies, "free"));
    is_int(s_rule(&policies, "even")->burst, 3);
    is_int(s_rule(&policies, "even")->algorithm, POLICY_GCRA);
    s_close(&stage);
}

/* There is a most of policies; one that is there can be changed all the same. */
static void test_policies_are_bounded(void)
{
    policy_rule_t rule = { .limit = 1, .window_ms = 1 };
    stage_t stage;
    bool is_full = false;
    size_t added = 0;
    s_open(&stage);
    while (!is_full && added <= LEDGER_POLICIES_MAX) {
        snprintf(rule.name, sizeof rule.name, "p%zu", added);
        insist(ledger_set_policy(stage.ledger.db, &rule, &is_full) == DB_OK);
        added += !is_full;
    }
    ok(is_full);
    is_text(rule.name, "p239"); /* 17 are there from the start */
    memcpy(rule.name, "p0", sizeof "p0");
    is_int(ledger_set_policy(stage.ledger.db, &rule, &is_full), DB_OK);
    ok(!is_full);
    s_close(&stage);
}

/* ---- usage ----------------------------------------------------------------------------------- */

/* What was read, in one text: "subject epoch state;". */
static void s_collect(void *arg, const ledger_usage_t *usage)
{
    buf_printf(arg, "%s %u %.*s;", usage->subject, usage->epoch, (int)usage->size,
               (const char *)usage->state);
}

static const char *s_read(const stage_t *stage, buf_t *text)
{
    static const char *const all[] = { "a", "b\"\\ \xc3\xa9", "nobody" };
    text->size = 0;
    is_int(ledger_read_usage(&stage->ledger, all, COUNT_OF(all), NOW, s_collect, text), DB_OK);
    return buf_text(text);
}

static void s_write(const stage_t *stage, const char *subject, uint32_t epoch, int64_t expires_ms,
                    const char *state)
{
    const ledger_usage_t usage = { .subject = subject,
                                   .epoch = epoch,
                                   .expires_ms = expires_ms,
                                   .state = (const uint8_t *)state,
                                   .size = strlen(state) };
    is_int(ledger_write_usage(&stage->ledger, &usage, 1, NOW), DB_OK);
}

static void test_usage(void)
{
    stage_t stage;
    buf_t text = { 0 };
    int64_t deleted;
    s_open(&stage);
    is_text(s_read(&stage, &text), "");
    s_write(&stage, "a", 1, NOW + 1000, "one");
    is_text(s_read(&stage, &text), "a 1 one;");
    s_write(&stage, "a", 1, NOW + 1000, "two");
    is_text(s_read(&stage, &text), "a 1 two;");
    s_write(&stage, "a", 3, NOW + 1000, "later");
    s_write(&stage, "a", 2, NOW + 1000, "sooner"); /* an owner that has been deposed */
    is_text(s_read(&stage, &text), "a 3 later;");
    s_write(&stage, "a", 3, NOW, "over"); /* what has expired is not read */
    is_text(s_read(&stage, &text), "");
    s_write(&stage, "b\"\\ \xc3\xa9", 1, NOW + 1, "odd");
    is_text(s_read(&stage, &text), "b\"\\ \xc3\xa9 1 odd;");
    is_int(ledger_purge_usage(&stage.ledger, NOW, 100, &deleted), DB_OK);
    is_int(deleted, 1);
    is_text(s_read(&stage, &text), "b\"\\ \xc3\xa9 1 odd;");
    buf_free(&text);
    s_close(&stage);
}

/* ---- plans ----------------------------------------------------------------------------------- */

static const db_sql_t s_fill = {
    "test.fill",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    " INSERT INTO usage (subject, epoch, expires_at, state)"
    " SELECT 'account:' || i, 1, 1800000000000 + i, x'90' FROM n",
    "INSERT INTO usage (subject, epoch, expires_at, state)"
    " SELECT 'account:' || i, 1, 1800000000000 + i, decode('90', 'hex')"
    " FROM generate_series(1, 100000) AS i"
};

static db_param_t s_value(const char *name)
{
    if (strcmp(name, "subjects") == 0)
        return DB_P_TEXT("subjects", "[\"account:7\",\"account:77\"]");
    return strcmp(name, "now") == 0 ? DB_P_INT("now", NOW) : DB_P_INT("most", 100);
}

/* Every line that names the table reads it by an index. */
static bool s_is_good(const char *line)
{
    return !strstr(line, "Seq Scan on usage") && !strstr(line, "SCAN usage");
}

static void s_explain(stage_t *stage, const db_sql_t *sql)
{
    static db_sql_t explain[4]; /* an address is the key of a prepared statement */
    static size_t used;
    db_sql_t *mine = &explain[used++];
    db_rows_t *rows;
    const char *text = ON_POSTGRES && sql->postgres ? sql->postgres : sql->sqlite;
    bool has_subjects = strstr(text, "$subjects");
    int lines = 0;
    *mine = (db_sql_t){ sql->name,
                        mem_format("EXPLAIN %s%s", ON_POSTGRES ? "" : "QUERY PLAN ", text), NULL };
    const db_param_t params[] = { s_value("now"), s_value(has_subjects ? "subjects" : "most") };
    insist(db_run(db_conn(stage->ledger.db), mine, params, COUNT_OF(params), &rows) == DB_OK);
    for (; db_next(rows); lines++) {
        const char *line = db_text(rows, ON_POSTGRES ? "QUERY PLAN" : "detail");
        if (!ok(s_is_good(line)))
            note("%s: %s", sql->name, line);
    }
    ok(lines > 0);
    db_rows_close(&rows);
}

static void test_plans(void)
{
    static const db_sql_t analyze = { "test.analyze", "ANALYZE", NULL };
    stage_t stage;
    s_open(&stage);
    is_int(db_write_one(stage.ledger.db, &s_fill, NULL, 0, NULL), DB_OK);
    is_int(db_write_one(stage.ledger.db, &analyze, NULL, 0, NULL), DB_OK);
    for (const db_sql_t *const *sql = ledger_list_statements; *sql; sql++)
        s_explain(&stage, *sql);
    s_close(&stage);
}

DATABASE_TESTS({ "policies", test_policies }, { "policies_are_bounded", test_policies_are_bounded },
               { "usage", test_usage }, { "plans", test_plans })
