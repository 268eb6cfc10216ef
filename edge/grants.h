/* SPDX-License-Identifier: MPL-2.0
 *
 * grants - which service may bind which paths
 *
 * Every path has one owner, whoever is running and whoever came first: the service with the longest
 * granted prefix of it, and where nothing is granted the service whose name stands behind the
 * version, so that "foo" owns /v1/foo and below. The built-in services have their grants here,
 * others get theirs from `edge.grants`.
 */
#ifndef SIGNALBOX_EDGE_GRANTS_H
#define SIGNALBOX_EDGE_GRANTS_H

#include "actors/base/arena.h"

#define GRANTS_MAX 256

typedef struct {
    const char *service;
    const char *prefix; /* "/v1/things"; NULL: may offer methods to callers who are not signed in */
} grant_t;

typedef struct {
    grant_t list[GRANTS_MAX];
    size_t count;
    arena_t arena;
} grants_t;

/* Reads "billing:/v1/invoices billing:public"; false with a sentence in `why`. */
bool grants_read(grants_t *self, const char *text, char *why, size_t why_size) MUST_CHECK;
void grants_free(grants_t *self);

/* Whether the path of a route is the service's own. */
bool grants_allow_path(const grants_t *self, const char *service, const char *path);

/* Whether the service may have methods of public access. */
bool grants_allow_public(const grants_t *self, const char *service);

#endif
