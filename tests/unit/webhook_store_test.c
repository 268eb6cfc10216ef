/* SPDX-License-Identifier: MPL-2.0
 *
 * The tables of webhooks: what is kept of an account goes with it, everything has an end, and with
 * 100,000 rows nothing reads a table from end to end.
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"
#include "tests/unit/outside_kit.h"

#define DAY INT64_C(86400000)
#define NOW (1000 * DAY)

/* ---- what is there --------------------------------------------------------------------------- */

/* Something that happened to an account long ago, with a delivery for each of its subscriptions. */
typedef struct {
    const char *account;
    int first, subscriptions, events;
    int64_t now_ms;
} fill_t;

static const char *s_id(char id[64], int number)
{
    snprintf(id, 64, "00000000-0000-7000-8000-%012d", number);
    return id;
}

static db_status_t s_fill_work(db_conn_t *conn, void *arg)
{
    const fill_t *fill = arg;
    char id[64], to[64], event_id[64];
    bool added;
    int number = fill->first;
    db_status_t status = DB_OK;
    for (int i = 0; status == DB_OK && i < fill->subscriptions; i++)
        status = webhook_store_add(conn, &(subscription_t){ .id = s_id(id, fill->first + i),
                                                            .account = fill->account,
                                                            .url = "https://a.example/",
                                                            .events = "[\"*\"]",
                                                            .status = "active",
                                                            .secret = (const uint8_t *)"s",
                                                            .secret_size = 1,
                                                            .updated_ms = fill->now_ms });
    for (int i = 0; status == DB_OK && i < fill->events; i++) {
        snprintf(event_id, sizeof event_id, "%s-%d", fill->account, i);
        status = webhook_store_add_event(
            conn,
            &(event_record_t){
                .id = event_id, .account = fill->account, .type = "order.placed", .data = "{}" },
            fill->now_ms, &added);
        for (int j = 0; status == DB_OK && j < fill->subscriptions; j++)
            status = webhook_store_add_delivery(conn, s_id(id, number++), s_id(to, fill->first + j),
                                                event_id, fill->now_ms);
    }
    if (status == DB_OK)
        status = webhook_store_add_inbound(conn,
                                           &(inbound_t){ .provider = "stripe",
                                                         .id = fill->account,
                                                         .kind = "webhook.billing",
                                                         .body = "{}",
                                                         .account = fill->account },
                                           fill->now_ms, &added);
    return status == DB_OK
               ? webhook_store_set_billed(
                     conn, &(billed_t){ .account = fill->account, .tier = "pro" }, &added)
               : status;
}

static void s_fill(outside_t *self, fill_t fill)
{
    is_int(db_write(self->db, s_fill_work, &fill), DB_OK);
}

/* Subscriptions, events, deliveries, what others told, and when it was paid. */
static void s_holds(outside_t *self, const char *account, const int64_t expected[5])
{
    static const char *const of[] = {
        "subscription WHERE account = '%s'", "event WHERE account = '%s'",
        "delivery d JOIN event e ON e.id = d.event_id WHERE e.account = '%s'",
        "inbound WHERE account = '%s'", "billing WHERE account = '%s'"
    };
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
    outside_open(&stage, webhook_migrations);
    s_fill(&stage, (fill_t){ "acme", 1000, 3, 7, NOW });
    s_fill(&stage, (fill_t){ "other", 2000, 2, 5, NOW });
    s_holds(&stage, "acme", (const int64_t[]){ 3, 7, 21, 1, 1 });
    for (; more && rounds < 100; rounds++)
        is_int(webhook_store_erase(stage.db, "acme", 4, &more), DB_OK);
    ok_named(!more && rounds >= 6, "some at a time");
    s_holds(&stage, "acme", (const int64_t[]){ 0, 0, 0, 0, 0 });
    s_holds(&stage, "other", (const int64_t[]){ 2, 5, 10, 1, 1 });
    is_int(webhook_store_erase(stage.db, "acme", 4, &more), DB_OK);
    ok_named(!more, "once more is no fault");
    outside_close(&stage);
}

/* ---- retention ------------------------------------------------------------------------------- */

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    int64_t hooks = 0, *count = arg;
    db_status_t status = webhook_store_purge(conn, NOW - 30 * DAY, NOW - 2 * DAY, NOW, count);
    if (status == DB_OK)
        status = webhook_store_purge_inbound(conn, NOW - 30 * DAY, &hooks);
    *count += hooks;
    return status;
}

/* Deliveries that still wait after all that time, since no job could ever be enqueued, go, too. */
static void test_retention(void)
{
    outside_t stage;
    int64_t count = 0;
    outside_open(&stage, webhook_migrations);
    s_fill(&stage, (fill_t){ "old", 1000, 2, 3, NOW - 31 * DAY });
    s_fill(&stage, (fill_t){ "new", 2000, 2, 3, NOW - 29 * DAY });
    is_int(db_write(stage.db, s_purge_work, &count), DB_OK);
    is_int(count, 6 + 3 + 1);
    s_holds(&stage, "old", (const int64_t[]){ 2, 0, 0, 0, 1 });
    s_holds(&stage, "new", (const int64_t[]){ 2, 3, 6, 1, 1 });
    is_int(db_write(stage.db, s_purge_work, &count), DB_OK);
    is_int(count, 0);
    outside_close(&stage);
}

/* ---- plans ----------------------------------------------------------------------------------- */

/* 1,000 accounts with 100 subscriptions each; a hundred of these have 1,000 deliveries. */
static const db_sql_t s_many[] = {
    FILL("subscription",
         "id, account, url, events, status, secret, old_until, created_at, updated_at",
         UUID("a", "n") ", 'account-' || (n % 1000), 'u', '[]', 'active', " BYTES ", 0, n, n"),
    FILL("event", "id, account, type, at, data, created_at",
         "'event-' || n, 'account-' || (n % 1000), 't', n, '{}', n"),
    FILL("delivery",
         "id, subscription_id, event_id, state, attempts, replays, created_at, updated_at",
         UUID("d", "n") ", " UUID("a", "n % 100") ", 'event-' || n,"
                                                  " CASE n % 1000 WHEN 0 THEN 'waiting' WHEN 1"
                                                  " THEN 'queued' ELSE 'delivered' END, 1, 0, n,"
                                                  " n"),
    FILL("inbound", "provider, id, kind, body, account, state, received_at",
         "'p', 'told-' || n, 'k', '{}', 'account-' || (n % 1000),"
         " CASE n % 1000 WHEN 0 THEN 'waiting' ELSE 'queued' END, n"),
    FILL("billing", "account, changed_at", "'account-' || n, n"),
};

static db_param_t s_value(const char *statement, const char *name)
{
    static const outside_value_t values[] = {
        { "account", "account-7", 0 },
        { "id", "0000000a-0000-7000-8000-000000000007", 0 },
        { "subscription", "0000000a-0000-7000-8000-000000000007", 0 },
        { "ids", "[\"0000000d-0000-7000-8000-000000000007\"]", 0 },
        { "state", "delivered", 0 },
        { "name", "p", 0 },
        { "provider", "p", 0 },
        { "reason", "r", 0 },
        { "detail", "d", 0 },
        { "url", "u", 0 },
        { "about", "a", 0 },
        { "events", "[]", 0 },
        { "secret", "s", 0 },
        { "old", "s", 0 },
        { "at", NULL, 50000 },
        { "now", NULL, 50000 },
        { "before", NULL, 500 },
        { "lost", NULL, 500 },
        { "until", NULL, 0 },
        { "duration", NULL, 1 },
        { "made", NULL, 1 },
        { "limit", NULL, 21 },
        { "most", NULL, 500 },
    };
    if (strcmp(name, "status") == 0)
        return strcmp(statement, "webhook.attempt") == 0 ? DB_P_INT("status", 200)
                                                         : DB_P_TEXT("status", "active");
    return outside_value(values, COUNT_OF(values), statement, name);
}

static void test_plans(void)
{
    static const db_sql_t *const *const files[] = {
        webhook_store_subscription_lookups, webhook_store_delivery_lookups,
        webhook_store_hook_lookups, webhook_store_billing_lookups, webhook_store_erase_lookups
    };
    const db_sql_t *lookups[40];
    outside_gather(files, COUNT_OF(files), lookups, COUNT_OF(lookups));
    plans_check(&(plans_t){ .migrations = webhook_migrations,
                            .fill = s_many,
                            .fill_count = COUNT_OF(s_many),
                            .lookups = lookups,
                            .small = (const char *const[]){ "provider", NULL },
                            .value = s_value });
}

DATABASE_TESTS({ "erased accounts", test_erased }, { "retention", test_retention },
               { "plans", test_plans })
