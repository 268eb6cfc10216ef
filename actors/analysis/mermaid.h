/* SPDX-License-Identifier: MPL-2.0
 *
 * mermaid - a workflow as a Mermaid flowchart, coloured by its issues
 *
 * For README files and wikis. Labels are quoted and escaped as Mermaid's entities ("#quot;"), so
 * that no name can end its label or begin markup; nodes are called n0, n1 ... whatever their ids.
 */
#ifndef SIGNALBOX_ANALYSIS_MERMAID_H
#define SIGNALBOX_ANALYSIS_MERMAID_H

#include "actors/analysis/sketch.h"

#define MERMAID_NODES_MAX 2000 /* further ones are left out, and a comment says how many */

/* Appends the text. `result` is the map of the same analysis. */
void mermaid_write(const sketch_t *sketch, const value_t *result, buf_t *out);

#endif
