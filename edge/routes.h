/* SPDX-License-Identifier: MPL-2.0
 *
 * routes - which method of which service a verb and a path lead to
 *
 * A routing is immutable: it is built from the descriptors of all services, used by any number of
 * requests at once, and freed when the last of them is done with it and a newer one has taken its
 * place. Paths are found in a trie, a step for each segment; a literal segment wins over a
 * parameter.
 *
 * Built from the same descriptors, two edges have the same routing: services are taken in the order
 * of their names, and who may bind a path is decided by grants, never by who came first.
 */
#ifndef SIGNALBOX_EDGE_ROUTES_H
#define SIGNALBOX_EDGE_ROUTES_H

#include <stdatomic.h>

#include "edge/grants.h"
#include "edge/http.h"
#include "edge/openapi.h"
#include "edge/path.h"

#define ROUTE_PARAMS_MAX 8

/* A descriptor that several routings share. */
typedef struct {
    descriptor_t *descriptor;
    _Atomic int references;
    bool is_reported; /* what is wrong with its routes has been logged */
    bool is_disputed; /* another descriptor claims the same version: has been logged */
} described_t;

/* Takes the descriptor over, with one reference for the caller. */
described_t *described_new(descriptor_t *descriptor);
described_t *described_hold(described_t *self);
void described_drop(described_t **self_p);

/* A service as it is to be routed to: one version of it. */
typedef struct {
    described_t *described;
    bool is_live;     /* an instance is running */
    int64_t since_ms; /* wall clock: since when it has been live, or not */
} offer_t;

typedef struct route route_t;

struct route {
    const route_t *next; /* of all routes of the routing */
    const descriptor_t *descriptor;
    const descriptor_method_t *method;
    const offer_t *offer;
    http_verb_t verb;
    uint32_t param_count;
    struct {
        uint32_t segment; /* which segment of the path it is */
        const char *name;
        size_t size;
    } params[ROUTE_PARAMS_MAX];
};

typedef struct routing routing_t;

typedef struct {
    size_t refused; /* routes a service may not bind */
} routing_report_t;

/* Builds a routing with one reference for the caller; holds what it needs of the offers. */
routing_t *routing_build(const offer_t *offers, size_t count, const grants_t *grants,
                         routing_report_t *report);
routing_t *routing_hold(routing_t *self);
void routing_drop(routing_t **self_p);

typedef struct {
    const route_t *route; /* NULL: none */
    unsigned allowed;     /* verbs the path has, HTTP_BIT each; 0: no such path */
} found_t;

/* HEAD finds what GET would. Valid as long as the routing. */
found_t routing_find(const routing_t *self, const path_t *path, http_verb_t verb);

size_t routing_size(const routing_t *self);

/* The services in the order of their names. */
const offer_t *routing_offers(const routing_t *self, size_t *count);

/* The API document of the routes that are bound, written by `write` once. Borrowed for as long as
 * the routing. */
typedef void (*document_fn)(operation_t *operations, size_t count, const char *version, buf_t *out);
const buf_t *routing_document(routing_t *self, document_fn write, const char *version);

#endif
