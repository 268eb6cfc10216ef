/* SPDX-License-Identifier: MPL-2.0
 *
 * overlay - which issues of a result belong to which nodes of a sketch
 *
 * An issue about several nodes belongs to each of them. One whose node is not in the sketch, or
 * that is about no node, is about the whole workflow.
 */
#ifndef SIGNALBOX_ANALYSIS_OVERLAY_H
#define SIGNALBOX_ANALYSIS_OVERLAY_H

#include "actors/analysis/sketch.h"

#define OVERLAY_NONE UINT32_MAX

typedef struct {
    uint32_t issue; /* its number in the result's list */
    uint32_t next;  /* the node's next entry; OVERLAY_NONE: it was the last */
} overlay_entry_t;

typedef struct {
    uint32_t first, last; /* entries, in the order of the result; OVERLAY_NONE: there are none */
    uint32_t count;
    severity_t worst;
} overlay_mark_t;

typedef struct {
    const value_t *issues;   /* the result's list; may be NULL */
    overlay_mark_t *nodes;   /* of each node */
    overlay_mark_t workflow; /* about no node */
    overlay_entry_t *entries;
    uint32_t count, room;
} overlay_t;

/* `result` is a map as `result_write` writes it; borrowed. Memory is of the arena. */
void overlay_make(overlay_t *self, arena_t *arena, const sketch_t *sketch, const value_t *result);

/* The severity of an issue; SEVERITY_INFO when it names none that is known. */
severity_t issue_severity(const value_t *issue);

#endif
