/* SPDX-License-Identifier: MPL-2.0
 *
 * grants - which service may bind which paths
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "edge/grants.h"
#include "proto/method.h"

/* What belongs to parts of this system. "edge" is no service: its paths are fixed routes, and the
 * rows keep everybody else away from them. */
static const grant_t s_built_in[] = {
    { "analysis", "/v1/analyses" },
    { "analysis", "/v1/workflows" },
    { "analysis", "/v1/rules" },
    { "auth", "/v1/auth" },
    { "auth", "/v1/me" },
    { "auth", "/v1/keys" },
    { "auth", "/v1/account" },
    { "auth", "/v1/admin" },
    { "auth", NULL },
    { "analysis", NULL },
    { "cache", "/v1/admin/cache" },
    { "http", "/v1/admin/breakers" },
    { "http", "/v1/monitors" },
    { "webhook", "/v1/admin/hooks" },
    { "webhook", "/v1/hooks" },
    { "webhook", "/v1/webhooks" },
    { "webhook", NULL },
    { "edge", "/v1/ping" },
    { "edge", "/v1/events" },
    { "jobs", "/v1/jobs" },
    { "jobs", "/v1/queues" },
    { "jobs", "/v1/dead" },
    { "jobs", "/v1/schedules" },
    { "limiter", "/v1/admin/limits" },
    { "metrics", "/v1/admin/metrics" },
    { "metrics", "/v1/errors" },
    { "metrics", "/v1/traces" },
};

/* Whether `prefix` covers `path` up to the end of a segment; "/v1/things:verb" is below
 * "/v1/things". */
static bool s_covers(const char *prefix, const char *path)
{
    size_t size = strlen(prefix);
    return strncmp(prefix, path, size) == 0 && strchr("/:", path[size]);
}

static bool s_is_prefix(const char *text)
{
    const char *second = text[0] == '/' ? strchr(text + 1, '/') : NULL;
    return second && second > text + 1 && second[1] && !strpbrk(text, "{}:?#%") &&
           !strstr(text, "//") && !text_ends(text, "/");
}

static bool s_add(grants_t *self, const grant_t *grant, char *why, size_t why_size)
{
    for (size_t i = 0; grant->prefix && i < self->count; i++)
        if (self->list[i].prefix && strcmp(self->list[i].prefix, grant->prefix) == 0 &&
            strcmp(self->list[i].service, grant->service) != 0) {
            snprintf(why, why_size, "edge.grants: '%s' belongs to '%s' already", grant->prefix,
                     self->list[i].service);
            return false;
        }
    if (self->count == GRANTS_MAX) {
        snprintf(why, why_size, "edge.grants: more than %d grants", GRANTS_MAX);
        return false;
    }
    self->list[self->count++] = *grant;
    return true;
}

static bool s_read_one(grants_t *self, const char *text, size_t size, char *why, size_t why_size)
{
    const char *word = arena_text(&self->arena, text, size), *colon = strchr(word, ':');
    grant_t grant = { .prefix = colon ? colon + 1 : "" };
    size_t name_size = colon ? (size_t)(colon - word) : 0;
    if (!id_is_name(word, name_size, METHOD_NAME_BYTES) ||
        (strcmp(grant.prefix, "public") != 0 && !s_is_prefix(grant.prefix))) {
        snprintf(why, why_size,
                 "edge.grants: '%.80s' is not like 'billing:/v1/invoices' or 'billing:public'",
                 word);
        return false;
    }
    grant.service = arena_text(&self->arena, word, name_size);
    if (strcmp(grant.prefix, "public") == 0)
        grant.prefix = NULL;
    return s_add(self, &grant, why, why_size);
}

bool grants_read(grants_t *self, const char *text, char *why, size_t why_size)
{
    *self = (grants_t){ 0 };
    bool good = true;
    for (size_t i = 0; i < COUNT_OF(s_built_in); i++)
        good &= s_add(self, &s_built_in[i], why, why_size);
    while (good && *(text += strspn(text, " ,"))) {
        size_t size = strcspn(text, " ,");
        good = s_read_one(self, text, size, why, why_size);
        text += size;
    }
    return good;
}

void grants_free(grants_t *self)
{
    arena_free(&self->arena);
    self->count = 0;
}

bool grants_allow_path(const grants_t *self, const char *service, const char *path)
{
    const grant_t *owner = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const grant_t *grant = &self->list[i];
        if (grant->prefix && s_covers(grant->prefix, path) &&
            (!owner || strlen(grant->prefix) > strlen(owner->prefix)))
            owner = grant;
    }
    if (owner)
        return strcmp(owner->service, service) == 0;
    const char *name = path[0] == '/' ? strchr(path + 1, '/') : NULL;
    return name && s_covers(service, name + 1);
}

bool grants_allow_public(const grants_t *self, const char *service)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->list[i].prefix && strcmp(self->list[i].service, service) == 0)
            return true;
    return false;
}
