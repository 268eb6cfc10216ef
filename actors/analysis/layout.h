/* SPDX-License-Identifier: MPL-2.0
 *
 * layout - where the nodes of a sketch are drawn
 *
 * Each tab is a band of its own, one below the other. In it the nodes stand where the document puts
 * them; when it leaves out a node, or puts all in one place, they stand in layers, each to the
 * right of what leads to it. Linear in nodes plus wires.
 */
#ifndef SIGNALBOX_ANALYSIS_LAYOUT_H
#define SIGNALBOX_ANALYSIS_LAYOUT_H

#include "actors/analysis/sketch.h"

typedef struct {
    int32_t x, y; /* of the box's upper left corner, in pixels */
} spot_t;

typedef struct {
    int32_t box_width, box_height;
    int32_t width, height; /* of all bands together */
    spot_t *spots;         /* of each node; those of settings, which are not drawn, say nothing */
    int32_t *tops;         /* of each band; -1: nothing is on it */
} layout_t;

#define LAYOUT_TITLE 28 /* pixels at the top of a band with a name, for the name */

/* The corner of everything is 0, 0. Memory is of the arena. */
void layout_make(layout_t *self, arena_t *arena, const sketch_t *sketch);

#endif
