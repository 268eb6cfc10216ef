/* SPDX-License-Identifier: MPL-2.0
 *
 * facts - what is worked out about a model once, for all rules to read
 *
 * Everything here costs nodes plus wires plus bytes of text. Rules add no walk of their own inside
 * a loop over nodes; where one is needed it is done once, from all its starts together.
 */
#ifndef SIGNALBOX_ANALYSIS_FACTS_H
#define SIGNALBOX_ANALYSIS_FACTS_H

#include "actors/analysis/finding.h"
#include "actors/analysis/ran.h"
#include "actors/analysis/references.h"

struct facts {
    const analyser_t *analyser;
    const model_t *model;
    work_t *work;
    texts_t texts;
    references_t references; /* n8n only */
    ran_t ran;               /* about both ends of the references */
    components_t components; /* along main and error wires */
    bool has_start;          /* some root is not disabled */
    bool only_manual;        /* every root that is not disabled is for trying by hand */
    uint32_t *plugged;       /* of an AI part the node it is plugged into; else NODE_NONE */
    uint32_t *real_starts;   /* those roots; without the manual ones if there are others */
    uint32_t real_start_count;
    tree_t starts;  /* from the roots that are not disabled */
    tree_t parked;  /* from all roots */
    tree_t open;    /* from triggers that anyone can pull */
    tree_t entries; /* from triggers that others can pull, with a credential or not */
};

void facts_gather(facts_t *self, work_t *work, const analyser_t *analyser, const model_t *model);

/* Whether an execution can come to the node, and the node then does something. */
static inline bool facts_live(const facts_t *self, uint32_t node)
{
    const node_t *n = &self->model->nodes[node];
    return !n->disabled && node_runs(n) && tree_has(&self->starts, node);
}

/* The same, if it is of that class. */
static inline bool facts_live_class(const facts_t *self, uint32_t node, node_class_t class)
{
    return self->model->nodes[node].class == class && facts_live(self, node);
}

/* The text parameter `key` of a node; empty when there is none. */
static inline slice_t facts_param(const facts_t *self, uint32_t node, const char *key)
{
    return slice_get(self->model->nodes[node].params, key);
}

/* Whether any parameter text of the node has one of the words (NULL-ended, lower case). */
bool facts_mentions(const facts_t *self, uint32_t node, const char *const *words);

/* Whether a node is of exactly that type. */
static inline bool facts_is_type(const facts_t *self, uint32_t node, const char *type)
{
    return slice_is(self->model->nodes[node].type, type);
}

/* The nodes for which `wanted` says yes: a list in the arena, and how many. */
uint32_t *facts_select(const facts_t *self, bool (*wanted)(const facts_t *facts, uint32_t node),
                       uint32_t *count);

/* A walk from those nodes. */
tree_t facts_walk(const facts_t *self, bool (*seed)(const facts_t *facts, uint32_t node),
                  unsigned channels, bool backward, const bool *blocked);

/* The node an AI part is, in the end, plugged into; the node itself when it is no part. */
uint32_t facts_host(const facts_t *self, uint32_t node);

static inline bool facts_is_part(const facts_t *self, uint32_t node)
{
    return self->plugged[node] != NODE_NONE;
}

#endif
