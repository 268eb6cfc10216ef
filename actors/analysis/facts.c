/* SPDX-License-Identifier: MPL-2.0
 *
 * facts - what is worked out about a model once, for all rules to read
 */
#include "config.h"

#include "actors/analysis/facts.h"

#define FACTS_HOPS_MAX 16 /* parts plugged into parts */

static bool s_is_root(const facts_t *facts, uint32_t node)
{
    return facts->model->nodes[node].root;
}

static bool s_is_start(const facts_t *facts, uint32_t node)
{
    return facts->model->nodes[node].root && !facts->model->nodes[node].disabled;
}

static bool s_is_manual_start(const facts_t *facts, uint32_t node)
{
    return s_is_start(facts, node) && node_has(&facts->model->nodes[node], NODE_MANUAL);
}

static bool s_is_real_start(const facts_t *facts, uint32_t node)
{
    return s_is_start(facts, node) && !node_has(&facts->model->nodes[node], NODE_MANUAL);
}

static bool s_is_entry(const facts_t *facts, uint32_t node)
{
    return s_is_start(facts, node) && node_has(&facts->model->nodes[node], NODE_PUBLIC);
}

static bool s_is_open(const facts_t *facts, uint32_t node)
{
    return s_is_entry(facts, node) && !node_has(&facts->model->nodes[node], NODE_AUTHENTICATED);
}

uint32_t *facts_select(const facts_t *self, bool (*wanted)(const facts_t *facts, uint32_t node),
                       uint32_t *count)
{
    uint32_t *list = arena_array(self->work->arena, self->model->node_count, sizeof *list);
    *count = 0;
    for (uint32_t n = 0; n < self->model->node_count; n++)
        if (wanted(self, n))
            list[(*count)++] = n;
    self->work->steps += self->model->node_count;
    return list;
}

tree_t facts_walk(const facts_t *self, bool (*seed)(const facts_t *facts, uint32_t node),
                  unsigned channels, bool backward, const bool *blocked)
{
    walk_t walk = { .channels = channels, .backward = backward, .blocked = blocked };
    walk.seeds = facts_select(self, seed, &walk.seed_count);
    return graph_walk(self->work, self->model, &walk);
}

/* ---- what must have run ---------------------------------------------------------------------- */

static uint32_t s_done_output(const node_t *node)
{
    if (node->class != CLASS_LOOP)
        return NODE_NONE;
    return node->version >= 3 ? 0 : 1; /* version 3 of the type put "done" first */
}

static void s_solve_ran(facts_t *self)
{
    uint32_t targets = 0;
    uint32_t *ends =
        arena_array(self->work->arena, 2 * (size_t)self->references.count, sizeof *ends);

    for (uint32_t i = 0; i < self->references.count; i++)
        if (self->references.list[i].target != NODE_NONE) {
            ends[targets++] = self->references.list[i].target;
            ends[targets++] = facts_host(self, self->references.list[i].reader);
        }
    ran_solve(&self->ran, self->work,
              &(ran_question_t){ .model = self->model,
                                 .components = &self->components,
                                 .roots = self->real_starts,
                                 .root_count = self->real_start_count,
                                 .targets = ends,
                                 .target_count = targets,
                                 .done_output = s_done_output });
}

static void s_find_parts(facts_t *self)
{
    const model_t *model = self->model;
    self->plugged = arena_array(self->work->arena, model->node_count, sizeof *self->plugged);
    memset(self->plugged, 0xff, model->node_count * sizeof *self->plugged);
    for (uint32_t w = model->wire_count; w > 0; w--)
        if (model->wires[w - 1].channel == CHANNEL_AI)
            self->plugged[model->wires[w - 1].src] = model->wires[w - 1].dst;
    self->work->steps += model->wire_count;
}

void facts_gather(facts_t *self, work_t *work, const analyser_t *analyser, const model_t *model)
{
    uint32_t starts, manual;

    *self = (facts_t){ .analyser = analyser, .model = model, .work = work };
    texts_gather(&self->texts, work, model);
    s_find_parts(self);
    self->components = graph_components(work, model, FOLLOW_RUN, NULL);
    facts_select(self, s_is_start, &starts);
    facts_select(self, s_is_manual_start, &manual);
    self->has_start = starts > 0;
    self->only_manual = starts > 0 && manual == starts;
    /* A trigger for trying by hand reads as one more way in, but nobody means it to supply the data
     * that the real ones do: it counts only when there is no other. */
    self->real_starts = facts_select(self, self->only_manual ? s_is_start : s_is_real_start,
                                     &self->real_start_count);
    self->starts = facts_walk(self, s_is_start, FOLLOW_ALL, false, NULL);
    self->parked = facts_walk(self, s_is_root, FOLLOW_ALL, false, NULL);
    self->open = facts_walk(self, s_is_open, FOLLOW_ALL, false, NULL);
    self->entries = facts_walk(self, s_is_entry, FOLLOW_ALL, false, NULL);
    if (analyser->bit == KIND_N8N) {
        references_gather(&self->references, work, model, &self->texts);
        s_solve_ran(self);
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

bool facts_mentions(const facts_t *self, uint32_t node, const char *const *words)
{
    const text_t *text;
    for (uint32_t i = 0; (text = texts_of(&self->texts, node, i)); i++)
        if (slice_has_any(text->text, words) || slice_has_any(text->label, words))
            return true;
    return false;
}

uint32_t facts_host(const facts_t *self, uint32_t node)
{
    for (unsigned hops = 0; hops < FACTS_HOPS_MAX && facts_is_part(self, node); hops++)
        node = self->plugged[node];
    return node;
}
