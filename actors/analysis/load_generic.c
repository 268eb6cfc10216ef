/* SPDX-License-Identifier: MPL-2.0
 *
 * load_generic - plain graphs into normal form, for teams with an engine of their own
 *
 *     { "nodes": [{ "id": "a", "type": "http", "name": "Fetch", "params": { "url": "..." } }],
 *       "edges": [{ "from": "a", "to": "b", "label": "yes" }] }
 *
 * `id`, `from` and `to` are needed, the rest is optional: `type` (a word of catalog_generic.c tells
 * the rules more), `name`, `params` (any object), `disabled`, `notes`, `position` (a list of two
 * numbers), and `id`, `name` and `description` beside the lists. A label "error", "catch" or
 * "failure" marks the edge that is taken on failure. A graph without a node of a starting type
 * starts at the nodes that nothing leads to.
 */
#include "config.h"

#include "actors/analysis/analyser.h"

static bool s_detect(const value_t *document)
{
    return value_is_type(value_get(document, "nodes"), VALUE_ARRAY) &&
           value_is_type(value_get(document, "edges"), VALUE_ARRAY);
}

static bool s_is_documented(const value_t *document)
{
    const value_t *nodes = value_get(document, "nodes"), *body;
    if (slice_get(document, "description").size)
        return true;
    for (uint32_t i = 0; (body = value_item(nodes, i)); i++)
        if (slice_get(body, "notes").size ||
            catalog_generic_type(slice_get(body, "type"))->class == CLASS_COMMENT)
            return true;
    return false;
}

static void s_identify(const value_t *document, slice_t *id, slice_t *name)
{
    *id = slice_get(document, "id");
    *name = slice_get(document, "name");
}

static void s_canonicalise(canon_t *canon, const value_t *document)
{
    static const char *const dropped[] = { "position", "notes", NULL };
    const value_t *nodes = value_get(document, "nodes"), *body;

    canon_list(canon, value_is_type(nodes, VALUE_ARRAY) ? nodes->count : 0);
    for (uint32_t i = 0; (body = value_item(nodes, i)); i++) {
        if (value_is_type(body, VALUE_MAP))
            canon_map(canon, body, dropped);
        else
            canon_value(canon, body);
    }
    canon_value(canon, value_get(document, "edges"));
    canon_flag(canon, s_is_documented(document));
}

static bool s_load_node(loader_t *loader, const value_t *body, uint32_t i)
{
    slice_t id = slice_get(body, "id");
    if (!id.size)
        return loader_refuse(loader, "It is no graph: item %u of nodes is no object with an id.",
                             i);
    node_t *node = loader_add_node(loader, catalog_generic_type(slice_get(body, "type")));
    if (!node)
        return false;
    node->id = id;
    node->name = slice_get(body, "name");
    if (!node->name.size)
        node->name = id;
    node->type = slice_get(body, "type");
    node->body = body;
    node->params = value_get(body, "params");
    node->disabled = value_get_bool(body, "disabled", false);
    loader_read_position(node);
    node->root = node->class == CLASS_TRIGGER;
    return true;
}

static bool s_is_error_label(slice_t label)
{
    return slice_is(label, "error") || slice_is(label, "catch") || slice_is(label, "failure");
}

/* `outputs` and `inputs` count the edges of each node so far: the first leaves output 0. */
static bool s_load_edge(loader_t *loader, const value_t *edge, uint16_t *outputs, uint16_t *inputs)
{
    slice_t from = slice_get(edge, "from"), to = slice_get(edge, "to");
    uint32_t src = model_find(loader->model, from), dst = model_find(loader->model, to);

    if (src == NODE_NONE || dst == NODE_NONE) {
        bool no_src = src == NODE_NONE;
        model_add_dangling(loader->model, loader->work,
                           (dangling_t){ .node = no_src ? dst : src,
                                         .missing = no_src ? from : to,
                                         .from = no_src });
        return true;
    }
    wire_t *wire = loader_add_wire(loader, src, dst);
    if (!wire)
        return false;
    if (s_is_error_label(slice_get(edge, "label"))) {
        wire->channel = CHANNEL_ERROR;
        loader->model->handles_errors = true;
    }
    wire->output = outputs[src];
    wire->input = inputs[dst];
    outputs[src] = (uint16_t)(outputs[src] + (outputs[src] < UINT16_MAX));
    inputs[dst] = (uint16_t)(inputs[dst] + (inputs[dst] < UINT16_MAX));
    return true;
}

static void s_find_roots(model_t *model)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        if (model->nodes[n].root)
            return;
    for (uint32_t n = 0; n < model->node_count; n++)
        model->nodes[n].root = node_runs(&model->nodes[n]) && !model_in(model, n, 0);
}

static bool s_load(loader_t *loader, const value_t *document)
{
    const value_t *nodes = value_get(document, "nodes"), *edges = value_get(document, "edges"),
                  *item;
    model_t *model = loader->model;

    if (!value_is_type(nodes, VALUE_ARRAY) || !value_is_type(edges, VALUE_ARRAY))
        return loader_refuse(
            loader, "It is no graph: the fields nodes and edges have to be there, as lists.");
    model_init(model, loader->work, document, nodes->count);
    for (uint32_t i = 0; (item = value_item(nodes, i)); i++)
        if (!s_load_node(loader, item, i))
            return false;
    model_index(model, loader->work, true);
    uint16_t *outputs = arena_array(loader->work->arena, model->node_count, sizeof *outputs);
    uint16_t *inputs = arena_array(loader->work->arena, model->node_count, sizeof *inputs);
    for (uint32_t i = 0; (item = value_item(edges, i)); i++)
        if (!s_load_edge(loader, item, outputs, inputs))
            return false;
    model_finish(model, loader->work);
    s_find_roots(model);
    model->documented = s_is_documented(document);
    return true;
}

const analyser_t analyser_generic = {
    .kind = "generic",
    .bit = KIND_GENERIC,
    .version = 1,
    .detect = s_detect,
    .identify = s_identify,
    .canonicalise = s_canonicalise,
    .load = s_load,
};
