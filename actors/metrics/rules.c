/* SPDX-License-Identifier: MPL-2.0
 *
 * rules - when somebody should be told
 */
#include "config.h"

#include "actors/metrics/rules.h"

#define RATE(of)     "sum(rate(" of "[1m]))"
#define RATE_BY(of)  "sum by (method, route) (rate(" of "[1m]))"
#define REQUESTS     "http_requests_total"
#define REQUESTS_5XX "http_requests_total{status=~\"5..\"}"
#define QUANTILE_OF  "rate(http_request_duration_seconds_bucket[1m])"
#define SECOND_US    1e6

const alert_rule_t alert_rules[] = {
    {
        .name = "InstanceDown",
        .severity = "critical",
        .about = "An instance has fallen silent without having left",
        .over = "instances",
        .labels = "part instance",
        .field = "down",
        .above = 0,
        .for_s = 5,
        .value = "1 - instance_up",
    },
    {
        .name = "HighErrorRate",
        .severity = "critical",
        .about = "More than 5 % of all requests fail through no fault of their callers",
        .over = "parts",
        .only_key = "part",
        .only = "edge",
        .labels = "",
        .field = "error_ratio",
        .above = 0.05,
        .least_field = "requests_per_s",
        .least = 1,
        .for_s = 60,
        .value = RATE(REQUESTS_5XX) " / " RATE(REQUESTS),
        .least_value = RATE(REQUESTS),
    },
    {
        .name = "EndpointErrors",
        .severity = "critical",
        .about = "More than half of the requests to a route fail through no fault of their callers",
        .over = "routes",
        .labels = "method route",
        .field = "error_ratio",
        .above = 0.5,
        .least_field = "requests_per_s",
        .least = 0.1,
        .for_s = 60,
        .value = RATE_BY(REQUESTS_5XX) " / " RATE_BY(REQUESTS),
        .least_value = RATE_BY(REQUESTS),
    },
    {
        .name = "SlowRequests",
        .severity = "warning",
        .about = "One in a hundred requests takes longer than a second",
        .over = "parts",
        .only_key = "part",
        .only = "edge",
        .labels = "",
        .field = "p99_us",
        .above = SECOND_US,
        .least_field = "requests_per_s",
        .least = 1,
        .for_s = 120,
        .value = "1e6 * histogram_quantile(0.99, sum by (le) (" QUANTILE_OF "))",
        .least_value = RATE(REQUESTS),
    },
    {
        .name = "QueueDepth",
        .severity = "warning",
        .about = "More than 1000 requests wait for instances of a service",
        .over = "queues",
        .labels = "service",
        .field = "depth",
        .above = 1000,
        .for_s = 60,
        .value = "sum by (service) (broker_queue_depth)",
    },
    {
        .name = "DeadLetters",
        .severity = "warning",
        .about = "Jobs have failed for good",
        .over = "jobs",
        .labels = "",
        .field = "dead_per_s",
        .above = 0,
        .linger_s = 300,
        .value = "sum(increase(jobs_dead_total[5m]))",
    },
    {
        .name = "NewError",
        .severity = "warning",
        .about = "A failure of a kind that was not known",
        .over = "new_errors",
        .labels = "fingerprint code part method",
        .field = "count",
        .above = 0,
        .value = "sum(increase(metrics_errors_new_total[5m]))",
        .is_sum = true,
    },
    { 0 },
};

/* ---- looking -------------------------------------------------------------------------------- */

const value_t *rules_item(const alert_rule_t *rule, const value_t *summary, uint32_t i)
{
    const value_t *over = value_get(summary, rule->over);
    if (value_is_type(over, VALUE_MAP))
        return i == 0 ? over : NULL;
    return value_item(over, i);
}

static double s_number(const value_t *item, const char *field)
{
    const value_t *value = value_get(item, field);
    return value_is_number(value) ? value_as_double(value) : 0;
}

rule_verdict_t rules_judge(const alert_rule_t *rule, const value_t *item, double *value)
{
    *value = s_number(item, rule->field);
    if (rule->only && !value_is(value_get(item, rule->only_key), rule->only))
        return RULE_KEPT;
    if (rule->least_field && s_number(item, rule->least_field) < rule->least)
        return RULE_UNKNOWN;
    return *value > rule->above ? RULE_BROKEN : RULE_KEPT;
}

/* ---- for Prometheus ------------------------------------------------------------------------- */

/* "{{ $labels.route }}" for each label, behind the sentence. */
static void s_add_labels(const alert_rule_t *rule, buf_t *out)
{
    const char *at = rule->labels;
    for (size_t size; *at; at += size) {
        at += strspn(at, " ");
        size = strcspn(at, " ");
        buf_printf(out, "%s{{ $labels.%.*s }}", at == rule->labels ? ": " : " ", (int)size, at);
    }
}

void rules_write_prometheus(buf_t *out)
{
    buf_add_text(out, "groups:\n  - name: signalbox\n    rules:\n");
    for (const alert_rule_t *rule = alert_rules; rule->name; rule++) {
        buf_printf(out, "      - alert: %s\n        expr: (%s) > %g", rule->name, rule->value,
                   rule->above);
        if (rule->least_value)
            buf_printf(out, " and (%s) >= %g", rule->least_value, rule->least);
        buf_printf(out,
                   "\n        for: %us\n        labels:\n          severity: %s\n"
                   "        annotations:\n          summary: \"%s",
                   rule->for_s, rule->severity, rule->about);
        if (!rule->is_sum)
            s_add_labels(rule, out);
        buf_add_text(out, "\"\n");
    }
}
