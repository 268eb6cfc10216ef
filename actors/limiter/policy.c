/* SPDX-License-Identifier: MPL-2.0
 *
 * policy - "at most so much in so long", by name
 */
#include "config.h"

#include <string.h>

#include "actors/limiter/gcra.h"
#include "actors/limiter/policy.h"
#include "actors/limiter/window.h"

static const char *const s_algorithms[] = { [POLICY_WINDOW] = "window", [POLICY_GCRA] = "gcra" };

const char *policy_algorithm_name(policy_algorithm_t algorithm)
{
    return s_algorithms[algorithm];
}

bool policy_algorithm_parse(const char *text, policy_algorithm_t *algorithm)
{
    for (size_t i = 0; i < COUNT_OF(s_algorithms); i++)
        if (strcmp(text, s_algorithms[i]) == 0) {
            *algorithm = (policy_algorithm_t)i;
            return true;
        }
    return false;
}

const char *policy_fault(const policy_rule_t *rule)
{
    if (rule->algorithm == POLICY_GCRA && rule->burst == 0)
        return "a policy of the algorithm gcra needs a burst of at least 1";
    if (rule->algorithm == POLICY_WINDOW && rule->burst != 0)
        return "only a policy of the algorithm gcra has a burst";
    return NULL;
}

void policies_free(policies_t *self)
{
    HASH_CLEAR(hh, self->by_name);
    for (size_t i = 0; i < self->used; i++)
        mem_free(self->slots[i]);
}

static policy_t *s_find(const policies_t *self, const char *name, size_t size)
{
    policy_t *policy;
    HASH_FIND(hh, self->by_name, name, size, policy);
    return policy;
}

const policy_t *policies_find(const policies_t *self, const char *name, size_t size)
{
    const policy_t *policy = s_find(self, name, size);
    return policy && policy->is_active ? policy : NULL;
}

static policy_t *s_make(policies_t *self, const char *name)
{
    policy_t *policy = s_find(self, name, strlen(name));
    if (policy || self->used == POLICY_SLOTS)
        return policy;
    policy = mem_zeroed(sizeof *policy);
    memcpy(policy->rule.name, name, strlen(name) + 1);
    policy->slot = self->used;
    self->slots[self->used++] = policy;
    HASH_ADD(hh, self->by_name, rule.name[0], (unsigned)strlen(name), policy);
    return policy;
}

bool policies_set(policies_t *self, const policy_rule_t *rule)
{
    policy_t *policy = s_make(self, rule->name);
    if (!policy)
        return false;
    self->active += !policy->is_active;
    policy->is_active = true;
    policy->rule = *rule;
    policy->grain_ms = window_grain(rule->limit, rule->window_ms);
    policy->interval_us = gcra_interval(rule->limit, rule->window_ms);
    return true;
}

void policies_keep(policies_t *self, const policy_rule_t *rules, size_t count)
{
    for (size_t slot = 0; slot < self->used; slot++) {
        policy_t *policy = self->slots[slot];
        bool is_kept = false;
        for (size_t i = 0; i < count; i++)
            is_kept |= strcmp(rules[i].name, policy->rule.name) == 0;
        self->active -= policy->is_active && !is_kept;
        policy->is_active &= is_kept;
    }
}
