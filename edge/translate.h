/* SPDX-License-Identifier: MPL-2.0
 *
 * translate - a request's path, query and JSON body as one msgpack map
 *
 * A value of the path or the query takes the type its field's schema asks for, where its text has
 * that type; else it stays text, and validation says what is wrong. The members of a JSON body are
 * fields too, unless the method names the one field that takes the whole body. The body's msgpack
 * is written once and not touched again. A method that takes the headers gets the body as its text.
 * Path, query and body may not contradict each other.
 */
#ifndef SIGNALBOX_EDGE_TRANSLATE_H
#define SIGNALBOX_EDGE_TRANSLATE_H

#include "edge/routes.h"

#define TRANSLATE_HEADERS_MAX 64

typedef struct {
    const char *name, *value;
} translate_header_t;

typedef struct {
    const route_t *route;
    const path_t *path;
    const char *query; /* NULL: none */
    const char *body;  /* JSON */
    size_t body_size;  /* 0: no body */
    /* for a method that takes headers */
    const translate_header_t *headers;
    size_t header_count;
    /* The header Idempotency-Key, which a method takes that has a field of that name; NULL: none */
    const char *idempotency_key;
    /* The header Prefer (RFC 7240): respond-async is the field respond_async; NULL: none */
    const char *prefer;
    /* Set to how many items the method's `cost_per` has; may be NULL */
    uint32_t *items;
} translate_t;

/* Appends the validated msgpack map to `message`. False with `failure` set, its field errors in
 * `fields`. */
bool translate_request(const translate_t *request, arena_t *arena, buf_t *message,
                       failure_t *failure, schema_errors_t *fields) MUST_CHECK;

#endif
