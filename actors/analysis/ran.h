/* SPDX-License-Identifier: MPL-2.0
 *
 * ran - which nodes must have run, and which may have run, before a given node does
 *
 * A forward data flow over sets of nodes. "May" is the union over all ways to a node, "must" the
 * intersection, but at a merge the union over its inputs, since it waits for each of them; and what
 * leaves a finished loop has been through its body. Sets hold only the nodes somebody asks about,
 * RAN_TARGETS_MAX at most, so the cost is wires times that number divided by 64. Of nodes beyond
 * the limit both answers are yes, which makes the rules keep quiet.
 *
 * Source: Kildall 1973 for the flow; the components are visited in topological order, so that only
 * cycles are gone through more than once.
 */
#ifndef SIGNALBOX_ANALYSIS_RAN_H
#define SIGNALBOX_ANALYSIS_RAN_H

#include "actors/analysis/graph.h"

#define RAN_TARGETS_MAX 512

typedef struct {
    uint32_t words; /* of one set */
    uint32_t *bit;  /* of each node; NODE_NONE: not asked about */
    uint64_t *must; /* set of node n: must[n * words]; holds n itself */
    uint64_t *may;  /* of component c, before it is entered; with its members when it is a cycle */
    const components_t *components;
    bool *reached; /* from the roots: of other nodes nothing is known */
} ran_t;

typedef struct {
    const model_t *model;
    const components_t *components; /* along FOLLOW_RUN */
    const uint32_t *roots;          /* where executions begin */
    uint32_t root_count;
    const uint32_t *targets; /* the nodes asked about; may hold a node twice */
    uint32_t target_count;
    /* Which output of a loop's head is taken when it is finished; NODE_NONE: the node is no such.
     */
    uint32_t (*done_output)(const node_t *node);
} ran_question_t;

void ran_solve(ran_t *self, work_t *work, const ran_question_t *question);

/* Whether `target` has always, or possibly, run when `node` does. */
bool ran_must(const ran_t *self, uint32_t node, uint32_t target);
bool ran_may(const ran_t *self, uint32_t node, uint32_t target);

/* Whether the node was asked about and reached, so that answers about it are no mere default. */
bool ran_knows(const ran_t *self, uint32_t target);

#endif
