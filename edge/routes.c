/* SPDX-License-Identifier: MPL-2.0
 *
 * routes - which method of which service a verb and a path lead to
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/log.h"
#include "edge/routes.h"

typedef struct node node_t;

/* A place in the trie. Names point into descriptors. */
struct node {
    const char *text; /* of the segment that leads here; NULL for a parameter */
    size_t size;
    node_t **children; /* literal segments, sorted */
    uint32_t count, room;
    node_t *parameter;
    const route_t *routes[HTTP_VERBS];
};

struct routing {
    _Atomic int references;
    arena_t arena;
    node_t root;
    offer_t *offers;
    size_t offer_count;
    const route_t *routes;
    size_t size; /* of them */
    pthread_mutex_t document_mutex;
    buf_t document;
};

/* ---- descriptors ---------------------------------------------------------------------------- */

described_t *described_new(descriptor_t *descriptor)
{
    described_t *self = mem_zeroed(sizeof *self);
    self->descriptor = descriptor;
    self->references = 1;
    return self;
}

described_t *described_hold(described_t *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void described_drop(described_t **self_p)
{
    described_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub(&self->references, 1) == 1) {
        descriptor_destroy(&self->descriptor);
        mem_free(self);
    }
}

/* ---- building ------------------------------------------------------------------------------- */

static int s_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

/* The index of the child, or where it would stand. */
static uint32_t s_search(const node_t *node, const char *text, size_t size, bool *found)
{
    uint32_t low = 0, high = node->count;
    *found = false;
    while (low < high && !*found) {
        uint32_t middle = low + (high - low) / 2;
        const node_t *child = node->children[middle];
        int order = s_compare(child->text, child->size, text, size);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
        if (order == 0) {
            *found = true;
            low = middle;
        }
    }
    return low;
}

static node_t *s_child(routing_t *self, node_t *node, const char *text, size_t size)
{
    bool found;
    uint32_t at = s_search(node, text, size, &found);
    if (found)
        return node->children[at];
    if (node->count == node->room) {
        uint32_t room = node->room ? node->room * 2 : 4;
        node_t **larger = arena_array(&self->arena, room, sizeof *larger);
        if (node->count)
            memcpy(larger, node->children, node->count * sizeof *larger);
        node->children = larger;
        node->room = room;
    }
    memmove(node->children + at + 1, node->children + at,
            (node->count - at) * sizeof *node->children);
    node_t *child = arena_alloc(&self->arena, sizeof *child);
    child->text = text;
    child->size = size;
    node->children[at] = child;
    node->count++;
    return child;
}

/* Walks the template and makes what is missing; fills the route's parameters. NULL: too many. */
static node_t *s_path(routing_t *self, route_t *route)
{
    node_t *node = &self->root;
    const char *at = route->method->path;
    for (uint32_t segment = 0; *at == '/'; segment++) {
        size_t size = strcspn(++at, "/");
        if (segment == PATH_SEGMENTS_MAX)
            return NULL;
        if (*at == '{') {
            if (route->param_count == ROUTE_PARAMS_MAX)
                return NULL;
            if (!node->parameter)
                node->parameter = arena_alloc(&self->arena, sizeof *node);
            node = node->parameter;
            route->params[route->param_count].segment = segment;
            route->params[route->param_count].name = at + 1;
            route->params[route->param_count++].size = size - 2;
        } else {
            node = s_child(self, node, at, size);
        }
        at += size;
    }
    return node;
}

/* Two routes with the same template up to the names of its parameters would be one path with two
 * names in the document. */
static bool s_same_names(const node_t *node, const route_t *route)
{
    for (unsigned verb = 0; verb < HTTP_VERBS; verb++)
        if (node->routes[verb] &&
            strcmp(node->routes[verb]->method->path, route->method->path) != 0)
            return false;
    return true;
}

/* Binds one method; the sentence that says why not, or NULL. */
static const char *s_bind(routing_t *self, const grants_t *grants, const offer_t *offer,
                          const descriptor_method_t *method)
{
    const descriptor_t *descriptor = offer->described->descriptor;
    if (!grants_allow_path(grants, descriptor->service, method->path))
        return "the path belongs to another service; edge.grants decides";
    if (method->access == ACCESS_PUBLIC && !grants_allow_public(grants, descriptor->service))
        return "public access needs a grant in edge.grants";
    route_t *route = arena_alloc(&self->arena, sizeof *route);
    route->descriptor = descriptor;
    route->method = method;
    route->offer = offer;
    route->verb = http_verb_find(method->verb, strlen(method->verb));
    insist(route->verb < HTTP_VERBS);
    node_t *node = s_path(self, route);
    if (!node)
        return "the path has too many segments or parameters";
    if (!s_same_names(node, route))
        return "another method names the parameters of this path differently";
    if (node->routes[route->verb])
        return "another method is bound to the same verb and path";
    node->routes[route->verb] = route;
    route->next = self->routes;
    self->routes = route;
    self->size++;
    return NULL;
}

static size_t s_add_offer(routing_t *self, const grants_t *grants, const offer_t *offer)
{
    const descriptor_t *descriptor = offer->described->descriptor;
    size_t refused = 0;
    for (uint32_t i = 0; i < descriptor->method_count; i++) {
        const descriptor_method_t *method = &descriptor->methods[i];
        const char *why = method->verb ? s_bind(self, grants, offer, method) : NULL;
        if (!why)
            continue;
        refused++;
        if (!offer->described->is_reported)
            LOG(LOG_WARN, "route.refused", LOG_TEXT("service", descriptor->service),
                LOG_TEXT("version", descriptor->version), LOG_TEXT("method", method->name),
                LOG_TEXT("path", method->path), LOG_TEXT("why", why));
    }
    offer->described->is_reported = true;
    return refused;
}

static int s_by_service(const void *a, const void *b)
{
    const offer_t *x = a, *y = b;
    return strcmp(x->described->descriptor->service, y->described->descriptor->service);
}

routing_t *routing_build(const offer_t *offers, size_t count, const grants_t *grants,
                         routing_report_t *report)
{
    routing_t *self = mem_zeroed(sizeof *self);
    self->references = 1;
    pthread_mutex_init(&self->document_mutex, NULL);
    self->offers = arena_array(&self->arena, count, sizeof *self->offers);
    self->offer_count = count;
    for (size_t i = 0; i < count; i++) {
        self->offers[i] = offers[i];
        described_hold(offers[i].described);
    }
    qsort(self->offers, count, sizeof *self->offers, s_by_service);
    report->refused = 0;
    for (size_t i = 0; i < count; i++)
        report->refused += s_add_offer(self, grants, &self->offers[i]);
    return self;
}

routing_t *routing_hold(routing_t *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void routing_drop(routing_t **self_p)
{
    routing_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    for (size_t i = 0; i < self->offer_count; i++)
        described_drop(&self->offers[i].described);
    buf_free(&self->document);
    pthread_mutex_destroy(&self->document_mutex);
    arena_free(&self->arena);
    mem_free(self);
}

/* ---- finding -------------------------------------------------------------------------------- */

typedef struct {
    const path_t *path;
    http_verb_t verb;
    found_t found;
} search_t;

static void s_arrive(search_t *search, const node_t *node)
{
    for (unsigned verb = 0; verb < HTTP_VERBS; verb++)
        if (node->routes[verb])
            search->found.allowed |= HTTP_BIT(verb);
    if (node->routes[HTTP_GET])
        search->found.allowed |= HTTP_BIT(HTTP_HEAD);
    search->found.route = node->routes[search->verb];
}

/* Each node of the trie is visited once at most, so a search is bounded by its size. */
static void s_walk(search_t *search, const node_t *node, size_t depth)
{
    if (depth == search->path->count) {
        s_arrive(search, node);
        return;
    }
    const segment_t *segment = &search->path->segments[depth];
    bool is_literal;
    uint32_t at = s_search(node, segment->text, segment->size, &is_literal);
    if (is_literal)
        s_walk(search, node->children[at], depth + 1);
    if (!search->found.route && node->parameter && segment->size)
        s_walk(search, node->parameter, depth + 1);
}

found_t routing_find(const routing_t *self, const path_t *path, http_verb_t verb)
{
    search_t search = { .path = path, .verb = verb == HTTP_HEAD ? HTTP_GET : verb };
    s_walk(&search, &self->root, 0);
    return search.found;
}

size_t routing_size(const routing_t *self)
{
    return self->size;
}

const offer_t *routing_offers(const routing_t *self, size_t *count)
{
    *count = self->offer_count;
    return self->offers;
}

const buf_t *routing_document(routing_t *self, document_fn write, const char *version)
{
    pthread_mutex_lock(&self->document_mutex);
    if (!self->document.size) {
        operation_t *operations = mem_array(self->size, sizeof *operations);
        size_t count = 0;
        for (const route_t *route = self->routes; route; route = route->next)
            operations[count++] =
                (operation_t){ .descriptor = route->descriptor, .method = route->method };
        write(operations, count, version, &self->document);
        mem_free(operations);
    }
    pthread_mutex_unlock(&self->document_mutex);
    return &self->document;
}
