/* SPDX-License-Identifier: MPL-2.0
 *
 * model - the normal form: what every kind of workflow becomes before rules look at it
 *
 * Nodes and wires, whatever the platform calls them. A loader fills it (`model_add_...`) and closes
 * it (`model_finish`), which sorts the wires so that both directions can be walked in compressed
 * rows: the wires that leave node n are wires[out_first[n] .. out_first[n + 1]), those that enter
 * it are wires[in_wires[in_first[n] .. in_first[n + 1])].
 *
 * Texts and values are borrowed from the document, everything else is in the arena: the model is
 * valid as long as both.
 */
#ifndef SIGNALBOX_ANALYSIS_MODEL_H
#define SIGNALBOX_ANALYSIS_MODEL_H

#include "actors/analysis/catalog.h"
#include "actors/analysis/names.h"

#define NODE_NONE UINT32_MAX
#define WIRE_NONE UINT32_MAX

/* Limits of one document; over them it is refused. */
#define MODEL_NODES_MAX 20000
#define MODEL_WIRES_MAX 200000

typedef enum {
    CHANNEL_MAIN,
    CHANNEL_ERROR, /* taken when the source failed */
    CHANNEL_AI,    /* from a part to the node it is plugged into */
} channel_t;

typedef enum {
    ON_ERROR_STOP,     /* the execution fails */
    ON_ERROR_CONTINUE, /* goes on through the ordinary output, as if nothing had been */
    ON_ERROR_OUTPUT,   /* goes on through the error output */
} on_error_t;

typedef struct {
    slice_t id;   /* as the document names it to machines; the name when it has no id */
    slice_t name; /* for people; the id when it has no name */
    slice_t type; /* as written */
    const catalog_row_t *row;
    node_class_t class;
    uint32_t traits; /* NODE_... of class, row and parameters */
    bool root;       /* an execution can begin here */
    bool disabled;
    on_error_t on_error;
    double version;     /* of the type; 0 when the kind has none */
    uint32_t container; /* index of the tab, subflow or state that holds it; NODE_NONE: none */
    bool placed;        /* x and y are known */
    double x, y;
    const value_t *body;   /* the node as it stands in the document */
    const value_t *params; /* what it was told to do; may be the body itself; may be NULL */
} node_t;

typedef struct {
    uint32_t src, dst; /* node indices */
    uint16_t output;   /* which output of src, from 0; which branch of an ASL choice */
    uint16_t input;    /* which input of dst, from 0 */
    uint8_t channel;   /* channel_t */
    bool model;        /* an AI wire that plugs in a language model */
} wire_t;

/* A wire one of whose ends is not in the document. */
typedef struct {
    uint32_t node;   /* the end that is; NODE_NONE when neither is */
    slice_t missing; /* the name the other end was given */
    bool from;       /* the missing end is the source */
} dangling_t;

typedef struct {
    const value_t *document;
    node_t *nodes;
    uint32_t node_count;
    wire_t *wires; /* by source, then in the order of the document */
    uint32_t wire_count;
    uint32_t *out_first; /* node_count + 1 */
    uint32_t *in_first;  /* node_count + 1 */
    uint32_t *in_wires;  /* indices into wires, by destination */
    dangling_t *dangling;
    uint32_t dangling_count;
    names_t names;       /* of all nodes but comments, by name or by id: see `model_index` */
    bool handles_errors; /* somewhere: an error workflow, an error output, a catch */
    bool documented;     /* has notes, comments or a description */
    bool pinned;         /* carries recorded data that replaces real runs */
    uint32_t node_room, wire_room, dangling_room;
} model_t;

/* Empty, with room for that many nodes. */
void model_init(model_t *self, work_t *work, const value_t *document, uint32_t nodes);

/* A new node, all fields empty but `class` and `traits`, which come from the row. Borrowed until
 * the next call. NULL when the document has too many. */
node_t *model_add_node(model_t *self, work_t *work, const catalog_row_t *row) MUST_CHECK;

/* Makes the nodes findable by `name` (or by `id`); call once, when all nodes are there. Of equal
 * names the first wins; comments are left out. */
void model_index(model_t *self, work_t *work, bool by_id);

/* The node with that name (or id), NODE_NONE when there is none. */
uint32_t model_find(const model_t *self, slice_t name);

/* A new wire, all fields 0 but the ends. Borrowed until the next call. NULL when there are too
 * many.
 */
wire_t *model_add_wire(model_t *self, work_t *work, uint32_t src, uint32_t dst) MUST_CHECK;

/* Notes a wire that ends nowhere; these are few or the document is refused elsewhere. */
void model_add_dangling(model_t *self, work_t *work, dangling_t dangling);

/* Sorts the wires and builds the rows for both directions. */
void model_finish(model_t *self, work_t *work);

/* Whether a node takes part in running at all: no comment, settings or container. */
bool node_runs(const node_t *node);

static inline bool node_has(const node_t *node, uint32_t traits)
{
    return (node->traits & traits) != 0;
}

/* Walks the wires that leave or enter a node:
 *     for (uint32_t i = 0; (wire = model_out(model, n, i)); i++) */
static inline const wire_t *model_out(const model_t *self, uint32_t node, uint32_t i)
{
    uint32_t at = self->out_first[node] + i;
    return at < self->out_first[node + 1] ? &self->wires[at] : NULL;
}

static inline const wire_t *model_in(const model_t *self, uint32_t node, uint32_t i)
{
    uint32_t at = self->in_first[node] + i;
    return at < self->in_first[node + 1] ? &self->wires[self->in_wires[at]] : NULL;
}

#endif
