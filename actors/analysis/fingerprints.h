/* SPDX-License-Identifier: MPL-2.0
 *
 * fingerprints - which issues two results share
 *
 * An issue has the same fingerprint in every version of a workflow for as long as its cause is
 * there (finding.h), so that two results are compared by the fingerprints of their issues alone.
 */
#ifndef SIGNALBOX_ANALYSIS_FINGERPRINTS_H
#define SIGNALBOX_ANALYSIS_FINGERPRINTS_H

#include "actors/analysis/names.h"
#include "actors/analysis/score.h"

/* Those of one result. */
typedef struct {
    names_t names;
} fingerprints_t;

/* `result` is a map as `result_write` writes it, borrowed; NULL is one without issues. */
void fingerprints_make(fingerprints_t *self, arena_t *arena, const value_t *result);

/* Whether the result has the same issue. */
bool fingerprints_have(const fingerprints_t *self, const value_t *issue);

/* The issues of `after` that `before` has not, by severity. */
void fingerprints_count_new(arena_t *arena, const value_t *before, const value_t *after,
                            int64_t by_severity[SEVERITY_COUNT]);

#endif
