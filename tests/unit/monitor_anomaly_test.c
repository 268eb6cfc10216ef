/* SPDX-License-Identifier: MPL-2.0
 *
 * What is odd about the looks of a monitor, and what is not.
 */
#include "config.h"

#include "actors/jobs/monitor/anomaly.h"
#include "tests/tap.h"

#define NOW INT64_C(1700000000000)
#define DAY INT64_C(86400000)

/* Looks from text, the newest first: '.' is up in about 100 ms, 's' up in 400 ms, 'x' is down. */
static size_t s_looks(look_brief_t *looks, const char *text)
{
    size_t count = strlen(text);
    for (size_t i = 0; i < count; i++)
        looks[i] = (look_brief_t){ .is_up = text[i] != 'x',
                                   .at_ms = NOW - (int64_t)i * 30000,
                                   .total_us =
                                       text[i] == 's' ? 400000 : 100000 + (int64_t)(i % 7) * 2000 };
    return count;
}

static const struct {
    const char *text, *rules;
} s_cases[] = {
    { "", "" },
    { ".", "" },
    { "xx.......................", "" },
    { "xxx......................", "MN101" },
    { "xxx", "MN101" },
    { ".xxx.....................", "" },
    { ".x.x.....................", "MN102" },
    { "..x.....x................", "MN102" },
    { "..x......................", "" },
    { "xxxx.x.x.................", "MN101 MN102" },
    { "sssss....................", "MN103" },
    { "ss.s.....................", "MN103" }, /* three of the last five */
    { "ss.......................", "" },      /* an outlier or two are not a trend */
    { "sssss..........", "" },                /* too little to compare with */
    { "sssss.ssssssssssssssssssss", "" },     /* it has always been so */
    { "sxsxssss..........................", "MN102 MN103" },
};

static void test_rules(void)
{
    look_brief_t looks[64];
    anomaly_t found[ANOMALIES_MAX];
    for (size_t i = 0; i < COUNT_OF(s_cases); i++) {
        char rules[64] = "";
        size_t count = anomaly_find(looks, s_looks(looks, s_cases[i].text), NOW, found);
        for (size_t j = 0; j < count; j++) {
            strcat(rules, j ? " " : "");
            strcat(rules, found[j].rule);
            ok(found[j].evidence[0] && found[j].fix[0] && found[j].severity[0]);
        }
        if (!ok_named(strcmp(rules, s_cases[i].rules) == 0, s_cases[i].text))
            note("got '%s'", rules);
    }
}

static void test_certificate(void)
{
    static const struct {
        int64_t left_ms;
        const char *severity; /* NULL: nothing */
    } cases[] = { { 15 * DAY, NULL }, { 14 * DAY, "warning" }, { 1, "warning" }, { -1, "error" } };
    look_brief_t looks[1];
    anomaly_t found[ANOMALIES_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s_looks(looks, ".");
        looks[0].certificate_ms = NOW + cases[i].left_ms;
        size_t count = anomaly_find(looks, 1, NOW, found);
        is_int(count, cases[i].severity != NULL);
        if (count)
            is_text(found[0].severity, cases[i].severity);
    }
}

static void test_percentile(void)
{
    int64_t values[] = { 5, 1, 4, 2, 3 };
    is_int(anomaly_percentile(values, 5, 50), 3);
    is_int(anomaly_percentile(values, 5, 99), 5);
    is_int(anomaly_percentile(values, 5, 1), 1);
    is_int(anomaly_percentile(values, 0, 50), 0);
}

TESTS({ "rules", test_rules }, { "certificate", test_certificate },
      { "percentile", test_percentile })
