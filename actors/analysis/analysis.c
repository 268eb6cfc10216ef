/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis - reads a workflow and says what is wrong with it
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/analysis/analysis.h"
#include "actors/analysis/facts.h"

#define ALL_CATEGORIES ((1u << CATEGORY_COUNT) - 1)

/* ---- choosing -------------------------------------------------------------------------------- */

static const analysis_profile_t s_profiles[] = {
    { "default", SEVERITY_INFO, ALL_CATEGORIES, "All rules" },
    { "gate", SEVERITY_ERROR, ALL_CATEGORIES,
      "Errors and critical issues only, to stop a release" },
    { "security", SEVERITY_INFO, 1u << CATEGORY_SECURITY, "Security rules only" },
};

const analysis_profile_t *analysis_profile_at(size_t i)
{
    return i < COUNT_OF(s_profiles) ? &s_profiles[i] : NULL;
}

static const analysis_profile_t *s_profile_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(s_profiles); i++)
        if (!name || strcmp(name, s_profiles[i].name) == 0)
            return &s_profiles[i];
    return NULL;
}

typedef struct {
    const analyser_t *analyser;
    const analysis_profile_t *profile;
} choice_t;

static bool s_choose(const value_t *document, const analysis_options_t *options, choice_t *choice,
                     char why[ANALYSIS_WHY_SIZE])
{
    choice->profile = s_profile_named(options->profile);
    if (!choice->profile) {
        snprintf(why, ANALYSIS_WHY_SIZE,
                 "There is no such profile: use default, gate or security.");
        return false;
    }
    choice->analyser =
        options->kind ? analyser_named(slice_literal(options->kind)) : analyser_detected(document);
    if (choice->analyser)
        return true;
    snprintf(
        why, ANALYSIS_WHY_SIZE, "%s",
        options->kind
            ? "There is no such kind of workflow: use n8n, node-red, asl or generic."
            : "It cannot be told what kind of workflow this is: n8n has nodes and connections, "
              "Node-RED is a list of nodes with id and type, ASL has States, a generic graph "
              "has nodes and edges.");
    return false;
}

analysis_verdict_t analysis_key(arena_t *arena, const value_t *document,
                                const analysis_options_t *options, uint8_t key[ANALYSIS_KEY_BYTES],
                                char why[ANALYSIS_WHY_SIZE])
{
    work_t work = { .arena = arena };
    choice_t choice;
    canon_t canon;

    if (!s_choose(document, options, &choice, why))
        return ANALYSIS_REFUSED;
    canon_init(&canon, &work);
    canon_text(&canon, choice.analyser->kind);
    canon_number(&canon, choice.analyser->version);
    canon_text(&canon, choice.profile->name);
    choice.analyser->canonicalise(&canon, document);
    canon_finish(&canon, key);
    return ANALYSIS_DONE;
}

analysis_verdict_t analysis_check(arena_t *arena, const value_t *document,
                                  const analysis_options_t *options, char why[ANALYSIS_WHY_SIZE])
{
    work_t work = { .arena = arena };
    loader_t loader = { .work = &work, .model = arena_alloc(arena, sizeof *loader.model) };
    choice_t choice;
    if (!s_choose(document, options, &choice, why))
        return ANALYSIS_REFUSED;
    if (choice.analyser->load(&loader, document))
        return ANALYSIS_DONE;
    memcpy(why, loader.why, ANALYSIS_WHY_SIZE);
    return ANALYSIS_REFUSED;
}

/* ---- running --------------------------------------------------------------------------------- */

typedef struct {
    const analysis_options_t *options;
    unsigned done, total;
} progress_t;

static bool s_proceed(progress_t *self)
{
    return !self->options->proceed ||
           self->options->proceed(self->options->context, self->done++, self->total);
}

static bool s_applies(const rule_t *rule, const choice_t *choice)
{
    return (rule->kinds & choice->analyser->bit) && rule->severity >= choice->profile->least &&
           (choice->profile->categories >> rule->category & 1);
}

static bool s_check_all(const facts_t *facts, report_t *report, const choice_t *choice,
                        progress_t *progress)
{
    const rule_t *rule;
    for (size_t i = 0; (rule = rule_at(i)); i++) {
        if (!s_proceed(progress))
            return false;
        if (!s_applies(rule, choice))
            continue;
        report_begin(report, i);
        rule->check(facts, report);
    }
    return true;
}

/* What to mend first comes first. */
static int s_by_weight(const void *a, const void *b)
{
    const finding_t *const *one = a, *const *other = b;
    if ((*one)->rule->severity != (*other)->rule->severity)
        return (*one)->rule->severity > (*other)->rule->severity ? -1 : 1;
    int order = strcmp((*one)->rule->id, (*other)->rule->id);
    if (order)
        return order;
    /* of one rule they stand in one list, in order of place */
    return (*one > *other) - (*one < *other);
}

static void s_collect(analysis_result_t *result, const report_t *report, work_t *work)
{
    uint64_t all = 0, kept = 0;
    const rule_t *rule;

    for (size_t i = 0; (rule = rule_at(i)); i++) {
        const rule_findings_t *of = &report->of_rules[i];
        result->by_severity[rule->severity] += of->count;
        result->by_category[rule->category] += of->count;
        all += of->count;
        kept += of->kept;
    }
    result->findings = arena_array(work->arena, kept, sizeof *result->findings);
    size_t next = 0;
    for (size_t i = 0; i < rule_count(); i++)
        for (uint32_t f = 0; f < report->of_rules[i].kept; f++)
            result->findings[next++] = &report->of_rules[i].list[f];
    qsort(result->findings, next, sizeof(finding_t *), s_by_weight);
    result->finding_count = (uint32_t)(kept < ANALYSIS_FINDINGS_MAX ? kept : ANALYSIS_FINDINGS_MAX);
    result->left_out = all - result->finding_count;
}

static uint32_t s_count_running(const model_t *model)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        count += node_runs(&model->nodes[n]);
    return count;
}

analysis_verdict_t analysis_run(arena_t *arena, const value_t *document,
                                const analysis_options_t *options, analysis_result_t *result)
{
    work_t work = { .arena = arena };
    progress_t progress = { .options = options, .total = (unsigned)rule_count() + 2 };
    model_t *model = arena_alloc(arena, sizeof *model);
    choice_t choice;
    facts_t facts;
    report_t report;

    *result = (analysis_result_t){ .model = model };
    if (!s_choose(document, options, &choice, result->why))
        return ANALYSIS_REFUSED;
    result->analyser = choice.analyser;
    result->profile = choice.profile->name;

    loader_t loader = { .work = &work, .model = model };
    if (!s_proceed(&progress))
        return ANALYSIS_STOPPED;
    if (!choice.analyser->load(&loader, document)) {
        memcpy(result->why, loader.why, sizeof result->why);
        return ANALYSIS_REFUSED;
    }
    if (!s_proceed(&progress))
        return ANALYSIS_STOPPED;
    facts_gather(&facts, &work, choice.analyser, model);
    report_init(&report, &work, model);
    if (!s_check_all(&facts, &report, &choice, &progress))
        return ANALYSIS_STOPPED;
    report_finish(&report, &facts.starts, &result->score);

    result->nodes = s_count_running(model);
    result->wires = model->wire_count;
    result->unscanned = facts.texts.unscanned;
    s_collect(result, &report, &work);
    result->steps = work.steps;
    return ANALYSIS_DONE;
}
