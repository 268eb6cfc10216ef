/* SPDX-License-Identifier: MPL-2.0
 *
 * anomaly - what is odd about the last looks at an URL
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/jobs/monitor/anomaly.h"

#define DOWN_IN_A_ROW  3
#define FLAP_LOOKS     20 /* in which */
#define FLAP_CHANGES   4  /* so many changes are too many */
#define RECENT_ANSWERS 5
#define EARLIER_LEAST  20 /* answers that make a baseline */
#define DEVIATIONS     5
#define MAD_SCALE      1.4826 /* makes it comparable with a standard deviation */
#define SLOWER_LEAST   0.5    /* of the median: less is nobody's trouble */
#define CERTIFICATE_MS (INT64_C(14) * 86400000)
#define MS_PER_DAY     INT64_C(86400000)

static int s_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t anomaly_percentile(int64_t *values, size_t count, unsigned percent)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, s_compare);
    size_t rank = (count * percent + 99) / 100;
    return values[rank ? rank - 1 : 0];
}

static bool s_find_down(const look_brief_t *looks, size_t count, anomaly_t *found)
{
    size_t down = 0;
    while (down < count && !looks[down].is_up)
        down++;
    if (down < DOWN_IN_A_ROW)
        return false;
    *found = (anomaly_t){ .rule = "MN101",
                          .severity = "error",
                          .fix = "Look at the checks' reason and detail, and at the site itself." };
    snprintf(found->evidence, sizeof found->evidence, "Down %s%zu times in a row",
             down == count ? "at least " : "", down);
    return true;
}

static bool s_find_flapping(const look_brief_t *looks, size_t count, anomaly_t *found)
{
    size_t changes = 0, seen = count < FLAP_LOOKS ? count : FLAP_LOOKS;
    for (size_t i = 1; i < seen; i++)
        changes += looks[i].is_up != looks[i - 1].is_up;
    if (changes < FLAP_CHANGES)
        return false;
    *found = (anomaly_t){ .rule = "MN102",
                          .severity = "warning",
                          .fix = "Something behind it comes and goes: one of several instances, a "
                                 "limit, or a timeout that is just long enough." };
    snprintf(found->evidence, sizeof found->evidence, "%zu changes in the last %zu checks", changes,
             seen);
    return true;
}

static bool s_find_slow(const look_brief_t *looks, size_t count, anomaly_t *found)
{
    int64_t recent[RECENT_ANSWERS], earlier[ANOMALY_LOOKS_MAX];
    size_t recents = 0, earliers = 0;
    for (size_t i = 0; i < count; i++)
        if (looks[i].is_up && recents < RECENT_ANSWERS)
            recent[recents++] = looks[i].total_us;
        else if (looks[i].is_up && earliers < ANOMALY_LOOKS_MAX)
            earlier[earliers++] = looks[i].total_us;
    if (recents < RECENT_ANSWERS || earliers < EARLIER_LEAST)
        return false;
    const int64_t now_us = anomaly_percentile(recent, recents, 50);
    const int64_t median_us = anomaly_percentile(earlier, earliers, 50);
    for (size_t i = 0; i < earliers; i++)
        earlier[i] = llabs(earlier[i] - median_us);
    const int64_t mad_us = anomaly_percentile(earlier, earliers, 50);
    const double above = (double)(now_us - median_us);
    if (above <= DEVIATIONS * MAD_SCALE * (double)mad_us ||
        above <= SLOWER_LEAST * (double)median_us)
        return false;
    *found = (anomaly_t){ .rule = "MN103",
                          .severity = "warning",
                          .fix = "Compare the checks' timings: which part (name, connection, TLS, "
                                 "first byte) has grown?" };
    snprintf(found->evidence, sizeof found->evidence,
             "The last answers took %.1f ms, those before %.1f ms (deviation %.1f ms)",
             (double)now_us / 1000, (double)median_us / 1000, (double)mad_us / 1000);
    return true;
}

static bool s_find_certificate(const look_brief_t *looks, size_t count, int64_t now_ms,
                               anomaly_t *found)
{
    size_t i = 0;
    while (i < count && looks[i].certificate_ms == 0)
        i++;
    if (i == count || looks[i].certificate_ms - now_ms > CERTIFICATE_MS)
        return false;
    const int64_t left_ms = looks[i].certificate_ms - now_ms;
    *found = (anomaly_t){ .rule = "MN104",
                          .severity = left_ms > 0 ? "warning" : "error",
                          .fix = "Renew the certificate, and find out why that is not automatic." };
    if (left_ms > 0)
        snprintf(found->evidence, sizeof found->evidence, "A certificate ends in %lld days",
                 (long long)(left_ms / MS_PER_DAY));
    else
        snprintf(found->evidence, sizeof found->evidence, "A certificate has ended");
    return true;
}

size_t anomaly_find(const look_brief_t *looks, size_t count, int64_t now_ms,
                    anomaly_t found[ANOMALIES_MAX])
{
    size_t total = 0;
    total += s_find_down(looks, count, &found[total]);
    total += s_find_flapping(looks, count, &found[total]);
    total += s_find_slow(looks, count, &found[total]);
    total += s_find_certificate(looks, count, now_ms, &found[total]);
    return total;
}
