/* SPDX-License-Identifier: MPL-2.0
 *
 * sketch - what is kept of a workflow itself: enough to draw it and to compare it, and no more
 *
 * Nodes with their names, types and places, a digest of their settings, and the wires between them.
 * Settings themselves are not kept, since they are the workflow's owner's business and may hold
 * secrets. Notes and the tabs that hold nodes are no nodes of a sketch.
 *
 * Stored as a msgpack map; a reader of a later version must go on reading it (SKETCH_VERSION).
 */
#ifndef SIGNALBOX_ANALYSIS_SKETCH_H
#define SIGNALBOX_ANALYSIS_SKETCH_H

#include "actors/analysis/analysis.h"

#define SKETCH_VERSION 1
#define SKETCH_NOWHERE INT32_MIN /* x of a node that has no place */

/* What a node looks like. Stored: numbers are never given a new meaning. */
typedef enum {
    SHAPE_STEP = 0,
    SHAPE_START = 1,    /* an execution can begin here */
    SHAPE_CHOICE = 2,   /* one of several ways */
    SHAPE_PART = 3,     /* plugged into another node */
    SHAPE_SETTINGS = 4, /* shared by nodes, never runs: not drawn */
} shape_t;

/* Texts are clean (slice_clean). */
typedef struct {
    slice_t id, name, type;
    uint64_t settings; /* digest */
    uint32_t group;    /* the tab it stands on */
    int32_t x, y;      /* as the document says; x SKETCH_NOWHERE: it does not say */
    uint8_t shape;     /* shape_t */
    bool disabled;
} sketch_node_t;

typedef struct {
    uint32_t src, dst; /* node indices */
    uint16_t output, input;
    uint8_t channel; /* channel_t */
} sketch_wire_t;

typedef struct {
    slice_t kind;
    slice_t *groups; /* names of the tabs; the first, without a name, holds what is on none */
    sketch_node_t *nodes;
    sketch_wire_t *wires; /* by source */
    uint32_t group_count, node_count, wire_count;
} sketch_t;

/* Draws a result's workflow. Everything is in the arena or borrowed from it, as long as it. */
void sketch_make(sketch_t *self, arena_t *arena, const analysis_result_t *result);

void sketch_write(const sketch_t *self, pack_t *pack);

/* Reads what `sketch_write` wrote; texts point into `bytes`. False when it is something else. */
bool sketch_read(sketch_t *self, arena_t *arena, const void *bytes, size_t size) MUST_CHECK;

#endif
