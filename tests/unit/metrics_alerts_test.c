/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/metrics/alerts.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

#define REPEAT_MS 60000
#define WALL_MS   INT64_C(1700000000000)

#define ALL_WELL "{\"instances\":[{\"part\":\"edge\",\"instance\":\"one\",\"down\":0}]}"
#define ONE_DOWN "{\"instances\":[{\"part\":\"edge\",\"instance\":\"one\",\"down\":1}]}"
#define TWO_DOWN                                                                                   \
    "{\"instances\":[{\"part\":\"edge\",\"instance\":\"one\",\"down\":1},"                         \
    "{\"part\":\"edge\",\"instance\":\"two\",\"down\":1}]}"

typedef struct {
    alerts_t alerts;
    size_t told[3]; /* by step */
    char id[ID_UUID_SIZE];
} stage_t;

static void s_on_alert(void *arg, const alert_t *alert, alert_step_t step)
{
    stage_t *stage = arg;
    stage->told[step]++;
    memcpy(stage->id, alert->id, sizeof stage->id);
}

static void s_look(stage_t *stage, const char *json, uint64_t now_ms, bool tells)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    buf_t packed = described_pack(json);
    memset(stage->told, 0, sizeof stage->told);
    alerts_look(&stage->alerts,
                &(alerts_look_t){ .summary = value_parse(&arena, packed.bytes, packed.size,
                                                         VALUE_LIMITS, &verdict),
                                  .now_ms = now_ms,
                                  .wall_ms = WALL_MS + (int64_t)now_ms,
                                  .tells = tells,
                                  .tell = s_on_alert,
                                  .arg = stage });
    arena_free(&arena);
    buf_free(&packed);
}

static bool s_told(const stage_t *stage, size_t fires, size_t still, size_t ends)
{
    return stage->told[ALERT_FIRES] == fires && stage->told[ALERT_FIRES_STILL] == still &&
           stage->told[ALERT_ENDS] == ends;
}

/* From the first sign to the end. */
static void test_life(void)
{
    static const struct {
        const char *what, *summary;
        uint64_t at_ms;
        size_t fires, still, ends;
        int64_t count;
    } steps[] = {
        { "all is well", ALL_WELL, 1000, 0, 0, 0, 0 },
        { "one is down", ONE_DOWN, 2000, 0, 0, 0, 0 },
        { "not for long enough", ONE_DOWN, 6999, 0, 0, 0, 0 },
        { "long enough", ONE_DOWN, 7000, 1, 0, 0, 1 },
        { "told already", ONE_DOWN, 8000, 0, 0, 0, 1 },
        { "another one, too", TWO_DOWN, 9000, 0, 0, 0, 1 },
        { "long enough, too", TWO_DOWN, 14000, 1, 0, 0, 2 },
        { "before it is time to repeat", TWO_DOWN, 66999, 0, 0, 0, 2 },
        { "the first is told again", TWO_DOWN, 67000, 0, 1, 0, 2 },
        { "the second is back", ONE_DOWN, 68000, 0, 0, 1, 1 },
        { "both are", ALL_WELL, 69000, 0, 0, 1, 0 },
        { "nothing more to tell", ALL_WELL, 70000, 0, 0, 0, 0 },
        { "down for a moment", ONE_DOWN, 71000, 0, 0, 0, 0 },
        { "and back", ALL_WELL, 72000, 0, 0, 0, 0 },
        { "so it begins anew", ONE_DOWN, 76500, 0, 0, 0, 0 },
    };
    stage_t stage = { 0 };
    alerts_init(&stage.alerts, REPEAT_MS);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        s_look(&stage, steps[i].summary, steps[i].at_ms, true);
        ok_named(s_told(&stage, steps[i].fires, steps[i].still, steps[i].ends), steps[i].what);
        is_int(alerts_count(&stage.alerts), steps[i].count);
    }
    alerts_free(&stage.alerts);
}

/* What happens in a moment counts for a while. */
static void test_lingering(void)
{
    stage_t stage = { 0 };
    alerts_init(&stage.alerts, REPEAT_MS);
    s_look(&stage, "{\"jobs\":{\"dead_per_s\":0.2}}", 1000, true);
    ok(s_told(&stage, 1, 0, 0));
    s_look(&stage, "{\"jobs\":{\"dead_per_s\":0}}", 2000, true);
    ok(s_told(&stage, 0, 0, 0));
    s_look(&stage, "{\"jobs\":{\"dead_per_s\":0}}", 301000, true);
    ok(s_told(&stage, 0, 1, 0));
    s_look(&stage, "{\"jobs\":{\"dead_per_s\":0}}", 301001, true);
    ok(s_told(&stage, 0, 0, 1));
    alerts_free(&stage.alerts);
}

#define ROUTE(rate, ratio)                                                                         \
    "{\"routes\":[{\"method\":\"GET\",\"route\":\"/a\",\"requests_per_s\":" rate                   \
    ",\"error_ratio\":" ratio "}]}"

/* All of a route's requests fail, but there are few: now and then there is none between two
 * snapshots. */
static void test_pauses(void)
{
    static const struct {
        const char *what, *summary;
        uint64_t at_ms;
        size_t fires, ends;
    } steps[] = {
        { "one fails", ROUTE("0.2", "1"), 1000, 0, 0 },
        { "nobody asks", ROUTE("0", "0"), 6000, 0, 0 },
        { "one fails", ROUTE("0.2", "1"), 20000, 0, 0 },
        { "nobody asks", ROUTE("0", "0"), 39000, 0, 0 },
        { "one fails", ROUTE("0.2", "1"), 39999, 0, 0 },
        { "nobody asks", ROUTE("0", "0"), 59000, 0, 0 },
        { "one fails", ROUTE("0.2", "1"), 61000, 1, 0 },
        { "nobody asks", ROUTE("0", "0"), 80999, 0, 0 },
        { "for so long that it is over", ROUTE("0", "0"), 81001, 0, 1 },
        { "one fails", ROUTE("0.2", "1"), 90000, 0, 0 },
        { "one is answered", ROUTE("0.2", "0"), 95000, 0, 0 },
        { "nobody asks", ROUTE("0", "0"), 96000, 0, 0 },
        { "so it begins anew", ROUTE("0.2", "1"), 151000, 0, 0 },
    };
    stage_t stage = { 0 };
    alerts_init(&stage.alerts, REPEAT_MS);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        s_look(&stage, steps[i].summary, steps[i].at_ms, true);
        ok_named(s_told(&stage, steps[i].fires, 0, steps[i].ends), steps[i].what);
    }
    alerts_free(&stage.alerts);
}

/* Two instances of the service: one tells, the other takes over under the same id. */
static void test_taking_over(void)
{
    stage_t one = { 0 }, other = { 0 };
    alerts_init(&one.alerts, REPEAT_MS);
    alerts_init(&other.alerts, REPEAT_MS);
    for (uint64_t now_ms = 1000; now_ms <= 6000; now_ms += 1000) {
        s_look(&one, ONE_DOWN, now_ms, true);
        s_look(&other, ONE_DOWN, now_ms + 300, false);
    }
    ok(s_told(&one, 1, 0, 0));
    ok(s_told(&other, 0, 0, 0));
    s_look(&other, ONE_DOWN, 7000, true);
    ok(s_told(&other, 0, 1, 0));
    is_text(other.id, one.id);
    s_look(&other, ALL_WELL, 8000, true);
    ok(s_told(&other, 0, 0, 1));
    alerts_free(&one.alerts);
    alerts_free(&other.alerts);
}

/* The one who tells is gone, and it is over before anybody has noticed that. */
static void test_taking_over_late(void)
{
    stage_t other = { 0 };
    alerts_init(&other.alerts, REPEAT_MS);
    s_look(&other, ONE_DOWN, 1000, false);
    s_look(&other, ONE_DOWN, 6000, false);
    is_int(alerts_count(&other.alerts), 1);
    s_look(&other, ALL_WELL, 7000, false);
    is_int(alerts_count(&other.alerts), 0);
    s_look(&other, ALL_WELL, 22000, true);
    ok(s_told(&other, 0, 0, 1));
    s_look(&other, ALL_WELL, 23000, true);
    ok(s_told(&other, 0, 0, 0));

    /* broken again meanwhile: another firing, with an id of its own */
    char id[ID_UUID_SIZE];
    memcpy(id, other.id, sizeof id);
    for (uint64_t now_ms = 100000; now_ms <= 105000; now_ms += 1000)
        s_look(&other, ONE_DOWN, now_ms, false);
    s_look(&other, ALL_WELL, 106000, false);
    s_look(&other, ONE_DOWN, 107000, false);
    s_look(&other, ONE_DOWN, 108000, true);
    ok(s_told(&other, 0, 0, 0)); /* not for long enough */
    s_look(&other, ONE_DOWN, 112000, true);
    ok(s_told(&other, 1, 0, 0));
    ok(strcmp(other.id, id) != 0);

    /* somebody has told: what is kept for that is not kept for long */
    s_look(&other, ALL_WELL, 113000, false);
    is_int(HASH_COUNT(other.alerts.list), 1);
    s_look(&other, ALL_WELL, 113000 + ALERTS_UNTOLD_MS, false);
    is_int(HASH_COUNT(other.alerts.list), 0);
    alerts_free(&other.alerts);
}

static void test_written(void)
{
    stage_t stage = { 0 };
    arena_t arena = { 0 };
    buf_t bytes = { 0 };
    pack_t pack;
    value_verdict_t verdict;
    alerts_init(&stage.alerts, REPEAT_MS);
    s_look(&stage, TWO_DOWN, 1000, true);
    s_look(&stage, ONE_DOWN, 6000, true);
    pack_init(&pack, &bytes);
    alerts_write(&stage.alerts, &pack);
    const value_t *list = value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict);
    is_int(list->count, 1);
    const value_t *alert = value_item(list, 0), *labels = value_get(alert, "labels");
    ok(value_is(value_get(alert, "name"), "InstanceDown"));
    ok(value_is(value_get(alert, "status"), "firing"));
    ok(value_is(value_get(alert, "severity"), "critical"));
    ok(value_is(value_get(alert, "since"), "2023-11-14T22:13:21.000Z"));
    ok(value_is(value_get(labels, "part"), "edge") &&
       value_is(value_get(labels, "instance"), "one"));
    ok(value_is(value_get(alert, "id"), stage.id));
    alerts_free(&stage.alerts);
    arena_free(&arena);
    buf_free(&bytes);
}

/* However much breaks, the memory is bounded. */
static void test_room(void)
{
    stage_t stage = { 0 };
    buf_t json = { 0 };
    alerts_init(&stage.alerts, REPEAT_MS);
    buf_add_text(&json, "{\"instances\":[");
    for (int i = 0; i < ALERTS_MAX + 10; i++)
        buf_printf(&json, "%s{\"part\":\"x\",\"instance\":\"x-%d\",\"down\":1}", i ? "," : "", i);
    buf_add_text(&json, "]}");
    s_look(&stage, buf_text(&json), 1000, true);
    is_int(HASH_COUNT(stage.alerts.list), ALERTS_MAX);
    is_int(stage.alerts.dropped, 10);
    alerts_free(&stage.alerts);
    buf_free(&json);
}

TESTS({ "life", test_life }, { "lingering", test_lingering }, { "pauses", test_pauses },
      { "taking_over", test_taking_over }, { "taking_over_late", test_taking_over_late },
      { "written", test_written }, { "room", test_room })
