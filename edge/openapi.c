/* SPDX-License-Identifier: MPL-2.0
 *
 * openapi - the API document (OpenAPI 3.1) of a set of methods
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/fixed.h"
#include "edge/openapi.h"
#include "edge/openapi_schema.h"
#include "edge/signature.h"

static const char s_about[] = "Failures are problem documents (RFC 9457) with a `code`; "
                              "proto/error.def lists them all. Every "
                              "answer names its request in `X-Request-ID`.";

static const char s_problem_schema[] =
    "{\"type\":\"object\",\"description\":\"What went wrong (RFC 9457)\",\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri\"},"
    "\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\"},"
    "\"instance\":{\"type\":\"string\",\"description\":\"The path that was asked for\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"Stable, for programs\"},"
    "\"request_id\":{\"type\":\"string\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"pointer\":{\"type\":\"string\",\"description\":\"JSON pointer to the field\"},"
    "\"detail\":{\"type\":\"string\"}},\"required\":[\"pointer\",\"detail\"]}},"
    "\"retry_after\":{\"type\":\"integer\",\"description\":\"Seconds\"}},"
    "\"required\":[\"type\",\"title\",\"status\",\"detail\",\"code\"]}";

static const char s_security_schemes[] =
    "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"},"
    "\"key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}}";

/* ---- failures ------------------------------------------------------------------------------- */

/* What any method may answer, by what it has. */
static const error_code_t s_always[] = { ERROR_BAD_REQUEST, ERROR_VALIDATION_FAILED,
                                         ERROR_INTERNAL,    ERROR_WORKER_LOST,
                                         ERROR_BAD_REPLY,   ERROR_NO_INSTANCE,
                                         ERROR_NO_BROKER,   ERROR_QUEUE_FULL,
                                         ERROR_OVERLOADED,  ERROR_DEADLINE };
static const error_code_t s_with_body[] = { ERROR_INVALID_JSON, ERROR_REQUEST_TIMEOUT,
                                            ERROR_TOO_LARGE, ERROR_UNSUPPORTED_MEDIA_TYPE };
static const error_code_t s_with_user[] = { ERROR_UNAUTHENTICATED, ERROR_FORBIDDEN };

static void s_mark(bool *marks, const error_code_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        marks[codes[i]] = true;
}

static void s_mark_own(bool *marks, const value_t *symbols)
{
    const value_t *symbol;
    for (uint32_t i = 0; (symbol = value_item(symbols, i)); i++)
        if (symbol->type == VALUE_TEXT)
            marks[error_from_symbol(symbol->text, symbol->count)] = true;
}

/* One response for a status, with the codes it may have. */
static void s_problem(writer_t *writer, const bool *marks, unsigned status)
{
    char key[8], codes[400] = "";
    size_t used = 0;
    for (unsigned code = ERROR_NONE + 1; code < ERROR_COUNT; code++)
        if (marks[code] && error_row(code)->http_status == status && used < sizeof codes)
            used += (size_t)snprintf(codes + used, sizeof codes - used, "%s%s", used ? ", " : "",
                                     error_row(code)->symbol);
    if (!used)
        return;
    snprintf(key, sizeof key, "%u", status);
    writer_open(writer, key);
    writer_text(writer, "description", codes);
    writer_raw(writer, "content",
               "{\"application/problem+json\":{\"schema\":"
               "{\"$ref\":\"#/components/schemas/Problem\"}}}");
    writer_close(writer);
}

static void s_all_problems(writer_t *writer, const bool *marks)
{
    for (unsigned status = 400; status < 600; status++)
        s_problem(writer, marks, status);
}

static void s_problems(writer_t *writer, const descriptor_method_t *method, bool has_body)
{
    bool marks[ERROR_COUNT] = { false };
    s_mark(marks, s_always, COUNT_OF(s_always));
    if (has_body)
        s_mark(marks, s_with_body, COUNT_OF(s_with_body));
    if (method->access == ACCESS_USER)
        s_mark(marks, s_with_user, COUNT_OF(s_with_user));
    if (method->flag)
        marks[ERROR_NOT_FOUND] = true;
    s_mark_own(marks, method->errors);
    s_all_problems(writer, marks);
}

/* ---- operations ----------------------------------------------------------------------------- */

static void s_parameter(writer_t *writer, const operation_t *operation, const value_t *name,
                        const value_t *schema)
{
    const descriptor_method_t *method = operation->method;
    bool is_in_path = openapi_is_in_path(method, name);
    size_t size;
    const char *about = value_get_text(schema, "description", &size);
    writer_open(writer, NULL);
    writer_sized(writer, "name", name->text, name->count);
    writer_text(writer, "in", is_in_path ? "path" : "query");
    writer_flag(writer, "required", is_in_path || openapi_is_required(method->request_json, name));
    if (about)
        writer_sized(writer, "description", about, size);
    openapi_schema(writer, "schema", operation->descriptor->service, schema);
    writer_close(writer);
}

static const char s_signature[] =
    "{\"name\":\"" SIGNATURE_HEADER "\",\"in\":\"header\",\"required\":false,"
    "\"description\":\"Of keys that have a signing secret\",\"schema\":{\"type\":\"string\"}}";

static void s_parameters(writer_t *writer, const operation_t *operation)
{
    const value_t *name, *schema;
    const value_t *properties = value_get(operation->method->request_json, "properties");
    writer_list(writer, "parameters");
    for (uint32_t i = 0; value_pair(properties, i, &name, &schema); i++)
        if (openapi_is_in_path(operation->method, name) ||
            openapi_is_in_query(operation->method, name))
            s_parameter(writer, operation, name, schema);
    if (value_get(properties, "idempotency_key"))
        writer_raw(writer, NULL,
                   "{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,"
                   "\"description\":\"For a day the same request with the same key gets the same "
                   "answer, and is done once\",\"schema\":{\"type\":\"string\","
                   "\"maxLength\":200}}");
    if (operation->method->sensitive)
        writer_raw(writer, NULL, s_signature);
    writer_close_list(writer);
}

static bool s_request_body(writer_t *writer, const operation_t *operation)
{
    bool is_required;
    if (!openapi_has_body(operation->method, &is_required))
        return false;
    writer_open(writer, "requestBody");
    writer_flag(writer, "required", is_required);
    writer_open(writer, "content");
    writer_open(writer, operation->method->headers ? "*/*" : "application/json");
    openapi_body(writer, operation->descriptor->service, operation->method);
    writer_close(writer);
    writer_close(writer);
    writer_close(writer);
    return true;
}

static void s_success(writer_t *writer, const operation_t *operation)
{
    const descriptor_method_t *method = operation->method;
    char status[8];
    snprintf(status, sizeof status, "%u", method->status);
    writer_open(writer, status);
    writer_text(writer, "description", http_reason(method->status));
    if (method->location)
        writer_raw(writer, "headers",
                   "{\"Location\":{\"description\":\"Where the new resource is\","
                   "\"schema\":{\"type\":\"string\"}}}");
    if (method->status != 204) {
        writer_open(writer, "content");
        writer_open(writer, method->media ? method->media : "application/json");
        if (method->media)
            writer_raw(writer, "schema", "{\"type\":\"string\"}");
        else if (method->reply_json)
            openapi_content(writer, operation->descriptor->service, method->reply_json);
        writer_close(writer);
        writer_close(writer);
    }
    writer_close(writer);
}

/* A method that may become a job says so besides. */
static void s_accepted(writer_t *writer, const operation_t *operation)
{
    if (operation->method->accepted && operation->method->status != 202)
        writer_raw(writer, "202",
                   "{\"description\":\"A job will answer\",\"headers\":{\"Location\":"
                   "{\"description\":\"Where the job is\",\"schema\":{\"type\":\"string\"}}},"
                   "\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\","
                   "\"properties\":{\"job_id\":{\"type\":\"integer\"}},"
                   "\"required\":[\"job_id\"]}}}}");
}

/* The empty requirement says that signing in is optional, as it is with edge.allow_anonymous. */
static void s_security(writer_t *writer, access_t access)
{
    writer_raw(writer, "security",
               access == ACCESS_PUBLIC ? "[]" : "[{\"bearer\":[]},{\"key\":[]},{}]");
}

static void s_operation(writer_t *writer, const operation_t *operation)
{
    const descriptor_method_t *method = operation->method;
    char id[2 * METHOD_NAME_BYTES + 2], verb[8];
    size_t size = strlen(method->verb);
    for (size_t i = 0; i <= size; i++)
        verb[i] = (char)(method->verb[i] >= 'A' ? method->verb[i] | 0x20 : method->verb[i]);
    snprintf(id, sizeof id, "%s.%s", operation->descriptor->service, method->name);
    writer_open(writer, verb);
    writer_text(writer, "operationId", id);
    writer_list(writer, "tags");
    writer_text(writer, NULL, operation->descriptor->service);
    writer_close_list(writer);
    writer_text(writer, "summary", method->summary);
    if (method->about[0])
        writer_text(writer, "description", method->about);
    if (method->sunset)
        writer_flag(writer, "deprecated", true);
    s_security(writer, method->access);
    s_parameters(writer, operation);
    bool has_body = s_request_body(writer, operation);
    writer_open(writer, "responses");
    s_success(writer, operation);
    s_accepted(writer, operation);
    s_problems(writer, method, has_body);
    writer_close(writer);
    writer_close(writer);
}

static void s_fixed_answer(writer_t *writer, const fixed_t *fixed, const char *status,
                           const char *description)
{
    bool is_json = strcmp(fixed->media, "application/json") == 0;
    writer_open(writer, status);
    writer_text(writer, "description", description);
    writer_open(writer, "content");
    writer_open(writer, fixed->media);
    writer_raw(writer, "schema", is_json ? "{\"type\":\"object\"}" : "{\"type\":\"string\"}");
    writer_close(writer);
    writer_close(writer);
    writer_close(writer);
}

static void s_fixed_operation(writer_t *writer, const fixed_t *fixed)
{
    bool marks[ERROR_COUNT] = { [ERROR_BAD_REQUEST] = true };
    writer_open(writer, fixed->path);
    writer_open(writer, "get");
    writer_text(writer, "operationId", fixed->operation);
    writer_raw(writer, "tags", "[\"edge\"]");
    writer_text(writer, "summary", fixed->summary);
    s_security(writer, fixed->access);
    if (fixed->parameters)
        writer_raw(writer, "parameters", fixed->parameters);
    writer_open(writer, "responses");
    s_fixed_answer(writer, fixed, "200", "OK");
    if (fixed->busy)
        s_fixed_answer(writer, fixed, "503", fixed->busy);
    if (fixed->access == ACCESS_USER) {
        s_mark(marks, s_with_user, COUNT_OF(s_with_user));
        marks[ERROR_OVERLOADED] = true;
    }
    s_all_problems(writer, marks);
    writer_close(writer);
    writer_close(writer);
    writer_close(writer);
}

/* ---- the document --------------------------------------------------------------------------- */

static int s_compare(const void *a, const void *b)
{
    const operation_t *x = a, *y = b;
    int order = strcmp(x->method->path, y->method->path);
    if (!order)
        order = (int)http_verb_find(x->method->verb, strlen(x->method->verb)) -
                (int)http_verb_find(y->method->verb, strlen(y->method->verb));
    return order ? order : strcmp(x->descriptor->service, y->descriptor->service);
}

static void s_paths(writer_t *writer, const operation_t *operations, size_t count)
{
    const fixed_t *fixed;
    writer_open(writer, "paths");
    for (size_t i = 0; (fixed = fixed_at(i)); i++)
        if (fixed->operation)
            s_fixed_operation(writer, fixed);
    for (size_t i = 0; i < count; i++) {
        const operation_t *operation = &operations[i];
        if (i == 0 || strcmp(operation->method->path, operation[-1].method->path) != 0)
            writer_open(writer, operation->method->path);
        s_operation(writer, operation);
        if (i + 1 == count || strcmp(operation->method->path, operation[1].method->path) != 0)
            writer_close(writer);
    }
    writer_close(writer);
}

/* The descriptors behind the operations, each once, by service: names are unique and sorted. */
static size_t s_descriptors(const operation_t *operations, size_t count, const descriptor_t **list)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < found && strcmp(list[at]->service, operations[i].descriptor->service) < 0)
            at++;
        if (at < found && strcmp(list[at]->service, operations[i].descriptor->service) == 0)
            continue;
        memmove(list + at + 1, list + at, (found - at) * sizeof *list);
        list[at] = operations[i].descriptor;
        found++;
    }
    return found;
}

void openapi_write(operation_t *operations, size_t count, const char *version, buf_t *out)
{
    writer_t writer = { .out = out };
    const descriptor_t **descriptors = mem_array(count, sizeof *descriptors);
    qsort(operations, count, sizeof *operations, s_compare);
    size_t services = s_descriptors(operations, count, descriptors);

    writer_open(&writer, NULL);
    writer_text(&writer, "openapi", "3.1.0");
    writer_open(&writer, "info");
    writer_text(&writer, "title", "Signalbox");
    writer_text(&writer, "version", version);
    writer_text(&writer, "description", s_about);
    writer_raw(&writer, "license", "{\"name\":\"MPL-2.0\",\"identifier\":\"MPL-2.0\"}");
    writer_close(&writer);
    writer_raw(&writer, "servers", "[{\"url\":\"/\"}]");
    writer_list(&writer, "tags");
    writer_raw(&writer, NULL, "{\"name\":\"edge\",\"description\":\"The edge itself\"}");
    for (size_t i = 0; i < services; i++) {
        writer_open(&writer, NULL);
        writer_text(&writer, "name", descriptors[i]->service);
        writer_text(&writer, "description", descriptors[i]->about);
        writer_close(&writer);
    }
    writer_close_list(&writer);
    s_paths(&writer, operations, count);
    writer_open(&writer, "components");
    writer_open(&writer, "schemas");
    writer_raw(&writer, "Problem", s_problem_schema);
    for (size_t i = 0; i < services; i++)
        openapi_components(&writer, descriptors[i]);
    writer_close(&writer);
    writer_raw(&writer, "securitySchemes", s_security_schemes);
    writer_close(&writer);
    writer_close(&writer);
    mem_free(descriptors);
}

void edge_write_openapi(const descriptor_t *const *descriptors, size_t count, const char *version,
                        buf_t *out)
{
    size_t room = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        room += descriptors[i]->method_count;
    operation_t *operations = mem_array(room, sizeof *operations);
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < descriptors[i]->method_count; j++)
            if (descriptors[i]->methods[j].verb)
                operations[used++] = (operation_t){ .descriptor = descriptors[i],
                                                    .method = &descriptors[i]->methods[j] };
    openapi_write(operations, used, version, out);
    mem_free(operations);
}
