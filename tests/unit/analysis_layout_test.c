/* SPDX-License-Identifier: MPL-2.0
 *
 * Layouts: the same each time, within their bounds, boxes beside each other, causes to the left,
 * whatever the graph.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/layout.h"
#include "actors/base/id.h"
#include "tests/tap.h"

/* A graph of nodes in groups; wires are by source. */
typedef struct {
    arena_t arena;
    sketch_t sketch;
} graph_t;

static void s_make(graph_t *self, const char *kind, uint32_t nodes, uint32_t groups,
                   uint32_t wire_room)
{
    *self = (graph_t){ 0 };
    self->sketch = (sketch_t){
        .kind = slice_literal(kind),
        .groups = arena_array(&self->arena, groups, sizeof(slice_t)),
        .nodes = arena_array(&self->arena, nodes, sizeof(sketch_node_t)),
        .wires = arena_array(&self->arena, wire_room, sizeof(sketch_wire_t)),
        .group_count = groups,
        .node_count = nodes,
    };
    for (uint32_t g = 0; g < groups; g++)
        self->sketch.groups[g] = slice_literal(g ? "Tab" : "");
    for (uint32_t n = 0; n < nodes; n++)
        self->sketch.nodes[n] = (sketch_node_t){ .group = n % groups, .x = SKETCH_NOWHERE };
}

static void s_wire(graph_t *self, uint32_t src, uint32_t dst)
{
    self->sketch.wires[self->sketch.wire_count++] = (sketch_wire_t){ .src = src, .dst = dst };
}

static bool s_is_drawn(const sketch_node_t *node)
{
    return node->shape != SHAPE_SETTINGS;
}

/* Whether all that is drawn lies within the drawing. */
static bool s_is_within(const graph_t *graph, const layout_t *layout)
{
    bool within = layout->width >= 0 && layout->height >= 0;
    for (uint32_t n = 0; n < graph->sketch.node_count; n++) {
        spot_t spot = layout->spots[n];
        within &= !s_is_drawn(&graph->sketch.nodes[n]) ||
                  (spot.x >= 0 && spot.y >= 0 && spot.x + layout->box_width <= layout->width &&
                   spot.y + layout->box_height <= layout->height);
    }
    return within;
}

static int s_by_place(const void *a, const void *b)
{
    const spot_t *one = a, *other = b;
    if (one->x != other->x)
        return one->x < other->x ? -1 : 1;
    return one->y < other->y ? -1 : one->y > other->y;
}

/* Whether no two boxes of a layered layout are in one place: columns are all as wide. */
static bool s_is_apart(const graph_t *graph, const layout_t *layout)
{
    uint32_t count = 0;
    spot_t *places = mem_array(graph->sketch.node_count, sizeof *places);
    for (uint32_t n = 0; n < graph->sketch.node_count; n++)
        if (s_is_drawn(&graph->sketch.nodes[n]))
            places[count++] = layout->spots[n];
    qsort(places, count, sizeof *places, s_by_place);
    bool apart = true;
    for (uint32_t i = 1; i < count; i++)
        apart &=
            places[i - 1].x != places[i].x || places[i - 1].y + layout->box_height <= places[i].y;
    mem_free(places);
    return apart;
}

/* Lays it out twice and checks what always holds. */
static layout_t s_lay(graph_t *graph, const char *name, bool is_layered)
{
    layout_t layout, again;
    layout_make(&layout, &graph->arena, &graph->sketch);
    layout_make(&again, &graph->arena, &graph->sketch);
    ok_named(memcmp(layout.spots, again.spots, graph->sketch.node_count * sizeof *layout.spots) ==
                     0 &&
                 layout.width == again.width && layout.height == again.height,
             name);
    ok_named(s_is_within(graph, &layout), name);
    ok_named(!is_layered || s_is_apart(graph, &layout), name);
    return layout;
}

/* ---- shapes of graphs ------------------------------------------------------------------------ */

static void test_chain(void)
{
    enum { COUNT = 100 };
    graph_t graph;
    s_make(&graph, "asl", COUNT, 1, COUNT);
    for (uint32_t n = 0; n + 1 < COUNT; n++)
        s_wire(&graph, n, n + 1);
    layout_t layout = s_lay(&graph, "a chain", true);
    bool is_line = true;
    for (uint32_t n = 1; n < COUNT; n++)
        is_line &= layout.spots[n].x > layout.spots[n - 1].x && layout.spots[n].y == 0;
    ok(is_line);
    arena_free(&graph.arena);
}

static void test_cycles(void)
{
    enum { COUNT = 50 };
    graph_t graph;
    s_make(&graph, "n8n", COUNT, 1, 3 * COUNT);
    for (uint32_t n = 0; n < COUNT; n++) { /* a ring, with loops and ways back */
        s_wire(&graph, n, (n + 1) % COUNT);
        s_wire(&graph, n, n);
        s_wire(&graph, n, n / 2);
    }
    s_lay(&graph, "all cycles", true);
    graph.sketch.nodes[7].shape = SHAPE_START;
    layout_t layout = s_lay(&graph, "a start within", true);
    is_int(layout.spots[7].x, 0); /* where an execution enters */
    arena_free(&graph.arena);
}

static void test_nothing(void)
{
    graph_t graph;
    s_make(&graph, "n8n", 0, 1, 0);
    layout_t layout = s_lay(&graph, "no node", true);
    is_int(layout.width, 0);
    is_int(layout.tops[0], -1);
    arena_free(&graph.arena);
    s_make(&graph, "unheard of", 3, 2, 1);
    for (uint32_t n = 0; n < 3; n++)
        graph.sketch.nodes[n].shape = SHAPE_SETTINGS;
    s_wire(&graph, 0, 1);
    layout = s_lay(&graph, "only settings", true);
    is_int(layout.height, 0);
    arena_free(&graph.arena);
}

static void test_bands(void)
{
    graph_t graph;
    s_make(&graph, "node-red", 30, 3, 30);
    for (uint32_t n = 0; n < 27; n++)
        s_wire(&graph, n, n + 3); /* within its tab */
    layout_t layout = s_lay(&graph, "three tabs", true);
    bool is_below = true;
    for (uint32_t n = 0; n < 30; n++) {
        uint32_t g = graph.sketch.nodes[n].group;
        is_below &= layout.spots[n].y >= layout.tops[g] + (g ? LAYOUT_TITLE : 0) &&
                    (g == 2 || layout.spots[n].y + layout.box_height < layout.tops[g + 1]);
    }
    ok(is_below);
    arena_free(&graph.arena);
}

/* ---- large and hostile ----------------------------------------------------------------------- */

static void test_ten_thousand(void)
{
    enum { COUNT = 10000, EACH = 8 };
    static const char *const names[] = { "at random", "all to one", "one to all", "no wire" };
    for (size_t shape = 0; shape < COUNT_OF(names); shape++) {
        graph_t graph;
        uint64_t state = 1;
        s_make(&graph, "generic", COUNT, 1, COUNT * EACH);
        for (uint32_t n = 0; n < COUNT && shape < 3; n++)
            for (uint32_t w = 0; w < (shape ? 1 : EACH); w++) {
                state = id_mix(state, n);
                s_wire(&graph, shape == 2 ? 0 : n,
                       shape == 1   ? 0
                       : shape == 2 ? n
                                    : (uint32_t)(state % COUNT));
            }
        s_lay(&graph, names[shape], true);
        arena_free(&graph.arena);
    }
}

/* The document's own places, and where it is no use to believe them. */
static void test_places(void)
{
    static const struct {
        const char *name;
        int32_t x[3], y[3];
        bool is_kept;
    } cases[] = {
        { "as drawn", { 0, 300, 600 }, { 0, 40, 0 }, true },
        { "left of the origin", { -900, -600, 10 }, { -1, -2, -3 }, true },
        { "all in one place", { 5, 5, 5 }, { 5, 5, 5 }, false },
        { "one without a place", { 0, SKETCH_NOWHERE, 10 }, { 0, 0, 0 }, false },
        { "far apart", { -1000000, 0, 1000000 }, { 0, 0, 0 }, false },
        { "far below each other", { 0, 0, 0 }, { -1000000, 0, 1000000 }, false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        graph_t graph;
        s_make(&graph, "n8n", 3, 1, 2);
        for (uint32_t n = 0; n < 3; n++) {
            graph.sketch.nodes[n].x = cases[i].x[n];
            graph.sketch.nodes[n].y = cases[i].y[n];
        }
        s_wire(&graph, 0, 1);
        s_wire(&graph, 1, 2);
        layout_t layout = s_lay(&graph, cases[i].name, !cases[i].is_kept);
        bool is_kept = true;
        for (uint32_t n = 1; n < 3; n++)
            is_kept &= layout.spots[n].x - layout.spots[0].x == cases[i].x[n] - cases[i].x[0] &&
                       layout.spots[n].y - layout.spots[0].y == cases[i].y[n] - cases[i].y[0];
        ok_named(is_kept == cases[i].is_kept, cases[i].name);
        arena_free(&graph.arena);
    }
}

/* Ten thousand tabs, each as high as a place may be: all together must not overflow. */
static void test_high_bands(void)
{
    graph_t graph;
    s_make(&graph, "node-red", MODEL_NODES_MAX, MODEL_NODES_MAX / 2, 0);
    for (uint32_t n = 0; n < MODEL_NODES_MAX; n++) {
        graph.sketch.nodes[n].x = n < MODEL_NODES_MAX / 2 ? -1000000 : 1000000;
        graph.sketch.nodes[n].y = n < MODEL_NODES_MAX / 2 ? -1000000 : 1000000;
    }
    s_lay(&graph, "high bands", false);
    for (uint32_t n = 0; n < MODEL_NODES_MAX; n++)
        graph.sketch.nodes[n].y = n < MODEL_NODES_MAX / 2 ? 0 : 8000;
    s_lay(&graph, "bands that are just believed", false);
    arena_free(&graph.arena);
}

TESTS({ "chain", test_chain }, { "cycles", test_cycles }, { "nothing", test_nothing },
      { "bands", test_bands }, { "ten thousand", test_ten_thousand }, { "places", test_places },
      { "high bands", test_high_bands })
