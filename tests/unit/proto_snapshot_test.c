/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "tests/kit/snapshots.h"
#include "tests/tap.h"

enum { REFUSED_FULL, REFUSED_SHUT, ANSWERS, DEPTH, TIMES, TRACED };

static const stats_row_t s_rows[] = {
    [REFUSED_FULL] = { "refused_total{reason=\"full\"}", STATS_COUNTER, "Refusals" },
    [REFUSED_SHUT] = { "refused_total{reason=\"shut\"}", STATS_COUNTER, "Refusals" },
    [ANSWERS] = { "answers_total{route,status}", STATS_COUNTER, "Answers" },
    [DEPTH] = { "depth", STATS_GAUGE, "What waits" },
    [TIMES] = { "times_seconds", STATS_HISTOGRAM, "Times" },
    [TRACED] = { "traced_seconds{route}", STATS_TRACED, "Times" },
    { 0 },
};

/* What is written is what is read. */
static void test_there_and_back(void)
{
    stats_t stats;
    const char *const labels[] = { "/a\\\"b", "200" };
    const uint8_t trace[16] = { 0xab, 0xcd };
    stats_init(&stats, s_rows);
    stats_add(&stats, REFUSED_SHUT, 3);
    series_add(stats_at(&stats, ANSWERS, labels), 7);
    stats_set(&stats, DEPTH, -2);
    stats_record(&stats, TIMES, 5);
    stats_record(&stats, TIMES, 5);
    stats_record(&stats, TIMES, 100);
    series_record_traced(stats_at(&stats, TRACED, labels), 40, trace, 1700000000123);

    view_t *view = snapshots_of_stats(
        &stats,
        (snapshot_t){
            .part = "edge", .instance = "edge-1", .boot = 1234, .sequence = 5, .is_last = true });
    is_text(view->part, "edge");
    is_text(view->instance, "edge-1");
    is_int(view->boot, 1234);
    is_int(view->sequence, 5);
    is_int(view->interval_ms, 5000);
    ok(view->is_last);
    is_int(view->left_out, 0);
    is_int(view->count, 6); /* and the overflow */

    const view_family_t *refused = view_family(view, "refused_total");
    is_int(refused->count, 2);
    is_int(refused->kind, STATS_COUNTER);
    is_text(refused->about, "Refusals");
    is_text(refused->series[1].labels, "reason=\"shut\"");
    is_int(refused->series[1].value, 3);
    const view_series_t *answers = view_family(view, "answers_total")->series;
    is_text(answers->labels, "route=\"/a\\\\\\\"b\",status=\"200\"");
    is_text(view_label(answers, "route"), "/a\\\"b");
    is_text(view_label(answers, "status"), "200");
    is_text(view_label(answers, "other"), "");
    is_int(answers->value, 7);
    is_int(view_family(view, "depth")->series[0].value, -2);
    const view_series_t *times = view_family(view, "times_seconds")->series;
    ok(view_family(view, "times_seconds")->is_time);
    is_int(times->count, 3);
    is_int(times->sum, 110);
    is_int(times->bucket_count, 2);
    is_int(times->buckets[0].index, 5);
    is_int(times->buckets[0].records, 2);
    const view_series_t *traced = view_family(view, "traced_seconds")->series;
    is_int(view_family(view, "traced_seconds")->kind, STATS_HISTOGRAM);
    is_int(traced->exemplar_count, 1);
    is_text(traced->exemplars[0].trace, "abcd0000000000000000000000000000");
    is_int(traced->exemplars[0].value, 40);
    is_int(traced->exemplars[0].wall_ms, 1700000000123);
    is_int(view_family(view, "metrics_overflow_total")->series[0].value, 0);
    ok(view_family(view, "nothing") == NULL);
    view_drop(&view);
    stats_free(&stats);
}

static void test_topic(void)
{
    char topic[SNAPSHOT_TOPIC_BYTES];
    snapshot_t snapshot = { .part = "edge", .instance = "edge-1" };
    is_text(snapshot_topic(&snapshot, topic), "metrics.edge.edge-1");
}

#define HEAD "{\"part\":\"a\",\"instance\":\"a-1\",\"boot\":1,\"sequence\":1,\"families\":"

/* What is no snapshot at all. */
static void test_refused(void)
{
    static const char *const cases[] = {
        "[]",
        "{}",
        "{\"part\":\"a\",\"instance\":\"a-1\",\"boot\":1}",
        "{\"part\":\"a\",\"instance\":\"a-1\",\"boot\":0,\"sequence\":1}",
        "{\"part\":\"a\",\"instance\":\"a-1\",\"boot\":1,\"sequence\":-1}",
        "{\"part\":\"a\",\"instance\":\"a-1\",\"boot\":1,\"sequence\":1,\"interval_ms\":0}",
        "{\"part\":\"a b\",\"instance\":\"a-1\",\"boot\":1,\"sequence\":1}",
        "{\"part\":\"a\",\"instance\":\"a\\\"1\",\"boot\":1,\"sequence\":1}",
        "{\"part\":7,\"instance\":\"a-1\",\"boot\":1,\"sequence\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        view_t *view = snapshots_of_json(cases[i]);
        ok_named(view == NULL, cases[i]);
        view_drop(&view);
    }
    ok(view_read("\x81", 1) == NULL);
}

/* What Prometheus could not read is left out and counted; the rest is taken. */
static void test_left_out(void)
{
#define GOOD                                                                                       \
    "{\"name\":\"good_total\",\"kind\":\"counter\",\"about\":\"x\",\"series\":[{\"value\":1}]}"
#define ONE(name, kind, series)                                                                    \
    "{\"name\":\"" name "\",\"kind\":\"" kind "\",\"about\":\"x\",\"series\":[" series "]}"
    static const char *const cases[] = {
        "7",
        "{\"name\":\"x_total\",\"kind\":\"counter\",\"series\":[]}",
        ONE("x", "counter", "{\"value\":1}"),
        ONE("x_total", "gauge", "{\"value\":1}"),
        ONE("x", "summary", "{\"value\":1}"),
        ONE("x y_total", "counter", "{\"value\":1}"),
        ONE("7x_total", "counter", "{\"value\":1}"),
        ONE("x_bucket", "gauge", "{\"value\":1}"),
        ONE("x_count", "gauge", "{\"value\":1}"),
        ONE("instance_up", "gauge", "{\"value\":1}"),
        /* what OpenMetrics calls so, without _total, is what something else is called there */
        ONE("instance_up_total", "counter", "{\"value\":1}"),
        ONE("x_total_total", "counter", "{\"value\":1}"),
        ONE("x_bucket_total", "counter", "{\"value\":1}"),
        ONE("x_count_total", "counter", "{\"value\":1}"),
        ONE("x_created_total", "counter", "{\"value\":1}"),
        ONE("good_total", "counter", "{\"value\":1}"),
        ONE("x_total", "counter", "{\"value\":-1}"),
        ONE("x_total", "counter", "{\"value\":\"1\"}"),
        ONE("x_total", "counter", "{\"value\":1,\"labels\":{\"le\":\"1\"}}"),
        ONE("x_total", "counter", "{\"value\":1,\"labels\":{\"part\":\"1\"}}"),
        ONE("x_total", "counter", "{\"value\":1,\"labels\":{\"a-b\":\"1\"}}"),
        ONE("x_total", "counter", "{\"value\":1,\"labels\":{\"a\":1}}"),
        ONE("x_total", "counter",
            "{\"value\":1,\"labels\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}"),
        ONE("x_total", "counter", "{\"value\":1},{\"value\":2}"),
        ONE("x_total", "counter",
            "{\"value\":1,\"labels\":{\"a\":\"1\",\"b\":\"2\"}},"
            "{\"value\":2,\"labels\":{\"b\":\"2\",\"a\":\"1\"}}"),
        ONE("x", "histogram",
            "{\"sum\":1,\"buckets\":[1,9223372036854775807,2,9223372036854775807,3,2]}"),
        ONE("x", "histogram", "{\"sum\":1}"),
        ONE("x", "histogram", "{\"sum\":1,\"buckets\":[1]}"),
        ONE("x", "histogram", "{\"sum\":1,\"buckets\":[5,1,4,1]}"),
        ONE("x", "histogram", "{\"sum\":1,\"buckets\":[100000,1]}"),
        ONE("x", "histogram", "{\"sum\":-1,\"buckets\":[]}"),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[1000];
        snprintf(text, sizeof text, HEAD "[" GOOD ",%s]}", cases[i]);
        view_t *view = snapshots_of_json(text);
        ok_named(view && view->left_out == 1, cases[i]);
        ok_named(view && view_family(view, "good_total")->series[0].value == 1, "and the rest");
        view_drop(&view);
    }
    view_t *view = snapshots_of_json(HEAD "[" ONE(
        "x_total", "counter", "{\"value\":1,\"labels\":{\"a\":\"l\\ni\\\"ne\"}}") "]}");
    is_text(view->families[0].series[0].labels, "a=\"l\\ni\\\"ne\"");
    view_drop(&view);
}

/* A bad example does not cost the histogram. */
static void test_bad_exemplars(void)
{
    view_t *view =
        snapshots_of_json(HEAD "[" ONE("x_seconds", "histogram",
                                       "{\"sum\":1,\"buckets\":[1,1],\"exemplars\":[[\"zz\",1,1],7,"
                                       "[\"00000000000000000000000000000001\",1,1],"
                                       "[\"00000000000000000000000000000001\",1,-1005],"
                                       "[\"0000000000000000000000000000000\\\"\",1,1]]}") "]}");
    is_int(view->left_out, 0);
    is_int(view->families[0].series[0].count, 1);
    is_int(view->families[0].series[0].exemplar_count, 1);
    view_drop(&view);
}

static void s_pack_head(pack_t *pack)
{
    pack_map(pack, 5);
    pack_pair_text(pack, "part", "a");
    pack_pair_text(pack, "instance", "a-1");
    pack_pair_int(pack, "boot", 1);
    pack_pair_int(pack, "sequence", 1);
    pack_text(pack, "families");
}

static void s_pack_family(pack_t *pack, const char *name)
{
    pack_map(pack, 4);
    pack_pair_text(pack, "name", name);
    pack_pair_text(pack, "kind", "counter");
    pack_pair_text(pack, "about", "x");
    pack_text(pack, "series");
}

/* Prometheus takes nothing at all from who names a label twice. */
static void test_label_twice(void)
{
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    s_pack_head(&pack);
    pack_array(&pack, 1);
    s_pack_family(&pack, "x_total");
    pack_array(&pack, 1);
    pack_map(&pack, 2);
    pack_pair_int(&pack, "value", 1);
    pack_text(&pack, "labels");
    pack_map(&pack, 2);
    pack_pair_text(&pack, "a", "1");
    pack_pair_text(&pack, "a", "2");
    view_t *view = view_read(bytes.bytes, bytes.size);
    ok(view && view->left_out == 1 && view->series_count == 0);
    view_drop(&view);
    buf_free(&bytes);
}

/* A list that is long and holds nothing takes no room: neither one nor many of them. */
static void test_much_of_nothing(void)
{
    static const size_t families = 100, each = 10000;
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    s_pack_head(&pack);
    pack_array(&pack, families);
    for (size_t i = 0; i < families; i++) {
        char name[20];
        snprintf(name, sizeof name, "x%zu_total", i);
        s_pack_family(&pack, name);
        pack_array(&pack, each);
        for (size_t j = 0; j < each; j++)
            pack_nil(&pack);
    }
    view_t *view = view_read(bytes.bytes, bytes.size);
    ok(view && view->left_out == families * each);
    ok(view && view->bytes < VIEW_SERIES_MAX * 2 * sizeof(view_series_t));
    view_drop(&view);
    buf_free(&bytes);
}

TESTS({ "there_and_back", test_there_and_back }, { "topic", test_topic },
      { "refused", test_refused }, { "left_out", test_left_out },
      { "bad_exemplars", test_bad_exemplars }, { "label_twice", test_label_twice },
      { "much_of_nothing", test_much_of_nothing })
