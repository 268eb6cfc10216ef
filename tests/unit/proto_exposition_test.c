/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "proto/exposition.h"
#include "tests/kit/snapshots.h"
#include "tests/tap.h"

enum { ANSWERS, CPU, DEPTH, SCORE, TRACED };

static const stats_row_t s_rows[] = {
    [ANSWERS] = { "answers_total{status}", STATS_COUNTER, "Answers \"given\"" },
    [CPU] = { "cpu_seconds_total", STATS_COUNTER, "Processor time" },
    [DEPTH] = { "depth", STATS_GAUGE, "What waits" },
    [SCORE] = { "score", STATS_HISTOGRAM, "Scores" },
    [TRACED] = { "times_seconds{route}", STATS_TRACED, "Times" },
    { 0 },
};

static view_t *s_view(const char *instance, stats_t *stats)
{
    return snapshots_of_stats(
        stats, (snapshot_t){ .part = "edge", .instance = instance, .boot = 1, .sequence = 1 });
}

static bool s_has(buf_t *text, const char *line)
{
    return strstr(buf_text(text), line) != NULL;
}

static void s_check(buf_t *text, const char *const *lines)
{
    for (size_t i = 0; lines[i]; i++)
        ok_named(s_has(text, lines[i]), lines[i]);
}

static void test_formats(void)
{
    static const char *const both[] = {
        "# TYPE instance_up gauge\ninstance_up{part=\"edge\",instance=\"one\"} 1\n"
        "instance_up{part=\"edge\",instance=\"two\"} 0\n",
        "answers_total{part=\"edge\",instance=\"one\",status=\"200\"} 2\n"
        "answers_total{part=\"edge\",instance=\"two\",status=\"200\"} 2\n",
        "cpu_seconds_total{part=\"edge\",instance=\"one\"} 1.5\n",
        "# HELP depth What waits.\n# TYPE depth gauge\n"
        "depth{part=\"edge\",instance=\"one\"} -2\n",
        /* whole numbers up to the bound */
        "score_bucket{part=\"edge\",instance=\"one\",le=\"47.0\"} 0\n",
        "score_bucket{part=\"edge\",instance=\"one\",le=\"55.0\"} 1\n",
        "score_bucket{part=\"edge\",instance=\"one\",le=\"+Inf\"} 2\n"
        "score_sum{part=\"edge\",instance=\"one\"} 1050\n"
        "score_count{part=\"edge\",instance=\"one\"} 2\n",
        /* time below the bound */
        "times_seconds_bucket{part=\"edge\",instance=\"one\",route=\"/\",le=\"0.000064\"} 1",
        "times_seconds_bucket{part=\"edge\",instance=\"one\",route=\"/\",le=\"0.000128\"} 2",
        "times_seconds_bucket{part=\"edge\",instance=\"one\",route=\"/\",le=\"16.777216\"} 2\n",
        "times_seconds_bucket{part=\"edge\",instance=\"one\",route=\"/\",le=\"+Inf\"} 3",
        "times_seconds_sum{part=\"edge\",instance=\"one\",route=\"/\"} 20.000127\n",
        NULL,
    };
    static const char *const plain[] = {
        "# HELP answers_total Answers \"given\".\n# TYPE answers_total counter\n",
        "# TYPE times_seconds histogram\ntimes_seconds_bucket",
        NULL,
    };
    static const char *const open[] = {
        "# HELP answers Answers \\\"given\\\".\n# TYPE answers counter\nanswers_total{",
        "# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n",
        "# TYPE times_seconds histogram\n# UNIT times_seconds seconds\n",
        "le=\"0.000064\"} 1 # {trace_id=\"01000000000000000000000000000000\"} 0.000063 "
        "1700000000.007\n",
        "le=\"+Inf\"} 3 # {trace_id=\"01000000000000000000000000000000\"} 20.0 1700000000.007\n",
        NULL,
    };
    stats_t stats;
    buf_t text = { 0 };
    const char *const status[] = { "200" }, *const route[] = { "/" };
    const uint8_t trace[16] = { 1 };
    stats_init(&stats, s_rows);
    series_add(stats_at(&stats, ANSWERS, status), 2);
    stats_set(&stats, CPU, 1500000);
    stats_set(&stats, DEPTH, -2);
    stats_record(&stats, SCORE, 50);
    stats_record(&stats, SCORE, 1000);
    series_t *times = stats_at(&stats, TRACED, route);
    series_record_traced(times, 63, trace, 1700000000007);
    series_record_traced(times, 64, trace, 1700000000007);
    series_record_traced(times, 20000000, trace, 1700000000007);
    view_t *one = s_view("one", &stats), *two = s_view("two", &stats);
    const exposition_source_t sources[] = { { .view = one, .is_up = true }, { .view = two } };

    exposition_write(sources, 2, EXPOSITION_TEXT, &text);
    s_check(&text, both);
    s_check(&text, plain);
    ok(!s_has(&text, "# UNIT") && !s_has(&text, "trace_id") && !s_has(&text, "# EOF"));
    text.size = 0;
    exposition_write(sources, 2, EXPOSITION_OPENMETRICS, &text);
    s_check(&text, both);
    s_check(&text, open);
    ok(strcmp(buf_text(&text) + text.size - 6, "# EOF\n") == 0);
    view_drop(&one);
    view_drop(&two);
    buf_free(&text);
    stats_free(&stats);
}

/* An instance that left is not down: it is not told whether it is up. Its counters are told, and
 * what was when it left is no more. Nor is it for one that is down. */
static void test_left(void)
{
    stats_t stats;
    buf_t text = { 0 };
    stats_init(&stats, s_rows);
    view_t *view = s_view("one", &stats);
    exposition_write(&(exposition_source_t){ .view = view, .has_left = true }, 1, EXPOSITION_TEXT,
                     &text);
    ok(!s_has(&text, "instance_up{"));
    ok(s_has(&text, "cpu_seconds_total{part=\"edge\",instance=\"one\"} 0.0\n"));
    ok(!s_has(&text, "depth"));
    text.size = 0;
    exposition_write(&(exposition_source_t){ .view = view }, 1, EXPOSITION_TEXT, &text);
    ok(s_has(&text, "instance_up{part=\"edge\",instance=\"one\"} 0\n"));
    ok(s_has(&text, "cpu_seconds_total{part=\"edge\",instance=\"one\"} 0.0\n"));
    ok(!s_has(&text, "depth"));
    view_drop(&view);
    buf_free(&text);
    stats_free(&stats);
}

/* One that tells too much is not told, so that the others are. */
static void test_bound(void)
{
    static const char *const routes[] = { "/a", "/b", "/c" };
    stats_t stats, small;
    const uint8_t trace[16] = { 1 };
    stats_init(&small, s_rows);
    stats_init(&stats, s_rows);
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        for (uint64_t value = 1; value < UINT64_C(1) << 40; value *= 2)
            series_record_traced(stats_at(&stats, TRACED, &routes[i]), value, trace, 1700000000007);
    view_t *one = s_view("one", &small), *two = s_view("two", &stats),
           *three = s_view("three", &small);
    exposition_source_t sources[] = { { .view = one, .is_up = true },
                                      { .view = two, .is_up = true },
                                      { .view = three, .is_up = true } };
    for (int format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS; format++) {
        buf_t text = { 0 }, less = { 0 };
        exposition_write(sources, 3, (exposition_format_t)format, &text);
        is_int(exposition_bound(sources, 3, 10 * text.size), 0); /* the estimate is not far off */
        ok(exposition_bound(sources, 3, text.size - 1) > 0);     /* and never too low */
        ok(sources[1].is_large);
        sources[0].is_large = sources[2].is_large = false;
        exposition_write(sources, 3, (exposition_format_t)format, &less);
        ok(s_has(&less, "instance_up{part=\"edge\",instance=\"two\"} 1\n"));
        ok(s_has(&less, "depth{part=\"edge\",instance=\"one\"} 0\n"));
        ok(s_has(&less, "depth{part=\"edge\",instance=\"three\"} 0\n"));
        ok(!s_has(&less, "depth{part=\"edge\",instance=\"two\""));
        is_int(exposition_bound(sources, 3, 0), 2); /* the others */
        for (size_t i = 0; i < COUNT_OF(sources); i++)
            sources[i].is_large = false;
        buf_free(&text);
        buf_free(&less);
    }
    view_drop(&one);
    view_drop(&two);
    view_drop(&three);
    stats_free(&stats);
    stats_free(&small);
}

/* Parts that do not agree on what a name is cannot spoil the whole for Prometheus. */
static void test_disagreement(void)
{
#define SNAPSHOT(instance, name, kind)                                                             \
    "{\"part\":\"x\",\"instance\":\"" instance "\",\"boot\":1,\"sequence\":1,\"families\":[{"      \
    "\"name\":\"" name "\",\"kind\":\"" kind "\",\"about\":\"x\",\"series\":[{\"value\":1}]}]}"
    buf_t text = { 0 };
    view_t *views[] = { snapshots_of_json(SNAPSHOT("a", "x_total", "counter")),
                        snapshots_of_json(SNAPSHOT("b", "x", "gauge")),
                        snapshots_of_json(SNAPSHOT("c", "x_more", "gauge")),
                        snapshots_of_json(SNAPSHOT("d", "y_total", "counter")) };
    exposition_source_t sources[COUNT_OF(views)];
    for (size_t i = 0; i < COUNT_OF(views); i++)
        sources[i] = (exposition_source_t){ .view = views[i], .is_up = true };
    exposition_write(sources, COUNT_OF(views), EXPOSITION_OPENMETRICS, &text);
    ok(s_has(&text, "\nx{part=\"x\",instance=\"b\"} 1\n"));
    ok(!s_has(&text, "\nx_total{"));
    ok(s_has(&text, "\ny_total{part=\"x\",instance=\"d\"} 1\n"));
    for (size_t i = 0; i < COUNT_OF(views); i++)
        view_drop(&views[i]);
    buf_free(&text);
}

TESTS({ "formats", test_formats }, { "left", test_left }, { "bound", test_bound },
      { "disagreement", test_disagreement })
