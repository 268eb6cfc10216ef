/* SPDX-License-Identifier: MPL-2.0
 *
 * sketch - what is kept of a workflow itself
 *
 *     { version, kind, groups: [name], nodes: [[id, name, type, settings, group, shape, disabled,
 *       x, y]], wires: binary, WIRE_BYTES each: source, destination, output, input, channel }
 *
 * A node without a place has nil for x and y, a name that is the id is nil.
 */
#include "config.h"

#include <math.h>

#include "actors/analysis/digest.h"
#include "actors/analysis/sketch.h"

#define NODE_ITEMS 9
#define WIRE_BYTES 13
#define PLACE_MAX  1e6 /* pixels from the origin that somebody may have drawn to */

/* ---- making --------------------------------------------------------------------------------- */

/* Of any platform: what names a node, places it, wires it or explains it. */
static const char *const s_no_settings[] = {
    "id",       "name",
    "type",     "position",
    "x",        "y",
    "w",        "h",
    "z",        "g",
    "wires",    "notes",
    "color",    "notesInFlow",
    "info",     "webhookId",
    "d",        "disabled",
    "Next",     "End",
    "Type",     "Comment",
    "States",   "Iterator",
    "Branches", "ItemProcessor",
    NULL,
};

static slice_t s_clean(arena_t *arena, slice_t text)
{
    char room[SLICE_CLEAN_BYTES];
    slice_t clean = slice_clean(text, room);
    return slice_make(arena_text(arena, clean.text, clean.size), clean.size);
}

static bool s_is_kept(const node_t *node)
{
    return node->class != CLASS_COMMENT && node->class != CLASS_CONTAINER;
}

static shape_t s_shape(const node_t *node)
{
    if (!node_runs(node))
        return SHAPE_SETTINGS;
    if (node->class == CLASS_AI_PART)
        return SHAPE_PART;
    if (node->root)
        return SHAPE_START;
    bool decides =
        node->class == CLASS_BRANCH || node->class == CLASS_SWITCH || node->class == CLASS_FILTER;
    return decides ? SHAPE_CHOICE : SHAPE_STEP;
}

static void s_make_place(sketch_node_t *self, const node_t *node)
{
    bool is_sane = node->placed && fabs(node->x) <= PLACE_MAX && fabs(node->y) <= PLACE_MAX;
    self->x = is_sane ? (int32_t)lround(node->x) : SKETCH_NOWHERE;
    self->y = is_sane ? (int32_t)lround(node->y) : 0;
}

static void s_make_node(sketch_node_t *self, arena_t *arena, const node_t *node)
{
    *self = (sketch_node_t){
        .id = s_clean(arena, node->id),
        .name = s_clean(arena, node->name),
        .type = s_clean(arena, node->type),
        .settings = digest_map(node->body, s_no_settings),
        .shape = (uint8_t)s_shape(node),
        .disabled = node->disabled,
    };
    s_make_place(self, node);
}

/* `numbers` receives the new number of every node of the model, or of the tab it is. */
static void s_make_nodes(sketch_t *self, arena_t *arena, const model_t *model, uint32_t *numbers)
{
    self->groups[self->group_count++] = slice_make("", 0);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const node_t *node = &model->nodes[n];
        if (s_is_kept(node)) {
            numbers[n] = self->node_count;
            s_make_node(&self->nodes[self->node_count++], arena, node);
        } else if (node->class == CLASS_CONTAINER) {
            numbers[n] = self->group_count;
            self->groups[self->group_count++] = s_clean(arena, node->name);
        }
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        uint32_t container = model->nodes[n].container;
        if (s_is_kept(&model->nodes[n]) && container != NODE_NONE &&
            model->nodes[container].class == CLASS_CONTAINER)
            self->nodes[numbers[n]].group = numbers[container];
    }
}

static void s_make_wires(sketch_t *self, const model_t *model, const uint32_t *numbers)
{
    for (uint32_t w = 0; w < model->wire_count; w++) {
        const wire_t *wire = &model->wires[w];
        if (s_is_kept(&model->nodes[wire->src]) && s_is_kept(&model->nodes[wire->dst]))
            self->wires[self->wire_count++] = (sketch_wire_t){ .src = numbers[wire->src],
                                                               .dst = numbers[wire->dst],
                                                               .output = wire->output,
                                                               .input = wire->input,
                                                               .channel = wire->channel };
    }
}

void sketch_make(sketch_t *self, arena_t *arena, const analysis_result_t *result)
{
    const model_t *model = result->model;
    uint32_t containers = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        containers += model->nodes[n].class == CLASS_CONTAINER;
    *self = (sketch_t){
        .kind = slice_literal(result->analyser->kind),
        .groups = arena_array(arena, containers + 1, sizeof *self->groups),
        .nodes = arena_array(arena, model->node_count, sizeof *self->nodes),
        .wires = arena_array(arena, model->wire_count, sizeof *self->wires),
    };
    uint32_t *numbers = arena_array(arena, model->node_count, sizeof *numbers);
    s_make_nodes(self, arena, model, numbers);
    s_make_wires(self, model, numbers);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void s_write_slice(pack_t *pack, slice_t text)
{
    pack_string(pack, text.text, text.size);
}

static void s_write_node(pack_t *pack, const sketch_node_t *node)
{
    pack_array(pack, NODE_ITEMS);
    s_write_slice(pack, node->id);
    if (slice_equal(node->id, node->name))
        pack_nil(pack);
    else
        s_write_slice(pack, node->name);
    s_write_slice(pack, node->type);
    pack_uint(pack, node->settings);
    pack_int(pack, node->group);
    pack_int(pack, node->shape);
    pack_bool(pack, node->disabled);
    if (node->x == SKETCH_NOWHERE) {
        pack_nil(pack);
        pack_nil(pack);
    } else {
        pack_int(pack, node->x);
        pack_int(pack, node->y);
    }
}

static void s_write_wires(pack_t *pack, const sketch_t *self)
{
    size_t size = (size_t)self->wire_count * WIRE_BYTES;
    msgpack_pack_bin(&pack->packer, size);
    uint8_t *at = buf_reserve(pack->out, size);
    for (uint32_t w = 0; w < self->wire_count; w++, at += WIRE_BYTES) {
        const sketch_wire_t *wire = &self->wires[w];
        put_u32(at, wire->src);
        put_u32(at + 4, wire->dst);
        put_u16(at + 8, wire->output);
        put_u16(at + 10, wire->input);
        at[12] = wire->channel;
    }
    pack->out->size += size;
}

void sketch_write(const sketch_t *self, pack_t *pack)
{
    pack_map(pack, 5);
    pack_pair_int(pack, "version", SKETCH_VERSION);
    pack_text(pack, "kind");
    s_write_slice(pack, self->kind);
    pack_text(pack, "groups");
    pack_array(pack, self->group_count);
    for (uint32_t g = 0; g < self->group_count; g++)
        s_write_slice(pack, self->groups[g]);
    pack_text(pack, "nodes");
    pack_array(pack, self->node_count);
    for (uint32_t n = 0; n < self->node_count; n++)
        s_write_node(pack, &self->nodes[n]);
    pack_text(pack, "wires");
    s_write_wires(pack, self);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool s_is_number(const value_t *value, int64_t least, int64_t most)
{
    return value_is_type(value, VALUE_INT) && value->integer >= least && value->integer <= most;
}

static bool s_read_place(sketch_node_t *self, const value_t *x, const value_t *y)
{
    self->x = SKETCH_NOWHERE;
    if (x->type == VALUE_NIL)
        return true;
    if (!s_is_number(x, -(int64_t)PLACE_MAX, (int64_t)PLACE_MAX) ||
        !s_is_number(y, -(int64_t)PLACE_MAX, (int64_t)PLACE_MAX))
        return false;
    self->x = (int32_t)x->integer;
    self->y = (int32_t)y->integer;
    return true;
}

static bool s_read_node(sketch_node_t *self, const value_t *row, uint32_t groups)
{
    if (!value_is_type(row, VALUE_ARRAY) || row->count != NODE_ITEMS)
        return false;
    const value_t *items = row->items;
    if (!s_is_number(&items[4], 0, (int64_t)groups - 1) ||
        !s_is_number(&items[5], SHAPE_STEP, SHAPE_SETTINGS) || items[6].type != VALUE_BOOL ||
        (items[3].type != VALUE_INT && items[3].type != VALUE_UINT))
        return false;
    *self = (sketch_node_t){
        .id = slice_of(&items[0]),
        .name = slice_of(items[1].type == VALUE_NIL ? &items[0] : &items[1]),
        .type = slice_of(&items[2]),
        .settings = items[3].natural,
        .group = (uint32_t)items[4].integer,
        .shape = (uint8_t)items[5].integer,
        .disabled = items[6].truth,
    };
    return s_read_place(self, &items[7], &items[8]);
}

static bool s_read_wire(const sketch_t *self, sketch_wire_t *wire, const uint8_t *at)
{
    *wire = (sketch_wire_t){ .src = get_u32(at),
                             .dst = get_u32(at + 4),
                             .output = get_u16(at + 8),
                             .input = get_u16(at + 10),
                             .channel = at[12] };
    return wire->src < self->node_count && wire->dst < self->node_count &&
           wire->channel <= CHANNEL_AI;
}

static bool s_read_lists(sketch_t *self, const value_t *groups, const value_t *nodes,
                         const value_t *wires)
{
    for (uint32_t g = 0; g < self->group_count; g++)
        self->groups[g] = slice_of(&groups->items[g]);
    for (uint32_t n = 0; n < self->node_count; n++)
        if (!s_read_node(&self->nodes[n], &nodes->items[n], self->group_count))
            return false;
    for (uint32_t w = 0; w < self->wire_count; w++)
        if (!s_read_wire(self, &self->wires[w], wires->bytes + (size_t)w * WIRE_BYTES))
            return false;
    return true;
}

bool sketch_read(sketch_t *self, arena_t *arena, const void *bytes, size_t size)
{
    value_verdict_t verdict;
    const value_t *map = value_parse(
        arena, bytes, size,
        (value_limits_t){ .depth = 4, .nodes = 2 * MODEL_NODES_MAX * NODE_ITEMS }, &verdict);
    const value_t *groups = value_get(map, "groups"), *nodes = value_get(map, "nodes"),
                  *wires = value_get(map, "wires");
    if (value_get_int(map, "version", 0) != SKETCH_VERSION || !value_is_type(groups, VALUE_ARRAY) ||
        !value_is_type(nodes, VALUE_ARRAY) || !value_is_type(wires, VALUE_BINARY) ||
        wires->count % WIRE_BYTES != 0)
        return false;
    *self = (sketch_t){
        .kind = slice_get(map, "kind"),
        .groups = arena_array(arena, groups->count, sizeof *self->groups),
        .nodes = arena_array(arena, nodes->count, sizeof *self->nodes),
        .wires = arena_array(arena, wires->count / WIRE_BYTES, sizeof *self->wires),
        .group_count = groups->count,
        .node_count = nodes->count,
        .wire_count = wires->count / WIRE_BYTES,
    };
    return s_read_lists(self, groups, nodes, wires);
}
