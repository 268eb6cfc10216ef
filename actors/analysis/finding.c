/* SPDX-License-Identifier: MPL-2.0
 *
 * finding - what a rule found, and the report that collects it
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/analysis/finding.h"
#include "actors/base/id.h"

#define EVIDENCE_SIZE 400

void report_init(report_t *self, work_t *work, const model_t *model)
{
    *self = (report_t){ .work = work, .model = model };
    self->of_rules = arena_array(work->arena, rule_count(), sizeof *self->of_rules);
}

void report_begin(report_t *self, size_t i)
{
    self->rule = rule_at(i);
    self->now = &self->of_rules[i];
}

finding_t *report_add(report_t *self, uint32_t node, const char *evidence, ...)
{
    rule_findings_t *now = self->now;
    char text[EVIDENCE_SIZE];
    va_list args;

    if (now->count++ >= REPORT_FINDINGS_MAX)
        return NULL;
    now->list = work_grow(self->work, now->list, now->kept, &now->room, sizeof *now->list);
    finding_t *finding = &now->list[now->kept++];
    *finding = (finding_t){ .rule = self->rule, .node = node, .mark = slice_make("", 0) };
    if (evidence) {
        va_start(args, evidence);
        vsnprintf(text, sizeof text, evidence, args);
        va_end(args);
        /* a cut must not leave half a code point */
        slice_t whole = slice_cut(slice_literal(text), EVIDENCE_SIZE - 4);
        finding->evidence = arena_text(self->work->arena, whole.text, whole.size);
    }
    return finding;
}

void report_mark(finding_t *finding, slice_t mark)
{
    if (finding)
        finding->mark = mark;
}

void report_group(report_t *self, finding_t *finding, const uint32_t *nodes, uint32_t count)
{
    if (!finding)
        return;
    finding->group_count = count < REPORT_GROUP_MAX ? count : REPORT_GROUP_MAX;
    finding->group_left_out = count - finding->group_count;
    finding->group = arena_array(self->work->arena, finding->group_count, sizeof *nodes);
    memcpy(finding->group, nodes, finding->group_count * sizeof *nodes);
}

void report_together(report_t *self, const uint32_t *nodes, uint32_t count, const char *evidence)
{
    if (!count)
        return;
    finding_t *finding = report_add(self, nodes[0], evidence, count);
    if (count > 1)
        report_group(self, finding, nodes, count);
}

static uint32_t *s_new_path(report_t *self, finding_t *finding, uint32_t count)
{
    finding->path_count = count < REPORT_PATH_MAX ? count : REPORT_PATH_MAX;
    finding->path_left_out = count - finding->path_count;
    finding->path = arena_array(self->work->arena, finding->path_count, sizeof(uint32_t));
    return finding->path;
}

void report_path(report_t *self, finding_t *finding, const tree_t *tree, uint32_t node,
                 bool backward)
{
    if (!finding || !tree_has(tree, node))
        return;
    uint32_t *path = s_new_path(self, finding, tree->distance[node] + 1);
    uint32_t count = finding->path_count, at = node;

    /* The nearer end is walked, the far end is known: a long proof costs no more than a short one.
     */
    for (uint32_t i = 0; i + 1 < count; i++, at = tree->via[at])
        path[backward ? i : count - 1 - i] = at;
    path[backward ? count - 1 : 0] = tree->seed[node];
}

void report_cycle(report_t *self, finding_t *finding, const uint32_t *nodes, uint32_t count)
{
    if (!finding || !count)
        return;
    uint32_t *path = s_new_path(self, finding, count + 1);
    for (uint32_t i = 0; i < finding->path_count; i++)
        path[i] = nodes[(i ? i + finding->path_left_out : 0) % count];
}

void report_pair(report_t *self, finding_t *finding, uint32_t one, uint32_t other)
{
    if (!finding)
        return;
    uint32_t *path = s_new_path(self, finding, 2);
    path[0] = one;
    path[1] = other;
}

static int s_by_name(const void *a, const void *b)
{
    const named_t *one = a, *other = b;
    int order = slice_compare(one->name, other->name);
    return order ? order : (one->node > other->node) - (one->node < other->node);
}

/* Reports the names that at least `least` entries have. */
static void s_report_names(report_t *self, named_t *list, uint32_t count, uint32_t least,
                           const char *evidence)
{
    uint32_t *nodes = arena_array(self->work->arena, count, sizeof *nodes);
    qsort(list, count, sizeof *list, s_by_name);
    for (uint32_t i = 0, end; i < count; i = end) {
        uint32_t known = 0;
        for (end = i; end < count && slice_equal(list[end].name, list[i].name); end++)
            if (list[end].node != NODE_NONE && (!known || nodes[known - 1] != list[end].node))
                nodes[known++] = list[end].node;
        if (end - i < least)
            continue;
        finding_t *finding = report_add(self, list[i].node, evidence, SLICE_ARGS(list[i].name));
        report_mark(finding, list[i].name);
        if (known > 1)
            report_group(self, finding, nodes, known);
    }
}

void report_by_name(report_t *self, named_t *list, uint32_t count, const char *evidence)
{
    s_report_names(self, list, count, 1, evidence);
}

void report_repeated(report_t *self, named_t *list, uint32_t count, const char *evidence)
{
    s_report_names(self, list, count, 2, evidence);
}

/* ---- closing --------------------------------------------------------------------------------- */

static void s_fingerprint(const model_t *model, finding_t *finding)
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    slice_t id = finding->node == NODE_NONE ? slice_make("", 0) : model->nodes[finding->node].id;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)finding->rule->id,
                              strlen(finding->rule->id) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)id.text, id.size);
    crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)finding->mark.text, finding->mark.size);
    crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
    crypto_hash_sha256_final(&state, hash);
    id_hex(hash, (FINDING_FINGERPRINT_SIZE - 1) / 2, finding->fingerprint);
}

/* Rules report node by node, but the order inside a node may be that of a map's keys, which means
 * nothing; points must not depend on it. */
static int s_by_place(const void *a, const void *b)
{
    const finding_t *one = a, *other = b;
    if (one->node != other->node)
        return one->node < other->node ? -1 : 1;
    return slice_compare(one->mark, other->mark);
}

static void s_finish_rule(report_t *self, rule_findings_t *of, const tree_t *starts,
                          const score_t *score)
{
    if (of->kept > 1)
        qsort(of->list, of->kept, sizeof *of->list, s_by_place);
    for (uint32_t i = 0; i < of->kept; i++) {
        finding_t *finding = &of->list[i];
        const rule_t *rule = finding->rule;
        if (!finding->path && finding->node != NODE_NONE)
            report_path(self, finding, starts, finding->node, false);
        finding->points = score_points(rule->severity, i + 1) * score->factor[rule->category];
        s_fingerprint(self->model, finding);
    }
}

void report_finish(report_t *self, const tree_t *starts, score_t *score)
{
    const size_t rules = rule_count();
    score_entry_t *entries = arena_array(self->work->arena, rules, sizeof *entries);
    const rule_t *rule;

    for (size_t i = 0; (rule = rule_at(i)); i++)
        entries[i] = (score_entry_t){ rule->category, rule->severity, self->of_rules[i].count };
    *score = score_compute(entries, rules);
    for (size_t i = 0; i < rules; i++)
        s_finish_rule(self, &self->of_rules[i], starts, score);
}
