/* SPDX-License-Identifier: MPL-2.0
 *
 * translate - a request's path, query and JSON body as one msgpack map
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "actors/base/text.h"
#include "edge/problem.h"
#include "edge/translate.h"
#include "proto/json.h"
#include "proto/value_pack.h"

/* Fields that do not come from the body, as the tree that is validated and packed. */
typedef struct {
    const translate_t *request;
    arena_t *arena;
    value_t *pairs; /* key, value, key, value ... */
    uint32_t count;
    failure_t *failure;
    schema_errors_t *fields;
} merge_t;

/* ---- text to value -------------------------------------------------------------------------- */

static value_t s_text(const char *text, size_t size)
{
    return (value_t){ .type = VALUE_TEXT, .count = (uint32_t)size, .text = text };
}

/* The text as the first of the schema's types that it has. */
static value_t s_coerce(const schema_t *schema, const segment_t *text)
{
    unsigned types = schema ? schema_types(schema) : SCHEMA_ANY;
    int64_t integer;
    double number;
    if (types & SCHEMA_STRING)
        return s_text(text->text, text->size);
    if ((types & SCHEMA_INTEGER) && text_to_i64(text->text, text->size, &integer))
        return (value_t){ .type = VALUE_INT, .integer = integer };
    if ((types & SCHEMA_NUMBER) && text_to_double(text->text, text->size, &number))
        return (value_t){ .type = VALUE_FLOAT, .number = number };
    if (types & SCHEMA_BOOLEAN) {
        bool is_true = text->size == 4 && memcmp(text->text, "true", 4) == 0;
        if (is_true || (text->size == 5 && memcmp(text->text, "false", 5) == 0))
            return (value_t){ .type = VALUE_BOOL, .truth = is_true };
    }
    return s_text(text->text, text->size);
}

/* ---- path and query ------------------------------------------------------------------------- */

static value_t *s_get(const merge_t *self, const char *name, size_t size)
{
    for (uint32_t i = 0; i < self->count; i++) {
        const value_t *key = &self->pairs[2 * (size_t)i];
        if (key->count == size && memcmp(key->text, name, size) == 0)
            return &self->pairs[2 * (size_t)i + 1];
    }
    return NULL;
}

static void s_put(merge_t *self, const char *name, size_t size, value_t value)
{
    self->pairs[2 * (size_t)self->count] = s_text(name, size);
    self->pairs[2 * (size_t)self->count + 1] = value;
    self->count++;
}

static bool s_refuse(merge_t *self, const char *name, size_t size, const char *why)
{
    schema_error_t *error = &self->fields->list[0];
    problem_set(self->failure, ERROR_VALIDATION_FAILED, "%s", "");
    self->failure->fields = self->fields;
    self->fields->count = 1;
    snprintf(error->pointer, sizeof error->pointer, "/%.*s", (int)(size < 64 ? size : 64), name);
    snprintf(error->why, sizeof error->why, "%s", why);
    return false;
}

static const schema_t *s_schema(const merge_t *self, const char *name, size_t size)
{
    return schema_property(self->request->route->method->request, name, size);
}

static void s_add_path(merge_t *self)
{
    const route_t *route = self->request->route;
    for (uint32_t i = 0; i < route->param_count; i++) {
        const char *name = route->params[i].name;
        size_t size = route->params[i].size;
        const segment_t *segment = &self->request->path->segments[route->params[i].segment];
        s_put(self, name, size, s_coerce(s_schema(self, name, size), segment));
    }
}

/* All values of one name, as the array its schema asks for. */
static value_t s_array(const merge_t *self, const query_t *query, size_t first,
                       const schema_t *items)
{
    const segment_t *name = &query->pairs[first].name;
    value_t *list = arena_array(self->arena, query->count - first, sizeof *list);
    uint32_t count = 0;
    for (size_t i = first; i < query->count; i++) {
        const query_pair_t *pair = &query->pairs[i];
        if (pair->name.size == name->size && memcmp(pair->name.text, name->text, name->size) == 0)
            list[count++] = s_coerce(items, &pair->value);
    }
    return (value_t){ .type = VALUE_ARRAY, .count = count, .items = list };
}

static bool s_add_query(merge_t *self, const query_t *query)
{
    for (size_t i = 0; i < query->count; i++) {
        const segment_t *name = &query->pairs[i].name;
        const schema_t *schema = s_schema(self, name->text, name->size);
        const value_t *there = s_get(self, name->text, name->size);
        bool is_array =
            schema && (schema_types(schema) & SCHEMA_ARRAY) && schema_types(schema) != SCHEMA_ANY;
        if (is_array && there)
            continue; /* a repeat, taken with the first of its name */
        if (there)
            return s_refuse(self, name->text, name->size, "is given more than once");
        s_put(self, name->text, name->size,
              is_array ? s_array(self, query, i, schema_items(schema))
                       : s_coerce(schema, &query->pairs[i].value));
    }
    return true;
}

/* The key is a string of RFC 8941 (3.3.3); without its quotes, as many send it, it is taken too. */
static void s_add_key(merge_t *self)
{
    static const char field[] = "idempotency_key";
    const char *key = self->request->idempotency_key;
    size_t size = key ? strlen(key) : 0;
    if (!key || !s_schema(self, field, sizeof field - 1))
        return;
    if (size >= 2 && key[0] == '"' && key[size - 1] == '"') {
        key++;
        size -= 2;
    }
    s_put(self, field, sizeof field - 1, s_text(key, size));
}

/* Preferences are separated by commas and may have parameters (RFC 7240, 2); of all there are, this
 * one is known. */
static void s_add_prefer(merge_t *self)
{
    static const char field[] = "respond_async", wanted[] = "respond-async";
    const char *at = self->request->prefer;
    if (!at || !s_schema(self, field, sizeof field - 1))
        return;
    for (; *at; at += *at == ',') {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ",; \t");
        if (size == sizeof wanted - 1 && strncasecmp(at, wanted, size) == 0) {
            s_put(self, field, sizeof field - 1, (value_t){ .type = VALUE_BOOL, .truth = true });
            return;
        }
        at += strcspn(at, ",");
    }
}

static bool s_collect(merge_t *self)
{
    query_t query;
    const char *why = query_read(&query, self->request->query, self->arena);
    if (why) {
        problem_set(self->failure, ERROR_BAD_REQUEST, "%s", why);
        return false;
    }
    size_t room = self->request->route->param_count + query.count + 2;
    self->pairs = arena_array(self->arena, room, 2 * sizeof *self->pairs);
    s_add_path(self);
    s_add_key(self);
    s_add_prefer(self);
    return s_add_query(self, &query);
}

/* ---- packing -------------------------------------------------------------------------------- */

static void s_pack_pairs(pack_t *out, const merge_t *self)
{
    for (uint32_t i = 0; i < 2 * self->count; i++)
        value_pack(&self->pairs[i], out);
}

static bool s_read_json(const merge_t *self, buf_t *out)
{
    json_error_t error;
    if (json_to_msgpack(self->request->body, self->request->body_size, VALUE_LIMITS, 0, out,
                        &error))
        return true;
    problem_set(self->failure, ERROR_INVALID_JSON, "At line %u, column %u: %s", error.line,
                error.column, json_verdict_text(error.verdict));
    return false;
}

/* The value that is packed at `from`; what our own reader wrote is within the limits. */
static const value_t *s_tree(const merge_t *self, const buf_t *message, size_t from)
{
    value_verdict_t verdict;
    const value_t *tree =
        value_parse(self->arena, message->bytes + from, message->size - from,
                    (value_limits_t){ .depth = VALUE_LIMITS.depth + 1,
                                      .nodes = VALUE_LIMITS.nodes + 4 * QUERY_PAIRS_MAX },
                    &verdict);
    if (!tree)
        problem_set(self->failure, ERROR_VALIDATION_FAILED, "The request is too large: %s",
                    value_verdict_text(verdict));
    return tree;
}

static bool s_read_text(const merge_t *self, pack_t *out)
{
    const char *body = self->request->body ? self->request->body : "";
    if (text_is_utf8(body, self->request->body_size)) {
        pack_string(out, body, self->request->body_size);
        return true;
    }
    problem_set(self->failure, ERROR_BAD_REQUEST, "The body is not text in UTF-8");
    return false;
}

/* Those that say who calls are the edge's affair. */
static bool s_is_told(const translate_header_t *header)
{
    static const char *const secret[] = { "authorization", "cookie", "x-api-key" };
    for (size_t i = 0; i < COUNT_OF(secret); i++)
        if (strcasecmp(header->name, secret[i]) == 0)
            return false;
    return text_is_utf8(header->name, strlen(header->name)) &&
           text_is_utf8(header->value, strlen(header->value));
}

/* A map of the headers, names in lower case; of several of one name the first counts. */
static void s_pack_headers(const merge_t *self, pack_t *out)
{
    size_t count = 0, position = pack_open_map(out);
    for (size_t i = 0; i < self->request->header_count; i++) {
        const translate_header_t *header = &self->request->headers[i];
        if (!s_is_told(header))
            continue;
        char *name = arena_text(self->arena, header->name, strlen(header->name));
        for (char *at = name; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        pack_pair_text(out, name, header->value);
        count++;
    }
    pack_close(out, position, count);
}

/* The map when no part of it comes from the members of a body; the body, if there is one, becomes
 * the value of the field that takes it. */
static const value_t *s_pack_own(merge_t *self, const char *field, buf_t *message)
{
    size_t from = message->size;
    pack_t pack;
    pack_init(&pack, message);
    const char *headers = self->request->route->method->headers;
    pack_map(&pack, self->count + (field != NULL) + (headers != NULL));
    s_pack_pairs(&pack, self);
    if (headers) {
        if (s_get(self, headers, strlen(headers))) {
            s_refuse(self, headers, strlen(headers),
                     "is the headers, and cannot be given elsewhere");
            return NULL;
        }
        pack_text(&pack, headers);
        s_pack_headers(self, &pack);
    }
    if (field) {
        if (s_get(self, field, strlen(field))) {
            s_refuse(self, field, strlen(field), "is the body, and cannot be given elsewhere");
            return NULL;
        }
        pack_text(&pack, field);
        if (headers ? !s_read_text(self, &pack) : !s_read_json(self, message))
            return NULL;
    }
    return s_tree(self, message, from);
}

/* Leaves out what the body says as well; what it says differently is refused. */
static bool s_reconcile(merge_t *self, const value_t *body)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const value_t *key = &self->pairs[2 * (size_t)i], *value = key + 1;
        const value_t *other = value_get_sized(body, key->text, key->count);
        if (other && !value_equal(other, value))
            return s_refuse(self, key->text, key->count, "contradicts the address");
        if (other)
            continue;
        memmove(&self->pairs[2 * (size_t)kept], key, 2 * sizeof *key);
        kept++;
    }
    self->count = kept;
    return true;
}

/* One tree of both: the body's members stay where they are. */
static const value_t *s_join(const merge_t *self, const value_t *body)
{
    value_t *whole = arena_alloc(self->arena, sizeof *whole);
    size_t own = 2 * (size_t)self->count, theirs = 2 * (size_t)body->count;
    value_t *items = arena_array(self->arena, own + theirs, sizeof *items);
    if (own)
        memcpy(items, self->pairs, own * sizeof *items);
    if (theirs)
        memcpy(items + own, body->items, theirs * sizeof *items);
    *whole = (value_t){ .type = VALUE_MAP, .count = self->count + body->count, .items = items };
    return whole;
}

/* Bytes of a map's head in msgpack. */
static size_t s_map_head(uint8_t first)
{
    return first == 0xdf ? 5 : first == 0xde ? 3 : 1;
}

/* The body's members are fields, and those of the address beside them. */
static const value_t *s_pack_body(merge_t *self, buf_t *message)
{
    size_t from = message->size;
    const value_t *body = s_read_json(self, message) ? s_tree(self, message, from) : NULL;
    if (!body)
        return NULL;
    if (body->type != VALUE_MAP) {
        s_refuse(self, "", 0, "must be an object");
        self->fields->list[0].pointer[0] = '\0';
        return NULL;
    }
    if (!s_reconcile(self, body))
        return NULL;
    return self->count ? s_join(self, body) : body;
}

/* Puts the fields of the address before the body's: a new head takes the place of its head, and its
 * members move up as they are. Trees of the message are void afterwards. */
static void s_splice(const merge_t *self, uint32_t pairs, size_t from, buf_t *message)
{
    buf_t own = { 0 };
    pack_t pack;
    pack_init(&pack, &own);
    pack_map(&pack, pairs);
    s_pack_pairs(&pack, self);
    size_t head = s_map_head(message->bytes[from]), tail = message->size - from - head;
    buf_reserve(message, own.size);
    memmove(message->bytes + from + own.size, message->bytes + from + head, tail);
    memcpy(message->bytes + from, own.bytes, own.size);
    message->size = from + own.size + tail;
    buf_free(&own);
}

static uint32_t s_count_items(const value_t *tree, const char *field)
{
    const value_t *list = field ? value_get(tree, field) : NULL;
    return value_is_type(list, VALUE_ARRAY) ? list->count : 0;
}

bool translate_request(const translate_t *request, arena_t *arena, buf_t *message,
                       failure_t *failure, schema_errors_t *fields)
{
    const descriptor_method_t *method = request->route->method;
    merge_t merge = { .request = request, .arena = arena, .failure = failure, .fields = fields };
    bool has_members = request->body_size && !method->body;
    size_t from = message->size;
    if (!s_collect(&merge))
        return false;
    const value_t *tree =
        has_members
            ? s_pack_body(&merge, message)
            : s_pack_own(&merge, request->body_size || method->headers ? method->body : NULL,
                         message);
    if (!tree)
        return false;
    if (!schema_validate(method->request, tree, fields)) {
        problem_set(failure, ERROR_VALIDATION_FAILED, "%s", "");
        failure->fields = fields;
        return false;
    }
    if (request->items)
        *request->items = s_count_items(tree, method->cost_per);
    if (has_members && merge.count)
        s_splice(&merge, tree->count, from, message);
    return true;
}
