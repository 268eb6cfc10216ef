/* SPDX-License-Identifier: MPL-2.0
 *
 * policy - "at most so much in so long", by name
 *
 * A policy keeps its place in the table for the life of the process, deleted or not: what subjects
 * have used refers to it by number, and a policy that is deleted and set again goes on counting.
 * POLICY_SLOTS different names is all one process can hear of.
 */
#ifndef SIGNALBOX_LIMITER_POLICY_H
#define SIGNALBOX_LIMITER_POLICY_H

#include "proto/limiter.h"

#include <uthash.h>

#define POLICY_SLOTS 1024
#define POLICY_NONE  UINT16_MAX

typedef enum { POLICY_WINDOW, POLICY_GCRA } policy_algorithm_t;

/* What a policy says. */
typedef struct {
    char name[LIMITER_NAME_BYTES + 1];
    policy_algorithm_t algorithm;
    uint32_t limit;
    uint32_t burst; /* of POLICY_GCRA */
    int64_t window_ms;
} policy_rule_t;

typedef struct {
    policy_rule_t rule;
    uint16_t slot;
    bool is_active;      /* false once it is deleted */
    int64_t grain_ms;    /* of POLICY_WINDOW: see window_grain */
    int64_t interval_us; /* of POLICY_GCRA: see gcra_interval */
    UT_hash_handle hh;
} policy_t;

typedef struct {
    int64_t version; /* of the set, as the store counts it */
    size_t active;
    uint16_t used; /* slots */
    policy_t *slots[POLICY_SLOTS];
    policy_t *by_name;
} policies_t;

void policies_free(policies_t *self);

/* The active policy of that name, or NULL. */
const policy_t *policies_find(const policies_t *self, const char *name, size_t size);

/* Adds a policy or changes it. False when there is no slot left. */
bool policies_set(policies_t *self, const policy_rule_t *rule) MUST_CHECK;

/* Deletes all that are not in the list, which is the whole set. */
void policies_keep(policies_t *self, const policy_rule_t *rules, size_t count);

/* "window", "gcra"; false when `text` is neither. */
const char *policy_algorithm_name(policy_algorithm_t algorithm);
bool policy_algorithm_parse(const char *text, policy_algorithm_t *algorithm) MUST_CHECK;

/* NULL, or the sentence that says what the rule lacks. */
const char *policy_fault(const policy_rule_t *rule);

#endif
