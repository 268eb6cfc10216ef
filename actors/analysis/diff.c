/* SPDX-License-Identifier: MPL-2.0
 *
 * diff - what changed between two versions of a workflow
 *
 * Nodes of both versions get common numbers: those of the newer version keep theirs, and those that
 * are in the older one only come behind them. Wires are then sorted by numbers and merged.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/diff.h"
#include "actors/analysis/fingerprints.h"
#include "proto/analysis.h"

typedef struct {
    work_t work;
    const version_t *from, *to;
    uint32_t *twin;   /* of each node of the newer version the older one; NODE_NONE: it is new */
    uint32_t *number; /* common number of each node of the older version */
    bool *rewired;    /* nodes of the newer version whose outputs lead elsewhere */
    sketch_wire_t *added, *removed; /* with common numbers */
    uint32_t added_count, removed_count;
} comparison_t;

/* A list that is being packed, and what did not fit. */
typedef struct {
    pack_t *pack;
    size_t position;
    uint32_t count;
    uint64_t *left_out;
} list_t;

static list_t s_open(pack_t *pack, const char *key, uint64_t *left_out)
{
    pack_text(pack, key);
    return (list_t){ .pack = pack, .position = pack_open_array(pack), .left_out = left_out };
}

/* Whether one more has room; it is counted in any case. */
static bool s_next(list_t *self)
{
    if (self->count == ANALYSIS_DIFF_MAX) {
        ++*self->left_out;
        return false;
    }
    self->count++;
    return true;
}

static void s_close(list_t *self)
{
    pack_close(self->pack, self->position, self->count);
}

static void s_pair_slice(pack_t *pack, const char *key, slice_t text)
{
    pack_text(pack, key);
    pack_string(pack, text.text, text.size);
}

static void s_write_node(pack_t *pack, slice_t id, slice_t name, slice_t type)
{
    pack_map(pack, 3);
    s_pair_slice(pack, "id", id);
    s_pair_slice(pack, "name", name);
    s_pair_slice(pack, "type", type);
}

/* ---- issues ---------------------------------------------------------------------------------- */

static void s_write_issue(pack_t *pack, const value_t *issue)
{
    const value_t *node = value_get(issue, "node");
    pack_map(pack, 5);
    s_pair_slice(pack, "rule", slice_get(issue, "rule"));
    s_pair_slice(pack, "severity", slice_get(issue, "severity"));
    s_pair_slice(pack, "title", slice_get(issue, "title"));
    pack_text(pack, "node");
    if (value_is_type(node, VALUE_MAP))
        s_write_node(pack, slice_get(node, "id"), slice_get(node, "name"), slice_get(node, "type"));
    else
        pack_nil(pack);
    s_pair_slice(pack, "fingerprint", slice_get(issue, "fingerprint"));
}

/* Issues of a result that are among the other version's, or are not. */
static void s_write_issues_of(pack_t *pack, const char *key, const value_t *result,
                              const fingerprints_t *others, bool is_shared, uint64_t *left_out)
{
    const value_t *issue, *issues = value_get(result, "issues");
    list_t list = s_open(pack, key, left_out);
    for (uint32_t i = 0; (issue = value_item(issues, i)); i++)
        if (fingerprints_have(others, issue) == is_shared && s_next(&list))
            s_write_issue(pack, issue);
    s_close(&list);
}

static void s_write_issues(comparison_t *self, pack_t *pack)
{
    const value_t *before = self->from->result, *after = self->to->result;
    uint64_t left_out = (uint64_t)value_get_int(value_get(before, "summary"), "left_out", 0) +
                        (uint64_t)value_get_int(value_get(after, "summary"), "left_out", 0);
    fingerprints_t old, new;
    fingerprints_make(&old, self->work.arena, before);
    fingerprints_make(&new, self->work.arena, after);
    pack_text(pack, "issues");
    pack_map(pack, 4);
    s_write_issues_of(pack, "new", after, &old, false, &left_out);
    s_write_issues_of(pack, "fixed", before, &new, false, &left_out);
    s_write_issues_of(pack, "staying", after, &old, true, &left_out);
    pack_pair_bool(pack, "complete", left_out == 0);
}

/* ---- pairing nodes and wires ----------------------------------------------------------------- */

/* What a node is told apart by; those without an id have all the same. */
static slice_t s_key(const sketch_node_t *node)
{
    return node->id.size ? node->id : slice_literal(" ");
}

/* Nodes that share an id are paired in their order. `waiting` says, at the first older node with an
 * id, which of them has no twin yet, and `following` which comes after that. */
static void s_find_twins(comparison_t *self, const names_t *ids)
{
    const sketch_t *from = self->from->sketch, *to = self->to->sketch;
    arena_t *arena = self->work.arena;
    uint32_t *waiting = arena_array(arena, from->node_count, sizeof *waiting),
             *following = arena_array(arena, from->node_count, sizeof *following);
    for (uint32_t n = 0; n < from->node_count; n++)
        waiting[n] = NODE_NONE;
    for (uint32_t n = from->node_count; n-- > 0;) {
        uint32_t first = names_find(ids, s_key(&from->nodes[n]));
        following[n] = waiting[first];
        waiting[first] = n;
    }
    for (uint32_t n = 0; n < to->node_count; n++) {
        uint32_t first = names_find(ids, s_key(&to->nodes[n]));
        self->twin[n] = first == UINT32_MAX ? NODE_NONE : waiting[first];
        if (self->twin[n] != NODE_NONE)
            waiting[first] = following[self->twin[n]];
    }
}

static void s_pair_nodes(comparison_t *self)
{
    const sketch_t *from = self->from->sketch, *to = self->to->sketch;
    arena_t *arena = self->work.arena;
    names_t ids;
    slice_t *keys = arena_array(arena, from->node_count, sizeof *keys);
    for (uint32_t n = 0; n < from->node_count; n++)
        keys[n] = s_key(&from->nodes[n]);
    names_build(&ids, &self->work, keys, from->node_count);
    self->twin = arena_array(arena, to->node_count, sizeof *self->twin);
    self->number = arena_array(arena, from->node_count, sizeof *self->number);
    self->rewired = arena_array(arena, to->node_count, sizeof *self->rewired);
    s_find_twins(self, &ids);
    for (uint32_t n = 0; n < from->node_count; n++)
        self->number[n] = to->node_count + n;
    for (uint32_t n = 0; n < to->node_count; n++)
        if (self->twin[n] != NODE_NONE)
            self->number[self->twin[n]] = n;
}

static int s_by_ends(const void *a, const void *b)
{
    const sketch_wire_t *one = a, *other = b;
    const int64_t differences[] = { (int64_t)one->src - other->src, (int64_t)one->dst - other->dst,
                                    one->output - other->output, one->input - other->input,
                                    one->channel - other->channel };
    for (size_t i = 0; i < COUNT_OF(differences); i++)
        if (differences[i])
            return differences[i] < 0 ? -1 : 1;
    return 0;
}

/* The wires of a version by their ends; `number` is NULL for the newer version. */
static sketch_wire_t *s_sort_wires(comparison_t *self, const sketch_t *sketch,
                                   const uint32_t *number)
{
    sketch_wire_t *sorted = arena_array(self->work.arena, sketch->wire_count, sizeof *sorted);
    for (uint32_t w = 0; w < sketch->wire_count; w++) {
        sorted[w] = sketch->wires[w];
        if (number) {
            sorted[w].src = number[sorted[w].src];
            sorted[w].dst = number[sorted[w].dst];
        }
    }
    qsort(sorted, sketch->wire_count, sizeof *sorted, s_by_ends);
    return sorted;
}

static void s_note_rewired(comparison_t *self, uint32_t src)
{
    if (src < self->to->sketch->node_count)
        self->rewired[src] = true;
}

static void s_compare_wires(comparison_t *self)
{
    const uint32_t old_count = self->from->sketch->wire_count,
                   new_count = self->to->sketch->wire_count;
    const sketch_wire_t *old = s_sort_wires(self, self->from->sketch, self->number),
                        *new = s_sort_wires(self, self->to->sketch, NULL);
    self->removed = arena_array(self->work.arena, old_count, sizeof *self->removed);
    self->added = arena_array(self->work.arena, new_count, sizeof *self->added);
    for (uint32_t o = 0, n = 0; o < old_count || n < new_count;) {
        int order = o == old_count ? 1 : n == new_count ? -1 : s_by_ends(&old[o], &new[n]);
        if (order)
            s_note_rewired(self, order < 0 ? old[o].src : new[n].src);
        if (order < 0)
            self->removed[self->removed_count++] = old[o];
        else if (order > 0)
            self->added[self->added_count++] = new[n];
        o += order <= 0;
        n += order >= 0;
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static void s_write_sketch_node(pack_t *pack, const sketch_node_t *node)
{
    s_write_node(pack, node->id, node->name, node->type);
}

static void s_write_added(comparison_t *self, pack_t *pack, uint64_t *left_out)
{
    const sketch_t *to = self->to->sketch;
    list_t list = s_open(pack, "added", left_out);
    for (uint32_t n = 0; n < to->node_count; n++)
        if (self->twin[n] == NODE_NONE && s_next(&list))
            s_write_sketch_node(pack, &to->nodes[n]);
    s_close(&list);
}

static void s_write_removed(comparison_t *self, pack_t *pack, uint64_t *left_out)
{
    const sketch_t *from = self->from->sketch;
    list_t list = s_open(pack, "removed", left_out);
    for (uint32_t n = 0; n < from->node_count; n++)
        if (self->number[n] >= self->to->sketch->node_count && s_next(&list))
            s_write_sketch_node(pack, &from->nodes[n]);
    s_close(&list);
}

static void s_write_changed(comparison_t *self, pack_t *pack, uint64_t *left_out)
{
    const sketch_t *from = self->from->sketch, *to = self->to->sketch;
    list_t list = s_open(pack, "changed", left_out);
    for (uint32_t n = 0; n < to->node_count; n++) {
        if (self->twin[n] == NODE_NONE)
            continue;
        const sketch_node_t *old = &from->nodes[self->twin[n]], *new = &to->nodes[n];
        const struct {
            const char *word;
            bool is_so;
        } what[] = { { "type", !slice_equal(old->type, new->type) },
                     { "parameters", old->settings != new->settings },
                     { "disabled", old->disabled != new->disabled },
                     { "wires", self->rewired[n] } };
        uint32_t count = 0;
        for (size_t i = 0; i < COUNT_OF(what); i++)
            count += what[i].is_so;
        if (!count || !s_next(&list))
            continue;
        pack_map(pack, 2);
        pack_text(pack, "node");
        s_write_sketch_node(pack, new);
        pack_text(pack, "what");
        pack_array(pack, count);
        for (size_t i = 0; i < COUNT_OF(what); i++)
            if (what[i].is_so)
                pack_text(pack, what[i].word);
    }
    s_close(&list);
}

static void s_write_renamed(comparison_t *self, pack_t *pack, uint64_t *left_out)
{
    const sketch_t *from = self->from->sketch, *to = self->to->sketch;
    list_t list = s_open(pack, "renamed", left_out);
    for (uint32_t n = 0; n < to->node_count; n++) {
        if (self->twin[n] == NODE_NONE)
            continue;
        slice_t before = from->nodes[self->twin[n]].name, after = to->nodes[n].name;
        if (slice_equal(before, after) || !s_next(&list))
            continue;
        pack_map(pack, 3);
        s_pair_slice(pack, "id", to->nodes[n].id);
        s_pair_slice(pack, "from", before);
        s_pair_slice(pack, "to", after);
    }
    s_close(&list);
}

static void s_write_nodes(comparison_t *self, pack_t *pack)
{
    uint64_t left_out = 0;
    pack_text(pack, "nodes");
    pack_map(pack, 5);
    s_write_added(self, pack, &left_out);
    s_write_removed(self, pack, &left_out);
    s_write_changed(self, pack, &left_out);
    s_write_renamed(self, pack, &left_out);
    pack_pair_int(pack, "left_out", (int64_t)left_out);
}

/* ---- wires ----------------------------------------------------------------------------------- */

static slice_t s_name(const comparison_t *self, uint32_t number)
{
    uint32_t count = self->to->sketch->node_count;
    return number < count ? self->to->sketch->nodes[number].name
                          : self->from->sketch->nodes[number - count].name;
}

static void s_write_wires_of(comparison_t *self, pack_t *pack, const char *key,
                             const sketch_wire_t *wires, uint32_t count, uint64_t *left_out)
{
    static const char *const channels[] = {
        [CHANNEL_MAIN] = "main", [CHANNEL_ERROR] = "error", [CHANNEL_AI] = "ai"
    };
    list_t list = s_open(pack, key, left_out);
    for (uint32_t w = 0; w < count; w++) {
        if (!s_next(&list))
            continue;
        pack_map(pack, 5);
        s_pair_slice(pack, "from", s_name(self, wires[w].src));
        pack_pair_int(pack, "output", wires[w].output);
        s_pair_slice(pack, "to", s_name(self, wires[w].dst));
        pack_pair_int(pack, "input", wires[w].input);
        pack_pair_text(pack, "channel", channels[wires[w].channel]);
    }
    s_close(&list);
}

static void s_write_wires(comparison_t *self, pack_t *pack)
{
    uint64_t left_out = 0;
    pack_text(pack, "wires");
    pack_map(pack, 3);
    s_write_wires_of(self, pack, "added", self->added, self->added_count, &left_out);
    s_write_wires_of(self, pack, "removed", self->removed, self->removed_count, &left_out);
    pack_pair_int(pack, "left_out", (int64_t)left_out);
}

void diff_write(const version_t *from, const version_t *to, pack_t *pack)
{
    arena_t arena = { 0 };
    comparison_t comparison = { .work = { .arena = &arena }, .from = from, .to = to };
    pack_pair_int(pack, "score_change",
                  value_get_int(to->result, "score", 0) - value_get_int(from->result, "score", 0));
    s_write_issues(&comparison, pack);
    s_pair_nodes(&comparison);
    s_compare_wires(&comparison);
    s_write_nodes(&comparison, pack);
    s_write_wires(&comparison, pack);
    arena_free(&arena);
}
