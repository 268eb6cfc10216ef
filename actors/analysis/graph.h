/* SPDX-License-Identifier: MPL-2.0
 *
 * graph - reachability, shortest paths and cycles of a model
 *
 * Every function is linear in nodes plus wires and keeps its own stack in the arena: a chain of ten
 * thousand nodes must not need ten thousand frames of a worker thread's stack.
 */
#ifndef SIGNALBOX_ANALYSIS_GRAPH_H
#define SIGNALBOX_ANALYSIS_GRAPH_H

#include "actors/analysis/model.h"

/* Bits of channels that a walk follows. */
enum {
    FOLLOW_MAIN = 1 << CHANNEL_MAIN,
    FOLLOW_ERROR = 1 << CHANNEL_ERROR,
    FOLLOW_AI = 1 << CHANNEL_AI,
    FOLLOW_RUN = FOLLOW_MAIN | FOLLOW_ERROR,
    FOLLOW_ALL = FOLLOW_RUN | FOLLOW_AI,
};

/* What to walk. Forward means the way an execution goes: along main and error wires, and from a
 * node to the AI parts plugged into it, against their wires. */
typedef struct {
    const uint32_t *seeds; /* where it starts */
    uint32_t seed_count;
    unsigned channels;   /* FOLLOW_... */
    bool backward;       /* to whatever may have led to the seeds */
    const bool *blocked; /* nodes that are reached but not walked through; NULL: none. Seeds are
                            always walked through */
} walk_t;

/* The outcome: a breadth-first tree. */
typedef struct {
    uint32_t *distance; /* wires from the nearest seed; NODE_NONE: not reached */
    uint32_t *via;      /* the neighbour one step nearer to the seed; NODE_NONE at a seed */
    uint32_t *seed;     /* that nearest seed; NODE_NONE: not reached */
    uint32_t *met;      /* the nodes in the order they were reached */
} tree_t;

tree_t graph_walk(work_t *work, const model_t *model, const walk_t *walk);

/* The same into the memory of a tree that is no longer needed. */
void graph_walk_again(work_t *work, const model_t *model, const walk_t *walk, tree_t *tree);

static inline bool tree_has(const tree_t *self, uint32_t node)
{
    return self->distance[node] != NODE_NONE;
}

/* Strongly connected components (Tarjan 1972). */
typedef struct {
    uint32_t *of;    /* component of each node; a successor's number is never higher */
    uint32_t count;  /* components */
    uint32_t *size;  /* nodes of each */
    bool *is_cycle;  /* of each: more than one node, or a wire from the node to itself */
    uint32_t *first; /* members of component c: members[first[c] .. first[c + 1]) */
    uint32_t *members;
} components_t;

/* Along the channels, leaving out the nodes in `without` (may be NULL), which become components of
 * their own without a cycle. */
components_t graph_components(work_t *work, const model_t *model, unsigned channels,
                              const bool *without);

/* A shortest cycle through `node` inside its component: the nodes in order, `node` first, each
 * once. 0 when there is none. Linear in the component. */
uint32_t graph_cycle(work_t *work, const model_t *model, const components_t *components,
                     unsigned channels, uint32_t node, uint32_t **nodes);

/* Groups of marked nodes that hang together, whatever the direction of the wires between them. */
typedef struct {
    uint32_t count;
    uint32_t *first;   /* nodes of group g: members[first[g] .. first[g + 1]) */
    uint32_t *members; /* the lowest of a group first, then as they were met */
} groups_t;

groups_t graph_groups(work_t *work, const model_t *model, const bool *marked);

#endif
