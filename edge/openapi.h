/* SPDX-License-Identifier: MPL-2.0
 *
 * openapi - the API document (OpenAPI 3.1) of a set of methods
 *
 * Everything in it comes from the methods' descriptors and from proto/error.def. The same methods
 * give the same bytes, in whatever order they are passed.
 */
#ifndef SIGNALBOX_EDGE_OPENAPI_H
#define SIGNALBOX_EDGE_OPENAPI_H

#include "proto/descriptor.h"

typedef struct {
    const descriptor_t *descriptor;
    const descriptor_method_t *method; /* has an HTTP binding */
} operation_t;

/* Appends the document; sorts `operations`. `version` is the program's. The fixed routes that are
 * part of the API are in it too. */
void openapi_write(operation_t *operations, size_t count, const char *version, buf_t *out);

#endif
