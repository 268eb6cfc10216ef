/* SPDX-License-Identifier: MPL-2.0
 *
 * What a failed run means for its job; and where the next claim of a lane begins.
 */
#include "config.h"

#include "actors/jobs/lanes.h"
#include "actors/jobs/verdict.h"
#include "tests/tap.h"

static void test_verdicts(void)
{
    static const struct {
        error_code_t code;
        int64_t tries, crashes;
        uint32_t retry_after_ms;
        bool is_leaving;
        settle_t how;
        int64_t least_ms, most_ms; /* of the delay */
        int64_t counted, crashed;
    } cases[] = {
        /* what may pass: 2 s, 4 s, 8 s, half of it at random */
        { ERROR_UNAVAILABLE, 0, 0, 0, false, SETTLE_AGAIN, 1000, 2000, 1, 0 },
        { ERROR_UNAVAILABLE, 1, 0, 0, false, SETTLE_AGAIN, 2000, 4000, 1, 0 },
        { ERROR_DEADLINE, 2, 0, 0, false, SETTLE_AGAIN, 4000, 8000, 1, 0 },
        { ERROR_INTERNAL, 0, 0, 0, false, SETTLE_AGAIN, 1000, 2000, 1, 0 },
        /* the time it names itself */
        { ERROR_RATE_LIMIT_EXCEEDED, 0, 0, 90000, false, SETTLE_AGAIN, 90000, 90000, 1, 0 },
        { ERROR_NO_INSTANCE, 0, 0, 5000, false, SETTLE_BACK, 5000, 5000, 0, 0 },
        /* the last attempt */
        { ERROR_UNAVAILABLE, 4, 0, 0, false, SETTLE_DEAD, 0, INT64_MAX, 1, 0 },
        /* for good */
        { ERROR_UNPROCESSABLE, 0, 0, 0, false, SETTLE_DEAD, 0, INT64_MAX, 1, 0 },
        { ERROR_FORBIDDEN, 0, 0, 0, false, SETTLE_DEAD, 0, INT64_MAX, 1, 0 },
        { ERROR_NO_METHOD, 0, 0, 0, false, SETTLE_DEAD, 0, INT64_MAX, 1, 0 },
        /* nobody's failure */
        { ERROR_NO_SERVICE, 4, 0, 0, false, SETTLE_BACK, 500, 1000, 0, 0 },
        { ERROR_QUEUE_FULL, 4, 0, 0, false, SETTLE_BACK, 500, 1000, 0, 0 },
        { ERROR_CANCELLED, 4, 2, 0, true, SETTLE_BACK, 0, 0, 0, 0 },
        /* crashes: the first is made up for at once, the third is the end */
        { ERROR_WORKER_LOST, 0, 0, 0, false, SETTLE_AGAIN, 0, 0, 0, 1 },
        { ERROR_WORKER_LOST, 4, 1, 0, false, SETTLE_AGAIN, 1000, 2000, 0, 1 },
        { ERROR_WORKER_LOST, 0, 2, 0, false, SETTLE_DEAD, 0, INT64_MAX, 0, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (uint64_t random = 0; random < 5; random++) {
            const verdict_run_t run = { .id = 7,
                                        .fence = 3,
                                        .tries = cases[i].tries,
                                        .crashes = cases[i].crashes,
                                        .max_attempts = 5,
                                        .backoff_ms = 2000,
                                        .is_leaving = cases[i].is_leaving,
                                        .random = random * 977 };
            const failure_t failure = { .code = cases[i].code,
                                        .retry_after_ms = cases[i].retry_after_ms };
            job_end_t end = verdict(&run, &failure);
            is_int(end.how, cases[i].how);
            ok(end.id == 7 && end.fence == 3);
            ok(end.delay_ms >= cases[i].least_ms && end.delay_ms <= cases[i].most_ms);
            is_int(end.tries, cases[i].counted);
            is_int(end.crashes, cases[i].crashed);
        }
}

/* ---- lanes ----------------------------------------------------------------------------------- */

static void test_marks(void)
{
    lanes_t lanes = { 0 };
    job_wish_t wish;
    lane_t *lane = lanes_find(&lanes, "a");
    /* the first look is from the beginning */
    ok(lane_wish(lane, 10, 1000, &wish));
    is_int(wish.from.run_at, 0);
    lane_claimed(lane, &wish, 10, &(job_mark_t){ 5, 700 }, 1000);
    /* more is there: from where it ended */
    ok(lane_wish(lane, 10, 1001, &wish));
    is_int(wish.from.priority, 5);
    is_int(wish.from.run_at, 700);
    lane_claimed(lane, &wish, 3, &(job_mark_t){ 5, 800 }, 1001);
    ok(!lane_wish(lane, 10, 1002, &wish));
    /* something comes behind, and something before */
    lanes_hint(&lanes, "a", &(job_mark_t){ 5, 900 });
    ok(lane_wish(lane, 10, 1003, &wish));
    is_int(wish.from.run_at, 900);
    ok(wish.is_step);
    /* while the claim is under way */
    lanes_hint(&lanes, "a", &(job_mark_t){ 1, 950 });
    lane_claimed(lane, &wish, 1, &(job_mark_t){ 5, 900 }, 1004);
    ok(lane_wish(lane, 10, 1005, &wish));
    is_int(wish.from.priority, 1);
    is_int(wish.from.run_at, 950);
    lane_claimed(lane, &wish, 1, &(job_mark_t){ 1, 950 }, 1005);
    /* a commit that came late is found a second later */
    ok(!lane_wish(lane, 10, 1999, &wish));
    ok(lane_wish(lane, 10, 1000 + LANES_SWEEP_MS, &wish));
    is_int(wish.from.priority, 0);
    lanes_free(&lanes);
}

/* Who was asked is asked after the others. */
static void test_turns(void)
{
    lanes_t lanes = { 0 };
    lane_t *a = lanes_find(&lanes, "a"), *b = lanes_find(&lanes, "b");
    ok(lanes.table == a);
    lanes_put_last(&lanes, a);
    ok(lanes.table == b);
    ok(lanes_find(&lanes, "a") == a);
    lanes_free(&lanes);
}

/* Each priority has its mark, so that what is urgent does not lead over the remains of the rest. */
static void test_priorities(void)
{
    lanes_t lanes = { 0 };
    job_wish_t wish;
    lane_t *lane = lanes_find(&lanes, "a");
    ok(lane_wish(lane, 10, 1000, &wish));
    lane_claimed(lane, &wish, 0, &(job_mark_t){ 0, 0 }, 1000);
    ok(!lane_has(lane));
    lanes_hint(&lanes, "a", &(job_mark_t){ 5, 700 });
    lanes_hint(&lanes, "a", &(job_mark_t){ 3, 720 });
    lanes_hint(&lanes, "a", &(job_mark_t){ 5, 710 });
    ok(lane_wish(lane, 10, 1001, &wish));
    ok(wish.is_step);
    is_int(wish.from.priority, 3);
    is_int(wish.from.run_at, 720);
    lane_claimed(lane, &wish, 1, &(job_mark_t){ 3, 720 }, 1001);
    ok(lane_wish(lane, 10, 1002, &wish));
    is_int(wish.from.priority, 5);
    is_int(wish.from.run_at, 700);
    lane_claimed(lane, &wish, 10, &(job_mark_t){ 5, 705 }, 1002);
    ok(lane_wish(lane, 10, 1003, &wish));
    is_int(wish.from.run_at, 705);
    lane_claimed(lane, &wish, 2, &(job_mark_t){ 5, 710 }, 1003);
    ok(!lane_has(lane));
    /* a sweep that takes long is rarer */
    ok(lane_wish(lane, 10, 3000, &wish));
    ok(!wish.is_step);
    lane_claimed(lane, &wish, 0, &(job_mark_t){ 0, 0 }, 3200);
    ok(!lane_wish(lane, 10, 3200 + 200 * LANES_SWEEP_SHARE - 1, &wish));
    ok(lane_wish(lane, 10, 3200 + 200 * LANES_SWEEP_SHARE, &wish));
    lanes_free(&lanes);
}

static void test_absence(void)
{
    lanes_t lanes = { 0 };
    job_wish_t wish;
    lane_t *lane = lanes_find(&lanes, "a");
    ok(lane_wish(lane, 10, 1000, &wish));
    lane_claimed(lane, &wish, 10, &(job_mark_t){ 5, 700 }, 1000);
    breaker_report(&lane->absence, false, 1000);
    ok(!lane_wish(lane, 10, 1500, &wish));
    /* one is tried; when there is none to try, the lane is as it was */
    ok(lane_wish(lane, 10, 2100, &wish));
    is_int(wish.most, 1);
    lane_claimed(lane, &wish, 0, &(job_mark_t){ 0, 0 }, 2100);
    lanes_hint(&lanes, "a", NULL);
    ok(lane_wish(lane, 10, 2200, &wish));
    is_int(wish.most, 10);
    lanes_free(&lanes);
}

static void test_settings(void)
{
    lanes_t lanes = { 0 };
    job_wish_t wish;
    job_queue_t list[] = { { .name = "paused", .is_paused = true },
                           { .name = "pulled", .is_pulled = true },
                           { .name = "slow", .rate_limit = 1 },
                           { .name = "free" } };
    lanes_set(&lanes, &(job_queues_t){ list, 4 });
    ok(!lane_wish(lanes_find(&lanes, "paused"), 10, 1000, &wish));
    ok(!lane_wish(lanes_find(&lanes, "pulled"), 10, 1000, &wish));
    ok(lanes_find(&lanes, "slow")->is_limited);
    ok(!lane_wish(lanes_find(&lanes, "free"), 0, 1000, &wish));
    ok(lane_wish(lanes_find(&lanes, "free"), 1, 1000, &wish));
    ok(lanes_next_ms(&lanes) == 0);
    lanes_free(&lanes);
}

TESTS({ "verdicts", test_verdicts }, { "marks", test_marks }, { "turns", test_turns },
      { "priorities", test_priorities }, { "absence", test_absence }, { "settings", test_settings })
