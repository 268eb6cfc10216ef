/* SPDX-License-Identifier: MPL-2.0
 *
 * load_n8n - n8n workflows into normal form
 *
 * An export is { nodes: [...], connections: { name: { channel: [[{ node, type, index }]] } }, ...
 * }: nodes are wired by name, outputs and inputs by index. A channel other than "main" begins with
 * "ai_" and runs from the part to the node it is plugged into. The error output of a node comes
 * behind its main outputs when `onError` is "continueErrorOutput".
 */
#include "config.h"

#include "actors/analysis/analyser.h"

/* ---- recognising ----------------------------------------------------------------------------- */

static bool s_detect(const value_t *document)
{
    return value_is_type(value_get(document, "nodes"), VALUE_ARRAY) &&
           value_is_type(value_get(document, "connections"), VALUE_MAP);
}

static bool s_is_note(const value_t *node)
{
    return value_is(value_get(node, "type"), "n8n-nodes-base.stickyNote");
}

static bool s_is_pinned(const value_t *document)
{
    const value_t *pins = value_get(document, "pinData"), *name, *items;
    for (uint32_t i = 0; value_pair(pins, i, &name, &items); i++)
        if (value_is_type(items, VALUE_ARRAY) && items->count)
            return true;
    return false;
}

static bool s_is_documented(const value_t *document)
{
    const value_t *nodes = value_get(document, "nodes"), *node;
    if (slice_get(document, "description").size)
        return true;
    for (uint32_t i = 0; (node = value_item(nodes, i)); i++)
        if (slice_get(node, "notes").size ||
            (s_is_note(node) && slice_of(value_at(node, "parameters.content")).size))
            return true;
    return false;
}

/* ---- naming ---------------------------------------------------------------------------------- */

static void s_identify(const value_t *document, slice_t *id, slice_t *name)
{
    *id = slice_get(document, "id");
    *name = slice_get(document, "name");
}

/* ---- hashing --------------------------------------------------------------------------------- */

static void s_canonicalise(canon_t *canon, const value_t *document)
{
    static const char *const dropped[] = { "position", "notes",     "notesInFlow",
                                           "color",    "webhookId", NULL };
    const value_t *nodes = value_get(document, "nodes"), *node;
    uint32_t running = 0;

    for (uint32_t i = 0; (node = value_item(nodes, i)); i++)
        running += !s_is_note(node);
    canon_list(canon, running);
    for (uint32_t i = 0; (node = value_item(nodes, i)); i++)
        if (value_is_type(node, VALUE_MAP) && !s_is_note(node))
            canon_map(canon, node, dropped);
    canon_value(canon, value_get(document, "connections"));
    canon_value(canon, value_get(document, "settings"));
    canon_flag(canon, s_is_pinned(document));
    canon_flag(canon, s_is_documented(document));
}

/* ---- what the parameters say ----------------------------------------------------------------- */

static void s_set(node_t *node, uint32_t traits, bool on)
{
    node->traits = on ? node->traits | traits : node->traits & ~traits;
}

static void s_read_http(node_t *node)
{
    static const char *const safe[] = { "GET", "HEAD", "OPTIONS", NULL };
    static const char *const unsafe[] = { "POST", "PATCH", NULL };
    slice_t method = slice_get(node->params, node->version < 3 ? "requestMethod" : "method");
    /* an expression may become any method */
    bool known = method.size && !slice_starts(method, "=");

    s_set(node, NODE_EFFECT, known && !loader_starts_with(method, safe));
    s_set(node, NODE_UNSAFE_RETRY, known && loader_starts_with(method, unsafe));
    s_set(node, NODE_PACED,
          value_at(node->params, "options.batching") ||
              value_at(node->params, "options.batchInterval"));
}

static void s_read_send(node_t *node)
{
    static const char *const reads[] = { "get",    "search", "list",     "count",
                                         "lookup", "find",   "download", NULL };
    if (loader_starts_with(slice_get(node->params, "operation"), reads))
        s_set(node, NODE_EFFECT | NODE_UNSAFE_RETRY, false);
}

static void s_read_app(node_t *node)
{
    static const char *const writes[] = { "append",  "create", "update", "upsert", "delete",
                                          "insert",  "add",    "upload", "send",   "post",
                                          "publish", "move",   "remove", "clear",  "write",
                                          "reply",   NULL };
    static const char *const statements[] = { "insert ", "update ", "delete ", NULL };
    slice_t operation = slice_get(node->params, "operation");

    s_set(node, NODE_EFFECT,
          loader_starts_with(operation, writes) ||
              slice_has_any(slice_cut(slice_get(node->params, "query"), 4096), statements));
}

static void s_read_trigger(node_t *node)
{
    slice_t authentication = slice_get(node->params, "authentication");
    if (slice_is(node->type, "@n8n/n8n-nodes-langchain.chatTrigger"))
        s_set(node, NODE_PUBLIC, value_get_bool(node->params, "public", false));
    s_set(node, NODE_AUTHENTICATED, authentication.size && !slice_is(authentication, "none"));
}

static void s_read_params(node_t *node)
{
    switch (node->class) {
    case CLASS_HTTP:
        s_read_http(node);
        break;
    case CLASS_SEND:
        s_read_send(node);
        break;
    case CLASS_DATABASE:
    case CLASS_APP:
        s_read_app(node);
        break;
    case CLASS_TRIGGER:
        s_read_trigger(node);
        break;
    default:
        break;
    }
    if (slice_is(slice_get(node->params, "operation"), "sendAndWait"))
        s_set(node, NODE_PAUSES, true);
    s_set(node, NODE_RETRIES, value_get_bool(node->body, "retryOnFail", false));
}

/* Main outputs of a node, 0 when that cannot be told. */
static uint32_t s_outputs(const node_t *node)
{
    if (node_has(node, NODE_UNKNOWN))
        return 0;
    if (node->row->more_outputs != CATALOG_OUTPUTS_VARY)
        return 1u + node->row->more_outputs;
    const value_t *rules = value_at(node->params, "rules.values");
    if (node->class != CLASS_SWITCH || node->version < 3 || !value_is_type(rules, VALUE_ARRAY))
        return 0;
    return rules->count + value_is(value_at(node->params, "options.fallbackOutput"), "extra");
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static on_error_t s_on_error(const value_t *body)
{
    slice_t word = slice_get(body, "onError");
    if (slice_is(word, "continueErrorOutput"))
        return ON_ERROR_OUTPUT;
    if (slice_is(word, "continueRegularOutput") || value_get_bool(body, "continueOnFail", false))
        return ON_ERROR_CONTINUE;
    return ON_ERROR_STOP;
}

static bool s_load_node(loader_t *loader, const value_t *body)
{
    node_t *node = loader_add_node(loader, catalog_n8n(slice_get(body, "type")));
    if (!node)
        return false;
    node->body = body;
    node->params = value_get(body, "parameters");
    node->type = slice_get(body, "type");
    node->name = slice_get(body, "name");
    node->id = slice_get(body, "id");
    if (!node->id.size)
        node->id = node->name;
    node->version = loader_number(body, "typeVersion");
    node->disabled = value_get_bool(body, "disabled", false);
    node->on_error = s_on_error(body);
    node->root = node->class == CLASS_TRIGGER;
    loader_read_position(node);
    s_read_params(node);
    if (!node->disabled &&
        (node->on_error != ON_ERROR_STOP || slice_is(node->type, "n8n-nodes-base.errorTrigger")))
        loader->model->handles_errors = true;
    return true;
}

static bool s_load_nodes(loader_t *loader, const value_t *nodes)
{
    const value_t *body;
    for (uint32_t i = 0; (body = value_item(nodes, i)); i++) {
        if (!value_is_type(body, VALUE_MAP))
            return loader_refuse(loader, "It is no n8n workflow: item %u of nodes is no object.",
                                 i);
        if (!slice_get(body, "name").size)
            return loader_refuse(loader,
                                 "It is no n8n workflow: item %u of nodes has no name, by which "
                                 "n8n connects nodes.",
                                 i);
        if (!s_load_node(loader, body))
            return false;
    }
    return true;
}

/* ---- wires ----------------------------------------------------------------------------------- */

typedef struct {
    slice_t source;  /* name */
    uint32_t src;    /* NODE_NONE: there is no such node */
    slice_t channel; /* "main", "ai_..." */
    uint32_t output;
} plug_t;

static bool s_load_wire(loader_t *loader, const plug_t *plug, const value_t *target)
{
    slice_t name = slice_get(target, "node");
    if (!name.size)
        return true;
    uint32_t dst = model_find(loader->model, name);
    if (plug->src == NODE_NONE || dst == NODE_NONE) {
        bool from = plug->src == NODE_NONE;
        model_add_dangling(loader->model, loader->work,
                           (dangling_t){ .node = from ? dst : plug->src,
                                         .missing = from ? plug->source : name,
                                         .from = from });
        return true;
    }
    wire_t *wire = loader_add_wire(loader, plug->src, dst);
    if (!wire)
        return false;
    int64_t input = value_get_int(target, "index", 0);
    wire->input = (uint16_t)(input > 0 && input < UINT16_MAX ? input : 0);
    wire->output = (uint16_t)(plug->output < UINT16_MAX ? plug->output : UINT16_MAX);
    if (slice_starts(plug->channel, "ai_")) {
        wire->channel = CHANNEL_AI;
        wire->model = slice_is(plug->channel, "ai_languageModel");
        return true;
    }
    const node_t *node = &loader->model->nodes[plug->src];
    uint32_t outputs = s_outputs(node);
    if (node->on_error == ON_ERROR_OUTPUT && outputs && plug->output >= outputs)
        wire->channel = CHANNEL_ERROR;
    return true;
}

static bool s_load_wires(loader_t *loader, const value_t *connections)
{
    const value_t *name, *channels, *channel, *outputs, *targets, *target;
    for (uint32_t i = 0; value_pair(connections, i, &name, &channels); i++) {
        plug_t plug = { .source = slice_of(name) };
        plug.src = model_find(loader->model, plug.source);
        for (uint32_t c = 0; value_pair(channels, c, &channel, &outputs); c++) {
            plug.channel = slice_of(channel);
            for (plug.output = 0; (targets = value_item(outputs, plug.output)); plug.output++)
                for (uint32_t t = 0; (target = value_item(targets, t)); t++)
                    if (!s_load_wire(loader, &plug, target))
                        return false;
        }
    }
    return true;
}

/* A community node without an input may well be a trigger. */
static void s_find_roots(model_t *model)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        if (node_has(&model->nodes[n], NODE_UNKNOWN) && !model_in(model, n, 0) &&
            model_out(model, n, 0))
            model->nodes[n].root = true;
}

static bool s_load(loader_t *loader, const value_t *document)
{
    const value_t *nodes = value_get(document, "nodes");
    model_t *model = loader->model;

    if (!value_is_type(nodes, VALUE_ARRAY))
        return loader_refuse(loader,
                             "It is no n8n workflow: the field nodes is missing, or no list.");
    model_init(model, loader->work, document, nodes->count);
    if (!s_load_nodes(loader, nodes))
        return false;
    model_index(model, loader->work, false);
    if (!s_load_wires(loader, value_get(document, "connections")))
        return false;
    model_finish(model, loader->work);
    s_find_roots(model);
    if (slice_of(value_at(document, "settings.errorWorkflow")).size)
        model->handles_errors = true;
    model->pinned = s_is_pinned(document);
    model->documented = s_is_documented(document);
    return true;
}

const analyser_t analyser_n8n = {
    .kind = "n8n",
    .bit = KIND_N8N,
    .version = 1,
    .detect = s_detect,
    .identify = s_identify,
    .canonicalise = s_canonicalise,
    .load = s_load,
};
