/* SPDX-License-Identifier: MPL-2.0
 *
 * descriptor_write - a service's description as it travels: writing that of a service of ours
 *
 * What a method does not say is left out.
 */
#include "config.h"

#include "proto/descriptor.h"

const char *const descriptor_accesses[ACCESS_COUNT] = {
    [ACCESS_INTERNAL] = "internal", [ACCESS_PUBLIC] = "public", [ACCESS_USER] = "user"
};

static size_t s_pack_text(pack_t *out, const char *key, const char *text)
{
    if (!text)
        return 0;
    pack_pair_text(out, key, text);
    return 1;
}

static size_t s_pack_number(pack_t *out, const char *key, uint32_t number)
{
    if (!number)
        return 0;
    pack_pair_int(out, key, number);
    return 1;
}

static size_t s_pack_flag(pack_t *out, const char *key, bool is_set)
{
    if (!is_set)
        return 0;
    pack_pair_bool(out, key, true);
    return 1;
}

static size_t s_pack_errors(pack_t *out, const error_code_t *errors)
{
    size_t count = 0;
    while (errors && errors[count] != ERROR_NONE)
        count++;
    if (!count)
        return 0;
    pack_text(out, "errors");
    pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        pack_text(out, error_row(errors[i])->symbol);
    return 1;
}

static size_t s_pack_cache(pack_t *out, const cache_rule_t *cache)
{
    if (!cache->ttl_s && !cache->tags)
        return 0;
    pack_text(out, "cache");
    size_t position = pack_open_map(out), pairs = 1;
    pack_pair_int(out, "ttl_s", cache->ttl_s);
    pairs += s_pack_text(out, "vary", cache->vary);
    pairs += s_pack_text(out, "tags", cache->tags);
    pack_close(out, position, pairs);
    return 1;
}

static size_t s_pack_http(pack_t *out, const http_binding_t *http)
{
    if (!http->route)
        return 0;
    pack_text(out, "http");
    size_t position = pack_open_map(out), pairs = 1;
    pack_pair_text(out, "route", http->route);
    pairs += s_pack_number(out, "status", http->status);
    pairs += s_pack_text(out, "body", http->body);
    pairs += s_pack_text(out, "headers", http->headers);
    pairs += s_pack_text(out, "location", http->location);
    pairs += s_pack_text(out, "accepted", http->accepted);
    pairs += s_pack_text(out, "media", http->media);
    pairs += s_pack_text(out, "sunset", http->sunset);
    pack_close(out, position, pairs);
    return 1;
}

static void s_pack_method(pack_t *out, const method_t *method)
{
    size_t position = pack_open_map(out), pairs = 4;
    pack_pair_text(out, "name", method->name);
    pack_pair_text(out, "access", descriptor_accesses[method->access]);
    pack_text(out, "request");
    field_write_schema(method->request, out);
    pack_text(out, "reply");
    field_write_schema(method->reply, out);
    pairs += s_pack_text(out, "summary", method->summary);
    pairs += s_pack_text(out, "about", method->about);
    pairs += s_pack_text(out, "role", method->role);
    pairs += s_pack_text(out, "scope", method->scope);
    pairs += s_pack_text(out, "rate", method->rate);
    pairs += s_pack_text(out, "flag", method->flag);
    pairs += s_pack_number(out, "cost", method->cost);
    pairs += s_pack_text(out, "cost_per", method->cost_per);
    pairs += s_pack_number(out, "deadline_ms", method->deadline_ms);
    pairs += s_pack_errors(out, method->errors);
    pairs += s_pack_cache(out, &method->cache);
    pairs += s_pack_http(out, &method->http);
    pairs += s_pack_flag(out, "idempotent", method->idempotent);
    pairs += s_pack_flag(out, "sensitive", method->sensitive);
    pack_close(out, position, pairs);
}

void descriptor_write(const service_t *service, pack_t *out)
{
    size_t count = 0;
    while (service->methods[count])
        count++;
    pack_map(out, 4);
    pack_pair_text(out, "service", service->name);
    pack_pair_text(out, "version", service->version);
    pack_pair_text(out, "about", service->about ? service->about : "");
    pack_text(out, "methods");
    pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        s_pack_method(out, service->methods[i]);
}
