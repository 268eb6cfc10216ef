/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_options - what `signalbox analyze` is told before the files
 */
#ifndef SIGNALBOX_ANALYZE_OPTIONS_H
#define SIGNALBOX_ANALYZE_OPTIONS_H

#include "actors/analysis/analysis.h"

#define ANALYZE_FAIL_ON_NONE SEVERITY_COUNT

typedef enum { ANALYZE_TEXT, ANALYZE_JSON, ANALYZE_SARIF } analyze_format_t;

typedef struct {
    analyze_format_t format;
    analysis_options_t analysis;
    unsigned fail_on;     /* severity_t, or ANALYZE_FAIL_ON_NONE */
    const char *baseline; /* path of an earlier result; NULL: none */
} analyze_options_t;

/* Takes `--name value` and `--name=value` out of the words; files and folders are left. False after
 * a sentence on standard error when an option is not understood. */
bool analyze_options_take(analyze_options_t *self, int *argc, char **argv) MUST_CHECK;

#endif
