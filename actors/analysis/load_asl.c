/* SPDX-License-Identifier: MPL-2.0
 *
 * load_asl - state machines in Amazon States Language into normal form
 *
 * A machine is { StartAt, States: { name: state } }. Map and Parallel hold machines of their own
 * (Iterator, ItemProcessor, Branches), whose states are nodes too, with the holding state as their
 * container and a wire from it to their start. Names are unique in the whole machine
 * (states-language.net, "States"). Catch makes error wires. What a task does is told by the service
 * in its resource, "arn:aws:states:::<service>:<action>".
 */
#include "config.h"

#include "actors/analysis/analyser.h"

/* ---- recognising and hashing ------------------------------------------------------------------
 */

static bool s_detect(const value_t *document)
{
    return value_is_type(value_get(document, "States"), VALUE_MAP);
}

static void s_canonicalise(canon_t *canon, const value_t *document)
{
    /* Comments of states stay in: an export has few, and their place in nested machines is deep. */
    static const char *const dropped[] = { "Comment", NULL };
    canon_map(canon, document, dropped);
    canon_flag(canon, slice_get(document, "Comment").size > 0);
}

/* ---- what a state does ------------------------------------------------------------------------
 */

/* Field `index` of a text separated by colons. */
static slice_t s_field(slice_t text, unsigned index)
{
    while (true) {
        const char *colon = memchr(text.text, ':', text.size);
        uint32_t size = colon ? (uint32_t)(colon - text.text) : text.size;
        if (index-- == 0)
            return slice_make(text.text, size);
        if (!colon)
            return slice_make("", 0);
        text = slice_after(text, size + 1);
    }
}

/* arn:aws:states:::sns:publish, arn:aws:states:::aws-sdk:s3:getObject, arn:aws:lambda:... */
static slice_t s_service(slice_t resource, slice_t *action)
{
    slice_t service = s_field(resource, 2);
    *action = slice_make("", 0);
    if (!slice_starts(resource, "arn:") || !slice_is(service, "states"))
        return service;
    bool sdk = slice_is(s_field(resource, 5), "aws-sdk");
    *action = s_field(resource, sdk ? 7 : 6);
    return s_field(resource, sdk ? 6 : 5);
}

static void s_read_task(node_t *node)
{
    static const char *const reads[] = { "get", "list", "describe", "query", "scan", "head", NULL };
    slice_t action, resource = slice_get(node->body, "Resource");
    slice_t service = s_service(resource, &action);
    const catalog_row_t *row = catalog_asl_service(service);

    if (row) {
        node->class = row->class;
        node->traits = row->traits | class_traits(row->class);
    }
    if (loader_starts_with(action, reads))
        node->traits &= ~(uint32_t)(NODE_EFFECT | NODE_UNSAFE_RETRY);
    /* a task that waits for its job or for a callback does not spin */
    if (slice_ends(resource, ".waitForTaskToken") || slice_has(resource, ".sync") ||
        slice_is(service, "activity"))
        node->traits |= NODE_PAUSES;
}

/* ---- states -----------------------------------------------------------------------------------
 */

static const catalog_row_t s_unknown = { .class = CLASS_OTHER, .traits = NODE_UNKNOWN };

/* A machine whose states are still to be loaded. */
typedef struct {
    const value_t *machine;
    uint32_t container;
} pending_t;

typedef struct {
    loader_t *loader;
    pending_t *pending; /* a queue: machines before the ones inside them */
    uint32_t count, room;
} nest_t;

static void s_queue(nest_t *nest, const value_t *machine, uint32_t container)
{
    if (!value_is_type(machine, VALUE_MAP))
        return;
    nest->pending = work_grow(nest->loader->work, nest->pending, nest->count, &nest->room,
                              sizeof *nest->pending);
    nest->pending[nest->count++] = (pending_t){ machine, container };
}

static bool s_load_state(nest_t *nest, const value_t *name, const value_t *body, uint32_t container)
{
    model_t *model = nest->loader->model;
    const catalog_row_t *row = catalog_asl_state(slice_get(body, "Type"));
    node_t *node = loader_add_node(nest->loader, row ? row : &s_unknown);
    const value_t *branch;

    if (!node)
        return false;
    node->id = node->name = slice_of(name);
    node->type = slice_get(body, "Type");
    node->body = body;
    node->params = value_get(body, "Parameters");
    if (!node->params)
        node->params = value_get(body, "Arguments");
    node->container = container;
    if (slice_is(node->type, "Task"))
        s_read_task(node);
    const value_t *retriers = value_get(body, "Retry");
    if (value_is_type(retriers, VALUE_ARRAY) && retriers->count)
        node->traits |= NODE_RETRIES;
    if (value_get(body, "Catch") || value_get(body, "Retry"))
        model->handles_errors = true;
    if (slice_get(body, "Comment").size)
        model->documented = true;

    uint32_t n = model->node_count - 1;
    s_queue(nest, value_get(body, "Iterator"), n);
    s_queue(nest, value_get(body, "ItemProcessor"), n);
    for (uint32_t i = 0; (branch = value_item(value_get(body, "Branches"), i)); i++)
        s_queue(nest, branch, n);
    return true;
}

static bool s_load_states(nest_t *nest)
{
    const value_t *name, *body;
    for (uint32_t p = 0; p < nest->count; p++) {
        pending_t pending = nest->pending[p]; /* the queue may move */
        const value_t *states = value_get(pending.machine, "States");
        for (uint32_t i = 0; value_pair(states, i, &name, &body); i++) {
            if (!value_is_type(body, VALUE_MAP))
                return loader_refuse(nest->loader,
                                     "It is no state machine: state %u of States is no object.", i);
            if (!s_load_state(nest, name, body, pending.container))
                return false;
        }
    }
    return true;
}

/* ---- transitions ------------------------------------------------------------------------------
 */

static bool s_wire(loader_t *loader, uint32_t src, const value_t *target, uint32_t output,
                   channel_t channel)
{
    if (!value_is_type(target, VALUE_TEXT))
        return true;
    uint32_t dst = model_find(loader->model, slice_of(target));
    if (dst == NODE_NONE) {
        model_add_dangling(loader->model, loader->work,
                           (dangling_t){ .node = src, .missing = slice_of(target) });
        return true;
    }
    wire_t *wire = loader_add_wire(loader, src, dst);
    if (!wire)
        return false;
    wire->output = (uint16_t)(output < UINT16_MAX ? output : UINT16_MAX);
    wire->channel = (uint8_t)channel;
    return true;
}

static bool s_wire_state(loader_t *loader, uint32_t n)
{
    const value_t *body = loader->model->nodes[n].body, *item;
    const value_t *choices = value_get(body, "Choices"), *catchers = value_get(body, "Catch");
    uint32_t i;

    if (!s_wire(loader, n, value_get(body, "Next"), 0, CHANNEL_MAIN))
        return false;
    for (i = 0; (item = value_item(choices, i)); i++)
        if (!s_wire(loader, n, value_get(item, "Next"), i, CHANNEL_MAIN))
            return false;
    if (!s_wire(loader, n, value_get(body, "Default"), i, CHANNEL_MAIN))
        return false;
    for (i = 0; (item = value_item(catchers, i)); i++)
        if (!s_wire(loader, n, value_get(item, "Next"), i, CHANNEL_ERROR))
            return false;
    return true;
}

static bool s_wire_all(nest_t *nest)
{
    loader_t *loader = nest->loader;
    for (uint32_t n = 0; n < loader->model->node_count; n++)
        if (!s_wire_state(loader, n))
            return false;
    for (uint32_t p = 0; p < nest->count; p++) {
        const value_t *start = value_get(nest->pending[p].machine, "StartAt");
        uint32_t container = nest->pending[p].container;
        uint32_t first = model_find(loader->model, slice_of(start));
        if (container == NODE_NONE && first != NODE_NONE)
            loader->model->nodes[first].root = true;
        else if (container != NODE_NONE && first != NODE_NONE &&
                 !s_wire(loader, container, start, p, CHANNEL_MAIN))
            return false;
    }
    return true;
}

static bool s_load(loader_t *loader, const value_t *document)
{
    const value_t *states = value_get(document, "States");
    nest_t nest = { .loader = loader };

    if (!value_is_type(states, VALUE_MAP))
        return loader_refuse(loader,
                             "It is no state machine: the field States is missing, or no object.");
    model_init(loader->model, loader->work, document, states->count);
    s_queue(&nest, document, NODE_NONE);
    if (!s_load_states(&nest))
        return false;
    model_index(loader->model, loader->work, false);
    if (!s_wire_all(&nest))
        return false;
    model_finish(loader->model, loader->work);
    if (slice_get(document, "Comment").size)
        loader->model->documented = true;
    return true;
}

const analyser_t analyser_asl = {
    .kind = "asl",
    .bit = KIND_ASL,
    .version = 1,
    .detect = s_detect,
    .canonicalise = s_canonicalise,
    .load = s_load,
};
