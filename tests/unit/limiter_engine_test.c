/* SPDX-License-Identifier: MPL-2.0
 *
 * The engine: tables of what is decided, step by step.
 */
#include "config.h"

#include "actors/limiter/engine.h"
#include "tests/tap.h"

#define MINUTE 60000
#define START  INT64_C(1800000000000)

static engine_t s_engine;

static void s_policy(const char *name, uint32_t limit, int64_t window_ms, uint32_t burst)
{
    policy_rule_t rule = { .limit = limit,
                           .window_ms = window_ms,
                           .burst = burst,
                           .algorithm = burst ? POLICY_GCRA : POLICY_WINDOW };
    snprintf(rule.name, sizeof rule.name, "%s", name);
    ok(policies_set(&s_engine.policies, &rule));
}

static void s_open(void)
{
    static const uint8_t seed[16] = { 1 };
    engine_init(&s_engine, 1 << 20, seed);
    s_policy("five", 5, MINUTE, 0);
    s_policy("two", 2, 1000, 0);
    s_policy("many", 5000, MINUTE, 0);
    s_policy("even", 60, MINUTE, 3);
}

/* A take of policies named with spaces between; all subjects of these stories are short. */
static take_t s_make_take(const char *subject, const char *policies, uint32_t cost, uint32_t lease)
{
    take_t take = {
        .subject = subject, .subject_size = strlen(subject), .cost = cost, .lease = lease
    };
    while (*(policies += strspn(policies, " "))) {
        size_t size = strcspn(policies, " ");
        const policy_t *policy = policies_find(&s_engine.policies, policies, size);
        insist(policy);
        take.policies[take.policy_count++] = policy;
        policies += size;
    }
    return take;
}

static taken_t s_take(const char *subject, const char *policies, uint32_t cost, int64_t at_ms)
{
    taken_t taken;
    take_t take = s_make_take(subject, policies, cost, 0);
    is_int(engine_take(&s_engine, &take, START + at_ms, &taken), ENGINE_DONE);
    return taken;
}

static uint32_t s_refund(const char *subject, const char *policies, uint32_t cost, int64_t at_ms,
                         int64_t now_ms)
{
    uint32_t refunded;
    subject_t *who;
    take_t take = s_make_take(subject, policies, cost, 0);
    is_int(engine_refund(&s_engine, &take, START + at_ms, START + now_ms, &refunded, &who),
           ENGINE_DONE);
    return refunded;
}

/* ---- windows --------------------------------------------------------------------------------- */

static void test_one_window(void)
{
    static const struct {
        int64_t at_ms;
        uint32_t cost;
        bool allowed;
        uint32_t remaining;
        int64_t retry_at_ms, reset_at_ms;
    } steps[] = {
        { 0, 1, true, 4, 0, 60001 },
        { 10, 3, true, 1, 0, 60011 },
        { 20, 2, false, 1, 60001, 60011 }, /* one too many: nothing is counted */
        { 30, 1, true, 0, 0, 60031 },
        { 40, 1, false, 0, 60001, 60031 },
        { 60000, 1, false, 0, 60001, 60031 }, /* the first still counts */
        { 60001, 1, true, 0, 0, 120002 },
        { 60002, 4, false, 0, 60031, 120002 }, /* three and one must go */
        { 60011, 3, true, 0, 0, 120012 },
        { 70000, 6, false, 1, 130001, 120012 }, /* more than the policy ever allows */
    };
    s_open();
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        taken_t taken = s_take("a", "five", steps[i].cost, steps[i].at_ms);
        note("step %zu", i);
        is_int(taken.allowed, steps[i].allowed);
        is_int(taken.standing[0].remaining, steps[i].remaining);
        is_int(taken.retry_at_ms, steps[i].retry_at_ms ? START + steps[i].retry_at_ms : 0);
        is_int(taken.standing[0].reset_at_ms, START + steps[i].reset_at_ms);
    }
    engine_free(&s_engine);
}

static void test_subjects_are_apart(void)
{
    s_open();
    ok(s_take("a", "five", 5, 0).allowed);
    ok(!s_take("a", "five", 1, 0).allowed);
    ok(s_take("b", "five", 5, 0).allowed);
    engine_free(&s_engine);
}

static void test_all_or_nothing(void)
{
    s_open();
    ok(s_take("a", "five two", 2, 0).allowed);
    taken_t taken = s_take("a", "five two", 1, 500);
    ok(!taken.allowed);
    is_text(taken.refused_by->rule.name, "two");
    is_int(taken.retry_at_ms, START + 1001);
    is_int(taken.standing[0].remaining, 3); /* the other one counted nothing */
    ok(s_take("a", "five", 3, 600).allowed);
    taken = s_take("a", "two five", 1, 700); /* both refuse: the longer one is named */
    is_text(taken.refused_by->rule.name, "five");
    is_int(taken.retry_at_ms, START + 60001);
    engine_free(&s_engine);
}

static void test_peek(void)
{
    taken_t taken;
    s_open();
    take_t take = s_make_take("a", "five", 5, 0);
    for (int i = 0; i < 3; i++) {
        is_int(engine_peek(&s_engine, &take, START, &taken), ENGINE_DONE);
        ok(taken.allowed);
        is_int(taken.standing[0].remaining, 5);
    }
    s_take("a", "five", 1, 0);
    is_int(engine_peek(&s_engine, &take, START, &taken), ENGINE_DONE);
    ok(!taken.allowed);
    engine_free(&s_engine);
}

static void test_refund(void)
{
    s_open();
    s_take("a", "five", 2, 0);
    s_take("a", "five", 1, 100);
    is_int(s_refund("a", "five", 1, 0, 200), 1);
    is_int(s_take("a", "five", 1, 300).standing[0].remaining, 2);
    is_int(s_refund("a", "five", 5, 100, 400), 1); /* no more than was taken then */
    is_int(s_refund("a", "five", 1, 50, 400), 0);  /* nothing was */
    is_int(s_take("a", "five", 1, 300).standing[0].remaining, 2);
    /* what has left the window is free already: giving it back must not free another's */
    is_int(s_refund("a", "five", 1, 0, 60001), 0);
    engine_free(&s_engine);
}

static void test_large_limits(void)
{
    s_open();
    for (int i = 0; i < 5; i++)
        ok(s_take("a", "many", 1000, i).allowed);
    taken_t taken = s_take("a", "many", 1, 10);
    ok(!taken.allowed);
    int64_t late_ms = taken.retry_at_ms - START - MINUTE; /* by less than a bucket */
    ok(late_ms > 0 && late_ms <= MINUTE / WINDOW_BUCKETS + 2);
    ok(!s_take("a", "many", 1, taken.retry_at_ms - START - 1).allowed);
    ok(s_take("a", "many", 1, taken.retry_at_ms - START).allowed);
    engine_free(&s_engine);
}

/* ---- even rates ------------------------------------------------------------------------------ */

static void test_gcra(void)
{
    static const struct {
        int64_t at_ms;
        uint32_t cost;
        bool allowed;
        uint32_t remaining;
        int64_t retry_at_ms;
    } steps[] = {
        { 0, 1, true, 2, 0 },       { 0, 2, true, 0, 0 },         { 0, 1, false, 0, 1000 },
        { 999, 1, false, 0, 1000 }, { 1000, 1, true, 0, 0 },      { 1500, 2, false, 0, 3000 },
        { 3000, 2, true, 0, 0 },    { 3000, 4, false, 0, 63001 }, { 9000, 3, true, 0, 0 },
    };
    s_open();
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        taken_t taken = s_take("a", "even", steps[i].cost, steps[i].at_ms);
        note("step %zu", i);
        is_int(taken.allowed, steps[i].allowed);
        is_int(taken.standing[0].remaining, steps[i].remaining);
        is_int(taken.retry_at_ms, steps[i].retry_at_ms ? START + steps[i].retry_at_ms : 0);
    }
    engine_free(&s_engine);
}

static void test_gcra_refund(void)
{
    s_open();
    s_take("a", "even", 2, 0);
    is_int(s_refund("a", "even", 1, 0, 0), 1);
    is_int(s_take("a", "even", 1, 0).standing[0].remaining, 1);
    is_int(s_refund("a", "even", 1, 0, 1000), 0); /* it has drained since */
    engine_free(&s_engine);
}

/* ---- leases ---------------------------------------------------------------------------------- */

static void test_leases(void)
{
    static const struct {
        const char *policies;
        uint32_t asked, count;
        int64_t until_ms;
    } cases[] = {
        { "many", 100, 100, 6000 },
        { "many", 1000, 1000, 6000 },
        { "five", 1000, 1, 6000 },      /* a quarter of what is left */
        { "many five", 1000, 1, 6000 }, /* the tightest decides */
        { "two", 1, 0, 0 },             /* too little to share */
        { "even", 1, 0, 0 },
        { "many even", 1, 0, 0 },
        { "many", 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        taken_t taken;
        s_open();
        take_t take = s_make_take("a", cases[i].policies, 1, cases[i].asked);
        is_int(engine_take(&s_engine, &take, START, &taken), ENGINE_DONE);
        is_int(taken.lease, cases[i].count);
        is_int(taken.lease_until_ms, cases[i].until_ms ? START + cases[i].until_ms : 0);
        engine_free(&s_engine);
    }
}

/* A lease counts for a window from its end on, because it may be used until then. */
static void test_lease_lasts(void)
{
    taken_t taken;
    s_open();
    take_t take = s_make_take("a", "five", 1, 1);
    is_int(engine_take(&s_engine, &take, START, &taken), ENGINE_DONE);
    is_int(taken.standing[0].remaining, 3);
    ok(s_take("a", "five", 3, 0).allowed);
    is_int(s_take("a", "five", 4, 60001).standing[0].remaining, 0);
    ok(!s_take("a", "five", 1, 66000).allowed);
    ok(s_take("a", "five", 1, 66001).allowed);
    engine_free(&s_engine);
}

static void test_lease_returned(void)
{
    taken_t taken;
    s_open();
    take_t take = s_make_take("a", "five", 1, 1);
    is_int(engine_take(&s_engine, &take, START, &taken), ENGINE_DONE);
    is_int(s_refund("a", "five", 1, taken.lease_until_ms - START, 100), 1);
    ok(s_take("a", "five", 4, 200).allowed);
    engine_free(&s_engine);
}

/* ---- policies that change -------------------------------------------------------------------- */

static void test_change_of_policy(void)
{
    s_open();
    ok(s_take("a", "five", 5, 0).allowed);
    s_policy("five", 8, MINUTE, 0);
    is_int(s_take("a", "five", 1, 10).standing[0].remaining, 2);
    s_policy("five", 3, MINUTE, 0); /* less than is used: nothing until enough has gone */
    taken_t taken = s_take("a", "five", 1, 20);
    ok(!taken.allowed);
    is_int(taken.standing[0].remaining, 0);
    is_int(taken.retry_at_ms, START + 60001);
    s_policy("five", 60, MINUTE, 6); /* another way of counting: what is used stays used */
    is_int(s_take("a", "five", 1, 30).allowed, false);
    is_int(s_take("a", "five", 1, 1030).allowed, true);
    s_policy("five", 8, MINUTE, 0);
    is_int(s_take("a", "five", 1, 1040).standing[0].remaining, 1);
    policies_keep(&s_engine.policies, NULL, 0);
    ok(!policies_find(&s_engine.policies, "five", 4));
    engine_free(&s_engine);
}

/* ---- what others know ------------------------------------------------------------------------ */

/* Tells the engine of one run, or one time of gcra. */
static bool s_absorb(const char *subject, const char *policy, policy_algorithm_t algorithm,
                     uint64_t number, uint32_t epoch, bool is_live, int64_t now_ms)
{
    buf_t bytes = { 0 };
    pack_t pack;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    pack_init(&pack, &bytes);
    pack_array(&pack, 1);
    pack_array(&pack, 3);
    pack_text(&pack, policy);
    pack_int(&pack, algorithm);
    pack_uint(&pack, number);
    absorb_t news = { .epoch = epoch,
                      .is_live = is_live,
                      .state =
                          value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict) };
    subject_t *who = engine_open(&s_engine, subject, strlen(subject), START + now_ms);
    bool good = engine_absorb(&s_engine, who, &news, START + now_ms);
    buf_free(&bytes);
    arena_free(&arena);
    return good;
}

static void test_epochs(void)
{
    s_open();
    ok(s_absorb("a", "five", POLICY_WINDOW, run_make(START, 3), 7, true, 0));
    ok(s_absorb("a", "five", POLICY_WINDOW, run_make(START, 2), 7, true,
                1)); /* the owner gave back */
    is_int(engine_find(&s_engine, "a", 1)->is_own, false);
    is_int(s_take("a", "five", 1, 2).standing[0].remaining, 2); /* taken over */
    is_int(engine_find(&s_engine, "a", 1)->epoch, 8);
    is_int(s_engine.takeover, 1);
    /* what comes late from the one before adds, and takes nothing away */
    ok(s_absorb("a", "five", POLICY_WINDOW, run_make(START, 1), 7, true, 3));
    is_int(s_take("a", "five", 2, 4).standing[0].remaining, 0);
    ok(s_absorb("a", "five", POLICY_WINDOW, run_make(START + 1, 2), 7, true, 5));
    is_int(s_engine.overrun, 2); /* it comes to light that two too many got through */
    /* somebody else is the owner now */
    ok(s_absorb("a", "five", POLICY_WINDOW, run_make(START + 6, 1), 9, true, 6));
    is_int(engine_find(&s_engine, "a", 1)->is_own, false);
    ok(TAILQ_EMPTY(&s_engine.dirty));
    engine_free(&s_engine);
}

static void test_what_cannot_be(void)
{
    static const struct {
        const char *policy;
        policy_algorithm_t algorithm;
        uint64_t number;
        int64_t retry_at_ms; /* of a take of all there is */
    } cases[] = {
        { "nobody", POLICY_WINDOW, 1, 0 },
        { "five", POLICY_GCRA, 1, 0 },                /* it counts in another way now */
        { "five", POLICY_WINDOW, UINT64_MAX, 60001 }, /* from the far future: used now */
        { "five", POLICY_WINDOW, 1, 0 },              /* long ago */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        note("case %zu", i);
        s_open();
        ok(s_absorb("a", cases[i].policy, cases[i].algorithm, cases[i].number, 1, false, 0));
        taken_t taken = s_take("a", "five", 5, 0);
        is_int(taken.retry_at_ms, cases[i].retry_at_ms ? START + cases[i].retry_at_ms : 0);
        engine_free(&s_engine);
    }
}

/* An even rate may be ahead by its whole burst, however long that takes. */
static void test_long_bursts(void)
{
    s_open();
    s_policy("slow", 1, LIMITER_WINDOW_MS_MAX, 4);
    int64_t tat_us = (START + 4 * LIMITER_WINDOW_MS_MAX) * 1000;
    ok(s_absorb("a", "slow", POLICY_GCRA, (uint64_t)tat_us, 1, false, 0));
    is_int(s_take("a", "slow", 1, 0).retry_at_ms, START + LIMITER_WINDOW_MS_MAX);
    engine_free(&s_engine);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void s_fill(size_t count, int64_t at_ms)
{
    char name[24];
    for (size_t i = 0; i < count; i++) {
        taken_t taken;
        snprintf(name, sizeof name, "s%zu", i);
        take_t take = s_make_take(name, "five", 1, 0);
        (void)!engine_take(&s_engine, &take, START + at_ms, &taken);
    }
}

static void test_full_of_what_counts(void)
{
    taken_t taken;
    s_open();
    s_engine.bytes_max = 20000;
    s_fill(1000, 0);
    ok(s_engine.bytes <= 20000 + 1000);
    take_t take = s_make_take("new", "five", 1, 0);
    is_int(engine_take(&s_engine, &take, START, &taken), ENGINE_NO_ROOM);
    is_int(s_take("s0", "five", 1, 0).standing[0].remaining, 3); /* nothing was forgotten */
    is_int(engine_take(&s_engine, &take, START + MINUTE + 1, &taken), ENGINE_DONE);
    is_int(s_engine.evicted, 0);
    engine_free(&s_engine);
}

static void test_idle_go(void)
{
    s_open();
    s_fill(10, 0);
    engine_evict_idle(&s_engine, START + MINUTE, 1000, 100);
    is_int(s_engine.count, 10); /* they still count, and nobody else knows them */
    engine_evict_idle(&s_engine, START + MINUTE + 1, 1000, 4);
    is_int(s_engine.count, 6);
    engine_evict_idle(&s_engine, START + MINUTE + 1, 1000, 100);
    is_int(s_engine.count, 0);
    is_int(s_engine.bytes, 0);
    engine_free(&s_engine);
}

TESTS({ "one_window", test_one_window }, { "subjects_are_apart", test_subjects_are_apart },
      { "all_or_nothing", test_all_or_nothing }, { "peek", test_peek }, { "refund", test_refund },
      { "large_limits", test_large_limits }, { "gcra", test_gcra },
      { "gcra_refund", test_gcra_refund }, { "leases", test_leases },
      { "lease_lasts", test_lease_lasts }, { "lease_returned", test_lease_returned },
      { "change_of_policy", test_change_of_policy }, { "epochs", test_epochs },
      { "what_cannot_be", test_what_cannot_be }, { "long_bursts", test_long_bursts },
      { "full_of_what_counts", test_full_of_what_counts }, { "idle_go", test_idle_go })
