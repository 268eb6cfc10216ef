/* SPDX-License-Identifier: MPL-2.0
 *
 * analyser - the kinds of workflow, and what their loaders share
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "actors/analysis/analyser.h"

/* In the order they are asked; the generic shape last, since it is the least particular. */
static const analyser_t *const s_analysers[] = {
    &analyser_n8n,
    &analyser_node_red,
    &analyser_asl,
    &analyser_generic,
};

const analyser_t *analyser_at(size_t i)
{
    return i < COUNT_OF(s_analysers) ? s_analysers[i] : NULL;
}

const analyser_t *analyser_named(slice_t kind)
{
    for (size_t i = 0; i < COUNT_OF(s_analysers); i++)
        if (slice_is(kind, s_analysers[i]->kind))
            return s_analysers[i];
    return NULL;
}

const analyser_t *analyser_detected(const value_t *document)
{
    for (size_t i = 0; i < COUNT_OF(s_analysers); i++)
        if (s_analysers[i]->detect(document))
            return s_analysers[i];
    return NULL;
}

void analyser_identify(const analyser_t *self, const value_t *document, slice_t *id, slice_t *name)
{
    *id = *name = slice_make("", 0);
    if (self->identify)
        self->identify(document, id, name);
}

bool loader_refuse(loader_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->why, sizeof self->why, format, args);
    va_end(args);
    return false;
}

node_t *loader_add_node(loader_t *self, const catalog_row_t *row)
{
    node_t *node = model_add_node(self->model, self->work, row);
    if (!node)
        loader_refuse(self, "The workflow has more than %d nodes, the most that are analysed.",
                      MODEL_NODES_MAX);
    return node;
}

wire_t *loader_add_wire(loader_t *self, uint32_t src, uint32_t dst)
{
    wire_t *wire = model_add_wire(self->model, self->work, src, dst);
    if (!wire)
        loader_refuse(self,
                      "The workflow has more than %d connections, the most that are analysed.",
                      MODEL_WIRES_MAX);
    return wire;
}

static double s_number(const value_t *value)
{
    if (value_is_type(value, VALUE_INT))
        return (double)value->integer;
    return value_is_type(value, VALUE_FLOAT) ? value->number : 0;
}

double loader_number(const value_t *map, const char *key)
{
    return s_number(value_get(map, key));
}

void loader_read_position(node_t *node)
{
    const value_t *position = value_get(node->body, "position");
    node->placed = value_item(position, 1) != NULL;
    node->x = s_number(value_item(position, 0));
    node->y = s_number(value_item(position, 1));
}

bool loader_starts_with(slice_t text, const char *const *words)
{
    for (; *words; words++)
        if (slice_starts(text, *words))
            return true;
    return false;
}
