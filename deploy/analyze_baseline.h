/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_baseline - an earlier result of `signalbox analyze` that new ones are measured against
 *
 * It is what `--format json` has printed. Files are the same when their paths are, issues of one
 * when their fingerprints are.
 */
#ifndef SIGNALBOX_ANALYZE_BASELINE_H
#define SIGNALBOX_ANALYZE_BASELINE_H

#include "actors/analysis/names.h"
#include "deploy/analyze_input.h"

typedef struct {
    input_t input;
    const value_t *files;
    names_t paths; /* of these */
} analyze_baseline_t;

/* False after a sentence on standard error when the file is no such result. Freed in any case. */
bool analyze_baseline_read(analyze_baseline_t *self, const char *path) MUST_CHECK;
void analyze_baseline_free(analyze_baseline_t *self);

/* What was found in the file of that path, a map as `result_write` writes it; NULL: it was not
 * there. */
const value_t *analyze_baseline_find(const analyze_baseline_t *self, const char *path);

#endif
