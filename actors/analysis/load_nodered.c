/* SPDX-License-Identifier: MPL-2.0
 *
 * load_nodered - Node-RED flows into normal form
 *
 * An export is a list of nodes, or { flows: [...] } from the admin API. A node names the tab or the
 * subflow that holds it in `z`, and where its outputs lead in `wires`: a list of ids for each. Link
 * nodes are wires without a line: `links` of a "link out" or "link call" names the "link in". A
 * "catch" without a scope receives every error of its tab, so it is a root; with a scope it also
 * gets error wires from the nodes it names. A node without `wires` is settings, not part of a flow.
 */
#include "config.h"

#include "actors/analysis/analyser.h"

static const value_t *s_list(const value_t *document)
{
    return value_is_type(document, VALUE_MAP) ? value_get(document, "flows") : document;
}

static bool s_detect(const value_t *document)
{
    const value_t *first = value_item(s_list(document), 0);
    return value_is_type(value_get(first, "id"), VALUE_TEXT) &&
           value_is_type(value_get(first, "type"), VALUE_TEXT);
}

static bool s_is_comment(const value_t *body)
{
    return value_is(value_get(body, "type"), "comment");
}

static bool s_is_documented(const value_t *list)
{
    const value_t *body;
    for (uint32_t i = 0; (body = value_item(list, i)); i++)
        if (s_is_comment(body) || slice_get(body, "info").size)
            return true;
    return false;
}

/* An export goes by its first tab. */
static void s_identify(const value_t *document, slice_t *id, slice_t *name)
{
    const value_t *list = s_list(document), *body;
    for (uint32_t i = 0; (body = value_item(list, i)); i++)
        if (value_is(value_get(body, "type"), "tab")) {
            *id = slice_get(body, "id");
            *name = slice_get(body, "label");
            return;
        }
}

static void s_canonicalise(canon_t *canon, const value_t *document)
{
    /* The places of a subflow's ports stay in: they stand deeper, and are seldom moved. */
    static const char *const dropped[] = { "x", "y", "w", "h", "info", "g", NULL };
    const value_t *list = s_list(document), *body;
    uint32_t count = 0;

    for (uint32_t i = 0; (body = value_item(list, i)); i++)
        count += !s_is_comment(body) && !value_is(value_get(body, "type"), "group");
    canon_list(canon, count);
    for (uint32_t i = 0; (body = value_item(list, i)); i++)
        if (value_is_type(body, VALUE_MAP) && !s_is_comment(body) &&
            !value_is(value_get(body, "type"), "group"))
            canon_map(canon, body, dropped);
    canon_flag(canon, s_is_documented(list));
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static void s_read_params(node_t *node)
{
    slice_t method = slice_get(node->body, "method");

    if (node->class == CLASS_HTTP && method.size && !slice_is(method, "GET"))
        node->traits |= NODE_EFFECT;
    if (node->class == CLASS_HTTP && (slice_is(method, "POST") || slice_is(method, "PATCH")))
        node->traits |= NODE_UNSAFE_RETRY;
    if (slice_is(node->type, "inject") &&
        (slice_get(node->body, "repeat").size || slice_get(node->body, "crontab").size))
        node->traits = (node->traits & ~(uint32_t)NODE_MANUAL) | NODE_SCHEDULE;
    if (slice_is(node->type, "switch"))
        node->traits |= NODE_GUARDS;
}

static bool s_load_node(loader_t *loader, const value_t *body)
{
    node_t *node = loader_add_node(loader, catalog_node_red(slice_get(body, "type")));
    if (!node)
        return false;
    node->body = node->params = body;
    node->id = slice_get(body, "id");
    node->type = slice_get(body, "type");
    node->name = slice_get(body, "name");
    if (!node->name.size)
        node->name = slice_get(body, "label");
    if (!node->name.size)
        node->name = node->id;
    node->disabled = value_get_bool(body, "d", false) ||
                     (node->class == CLASS_CONTAINER && value_get_bool(body, "disabled", false));
    if (node_runs(node) && !value_is_type(value_get(body, "wires"), VALUE_ARRAY))
        node->class = CLASS_CONFIG;
    node->root = node->class == CLASS_TRIGGER || node->class == CLASS_CATCH ||
                 slice_is(node->type, "link in");
    node->placed = value_get(body, "x") && value_get(body, "y");
    node->x = loader_number(body, "x");
    node->y = loader_number(body, "y");
    s_read_params(node);
    if (node->class == CLASS_CATCH && !node->disabled)
        loader->model->handles_errors = true;
    return true;
}

static bool s_load_nodes(loader_t *loader, const value_t *list)
{
    const value_t *body;
    for (uint32_t i = 0; (body = value_item(list, i)); i++) {
        if (!slice_get(body, "id").size || !slice_get(body, "type").size)
            return loader_refuse(loader,
                                 "It is no Node-RED flow: item %u of the list is no object with "
                                 "an id and a type.",
                                 i);
        if (!s_load_node(loader, body))
            return false;
    }
    return true;
}

/* ---- wires ----------------------------------------------------------------------------------- */

/* A wire to the node with that id, or the note that there is none. */
static wire_t *s_wire_to(loader_t *loader, uint32_t src, const value_t *id, bool *refused)
{
    uint32_t dst = model_find(loader->model, slice_of(id));
    if (dst == NODE_NONE) {
        if (slice_of(id).size)
            model_add_dangling(loader->model, loader->work,
                               (dangling_t){ .node = src, .missing = slice_of(id) });
        return NULL;
    }
    wire_t *wire = loader_add_wire(loader, src, dst);
    *refused = !wire;
    return wire;
}

static bool s_load_node_wires(loader_t *loader, uint32_t n)
{
    const value_t *body = loader->model->nodes[n].body, *targets, *id;
    const value_t *outputs = value_get(body, "wires");
    bool refused = false;

    for (uint32_t o = 0; !refused && (targets = value_item(outputs, o)); o++)
        for (uint32_t t = 0; !refused && (id = value_item(targets, t)); t++) {
            wire_t *wire = s_wire_to(loader, n, id, &refused);
            if (wire)
                wire->output = (uint16_t)(o < UINT16_MAX ? o : UINT16_MAX);
        }
    return !refused;
}

static bool s_load_links(loader_t *loader, uint32_t n)
{
    const node_t *node = &loader->model->nodes[n];
    const value_t *links = value_get(node->body, "links"), *id;
    bool refused = false;

    if (slice_is(node->type, "link in"))
        return true; /* the other end says the same */
    for (uint32_t i = 0; !refused && (id = value_item(links, i)); i++)
        s_wire_to(loader, n, id, &refused);
    return !refused;
}

static bool s_load_scope(loader_t *loader, uint32_t n)
{
    const value_t *scope = value_get(loader->model->nodes[n].body, "scope"), *id;
    for (uint32_t i = 0; (id = value_item(scope, i)); i++) {
        uint32_t src = model_find(loader->model, slice_of(id));
        if (src == NODE_NONE)
            continue; /* the editor leaves ids of deleted nodes in a scope */
        wire_t *wire = loader_add_wire(loader, src, n);
        if (!wire)
            return false;
        wire->channel = CHANNEL_ERROR;
    }
    return true;
}

/* The nodes that a subflow's input leads to. */
static void s_mark_subflow(model_t *model, const node_t *subflow)
{
    const value_t *inputs = value_get(subflow->body, "in"), *input, *end;
    for (uint32_t i = 0; (input = value_item(inputs, i)); i++)
        for (uint32_t w = 0; (end = value_item(value_get(input, "wires"), w)); w++) {
            uint32_t n = model_find(model, slice_get(end, "id"));
            if (n != NODE_NONE)
                model->nodes[n].root = true;
        }
}

static void s_note_missing_subflow(loader_t *loader, uint32_t n)
{
    slice_t id = slice_after(loader->model->nodes[n].type, strlen("subflow:"));
    if (model_find(loader->model, id) == NODE_NONE)
        model_add_dangling(loader->model, loader->work, (dangling_t){ .node = n, .missing = id });
}

static bool s_load_wires(loader_t *loader)
{
    model_t *model = loader->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        node_t *node = &model->nodes[n];
        node->container = model_find(model, slice_get(node->body, "z"));
        if (node->container != NODE_NONE &&
            model->nodes[node->container].class == CLASS_CONTAINER &&
            model->nodes[node->container].disabled)
            node->disabled = true;
        if (slice_is(node->type, "subflow"))
            s_mark_subflow(model, node);
        if (node->class == CLASS_SUBFLOW)
            s_note_missing_subflow(loader, n);
        if (!node_runs(node))
            continue;
        if (!s_load_node_wires(loader, n) ||
            (node->class == CLASS_LINK && !s_load_links(loader, n)) ||
            (node->class == CLASS_CATCH && !s_load_scope(loader, n)))
            return false;
    }
    return true;
}

static bool s_load(loader_t *loader, const value_t *document)
{
    const value_t *list = s_list(document);
    model_t *model = loader->model;

    if (!value_is_type(list, VALUE_ARRAY))
        return loader_refuse(loader,
                             "It is no Node-RED flow: neither a list of nodes nor an object "
                             "with such a list in the field flows.");
    model_init(model, loader->work, document, list->count);
    if (!s_load_nodes(loader, list))
        return false;
    model_index(model, loader->work, true);
    if (!s_load_wires(loader))
        return false;
    model_finish(model, loader->work);
    for (uint32_t n = 0; n < model->node_count; n++)
        if (node_has(&model->nodes[n], NODE_UNKNOWN) && !model_in(model, n, 0))
            model->nodes[n].root = true; /* anyone may write an input node */
    model->documented = s_is_documented(list);
    return true;
}

const analyser_t analyser_node_red = {
    .kind = "node-red",
    .bit = KIND_NODE_RED,
    .version = 1,
    .detect = s_detect,
    .identify = s_identify,
    .canonicalise = s_canonicalise,
    .load = s_load,
};
