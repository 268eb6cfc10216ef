/* SPDX-License-Identifier: MPL-2.0
 *
 * The score, against numbers worked out by hand.
 */
#include "config.h"

#include <math.h>

#include "actors/analysis/score.h"
#include "tests/tap.h"

#define STR CATEGORY_STRUCTURE
#define REL CATEGORY_RELIABILITY
#define SEC CATEGORY_SECURITY
#define PER CATEGORY_PERFORMANCE
#define MAI CATEGORY_MAINTAINABILITY

static void scores(void)
{
    static const struct {
        const char *name;
        score_entry_t entries[8];
        uint32_t score;
        char grade;
    } cases[] = {
        { "nothing found", { { 0 } }, 100, 'A' },
        { "one info: 2", { { MAI, SEVERITY_INFO, 1 } }, 98, 'A' },
        { "one warning: 6", { { REL, SEVERITY_WARNING, 1 } }, 94, 'A' },
        { "two of one rule: 6 + 3", { { REL, SEVERITY_WARNING, 2 } }, 91, 'A' },
        { "three: 6 + 3 + 1.5 = 10.5, 89.5 rounds up", { { REL, SEVERITY_WARNING, 3 } }, 90, 'A' },
        { "four: 11.25", { { REL, SEVERITY_WARNING, 4 } }, 89, 'B' },
        { "without end: never twice the weight", { { STR, SEVERITY_WARNING, 1000000 } }, 88, 'B' },
        { "two rules: 6 + 6",
          { { REL, SEVERITY_WARNING, 1 }, { REL, SEVERITY_WARNING, 1 } },
          88,
          'B' },
        { "one error: 85 by points, held at 79", { { STR, SEVERITY_ERROR, 1 } }, 79, 'C' },
        { "one critical: 70 by points, held at 49", { { SEC, SEVERITY_CRITICAL, 1 } }, 49, 'F' },
        { "an error below its ceiling: 100 - 15 - 12 = 73",
          { { STR, SEVERITY_ERROR, 1 },
            { REL, SEVERITY_WARNING, 1 },
            { SEC, SEVERITY_WARNING, 1 } },
          73,
          'C' },
        { "a category costs its cap at most: 12 instead of 36",
          { { MAI, SEVERITY_WARNING, 1 },
            { MAI, SEVERITY_WARNING, 1 },
            { MAI, SEVERITY_WARNING, 1 },
            { MAI, SEVERITY_WARNING, 1 },
            { MAI, SEVERITY_WARNING, 1 },
            { MAI, SEVERITY_WARNING, 1 } },
          88,
          'B' },
        { "caps of all: 30 + 25 + 35 + 15 + 12 is more than there is",
          { { STR, SEVERITY_CRITICAL, 2 },
            { REL, SEVERITY_CRITICAL, 2 },
            { SEC, SEVERITY_CRITICAL, 2 },
            { PER, SEVERITY_CRITICAL, 2 },
            { MAI, SEVERITY_CRITICAL, 2 } },
          0,
          'F' },
        { "D from 50: 100 - 30 - 15 = 55, no critical",
          { { STR, SEVERITY_ERROR, 1 },
            { STR, SEVERITY_ERROR, 1 },
            { STR, SEVERITY_ERROR, 1 },
            { REL, SEVERITY_ERROR, 1 } },
          55,
          'D' },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        score_t score = score_compute(cases[i].entries, COUNT_OF(cases[i].entries));
        ok_named(score.score == cases[i].score && score.grade == cases[i].grade, cases[i].name);
        if (score.score != cases[i].score || score.grade != cases[i].grade)
            note("got %u %c, expected %u %c", score.score, score.grade, cases[i].score,
                 cases[i].grade);
    }
}

/* The points shown at the findings of a category add up to what the category costs. */
static void points(void)
{
    const score_entry_t entries[] = { { PER, SEVERITY_WARNING, 3 }, { PER, SEVERITY_ERROR, 1 } };
    score_t score = score_compute(entries, COUNT_OF(entries));
    double sum = 0;

    for (uint64_t k = 1; k <= 3; k++)
        sum += score_points(SEVERITY_WARNING, k) * score.factor[PER];
    sum += score_points(SEVERITY_ERROR, 1) * score.factor[PER];
    ok(fabs(score.lost[PER] - 15) < 1e-9);
    ok(fabs(score.factor[PER] - 15 / 25.5) < 1e-9);
    ok(fabs(sum - 15) < 1e-9);
    ok(fabs(score.factor[STR] - 1) < 1e-9);
    ok(fabs(score_points(SEVERITY_CRITICAL, 3) - 7.5) < 1e-9);
}

static void names(void)
{
    is_text(severity_name(SEVERITY_INFO), "info");
    is_text(severity_name(SEVERITY_CRITICAL), "critical");
    is_text(category_name(CATEGORY_STRUCTURE), "structure");
    is_text(category_name(CATEGORY_MAINTAINABILITY), "maintainability");
}

TESTS({ "scores", scores }, { "points", points }, { "names", names })
