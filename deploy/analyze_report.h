/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_report - results of `signalbox analyze` for people to read
 */
#ifndef SIGNALBOX_ANALYZE_REPORT_H
#define SIGNALBOX_ANALYZE_REPORT_H

#include "actors/analysis/analysis.h"

typedef struct {
    unsigned analysed, skipped, unread; /* files */
    uint64_t by_severity[SEVERITY_COUNT];
    uint64_t new_by_severity[SEVERITY_COUNT]; /* of these, what the baseline has not */
    int64_t lowest_score;                     /* 100 before the first */
    char *lowest_path;                        /* NULL: none yet */
} tally_t;

/* Appends what was found in one file; `result` is a map as `result_write` writes it, and so is
 * `before`, whose issues are not shown again; NULL: there is none. */
void report_file(buf_t *out, const char *path, const value_t *result, const value_t *before,
                 bool has_colours);

/* Appends the end: files and new issues in numbers. */
void report_tally(buf_t *out, const tally_t *tally, bool has_colours);

#endif
