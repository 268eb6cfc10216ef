/* SPDX-License-Identifier: MPL-2.0
 *
 * What is fired when somebody looks: on time, late, much too late.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/jobs/schedule.h"
#include "tests/kit/tzif.h"
#include "tests/tap.h"

#define NOW INT64_C(1800000000) /* a full minute */

static zone_t *s_utc(void)
{
    char why[ZONE_WHY_SIZE];
    buf_t file = { 0 };
    tzif_write(&file, 0, "UTC0");
    zone_t *zone = zone_parse(file.bytes, file.size, why);
    buf_free(&file);
    insist(zone);
    return zone;
}

static const struct {
    const char *name, *cron;
    int64_t decided; /* before NOW */
    size_t catch_up;
    size_t count;
    int64_t first, last;  /* before NOW */
    int64_t missed, next; /* after NOW */
} s_cases[] = {
    { "nothing is due", "*/5 * * * *", 0, 0, 0, 0, 0, 0, 300 },
    { "one is due", "* * * * *", 1, 0, 1, 0, 0, 0, 60 },
    { "each second since", "* * * * * *", 5, 0, 5, 4, 0, 0, 1 },
    { "as late as is on time", "* * * * * *", 40, 0, 31, 30, 0, 9, 1 },
    { "late ones are missed", "* * * * *", 600, 0, 1, 0, 0, 9, 60 },
    { "the last late one is made up", "* * * * *", 600, 1, 2, 60, 0, 8, 60 },
    { "several are made up, in order", "* * * * *", 600, 4, 5, 240, 0, 5, 60 },
    { "all are made up when there are fewer", "* * * * *", 600, 100, 10, 540, 0, 0, 60 },
    { "what is older than a week is forgotten", "0 * * * *", 31 * 86400, 100, 101, 100 * 3600, 0,
      67, 3600 },
    { "most at once", "* * * * * *", 3600, 100, 131, 130, 0, 3469, 1 },
    { "decided ahead of the clock", "* * * * *", -90, 1, 0, 0, 0, 0, 120 },
};

static void s_test_plan(void)
{
    zone_t *zone = s_utc();
    for (size_t i = 0; i < COUNT_OF(s_cases); i++) {
        char why[CRON_WHY_SIZE];
        cron_t cron;
        schedule_plan_t plan;
        insist(cron_parse(&cron, s_cases[i].cron, strlen(s_cases[i].cron), why));
        schedule_plan(&plan, &cron, zone, NOW - s_cases[i].decided, NOW, s_cases[i].catch_up);
        bool good = plan.count == s_cases[i].count && plan.missed == s_cases[i].missed &&
                    plan.next_s == NOW + s_cases[i].next &&
                    (plan.count == 0 || (plan.fires[0] == NOW - s_cases[i].first &&
                                         plan.fires[plan.count - 1] == NOW - s_cases[i].last));
        for (size_t n = 1; n < plan.count; n++)
            good = good && plan.fires[n] > plan.fires[n - 1];
        if (!ok_named(good, s_cases[i].name))
            note("%zu fires from -%lld to -%lld, %lld missed, next in %lld", plan.count,
                 (long long)(NOW - plan.fires[0]),
                 (long long)(plan.count ? NOW - plan.fires[plan.count - 1] : 0),
                 (long long)plan.missed, (long long)(plan.next_s - NOW));
    }
    zone_destroy(&zone);
}

static const struct {
    const char *cron;
    int64_t shortest;
} s_intervals[] = {
    { "* * * * * *", 1 },   { "0,50 * * * * *", 10 },   { "*/5 * * * *", 300 },
    { "0 0 * * *", 86400 }, { "0 9,10 * * MON", 3600 }, { "0 0 30 2 *", INT64_MAX },
};

static void s_test_shortest(void)
{
    zone_t *zone = s_utc();
    for (size_t i = 0; i < COUNT_OF(s_intervals); i++) {
        char why[CRON_WHY_SIZE];
        cron_t cron;
        insist(cron_parse(&cron, s_intervals[i].cron, strlen(s_intervals[i].cron), why));
        ok_named(schedule_shortest(&cron, zone, NOW, 50) == s_intervals[i].shortest,
                 s_intervals[i].cron);
    }
    zone_destroy(&zone);
}

TESTS({ "plan", s_test_plan }, { "shortest interval", s_test_shortest })
