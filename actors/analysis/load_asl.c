/* SPDX-License-Identifier: MPL-2.0
 *
 * load_asl - state machines in Amazon States Language into normal form
 *
 * A machine is { StartAt, States: { name: state } }. Map and Parallel hold machines of their own
 * (Iterator, ItemProcessor, Branches), whose states are nodes too, with the holding state as their
 * container and a wire from it to their start. Transitions stay inside their own machine
 * (states-language.net, "Transitions"). Catch makes error wires. What a task does is told by the
 * service in its resource, "arn:aws:states:::<service>:<action>".
 */
#include "config.h"

#include "actors/analysis/analyser.h"

/* ---- recognising and hashing ----------------------------------------------------------------- */

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

/* ---- what a state does ----------------------------------------------------------------------- */

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

/* ---- states ---------------------------------------------------------------------------------- */

static const catalog_row_t s_unknown = { .class = CLASS_OTHER, .traits = NODE_UNKNOWN };

typedef struct {
    const value_t *document;
    uint32_t container;    /* the state that holds it; NODE_NONE: none */
    uint32_t first, count; /* its states are nodes in a row */
    names_t names;         /* of those, counted from the first */
} machine_t;

typedef struct {
    loader_t *loader;
    machine_t *machines; /* also a queue: machines before the ones inside them */
    uint32_t count, room;
} nest_t;

static void s_queue(nest_t *nest, const value_t *machine, uint32_t container)
{
    if (!value_is_type(machine, VALUE_MAP))
        return;
    nest->machines = work_grow(nest->loader->work, nest->machines, nest->count, &nest->room,
                               sizeof *nest->machines);
    nest->machines[nest->count++] = (machine_t){ .document = machine, .container = container };
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
    for (uint32_t m = 0; m < nest->count; m++) {
        /* the queue may move while states are loaded */
        const uint32_t container = nest->machines[m].container;
        const uint32_t first = nest->loader->model->node_count;
        const value_t *states = value_get(nest->machines[m].document, "States");
        for (uint32_t i = 0; value_pair(states, i, &name, &body); i++) {
            if (!value_is_type(body, VALUE_MAP))
                return loader_refuse(nest->loader,
                                     "It is no state machine: state %u of States is no object.", i);
            if (!s_load_state(nest, name, body, container))
                return false;
        }
        nest->machines[m].first = first;
        nest->machines[m].count = nest->loader->model->node_count - first;
    }
    return true;
}

/* ---- transitions ----------------------------------------------------------------------------- */

static void s_index(nest_t *nest)
{
    const model_t *model = nest->loader->model;
    slice_t *keys = arena_array(nest->loader->work->arena, model->node_count, sizeof *keys);
    for (uint32_t n = 0; n < model->node_count; n++)
        keys[n] = model->nodes[n].name;
    for (uint32_t m = 0; m < nest->count; m++)
        names_build(&nest->machines[m].names, nest->loader->work, keys + nest->machines[m].first,
                    nest->machines[m].count);
}

static uint32_t s_find(const machine_t *machine, const value_t *name)
{
    uint32_t number = names_find(&machine->names, slice_of(name));
    return number == UINT32_MAX ? NODE_NONE : machine->first + number;
}

/* A wire to a state of the machine, or the note that there is none. */
static bool s_wire(loader_t *loader, const machine_t *machine, wire_t plug, const value_t *target)
{
    if (!value_is_type(target, VALUE_TEXT))
        return true;
    plug.dst = s_find(machine, target);
    if (plug.dst == NODE_NONE) {
        model_add_dangling(loader->model, loader->work,
                           (dangling_t){ .node = plug.src, .missing = slice_of(target) });
        return true;
    }
    wire_t *wire = loader_add_wire(loader, plug.src, plug.dst);
    if (!wire)
        return false;
    *wire = plug;
    return true;
}

static bool s_wire_state(loader_t *loader, const machine_t *machine, uint32_t n)
{
    const value_t *body = loader->model->nodes[n].body, *item;
    const value_t *choices = value_get(body, "Choices"), *catchers = value_get(body, "Catch");
    wire_t plug = { .src = n };

    if (!s_wire(loader, machine, plug, value_get(body, "Next")))
        return false;
    for (uint32_t i = 0; (item = value_item(choices, i)); i++, plug.output++)
        if (!s_wire(loader, machine, plug, value_get(item, "Next")))
            return false;
    if (!s_wire(loader, machine, plug, value_get(body, "Default")))
        return false;
    plug = (wire_t){ .src = n, .channel = CHANNEL_ERROR };
    for (uint32_t i = 0; (item = value_item(catchers, i)); i++, plug.output++)
        if (!s_wire(loader, machine, plug, value_get(item, "Next")))
            return false;
    return true;
}

static bool s_wire_machine(loader_t *loader, const machine_t *machine)
{
    uint32_t start = s_find(machine, value_get(machine->document, "StartAt"));

    for (uint32_t n = machine->first; n < machine->first + machine->count; n++)
        if (!s_wire_state(loader, machine, n))
            return false;
    if (start == NODE_NONE)
        return true;
    if (machine->container == NODE_NONE) {
        loader->model->nodes[start].root = true;
        return true;
    }
    return loader_add_wire(loader, machine->container, start) != NULL;
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
    s_index(&nest);
    for (uint32_t m = 0; m < nest.count; m++)
        if (!s_wire_machine(loader, &nest.machines[m]))
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
