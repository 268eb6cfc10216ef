/* SPDX-License-Identifier: MPL-2.0
 *
 * rule - one thing that can be wrong, as a const row
 *
 * The row says what, for which kinds, how bad, and what a person needs to read; its check walks the
 * facts and reports. Rows stand at the end of the file of their category (rules_structure.c ...),
 * those that only one platform knows in rules_nodered.c and rules_asl.c. Each has a page,
 * docs/rules/<id>.md, and two fixtures, tests/fixtures/analysis/<id>-fires.json and -near.json.
 *
 * When in doubt a check keeps quiet: a false alarm costs the reader's trust in all the others.
 */
#ifndef SIGNALBOX_ANALYSIS_RULE_H
#define SIGNALBOX_ANALYSIS_RULE_H

#include "actors/analysis/analyser.h"
#include "actors/analysis/score.h"

typedef struct facts facts_t;
typedef struct report report_t;
typedef struct rule rule_t;

struct rule {
    const char *id; /* WF...: meaningful for several kinds; NR..., SF...: for one */
    unsigned kinds; /* KIND_... */
    category_t category;
    severity_t severity; /* its weight in points: score.h */
    const char *title;   /* what is the case, a few words */
    const char *why;     /* what follows from it */
    const char *fix;     /* what to do about it */
    void (*check)(const facts_t *facts, report_t *report);
};

/* The rows of one file, ended by an empty one. */
extern const rule_t rules_structure[], rules_branching[], rules_expressions[], rules_reliability[],
    rules_security[], rules_injection[], rules_performance[], rules_maintainability[],
    rules_nodered[], rules_asl[];

/* All rows, by file; NULL behind the last. */
const rule_t *rule_at(size_t i);
size_t rule_count(void);

/* The row with that id, NULL when there is none. */
const rule_t *rule_named(const char *id);

#endif
