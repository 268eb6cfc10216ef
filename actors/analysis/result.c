/* SPDX-License-Identifier: MPL-2.0
 *
 * result - the answer as a msgpack map; analysis.h lists its fields
 */
#include "config.h"

#include <math.h>

#include "actors/analysis/analysis.h"

/* In the order a reader wants them. */
static const severity_t s_severities[SEVERITY_COUNT] = { SEVERITY_CRITICAL, SEVERITY_ERROR,
                                                         SEVERITY_WARNING, SEVERITY_INFO };

static void s_write_slice(pack_t *pack, slice_t text)
{
    char room[SLICE_CLEAN_BYTES];
    slice_t clean = slice_clean(text, room);
    pack_string(pack, clean.text, clean.size);
}

static void s_write_evidence(pack_t *pack, const char *evidence)
{
    if (!evidence) {
        pack_nil(pack);
        return;
    }
    size_t size = strlen(evidence);
    pack_string(pack, evidence, size);
    slice_blank_controls((char *)pack->out->bytes + pack->out->size - size, size);
}

static void s_write_node(pack_t *pack, const model_t *model, uint32_t node)
{
    if (node == NODE_NONE) {
        pack_nil(pack);
        return;
    }
    pack_map(pack, 3);
    pack_text(pack, "id");
    s_write_slice(pack, model->nodes[node].id);
    pack_text(pack, "name");
    s_write_slice(pack, model->nodes[node].name);
    pack_text(pack, "type");
    s_write_slice(pack, model->nodes[node].type);
}

static void s_write_nodes(pack_t *pack, const model_t *model, const uint32_t *nodes, uint32_t count)
{
    pack_array(pack, count);
    for (uint32_t i = 0; i < count; i++)
        s_write_node(pack, model, nodes[i]);
}

/* Points are shown to two places; more would only be noise. */
static void s_write_points(pack_t *pack, double points)
{
    pack_double(pack, round(points * 100) / 100);
}

static void s_write_finding(pack_t *pack, const model_t *model, const finding_t *finding)
{
    const rule_t *rule = finding->rule;
    pack_map(pack, 14);
    pack_pair_text(pack, "rule", rule->id);
    pack_pair_text(pack, "category", category_name(rule->category));
    pack_pair_text(pack, "severity", severity_name(rule->severity));
    pack_pair_text(pack, "title", rule->title);
    pack_text(pack, "node");
    s_write_node(pack, model, finding->node);
    pack_text(pack, "nodes");
    s_write_nodes(pack, model, finding->group, finding->group_count);
    pack_pair_int(pack, "nodes_left_out", finding->group_left_out);
    pack_text(pack, "path");
    s_write_nodes(pack, model, finding->path, finding->path_count);
    pack_pair_int(pack, "path_left_out", finding->path_left_out);
    pack_text(pack, "evidence");
    s_write_evidence(pack, finding->evidence);
    pack_pair_text(pack, "why", rule->why);
    pack_pair_text(pack, "fix", rule->fix);
    pack_text(pack, "points");
    s_write_points(pack, finding->points);
    pack_pair_text(pack, "fingerprint", finding->fingerprint);
}

static void s_write_summary(pack_t *pack, const analysis_result_t *result)
{
    uint64_t all = result->left_out + result->finding_count;

    pack_map(pack, 8);
    pack_pair_int(pack, "nodes", result->nodes);
    pack_pair_int(pack, "wires", result->wires);
    pack_pair_int(pack, "issues", (int64_t)all);
    pack_pair_int(pack, "left_out", (int64_t)result->left_out);
    pack_pair_int(pack, "unscanned", (int64_t)result->unscanned);
    pack_text(pack, "by_severity");
    pack_map(pack, SEVERITY_COUNT);
    for (size_t i = 0; i < SEVERITY_COUNT; i++)
        pack_pair_int(pack, severity_name(s_severities[i]),
                      (int64_t)result->by_severity[s_severities[i]]);
    pack_text(pack, "by_category");
    pack_map(pack, CATEGORY_COUNT);
    for (category_t c = 0; c < CATEGORY_COUNT; c++)
        pack_pair_int(pack, category_name(c), (int64_t)result->by_category[c]);
    pack_text(pack, "points");
    pack_map(pack, CATEGORY_COUNT);
    for (category_t c = 0; c < CATEGORY_COUNT; c++) {
        pack_text(pack, category_name(c));
        s_write_points(pack, result->score.lost[c]);
    }
}

void result_write(const analysis_result_t *result, pack_t *pack)
{
    const char grade[2] = { result->score.grade, '\0' };

    pack_map(pack, 7);
    pack_pair_text(pack, "kind", result->analyser->kind);
    pack_pair_int(pack, "analyser_version", result->analyser->version);
    pack_pair_text(pack, "profile", result->profile);
    pack_pair_int(pack, "score", result->score.score);
    pack_pair_text(pack, "grade", grade);
    pack_text(pack, "summary");
    s_write_summary(pack, result);
    pack_text(pack, "issues");
    pack_array(pack, result->finding_count);
    for (uint32_t i = 0; i < result->finding_count; i++)
        s_write_finding(pack, result->model, result->findings[i]);
}
