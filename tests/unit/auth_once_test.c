/* SPDX-License-Identifier: MPL-2.0
 *
 * What others tell for the audit log is written once, however often and to whomever it is told.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

#define EVENT_A "0190a6f2-0000-7000-8000-00000000000a"
#define EVENT_B "0190a6f2-0000-7000-8000-00000000000b"

/* The address is its user's, and told only while there is such a user. */
static error_code_t s_record(stage_t *stage, const char *user, const char *event,
                             const char *target)
{
    return stage_call(stage, NULL, "audit_record",
                      "{\"event\":\"%s\",\"at_ms\":1800000000000,\"action\":\"plant.stop\","
                      "\"user_id\":\"%s\",\"account_id\":\"acme\",\"target\":\"%s\","
                      "\"address\":\"192.0.2.9\",\"request_id\":\"r-1\",\"detail\":\"status=200\"}",
                      event, user, target)
        .code;
}

static const value_t *s_recorded(stage_t *stage)
{
    const principal_t admin = stage_admin();
    reply_t log = stage_call(stage, &admin, "audit", "{\"action\":\"plant.stop\"}");
    return value_get(log.body, "items");
}

static bool s_is_whole(stage_t *stage)
{
    return value_get_bool(stage_call(stage, NULL, "audit_verify", "{}").body, "good", false);
}

static void test_told(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    const person_t ann = stage_register(&stage, "ann@example.dev");
    is_int(s_record(&stage, ann.user, EVENT_A, "/v1/plant/stop"), ERROR_NONE);
    const value_t *items = s_recorded(&stage), *entry = value_item(items, 0);
    const char *const expected[][2] = {
        { "action", "plant.stop" },     { "at", "2027-01-15T08:00:00.000Z" },
        { "user_id", ann.user },        { "account_id", "acme" },
        { "target", "/v1/plant/stop" }, { "address", "192.0.2.9" },
        { "request_id", "r-1" },        { "detail", "status=200" },
    };
    is_int(items->count, 1);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        is_text(stage_text(&stage, entry, expected[i][0]), expected[i][1]);
    ok(s_is_whole(&stage));
    is_int(
        stage_call(&stage, NULL, "audit_record", "{\"event\":\"7\",\"at_ms\":1,\"action\":\"x\"}")
            .code,
        ERROR_VALIDATION_FAILED);
    is_int(s_recorded(&stage)->count, 1);
    stage_close(&stage);
}

/* Told again and again; on PostgreSQL to two instances, which take turns. */
static void test_told_again(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    if (!db_is_sqlite(stage_db(&stage)))
        stage_start(&stage, 1);
    for (int i = 0; i < 6; i++) {
        is_int(s_record(&stage, "ann", EVENT_A, "/v1/plant/stop"), ERROR_NONE);
        is_int(s_record(&stage, "ann", EVENT_B, "/v1/plant/stop"), ERROR_NONE);
    }
    is_int(s_recorded(&stage)->count, 2);
    ok(s_is_whole(&stage));
    stage_close(&stage);
}

typedef struct {
    bool is_first;
    int64_t at_ms;
} once_t;

static db_status_t s_once_work(db_conn_t *conn, void *arg)
{
    once_t *self = arg;
    db_status_t status = auth_store_purge_once(conn, self->at_ms);
    return status == DB_OK ? auth_store_once(conn, "thing", 1000, &self->is_first) : status;
}

/* When nobody can come with it any more, it is forgotten. */
static void test_forgotten(void)
{
    static const once_t expected[] = {
        { true, 10 }, { false, 10 }, { false, 1000 }, { true, 1001 }
    };
    stage_t stage;
    stage_open(&stage, NULL);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        once_t once = { .at_ms = expected[i].at_ms };
        is_int(db_write(stage_db(&stage), s_once_work, &once), DB_OK);
        is_int(once.is_first, expected[i].is_first);
    }
    stage_close(&stage);
}

DATABASE_TESTS({ "told", test_told }, { "told again", test_told_again },
               { "forgotten", test_forgotten })
