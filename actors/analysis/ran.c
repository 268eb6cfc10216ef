/* SPDX-License-Identifier: MPL-2.0
 *
 * ran - which nodes must have run, and which may have run, before a given node does
 */
#include "config.h"

#include "actors/analysis/ran.h"

/* A cycle whose sets have not settled by then is taken to guarantee everything. */
#define RAN_PASSES_MAX 8
/* A merge with more wires is taken to wait for all of them: telling its inputs apart is quadratic.
 */
#define RAN_MERGE_WIRES_MAX 16

typedef struct {
    ran_t *ran;
    work_t *work;
    const ran_question_t *question;
    uint64_t *set;   /* being computed */
    uint64_t *other; /* a part of it */
    uint64_t *body;  /* of each loop's head: what has run when its body comes back */
    uint32_t *slot;  /* of each loop's head in `body`; NODE_NONE: no such */
} solver_t;

static uint64_t *s_must(const solver_t *self, uint32_t node)
{
    return self->ran->must + (size_t)node * self->ran->words;
}

static void s_fill(uint64_t *set, uint32_t words, int byte)
{
    memset(set, byte, words * sizeof *set);
}

static void s_intersect(solver_t *self, uint64_t *into, const uint64_t *set, const uint64_t *more)
{
    for (uint32_t i = 0; i < self->ran->words; i++)
        into[i] &= set[i] | (more ? more[i] : 0);
    self->work->steps += self->ran->words;
}

static void s_set_bit(const ran_t *ran, uint64_t *set, uint32_t node)
{
    uint32_t bit = ran->bit[node];
    if (bit != NODE_NONE)
        set[bit / 64] |= 1ull << (bit % 64);
}

static bool s_has_bit(const ran_t *ran, const uint64_t *set, uint32_t node)
{
    uint32_t bit = ran->bit[node];
    return bit == NODE_NONE || (set[bit / 64] >> (bit % 64) & 1);
}

/* Intersects with what is known when the wire is taken. */
static void s_take_wire(solver_t *self, uint64_t *into, const wire_t *wire)
{
    uint32_t slot = self->slot[wire->src];
    const node_t *src = &self->question->model->nodes[wire->src];
    bool is_done = slot != NODE_NONE && wire->output == self->question->done_output(src);
    s_intersect(self, into, s_must(self, wire->src),
                is_done ? self->body + (size_t)slot * self->ran->words : NULL);
}

static bool s_counts(const solver_t *self, const wire_t *wire)
{
    return wire->channel != CHANNEL_AI && self->ran->reached[wire->src];
}

/* What every way into the node has in common. */
static void s_join(solver_t *self, uint32_t node)
{
    const model_t *model = self->question->model;
    const wire_t *wire;

    s_fill(self->set, self->ran->words, 0xff);
    for (uint32_t i = 0; (wire = model_in(model, node, i)); i++)
        if (s_counts(self, wire))
            s_take_wire(self, self->set, wire);
}

static void s_unite(solver_t *self)
{
    for (uint32_t w = 0; w < self->ran->words; w++)
        self->set[w] |= self->other[w];
}

/* What all the ways into one input have in common, united over the inputs. */
static void s_join_merge(solver_t *self, uint32_t node)
{
    const model_t *model = self->question->model;
    uint32_t count = model->in_first[node + 1] - model->in_first[node];
    const wire_t *wire, *same;
    bool many = count > RAN_MERGE_WIRES_MAX;

    s_fill(self->set, self->ran->words, 0);
    for (uint32_t i = 0; (wire = model_in(model, node, i)); i++) {
        if (!s_counts(self, wire))
            continue;
        s_fill(self->other, self->ran->words, 0xff);
        s_take_wire(self, self->other, wire);
        for (uint32_t k = 0; !many && (same = model_in(model, node, k)); k++)
            if (k != i && same->input == wire->input && s_counts(self, same))
                s_take_wire(self, self->other, same);
        s_unite(self);
    }
}

/* What has run whenever the body of a loop comes back to its head: common to the wires from nodes
 * that only run behind the head. */
static void s_join_body(solver_t *self, uint32_t head)
{
    uint64_t *body = self->body + (size_t)self->slot[head] * self->ran->words;
    const model_t *model = self->question->model;
    const wire_t *wire;
    bool any = false;

    s_fill(self->other, self->ran->words, 0xff);
    for (uint32_t i = 0; (wire = model_in(model, head, i)); i++) {
        if (!s_counts(self, wire) || wire->src == head ||
            self->ran->components->of[wire->src] != self->ran->components->of[head] ||
            !s_has_bit(self->ran, s_must(self, wire->src), head))
            continue;
        s_take_wire(self, self->other, wire);
        any = true;
    }
    if (any)
        memcpy(body, self->other, self->ran->words * sizeof *body);
    else
        s_fill(body, self->ran->words, 0);
}

static bool s_is_root(const solver_t *self, uint32_t node)
{
    return self->question->model->nodes[node].root && self->ran->reached[node];
}

/* Whether the node's set changed. */
static bool s_update(solver_t *self, uint32_t node)
{
    if (self->question->model->nodes[node].class == CLASS_MERGE)
        s_join_merge(self, node);
    else
        s_join(self, node);
    if (s_is_root(self, node))
        s_fill(self->set, self->ran->words, 0);
    s_set_bit(self->ran, self->set, node);
    size_t bytes = self->ran->words * sizeof *self->set;
    bool changed = memcmp(s_must(self, node), self->set, bytes) != 0;
    memcpy(s_must(self, node), self->set, bytes);
    if (self->slot[node] != NODE_NONE)
        s_join_body(self, node);
    return changed;
}

static void s_solve_component(solver_t *self, uint32_t component)
{
    const components_t *components = self->ran->components;
    uint32_t first = components->first[component], end = components->first[component + 1];
    uint32_t passes = components->is_cycle[component] ? RAN_PASSES_MAX : 1;
    bool changed = true;

    for (uint32_t pass = 0; changed && pass < passes; pass++) {
        changed = false;
        /* the latest met stands first: backwards is the way the walk went */
        for (uint32_t m = end; m > first; m--)
            if (self->ran->reached[components->members[m - 1]])
                changed |= s_update(self, components->members[m - 1]);
    }
    if (changed && components->is_cycle[component])
        for (uint32_t m = first; m < end; m++)
            s_fill(s_must(self, components->members[m]), self->ran->words, 0xff);
}

/* The union over all wires into a component of what may have run before and of where they start. */
static void s_solve_may(solver_t *self, uint32_t component)
{
    const components_t *components = self->ran->components;
    const model_t *model = self->question->model;
    uint64_t *may = self->ran->may + (size_t)component * self->ran->words;
    const wire_t *wire;

    for (uint32_t m = components->first[component]; m < components->first[component + 1]; m++) {
        uint32_t node = components->members[m];
        if (!self->ran->reached[node])
            continue;
        for (uint32_t i = 0; (wire = model_in(model, node, i)); i++) {
            if (!s_counts(self, wire))
                continue;
            const uint64_t *before =
                self->ran->may + (size_t)components->of[wire->src] * self->ran->words;
            for (uint32_t w = 0; w < self->ran->words; w++)
                may[w] |= before[w];
            self->work->steps += self->ran->words;
            s_set_bit(self->ran, may, wire->src);
        }
        if (components->is_cycle[component])
            s_set_bit(self->ran, may, node);
    }
}

/* Gives each node asked about, and each loop's head, a bit; returns how many heads. */
static uint32_t s_number(solver_t *self, uint32_t *bits)
{
    const ran_question_t *question = self->question;
    ran_t *ran = self->ran;
    uint32_t heads = 0;

    memset(ran->bit, 0xff, question->model->node_count * sizeof *ran->bit);
    memset(self->slot, 0xff, question->model->node_count * sizeof *self->slot);
    *bits = 0;
    for (uint32_t i = 0; i < question->target_count && *bits < RAN_TARGETS_MAX; i++)
        if (ran->bit[question->targets[i]] == NODE_NONE)
            ran->bit[question->targets[i]] = (*bits)++;
    for (uint32_t n = 0; n < question->model->node_count && *bits < RAN_TARGETS_MAX; n++) {
        if (question->done_output(&question->model->nodes[n]) == NODE_NONE ||
            !question->components->is_cycle[question->components->of[n]])
            continue;
        self->slot[n] = heads++;
        if (ran->bit[n] == NODE_NONE)
            ran->bit[n] = (*bits)++;
    }
    return heads;
}

void ran_solve(ran_t *self, work_t *work, const ran_question_t *question)
{
    const uint32_t nodes = question->model->node_count;
    arena_t *arena = work->arena;
    uint32_t bits;

    *self = (ran_t){ .bit = arena_array(arena, nodes, sizeof *self->bit),
                     .reached = arena_array(arena, nodes, sizeof *self->reached),
                     .components = question->components };
    solver_t solver = { .ran = self, .work = work, .question = question };
    solver.slot = arena_array(arena, nodes, sizeof *solver.slot);
    uint32_t heads = s_number(&solver, &bits);
    const uint32_t words = self->words = (bits + 63) / 64;
    self->must = arena_array(arena, (size_t)nodes * words, sizeof *self->must);
    self->may = arena_array(arena, (size_t)question->components->count * words, sizeof *self->may);
    solver.body = arena_array(arena, (size_t)heads * words, sizeof *solver.body);
    solver.set = arena_array(arena, words, sizeof *solver.set);
    solver.other = arena_array(arena, words, sizeof *solver.other);

    tree_t tree = graph_walk(work, question->model,
                             &(walk_t){ .seeds = question->roots,
                                        .seed_count = question->root_count,
                                        .channels = FOLLOW_RUN });
    for (uint32_t n = 0; n < nodes; n++)
        self->reached[n] = tree_has(&tree, n);
    if (!words)
        return;
    memset(self->must, 0xff, (size_t)nodes * words * sizeof *self->must);
    for (uint32_t c = question->components->count; c > 0; c--) {
        s_solve_component(&solver, c - 1);
        s_solve_may(&solver, c - 1);
    }
}

bool ran_must(const ran_t *self, uint32_t node, uint32_t target)
{
    return !self->reached[node] || s_has_bit(self, self->must + (size_t)node * self->words, target);
}

bool ran_may(const ran_t *self, uint32_t node, uint32_t target)
{
    return !self->reached[node] ||
           s_has_bit(self, self->may + (size_t)self->components->of[node] * self->words, target);
}

bool ran_knows(const ran_t *self, uint32_t target)
{
    return self->reached[target] && self->bit[target] != NODE_NONE;
}
