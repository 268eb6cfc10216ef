/* SPDX-License-Identifier: MPL-2.0
 *
 * The tables of monitors: what is kept of an account goes with it, everything has an end, and with
 * 100,000 rows nothing reads a table from end to end.
 */
#include "config.h"

#include "actors/jobs/monitor/store.h"
#include "actors/runtime/outbox.h"
#include "tests/unit/outside_kit.h"

#define DAY INT64_C(86400000)
#define NOW (1000 * DAY)

/* ---- what is there --------------------------------------------------------------------------- */

/* Monitors of an account, each looked at so often, once a day, the last time at `now_ms`; each look
 * changes the status, and is told. */
typedef struct {
    const char *account;
    int first, monitors, looks;
    int64_t now_ms;
} fill_t;

static db_status_t s_fill_monitor(db_conn_t *conn, const fill_t *fill, int number)
{
    char id[64], look_id[64];
    snprintf(id, sizeof id, "0000000a-0000-7000-8000-%012d", number);
    monitored_t monitor = { .id = id,
                            .account = fill->account,
                            .name = "n",
                            .url = "https://a.example/",
                            .method = "GET",
                            .status = "down",
                            .expect = "{}",
                            .interval_ms = 30000,
                            .confirmations = 1,
                            .created_ms = fill->now_ms };
    db_status_t status = monitor_store_add(conn, &monitor);
    for (int i = 0; status == DB_OK && i < fill->looks; i++) {
        snprintf(look_id, sizeof look_id, "0000000b-0000-7000-8000-%08d%04d", number, i);
        monitor.since_ms = fill->now_ms - i * DAY;
        status = monitor_store_add_look(
            conn, id,
            &(look_t){ .id = look_id, .at_ms = monitor.since_ms, .result = { .is_up = true } });
        if (status == DB_OK)
            status = monitor_store_settle(conn, &monitor, true, "because");
        if (status == DB_OK)
            status = outbox_add(conn, &(outbox_event_t){ .id = look_id,
                                                         .account = fill->account,
                                                         .type = "monitor.down",
                                                         .data = "{}",
                                                         .at_ms = monitor.since_ms });
    }
    return status;
}

static db_status_t s_fill_work(db_conn_t *conn, void *arg)
{
    const fill_t *fill = arg;
    db_status_t status = DB_OK;
    for (int i = 0; status == DB_OK && i < fill->monitors; i++)
        status = s_fill_monitor(conn, fill, fill->first + i);
    return status;
}

static void s_fill(outside_t *self, fill_t fill)
{
    is_int(db_write(self->db, s_fill_work, &fill), DB_OK);
}

/* Monitors, looks, changes, events. */
static void s_holds(outside_t *self, const char *account, const int64_t expected[4])
{
    static const char *const of[] = { "monitor WHERE account = '%s'",
                                      "look l JOIN monitor m ON m.id = l.monitor_id WHERE"
                                      " m.account = '%s'",
                                      "change c JOIN monitor m ON m.id = c.monitor_id WHERE"
                                      " m.account = '%s'",
                                      "outbox WHERE account = '%s'" };
    for (size_t i = 0; i < COUNT_OF(of); i++) {
        char text[200];
        snprintf(text, sizeof text, of[i], account);
        is_int(outside_count(self->db, &self->arena, text), expected[i]);
    }
}

/* ---- erased accounts ------------------------------------------------------------------------- */

static void test_erased(void)
{
    outside_t stage;
    bool more = true;
    int rounds = 0;
    outside_open(&stage, monitor_migrations);
    s_fill(&stage, (fill_t){ "acme", 1000, 3, 5, NOW });
    s_fill(&stage, (fill_t){ "other", 2000, 2, 4, NOW });
    s_holds(&stage, "acme", (const int64_t[]){ 3, 15, 15, 15 });
    for (; more && rounds < 100; rounds++)
        is_int(monitor_store_erase(stage.db, "acme", 4, &more), DB_OK);
    ok_named(!more && rounds >= 4, "some at a time");
    s_holds(&stage, "acme", (const int64_t[]){ 0, 0, 0, 0 });
    is_int(outside_count(stage.db, &stage.arena, "look"), 8);
    is_int(outside_count(stage.db, &stage.arena, "change"), 8);
    s_holds(&stage, "other", (const int64_t[]){ 2, 8, 8, 8 });
    outside_close(&stage);
}

/* ---- retention ------------------------------------------------------------------------------- */

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    return monitor_store_purge(conn, NOW - 30 * DAY - 1, arg);
}

static void test_retention(void)
{
    outside_t stage;
    int64_t count = 0;
    outside_open(&stage, monitor_migrations);
    s_fill(&stage, (fill_t){ "acme", 1000, 2, 40, NOW });
    is_int(db_write(stage.db, s_purge_work, &count), DB_OK);
    is_int(count, 2 * 2 * 9);
    s_holds(&stage, "acme", (const int64_t[]){ 2, 62, 62, 80 });
    is_int(db_write(stage.db, s_purge_work, &count), DB_OK);
    is_int(count, 0);
    outside_close(&stage);
}

/* ---- what is due -------------------------------------------------------------------------------
 */

typedef struct {
    int64_t now_ms, count;
    due_t due;
} taking_t;

static db_status_t s_take_work(db_conn_t *conn, void *arg)
{
    taking_t *self = arg;
    return monitor_store_take_due(conn, self->now_ms, &self->due);
}

static db_status_t s_pull_back_work(db_conn_t *conn, void *arg)
{
    taking_t *self = arg;
    return monitor_store_pull_back(conn, self->now_ms, &self->count);
}

static size_t s_take(outside_t *stage, int64_t now_ms)
{
    taking_t taking = { .now_ms = now_ms };
    is_int(db_write(stage->db, s_take_work, &taking), DB_OK);
    return taking.due.count;
}

/* The clock was two hours ahead when monitors were looked at. */
static void test_wrong_clock(void)
{
    outside_t stage;
    taking_t taking = { .now_ms = NOW };
    outside_open(&stage, monitor_migrations);
    s_fill(&stage, (fill_t){ "acme", 1000, 2, 0, NOW });
    is_int(s_take(&stage, NOW), 2);
    is_int(db_write(stage.db, s_pull_back_work, &taking), DB_OK);
    is_int(taking.count, 0);
    is_int(s_take(&stage, NOW + 7200000), 2);
    is_int(s_take(&stage, NOW + 600000), 0);
    taking.now_ms = NOW + 600000;
    is_int(db_write(stage.db, s_pull_back_work, &taking), DB_OK);
    is_int(taking.count, 2);
    is_int(s_take(&stage, NOW + 600000), 2);
    is_int(s_take(&stage, NOW + 600001), 0);
    is_int(s_take(&stage, NOW + 630000), 2);
    outside_close(&stage);
}

/* ---- plans ----------------------------------------------------------------------------------- */

/* 1,000 accounts with 100 monitors each; a hundred of these have 1,000 looks. */
static const db_sql_t s_many[] = {
    FILL("monitor",
         "id, account, name, url, method, timeout_ms, redirects, expect, interval_ms,"
         " confirmations, paused, status, failures, since_at, next_at, created_at, updated_at",
         UUID("a", "n") ", 'account-' || (n % 1000), 'n', 'u', 'GET', 1, 0, '{}', 30000, 1, 0,"
                        " 'up', 0, n, n, n, n"),
    FILL("look",
         "id, monitor_id, at, status, dns_us, connect_us, tls_us, first_byte_us, total_us, size,"
         " redirects, address, certificate_at",
         UUID("b", "n") ", " UUID("a", "n % 100") ", n, 200, 0, 0, 0, 0, 0, 0, 0, '192.0.2.1', 0"),
    FILL("change", "monitor_id, at, status", UUID("a", "n % 100") ", n, 'up'"),
    FILL("outbox", "id, account, type, at, data",
         "'event-' || n, 'account-' || (n % 1000), 't', n, '{}'"),
};

static db_param_t s_value(const char *statement, const char *name)
{
    static const outside_value_t values[] = {
        { "account", "account-7", 0 },
        { "id", "0000000a-0000-7000-8000-000000000007", 0 },
        { "monitor", "0000000a-0000-7000-8000-000000000007", 0 },
        { "status", "up", 0 },
        { "name", "n", 0 },
        { "expect", "{}", 0 },
        { "at", NULL, 50000 },
        { "now", NULL, 500 },
        { "since", NULL, 40000 },
        { "before", NULL, 500 },
        { "up", NULL, -1 },
        { "failures", NULL, 0 },
        { "interval", NULL, 30000 },
        { "confirmations", NULL, 1 },
        { "paused", NULL, 0 },
        { "limit", NULL, 21 },
        { "most", NULL, 500 },
    };
    return outside_value(values, COUNT_OF(values), statement, name);
}

static void test_plans(void)
{
    static const db_sql_t *const *const files[] = { monitor_store_monitor_lookups,
                                                    monitor_store_look_lookups,
                                                    monitor_store_erase_lookups };
    const db_sql_t *lookups[40];
    outside_gather(files, COUNT_OF(files), lookups, COUNT_OF(lookups));
    plans_check(&(plans_t){ .migrations = monitor_migrations,
                            .fill = s_many,
                            .fill_count = COUNT_OF(s_many),
                            .lookups = lookups,
                            .value = s_value });
}

DATABASE_TESTS({ "erased accounts", test_erased }, { "retention", test_retention },
               { "wrong clock", test_wrong_clock }, { "plans", test_plans })
