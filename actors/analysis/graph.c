/* SPDX-License-Identifier: MPL-2.0
 *
 * graph - reachability, shortest paths and cycles of a model
 */
#include "config.h"

#include "actors/analysis/graph.h"

/* ---- walking --------------------------------------------------------------------------------- */

typedef struct {
    work_t *work;
    const model_t *model;
    const walk_t *walk;
    tree_t *tree;
    uint32_t count; /* of nodes met */
} walker_t;

static void s_reach(walker_t *self, uint32_t from, uint32_t to)
{
    if (tree_has(self->tree, to))
        return;
    self->tree->distance[to] = self->tree->distance[from] + 1;
    self->tree->via[to] = from;
    self->tree->seed[to] = self->tree->seed[from];
    self->tree->met[self->count++] = to;
}

/* An AI wire runs from the part to its host, the execution from the host to the part: it is
 * followed against the direction of the walk. */
static void s_expand(walker_t *self, uint32_t node)
{
    const unsigned channels = self->walk->channels;
    const wire_t *wire;
    uint32_t i;

    for (i = 0; (wire = model_out(self->model, node, i)); i++) {
        bool against = wire->channel == CHANNEL_AI;
        if ((channels & (1u << wire->channel)) && against == self->walk->backward)
            s_reach(self, node, wire->dst);
    }
    self->work->steps += i;
    for (i = 0; (wire = model_in(self->model, node, i)); i++) {
        bool against = wire->channel == CHANNEL_AI;
        if ((channels & (1u << wire->channel)) && against != self->walk->backward)
            s_reach(self, node, wire->src);
    }
    self->work->steps += i + 1;
}

void graph_walk_again(work_t *work, const model_t *model, const walk_t *walk, tree_t *tree)
{
    const size_t bytes = model->node_count * sizeof(uint32_t);
    walker_t self = { .work = work, .model = model, .walk = walk, .tree = tree };

    memset(tree->distance, 0xff, bytes);
    memset(tree->via, 0xff, bytes);
    memset(tree->seed, 0xff, bytes);
    for (uint32_t i = 0; i < walk->seed_count; i++) {
        uint32_t seed = walk->seeds[i];
        if (tree_has(tree, seed))
            continue;
        tree->distance[seed] = 0;
        tree->seed[seed] = seed;
        tree->met[self.count++] = seed;
    }
    for (uint32_t next = 0; next < self.count; next++) {
        uint32_t node = tree->met[next];
        if (tree->distance[node] == 0 || !walk->blocked || !walk->blocked[node])
            s_expand(&self, node);
    }
}

tree_t graph_walk(work_t *work, const model_t *model, const walk_t *walk)
{
    const uint32_t nodes = model->node_count;
    tree_t tree = { .distance = arena_array(work->arena, nodes, sizeof(uint32_t)),
                    .via = arena_array(work->arena, nodes, sizeof(uint32_t)),
                    .seed = arena_array(work->arena, nodes, sizeof(uint32_t)),
                    .met = arena_array(work->arena, nodes, sizeof(uint32_t)) };
    graph_walk_again(work, model, walk, &tree);
    return tree;
}

/* ---- components ------------------------------------------------------------------------------ */

typedef struct {
    uint32_t node;
    uint32_t next; /* wire to look at next, counted from the node's first */
} frame_t;

typedef struct {
    work_t *work;
    const model_t *model;
    unsigned channels;
    const bool *without;
    components_t found;
    uint32_t *order; /* when each node was met, from 1; 0: not yet */
    uint32_t *low;   /* the earliest met node still open that it leads to */
    uint32_t *open;  /* stack of nodes whose component is not complete */
    bool *is_open;
    uint32_t open_count, clock;
    uint32_t placed; /* members written so far */
    bool *loops;     /* nodes with a wire to themselves */
    frame_t *frames;
    uint32_t depth;
} tarjan_t;

static void s_enter(tarjan_t *self, uint32_t node)
{
    self->order[node] = self->low[node] = ++self->clock;
    self->open[self->open_count++] = node;
    self->is_open[node] = true;
    self->frames[self->depth++] = (frame_t){ .node = node };
}

/* `node` leads to nothing earlier: it and all behind it on the stack are one component. */
static void s_close(tarjan_t *self, uint32_t node)
{
    components_t *found = &self->found;
    uint32_t component = found->count++, member;
    found->first[component] = self->placed;
    do {
        member = self->open[--self->open_count];
        self->is_open[member] = false;
        found->of[member] = component;
        found->members[self->placed++] = member;
        found->size[component]++;
    } while (member != node);
    if (found->size[component] > 1)
        found->is_cycle[component] = true;
}

static void s_leave(tarjan_t *self)
{
    uint32_t node = self->frames[--self->depth].node;
    if (self->low[node] == self->order[node])
        s_close(self, node);
    if (self->depth) {
        uint32_t parent = self->frames[self->depth - 1].node;
        if (self->low[node] < self->low[parent])
            self->low[parent] = self->low[node];
    }
}

static void s_visit(tarjan_t *self, uint32_t start)
{
    s_enter(self, start);
    while (self->depth) {
        frame_t *frame = &self->frames[self->depth - 1];
        uint32_t node = frame->node;
        const wire_t *wire = model_out(self->model, node, frame->next++);
        self->work->steps++;
        if (!wire || (self->without && self->without[node])) {
            s_leave(self);
            continue;
        }
        if (!(self->channels & (1u << wire->channel)) ||
            (self->without && self->without[wire->dst]))
            continue;
        if (wire->dst == node)
            self->loops[node] = true;
        if (!self->order[wire->dst])
            s_enter(self, wire->dst);
        else if (self->is_open[wire->dst] && self->order[wire->dst] < self->low[node])
            self->low[node] = self->order[wire->dst];
    }
}

components_t graph_components(work_t *work, const model_t *model, unsigned channels,
                              const bool *without)
{
    const uint32_t nodes = model->node_count;
    arena_t *arena = work->arena;
    tarjan_t self = {
        .work = work,
        .model = model,
        .channels = channels,
        .without = without,
        .found = {
            .of = arena_array(arena, nodes, sizeof(uint32_t)),
            .size = arena_array(arena, nodes, sizeof(uint32_t)),
            .is_cycle = arena_array(arena, nodes, sizeof(bool)),
            .first = arena_array(arena, nodes + 1, sizeof(uint32_t)),
            .members = arena_array(arena, nodes, sizeof(uint32_t)),
        },
        .order = arena_array(arena, nodes, sizeof(uint32_t)),
        .low = arena_array(arena, nodes, sizeof(uint32_t)),
        .open = arena_array(arena, nodes, sizeof(uint32_t)),
        .is_open = arena_array(arena, nodes, sizeof(bool)),
        .loops = arena_array(arena, nodes, sizeof(bool)),
        .frames = arena_array(arena, nodes, sizeof(frame_t)),
    };

    for (uint32_t n = 0; n < nodes; n++)
        if (!self.order[n])
            s_visit(&self, n);
    self.found.first[self.found.count] = self.placed;
    for (uint32_t n = 0; n < nodes; n++)
        if (self.loops[n])
            self.found.is_cycle[self.found.of[n]] = true;
    return self.found;
}

/* ---- one cycle ------------------------------------------------------------------------------- */

uint32_t graph_cycle(work_t *work, const model_t *model, const components_t *components,
                     unsigned channels, uint32_t node, uint32_t **nodes)
{
    const uint32_t component = components->of[node], size = components->size[component];
    uint32_t *queue = arena_array(work->arena, size, sizeof *queue);
    uint32_t *via = arena_array(work->arena, size, sizeof *via); /* position in the queue */
    bool *met = arena_array(work->arena, model->node_count, sizeof *met);
    uint32_t queued = 0, length = 0;
    const wire_t *wire;

    queue[queued++] = node;
    met[node] = true;
    for (uint32_t next = 0; next < queued; next++)
        for (uint32_t i = 0; (wire = model_out(model, queue[next], i)); i++) {
            work->steps++;
            if (!(channels & (1u << wire->channel)) || components->of[wire->dst] != component)
                continue;
            if (wire->dst == node) {
                for (uint32_t at = next; at; at = via[at])
                    length++;
                *nodes = arena_array(work->arena, ++length, sizeof **nodes);
                (*nodes)[0] = node;
                for (uint32_t at = next, to = length; at; at = via[at])
                    (*nodes)[--to] = queue[at];
                return length;
            }
            if (!met[wire->dst]) {
                met[wire->dst] = true;
                via[queued] = next;
                queue[queued++] = wire->dst;
            }
        }
    return 0;
}

/* ---- groups ---------------------------------------------------------------------------------- */

typedef struct {
    const bool *marked;
    bool *met;
    uint32_t *queue; /* becomes the list of members */
    uint32_t queued;
} gather_t;

static void s_meet(gather_t *self, uint32_t node)
{
    if (!self->marked[node] || self->met[node])
        return;
    self->met[node] = true;
    self->queue[self->queued++] = node;
}

groups_t graph_groups(work_t *work, const model_t *model, const bool *marked)
{
    const uint32_t nodes = model->node_count;
    gather_t self = { .marked = marked,
                      .met = arena_array(work->arena, nodes, sizeof(bool)),
                      .queue = arena_array(work->arena, nodes, sizeof(uint32_t)) };
    groups_t groups = { .first = arena_array(work->arena, nodes + 1, sizeof(uint32_t)),
                        .members = self.queue };
    const wire_t *wire;
    uint32_t next = 0, i;

    for (uint32_t n = 0; n < nodes; n++) {
        groups.first[groups.count] = self.queued;
        s_meet(&self, n);
        for (; next < self.queued; next++) {
            for (i = 0; (wire = model_out(model, self.queue[next], i)); i++)
                s_meet(&self, wire->dst);
            work->steps += i;
            for (i = 0; (wire = model_in(model, self.queue[next], i)); i++)
                s_meet(&self, wire->src);
            work->steps += i + 1;
        }
        groups.count += self.queued > groups.first[groups.count];
    }
    groups.first[groups.count] = self.queued;
    return groups;
}
