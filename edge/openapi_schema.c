/* SPDX-License-Identifier: MPL-2.0
 *
 * openapi_schema - the JSON Schemas of a descriptor, as parts of the API document
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "edge/openapi_schema.h"
#include "proto/json.h"

#define REF_PREFIX "#/components/schemas/"

/* ---- values and references ------------------------------------------------------------------ */

/* "service.name", of the characters a component may be called by. */
static void s_add_name(buf_t *out, const char *service, const char *name, size_t size)
{
    buf_add_text(out, service);
    buf_add_byte(out, '.');
    for (size_t i = 0; i < size; i++)
        buf_add_byte(out, id_is_name(&name[i], 1, 1) ? (uint8_t)name[i] : '_');
}

static bool s_is_reference(const value_t *key, const value_t *value)
{
    return value_is(key, "$ref") && value->type == VALUE_TEXT &&
           value->count > strlen(REF_PREFIX) &&
           memcmp(value->text, REF_PREFIX, strlen(REF_PREFIX)) == 0;
}

static void s_write(buf_t *out, const char *service, const value_t *value)
{
    const value_t *key, *item;
    if (value->type == VALUE_ARRAY) {
        buf_add_byte(out, '[');
        for (uint32_t i = 0; (item = value_item(value, i)); i++) {
            if (i)
                buf_add_byte(out, ',');
            s_write(out, service, item);
        }
        buf_add_byte(out, ']');
        return;
    }
    if (value->type != VALUE_MAP) {
        json_write(value, out);
        return;
    }
    buf_add_byte(out, '{');
    for (uint32_t i = 0; value_pair(value, i, &key, &item); i++) {
        if (i)
            buf_add_byte(out, ',');
        json_write(key, out);
        buf_add_byte(out, ':');
        if (s_is_reference(key, item)) {
            const size_t prefix = strlen(REF_PREFIX);
            buf_add_text(out, "\"" REF_PREFIX);
            s_add_name(out, service, item->text + prefix, item->count - prefix);
            buf_add_byte(out, '"');
        } else {
            s_write(out, service, item);
        }
    }
    buf_add_byte(out, '}');
}

void openapi_schema(writer_t *writer, const char *key, const char *service, const value_t *schema)
{
    writer_key(writer, key, strlen(key));
    s_write(writer->out, service, schema);
}

void openapi_components(writer_t *writer, const descriptor_t *descriptor)
{
    const value_t *key, *schema;
    for (uint32_t i = 0; value_pair(descriptor->components, i, &key, &schema); i++) {
        buf_t name = { 0 };
        s_add_name(&name, descriptor->service, key->text, key->count);
        writer_key(writer, (const char *)name.bytes, name.size);
        s_write(writer->out, descriptor->service, schema);
        buf_free(&name);
    }
}

/* ---- fields --------------------------------------------------------------------------------- */

bool openapi_is_required(const value_t *schema, const value_t *name)
{
    const value_t *required = value_get(schema, "required"), *item;
    for (uint32_t i = 0; (item = value_item(required, i)); i++)
        if (value_equal(item, name))
            return true;
    return false;
}

bool openapi_is_in_path(const descriptor_method_t *method, const value_t *name)
{
    for (const char *at = strchr(method->path, '{'); at; at = strchr(at + 1, '{')) {
        size_t size = strcspn(at + 1, "}");
        if (size == name->count && memcmp(at + 1, name->text, size) == 0)
            return true;
    }
    return false;
}

static bool s_takes_body(const descriptor_method_t *method)
{
    return strcmp(method->verb, "GET") != 0 && strcmp(method->verb, "DELETE") != 0;
}

static bool s_is_in_body(const descriptor_method_t *method, const value_t *name)
{
    if (!s_takes_body(method) || openapi_is_in_path(method, name))
        return false;
    return !method->body || value_is(name, method->body);
}

bool openapi_is_in_query(const descriptor_method_t *method, const value_t *name)
{
    return !openapi_is_in_path(method, name) && !s_is_in_body(method, name) &&
           !(method->headers && value_is(name, method->headers));
}

bool openapi_has_body(const descriptor_method_t *method, bool *is_required)
{
    const value_t *name, *schema;
    const value_t *properties = value_get(method->request_json, "properties");
    const value_t *additional = value_get(method->request_json, "additionalProperties");
    bool is_open = !value_is_type(additional, VALUE_BOOL) || additional->truth;
    bool has_body = is_open && !method->body && s_takes_body(method);
    *is_required = false;
    for (uint32_t i = 0; value_pair(properties, i, &name, &schema); i++)
        if (s_is_in_body(method, name)) {
            has_body = true;
            *is_required |= openapi_is_required(method->request_json, name);
        }
    return has_body;
}

/* ---- examples ------------------------------------------------------------------------------- */

/* What stands for a field in an example: the first of its examples, or its default. */
static const value_t *s_example(const value_t *schema)
{
    const value_t *example = value_item(value_get(schema, "examples"), 0);
    return example ? example : value_get(schema, "default");
}

typedef bool (*field_filter_t)(const descriptor_method_t *method, const value_t *name);

/* An object of the fields' examples, when every required field has one. */
static void s_write_example(writer_t *writer, const value_t *schema,
                            const descriptor_method_t *method, field_filter_t is_wanted)
{
    const value_t *properties = value_get(schema, "properties"), *name, *property;
    size_t examples = 0;
    for (uint32_t i = 0; value_pair(properties, i, &name, &property); i++) {
        if (is_wanted && !is_wanted(method, name))
            continue;
        if (s_example(property))
            examples++;
        else if (openapi_is_required(schema, name))
            return;
    }
    if (!examples)
        return;
    writer_open(writer, "example");
    for (uint32_t i = 0; value_pair(properties, i, &name, &property); i++) {
        if ((is_wanted && !is_wanted(method, name)) || !s_example(property))
            continue;
        writer_key(writer, name->text, name->count);
        json_write(s_example(property), writer->out);
    }
    writer_close(writer);
}

void openapi_content(writer_t *writer, const char *service, const value_t *schema)
{
    openapi_schema(writer, "schema", service, schema);
    s_write_example(writer, schema, NULL, NULL);
}

/* ---- the body ------------------------------------------------------------------------------- */

static void s_body_properties(writer_t *writer, const char *service,
                              const descriptor_method_t *method, const value_t *properties)
{
    const value_t *name, *schema;
    writer_open(writer, "properties");
    for (uint32_t i = 0; value_pair(properties, i, &name, &schema); i++)
        if (s_is_in_body(method, name)) {
            writer_key(writer, name->text, name->count);
            s_write(writer->out, service, schema);
        }
    writer_close(writer);
}

static void s_body_required(writer_t *writer, const descriptor_method_t *method,
                            const value_t *required)
{
    const value_t *name;
    bool is_open = false;
    for (uint32_t i = 0; (name = value_item(required, i)); i++) {
        if (!s_is_in_body(method, name))
            continue;
        if (!is_open)
            writer_list(writer, "required");
        is_open = true;
        writer_sized(writer, NULL, name->text, name->count);
    }
    if (is_open)
        writer_close_list(writer);
}

/* The request's schema without the fields that are not in the body. */
static void s_body_members(writer_t *writer, const char *service, const descriptor_method_t *method)
{
    const value_t *key, *value;
    writer_open(writer, "schema");
    for (uint32_t i = 0; value_pair(method->request_json, i, &key, &value); i++) {
        if (value_is(key, "properties")) {
            s_body_properties(writer, service, method, value);
        } else if (value_is(key, "required")) {
            s_body_required(writer, method, value);
        } else {
            writer_key(writer, key->text, key->count);
            s_write(writer->out, service, value);
        }
    }
    writer_close(writer);
    s_write_example(writer, method->request_json, method, s_is_in_body);
}

void openapi_body(writer_t *writer, const char *service, const descriptor_method_t *method)
{
    if (!method->body) {
        s_body_members(writer, service, method);
        return;
    }
    const value_t *properties = value_get(method->request_json, "properties");
    const value_t *schema = value_get(properties, method->body);
    openapi_schema(writer, "schema", service, schema);
    if (s_example(schema)) {
        writer_key(writer, "example", 7);
        json_write(s_example(schema), writer->out);
    }
}
