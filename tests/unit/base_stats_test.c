/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <pthread.h>

#include "actors/base/process.h"
#include "actors/base/stats.h"
#include "tests/tap.h"

enum { PLAIN, FULL, SHUT, ANSWERS, TIMES, TRACED };

static const stats_row_t s_rows[] = {
    [PLAIN] = { "plain_total", STATS_COUNTER, "Things" },
    [FULL] = { "refused_total{reason=\"full\"}", STATS_COUNTER, "Refusals" },
    [SHUT] = { "refused_total{reason=\"shut\"}", STATS_COUNTER, "Refusals" },
    [ANSWERS] = { "answers_total{route,status}", STATS_COUNTER, "Answers" },
    [TIMES] = { "times_seconds{route}", STATS_HISTOGRAM, "Times" },
    [TRACED] = { "traced_seconds{route}", STATS_TRACED, "Times" },
    { 0 },
};

static void test_labels(void)
{
    stats_t stats;
    stats_init(&stats, s_rows);
    ok(!stats.families[PLAIN] && !stats.families[FULL]);
    const char *const one[] = { "/a", "200" }, *const other[] = { "/a", "404" };
    char copy[] = "/a";
    const char *const same[] = { copy, "200" };
    series_t *first = stats_at(&stats, ANSWERS, one);
    ok(first == stats_at(&stats, ANSWERS, same));
    ok(first != stats_at(&stats, ANSWERS, other));
    series_add(first, 2);
    is_int(series_get(stats_at(&stats, ANSWERS, one)), 2);
    is_int(series_get(stats_at(&stats, ANSWERS, other)), 0);
    series_record(stats_at(&stats, TIMES, one), 100);
    is_int(histogram_count(stats_at(&stats, TIMES, one)->histogram), 1);
    size_t slot = 0, count = 0;
    while (family_next(stats.families[ANSWERS], &slot))
        count++;
    is_int(count, 2);
    stats_free(&stats);
}

/* Whoever brings ever new values fills no memory, and what is counted is not lost. */
static void test_overflow(void)
{
    stats_t stats;
    char long_value[FAMILY_VALUE_MAX + 2];
    size_t slot = 0, count = 0;
    int64_t sum = 0;
    stats_init(&stats, s_rows);
    for (int i = 0; i < FAMILY_SERIES_MAX + 500; i++) {
        char route[20];
        snprintf(route, sizeof route, "/%d", i);
        const char *const labels[] = { route, "200" };
        series_add(stats_at(&stats, ANSWERS, labels), 1);
    }
    memset(long_value, 'a', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    const char *const hostile[][2] = { { long_value, "200" }, { "\xff\xfe", "200" } };
    for (size_t i = 0; i < COUNT_OF(hostile); i++)
        series_add(stats_at(&stats, ANSWERS, hostile[i]), 1);
    for (series_t *at; (at = family_next(stats.families[ANSWERS], &slot)); count++)
        sum += series_get(at);
    is_int(count, FAMILY_SERIES_MAX + 1);
    is_int(sum, FAMILY_SERIES_MAX + 502);
    is_int(stats_overflow(&stats), 502);
    is_text(stats.families[ANSWERS]->other->labels[0], FAMILY_OVERFLOW);
    stats_free(&stats);
}

/* Somebody's values may be those of what is counted together: there is one number of them, since a
 * snapshot that tells two is not taken. */
static void test_other(void)
{
    static const char *const other[] = { FAMILY_OVERFLOW, FAMILY_OVERFLOW }, *const bad[] = {
        "\xff", "200"
    };
    stats_t stats;
    size_t slot = 0;
    stats_init(&stats, s_rows);
    series_add(stats_at(&stats, ANSWERS, other), 1);
    series_add(stats_at(&stats, ANSWERS, bad), 1);
    series_add(stats_at(&stats, ANSWERS, other), 1);
    const series_t *only = family_next(stats.families[ANSWERS], &slot);
    is_int(only ? series_get(only) : 0, 3);
    ok(!family_next(stats.families[ANSWERS], &slot));
    is_int(stats_overflow(&stats), 1);
    stats_free(&stats);
}

#define THREADS 4
#define ROUNDS  5000

static void *s_crowd(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        char route[20];
        snprintf(route, sizeof route, "/%d", i % 100);
        const char *const labels[] = { route, "200" };
        uint8_t trace[16] = { 1 };
        series_add(stats_at(arg, ANSWERS, labels), 1);
        series_record_traced(stats_at(arg, TRACED, labels), (uint64_t)i, trace, i);
    }
    return NULL;
}

/* Threads that meet a value at the same time count in one series. */
static void test_threads(void)
{
    stats_t stats;
    pthread_t threads[THREADS];
    size_t slot = 0, count = 0, wrong = 0;
    stats_init(&stats, s_rows);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_crowd, &stats);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (series_t *at; (at = family_next(stats.families[ANSWERS], &slot)); count++)
        wrong += series_get(at) != THREADS * ROUNDS / 100;
    is_int(count, 100);
    is_int(wrong, 0);
    stats_free(&stats);
}

static void test_exemplars(void)
{
    stats_t stats;
    exemplar_t exemplar;
    const char *const route[] = { "/a" };
    uint8_t first[16] = { 1 }, second[16] = { 2 };
    stats_init(&stats, s_rows);
    series_t *series = stats_at(&stats, TRACED, route);
    ok(!series_exemplar(series, 0, &exemplar));
    series_record_traced(series, 5, first, 10000);
    series_record_traced(series, 6, second, 10000 + EXEMPLARS_FRESH_MS - 1);
    ok(series_exemplar(series, 0, &exemplar));
    is_int(exemplar.trace[0], 1); /* a recent one stays */
    is_int(exemplar.value, 5);
    series_record_traced(series, 7, second, 10000 + EXEMPLARS_FRESH_MS);
    ok(series_exemplar(series, 0, &exemplar));
    is_int(exemplar.trace[0], 2);
    ok(!series_exemplar(series, 1, &exemplar)); /* other octaves have their own */
    is_int(histogram_count(series->histogram), 3);
    stats_free(&stats);
}

static void test_time_names(void)
{
    static const struct {
        const char *name;
        bool is_time;
    } cases[] = {
        { "request_duration_seconds", true },
        { "process_cpu_seconds_total", true },
        { "requests_total", false },
        { "seconds", false },
        { "bytes", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(stats_is_time(cases[i].name, strlen(cases[i].name)) == cases[i].is_time,
                 cases[i].name);
}

/* However many parts play in a process, one tells of it. */
static void test_process(void)
{
    const char one = 1, other = 2; /* two parts */
    const stats_t *mine = process_stats(&one);
    ok(mine != NULL);
    ok(process_stats(&other) == NULL);
    for (size_t i = 0; i < mine->count; i++)
        ok_named(stats_get(mine, i) > 0, mine->rows[i].name);
    int64_t began = stats_get(mine, mine->count - 1);
    process_leave(&other);
    ok(process_stats(&other) == NULL);
    process_leave(&one);
    mine = process_stats(&other);
    ok(mine != NULL);
    is_int(stats_get(mine, mine->count - 1), began);
    process_leave(&other);
}

TESTS({ "labels", test_labels }, { "overflow", test_overflow }, { "other", test_other },
      { "threads", test_threads }, { "exemplars", test_exemplars },
      { "time_names", test_time_names }, { "process", test_process })
