/* SPDX-License-Identifier: MPL-2.0
 *
 * catalog_nodered - the types of Node-RED nodes
 *
 * Source: packages/node_modules/@node-red/nodes/core of node-red/node-red, and the contributed
 * nodes seen most often. Anyone may publish node types, so an unlisted one may do anything.
 */
#include "config.h"

#include "actors/analysis/catalog.h"

static const catalog_row_t s_subflow = { .class = CLASS_SUBFLOW };
static const catalog_row_t s_unknown = { .class = CLASS_OTHER, .traits = NODE_UNKNOWN };

static const catalog_row_t s_rows[] = {
    { .type = "amqp in", .class = CLASS_TRIGGER },
    { .type = "amqp out", .class = CLASS_SEND },
    { .type = "batch", .class = CLASS_MERGE },
    { .type = "catch", .class = CLASS_CATCH },
    { .type = "change", .class = CLASS_TRANSFORM },
    { .type = "comment", .class = CLASS_COMMENT },
    { .type = "complete", .class = CLASS_TRIGGER },
    { .type = "csv", .class = CLASS_TRANSFORM },
    { .type = "debug", .class = CLASS_TRANSFORM },
    { .type = "delay", .class = CLASS_WAIT },
    { .type = "e-mail", .class = CLASS_SEND },
    { .type = "e-mail in", .class = CLASS_TRIGGER },
    { .type = "exec", .class = CLASS_COMMAND },
    { .type = "feedparse", .class = CLASS_TRIGGER },
    { .type = "file", .class = CLASS_FILE, .traits = NODE_EFFECT },
    { .type = "file in", .class = CLASS_FILE },
    { .type = "filter", .class = CLASS_FILTER },
    { .type = "function", .class = CLASS_CODE },
    { .type = "global-config", .class = CLASS_CONFIG },
    { .type = "group", .class = CLASS_CONTAINER },
    { .type = "html", .class = CLASS_TRANSFORM },
    { .type = "http in", .class = CLASS_TRIGGER, .traits = NODE_PUBLIC },
    { .type = "http proxy", .class = CLASS_CONFIG },
    { .type = "http request", .class = CLASS_HTTP },
    { .type = "http response", .class = CLASS_RESPOND },
    { .type = "influxdb out", .class = CLASS_DATABASE },
    { .type = "inject", .class = CLASS_TRIGGER, .traits = NODE_MANUAL },
    { .type = "join", .class = CLASS_MERGE },
    { .type = "json", .class = CLASS_TRANSFORM },
    { .type = "junction", .class = CLASS_LINK },
    { .type = "kafka in", .class = CLASS_TRIGGER },
    { .type = "kafka out", .class = CLASS_SEND },
    { .type = "link call", .class = CLASS_LINK },
    { .type = "link in", .class = CLASS_LINK },
    { .type = "link out", .class = CLASS_LINK },
    { .type = "mongodb out", .class = CLASS_DATABASE },
    { .type = "mqtt in", .class = CLASS_TRIGGER },
    { .type = "mqtt out", .class = CLASS_SEND },
    { .type = "mqtt-broker", .class = CLASS_CONFIG },
    { .type = "mysql", .class = CLASS_DATABASE },
    { .type = "postgresql", .class = CLASS_DATABASE },
    { .type = "range", .class = CLASS_TRANSFORM },
    { .type = "rbe", .class = CLASS_FILTER },
    { .type = "serial in", .class = CLASS_TRIGGER },
    { .type = "serial out", .class = CLASS_SEND },
    { .type = "sort", .class = CLASS_TRANSFORM },
    { .type = "split", .class = CLASS_SPLIT },
    { .type = "sqlite", .class = CLASS_DATABASE },
    { .type = "status", .class = CLASS_TRIGGER },
    { .type = "subflow", .class = CLASS_CONTAINER },
    { .type = "switch", .class = CLASS_SWITCH, .more_outputs = CATALOG_OUTPUTS_VARY },
    { .type = "tab", .class = CLASS_CONTAINER },
    { .type = "tcp in", .class = CLASS_TRIGGER },
    { .type = "tcp out", .class = CLASS_SEND },
    { .type = "tcp request", .class = CLASS_HTTP },
    { .type = "template", .class = CLASS_TRANSFORM },
    { .type = "tls-config", .class = CLASS_CONFIG },
    { .type = "trigger", .class = CLASS_WAIT },
    { .type = "twitter in", .class = CLASS_TRIGGER },
    { .type = "twitter out", .class = CLASS_SEND },
    { .type = "udp in", .class = CLASS_TRIGGER },
    { .type = "udp out", .class = CLASS_SEND },
    { .type = "watch", .class = CLASS_TRIGGER },
    { .type = "websocket in", .class = CLASS_TRIGGER },
    { .type = "websocket out", .class = CLASS_SEND },
    { .type = "websocket-client", .class = CLASS_CONFIG },
    { .type = "websocket-listener", .class = CLASS_CONFIG },
    { .type = "xml", .class = CLASS_TRANSFORM },
    { .type = "yaml", .class = CLASS_TRANSFORM },
};

const catalog_t catalog_nodered = { s_rows, COUNT_OF(s_rows) };

const catalog_row_t *catalog_node_red(slice_t type)
{
    if (slice_starts(type, "subflow:"))
        return &s_subflow;
    const catalog_row_t *row = catalog_find(&catalog_nodered, type);
    return row ? row : &s_unknown;
}
