/* SPDX-License-Identifier: MPL-2.0
 *
 * diff - what changed between two versions of a workflow
 *
 * Issues are the same when their fingerprints are, nodes when their ids are, wires when they lead
 * from the same output of the same node to the same input of the same node. Where nodes stand is no
 * difference. Costs sorting the wires.
 */
#ifndef SIGNALBOX_ANALYSIS_DIFF_H
#define SIGNALBOX_ANALYSIS_DIFF_H

#include "actors/analysis/sketch.h"

typedef struct {
    const sketch_t *sketch;
    const value_t *result; /* a map as `result_write` writes it */
} version_t;

/* Packs DIFF_PAIRS pairs of a map: score_change, issues, nodes, wires; proto/analysis.c says what
 * is in them. */
#define DIFF_PAIRS 4
void diff_write(const version_t *from, const version_t *to, pack_t *pack);

#endif
