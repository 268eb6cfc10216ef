/* SPDX-License-Identifier: MPL-2.0
 *
 * score - from what was found to a number from 0 to 100 and a grade
 *
 * The first finding of a rule costs the weight of its severity, each further one half of the one
 * before: n findings cost weight * (2 - 2^(1-n)), never twice the weight. A category costs at most
 * its cap. The score is 100 less what the categories cost, rounded to the nearest whole number
 * (halves up), at least 0; any error holds it at 79 or below, anything critical at 49 or below.
 */
#ifndef SIGNALBOX_ANALYSIS_SCORE_H
#define SIGNALBOX_ANALYSIS_SCORE_H

#include "actors/base/base.h"

typedef enum {
    SEVERITY_INFO,
    SEVERITY_WARNING,
    SEVERITY_ERROR,
    SEVERITY_CRITICAL,
    SEVERITY_COUNT,
} severity_t;

typedef enum {
    CATEGORY_STRUCTURE,
    CATEGORY_RELIABILITY,
    CATEGORY_SECURITY,
    CATEGORY_PERFORMANCE,
    CATEGORY_MAINTAINABILITY,
    CATEGORY_COUNT,
} category_t;

/* How often one rule fired. */
typedef struct {
    category_t category;
    severity_t severity;
    uint64_t count;
} score_entry_t;

typedef struct {
    uint32_t score;              /* 0..100 */
    char grade;                  /* 'A' from 90, 'B' from 80, 'C' from 65, 'D' from 50, else 'F' */
    double lost[CATEGORY_COUNT]; /* points, the cap applied */
    double
        factor[CATEGORY_COUNT]; /* by which the cap shrinks what a finding costs; 1: it does not */
} score_t;

score_t score_compute(const score_entry_t *entries, size_t count);

/* Points that the k-th finding (from 1) of a rule of this severity costs, before any cap. */
double score_points(severity_t severity, uint64_t k);

/* "info" ... "critical"; "structure" ... "maintainability". */
const char *severity_name(severity_t severity);
const char *category_name(category_t category);

/* The severity or category of that name; false when there is none. */
bool severity_find(const char *name, size_t size, severity_t *severity) MUST_CHECK;
bool category_find(const char *name, size_t size, category_t *category) MUST_CHECK;

#endif
