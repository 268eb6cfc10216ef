/* SPDX-License-Identifier: MPL-2.0
 *
 * Who asks about an address learns nothing of it: the answers are the same bytes, and the work is
 * the same, whether it is known, its user disabled or the password wrong.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

static uint64_t s_hashed(const stage_t *stage)
{
    return histogram_count(actor_stats(stage->actors[0])->histograms[AUTH_HASH_TIME]);
}

static int64_t s_recorded(const stage_t *stage)
{
    static const db_sql_t count = { "test.audit", "SELECT count(*) AS n FROM audit", NULL };
    return place_number(stage_db(stage), &count);
}

/* It is recorded after the answer. */
static bool s_waits_for(const stage_t *stage, int64_t recorded)
{
    for (int tries = 0; tries < 10000 && s_recorded(stage) < recorded; tries++)
        clock_sleep_ms(1);
    return s_recorded(stage) == recorded;
}

static void s_people(stage_t *stage)
{
    const principal_t admin = stage_admin();
    stage_register(stage, "ada@example.dev");
    person_t eve = stage_register(stage, "eve@example.dev");
    is_int(stage_call(stage, &admin, "user_update", "{\"id\":\"%s\",\"status\":\"disabled\"}",
                      eve.user)
               .code,
           ERROR_NONE);
}

static void test_login(void)
{
    static const struct {
        const char *email, *password;
    } refused[] = {
        { "nobody@example.dev", STAGE_PASSWORD }, { "nobody@example.dev", "x" },
        { "ada@example.dev", "wrong horse" },     { "ADA@example.dev", "x" },
        { "eve@example.dev", STAGE_PASSWORD },    { "eve@example.dev", "wrong horse" },
    };
    stage_t stage;
    reply_t first = { 0 };
    stage_open(&stage, NULL);
    s_people(&stage);
    const uint64_t hashed = s_hashed(&stage);
    const int64_t recorded = s_recorded(&stage);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        reply_t reply = stage_login(&stage, refused[i].email, refused[i].password);
        if (i == 0)
            first = reply;
        is_int(reply.code, ERROR_UNAUTHENTICATED);
        ok_named(reply.code == first.code && reply.status == first.status &&
                     strcmp(reply.detail, first.detail) == 0 && !reply.body,
                 refused[i].email);
        is_int(s_hashed(&stage), hashed + i + 1);
        ok(s_waits_for(&stage, recorded + (int64_t)i + 1));
    }
    is_int(stage_count(&stage, AUTH_LOGINS_REFUSED), COUNT_OF(refused));
    stage_close(&stage);
}

static void test_forgot(void)
{
    static const char *const addresses[] = { "nobody@example.dev", "ada@example.dev",
                                             "eve@example.dev" };
    stage_t stage;
    stage_open(&stage, NULL);
    s_people(&stage);
    const uint64_t hashed = s_hashed(&stage);
    const int64_t recorded = s_recorded(&stage);
    reply_t first = { 0 };
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        reply_t reply =
            stage_call(&stage, NULL, "password_forgot", "{\"email\":\"%s\"}", addresses[i]);
        if (i == 0)
            first = reply;
        is_int(reply.code, ERROR_NONE);
        ok_named(reply.status == first.status &&
                     (reply.body ? value_equal(reply.body, first.body) : !first.body),
                 addresses[i]);
        ok(s_waits_for(&stage, recorded + (int64_t)i + 1));
    }
    is_int(s_hashed(&stage), hashed);
    stage_close(&stage);
}

DATABASE_TESTS({ "login", test_login }, { "forgot", test_forgot })
