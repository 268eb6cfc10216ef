/* SPDX-License-Identifier: MPL-2.0
 *
 * What an expression means, what is refused with which words, and when it is due: on plain days,
 * and where clocks are changed.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/base/clock.h"
#include "actors/jobs/cron.h"
#include "actors/jobs/zones.h"
#include "tests/tap.h"

#define YEARS_S (INT64_C(366) * 86400)

static int64_t s_time(const char *text)
{
    int64_t ms;
    insist(clock_parse(text, strlen(text), &ms));
    return ms / 1000;
}

typedef struct {
    const char *expression, *zone, *after;
    const char *due[6]; /* the next ones; NULL: none within the horizon */
} due_t;

static void s_check_due(const due_t *cases, size_t count)
{
    char why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE], text[CLOCK_TEXT_SIZE], name[160];
    zones_t *zones = zones_new(ZONES_FOLDER);
    for (size_t i = 0; i < count; i++) {
        cron_t cron;
        const due_t *now = &cases[i];
        const zone_t *zone = zones_get(zones, now->zone, zone_why);
        int64_t at = s_time(now->after);
        if (!ok_named(zone && cron_parse(&cron, now->expression, strlen(now->expression), why),
                      now->expression)) {
            note("%s%s", zone_why, why);
            continue;
        }
        for (size_t d = 0; d == 0 || (d < COUNT_OF(now->due) && now->due[d]); d++) {
            bool found = cron_next(&cron, zone, at, at + CRON_HORIZON_S, &at);
            const char *seen = found ? clock_text(at * 1000, text) : "never";
            const char *wanted = now->due[d] ? now->due[d] : "never";
            snprintf(name, sizeof name, "'%s' in %s after %s: firing %zu", now->expression,
                     now->zone, now->after, d + 1);
            if (!ok_named(strncmp(seen, wanted, strlen(wanted) - 1) == 0, name))
                note("got %s, expected %s", seen, wanted);
        }
    }
    zones_destroy(&zones);
}

/* ---- what an expression means ---------------------------------------------------------------- */

static const due_t s_plain[] = {
    { "*/15 * * * *",
      "UTC",
      "2026-01-31T23:40:00Z",
      { "2026-01-31T23:45:00Z", "2026-02-01T00:00:00Z", "2026-02-01T00:15:00Z" } },
    { "0 9 * * MON-FRI",
      "UTC",
      "2026-01-30T09:00:00Z",
      { "2026-02-02T09:00:00Z", "2026-02-03T09:00:00Z" } },
    { "30 8,17 1 jan,Jul *",
      "UTC",
      "2026-01-01T08:30:00Z",
      { "2026-01-01T17:30:00Z", "2026-07-01T08:30:00Z", "2026-07-01T17:30:00Z",
        "2027-01-01T08:30:00Z" } },
    { "*/20 30 12 * * *",
      "UTC",
      "2026-03-01T12:30:00Z",
      { "2026-03-01T12:30:20Z", "2026-03-01T12:30:40Z", "2026-03-02T12:30:00Z" } },
    { "5/25 * * * *",
      "UTC",
      "2026-03-01T12:00:00Z",
      { "2026-03-01T12:05:00Z", "2026-03-01T12:30:00Z", "2026-03-01T12:55:00Z",
        "2026-03-01T13:05:00Z" } },
    { "10-30/10 6 * * *",
      "UTC",
      "2026-03-01T06:20:00Z",
      { "2026-03-01T06:30:00Z", "2026-03-02T06:10:00Z" } },
    { "0 0 L * *",
      "UTC",
      "2024-01-31T00:00:00Z",
      { "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z" } },
    { "0 0 15,L 2 *",
      "UTC",
      "2026-02-01T00:00:00Z",
      { "2026-02-15T00:00:00Z", "2026-02-28T00:00:00Z", "2027-02-15T00:00:00Z" } },
    { "0 12 * * FRIL",
      "UTC",
      "2026-01-01T00:00:00Z",
      { "2026-01-30T12:00:00Z", "2026-02-27T12:00:00Z", "2026-03-27T12:00:00Z" } },
    { "0 12 * * 7l",
      "UTC",
      "2026-01-01T00:00:00Z",
      { "2026-01-25T12:00:00Z", "2026-02-22T12:00:00Z" } },
    { "0 0 13 * FRI",
      "UTC",
      "2026-02-01T00:00:00Z", /* either: Fridays, and the 13th */
      { "2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z",
        "2026-02-27T00:00:00Z", "2026-03-06T00:00:00Z" } },
    { "0 0 */2 * MON",
      "UTC",
      "2026-02-01T00:00:00Z", /* both: Mondays on odd days */
      { "2026-02-09T00:00:00Z", "2026-02-23T00:00:00Z" } },
    { "0 0 * * 7", "UTC", "2026-02-01T00:00:00Z", { "2026-02-08T00:00:00Z" } },
    { "0 0 * * FRI-SUN",
      "UTC",
      "2026-02-01T00:00:00Z",
      { "2026-02-06T00:00:00Z", "2026-02-07T00:00:00Z", "2026-02-08T00:00:00Z",
        "2026-02-13T00:00:00Z" } },
    { "@hourly", "UTC", "2026-02-01T00:00:00Z", { "2026-02-01T01:00:00Z" } },
    { "@Weekly", "UTC", "2026-02-01T00:00:00Z", { "2026-02-08T00:00:00Z" } },
    { "@yearly", "UTC", "2026-02-01T00:00:00Z", { "2027-01-01T00:00:00Z" } },
    { "  0\t9 * * *  ", "Asia/Kolkata", "2026-02-01T03:30:00Z", { "2026-02-02T03:30:00Z" } },
    { "0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", { "2104-02-29T00:00:00Z" } },
    { "0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", { NULL } },
    { "0 0 31 4,6,9,11 *", "UTC", "2026-01-01T00:00:00Z", { NULL } },
    { "59 59 23 31 12 *",
      "UTC",
      "1969-12-31T23:59:58Z",
      { "1969-12-31T23:59:59Z", "1970-12-31T23:59:59Z" } },
};

static void s_test_meaning(void)
{
    s_check_due(s_plain, COUNT_OF(s_plain));
}

/* ---- changes of the clock -------------------------------------------------------------------- */

static const due_t s_changes[] = {
    /* Berlin, 2026-03-29: at 02:00 it is 03:00 (01:00 UTC) */
    { "30 2 * * *",
      "Europe/Berlin",
      "2026-03-27T12:00:00Z",
      { "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z" } },
    { "0,15,30 2-3 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00:00Z", /* at the jump, once */
      { "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z",
        "2026-03-30T00:00:00Z" } },
    { "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:15:00Z",
      { "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z" } },
    /* Berlin, 2026-10-25: at 03:00 it is 02:00 again (01:00 UTC) */
    { "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      { "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" } },
    { "30 2 * * *",
      "Europe/Berlin",
      "2026-10-25T01:10:00Z", /* asked within the second 02:00 */
      { "2026-10-26T01:30:00Z" } },
    { "0 3 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", { "2026-10-25T02:00:00Z" } },
    { "*/30 * * * *",
      "Europe/Berlin",
      "2026-10-25T00:15:00Z",
      { "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z" } },
    { "@hourly",
      "Europe/Berlin",
      "2026-10-25T00:00:00Z",
      { "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z" } },
    /* New York, 2026-03-08 at 07:00 UTC, 2026-11-01 at 06:00 UTC */
    { "30 2 * * SUN", "America/New_York", "2026-03-07T00:00:00Z", { "2026-03-08T07:00:00Z" } },
    { "30 1 * * *",
      "America/New_York",
      "2026-10-31T12:00:00Z",
      { "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z" } },
    /* Lord Howe moves by half an hour: 2026-10-04 02:00 is 02:30 (2026-10-03 15:30 UTC) */
    { "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-03T12:00:00Z",
      { "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z" } },
    /* in Beirut the day begins at 01:00 on 2026-03-29 */
    { "0 0 * * *",
      "Asia/Beirut",
      "2026-03-28T12:00:00Z",
      { "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z" } },
    /* Apia had no 2011-12-30 */
    { "0 9 30 12 *",
      "Pacific/Apia",
      "2011-12-01T00:00:00Z",
      { "2011-12-30T10:00:00Z", "2012-12-29T19:00:00Z" } },
    /* far behind the table of the file, by the rule in its footer */
    { "30 2 * * *",
      "Europe/Berlin",
      "2099-03-28T12:00:00Z",
      { "2099-03-29T01:00:00Z", "2099-03-30T00:30:00Z" } },
    { "30 2 * * *", "America/Santiago", "2060-01-01T00:00:00Z", { "2060-01-01T05:30:00Z" } },
};

static void s_test_changes(void)
{
    s_check_due(s_changes, COUNT_OF(s_changes));
}

static void s_test_bound(void)
{
    char why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE];
    cron_t cron;
    int64_t due, noon = s_time("2026-01-01T12:00:00Z");
    zones_t *zones = zones_new(ZONES_FOLDER);
    const zone_t *zone = zones_get(zones, "UTC", zone_why);
    ok(cron_parse(&cron, "0 12 * * *", 10, why));
    ok(!cron_next(&cron, zone, noon, noon + 86399, &due));
    ok(cron_next(&cron, zone, noon, noon + 86400, &due));
    is_int(due, noon + 86400);
    ok(cron_parse(&cron, "* * * * * *", 11, why));
    ok(!cron_next(&cron, zone, noon, noon, &due));
    ok(cron_next(&cron, zone, noon, noon + 1, &due));
    is_int(due, noon + 1);
    zones_destroy(&zones);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static const struct {
    const char *expression, *why; /* how the sentence begins */
} s_bad[] = {
    { "", "It has 0 fields; write five" },
    { "*", "It has 1 field; write five" },
    { "* * * *", "It has 4 fields" },
    { "* * * * * * *", "It has 7 fields" },
    { "@reboot", "That shorthand is not known; write @yearly" },
    { "60 * * * *", "minute: '60' is not understood; write 0 to 59" },
    { "60 * * * * *", "second: '60' is not understood; write 0 to 59" },
    { "* 24 * * *", "hour: '24' is not understood; write 0 to 23" },
    { "* * 0 * *", "day of month: '0' is not understood; write 1 to 31, or L" },
    { "* * 32 * *", "day of month: '32'" },
    { "* * * 13 *", "month: '13' is not understood; write 1 to 12, or JAN to DEC" },
    { "* * * JANUARY *", "month: 'JANUARY'" },
    { "* * * * 8", "day of week: '8' is not understood; write 0 to 7 (0 and 7 are Sunday)" },
    { "* * * * FOO", "day of week: 'FOO'" },
    { "* * * * L", "day of week: 'L'" },
    { "* * * * MON-FRIL", "day of week: 'MON-FRIL'" },
    { "* * L-3 * *", "day of month: 'L-3'" },
    { "30-10 * * * *", "minute: the range '30-10' ends before it begins" },
    { "* * * * FRI-MON", "day of week: the range 'FRI-MON' ends before it begins" },
    { "*/0 * * * *", "minute: the step of '*/0' must be 1 to 59" },
    { "*/60 * * * *", "minute: the step of '*/60' must be 1 to 59" },
    { "*/ * * * *", "minute: the step of '*/' must be 1 to 59" },
    { "1,,2 * * * *", "minute: '' is not understood" },
    { "1, * * * *", "minute: '' is not understood" },
    { "1- * * * *", "minute: '1-' is not understood" },
    { "-1 * * * *", "minute: '-1' is not understood" },
    { "+1 * * * *", "minute: '+1' is not understood" },
    { "1.5 * * * *", "minute: '1.5' is not understood" },
    { "001 * * * *", "minute: '001' is not understood" },
    { "99999999999999999999 * * * *", "minute: '99999999999999999999' is not understood" },
    { "? * * * *", "minute: '?' is not understood" },
    { "*5 * * * *", "minute: '*5' is not understood" },
    { "* * * * MON#1", "day of week: 'MON#1' is not understood" },
    { "xxxxxxxxxxxxxxxxxxx\xc3\xa9 * * * *", "minute: 'xxxxxxxxxxxxxxxxxxx' is not understood" },
};

static void s_test_refusals(void)
{
    char why[CRON_WHY_SIZE], longest[CRON_TEXT_BYTES + 2];
    cron_t cron;
    for (size_t i = 0; i < COUNT_OF(s_bad); i++) {
        const char *text = s_bad[i].expression;
        bool taken = cron_parse(&cron, text, strlen(text), why);
        if (!ok_named(!taken && strncmp(why, s_bad[i].why, strlen(s_bad[i].why)) == 0, text))
            note("got '%s', expected '%s'", taken ? "no refusal" : why, s_bad[i].why);
    }
    memset(longest, ' ', sizeof longest);
    memcpy(longest, "* * * * *", 9);
    ok(cron_parse(&cron, longest, CRON_TEXT_BYTES, why));
    ok(!cron_parse(&cron, longest, CRON_TEXT_BYTES + 1, why));
    is_text(why, "It is longer than 200 bytes");
    ok(!cron_parse(&cron, "* * * * *\0*", 11, why)); /* a NUL is no space */
}

TESTS({ "meaning", s_test_meaning }, { "changes of the clock", s_test_changes },
      { "the bound", s_test_bound }, { "refusals", s_test_refusals })
