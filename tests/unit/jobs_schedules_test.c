/* SPDX-License-Identifier: MPL-2.0
 *
 * Schedules as their callers see them: put, refused, previewed, fired, paused, run, deleted.
 */
#include "config.h"

#include "tests/unit/jobs_stage.h"

#define EVERY_SECOND "\"cron\":\"* * * * * *\",\"kind\":\"echo.say\",\"payload\":{\"n\":7}"

static void test_put(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada"), bob = jobs_user("bob");
    jobs_stage_open(&stage);
    reply_t reply = jobs_call(&stage, &ada, "schedule_put",
                              "{\"name\":\"report\",\"cron\":\"30 2 * * MON-FRI\","
                              "\"zone\":\"Europe/Berlin\",\"kind\":\"echo.say\","
                              "\"payload\":{\"n\":1},\"overlap\":\"skip\",\"catch_up\":3}");
    is_int(reply.code, ERROR_NONE);
    is_int(reply.status, 201);
    is_text(stage_text(&stage.stage, reply.body, "cron"), "30 2 * * MON-FRI");
    is_text(stage_text(&stage.stage, reply.body, "zone"), "Europe/Berlin");
    is_text(stage_text(&stage.stage, reply.body, "overlap"), "skip");
    is_text(stage_text(&stage.stage, reply.body, "queue"), "echo");
    is_int(value_get_int(reply.body, "catch_up", -1), 3);
    is_int(value_get_int(value_get(reply.body, "payload"), "n", 0), 1);
    ok(value_is_type(value_get(reply.body, "next_at"), VALUE_TEXT));
    ok(value_is_type(value_get(reply.body, "last_at"), VALUE_NIL));

    reply = jobs_call(&stage, &ada, "schedule_put",
                      "{\"name\":\"report\",\"cron\":\"@daily\",\"kind\":\"echo.say\"}");
    is_int(reply.status, 200);
    is_text(stage_text(&stage.stage, reply.body, "zone"), "UTC");
    is_int(jobs_call(&stage, &ada, "schedule_get", "{\"name\":\"report\"}").code, ERROR_NONE);
    reply = jobs_call(&stage, &bob, "schedule_get", "{\"name\":\"report\"}");
    is_int(reply.code, ERROR_NOT_FOUND);
    is_text(reply.detail, "The account has no schedule 'report'");
    is_int(jobs_call(&stage, &bob, "schedule_delete", "{\"name\":\"report\"}").code,
           ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "schedule_delete", "{\"name\":\"report\"}").code, ERROR_NONE);
    is_int(jobs_call(&stage, &ada, "schedule_get", "{\"name\":\"report\"}").code, ERROR_NOT_FOUND);
    jobs_stage_close(&stage);
}

/* What stands behind "kind", or instead of it. */
static const struct {
    const char *members;
    error_code_t code;
    const char *detail; /* how it begins; NULL: anything */
} s_refusals[] = {
    { "\"cron\":\"60 * * * *\",\"kind\":\"echo.say\"", ERROR_UNPROCESSABLE,
      "`cron`: minute: '60' is not understood" },
    { "\"cron\":\"* * *\",\"kind\":\"echo.say\"", ERROR_UNPROCESSABLE, "`cron`: It has 3 fields" },
    { "\"cron\":\"@daily\",\"zone\":\"Mars/Olympus\",\"kind\":\"echo.say\"", ERROR_UNPROCESSABLE,
      "`zone`: 'Mars/Olympus' is no time zone" },
    { "\"cron\":\"@daily\",\"zone\":\"../../etc/passwd\",\"kind\":\"echo.say\"",
      ERROR_UNPROCESSABLE, "`zone`: That is no time zone" },
    { "\"cron\":\"0 0 30 2 *\",\"kind\":\"echo.say\"", ERROR_UNPROCESSABLE, "`cron` is never due" },
    { "\"cron\":\"* * * * * *\",\"kind\":\"echo.say\"", ERROR_UNPROCESSABLE,
      "`cron` is due more often than every 10 seconds" },
    { "\"cron\":\"@daily\",\"kind\":\"echo.admin\"", ERROR_FORBIDDEN, NULL },
    { "\"cron\":\"@daily\",\"kind\":\"echo.inner\"", ERROR_FORBIDDEN, NULL },
    { "\"cron\":\"@daily\",\"kind\":\"nobody.say\"", ERROR_UNPROCESSABLE, NULL },
    { "\"cron\":\"@daily\",\"kind\":\"echo.say\",\"catch_up\":101", ERROR_VALIDATION_FAILED, NULL },
    { "\"cron\":\"@daily\",\"kind\":\"echo.say\",\"overlap\":\"maybe\"", ERROR_VALIDATION_FAILED,
      NULL },
    { "\"kind\":\"echo.say\"", ERROR_VALIDATION_FAILED, NULL },
    { "\"cron\":\"@daily\"", ERROR_VALIDATION_FAILED, NULL },
};

static void test_refusals(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(s_refusals); i++) {
        reply_t reply =
            jobs_call(&stage, &ada, "schedule_put", "{\"name\":\"x\",%s}", s_refusals[i].members);
        const char *detail = s_refusals[i].detail;
        if (!ok_named(reply.code == s_refusals[i].code &&
                          (!detail || text_starts(reply.detail, detail)),
                      s_refusals[i].members))
            note("%d: %s", reply.code, reply.detail);
    }
    for (int i = 0; i < 11; i++) {
        reply_t reply =
            jobs_call(&stage, &ada, "schedule_put",
                      "{\"name\":\"s%d\",\"cron\":\"@daily\",\"kind\":\"echo.say\"}", i);
        is_int(reply.code, i < 10 ? ERROR_NONE : ERROR_CONFLICT);
        if (i == 10)
            is_text(reply.detail,
                    "The account has 10 schedules, as many as its tier allows: delete one");
    }
    text_copy(ada.tier, sizeof ada.tier, "pro", 3);
    is_int(jobs_call(&stage, &ada, "schedule_put",
                     "{\"name\":\"s10\",\"cron\":\"@daily\",\"kind\":\"echo.say\"}")
               .code,
           ERROR_NONE);
    reply_t page = jobs_call(&stage, &ada, "schedule_list", "{\"limit\":6}");
    is_int(value_get(page.body, "items")->count, 6);
    is_text(stage_text(&stage.stage, value_item(value_get(page.body, "items"), 0), "name"), "s10");
    page = jobs_call(&stage, &ada, "schedule_list", "{\"limit\":6,\"cursor\":\"%s\"}",
                     stage_text(&stage.stage, page.body, "next_cursor"));
    is_int(value_get(page.body, "items")->count, 5);
    ok(value_is_type(value_get(page.body, "next_cursor"), VALUE_NIL));
    jobs_stage_close(&stage);
}

static void test_next(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    jobs_call(&stage, &ada, "schedule_put",
              "{\"name\":\"night\",\"cron\":\"30 2 * * *\",\"zone\":\"Europe/Berlin\","
              "\"kind\":\"echo.say\"}");
    reply_t reply =
        jobs_call(&stage, &ada, "schedule_next",
                  "{\"name\":\"night\",\"count\":3,\"after\":\"2026-03-27T12:00:00Z\"}");
    const value_t *items = value_get(reply.body, "items");
    is_int(items ? items->count : 0, 3);
    is_text(stage_text(&stage.stage, value_item(items, 0), "at"), "2026-03-28T01:30:00.000Z");
    is_text(stage_text(&stage.stage, value_item(items, 0), "local"), "2026-03-28T02:30:00+01:00");
    is_text(stage_text(&stage.stage, value_item(items, 1), "at"), "2026-03-29T01:00:00.000Z");
    is_text(stage_text(&stage.stage, value_item(items, 1), "local"), "2026-03-29T03:00:00+02:00");
    is_text(stage_text(&stage.stage, value_item(items, 2), "local"), "2026-03-30T02:30:00+02:00");
    is_int(value_get(jobs_call(&stage, &ada, "schedule_next", "{\"name\":\"night\"}").body, "items")
               ->count,
           5);
    is_int(jobs_call(&stage, &ada, "schedule_next",
                     "{\"name\":\"night\",\"after\":\"1969-01-01T00:00:00Z\"}")
               .code,
           ERROR_UNPROCESSABLE);
    is_int(jobs_call(&stage, &ada, "schedule_next",
                     "{\"name\":\"night\",\"after\":\"9999-12-31T00:00:00Z\"}")
               .code,
           ERROR_UNPROCESSABLE);
    jobs_stage_close(&stage);
}

/* Waits until so many firings are listed; the page. */
static const value_t *s_await_fires(jobs_stage_t *stage, const principal_t *who, const char *name,
                                    uint32_t least)
{
    const value_t *items = NULL;
    for (int tries = 0; tries < BUS_PATIENCE_S * 50; tries++) {
        items = value_get(
            jobs_call(stage, who, "schedule_fires", "{\"name\":\"%s\",\"limit\":100}", name).body,
            "items");
        if (items && items->count >= least)
            return items;
        clock_sleep_ms(20);
    }
    return items;
}

static void test_fires(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    jobs_settings.schedule_interval_s = 1;
    is_int(jobs_call(&stage, &ada, "schedule_put", "{\"name\":\"tick\"," EVERY_SECOND "}").code,
           ERROR_NONE);
    const value_t *fires = s_await_fires(&stage, &ada, "tick", 2);
    ok(fires && fires->count >= 2);
    int64_t newest = value_get_int(value_item(fires, 0), "job_id", 0);
    ok(newest > value_get_int(value_item(fires, 1), "job_id", 0));
    ok(jobs_await(&stage, newest, "done"));
    is_int(echo.last_n, 7);
    is_text(echo.account, "ada");

    reply_t reply = jobs_call(&stage, &ada, "schedule_pause", "{\"name\":\"tick\"}");
    ok(value_get_bool(reply.body, "paused", false));
    ok(value_is_type(value_get(reply.body, "next_at"), VALUE_NIL));
    uint32_t before = s_await_fires(&stage, &ada, "tick", 1)->count;
    reply = jobs_call(&stage, &ada, "schedule_run", "{\"name\":\"tick\"}");
    is_int(reply.code, ERROR_NONE);
    ok(jobs_await(&stage, value_get_int(reply.body, "id", 0), "done"));
    is_int(s_await_fires(&stage, &ada, "tick", 1)->count, before + 1);

    reply = jobs_call(&stage, &ada, "schedule_resume", "{\"name\":\"tick\"}");
    ok(!value_get_bool(reply.body, "paused", true));
    ok(value_is_type(value_get(reply.body, "next_at"), VALUE_TEXT));
    ok(s_await_fires(&stage, &ada, "tick", before + 3)->count >= before + 3);
    is_int(jobs_call(&stage, &ada, "schedule_run", "{\"name\":\"tock\"}").code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "schedule_pause", "{\"name\":\"tock\"}").code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "schedule_resume", "{\"name\":\"tock\"}").code, ERROR_NOT_FOUND);
    is_int(jobs_call(&stage, &ada, "schedule_fires", "{\"name\":\"tock\"}").code, ERROR_NOT_FOUND);
    ok(jobs_stat(&stage, JOBS_FIRED) >= 3);
    jobs_stage_close(&stage);
}

static void test_overlap(void)
{
    jobs_stage_t stage;
    principal_t ada = jobs_user("ada");
    jobs_stage_open(&stage);
    jobs_settings.schedule_interval_s = 1;
    atomic_store(&echo.is_held, true);
    is_int(jobs_call(&stage, &ada, "schedule_put",
                     "{\"name\":\"slow\",\"cron\":\"* * * * * *\",\"kind\":\"echo.hold\","
                     "\"overlap\":\"skip\"}")
               .code,
           ERROR_NONE);
    const value_t *fires = s_await_fires(&stage, &ada, "slow", 3);
    uint32_t jobs = 0;
    for (uint32_t i = 0; fires && i < fires->count; i++)
        jobs += value_is_type(value_get(value_item(fires, i), "job_id"), VALUE_INT);
    is_int(jobs, 1);
    reply_t reply = jobs_call(&stage, &ada, "schedule_run", "{\"name\":\"slow\"}");
    ok(value_get_bool(reply.body, "duplicate", false));
    ok(jobs_stat_reaches(&stage, JOBS_FIRES_SKIPPED, 2));
    jobs_stage_close(&stage);
}

DATABASE_TESTS({ "put", test_put }, { "refusals", test_refusals }, { "next", test_next },
               { "fires", test_fires }, { "overlap", test_overlap })
