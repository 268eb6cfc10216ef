/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "edge/counters.h"
#include "edge/prometheus.h"
#include "tests/tap.h"

static const stats_row_t s_rows[] = {
    { "a_total", STATS_COUNTER, "Things" },
    { "b_total{kind=\"x\"}", STATS_COUNTER, "Others" },
    { "b_total{kind=\"y\"}", STATS_COUNTER, "Others" },
    { "c", STATS_GAUGE, "Now" },
    { "d_microseconds", STATS_HISTOGRAM, "Time" },
    { 0 },
};

static void test_text(void)
{
    stats_t stats;
    buf_t text = { 0 };
    stats_init(&stats, s_rows);
    stats_add(&stats, 0, 3);
    stats_add(&stats, 2, 4);
    stats_set(&stats, 3, -1);
    stats_record(&stats, 4, 15);
    stats_record(&stats, 4, 16);
    stats_record(&stats, 4, 40);
    prometheus_write(&stats, &text);
    const char *expected = "# HELP a_total Things.\n"
                           "# TYPE a_total counter\n"
                           "a_total 3\n"
                           "# HELP b_total Others.\n"
                           "# TYPE b_total counter\n"
                           "b_total{kind=\"x\"} 0\n"
                           "b_total{kind=\"y\"} 4\n"
                           "# HELP c Now.\n"
                           "# TYPE c gauge\n"
                           "c -1\n"
                           "# HELP d_microseconds Time.\n"
                           "# TYPE d_microseconds histogram\n"
                           "d_microseconds_bucket{le=\"15\"} 1\n"
                           "d_microseconds_bucket{le=\"31\"} 2\n"
                           "d_microseconds_bucket{le=\"63\"} 3\n";
    ok(strncmp(buf_text(&text), expected, strlen(expected)) == 0);
    const char *end = "d_microseconds_bucket{le=\"+Inf\"} 3\n"
                      "d_microseconds_sum 71\n"
                      "d_microseconds_count 3\n";
    ok(text.size > strlen(end) && strcmp(buf_text(&text) + text.size - strlen(end), end) == 0);
    buf_free(&text);
    stats_free(&stats);
}

/* Every row has a name and a sentence, and rows of one name stand together. */
static void test_rows(void)
{
    size_t count = 0, wrong = 0;
    while (counter_rows[count].name)
        count++;
    is_int(count, COUNT_ROWS);
    for (size_t i = 0; i < count; i++) {
        size_t size = strcspn(counter_rows[i].name, "{");
        wrong += !counter_rows[i].about || counter_rows[i].about[0] == '\0';
        for (size_t j = 0; i && j + 1 < i; j++)
            wrong += strcspn(counter_rows[j].name, "{") == size &&
                     memcmp(counter_rows[j].name, counter_rows[i].name, size) == 0 &&
                     (strcspn(counter_rows[i - 1].name, "{") != size ||
                      memcmp(counter_rows[i - 1].name, counter_rows[i].name, size) != 0);
    }
    is_int(wrong, 0);
}

TESTS({ "text", test_text }, { "rows", test_rows })
