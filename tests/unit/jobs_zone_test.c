/* SPDX-License-Identifier: MPL-2.0
 *
 * Zones of the system, files that are none, names that are none, and rules of footers.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/jobs/calendar.h"
#include "actors/jobs/zone_rule.h"
#include "actors/jobs/zones.h"
#include "tests/kit/tzif.h"
#include "tests/tap.h"

static int64_t s_time(const char *text)
{
    int64_t ms;
    insist(clock_parse(text, strlen(text), &ms));
    return ms / 1000;
}

/* ---- the calendar ---------------------------------------------------------------------------- */

static void s_test_calendar(void)
{
    is_int(calendar_day(1970, 1, 1), 0);
    is_int(calendar_day(2000, 3, 1), 11017);
    is_int(calendar_weekday(calendar_day(2026, 11, 21)), 6);
    is_int(calendar_weekday(calendar_day(1969, 12, 28)), 0);
    is_int(calendar_month_days(2024, 2), 29);
    is_int(calendar_month_days(2100, 2), 28);
    is_int(calendar_month_days(2026, 12), 31);
    is_int(calendar_day_of(-1), -1);
    is_int(calendar_second_of(-1), 86399);
    bool same = true;
    for (int64_t day = calendar_day(1599, 12, 1); day < calendar_day(2401, 1, 1); day++) {
        date_t date = calendar_date(day);
        same = same && calendar_day(date.year, date.month, date.day) == day && date.day >= 1 &&
               date.day <= calendar_month_days(date.year, date.month);
    }
    ok_named(same, "eight hundred years of days to dates and back");
}

/* ---- zones of the system --------------------------------------------------------------------- */

static const struct {
    const char *name, *at;
    int32_t offset;
} s_offsets[] = {
    { "UTC", "2026-07-01T00:00:00Z", 0 },
    { "Europe/Berlin", "2026-03-29T00:59:59Z", 3600 },
    { "Europe/Berlin", "2026-03-29T01:00:00Z", 7200 },
    { "Europe/Berlin", "2026-10-25T00:59:59Z", 7200 },
    { "Europe/Berlin", "2026-10-25T01:00:00Z", 3600 },
    { "Europe/Berlin", "1890-01-01T00:00:00Z", 3208 }, /* local mean time */
    { "Europe/Berlin", "2500-07-01T00:00:00Z", 7200 },
    { "America/New_York", "2026-11-01T05:59:59Z", -4 * 3600 },
    { "America/New_York", "2026-11-01T06:00:00Z", -5 * 3600 },
    { "Australia/Lord_Howe", "2026-01-01T00:00:00Z", 11 * 3600 },
    { "Australia/Lord_Howe", "2026-07-01T00:00:00Z", 37800 },
    { "Asia/Kathmandu", "2026-01-01T00:00:00Z", 20700 },
    { "Africa/Casablanca", "2026-03-01T00:00:00Z", 0 }, /* Ramadan: a table, no rule */
    { "America/Argentina/Buenos_Aires", "2026-01-01T00:00:00Z", -3 * 3600 },
    { "Etc/GMT+12", "2026-01-01T00:00:00Z", -12 * 3600 },
};

static void s_test_system(void)
{
    char why[ZONES_WHY_SIZE], name[96];
    zones_t *zones = zones_new(ZONES_FOLDER);
    for (size_t i = 0; i < COUNT_OF(s_offsets); i++) {
        const zone_t *zone = zones_get(zones, s_offsets[i].name, why);
        snprintf(name, sizeof name, "%s at %s", s_offsets[i].name, s_offsets[i].at);
        int64_t at = s_time(s_offsets[i].at);
        if (!zone) {
            note("%s", why);
            ok_named(false, name);
            continue;
        }
        zone_span_t span = zone_span(zone, at);
        ok_named(span.offset == s_offsets[i].offset && span.from <= at && at < span.to, name);
    }
    ok(zones_get(zones, "Europe/Berlin", why) == zones_get(zones, "Europe/Berlin", why));
    zones_destroy(&zones);
}

static void s_test_wall(void)
{
    char why[ZONES_WHY_SIZE];
    zones_t *zones = zones_new(ZONES_FOLDER);
    const zone_t *berlin = zones_get(zones, "Europe/Berlin", why);
    insist(berlin);
    is_int(zone_first(berlin, s_time("2026-01-01T12:00:00Z")), s_time("2026-01-01T11:00:00Z"));
    /* skipped: the jump; shown twice: the first time */
    is_int(zone_first(berlin, s_time("2026-03-29T02:00:00Z")), s_time("2026-03-29T01:00:00Z"));
    is_int(zone_first(berlin, s_time("2026-03-29T02:59:59Z")), s_time("2026-03-29T01:00:00Z"));
    is_int(zone_first(berlin, s_time("2026-10-25T02:30:00Z")), s_time("2026-10-25T00:30:00Z"));
    is_int(zone_first(berlin, s_time("2026-10-25T03:00:00Z")), s_time("2026-10-25T02:00:00Z"));
    is_int(zone_latest(berlin, s_time("2026-10-25T00:30:00Z")), s_time("2026-10-25T02:30:00Z"));
    is_int(zone_latest(berlin, s_time("2026-10-25T01:30:00Z")), s_time("2026-10-25T02:59:59Z"));
    is_int(zone_latest(berlin, s_time("2026-10-25T02:30:00Z")), s_time("2026-10-25T03:30:00Z"));
    zones_destroy(&zones);
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *const s_no_names[] = {
    "",
    "/",
    "../../etc/passwd",
    "Europe/../../passwd",
    "/usr/share/zoneinfo/UTC",
    "Europe//Berlin",
    "Europe/",
    "Europe",
    "Europe/Berlin ",
    "europe\\berlin",
    "Mars/Olympus",
    "localtime",
    "posixrules",
    "posix/UTC",
    "right/UTC",
    "tzdata.zi",
    "leapseconds",
    "zone.tab",
    "Europe/Berlin/",
    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void s_test_names(void)
{
    char why[ZONES_WHY_SIZE];
    zones_t *zones = zones_new(ZONES_FOLDER);
    for (size_t i = 0; i < COUNT_OF(s_no_names); i++)
        ok_named(!zones_get(zones, s_no_names[i], why) && why[0], s_no_names[i]);
    ok(!zones_get(zones, "Europe/Paradise", why));
    is_text(why, "'Europe/Paradise' is no time zone of this system: write an IANA name such as "
                 "Europe/Berlin, America/New_York or UTC");
    zones_destroy(&zones);
}

/* ---- files ----------------------------------------------------------------------------------- */

static zone_t *s_parse(const buf_t *file)
{
    char why[ZONE_WHY_SIZE];
    zone_t *zone = zone_parse(file->bytes, file->size, why);
    insist(zone ? !why[0] : why[0]);
    return zone;
}

static void s_test_files(void)
{
    buf_t file = { 0 };
    char why[ZONE_WHY_SIZE];
    tzif_write(&file, 1000, "");
    zone_t *zone = s_parse(&file);
    insist(zone);
    zone_span_t before = zone_span(zone, 999), after = zone_span(zone, 1000);
    ok(before.from == INT64_MIN && before.to == 1000 && before.offset == 0);
    ok(after.from == 1000 && after.to == INT64_MAX && after.offset == 3600);
    is_int(zone_first(zone, 1000), 1000);
    is_int(zone_first(zone, 4599), 1000);
    is_int(zone_first(zone, 4600), 1000);
    is_int(zone_first(zone, 4601), 1001);
    zone_destroy(&zone);
    bool all_refused = true;
    for (size_t size = 0; size < file.size - 1; size++) {
        zone = zone_parse(file.bytes, size, why);
        all_refused = all_refused && !zone && why[0];
        zone_destroy(&zone);
    }
    ok_named(all_refused, "a file that ends early is refused, wherever it ends");

    /* in each byte of the headers and the types */
    size_t read = 0;
    for (size_t i = 0; i < file.size; i++) {
        file.bytes[i] ^= 0xff;
        zone = s_parse(&file);
        read += zone != NULL;
        zone_destroy(&zone);
        file.bytes[i] ^= 0xff;
    }
    note("%zu of %zu flips left a readable file", read, file.size);

    tzif_write(&file, INT64_MAX, "");
    ok(!zone_parse(file.bytes, file.size, why));
    is_text(why, "the time zone file is damaged");
    tzif_write(&file, 0, "XYZ");
    ok(!zone_parse(file.bytes, file.size, why));
    tzif_write(&file, 0, "");
    file.bytes[4] = 0;
    ok(!zone_parse(file.bytes, file.size, why));
    is_text(why, "it is a time zone file of version 1, which knows no future");
    ok(!zone_parse("hello", 5, why));
    is_text(why, "it is no time zone file (RFC 8536)");
    buf_free(&file);
}

/* ---- updates of the time zone data ----------------------------------------------------------- */

static void s_put_file(const char *path, const buf_t *bytes)
{
    char other[64];
    snprintf(other, sizeof other, "%s.new", path);
    int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    insist(fd >= 0 && write(fd, bytes->bytes, bytes->size) == (ssize_t)bytes->size);
    close(fd);
    insist(rename(other, path) == 0);
}

static void s_test_updates(void)
{
    char folder[] = "/tmp/sbx-zones-XXXXXX", path[64], why[ZONES_WHY_SIZE];
    buf_t file = { 0 };
    insist(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Here", folder);
    zones_t *zones = zones_new(folder);
    tzif_write(&file, 1000, "");
    s_put_file(path, &file);
    const zone_t *old = zones_get(zones, "Here", why);
    insist(old);
    tzif_write(&file, 2000, "");
    s_put_file(path, &file);
    const zone_t *young = zones_get(zones, "Here", why);
    insist(young);
    is_int(zone_span(young, 0).to, 2000);
    is_int(zone_span(old, 0).to, 1000);
    file.size = 3;
    s_put_file(path, &file);
    ok(!zones_get(zones, "Here", why));
    is_text(why, "The time zone 'Here' cannot be used: it is no time zone file (RFC 8536)");
    insist(unlink(path) == 0);
    ok(!zones_get(zones, "Here", why));
    insist(rmdir(folder) == 0);
    zones_destroy(&zones);
    buf_free(&file);
}

/* ---- rules of footers ------------------------------------------------------------------------ */

static const struct {
    const char *rule, *at;
    int32_t offset;
    const char *from, *to; /* NULL: for ever */
} s_rules[] = {
    { "UTC0", "2026-01-01T00:00:00Z", 0, NULL, NULL },
    { "<+0530>-5:30", "2026-01-01T00:00:00Z", 19800, NULL, NULL },
    { "CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z", 7200, "2026-03-29T01:00:00Z",
      "2026-10-25T01:00:00Z" },
    { "EST5EDT,M3.2.0,M11.1.0", "2026-01-01T00:00:00Z", -18000, "2025-11-02T06:00:00Z",
      "2026-03-08T07:00:00Z" },
    { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-01-01T00:00:00Z", 39600, "2025-10-04T15:30:00Z",
      "2026-04-04T15:00:00Z" },
    { "IST-2IDT,M3.4.4/26,M10.5.0", "2026-07-01T00:00:00Z", 10800, "2026-03-27T00:00:00Z",
      "2026-10-24T23:00:00Z" },
    { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-07-01T00:00:00Z", -3600, "2026-03-29T01:00:00Z",
      "2026-10-25T01:00:00Z" },
    { "AAA0BBB,J60,J300", "2028-07-01T00:00:00Z", 3600, "2028-03-01T02:00:00Z",
      "2028-10-27T01:00:00Z" },
    { "AAA0BBB,59,299", "2028-07-01T00:00:00Z", 3600, "2028-02-29T02:00:00Z",
      "2028-10-26T01:00:00Z" },
    /* summer time all the year round (RFC 8536, 3.3.1) */
    { "XXX3EDT4,0/0,J365/23", "2026-07-01T00:00:00Z", -14400, "2026-01-01T03:00:00Z",
      "2027-01-01T03:00:00Z" },
    { "AAA0BBB,J1/-167,J2/-167", "2026-12-30T00:00:00Z", 0, "2026-12-26T00:00:00Z",
      "2027-12-25T01:00:00Z" },
    { "AAA0BBB,J364/167,J365/167", "2026-01-03T00:00:00Z", 0, "2025-01-06T22:00:00Z",
      "2026-01-05T23:00:00Z" },
};

static const char *const s_bad_rules[] = {
    "",
    "X0",
    "UTC",
    "UTC25",
    "CET-1CEST",
    "CET-1CEST,M3.5.0",
    "CET-1CEST,M3.5.0,",
    "A-1B,J1,J2",
    "CET-1CEST,M0.5.0,M10.5.0",
    "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0",
    "CET-1CEST,J0,J5",
    "CET-1CEST,J366,J5",
    "CET-1CEST,366,5",
    "CET-1CEST,M3.5.0/168,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0/3x",
    "<+05-5",
    "CET-1:60",
    "CET-",
    "CET-1CEST-,M3.5.0,M10.5.0",
};

static void s_test_rules(void)
{
    zone_rule_t rule;
    for (size_t i = 0; i < COUNT_OF(s_rules); i++) {
        const char *text = s_rules[i].rule;
        if (!ok_named(zone_rule_parse(&rule, text, strlen(text)), text))
            continue;
        zone_span_t span = zone_rule_span(&rule, s_time(s_rules[i].at));
        int64_t from = s_rules[i].from ? s_time(s_rules[i].from) : INT64_MIN;
        int64_t to = s_rules[i].to ? s_time(s_rules[i].to) : INT64_MAX;
        if (!ok_named(span.offset == s_rules[i].offset && span.from == from && span.to == to, text))
            note("%d from %lld to %lld, expected %d from %lld to %lld", span.offset,
                 (long long)span.from, (long long)span.to, s_rules[i].offset, (long long)from,
                 (long long)to);
    }
    for (size_t i = 0; i < COUNT_OF(s_bad_rules); i++)
        ok_named(!zone_rule_parse(&rule, s_bad_rules[i], strlen(s_bad_rules[i])), s_bad_rules[i]);
}

TESTS({ "calendar", s_test_calendar }, { "zones of the system", s_test_system },
      { "wall times", s_test_wall }, { "names", s_test_names }, { "files", s_test_files },
      { "updates", s_test_updates }, { "rules", s_test_rules })
