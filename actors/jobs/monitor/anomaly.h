/* SPDX-License-Identifier: MPL-2.0
 *
 * anomaly - what is odd about the last looks at an URL
 *
 * Rules as an analysis has them: a name, a severity, the evidence in words, and what to do.
 *
 *   MN101 error    it has been down several times in a row
 *   MN102 warning  it goes up and down
 *   MN103 warning  it has become much slower: the median of the last answers lies far above the
 *                  median before, measured by the median absolute deviation (Hampel, 1974), which a
 *                  few slow answers do not move
 *   MN104 warning  a certificate ends soon, error: it has ended
 *
 * Pure.
 */
#ifndef SIGNALBOX_MONITOR_ANOMALY_H
#define SIGNALBOX_MONITOR_ANOMALY_H

#include "actors/base/base.h"

#define ANOMALY_LOOKS_MAX 500 /* that are considered */
#define ANOMALIES_MAX     4

typedef struct {
    bool is_up;
    int64_t at_ms, total_us;
    int64_t certificate_ms; /* 0: none, or unknown */
} look_brief_t;

typedef struct {
    const char *rule, *severity, *fix;
    char evidence[200];
} anomaly_t;

/* `looks`, the newest first; returns how many anomalies there are. */
size_t anomaly_find(const look_brief_t *looks, size_t count, int64_t now_ms,
                    anomaly_t found[ANOMALIES_MAX]);

/* The value below which `percent` of the values lie (nearest rank); 0 when there are none. Sorts
 * them. */
int64_t anomaly_percentile(int64_t *values, size_t count, unsigned percent);

#endif
