/* SPDX-License-Identifier: MPL-2.0
 *
 * model - the normal form: what every kind of workflow becomes before rules look at it
 */
#include "config.h"

#include "actors/analysis/model.h"

void model_init(model_t *self, work_t *work, const value_t *document, uint32_t nodes)
{
    *self = (model_t){ .document = document };
    self->node_room = nodes < MODEL_NODES_MAX ? nodes : MODEL_NODES_MAX;
    self->nodes = arena_array(work->arena, self->node_room, sizeof *self->nodes);
}

node_t *model_add_node(model_t *self, work_t *work, const catalog_row_t *row)
{
    if (self->node_count >= MODEL_NODES_MAX)
        return NULL;
    self->nodes =
        work_grow(work, self->nodes, self->node_count, &self->node_room, sizeof *self->nodes);
    node_t *node = &self->nodes[self->node_count++];
    *node = (node_t){
        .id = slice_make("", 0),
        .name = slice_make("", 0),
        .type = slice_make("", 0),
        .row = row,
        .class = row->class,
        .traits = row->traits | class_traits(row->class),
        .container = NODE_NONE,
    };
    work->steps++;
    return node;
}

wire_t *model_add_wire(model_t *self, work_t *work, uint32_t src, uint32_t dst)
{
    if (self->wire_count >= MODEL_WIRES_MAX)
        return NULL;
    self->wires =
        work_grow(work, self->wires, self->wire_count, &self->wire_room, sizeof *self->wires);
    wire_t *wire = &self->wires[self->wire_count++];
    *wire = (wire_t){ .src = src, .dst = dst };
    work->steps++;
    return wire;
}

void model_add_dangling(model_t *self, work_t *work, dangling_t dangling)
{
    self->dangling = work_grow(work, self->dangling, self->dangling_count, &self->dangling_room,
                               sizeof *self->dangling);
    self->dangling[self->dangling_count++] = dangling;
}

void model_index(model_t *self, work_t *work, bool by_id)
{
    slice_t *keys = arena_array(work->arena, self->node_count, sizeof *keys);
    for (uint32_t n = 0; n < self->node_count; n++)
        if (self->nodes[n].class != CLASS_COMMENT)
            keys[n] = by_id ? self->nodes[n].id : self->nodes[n].name;
    names_build(&self->names, work, keys, self->node_count);
}

uint32_t model_find(const model_t *self, slice_t name)
{
    return names_find(&self->names, name);
}

/* ---- wires ----------------------------------------------------------------------------------- */

/* Counting sort, stable: positions per node first, then every wire to its place. */
static void s_sort_by_source(model_t *self, work_t *work)
{
    uint32_t *next = arena_array(work->arena, self->node_count + 1, sizeof *next);
    wire_t *sorted = arena_array(work->arena, self->wire_count, sizeof *sorted);

    for (uint32_t n = 0; n < self->node_count; n++)
        next[n] = self->out_first[n];
    for (uint32_t w = 0; w < self->wire_count; w++)
        sorted[next[self->wires[w].src]++] = self->wires[w];
    self->wires = sorted;
    for (uint32_t n = 0; n < self->node_count; n++)
        next[n] = self->in_first[n];
    for (uint32_t w = 0; w < self->wire_count; w++)
        self->in_wires[next[self->wires[w].dst]++] = w;
}

void model_finish(model_t *self, work_t *work)
{
    self->out_first = arena_array(work->arena, self->node_count + 1, sizeof *self->out_first);
    self->in_first = arena_array(work->arena, self->node_count + 1, sizeof *self->in_first);
    self->in_wires = arena_array(work->arena, self->wire_count, sizeof *self->in_wires);
    for (uint32_t w = 0; w < self->wire_count; w++) {
        self->out_first[self->wires[w].src + 1]++;
        self->in_first[self->wires[w].dst + 1]++;
    }
    for (uint32_t n = 0; n < self->node_count; n++) {
        self->out_first[n + 1] += self->out_first[n];
        self->in_first[n + 1] += self->in_first[n];
    }
    s_sort_by_source(self, work);
    work->steps += self->node_count + 2 * (uint64_t)self->wire_count;
}

bool node_runs(const node_t *node)
{
    return node->class != CLASS_COMMENT && node->class != CLASS_CONFIG &&
           node->class != CLASS_CONTAINER;
}
