/* SPDX-License-Identifier: MPL-2.0
 *
 * openapi_schema - the JSON Schemas of a descriptor, as parts of the API document
 *
 * Two services may have components of one name: in the document a component is called
 * "service.name", and references are written accordingly.
 */
#ifndef SIGNALBOX_EDGE_OPENAPI_SCHEMA_H
#define SIGNALBOX_EDGE_OPENAPI_SCHEMA_H

#include "edge/writer.h"
#include "proto/descriptor.h"

/* A schema, or any JSON inside one, as the value of `key`. */
void openapi_schema(writer_t *writer, const char *key, const char *service, const value_t *schema);

/* The components of a descriptor, each as a member of the open object. */
void openapi_components(writer_t *writer, const descriptor_t *descriptor);

/* A method's fields, by where a request has them. */
bool openapi_is_in_path(const descriptor_method_t *method, const value_t *name);
bool openapi_is_in_query(const descriptor_method_t *method, const value_t *name);

/* Whether a method may have a body, and whether it must. */
bool openapi_has_body(const descriptor_method_t *method, bool *is_required);

/* The body's schema, with an example when there is one for every required field: "schema" and
 * "example" as members of the open object. */
void openapi_body(writer_t *writer, const char *service, const descriptor_method_t *method);

/* The same of any schema. */
void openapi_content(writer_t *writer, const char *service, const value_t *schema);

/* Whether the list `required` of a schema names the field. */
bool openapi_is_required(const value_t *schema, const value_t *name);

#endif
