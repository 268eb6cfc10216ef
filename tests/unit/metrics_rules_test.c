/* SPDX-License-Identifier: MPL-2.0
 *
 * The rules, and the file for Prometheus that is written of them.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/metrics/rules.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

static const alert_rule_t *s_rule(const char *name)
{
    for (const alert_rule_t *at = alert_rules; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

/* How many items of a summary break a rule. */
static size_t s_broken(const char *name, const char *json)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    buf_t packed = described_pack(json);
    const value_t *summary = value_parse(&arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict),
                  *item;
    size_t broken = 0;
    double value;
    for (uint32_t i = 0; (item = rules_item(s_rule(name), summary, i)); i++)
        broken += rules_judge(s_rule(name), item, &value) == RULE_BROKEN;
    arena_free(&arena);
    buf_free(&packed);
    return broken;
}

static void test_breaks(void)
{
    static const struct {
        const char *rule, *summary;
        size_t broken;
    } cases[] = {
        { "InstanceDown", "{\"instances\":[{\"down\":0},{\"down\":1},{\"down\":1}]}", 2 },
        { "HighErrorRate",
          "{\"parts\":[{\"part\":\"edge\",\"error_ratio\":0.06,\"requests_per_s\":10}]}", 1 },
        { "HighErrorRate",
          "{\"parts\":[{\"part\":\"edge\",\"error_ratio\":0.05,\"requests_per_s\":10}]}", 0 },
        { "HighErrorRate", /* too few to say */
          "{\"parts\":[{\"part\":\"edge\",\"error_ratio\":1,\"requests_per_s\":0.5}]}", 0 },
        { "HighErrorRate", /* of another part */
          "{\"parts\":[{\"part\":\"auth\",\"error_ratio\":1,\"requests_per_s\":10}]}", 0 },
        { "EndpointErrors",
          "{\"routes\":[{\"error_ratio\":0.51,\"requests_per_s\":1},{\"error_ratio\":0.5,"
          "\"requests_per_s\":1}]}",
          1 },
        { "SlowRequests",
          "{\"parts\":[{\"part\":\"edge\",\"p99_us\":1000001,\"requests_per_s\":1}]}", 1 },
        { "SlowRequests",
          "{\"parts\":[{\"part\":\"edge\",\"p99_us\":1000000,\"requests_per_s\":1}]}", 0 },
        { "QueueDepth", "{\"queues\":[{\"depth\":1001},{\"depth\":1000}]}", 1 },
        { "DeadLetters", "{\"jobs\":{\"dead_per_s\":0.01}}", 1 },
        { "DeadLetters", "{\"jobs\":{\"dead_per_s\":0}}", 0 },
        { "DeadLetters", "{}", 0 },
        { "InstanceDown", "{\"instances\":[{\"down\":\"1\"}]}", 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(s_broken(cases[i].rule, cases[i].summary) == cases[i].broken, cases[i].summary);
}

/* Every row is complete. */
static void test_rows(void)
{
    for (const alert_rule_t *at = alert_rules; at->name; at++) {
        ok_named(s_rule(at->name) == at, at->name);
        ok_named(at->severity && at->about && at->over && at->labels && at->field && at->value,
                 at->name);
        ok_named(!at->least_field == !at->least_value && !at->only == !at->only_key, at->name);
    }
}

/* Rewritten by `make update-docs`. */
static void test_file(void)
{
    char path[1000];
    const char *top = getenv("srcdir") ? getenv("srcdir") : ".";
    buf_t text = { 0 }, kept = { 0 };
    snprintf(path, sizeof path, "%s/deploy/prometheus/signalbox.rules.yml", top);
    buf_add_text(&text, "# SPDX-License-Identifier: MPL-2.0\n"
                        "# Written by `make update-docs` from actors/metrics/rules.c.\n");
    rules_write_prometheus(&text);
    if (getenv("UPDATE_DOCS")) {
        FILE *file = fopen(path, "w");
        insist(file && fwrite(text.bytes, 1, text.size, file) == text.size && fclose(file) == 0);
    }
    FILE *file = fopen(path, "r");
    if (file) {
        size_t got = fread(buf_reserve(&kept, text.size + 1), 1, text.size + 1, file);
        kept.size += got;
        fclose(file);
    }
    ok(kept.size == text.size && memcmp(kept.bytes, text.bytes, text.size) == 0);
    buf_free(&kept);
    buf_free(&text);
}

TESTS({ "breaks", test_breaks }, { "rows", test_rows }, { "file", test_file })
