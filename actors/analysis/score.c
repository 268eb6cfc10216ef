/* SPDX-License-Identifier: MPL-2.0
 *
 * score - from what was found to a number from 0 to 100 and a grade
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "actors/analysis/score.h"

typedef struct {
    const char *name;
    double weight;    /* points the first finding costs */
    uint32_t ceiling; /* of the score when there is any */
} severity_row_t;

static const severity_row_t s_severities[SEVERITY_COUNT] = {
    [SEVERITY_INFO] = { "info", 2, 100 },
    [SEVERITY_WARNING] = { "warning", 6, 100 },
    [SEVERITY_ERROR] = { "error", 15, 79 },
    [SEVERITY_CRITICAL] = { "critical", 30, 49 },
};

typedef struct {
    const char *name;
    double cap; /* points it can cost */
} category_row_t;

static const category_row_t s_categories[CATEGORY_COUNT] = {
    [CATEGORY_STRUCTURE] = { "structure", 30 },
    [CATEGORY_RELIABILITY] = { "reliability", 25 },
    [CATEGORY_SECURITY] = { "security", 35 },
    [CATEGORY_PERFORMANCE] = { "performance", 15 },
    [CATEGORY_MAINTAINABILITY] = { "maintainability", 12 },
};

static const struct {
    uint32_t least;
    char grade;
} s_grades[] = { { 90, 'A' }, { 80, 'B' }, { 65, 'C' }, { 50, 'D' }, { 0, 'F' } };

const char *severity_name(severity_t severity)
{
    return s_severities[severity].name;
}

const char *category_name(category_t category)
{
    return s_categories[category].name;
}

bool severity_find(const char *name, size_t size, severity_t *severity)
{
    for (size_t i = 0; i < SEVERITY_COUNT; i++)
        if (strlen(s_severities[i].name) == size && memcmp(s_severities[i].name, name, size) == 0) {
            *severity = (severity_t)i;
            return true;
        }
    return false;
}

bool category_find(const char *name, size_t size, category_t *category)
{
    for (size_t i = 0; i < CATEGORY_COUNT; i++)
        if (strlen(s_categories[i].name) == size && memcmp(s_categories[i].name, name, size) == 0) {
            *category = (category_t)i;
            return true;
        }
    return false;
}

double score_points(severity_t severity, uint64_t k)
{
    /* beyond this a finding costs less than a double can tell from nothing */
    const uint64_t least = 64;
    return s_severities[severity].weight * exp2(1 - (double)(k < least ? k : least));
}

static double s_rule_cost(const score_entry_t *entry)
{
    return 2 * s_severities[entry->severity].weight - score_points(entry->severity, entry->count);
}

score_t score_compute(const score_entry_t *entries, size_t count)
{
    score_t self = { 0 };
    uint32_t ceiling = 100;
    double left = 100;

    for (size_t i = 0; i < count; i++) {
        if (!entries[i].count)
            continue;
        self.lost[entries[i].category] += s_rule_cost(&entries[i]);
        if (s_severities[entries[i].severity].ceiling < ceiling)
            ceiling = s_severities[entries[i].severity].ceiling;
    }
    for (size_t c = 0; c < CATEGORY_COUNT; c++) {
        double cap = s_categories[c].cap;
        self.factor[c] = self.lost[c] > cap ? cap / self.lost[c] : 1;
        if (self.lost[c] > cap)
            self.lost[c] = cap;
        left -= self.lost[c];
    }
    self.score = left > 0 ? (uint32_t)floor(left + 0.5) : 0;
    if (self.score > ceiling)
        self.score = ceiling;
    size_t g = 0;
    while (self.score < s_grades[g].least)
        g++;
    self.grade = s_grades[g].grade;
    return self;
}
