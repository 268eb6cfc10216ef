/* SPDX-License-Identifier: MPL-2.0
 *
 * fixed - the routes that the edge answers itself
 */
#ifndef SIGNALBOX_EDGE_FIXED_H
#define SIGNALBOX_EDGE_FIXED_H

#include "edge/exchange.h"

typedef struct {
    const char *path;
    access_t access;
    void (*serve)(exchange_t *exchange);
    bool is_counted;  /* by the limits; whoever watches over us is not */
    const char *rate; /* rate class; NULL: none */
    /* in the API document; `operation` NULL: it is not part of the API */
    const char *operation; /* its id */
    const char *media;
    const char *summary;
    const char *parameters; /* JSON; NULL: none */
    const char *busy;       /* what 503 means, with the same media type; NULL: a problem */
} fixed_t;

/* The route of that path, or NULL. All of them are GET, and HEAD. */
const fixed_t *fixed_find(const path_t *path);

/* The routes, one after the other, NULL behind the last. */
const fixed_t *fixed_at(size_t index);

#endif
