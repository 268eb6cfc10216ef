/* SPDX-License-Identifier: MPL-2.0
 *
 * rule - the list of all rules
 *
 * The files' tables are joined into one list of pointers on first use.
 */
#include "config.h"

#include <pthread.h>

#include "actors/analysis/rule.h"

#define RULES_MAX 128 /* room; the join insists that it is enough */

static const rule_t *const s_files[] = {
    rules_structure, rules_branching,   rules_expressions,     rules_reliability, rules_security,
    rules_injection, rules_performance, rules_maintainability, rules_nodered,     rules_asl,
};

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static const rule_t *s_rules[RULES_MAX];
static size_t s_count;

static void s_join(void)
{
    for (size_t f = 0; f < COUNT_OF(s_files); f++)
        for (const rule_t *rule = s_files[f]; rule->id; rule++) {
            insist(s_count < RULES_MAX);
            s_rules[s_count++] = rule;
        }
}

const rule_t *rule_at(size_t i)
{
    pthread_once(&s_once, s_join);
    return i < s_count ? s_rules[i] : NULL;
}

size_t rule_count(void)
{
    pthread_once(&s_once, s_join);
    return s_count;
}

const rule_t *rule_named(const char *id)
{
    const rule_t *rule;
    for (size_t i = 0; (rule = rule_at(i)); i++)
        if (strcmp(rule->id, id) == 0)
            return rule;
    return NULL;
}
