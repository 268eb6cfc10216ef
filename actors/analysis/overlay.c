/* SPDX-License-Identifier: MPL-2.0
 *
 * overlay - which issues of a result belong to which nodes of a sketch
 */
#include "config.h"

#include "actors/analysis/overlay.h"

severity_t issue_severity(const value_t *issue)
{
    severity_t severity;
    slice_t name = slice_get(issue, "severity");
    return severity_find(name.text, name.size, &severity) ? severity : SEVERITY_INFO;
}

static const overlay_mark_t s_unmarked = { .first = OVERLAY_NONE, .last = OVERLAY_NONE };

static void s_mark(overlay_t *self, work_t *work, overlay_mark_t *mark, uint32_t issue)
{
    severity_t severity = issue_severity(&self->issues->items[issue]);
    self->entries = work_grow(work, self->entries, self->count, &self->room, sizeof *self->entries);
    self->entries[self->count] = (overlay_entry_t){ .issue = issue, .next = OVERLAY_NONE };
    if (mark->count == 0)
        mark->first = self->count;
    else
        self->entries[mark->last].next = self->count;
    mark->last = self->count++;
    if (mark->count++ == 0 || severity > mark->worst)
        mark->worst = severity;
}

/* Marks the node; false when the sketch does not have it. */
static bool s_mark_node(overlay_t *self, work_t *work, const names_t *ids, const value_t *node,
                        uint32_t issue)
{
    uint32_t n = names_find(ids, slice_get(node, "id"));
    if (n == UINT32_MAX)
        return false;
    if (self->nodes[n].count == 0 || self->entries[self->nodes[n].last].issue != issue)
        s_mark(self, work, &self->nodes[n], issue);
    return true;
}

void overlay_make(overlay_t *self, arena_t *arena, const sketch_t *sketch, const value_t *result)
{
    work_t work = { .arena = arena };
    names_t ids;
    slice_t *keys = arena_array(arena, sketch->node_count, sizeof *keys);
    const value_t *issue, *node;

    *self = (overlay_t){ .issues = value_get(result, "issues"), .workflow = s_unmarked };
    self->nodes = arena_array(arena, sketch->node_count, sizeof *self->nodes);
    for (uint32_t n = 0; n < sketch->node_count; n++) {
        keys[n] = sketch->nodes[n].id;
        self->nodes[n] = s_unmarked;
    }
    names_build(&ids, &work, keys, sketch->node_count);
    for (uint32_t i = 0; (issue = value_item(self->issues, i)); i++) {
        bool is_placed = s_mark_node(self, &work, &ids, value_get(issue, "node"), i);
        for (uint32_t g = 0; (node = value_item(value_get(issue, "nodes"), g)); g++)
            is_placed |= s_mark_node(self, &work, &ids, node, i);
        if (!is_placed)
            s_mark(self, &work, &self->workflow, i);
    }
}
