/* SPDX-License-Identifier: MPL-2.0
 *
 * svg - a workflow drawn, with its issues in place
 *
 * One SVG 1.1 document that needs nothing else: no script, no font, no link. Nodes with issues wear
 * the colour of the worst and their number; what they are is in the tooltip (<title>). What is
 * about the whole workflow stands below the legend. Colours follow the reader's light or dark mode.
 * Texts from the workflow are escaped; characters that XML does not have are replaced.
 */
#ifndef SIGNALBOX_ANALYSIS_SVG_H
#define SIGNALBOX_ANALYSIS_SVG_H

#include "actors/analysis/sketch.h"

/* Further ones are counted in a line below the drawing: no reader can take in more, and browsers
 * get slow. */
#define SVG_NODES_MAX 4000
#define SVG_WIRES_MAX 12000

/* Appends the document. `result` is the map of the same analysis; `name` may be NULL. */
void svg_write(const sketch_t *sketch, const value_t *result, const char *name, buf_t *out);

#endif
