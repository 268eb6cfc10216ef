/* SPDX-License-Identifier: MPL-2.0
 *
 * descriptor - a service's description as it travels: reading it
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/text.h"
#include "proto/descriptor.h"

#define DESCRIPTOR_LIMITS          ((value_limits_t){ .depth = 40, .nodes = 20000 })
#define DESCRIPTOR_DEADLINE_MAX_MS 600000
#define DESCRIPTOR_TTL_MAX_S       86400

typedef struct {
    descriptor_t *made;
    char *why;
    const char *method; /* being read, for the sentence */
} reader_t;

static bool s_refuse(reader_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

static bool s_refuse(reader_t *self, const char *format, ...)
{
    va_list args;
    int used =
        self->method ? snprintf(self->why, DESCRIPTOR_WHY_SIZE, "method '%s': ", self->method) : 0;
    va_start(args, format);
    vsnprintf(self->why + used, DESCRIPTOR_WHY_SIZE - (size_t)used, format, args);
    va_end(args);
    return false;
}

/* A text without NULs of at most `limit` bytes into `*text`; missing leaves NULL. */
static bool s_read_text(reader_t *self, const value_t *map, const char *key, size_t limit,
                        const char **text)
{
    const value_t *value = value_get(map, key);
    *text = NULL;
    if (!value)
        return true;
    if (value->type != VALUE_TEXT || value->count > limit || memchr(value->text, 0, value->count))
        return s_refuse(self, "'%s' must be a text of at most %zu bytes", key, limit);
    *text = arena_text(&self->made->arena, value->text, value->count);
    return true;
}

static bool s_read_name(reader_t *self, const value_t *map, const char *key, const char **name)
{
    return s_read_text(self, map, key, METHOD_NAME_BYTES, name) && *name &&
                   id_is_name(*name, strlen(*name), METHOD_NAME_BYTES)
               ? true
               : s_refuse(self, "'%s' must be a name of 1 to %d letters, digits, '.', '_', '-'",
                          key, METHOD_NAME_BYTES);
}

static bool s_read_number(reader_t *self, const value_t *map, const char *key, int64_t limit,
                          uint32_t preset, uint32_t *number)
{
    const value_t *value = value_get(map, key);
    *number = preset;
    if (!value)
        return true;
    if (value->type != VALUE_INT || value->integer < 0 || value->integer > limit)
        return s_refuse(self, "'%s' must be a whole number from 0 to %lld", key, (long long)limit);
    *number = (uint32_t)value->integer;
    return true;
}

static bool s_read_access(reader_t *self, const value_t *map, access_t *access)
{
    const value_t *value = value_get(map, "access");
    *access = ACCESS_INTERNAL; /* what is not said is not open */
    if (!value)
        return true;
    for (size_t i = 0; i < ACCESS_COUNT; i++)
        if (value_is(value, descriptor_accesses[i])) {
            *access = (access_t)i;
            return true;
        }
    return s_refuse(self, "'access' must be internal, public or user");
}

static bool s_is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~/:{}", c));
}

/* "/v1/things/{id}/parts": segments that are literal or one whole parameter. */
static bool s_path_is_good(const char *path)
{
    if (path[0] != '/' || strlen(path) > DESCRIPTOR_PATH_BYTES)
        return false;
    for (const char *at = path; *at; at++) {
        if (!s_is_path_char(*at) || (*at == '/' && at[1] == '/'))
            return false;
        if (*at == '{') {
            size_t size = strcspn(at + 1, "{}/");
            if (at[-1] != '/' || size == 0 || at[size + 1] != '}' ||
                (at[size + 2] != '/' && at[size + 2] != '\0') ||
                !id_is_name(at + 1, size, METHOD_NAME_BYTES))
                return false;
            at += size + 1;
        } else if (*at == '}') {
            return false;
        }
    }
    return path[strlen(path) - 1] != '/';
}

static bool s_path_is_own(const char *path)
{
    return text_starts(path, "/v") && path[2] >= '0' && path[2] <= '9' && strchr(path + 2, '/');
}

static bool s_read_route(reader_t *self, descriptor_method_t *method, const char *route)
{
    static const char *const verbs[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        size_t size = strlen(verbs[i]);
        if (!text_starts(route, verbs[i]) || route[size] != ' ')
            continue;
        method->verb = verbs[i];
        method->path = route + size + 1;
        if (!s_path_is_good(method->path) || !s_path_is_own(method->path))
            return s_refuse(self, "the path '%s' must be like /v1/things/{id}", method->path);
        return true;
    }
    return s_refuse(self, "'route' must be GET, POST, PUT, PATCH or DELETE, a space and a path");
}

/* Every path parameter must be a field of the request: that is where its value goes. */
static bool s_check_parameters(reader_t *self, const descriptor_method_t *method)
{
    for (const char *at = strchr(method->path, '{'); at; at = strchr(at + 1, '{')) {
        size_t size = strcspn(at + 1, "}");
        if (!schema_property(method->request, at + 1, size))
            return s_refuse(self, "the path parameter '%.*s' is no field of the request", (int)size,
                            at + 1);
    }
    if (method->body && !schema_property(method->request, method->body, strlen(method->body)))
        return s_refuse(self, "the body field '%s' is no field of the request", method->body);
    if (method->headers && (!method->body || !schema_property(method->request, method->headers,
                                                              strlen(method->headers))))
        return s_refuse(self,
                        "the headers field '%s' is no field of the request, or there is no "
                        "body field",
                        method->headers);
    return true;
}

static bool s_read_http(reader_t *self, const value_t *map, descriptor_method_t *method)
{
    const value_t *http = value_get(map, "http");
    const char *route;
    uint32_t status;
    int64_t ms;
    if (!http)
        return true;
    if (!s_read_text(self, http, "route", DESCRIPTOR_PATH_BYTES + 8, &route) ||
        !s_read_number(self, http, "status", 299, 200, &status) ||
        !s_read_text(self, http, "body", METHOD_NAME_BYTES, &method->body) ||
        !s_read_text(self, http, "headers", METHOD_NAME_BYTES, &method->headers) ||
        !s_read_text(self, http, "location", DESCRIPTOR_PATH_BYTES, &method->location) ||
        !s_read_text(self, http, "accepted", DESCRIPTOR_PATH_BYTES, &method->accepted) ||
        !s_read_text(self, http, "media", 100, &method->media) ||
        !s_read_text(self, http, "sunset", 40, &method->sunset))
        return false;
    if (!route || !s_read_route(self, method, route))
        return route ? false : s_refuse(self, "'http' must have a 'route'");
    if (status < 200)
        return s_refuse(self, "'status' must be from 200 to 299");
    if (method->location && !s_path_is_good(method->location))
        return s_refuse(self, "'location' must be a path");
    if (method->accepted && !s_path_is_good(method->accepted))
        return s_refuse(self, "'accepted' must be a path");
    if (method->media && strpbrk(method->media, "\r\n\"<>"))
        return s_refuse(self, "'media' must be a media type");
    if (method->sunset && !clock_parse(method->sunset, strlen(method->sunset), &ms))
        return s_refuse(self, "'sunset' must be a date-time");
    if (method->access == ACCESS_INTERNAL)
        return s_refuse(self, "an internal method has no HTTP binding");
    method->status = (uint16_t)status;
    return s_check_parameters(self, method);
}

static bool s_read_cache(reader_t *self, const value_t *map, cache_rule_t *cache)
{
    const value_t *rule = value_get(map, "cache");
    if (!rule)
        return true;
    if (!s_read_number(self, rule, "ttl_s", DESCRIPTOR_TTL_MAX_S, 0, &cache->ttl_s) ||
        !s_read_text(self, rule, "vary", METHOD_NAME_BYTES, &cache->vary) ||
        !s_read_text(self, rule, "tags", 200, &cache->tags))
        return false;
    if (cache->vary && strcmp(cache->vary, "account") != 0 && strcmp(cache->vary, "user") != 0)
        return s_refuse(self, "'vary' must be account or user");
    return true;
}

static bool s_read_schema(reader_t *self, const value_t *map, const char *key, const value_t **json,
                          const schema_t **schema)
{
    char why[SCHEMA_WHY_SIZE];
    *json = value_get(map, key);
    *schema = NULL;
    if (!*json)
        return true;
    *schema = schema_compile(self->made->schemas, *json, why);
    return *schema || s_refuse(self, "%s: %s", key, why);
}

static bool s_read_method(reader_t *self, const value_t *map, descriptor_method_t *method)
{
    const char *summary, *about;
    if (!s_read_name(self, map, "name", &method->name))
        return false;
    self->method = method->name;
    if (!s_read_text(self, map, "summary", 200, &summary) ||
        !s_read_text(self, map, "about", 4000, &about) ||
        !s_read_text(self, map, "role", METHOD_NAME_BYTES, &method->role) ||
        !s_read_text(self, map, "scope", METHOD_NAME_BYTES, &method->scope) ||
        !s_read_text(self, map, "rate", METHOD_NAME_BYTES, &method->rate) ||
        !s_read_text(self, map, "flag", METHOD_NAME_BYTES, &method->flag) ||
        !s_read_number(self, map, "cost", 1000000, 1, &method->cost) ||
        !s_read_text(self, map, "cost_per", METHOD_NAME_BYTES, &method->cost_per) ||
        !s_read_number(self, map, "deadline_ms", DESCRIPTOR_DEADLINE_MAX_MS, METHOD_DEADLINE_MS,
                       &method->deadline_ms) ||
        !s_read_access(self, map, &method->access) ||
        !s_read_schema(self, map, "request", &method->request_json, &method->request) ||
        !s_read_schema(self, map, "reply", &method->reply_json, &method->reply) ||
        !s_read_cache(self, map, &method->cache) || !s_read_http(self, map, method))
        return false;
    if (!method->request)
        return s_refuse(self, "'request' is missing: give at least {\"type\": \"object\"}");
    if (schema_types(method->request) != SCHEMA_OBJECT)
        return s_refuse(self, "'request' must be a schema of type object");
    method->summary = summary ? summary : "";
    method->about = about ? about : "";
    method->idempotent = value_get_bool(map, "idempotent", false);
    method->sensitive = value_get_bool(map, "sensitive", false);
    method->errors = value_get(map, "errors");
    self->method = NULL;
    return true;
}

static bool s_read(reader_t *self, const value_t *map)
{
    descriptor_t *made = self->made;
    if (!s_read_name(self, map, "service", &made->service) ||
        !s_read_name(self, map, "version", &made->version) ||
        !s_read_text(self, map, "about", 4000, &made->about))
        return false;
    if (!made->about)
        made->about = "";
    const value_t *methods = value_get(map, "methods"), *method;
    if (!value_is_type(methods, VALUE_ARRAY) || methods->count > DESCRIPTOR_METHODS_MAX)
        return s_refuse(self, "'methods' must be a list of at most %d", DESCRIPTOR_METHODS_MAX);
    made->components = value_get(map, "components");
    made->schemas = schema_set_new(&made->arena, made->components);
    made->methods = arena_array(&made->arena, methods->count, sizeof *made->methods);
    for (uint32_t i = 0; (method = value_item(methods, i)); i++) {
        if (!s_read_method(self, method, &made->methods[i]))
            return false;
        const char *name = made->methods[i].name;
        if (descriptor_method(made, name, strlen(name)))
            return s_refuse(self, "the method '%s' stands twice", name);
        made->method_count++;
    }
    return true;
}

descriptor_t *descriptor_read(const void *bytes, size_t size, char why[DESCRIPTOR_WHY_SIZE])
{
    descriptor_t *made = mem_zeroed(sizeof *made);
    reader_t reader = { .made = made, .why = why };
    value_verdict_t verdict = VALUE_GOOD;
    const value_t *map = NULL;
    if (size > DESCRIPTOR_BYTES_MAX) {
        s_refuse(&reader, "a descriptor has at most %d bytes", DESCRIPTOR_BYTES_MAX);
    } else {
        uint8_t *copy = arena_alloc(&made->arena, size);
        memcpy(copy, bytes, size);
        made->bytes = copy;
        made->size = size;
        map = value_parse(&made->arena, copy, size, DESCRIPTOR_LIMITS, &verdict);
        if (!map)
            s_refuse(&reader, "not msgpack to be read: %s", value_verdict_text(verdict));
    }
    if (!map || !s_read(&reader, map)) {
        descriptor_destroy(&made);
        return NULL;
    }
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, made->bytes, made->size, NULL, 0);
    made->hash = get_u64(hash);
    return made;
}

void descriptor_destroy(descriptor_t **self_p)
{
    descriptor_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    schema_set_destroy(&self->schemas);
    arena_free(&self->arena);
    mem_free(self);
}

const descriptor_method_t *descriptor_method(const descriptor_t *self, const char *name,
                                             size_t size)
{
    for (uint32_t i = 0; i < self->method_count; i++)
        if (strlen(self->methods[i].name) == size && memcmp(self->methods[i].name, name, size) == 0)
            return &self->methods[i];
    return NULL;
}

int descriptor_compare_versions(const char *a, const char *b)
{
    for (;;) {
        unsigned long x = 0, y = 0;
        for (; *a >= '0' && *a <= '9'; a++)
            x = x * 10 + (unsigned long)(*a - '0');
        for (; *b >= '0' && *b <= '9'; b++)
            y = y * 10 + (unsigned long)(*b - '0');
        if (x != y)
            return x < y ? -1 : 1;
        if (*a != '.' || *b != '.')
            return (*a == '.') - (*b == '.');
        a++;
        b++;
    }
}
