/* SPDX-License-Identifier: MPL-2.0
 *
 * layout - where the nodes of a sketch are drawn
 */
#include "config.h"

#include "actors/analysis/layout.h"

#define LAYER_GAP 70 /* between columns */
#define ROW_GAP   34
#define BAND_GAP  48
#define UNSEEN    UINT32_MAX
#define SPAN_MAX  4000 /* pixels of a band for each of its nodes, before it is mostly empty */

/* How far apart a platform's editor puts nodes decides how large a box may be. */
typedef struct {
    const char *kind;
    int32_t box_width, box_height;
    double stretch;  /* of the document's x */
    bool is_centred; /* the document's places are the middles of nodes, not corners */
} style_t;

static const style_t s_styles[] = {
    { "n8n", 150, 52, 1.0, false },
    { "node-red", 150, 32, 1.25, true },
    { "asl", 160, 44, 1.0, false },
    { "generic", 160, 44, 1.0, false },
};

typedef struct {
    layout_t *made;
    const sketch_t *sketch;
    const style_t *style;
    uint32_t *out_first; /* wires that leave node n: out_first[n] .. out_first[n + 1] */
    uint32_t *members;   /* drawn nodes by band */
    uint32_t *rank;      /* place in `order`; UNSEEN before */
    uint32_t *order; /* of the present band: every node before those it leads to, cycles apart */
    uint32_t *next;  /* wire that the walk follows next, of each node */
    uint32_t *stack;
    uint32_t *layer;
    uint32_t *parent; /* that set the layer; UNSEEN: none */
    int32_t *row;
    int32_t *free_row; /* of each layer */
} layouter_t;

static bool s_is_drawn(const sketch_node_t *node)
{
    return node->shape != SHAPE_SETTINGS;
}

static const style_t *s_style(slice_t kind)
{
    for (size_t i = 0; i < COUNT_OF(s_styles); i++)
        if (slice_is(kind, s_styles[i].kind))
            return &s_styles[i];
    return &s_styles[COUNT_OF(s_styles) - 1];
}

/* ---- by the document's places ---------------------------------------------------------------- */

typedef struct {
    int32_t left, top, right, bottom;
} extent_t;

static void s_extend(extent_t *self, spot_t spot)
{
    self->left = spot.x < self->left ? spot.x : self->left;
    self->top = spot.y < self->top ? spot.y : self->top;
    self->right = spot.x > self->right ? spot.x : self->right;
    self->bottom = spot.y > self->bottom ? spot.y : self->bottom;
}

static spot_t s_stored(const layouter_t *self, const sketch_node_t *node)
{
    const style_t *style = self->style;
    spot_t spot = { .x = (int32_t)(node->x * style->stretch), .y = node->y };
    if (style->is_centred) {
        spot.x -= style->box_width / 2;
        spot.y -= style->box_height / 2;
    }
    return spot;
}

/* False when the document does not say where each of them stands, or puts them so far apart that
 * nobody can have meant it: the sum of all bands has to stay within an int32_t. */
static bool s_place(layouter_t *self, const uint32_t *nodes, uint32_t count, extent_t *extent)
{
    for (uint32_t i = 0; i < count; i++) {
        const sketch_node_t *node = &self->sketch->nodes[nodes[i]];
        if (node->x == SKETCH_NOWHERE)
            return false;
        self->made->spots[nodes[i]] = s_stored(self, node);
        s_extend(extent, self->made->spots[nodes[i]]);
    }
    int64_t width = (int64_t)extent->right - extent->left,
            height = (int64_t)extent->bottom - extent->top, most = (int64_t)SPAN_MAX * count;
    return count == 1 || ((width > 0 || height > 0) && width <= most && height <= most);
}

/* ---- in layers ------------------------------------------------------------------------------- */

/* Follows the wires from `root` inside its band as deep as they go; a node is put down behind all
 * it leads to, so that the list, read backwards, has causes first. The last wire is followed first:
 * backwards the first one then comes first. */
static void s_walk(layouter_t *self, uint32_t root, uint32_t *found)
{
    const sketch_t *sketch = self->sketch;
    uint32_t depth = 0;
    if (self->rank[root] != UNSEEN)
        return;
    self->rank[root] = 0;
    self->next[root] = self->out_first[root + 1];
    self->stack[depth++] = root;
    while (depth > 0) {
        uint32_t node = self->stack[depth - 1];
        if (self->next[node] == self->out_first[node]) {
            self->order[(*found)++] = node;
            depth--;
            continue;
        }
        uint32_t to = sketch->wires[--self->next[node]].dst;
        if (self->rank[to] != UNSEEN || !s_is_drawn(&sketch->nodes[to]) ||
            sketch->nodes[to].group != sketch->nodes[root].group)
            continue;
        self->rank[to] = 0;
        self->next[to] = self->out_first[to + 1];
        self->stack[depth++] = to;
    }
}

/* Starts first, so that cycles are entered where an execution enters them. Returns where in the
 * order the nodes begin that starts lead to; those before it hang on no start. */
static uint32_t s_sort(layouter_t *self, const uint32_t *nodes, uint32_t count)
{
    uint32_t found = 0, started;
    for (uint32_t i = count; i-- > 0;)
        if (self->sketch->nodes[nodes[i]].shape == SHAPE_START)
            s_walk(self, nodes[i], &found);
    started = found;
    for (uint32_t i = count; i-- > 0;)
        s_walk(self, nodes[i], &found);
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t other = self->order[count - 1 - i];
        self->order[count - 1 - i] = self->order[i];
        self->order[i] = other;
    }
    for (uint32_t i = 0; i < count; i++)
        self->rank[self->order[i]] = i;
    return count - started;
}

/* A node stands one layer behind the furthest that leads to it. */
static void s_find_layers(layouter_t *self, uint32_t count)
{
    const sketch_t *sketch = self->sketch;
    for (uint32_t i = 0; i < count; i++) {
        self->layer[self->order[i]] = 0;
        self->parent[self->order[i]] = UNSEEN;
        self->free_row[i] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = self->order[i];
        for (uint32_t w = self->out_first[node]; w < self->out_first[node + 1]; w++) {
            uint32_t to = sketch->wires[w].dst;
            bool leads_on = sketch->nodes[to].group == sketch->nodes[node].group &&
                            s_is_drawn(&sketch->nodes[to]) && self->rank[to] > i;
            if (leads_on && self->layer[to] <= self->layer[node]) {
                self->layer[to] = self->layer[node] + 1;
                self->parent[to] = node;
            }
        }
    }
}

/* In the row of the one that leads to it, if that is free, so that a chain is a straight line. */
static void s_find_row(layouter_t *self, uint32_t node, extent_t *extent)
{
    uint32_t parent = self->parent[node], layer = self->layer[node];
    int32_t row = parent == UNSEEN ? 0 : self->row[parent];
    if (row < self->free_row[layer])
        row = self->free_row[layer];
    self->row[node] = row;
    self->free_row[layer] = row + 1;
    self->made->spots[node] = (spot_t){ .x = (int32_t)layer * (self->style->box_width + LAYER_GAP),
                                        .y = row * (self->style->box_height + ROW_GAP) };
    s_extend(extent, self->made->spots[node]);
}

static void s_place_in_layers(layouter_t *self, const uint32_t *nodes, uint32_t count,
                              extent_t *extent)
{
    uint32_t started = s_sort(self, nodes, count);
    s_find_layers(self, count);
    for (uint32_t i = started; i < count; i++)
        s_find_row(self, self->order[i], extent);
    for (uint32_t i = 0; i < started; i++)
        s_find_row(self, self->order[i], extent);
}

/* ---- bands ----------------------------------------------------------------------------------- */

static extent_t s_nothing(void)
{
    return (extent_t){ INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
}

static void s_lay_band(layouter_t *self, uint32_t group, const uint32_t *nodes, uint32_t count)
{
    layout_t *made = self->made;
    extent_t extent = s_nothing();
    made->tops[group] = -1;
    if (count == 0)
        return;
    if (!s_place(self, nodes, count, &extent)) {
        extent = s_nothing();
        s_place_in_layers(self, nodes, count, &extent);
    }
    made->tops[group] = made->height ? made->height + BAND_GAP : 0;
    int32_t top = made->tops[group] + (self->sketch->groups[group].size ? LAYOUT_TITLE : 0);
    for (uint32_t i = 0; i < count; i++) {
        made->spots[nodes[i]].x -= extent.left;
        made->spots[nodes[i]].y += top - extent.top;
    }
    int32_t width = extent.right - extent.left + made->box_width;
    made->width = width > made->width ? width : made->width;
    made->height = top + extent.bottom - extent.top + made->box_height;
}

/* Drawn nodes by group: those of group g are members[first[g] .. first[g + 1]). */
static uint32_t *s_group(layouter_t *self, arena_t *arena)
{
    const sketch_t *sketch = self->sketch;
    uint32_t *first = arena_array(arena, sketch->group_count + 2, sizeof *first);
    for (uint32_t n = 0; n < sketch->node_count; n++)
        first[sketch->nodes[n].group + 2] += s_is_drawn(&sketch->nodes[n]);
    for (uint32_t g = 0; g < sketch->group_count; g++)
        first[g + 2] += first[g + 1];
    for (uint32_t n = 0; n < sketch->node_count; n++)
        if (s_is_drawn(&sketch->nodes[n]))
            self->members[first[sketch->nodes[n].group + 1]++] = n;
    return first;
}

static void s_find_wires(layouter_t *self)
{
    const sketch_t *sketch = self->sketch;
    for (uint32_t w = 0; w < sketch->wire_count; w++)
        self->out_first[sketch->wires[w].src + 1]++;
    for (uint32_t n = 0; n < sketch->node_count; n++)
        self->out_first[n + 1] += self->out_first[n];
}

void layout_make(layout_t *self, arena_t *arena, const sketch_t *sketch)
{
    const uint32_t count = sketch->node_count;
    const style_t *style = s_style(sketch->kind);
    *self = (layout_t){ .box_width = style->box_width,
                        .box_height = style->box_height,
                        .spots = arena_array(arena, count, sizeof *self->spots),
                        .tops = arena_array(arena, sketch->group_count, sizeof *self->tops) };
    layouter_t layouter = {
        .made = self,
        .sketch = sketch,
        .style = style,
        .out_first = arena_array(arena, count + 1, sizeof(uint32_t)),
        .members = arena_array(arena, count, sizeof(uint32_t)),
        .rank = arena_array(arena, count, sizeof(uint32_t)),
        .order = arena_array(arena, count, sizeof(uint32_t)),
        .next = arena_array(arena, count, sizeof(uint32_t)),
        .stack = arena_array(arena, count, sizeof(uint32_t)),
        .layer = arena_array(arena, count, sizeof(uint32_t)),
        .parent = arena_array(arena, count, sizeof(uint32_t)),
        .row = arena_array(arena, count, sizeof(int32_t)),
        .free_row = arena_array(arena, count, sizeof(int32_t)),
    };
    memset(layouter.rank, 0xff, count * sizeof(uint32_t));
    s_find_wires(&layouter);
    const uint32_t *first = s_group(&layouter, arena);
    for (uint32_t g = 0; g < sketch->group_count; g++)
        s_lay_band(&layouter, g, layouter.members + first[g], first[g + 1] - first[g]);
}
