/* SPDX-License-Identifier: MPL-2.0
 *
 * The sliding log by itself: its runs, their order, what is dropped when.
 */
#include "config.h"

#include "actors/limiter/window.h"
#include "tests/tap.h"

static void test_runs_keep_their_order(void)
{
    window_t log = { 0 };
    static const int64_t times[] = { 50, 10, 30, 30, 70, 20 };
    for (size_t i = 0; i < COUNT_OF(times); i++)
        window_add(&log, times[i], 1);
    static const int64_t expected[] = { 10, 20, 30, 50, 70 };
    is_int(log.count, COUNT_OF(expected));
    is_int(log.total, 6);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        is_int(run_at(window_runs(&log)[i]), expected[i]);
    is_int(window_amount(&log, 30), 2);
    is_int(window_amount(&log, 31), 0);
    window_free(&log);
}

/* What was used at 100 counts for a window of 1000 up to 1100, that one included. */
static void test_expiry(void)
{
    static const struct {
        int64_t now_ms;
        uint32_t left;
    } cases[] = { { 100, 5 }, { 1100, 5 }, { 1101, 3 }, { 1200, 3 }, { 1201, 0 }, { 9999, 0 } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        window_t log = { 0 };
        window_add(&log, 100, 2);
        window_add(&log, 200, 3);
        window_expire(&log, cases[i].now_ms, 1000);
        is_int(log.total, cases[i].left);
        window_free(&log);
    }
}

static void test_time_of_the_nth(void)
{
    window_t log = { 0 };
    window_add(&log, 10, 2);
    window_add(&log, 20, 1);
    window_add(&log, 30, 4);
    static const struct {
        uint32_t n;
        int64_t at_ms;
    } cases[] = { { 1, 10 }, { 2, 10 }, { 3, 20 }, { 4, 30 }, { 7, 30 }, { 8, 30 } };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        is_int(window_time_of(&log, cases[i].n), cases[i].at_ms);
    window_free(&log);
}

static void test_giving_back(void)
{
    window_t log = { 0 };
    window_add(&log, 10, 3);
    window_add(&log, 20, 1);
    is_int(window_remove(&log, 10, 2), 2);
    is_int(window_remove(&log, 10, 2), 1); /* no more was there */
    is_int(window_remove(&log, 15, 1), 0);
    is_int(log.count, 1);
    is_int(log.total, 1);
    window_free(&log);
}

static void test_merging(void)
{
    window_t log = { 0 };
    window_raise(&log, 10, 3);
    window_raise(&log, 10, 2); /* older news */
    is_int(log.total, 3);
    window_set(&log, 10, 2); /* from whom it belongs to */
    is_int(log.total, 2);
    window_set(&log, 10, 0);
    is_int(log.count, 0);
    window_free(&log);
}

/* However much comes in, a log has an end; what is put together counts longer, not shorter. */
static void test_bounded(void)
{
    window_t log = { 0 };
    for (int64_t at_ms = 1; at_ms <= 3 * WINDOW_RUNS_MAX; at_ms++)
        window_add(&log, at_ms, 1);
    is_int(log.count, WINDOW_RUNS_MAX);
    is_int(log.total, 3 * WINDOW_RUNS_MAX);
    ok(window_time_of(&log, 1) > WINDOW_RUNS_MAX);
    window_free(&log);
}

static void test_dates(void)
{
    static const struct {
        uint32_t limit;
        int64_t window_ms, grain_ms, at_ms, date_ms;
    } cases[] = {
        { 1000, 60000, 1, 12345, 12345 },
        { 1001, 256000, 1000, 12345, 12999 },
        { 1001, 256000, 1000, 12000, 12999 },
        { 1001, 256000, 1000, 12999, 12999 },
        { 1001, 100, 1, 7, 7 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t grain_ms = window_grain(cases[i].limit, cases[i].window_ms);
        is_int(grain_ms, cases[i].grain_ms);
        is_int(window_date(cases[i].at_ms, grain_ms), cases[i].date_ms);
    }
}

TESTS({ "runs_keep_their_order", test_runs_keep_their_order }, { "expiry", test_expiry },
      { "time_of_the_nth", test_time_of_the_nth }, { "giving_back", test_giving_back },
      { "merging", test_merging }, { "bounded", test_bounded }, { "dates", test_dates })
