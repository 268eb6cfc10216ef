/* SPDX-License-Identifier: MPL-2.0
 *
 * rules - when somebody should be told
 *
 * A rule is a row: a number of the summary (proto/metrics.c), looked at in each item of one of its
 * lists, and how much is too much. deploy/prometheus/signalbox.rules.yml is written from the same
 * rows for who lets Prometheus do it; there rates are of the last minute instead of between two
 * snapshots.
 */
#ifndef SIGNALBOX_METRICS_RULES_H
#define SIGNALBOX_METRICS_RULES_H

#include "actors/base/buf.h"
#include "proto/value.h"

typedef struct {
    const char *name, *severity; /* "warning" or "critical" */
    const char *about;           /* what is the case: a sentence without its full stop */
    const char *over;            /* a list of the summary, or a map of it as the only item */
    const char *only_key, *only; /* items in which this text is that; NULL: all */
    const char *labels;          /* texts that tell items apart, separated by spaces; "" */
    const char *field;
    double above;
    const char *least_field; /* NULL, or: and only where this is at least so much */
    double least;
    uint32_t for_s;                  /* it must be the case so long */
    uint32_t linger_s;               /* and counts as the case so long after it was */
    const char *value, *least_value; /* `field` and `least_field` in PromQL */
    bool is_sum;                     /* of all items in PromQL: without their labels */
} alert_rule_t;

extern const alert_rule_t alert_rules[]; /* ends with an empty row */

typedef enum {
    RULE_KEPT,
    RULE_UNKNOWN, /* there is too little of what it is about to say */
    RULE_BROKEN
} rule_verdict_t;

/* Whether an item breaks the rule; `*value` is its number. */
rule_verdict_t rules_judge(const alert_rule_t *rule, const value_t *item, double *value);

/* Walks the items that a rule looks at; NULL behind the last. */
const value_t *rules_item(const alert_rule_t *rule, const value_t *summary, uint32_t i);

/* Appends all rules as a file for Prometheus. */
void rules_write_prometheus(buf_t *out);

#endif
